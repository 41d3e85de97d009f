"""SQL of leads."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    and_,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import (
    lead_conversions,
    lead_customers,
    lead_decisions,
    lead_people,
    leads,
    sealed_customers,
    sealed_fields,
)
from huaxiao.shared.database import within
from huaxiao.shared.leads import LEAD_HOLDS
from huaxiao.shared.wire.leads import LeadState

_PORTION = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """Which leads a caller sees: those of some centres, and everybody their own."""

    centre_ids: AbstractSet[str] | None
    """None is every centre."""
    person_id: str | None
    subject: str


async def add(
    connection: AsyncConnection,
    lead: Mapping[str, Any],
    people: Sequence[Mapping[str, Any]],
    *,
    customer_name: str,
) -> None:
    """Append a lead and who has a part in it; the customer's name is kept apart."""
    await connection.execute(insert(leads).values(**lead))
    await connection.execute(
        insert(lead_customers).values(
            branch_id=lead["branch_id"], lead=lead["number"], customer_name=customer_name
        )
    )
    await connection.execute(insert(lead_people), list(people))


async def erase(connection: AsyncConnection, branch_id: int, customer_id: str) -> int:
    """Erase a customer's name from the leads about them; return how many bore it."""
    named = select(leads.c.number).where(
        leads.c.branch_id == branch_id, leads.c.customer_id == customer_id
    )
    erased = await connection.execute(
        update(lead_customers)
        .where(
            lead_customers.c.branch_id == branch_id,
            lead_customers.c.lead.in_(named),
            lead_customers.c.customer_name.is_not(None),
        )
        .values(customer_name=None)
        .returning(lead_customers.c.lead)
    )
    return len(erased.all())


async def forget_names(connection: AsyncConnection, branch_id: int, before: datetime) -> int:
    """Erase names of some leads that were over before a moment; return how many they were.

    A lead is over when it is rejected, when it has become lines, or when it holds no longer: what
    it earns from then on rests on codes.
    """
    over = case(
        (~lead_decisions.c.approved, lead_decisions.c.decided_at),
        else_=func.coalesce(
            lead_conversions.c.converted_at, lead_decisions.c.decided_at + LEAD_HOLDS
        ),
    )
    decided = lead_customers.join(
        lead_decisions,
        and_(
            lead_decisions.c.branch_id == lead_customers.c.branch_id,
            lead_decisions.c.lead == lead_customers.c.lead,
        ),
    ).outerjoin(
        lead_conversions,
        and_(
            lead_conversions.c.branch_id == lead_customers.c.branch_id,
            lead_conversions.c.lead == lead_customers.c.lead,
        ),
    )
    old = (
        select(lead_customers.c.lead)
        .select_from(decided)
        .where(
            lead_customers.c.branch_id == branch_id,
            lead_customers.c.customer_name.is_not(None),
            over < before,
        )
        .order_by(lead_customers.c.lead)
        .limit(_PORTION)
        .with_for_update(skip_locked=True, of=lead_customers)
    )
    erased = await connection.execute(
        update(lead_customers)
        .where(lead_customers.c.branch_id == branch_id, lead_customers.c.lead.in_(old))
        .values(customer_name=None)
        .returning(lead_customers.c.lead)
    )
    return len(erased.all())


