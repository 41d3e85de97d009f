"""Appraisals in the database, the evidence they are computed from, and what is said of them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Table, and_, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import (
    appraisal_appeal_answers,
    appraisal_appeal_decisions,
    appraisal_appeals,
    appraisal_corrections,
    appraisal_drafts,
    appraisal_evidence,
    appraisal_months,
    appraisal_revisions,
    appraisals,
    branches,
    centres,
    late_raters,
    order_clocks,
    order_steps,
    order_workers,
    orders,
    people,
    violations,
)
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.wire.dispatch import OrderState, StepName

_last_finish = (
    select(func.max(order_steps.c.number))
    .where(
        order_steps.c.branch_id == orders.c.branch_id,
        order_steps.c.order_id == orders.c.order_id,
        order_steps.c.step == StepName.FINISH,
    )
    .scalar_subquery()
)
_workers = (
    select(func.array_agg(order_workers.c.person_id))
    .where(
        order_workers.c.branch_id == orders.c.branch_id,
        order_workers.c.order_id == orders.c.order_id,
        order_workers.c.number == _last_finish,
    )
    .scalar_subquery()
)
MEASURED = select(
    orders,
    order_clocks.c.version,
    order_clocks.c.first_contact_due_at,
    order_clocks.c.late_because_of_centre_id,
    _workers.label("workers"),
).outerjoin(
    order_clocks,
    (order_clocks.c.branch_id == orders.c.branch_id)
    & (order_clocks.c.order_id == orders.c.order_id),
)
"""Orders with what their clocks say of how they are judged, and who did the work."""


# --- evidence -----------------------------------------------------------------------------------


async def known_at(connection: AsyncConnection, branch_id: int) -> datetime | None:
    """Return when dispatch learned of a branch."""
    found: datetime | None = await connection.scalar(
        select(branches.c.known_at).where(branches.c.branch_id == branch_id)
    )
    return found


async def progress(
    connection: AsyncConnection, branch_id: int, event: str = "frozen"
) -> tuple[datetime | None, int | None]:
    """Return when dispatch learned of a branch, and the last month in which an event has been."""
    newest = (
        select(func.max(appraisal_months.c.period))
        .where(appraisal_months.c.branch_id == branch_id, appraisal_months.c.event == event)
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(branches.c.known_at, newest.label("newest")).where(branches.c.branch_id == branch_id)
    )
    found = rows.one_or_none()
    return (None, None) if found is None else (found.known_at, found.newest)


async def bearing_on(
    connection: AsyncConnection, branch_id: int, *, since: datetime, until: datetime
) -> Sequence[RowMapping]:
    """Return the orders of all centres that bear on a time span."""
    rows = await connection.execute(
        MEASURED.where(
            orders.c.branch_id == branch_id,
            orders.c.performer_centre_id.is_not(None),
            orders.c.requested_at < until,
            or_(
                and_(orders.c.finished_at.is_(None), orders.c.state != OrderState.CANCELLED),
                orders.c.finished_at >= since,
            ),
        ).order_by(orders.c.order_id)
    )
    return rows.mappings().all()


async def add_event(connection: AsyncConnection, event: Mapping[str, Any]) -> bool:
    """Append what the calendar brought about in a month; False when it is there."""
    added = await connection.execute(
        insert(appraisal_months)
        .values(**event)
        .on_conflict_do_nothing()
        .returning(appraisal_months.c.period)
    )
    return added.one_or_none() is not None


async def event(
    connection: AsyncConnection, branch_id: int, period: int, name: str
) -> RowMapping | None:
    """Return an event of a month."""
    rows = await connection.execute(
        select(appraisal_months).where(
            appraisal_months.c.branch_id == branch_id,
            appraisal_months.c.period == period,
            appraisal_months.c.event == name,
        )
    )
    return rows.mappings().one_or_none()


async def events(
    connection: AsyncConnection, branch_id: int, period: int | None = None
) -> Sequence[RowMapping]:
    """Return the events of a month, or of all months, oldest first."""
    rows = await connection.execute(
        select(appraisal_months)
        .where(
            appraisal_months.c.branch_id == branch_id,
            true() if period is None else appraisal_months.c.period == period,
        )
        .order_by(appraisal_months.c.period, appraisal_months.c.at)
    )
    return rows.mappings().all()


async def add_evidence(
    connection: AsyncConnection, branch_id: int, period: int, records: Sequence[Mapping[str, Any]]
) -> None:
    """Append the records of a month."""
    if records:
        await connection.execute(
            insert(appraisal_evidence),
            [
                {
                    "branch_id": branch_id,
                    "period": period,
                    "order_id": one["order_id"],
                    "record": one,
                }
                for one in records
            ],
        )


async def evidence(
    connection: AsyncConnection, branch_id: int, period: int
) -> Sequence[Mapping[str, Any]]:
    """Return the kept records of a month, by their orders' numbers."""
    rows = await connection.scalars(
        select(appraisal_evidence.c.record)
        .where(appraisal_evidence.c.branch_id == branch_id, appraisal_evidence.c.period == period)
        .order_by(appraisal_evidence.c.order_id)
    )
    return rows.all()


