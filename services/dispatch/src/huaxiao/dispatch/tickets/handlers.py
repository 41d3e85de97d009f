"""Support tickets: load, decide, record."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.dispatching import performing_centre
from huaxiao.dispatch.domain.ticket_categories import Facts, owing_unit
from huaxiao.dispatch.domain.tickets import (
    RAISE,
    Acting,
    Happening,
    Mark,
    Reading,
    Step,
    TicketProgress,
    TicketRecord,
    closed_by,
    take,
)
from huaxiao.dispatch.domain.working_time import CALENDAR_VERSION, assumed_years
from huaxiao.dispatch.orders import store as orders_store
from huaxiao.dispatch.tables import feed
from huaxiao.dispatch.ticket_categories import handlers as categories
from huaxiao.dispatch.tickets import store
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.feed import NewFact
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.periods import business_day, period_of
from huaxiao.shared.problems import Fault, Malformed, NotFound
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.tickets import (
    TICKET_CLOSED,
    TICKET_ESCALATED,
    TICKET_RAISED,
    TICKET_REOPENED,
    Boundary,
    ClosedHow,
    Escalation,
    Supervisor,
    Ticket,
    TicketAbout,
    TicketCategory,
    TicketClosed,
    TicketDetail,
    TicketEscalated,
    TicketIn,
    TicketRaised,
    TicketReopened,
    TicketState,
    TicketStep,
    TicketStepIn,
    TicketStepName,
    Timer,
    TimerName,
    Unit,
    UnitKind,
    Urgency,
)

SYSTEM = "system"
_SILENCE = "The raiser was silent for three working days after the answer. 提出单位答复后三个工作日未确认。"


# --- who somebody speaks for --------------------------------------------------------------------


def represents(principal: Principal, centre_id: str | None, kinds: Mapping[str, str]) -> bool:
    """Say whether a caller speaks for a centre: as one of its people, or for the support centre."""
    if centre_id is None:
        return False
    people = {Role.CONTRACTOR, Role.ENGINEER} & principal.roles
    if people and principal.may_see(centre_id):
        return True
    return Role.SUPPORT_CENTRE in principal.roles and kinds.get(centre_id) == CentreKind.SUPPORT


def _acting(
    principal: Principal, owner: Unit, raiser_centre_id: str, kinds: Mapping[str, str]
) -> Acting:
    support = Role.SUPPORT_CENTRE in principal.roles or any(
        kind == CentreKind.SUPPORT and represents(principal, centre_id, kinds)
        for centre_id, kind in kinds.items()
    )
    return Acting(
        raiser=represents(principal, raiser_centre_id, kinds),
        # Who is no unit of the branch is spoken for at the one point of entry.
        owner=(
            represents(principal, owner.centre_id, kinds)
            if owner.kind is UnitKind.CENTRE
            else support
        ),
        support=support,
        county_manager=Role.COUNTY_MANAGER in principal.roles,
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
        | _cached(record)
        | {"next_at": record.standing(set(), now=now).next_at},
    )
    await _record_happening(
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

    def first(kind: CentreKind) -> str | None:
        return next((one for one, held in kinds.items() if held == kind), None)

    return Facts(
        support_centre_id=first(CentreKind.SUPPORT),
        centre_ids=frozenset(kinds),
        build_maintain_id=first(CentreKind.BUILD_MAINTAIN),
        customers_centre_id=theirs,
        orders_centre_id=orders_centre,
        customer_is_vip=about.customer_is_vip,
        boundary=boundary,
    )


# --- steps --------------------------------------------------------------------------------------


@dataclass
class _Held:
    """A locked ticket, what is already told of it, and what is about to be."""

    row: RowMapping
    record: TicketRecord
    told: set[tuple[TimerName, int, int]]
    changes: dict[str, Any] = field(default_factory=dict)
    facts: list[NewFact] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.row["ticket_id"])


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
    held = await _held(connection, branch_id, row)
    # Clocks of two machines may differ a little; history does not run backwards.
    now = max(now, held.record.last.at)
    await _catch_up(connection, branch_id, held, now)
    progress = await _progress(connection, branch_id, held)
    acting = _acting(principal, progress.owner, progress.raiser_centre_id, kinds)
    boundary = given.boundary if given.step is TicketStepName.DECIDE_BOUNDARY else None
    found, to = row["owner_found"], given.to
    if to is not None and to.kind is UnitKind.CENTRE and to.centre_id not in kinds:
        fault = Fault("/to/centre_id", "unknown-centre", "no such centre", "没有此中心")
        raise Malformed(faults=[fault])
    if to is not None and to.kind is not UnitKind.CENTRE:
        to = _outside(to, kinds)
    if boundary is not None:
        to, found = await _owner_within(connection, branch_id, held, boundary, kinds, now)
    state, owner = take(
        progress,
        Step(
            name=given.step,
            at=now,
            acting=acting,
            reason=given.reason,
            text=given.text,
            to=to,
            boundary=boundary,
        ),
    )
    happening = Happening(held.record.last.number + 1, given.step, state, now, owner)
    held.record = TicketRecord(held.record.urgency, (*held.record.history, happening))
    await _record_happening(
        connection,
        branch_id,
        ticket_id,
        happening,
        by=principal.subject,
        now=now,
        reason=given.reason,
        text=given.text,
        boundary=boundary,
    )
    if boundary is not None:
        held.changes |= {
            "boundary": boundary,
            "boundary_decided_by": principal.subject,
            "boundary_decided_at": now,
        }
    moved = given.step is TicketStepName.HAND_OVER
    held.changes["owner_found"] = True if moved else found
    if given.step is TicketStepName.CLOSE:
        _close(held, closed_by(acting))
    elif given.step is TicketStepName.REOPEN and progress.closed_at is not None:
        held.changes["closed_how"] = None
        fact = TicketReopened(ticket_id=ticket_id, owner=owner, at=now, reason=given.reason or "")
        held.facts.append(NewFact(TICKET_REOPENED, ticket_id, fact))
    await _save(connection, branch_id, held, now)
    return await show(connection, branch_id, ticket_id, principal=None, now=now)


def _outside(to: Unit, kinds: Mapping[str, str]) -> Unit:
    """Return a unit other than a centre as it is kept: the manager's centre is the support centre."""
    if to.kind is not UnitKind.SUPPORT_MANAGER:
        return Unit(kind=to.kind)
    support = next((one for one, kind in kinds.items() if kind == CentreKind.SUPPORT), None)
    return Unit(kind=to.kind, centre_id=support)