async def add_decision(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append the decision of a lead."""
    await connection.execute(insert(lead_decisions).values(**row))


async def add_conversion(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append what a lead became."""
    await connection.execute(insert(lead_conversions).values(**row))


def _of_centre(centre_ids: AbstractSet[str]) -> ColumnElement[bool]:
    """Say whether a lead is some centres': they have its revenue, or their people a part in it."""
    their_people = exists().where(
        lead_people.c.branch_id == leads.c.branch_id,
        lead_people.c.lead == leads.c.number,
        within(lead_people.c.centre_id, centre_ids),
    )
    return or_(within(lead_decisions.c.owner_centre_id, centre_ids), their_people)


def _visible(seen: Seen) -> ColumnElement[bool] | None:
    if seen.centre_ids is None:
        return None
    own = exists().where(
        lead_people.c.branch_id == leads.c.branch_id,
        lead_people.c.lead == leads.c.number,
        lead_people.c.person_id == seen.person_id,
    )
    return or_(_of_centre(seen.centre_ids), leads.c.brought_by == seen.subject, own)


def _stands(state: LeadState, holds_since: date) -> ColumnElement[bool]:
    """Say whether a lead is in a state; approved on ``holds_since`` or later, it still holds."""
    approved, decided_on = lead_decisions.c.approved, lead_decisions.c.decided_on
    unconverted = lead_conversions.c.lead.is_(None)
    match state:
        case LeadState.BROUGHT:
            return approved.is_(None)
        case LeadState.REJECTED:
            return approved.is_(False)
        case LeadState.APPROVED:
            return and_(approved.is_(True), unconverted, decided_on >= holds_since)
        case LeadState.VOID:
            return and_(approved.is_(True), unconverted, decided_on < holds_since)
        case LeadState.CONVERTED:
            return lead_conversions.c.lead.is_not(None)


def _leads(branch_id: int) -> Select[tuple[Any, ...]]:
    """Select leads of a branch with their decision and conversion, if there are any."""
    joined = leads.outerjoin(
        lead_decisions,
        and_(
            lead_decisions.c.branch_id == leads.c.branch_id,
            lead_decisions.c.lead == leads.c.number,
        ),
    ).outerjoin(
        lead_conversions,
        and_(
            lead_conversions.c.branch_id == leads.c.branch_id,
            lead_conversions.c.lead == leads.c.number,
        ),
    )
    joined = joined.join(
        lead_customers,
        and_(
            lead_customers.c.branch_id == leads.c.branch_id,
            lead_customers.c.lead == leads.c.number,
        ),
    )
    told = [
        one
        for table in (lead_customers, lead_decisions, lead_conversions)
        for one in table.c
        if one.name not in {"branch_id", "lead"}
    ]
    return select(leads, *told).select_from(joined).where(leads.c.branch_id == branch_id)


async def load(
    connection: AsyncConnection, branch_id: int, number: int, seen: Seen
) -> RowMapping | None:
    """Return a lead that the caller may see."""
    query = _leads(branch_id).where(leads.c.number == number)
    visible = _visible(seen)
    rows = await connection.execute(query if visible is None else query.where(visible))
    found: RowMapping | None = rows.mappings().one_or_none()
    return found


async def page(
    connection: AsyncConnection,
    branch_id: int,
    seen: Seen,
    *,
    state: LeadState | None,
    holds_since: date,
    centre_id: str | None,
    after: int,
    limit: int,
) -> Sequence[RowMapping]:
    """Return leads that the caller may see, behind a number."""
    query = _leads(branch_id).where(leads.c.number > after)
    visible = _visible(seen)
    if visible is not None:
        query = query.where(visible)
    if state is not None:
        query = query.where(_stands(state, holds_since))
    if centre_id is not None:
        query = query.where(_of_centre({centre_id}))
    rows = await connection.execute(query.order_by(leads.c.number).limit(limit))
    found: Sequence[RowMapping] = rows.mappings().all()
    return found


async def people(
    connection: AsyncConnection, branch_id: int, numbers: Sequence[int]
) -> dict[int, list[RowMapping]]:
    """Return who has a part in some leads, in the order they were named."""
    rows = await connection.execute(
        select(lead_people)
        .where(lead_people.c.branch_id == branch_id, lead_people.c.lead == func.any(list(numbers)))
        .order_by(lead_people.c.lead, lead_people.c.place)
    )
    found: dict[int, list[RowMapping]] = {number: [] for number in numbers}
    for row in rows.mappings():
        found[row["lead"]].append(row)
    return found


async def that_holds(
    connection: AsyncConnection, branch_id: int, customer_id: str, holds_since: date
) -> int | None:
    """Return the number of the lead on a customer that is approved and still holds."""
    query = (
        _leads(branch_id)
        .where(leads.c.customer_id == customer_id, _stands(LeadState.APPROVED, holds_since))
        .with_only_columns(leads.c.number)
    )
    number: int | None = await connection.scalar(query.order_by(leads.c.number).limit(1))
    return number


async def listing(
    connection: AsyncConnection, branch_id: int, customer_id: str, first: int, last: int
) -> tuple[str, str] | None:
    """Return field and centre of the sealed list a customer is on in some of these periods."""
    rows = await connection.execute(
        select(
            sealed_customers.c.field_id,
            sealed_fields.c.document["centre_id"].astext.label("centre_id"),
        )
        .join(
            sealed_fields,
            and_(
                sealed_fields.c.branch_id == sealed_customers.c.branch_id,
                sealed_fields.c.field_id == sealed_customers.c.field_id,
            ),
        )
        .where(
            sealed_customers.c.branch_id == branch_id,
            sealed_customers.c.customer_id == customer_id,
            sealed_customers.c.term_from <= last,
            sealed_customers.c.term_to >= first,
        )
        .order_by(sealed_customers.c.term_from)
        .limit(1)
    )
    row = rows.one_or_none()
    return None if row is None else (row.field_id, row.centre_id)