# --- cards --------------------------------------------------------------------------------------


async def add(connection: AsyncConnection, appraisal: Mapping[str, Any]) -> bool:
    """Insert an appraisal; False when there is one of this kind for these parties already."""
    added = await connection.execute(
        insert(appraisals)
        .values(**appraisal)
        .on_conflict_do_nothing()
        .returning(appraisals.c.appraisal_id)
    )
    return added.one_or_none() is not None


async def change(
    connection: AsyncConnection, branch_id: int, appraisal_id: str, values: Mapping[str, Any]
) -> None:
    """Move a card on."""
    await connection.execute(
        update(appraisals)
        .where(appraisals.c.branch_id == branch_id, appraisals.c.appraisal_id == appraisal_id)
        .values(**values)
    )


async def add_revision(connection: AsyncConnection, revision: Mapping[str, Any]) -> None:
    """Append a card as it was computed."""
    await connection.execute(insert(appraisal_revisions).values(**revision))


async def load(
    connection: AsyncConnection, branch_id: int, appraisal_id: str, *, lock: bool = True
) -> RowMapping | None:
    """Return an appraisal, locked for this transaction."""
    query = select(appraisals).where(
        appraisals.c.branch_id == branch_id, appraisals.c.appraisal_id == appraisal_id
    )
    rows = await connection.execute(query.with_for_update() if lock else query)
    return rows.mappings().one_or_none()


async def cards(
    connection: AsyncConnection,
    branch_id: int,
    kind: str,
    *,
    period: int | None = None,
    ratee_centre_id: str | None = None,
    unpublished: bool = False,
    lock: bool = True,
) -> Sequence[RowMapping]:
    """Return cards of a kind, locked for this transaction, in an order that never changes."""
    query = (
        select(appraisals)
        .where(
            appraisals.c.branch_id == branch_id,
            appraisals.c.kind == kind,
            true() if period is None else appraisals.c.period == period,
            true() if ratee_centre_id is None else appraisals.c.ratee_centre_id == ratee_centre_id,
            appraisals.c.published_at.is_(None) if unpublished else true(),
        )
        .order_by(appraisals.c.appraisal_id)
    )
    rows = await connection.execute(query.with_for_update() if lock else query)
    return rows.mappings().all()


async def revisions(
    connection: AsyncConnection, branch_id: int, appraisal_id: str
) -> Sequence[RowMapping]:
    """Return a card's revisions, oldest first."""
    rows = await connection.execute(
        select(appraisal_revisions)
        .where(
            appraisal_revisions.c.branch_id == branch_id,
            appraisal_revisions.c.appraisal_id == appraisal_id,
        )
        .order_by(appraisal_revisions.c.number)
    )
    return rows.mappings().all()


async def page(
    connection: AsyncConnection,
    branch_id: int,
    principal: Principal,
    *,
    period: int | None,
    kind: str | None,
    after: str,
    limit: int,
) -> Sequence[RowMapping]:
    """Return the appraisals the caller's centres gave or got; of an engineer their own."""
    query = select(appraisals).where(
        appraisals.c.branch_id == branch_id, appraisals.c.appraisal_id > after
    )
    if period is not None:
        query = query.where(appraisals.c.period == period)
    if kind is not None:
        query = query.where(appraisals.c.kind == kind)
    if principal.roles == {Role.ENGINEER}:
        query = query.where(
            appraisals.c.kind == "final", appraisals.c.person_id == (principal.person_id or "")
        )
    elif principal.centre_ids is not None:
        ids = sorted(principal.centre_ids)
        concerned = or_(
            appraisals.c.rater_centre_id.in_(ids), appraisals.c.ratee_centre_id.in_(ids)
        )
        if Role.SUPPORT_CENTRE in principal.roles:
            appealed = select(appraisal_appeals.c.appraisal_id).where(
                appraisal_appeals.c.branch_id == branch_id
            )
            concerned = or_(concerned, appraisals.c.appraisal_id.in_(appealed))
        query = query.where(concerned)
    rows = await connection.execute(query.order_by(appraisals.c.appraisal_id).limit(limit))
    return rows.mappings().all()


# --- who is who ---------------------------------------------------------------------------------


async def person(connection: AsyncConnection, branch_id: int, person_id: str) -> RowMapping | None:
    """Return a person of the branch."""
    rows = await connection.execute(
        select(people).where(people.c.branch_id == branch_id, people.c.person_id == person_id)
    )
    return rows.mappings().one_or_none()


