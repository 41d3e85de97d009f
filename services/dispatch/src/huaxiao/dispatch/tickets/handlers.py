"""Support tickets: load, decide, record."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.dispatching import performing_centre
from huaxiao.dispatch.domain.ticket_categories import Facts, owing_unit
from huaxiao.dispatch.domain.tickets import (
    RAISE,
    Happening,
    Step,
    TicketProgress,
    TicketRecord,
    closed_by,
    take,
)
from huaxiao.dispatch.orders import store as orders_store
from huaxiao.dispatch.tables import feed
from huaxiao.dispatch.ticket_categories import handlers as categories
from huaxiao.dispatch.tickets import store
from huaxiao.dispatch.tickets.histories import (
    HeldTicket,
    cached,
    catch_up,
    close,
    hold,
    record_happening,
    save,
)
from huaxiao.dispatch.tickets.parties import acting_for, represents
from huaxiao.dispatch.tickets.showing import show
from huaxiao.shared.auth import Principal
from huaxiao.shared.feed import NewFact
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.periods import business_day, period_of
from huaxiao.shared.problems import Fault, Malformed, NotFound
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.tickets import (
    TICKET_RAISED,
    TICKET_REOPENED,
    Boundary,
    TicketAbout,
    TicketCategory,
    TicketDetail,
    TicketIn,
    TicketRaised,
    TicketReopened,
    TicketState,
    TicketStepIn,
    TicketStepName,
    Unit,
    UnitKind,
)

# --- raising ------------------------------------------------------------------------------------


async def raise_ticket(
    connection: AsyncConnection,
    branch_id: int,
    given: TicketIn,
    *,
    principal: Principal,
    now: datetime,
) -> TicketDetail:
    """Take in what a centre asks for, and give it to the unit that owes it."""
    kinds = await store.centre_kinds(connection, branch_id)
    if given.raiser_centre_id not in kinds or not represents(
        principal, given.raiser_centre_id, kinds
    ):
        raise NotFound
    held = await categories.in_force(connection, branch_id, business_day(now))
    category = next((one for one in held.categories if one.code == given.category), None)
    order = await _order(connection, branch_id, given.about, given.raiser_centre_id)
    faults = list(_faults(given, category, order))
    if faults:
        raise Malformed(faults=faults)
    assert category is not None  # noqa: S101 - a fault otherwise
    facts = await _facts(connection, branch_id, given.about, None, kinds, now)
    owner, found = owing_unit(category.clauses, facts)
    ticket_id = str(new_id())
    beginning = Happening(1, RAISE, TicketState.RAISED, now, owner)
    record = TicketRecord(given.urgency, (beginning,))
    await store.add(
        connection,
        {
            "branch_id": branch_id,
            "ticket_id": ticket_id,
            "category": category.code,
            "category_version": held.version,
            "title": given.title,
            "text": given.text,
            "urgency": given.urgency,
            "about": given.about.model_dump(mode="json"),
            "raiser_centre_id": given.raiser_centre_id,
            "raised_by": principal.subject,
            "raised_at": now,
            "owner_found": found,
        }
        | cached(record)
        | {"next_at": record.standing(set(), now=now).next_at},
    )
    await record_happening(
        connection, branch_id, ticket_id, beginning, by=principal.subject, now=now
    )
    fact = TicketRaised(
        ticket_id=ticket_id,
        category=category.code,
        urgency=given.urgency,
        raiser_centre_id=given.raiser_centre_id,
        owner=owner,
        at=now,
    )
    await feed.append(connection, branch_id, [NewFact(TICKET_RAISED, ticket_id, fact)], now=now)
    return await show(connection, branch_id, ticket_id, principal=principal, now=now)


async def _order(
    connection: AsyncConnection, branch_id: int, about: TicketAbout, raiser_centre_id: str
) -> RowMapping | None:
    """Return the order a ticket is about, if its raiser may know of it."""
    if about.order_id is None:
        return None
    order = await orders_store.load(connection, branch_id, about.order_id)
    if order is None:
        return None
    concerned = {order["performer_centre_id"], order["requester_centre_id"]}
    return order if raiser_centre_id in concerned else None


def _faults(
    given: TicketIn, category: TicketCategory | None, order: RowMapping | None
) -> Iterable[Fault]:
    if category is None:
        yield Fault("/category", "unknown-category", "no such category is in force", "没有此类别")
    elif category.needs_vip:
        said = {
            "customer_id": given.about.customer_id,
            "customer_is_vip": given.about.customer_is_vip,
        }
        for name, value in said.items():
            if value is None:
                yield Fault(
                    f"/about/{name}", "missing", "this category asks for it", "此类别须填写"
                )
    if given.about.order_id is not None and order is None:
        yield Fault(
            "/about/order_id", "unknown-order", "no such order of this centre", "没有此工单"
        )


async def _facts(
    connection: AsyncConnection,
    branch_id: int,
    about: TicketAbout,
    boundary: Boundary | None,
    kinds: Mapping[str, str],
    now: datetime,
) -> Facts:
    """Find what ownership rules ask about a ticket."""
    customer_id, address, orders_centre = about.customer_id, about.standard_address, None
    if about.order_id is not None:
        order = await orders_store.load(connection, branch_id, about.order_id)
        if order is not None:
            customer_id = customer_id or order["customer_id"]
            address = address or order["standard_address"]
            orders_centre = order["performer_centre_id"]
    period, theirs = period_of(now), None
    if customer_id is not None:
        theirs = await store.listing_centre(connection, branch_id, customer_id, period)
        address = address or await store.newest_address(connection, branch_id, customer_id)
    if theirs is None and address is not None:
        covering = await orders_store.covering(connection, branch_id, address, period)
        theirs = performing_centre(address, covering, build_maintain_id=None)
    return Facts(
        support_centre_id=_first(CentreKind.SUPPORT, kinds),
        centre_ids=frozenset(kinds),
        build_maintain_id=_first(CentreKind.BUILD_MAINTAIN, kinds),
        customers_centre_id=theirs,
        orders_centre_id=orders_centre,
        customer_is_vip=about.customer_is_vip,
        boundary=boundary,
    )


# --- steps --------------------------------------------------------------------------------------


async def step(
    connection: AsyncConnection,
    branch_id: int,
    ticket_id: str,
    given: TicketStepIn,
    *,
    principal: Principal,
    now: datetime,
) -> TicketDetail:
    """Take a step of a ticket, after all that the clocks have brought about by now."""
    row = await store.load(connection, branch_id, ticket_id, principal, lock=True)
    if row is None:
        raise NotFound
    kinds = await store.centre_kinds(connection, branch_id)
    held = await hold(connection, branch_id, row)
    # Clocks of two machines may differ a little; history does not run backwards.
    now = max(now, held.record.last.at)
    await catch_up(connection, branch_id, held, now)
    progress = await _progress(connection, branch_id, held)
    posts = await store.posts(connection, branch_id, principal.person_id or "")
    acting = acting_for(principal, progress.owner, progress.raiser_centre_id, kinds, posts)
    to, found = await _meant(connection, branch_id, held, given, kinds, now)
    state, owner = take(
        progress,
        Step(
            name=given.step,
            at=now,
            acting=acting,
            reason=given.reason,
            text=given.text,
            to=to,
            boundary=given.boundary,
        ),
    )
    happening = Happening(held.record.last.number + 1, given.step, state, now, owner)
    held.record = TicketRecord(held.record.urgency, (*held.record.history, happening))
    await record_happening(
        connection,
        branch_id,
        ticket_id,
        happening,
        by=principal.subject,
        now=now,
        reason=given.reason,
        text=given.text,
        boundary=given.boundary,
    )
    held.changes["owner_found"] = found
    if given.boundary is not None:
        held.changes |= {
            "boundary": given.boundary,
            "boundary_decided_by": principal.subject,
            "boundary_decided_at": now,
        }
    if given.step is TicketStepName.CLOSE:
        close(held, closed_by(acting))
    elif given.step is TicketStepName.REOPEN and progress.closed_at is not None:
        held.changes["closed_how"] = None
        fact = TicketReopened(ticket_id=ticket_id, owner=owner, at=now, reason=given.reason or "")
        held.facts.append(NewFact(TICKET_REOPENED, ticket_id, fact))
    await save(connection, branch_id, held, now)
    return await show(connection, branch_id, ticket_id, principal=None, now=now)


async def _meant(
    connection: AsyncConnection,
    branch_id: int,
    held: HeldTicket,
    given: TicketStepIn,
    kinds: Mapping[str, str],
    now: datetime,
) -> tuple[Unit | None, bool]:
    """Return the unit that a step leads to, and whether the owing unit was found.

    Where it is decided whose complaint it is, the category's rule is asked again.
    """
    faults = list(_step_faults(given, kinds))
    if faults:
        raise Malformed(faults=faults)
    if given.boundary is not None:
        category = await _category(connection, branch_id, held.row)
        about = TicketAbout.model_validate(held.row["about"])
        facts = await _facts(connection, branch_id, about, given.boundary, kinds, now)
        return owing_unit(category.clauses, facts)
    if given.to is None:
        return None, held.row["owner_found"]
    match given.to.kind:
        case UnitKind.CENTRE:
            return given.to, True
        case UnitKind.SUPPORT_MANAGER:
            return Unit(kind=given.to.kind, centre_id=_first(CentreKind.SUPPORT, kinds)), True
        case _:
            return Unit(kind=given.to.kind), True


def _step_faults(given: TicketStepIn, kinds: Mapping[str, str]) -> Iterable[Fault]:
    """Yield what a step says that does not belong to it, and what is not there."""
    for name, value, step_name in (
        ("to", given.to, TicketStepName.HAND_OVER),
        ("boundary", given.boundary, TicketStepName.DECIDE_BOUNDARY),
    ):
        if value is not None and given.step is not step_name:
            yield Fault(f"/{name}", "does-not-fit", f"only {step_name} takes it", "此操作不用该项")
    to = given.to
    if to is not None and to.kind is UnitKind.CENTRE and to.centre_id not in kinds:
        yield Fault("/to/centre_id", "unknown-centre", "no such centre", "没有此中心")


def _first(kind: CentreKind, kinds: Mapping[str, str]) -> str | None:
    return next((one for one, held in kinds.items() if held == kind), None)


async def _category(connection: AsyncConnection, branch_id: int, row: RowMapping) -> TicketCategory:
    """Return the category of a ticket as it was when it was raised."""
    version = await categories.show(connection, branch_id, row["category_version"])
    return next(one for one in version.categories if one.code == row["category"])


async def _progress(
    connection: AsyncConnection, branch_id: int, held: HeldTicket
) -> TicketProgress:
    category = await _category(connection, branch_id, held.row)
    boundary = held.row["boundary"]
    return TicketProgress(
        state=held.record.last.state,
        owner=held.record.last.owner,
        raiser_centre_id=held.row["raiser_centre_id"],
        needs_boundary=category.needs_boundary,
        boundary=None if boundary is None else Boundary(boundary),
        closed_at=held.record.closed_at(),
    )