async def _owner_within(
    connection: AsyncConnection,
    branch_id: int,
    held: _Held,
    boundary: Boundary,
    kinds: Mapping[str, str],
    now: datetime,
) -> tuple[Unit, bool]:
    """Ask the category's rule again, now that it is decided whose complaint it is."""
    category = await _category(connection, branch_id, held.row)
    about = TicketAbout.model_validate(held.row["about"])
    facts = await _facts(connection, branch_id, about, boundary, kinds, now)
    return owing_unit(category.clauses, facts)


async def _category(connection: AsyncConnection, branch_id: int, row: RowMapping) -> TicketCategory:
    """Return the category of a ticket as it was when it was raised."""
    version = await categories.show(connection, branch_id, row["category_version"])
    return next(one for one in version.categories if one.code == row["category"])


async def _progress(connection: AsyncConnection, branch_id: int, held: _Held) -> TicketProgress:
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


# --- what happens by itself ---------------------------------------------------------------------


async def settle(
    connection: AsyncConnection, branch_id: int, row: RowMapping, *, now: datetime
) -> None:
    """Record what a locked ticket's clocks have brought about by a moment."""
    held = await _held(connection, branch_id, row)
    now = max(now, held.record.last.at)
    await _catch_up(connection, branch_id, held, now)
    await _save(connection, branch_id, held, now)


async def _catch_up(
    connection: AsyncConnection, branch_id: int, held: _Held, now: datetime
) -> None:
    standing = held.record.standing(held.told, now=now)
    await store.record_marks(
        connection,
        [
            {"branch_id": branch_id, "ticket_id": held.id, "recorded_at": now} | _mark_row(mark)
            for mark in standing.marks
        ],
    )
    for mark in standing.marks:
        held.told.add(mark.key)
        fact = TicketEscalated(
            ticket_id=held.id,
            timer=mark.timer,
            percent=mark.percent,
            at=mark.at,
            owner=mark.owner,
            supervisor=mark.supervisor,
        )
        held.facts.append(NewFact(TICKET_ESCALATED, held.id, fact))
        if mark.supervisor is not None:
            before = held.changes.get("supervisor", held.row["supervisor"])
            if before != Supervisor.GENERAL_MANAGER:
                held.changes["supervisor"] = mark.supervisor
            if held.row["supervised_at"] is None:
                held.changes.setdefault("supervised_at", mark.at)
    closure = standing.closure
    if closure is None:
        return
    held.record = TicketRecord(held.record.urgency, (*held.record.history, closure))
    await _record_happening(
        connection, branch_id, held.id, closure, by=SYSTEM, now=now, reason=_SILENCE
    )
    _close(held, ClosedHow.FORCED)


def _close(held: _Held, how: ClosedHow) -> None:
    held.changes["closed_how"] = how
    fact = TicketClosed(
        ticket_id=held.id,
        category=held.row["category"],
        owner=held.record.last.owner,
        at=held.record.last.at,
        how=how,
        on_time=held.record.on_time(),
    )
    held.facts.append(NewFact(TICKET_CLOSED, held.id, fact))


# --- reading and writing histories --------------------------------------------------------------


async def _held(connection: AsyncConnection, branch_id: int, row: RowMapping) -> _Held:
    ticket_id = row["ticket_id"]
    (record,) = await records(connection, branch_id, [row])
    told = {
        (TimerName(one["timer"]), one["percent"], one["since"])
        for one in await store.marks(connection, branch_id, ticket_id)
    }
    return _Held(row, record, told)