async def people_of(connection: AsyncConnection, branch_id: int) -> Mapping[str, str]:
    """Return the centre of everybody in a branch."""
    rows = await connection.execute(
        select(people.c.person_id, people.c.centre_id).where(people.c.branch_id == branch_id)
    )
    return {row.person_id: row.centre_id for row in rows}


async def kinds(connection: AsyncConnection, branch_id: int) -> Mapping[str, str]:
    """Return the kind of each centre of a branch."""
    rows = await connection.execute(
        select(centres.c.centre_id, centres.c.kind).where(centres.c.branch_id == branch_id)
    )
    return {row.centre_id: row.kind for row in rows}


async def upheld_violations(
    connection: AsyncConnection, branch_id: int, period: int, person_id: str
) -> Sequence[RowMapping]:
    """Return what of the negative list is held against a person in a month."""
    rows = await connection.execute(
        select(violations)
        .where(
            violations.c.branch_id == branch_id,
            violations.c.period == period,
            violations.c.person_ids.contains([person_id]),
            violations.c.upheld,
        )
        .order_by(violations.c.number)
    )
    return rows.mappings().all()


async def put_violation(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Keep a violation as it was decided last."""
    decided = {name: value for name, value in row.items() if name not in {"branch_id", "number"}}
    await connection.execute(
        insert(violations)
        .values(**row)
        .on_conflict_do_update(index_elements=["branch_id", "number"], set_=decided)
    )


# --- late raters --------------------------------------------------------------------------------


async def add_late_rater(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Note that a centre did not submit in time."""
    await connection.execute(insert(late_raters).values(**row).on_conflict_do_nothing())


async def late_points(
    connection: AsyncConnection, branch_id: int, period: int
) -> Mapping[str, int]:
    """Return what centres lose that did not submit in time."""
    rows = await connection.execute(
        select(late_raters.c.centre_id, late_raters.c.points).where(
            late_raters.c.branch_id == branch_id, late_raters.c.period == period
        )
    )
    return {row.centre_id: row.points for row in rows}


# --- drafts -------------------------------------------------------------------------------------


async def put_draft(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Keep a draft in place of the one before."""
    keys = ["branch_id", "kind", "period", "rater_centre_id", "ratee"]
    await connection.execute(
        insert(appraisal_drafts)
        .values(**row)
        .on_conflict_do_update(
            index_elements=keys,
            set_={name: value for name, value in row.items() if name not in keys},
        )
    )


async def draft(
    connection: AsyncConnection, branch_id: int, kind: str, period: int, rater: str, ratee: str
) -> RowMapping | None:
    """Return a draft."""
    rows = await connection.execute(
        select(appraisal_drafts).filter_by(
            branch_id=branch_id, kind=kind, period=period, rater_centre_id=rater, ratee=ratee
        )
    )
    return rows.mappings().one_or_none()


# --- appeals and corrections --------------------------------------------------------------------


async def append(connection: AsyncConnection, table: Table, row: Mapping[str, Any]) -> bool:
    """Append to a table that keeps one of each; False when it is there."""
    added = await connection.execute(
        insert(table).values(**row).on_conflict_do_nothing().returning(table.c.branch_id)
    )
    return added.one_or_none() is not None


async def appeals(
    connection: AsyncConnection, branch_id: int, appraisal_ids: Collection[str]
) -> Sequence[RowMapping]:
    """Return the appeals against some cards, each with its answer and its decision."""
    said, answer = appraisal_appeals, appraisal_appeal_answers
    decision = appraisal_appeal_decisions

    def of(table: Table) -> Any:
        return and_(
            table.c.branch_id == said.c.branch_id,
            table.c.appraisal_id == said.c.appraisal_id,
            table.c.item == said.c.item,
        )

    rows = await connection.execute(
        select(
            said,
            *(answer.c[name].label(f"answer_{name}") for name in ("text", "by", "at")),
            *(
                decision.c[name].label(f"decision_{name}")
                for name in ("upheld", "value", "reason", "by", "centre_id", "at")
            ),
        )
        .select_from(said.outerjoin(answer, of(answer)).outerjoin(decision, of(decision)))
        .where(said.c.branch_id == branch_id, said.c.appraisal_id.in_(list(appraisal_ids)))
        .order_by(said.c.appraisal_id, said.c.at, said.c.item)
    )
    return rows.mappings().all()


async def corrections(
    connection: AsyncConnection, branch_id: int, appraisal_id: str
) -> Sequence[RowMapping]:
    """Return a card's corrections, oldest first."""
    rows = await connection.execute(
        select(appraisal_corrections)
        .where(
            appraisal_corrections.c.branch_id == branch_id,
            appraisal_corrections.c.appraisal_id == appraisal_id,
        )
        .order_by(appraisal_corrections.c.number)
    )
    return rows.mappings().all()
