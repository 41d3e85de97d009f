"""Leads: load, decide, record."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch, next_number
from huaxiao.contracts.domain.headcount import placed_on
from huaxiao.contracts.domain.leads import (
    LeadTaken,
    ListedCustomer,
    Part,
    decision_faults,
    first_approval_that_holds,
    last_day_of,
    lead_id_of,
    number_of,
    owner_faults,
    part_faults,
    require_convertible,
    require_somebody_else,
    state_of,
)
from huaxiao.contracts.domain.references import (
    repeated_faults,
    require_known,
    require_working_here,
)
from huaxiao.contracts.leads import store
from huaxiao.contracts.organisation.store import centre_lives, known_people
from huaxiao.contracts.payroll.store import placements_of
from huaxiao.contracts.tables import feed, leads
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role
from huaxiao.shared.feed import NewFact
from huaxiao.shared.leads import WHOLE
from huaxiao.shared.periods import business_day, period_of_day
from huaxiao.shared.problems import Conflict, Fault, Malformed, NotFound
from huaxiao.shared.wire.leads import (
    LEAD_CONVERTED,
    Lead,
    LeadConversionIn,
    LeadConverted,
    LeadDecisionIn,
    LeadIn,
    LeadPerson,
    LeadPersonIn,
    LeadState,
    LeadStep,
    LeadSummary,
)

_WHOLE_CENTRES = {*COUNTY_READERS, Role.CONTRACTOR, Role.SUPPORT_CENTRE}
"""Who sees the leads of whole centres; anybody else sees their own."""


def seen_by(principal: Principal) -> store.Seen:
    """Return which leads a caller may see."""
    whole = principal.roles & _WHOLE_CENTRES
    return store.Seen(
        principal.centre_ids if whole else frozenset(), principal.person_id, principal.subject
    )


def _state(row: RowMapping, today: date) -> LeadState:
    return state_of(
        approved=row["approved"],
        decided_on=row["decided_on"],
        converted=row["converted_at"] is not None,
        today=today,
    )


def _summary(row: RowMapping, people: Sequence[RowMapping], today: date) -> LeadSummary:
    approved_on = row["decided_on"] if row["approved"] else None
    return LeadSummary(
        lead_id=lead_id_of(row["number"]),
        number=row["number"],
        customer_id=row["customer_id"],
        customer_name=row["customer_name"],
        expected_amount_fen=row["expected_amount_fen"],
        brought_on=row["brought_on"],
        people=[LeadPerson.model_validate(dict(one)) for one in people],
        state=_state(row, today),
        owner_centre_id=row["owner_centre_id"],
        approved_on=approved_on,
        holds_through=approved_on and last_day_of(approved_on),
    )


def _steps(row: RowMapping) -> Iterator[LeadStep]:
    yield LeadStep(step="brought", by=row["brought_by"], at=row["brought_at"], why=row["about_zh"])
    if row["decided_at"] is not None:
        yield LeadStep(
            step="approved" if row["approved"] else "rejected",
            by=row["decided_by"],
            at=row["decided_at"],
            why=row["reason"],
        )
    if row["converted_at"] is not None:
        yield LeadStep(step="converted", by=row["converted_by"], at=row["converted_at"], why=None)


async def _show(
    connection: AsyncConnection, branch_id: int, number: int, seen: store.Seen, today: date
) -> Lead:
    row, people = await _load(connection, branch_id, number, seen)
    return Lead(
        **_summary(row, people, today).model_dump(),
        about_zh=row["about_zh"],
        rate_basis_points=row["rate_basis_points"],
        months=row["months"],
        subscription_ids=row["subscription_ids"] or [],
        project_id=row["project_id"],
        steps=list(_steps(row)),
    )


async def _load(
    connection: AsyncConnection, branch_id: int, number: int, seen: store.Seen
) -> tuple[RowMapping, list[RowMapping]]:
    row = await store.load(connection, branch_id, number, seen)
    if row is None:
        raise NotFound
    return row, (await store.people(connection, branch_id, [number]))[number]


def _number(lead_id: str) -> int:
    number = number_of(lead_id)
    if number is None:
        raise NotFound
    return number


async def bring(
    connection: AsyncConnection,
    branch_id: int,
    given: LeadIn,
    *,
    principal: Principal,
    now: datetime,
) -> Lead:
    """Record a lead under the branch's next number.

    Raises:
        Malformed: nobody is named, somebody twice, or the shares are not a whole.
        UnknownReference: somebody never worked here.
        NotWorkingHere: somebody does not work here today.

    """
    await branch(connection, branch_id, lock=True)
    today = business_day(now)
    parts = _parts(given, principal)
    faults = list(part_faults(parts))
    if faults:
        raise Malformed(faults=faults)
    known = await known_people(connection, branch_id, {one.person_id for one in parts})
    named = [(f"/people/{index}/person_id", one.person_id) for index, one in enumerate(parts)]
    require_known(named, known)
    placed = placed_on(await placements_of(connection, branch_id), today)
    require_working_here(named, placed.keys(), today)
    number = await next_number(connection, leads, branch_id)
    await store.add(
        connection,
        given.model_dump(exclude={"people", "customer_name"})
        | {
            "branch_id": branch_id,
            "number": number,
            "brought_on": today,
            "brought_by": principal.subject,
            "brought_at": now,
        },
        [
            {
                "branch_id": branch_id,
                "lead": number,
                "person_id": one.person_id,
                "place": place,
                "share_basis_points": one.share_basis_points,
                "centre_id": placed[one.person_id].centre_id,
            }
            for place, one in enumerate(parts, start=1)
        ],
        customer_name=given.customer_name,
    )
    return await _show(connection, branch_id, number, seen_by(principal), today)


def _parts(given: LeadIn, principal: Principal) -> list[Part]:
    if given.people is not None:
        return [Part(one.person_id, one.share_basis_points) for one in given.people]
    if principal.person_id is None:
        fault = Fault(
            "/people", "nobody-named", "say whose lead it is", "请填写商机人员：令牌不含人员编号"
        )
        raise Malformed(faults=[fault])
    return [Part(principal.person_id, WHOLE)]


async def decide(
    connection: AsyncConnection,
    branch_id: int,
    lead_id: str,
    given: LeadDecisionIn,
    *,
    principal: Principal,
    now: datetime,
) -> Lead:
    """Approve or reject a lead, once; the same again changes nothing.

    Raises:
        TwoPeople: the caller brought it, or has a part in it.
        Conflict: it was decided otherwise.
        UnknownReference: the centre is not registered.
        Malformed: the centre is no service centre, or a rejection has terms.
        ListedCustomer: the customer is on a sealed list while the lead would hold.
        LeadTaken: another lead on the customer is approved and holds.

    """
    number, seen, today = _number(lead_id), seen_by(principal), business_day(now)
    # One at a time: whether another lead on the customer holds depends on all the others.
    await branch(connection, branch_id, lock=True)
    row, people = await _load(connection, branch_id, number, seen)
    require_somebody_else(
        subject=principal.subject,
        person_id=principal.person_id,
        brought_by=row["brought_by"],
        person_ids={one["person_id"] for one in people},
    )
    faults = list(
        decision_faults(
            approved=given.approved,
            terms=given.model_dump(include={"owner_centre_id", "rate_basis_points", "months"}),
        )
    )
    if faults:
        raise Malformed(faults=faults)
    wanted = given.model_dump()
    if given.approved and given.owner_centre_id is None:
        wanted["owner_centre_id"] = people[0]["centre_id"]
    if row["decided_at"] is not None:
        if any(row[name] != value for name, value in wanted.items()):
            raise Conflict("The lead was decided otherwise.", "该商机已有不同的决定。")
        return await _show(connection, branch_id, number, seen, today)
    if given.approved:
        await _require_service_centre(connection, branch_id, wanted["owner_centre_id"], today)
        await _require_free(connection, branch_id, row["customer_id"], today)
    await store.add_decision(
        connection,
        wanted
        | {
            "branch_id": branch_id,
            "lead": number,
            "decided_on": today,
            "decided_by": principal.subject,
            "decided_at": now,
        },
    )
    return await _show(connection, branch_id, number, seen, today)


async def _require_service_centre(
    connection: AsyncConnection, branch_id: int, centre_id: str, today: date
) -> None:
    lives = await centre_lives(connection, branch_id, {centre_id})
    require_known([("/owner_centre_id", centre_id)], lives.keys())
    faults = list(owner_faults(lives[centre_id], today))
    if faults:
        raise Malformed(faults=faults)


async def _require_free(
    connection: AsyncConnection, branch_id: int, customer_id: str | None, today: date
) -> None:
    """Check that a customer is on no list and no other lead on it holds; a prospect is on none."""
    if customer_id is None:
        return
    first, last = period_of_day(today), period_of_day(last_day_of(today))
    listed = await store.listing(connection, branch_id, customer_id, first, last)
    if listed is not None:
        field_id, centre_id = listed
        raise ListedCustomer(
            f"{customer_id} is on the list of field {field_id} of {centre_id}.",
            f"客户 {customer_id} 在 {centre_id} 的责任田 {field_id} 清单上。",
            field_id=field_id,
            centre_id=centre_id,
        )
    taken = await store.that_holds(
        connection, branch_id, customer_id, first_approval_that_holds(today)
    )
    if taken is not None:
        other = lead_id_of(taken)
        raise LeadTaken(
            f"{other} on {customer_id} holds.",
            f"客户 {customer_id} 的商机 {other} 仍有效。",
            lead_id=other,
        )


async def convert(
    connection: AsyncConnection,
    branch_id: int,
    lead_id: str,
    given: LeadConversionIn,
    *,
    principal: Principal,
    now: datetime,
) -> Lead:
    """Record what a lead became, once, and publish it; the same again changes nothing.

    Raises:
        Malformed: a subscription is named twice.
        Conflict: it became something else.
        LeadNotApproved: it is not approved, or no longer holds.

    """
    number, seen, today = _number(lead_id), seen_by(principal), business_day(now)
    faults = list(repeated_faults("/subscription_ids", given.subscription_ids))
    if faults:
        raise Malformed(faults=faults)
    await branch(connection, branch_id, lock=True)
    row, people = await _load(connection, branch_id, number, seen)
    if row["converted_at"] is not None:
        if any(row[name] != value for name, value in given.model_dump().items()):
            raise Conflict("The lead became something else.", "该商机已转化为其他用户。")
        return await _show(connection, branch_id, number, seen, today)
    require_convertible(_state(row, today))
    await store.add_conversion(
        connection,
        given.model_dump()
        | {
            "branch_id": branch_id,
            "lead": number,
            "converted_by": principal.subject,
            "converted_at": now,
        },
    )
    fact = LeadConverted(
        lead_id=lead_id,
        approved_on=row["decided_on"],
        owner_centre_id=row["owner_centre_id"],
        originator_id=people[0]["person_id"],
        subscription_ids=given.subscription_ids,
        project_id=given.project_id,
        people=[
            LeadPersonIn(person_id=one["person_id"], share_basis_points=one["share_basis_points"])
            for one in people
        ],
        rate_basis_points=row["rate_basis_points"],
        months=row["months"],
    )
    await feed.append(connection, branch_id, [NewFact(LEAD_CONVERTED, lead_id, fact)], now=now)
    return await _show(connection, branch_id, number, seen, today)


async def show_one(
    connection: AsyncConnection, branch_id: int, lead_id: str, *, principal: Principal, today: date
) -> Lead:
    """Return a lead that the caller may see."""
    return await _show(connection, branch_id, _number(lead_id), seen_by(principal), today)


async def list_leads(
    connection: AsyncConnection,
    branch_id: int,
    *,
    principal: Principal,
    state: LeadState | None,
    centre_id: str | None,
    today: date,
    after: int,
    limit: int,
) -> list[LeadSummary]:
    """Return leads that the caller may see, behind a number."""
    rows = await store.page(
        connection,
        branch_id,
        seen_by(principal),
        state=state,
        holds_since=first_approval_that_holds(today),
        centre_id=centre_id,
        after=after,
        limit=limit,
    )
    people = await store.people(connection, branch_id, [row["number"] for row in rows])
    return [_summary(row, people[row["number"]], today) for row in rows]