async def records(
    connection: AsyncConnection, branch_id: int, rows: Sequence[RowMapping]
) -> list[TicketRecord]:
    """Return the histories of some tickets, in their order."""
    ids = [row["ticket_id"] for row in rows]
    histories: dict[str, list[Happening]] = defaultdict(list)
    for one in await store.steps(connection, branch_id, ids):
        histories[one["ticket_id"]].append(
            Happening(one["number"], one["step"], TicketState(one["state"]), one["at"], _owner(one))
        )
    return [
        TicketRecord(Urgency(row["urgency"]), tuple(histories[row["ticket_id"]])) for row in rows
    ]


def _owner(row: RowMapping) -> Unit:
    return Unit(kind=row["owner_kind"], centre_id=row["owner_centre_id"])


def _owner_row(owner: Unit) -> dict[str, Any]:
    return {"owner_kind": owner.kind, "owner_centre_id": owner.centre_id}


def _mark_row(mark: Mark) -> dict[str, Any]:
    return {
        "timer": mark.timer,
        "percent": mark.percent,
        "since": mark.since,
        "at": mark.at,
        "supervisor": mark.supervisor,
    } | _owner_row(mark.owner)


def _cached(record: TicketRecord) -> dict[str, Any]:
    """Return what a ticket's row repeats of its history, for lists to look it up."""
    answers = [one.at for one in record.history if one.state is TicketState.ANSWERED]
    return {
        "state": record.last.state,
        "first_reply_at": record.first_reply_at,
        "answered_at": answers[-1] if answers else None,
        "closed_at": record.closed_at(),
        "due_at": record.target_at(),
        "calendar": CALENDAR_VERSION,
        "steps": record.last.number,
    } | _owner_row(record.last.owner)


async def _save(connection: AsyncConnection, branch_id: int, held: _Held, now: datetime) -> None:
    next_at = held.record.standing(held.told, now=now).next_at
    changes = held.changes | _cached(held.record) | {"next_at": next_at}
    await store.save(connection, branch_id, held.id, changes)
    await feed.append(connection, branch_id, held.facts, now=now)


async def _record_happening(
    connection: AsyncConnection,
    branch_id: int,
    ticket_id: str,
    happening: Happening,
    *,
    by: str,
    now: datetime,
    reason: str | None = None,
    text: str | None = None,
    boundary: Boundary | None = None,
) -> None:
    await store.record_step(
        connection,
        {
            "branch_id": branch_id,
            "ticket_id": ticket_id,
            "number": happening.number,
            "step": happening.step,
            "state": happening.state,
            "at": happening.at,
            "by": by,
            "reason": reason,
            "text": text,
            "boundary": boundary,
            "recorded_at": now,
        }
        | _owner_row(happening.owner),
    )


# --- showing ------------------------------------------------------------------------------------


def render(row: RowMapping, *, now: datetime) -> Ticket:
    """Return a ticket as lists show it."""
    is_open = row["state"] != TicketState.CLOSED
    return Ticket.model_validate(
        dict(row)
        | {
            "owner": _owner(row),
            "overdue": is_open and row["due_at"] is not None and row["due_at"] < now,
            "on_time": None if is_open else row["due_at"] is None,
        }
    )


async def show(
    connection: AsyncConnection,
    branch_id: int,
    ticket_id: str,
    *,
    principal: Principal | None,
    now: datetime,
) -> TicketDetail:
    """Show a ticket with its clocks and history; without a principal, whoever may see it."""
    everybody = Principal(SYSTEM, frozenset(), None, None)
    row = await store.load(connection, branch_id, ticket_id, principal or everybody, lock=False)
    if row is None:
        raise NotFound
    (record,) = await records(connection, branch_id, [row])
    steps = await store.steps(connection, branch_id, [ticket_id])
    readings = [record.reading(one, now=now) for one in TimerName]
    timers = [_timer(one, record, steps) for one in readings if one is not None]
    last = max([one.due_at for one in timers if one.due_at is not None], default=now)
    return TicketDetail.model_validate(
        render(row, now=now).model_dump()
        | {
            "text": row["text"],
            "timers": timers,
            "assumed_years": assumed_years(row["raised_at"], max(last, row["raised_at"])),
            "escalations": [
                Escalation.model_validate(dict(one) | {"owner": _owner(one)})
                for one in await store.marks(connection, branch_id, ticket_id)
            ],
            "steps": [
                TicketStep.model_validate(dict(one) | {"owner": _owner(one)}) for one in steps
            ],
        }
    )


def _timer(reading: Reading, record: TicketRecord, steps: Sequence[RowMapping]) -> Timer:
    stopped = None
    if not reading.running:
        stopped = "replied" if reading.timer is TimerName.FIRST_REPLY else str(record.last.state)
        if record.last.state is TicketState.RETURNED and reading.timer is not TimerName.FIRST_REPLY:
            stopped = steps[-1]["reason"]
    return Timer(
        timer=reading.timer,
        measure=reading.allowance.measure,
        allowed_seconds=int(reading.allowance.amount.total_seconds()),
        used_seconds=int(reading.used.total_seconds()),
        running=reading.running,
        due_at=reading.due_at,
        in_time=reading.in_time,
        stopped_because=stopped,
    )
