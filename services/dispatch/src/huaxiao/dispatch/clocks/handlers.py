"""Service clocks: begun, stopped, read, and rung."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.clocks import store
from huaxiao.dispatch.domain.level_table import (
    Work,
    counting_of,
    ends_at,
    length_of,
    level_of,
)
from huaxiao.dispatch.domain.service_clock import (
    MOST_RESCHEDULES,
    ServiceClock,
    Stop,
    late_for_material,
    next_moment,
    warnings,
)
from huaxiao.dispatch.orders import store as order_store
from huaxiao.dispatch.service_levels.handlers import in_force
from huaxiao.dispatch.tables import feed
from huaxiao.shared.auth import Principal
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Fault, Malformed, NotFound
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.dispatch import (
    WORK_ENDED,
    CustomerClass,
    OrderKind,
    OrderState,
    StepName,
    SuspensionCause,
)
from huaxiao.shared.wire.service_levels import (
    CLOCK_REACHED,
    ClockReached,
    ClockStop,
    ClockWarning,
    Escalation,
    Line,
    OrderClock,
    StopCause,
    TimeUnit,
)

_ESCALATED_TO = {
    80: Escalation.ENGINEER,
    100: Escalation.CONTRACTOR,
    150: Escalation.COUNTY_MANAGER,
}
_RUNG_AT_ONCE = 20
"""Orders are held while they are told of; on a busy machine no step is to wait long for one."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Begun:
    """A clock as it begins, and the version of the service levels that it is judged by."""

    version: int
    unit: TimeUnit
    clock: ServiceClock
    first_contact_due_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """Return when the work is due, as far as is known."""
        return self.clock.due_at


def work_of(row: RowMapping) -> Work:
    """Return what the service levels are asked about an order."""
    return Work(
        OrderKind(row["kind"]),
        CustomerClass(row["customer_class"]),
        Line(row["line"]),
        row["build_needed"],
    )


async def judge(
    connection: AsyncConnection, branch_id: int, work: Work, *, rural: bool, at: datetime
) -> Begun | None:
    """Return the clock of work that is dispatched at a moment, or None where no level is set."""
    levels = await in_force(connection, branch_id, business_day(at))
    level = level_of(levels.levels, work, rural=rural)
    if level is None:
        return None
    clock = ServiceClock(
        at, counting_of(level.target.unit), length_of(level.target), length_of(level.limit)
    )
    contact = level.first_contact
    return Begun(
        levels.version, level.target.unit, clock, None if contact is None else ends_at(contact, at)
    )


async def begin(
    connection: AsyncConnection, branch_id: int, order_id: str, begun: Begun | None
) -> None:
    """Start the clock of an order."""
    if begun is None:
        return
    clock = begun.clock
    await store.keep(
        connection,
        {
            "branch_id": branch_id,
            "order_id": order_id,
            "version": begun.version,
            "unit": begun.unit,
            "target_seconds": clock.target // timedelta(seconds=1),
            "limit_seconds": clock.limit // timedelta(seconds=1),
            "started_at": clock.started_at,
            "first_contact_due_at": begun.first_contact_due_at,
            "next_at": next_moment(clock, (), now=clock.started_at),
        },
    )


def _clock(row: RowMapping, stops: Sequence[RowMapping]) -> ServiceClock:
    return ServiceClock(
        started_at=row["started_at"],
        counting=counting_of(TimeUnit(row["unit"])),
        target=timedelta(seconds=row["target_seconds"]),
        limit=timedelta(seconds=row["limit_seconds"]),
        stops=tuple(
            Stop(StopCause(one["cause"]), one["since"], one["until"])
            for one in stops
            # Lack of material never stops the clock, and still says whose fault the delay is.
            if one["stops_clock"] or one["cause"] == StopCause.RESOURCE
        ),
    )


async def warn_until(
    connection: AsyncConnection, order: RowMapping, *, until: datetime, now: datetime
) -> list[NewFact]:
    """Give each warning that an order's clock has reached by a moment, once, and return the facts.

    ``order`` is locked by this transaction. Once it has ended its clock reaches nothing more.
    """
    if order["state"] in WORK_ENDED:
        return []
    branch_id, order_id = order["branch_id"], order["order_id"]
    row = await store.load(connection, branch_id, order_id)
    if row is None:
        return []
    clock = _clock(row, await store.stops(connection, branch_id, order_id))
    told = {one["percent"] for one in await store.warned(connection, branch_id, order_id)}
    facts = []
    for percent, reached_at in warnings(clock, until=until):
        if percent in told:
            continue
        warning = {
            "order_id": order_id,
            "percent": percent,
            "reached_at": reached_at,
            "centre_id": order["performer_centre_id"],
            "engineer_id": order["engineer_id"],
            "escalated_to": _ESCALATED_TO[percent],
        }
        if await store.warn(connection, warning | {"branch_id": branch_id, "told_at": now}):
            due_at = clock.due_at or order["due_at"]
            fact = ClockReached.model_validate(
                warning | {"kind": order["kind"], "due_at": due_at or reached_at}
            )
            facts.append(NewFact(CLOCK_REACHED, order_id, fact))
    return facts


async def changes_after(
    connection: AsyncConnection, order: RowMapping, *, state: OrderState, at: datetime
) -> dict[str, Any]:
    """Return how an order's row follows its clock from a moment on, and set the clock's next one.

    An order without a clock follows nothing.
    """
    branch_id, order_id = order["branch_id"], order["order_id"]
    row = await store.load(connection, branch_id, order_id)
    if row is None:
        return {}
    clock = _clock(row, await store.stops(connection, branch_id, order_id))
    stopped_since = clock.stopped_since(at)
    told = [one["percent"] for one in await store.warned(connection, branch_id, order_id)]
    next_at = None if state in WORK_ENDED else next_moment(clock, told, now=at)
    await store.set_next(connection, branch_id, order_id, next_at)
    changes: dict[str, Any] = {"suspended_at": stopped_since}
    # While the clock stands still nobody knows when it will reach its target.
    if stopped_since is None and clock.due_at is not None:
        changes["due_at"] = clock.due_at
    return changes


async def stop_or_go_on(
    connection: AsyncConnection,
    order: RowMapping,
    name: StepName,
    *,
    cause: SuspensionCause,
    reason: str | None,
    responsible_centre_id: str | None,
    at: datetime,
) -> None:
    """Record what a step does to the stops of an order.

    Raises:
        Malformed: the centre that is said to be responsible is not known.

    """
    branch_id, order_id = order["branch_id"], order["order_id"]
    if name is not StepName.SUSPEND:
        # Whatever follows a suspension ends it: resuming, finishing, cancelling.
        await store.end_stop(connection, branch_id, order_id, at)
        return
    responsible = None
    if cause is SuspensionCause.RESOURCE:
        responsible = await _responsible(connection, branch_id, responsible_centre_id)
    await add_stop(
        connection,
        branch_id,
        order_id,
        Stop(StopCause(cause), at),
        reason=reason or "",
        responsible_centre_id=responsible,
    )


async def add_stop(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    stop: Stop,
    *,
    reason: str,
    responsible_centre_id: str | None = None,
) -> None:
    """Add a stop; beyond the second for the customer's sake the clock runs on."""
    holds = stop.cause is not StopCause.RESOURCE
    if stop.cause is StopCause.CUSTOMER:
        holds = await reschedules(connection, branch_id, order_id) < MOST_RESCHEDULES
    await store.add_stop(
        connection,
        {
            "branch_id": branch_id,
            "order_id": order_id,
            "number": await store.next_stop(connection, branch_id, order_id),
            "cause": stop.cause,
            "reason": reason,
            "since": stop.since,
            "until": stop.until,
            "stops_clock": holds,
            "responsible_centre_id": responsible_centre_id,
        },
    )


async def wait_no_longer(
    connection: AsyncConnection, branch_id: int, order_id: str, visit_at: datetime
) -> None:
    """Let the clock wait for the customer no longer than until the visit that is agreed now."""
    await store.cut_stops(connection, branch_id, order_id, StopCause.CUSTOMER, visit_at)


async def reschedules(connection: AsyncConnection, branch_id: int, order_id: str) -> int:
    """Return how often an order was put off for the customer's sake with its clock held."""
    return sum(
        one["stops_clock"] and one["cause"] == StopCause.CUSTOMER
        for one in await store.stops(connection, branch_id, order_id)
    )


async def postponed_with(connection: AsyncConnection, order: RowMapping, stop: Stop) -> timedelta:
    """Return how long work would be put off for the customer's sake in all, uncut, with one more."""
    pauses = [
        (one["since"], one["until"] or stop.since)
        for one in await store.stops(connection, order["branch_id"], order["order_id"])
        if one["stops_clock"] and one["cause"] == StopCause.CUSTOMER
    ]
    assert stop.until is not None  # noqa: S101 - a slot has an end
    pauses.append((stop.since, stop.until))
    return sum((max(until - since, timedelta(0)) for since, until in pauses), timedelta(0))


async def blame(
    connection: AsyncConnection, branch_id: int, order_id: str, *, finished_at: datetime
) -> str | None:
    """Note and return the centre whose lack of material alone made finished work late."""
    row = await store.load(connection, branch_id, order_id)
    if row is None:
        return None
    stops = await store.stops(connection, branch_id, order_id)
    late = late_for_material(_clock(row, stops), finished_at)
    centre_id = _responsible_centre(stops) if late else None
    await store.blame(connection, branch_id, order_id, centre_id)
    return centre_id


async def take_blame_back(connection: AsyncConnection, branch_id: int, order_id: str) -> str | None:
    """Blame nobody until the work is finished anew; return who was blamed for the last finish."""
    row = await store.load(connection, branch_id, order_id)
    if row is None:
        return None
    await store.blame(connection, branch_id, order_id, None)
    blamed: str | None = row["late_because_of_centre_id"]
    return blamed


async def look_again(
    connection: AsyncConnection, order: RowMapping, *, reason: str, at: datetime
) -> None:
    """Let the clock of finished work go on that was not accepted at a moment.

    It leaves out how long the requester looked.
    """
    branch_id, order_id = order["branch_id"], order["order_id"]
    looked = Stop(StopCause.ACCEPTANCE, order["finished_at"], at)
    await add_stop(connection, branch_id, order_id, looked, reason=reason)


def _responsible_centre(stops: Sequence[RowMapping]) -> str | None:
    return next(
        (one["responsible_centre_id"] for one in stops if one["responsible_centre_id"]), None
    )


async def _responsible(
    connection: AsyncConnection, branch_id: int, named: str | None
) -> str | None:
    if named is None:
        return await order_store.first_centre(connection, branch_id, CentreKind.BUILD_MAINTAIN)
    if await order_store.centre_kind(connection, branch_id, named) is None:
        fault = Fault("/responsible_centre_id", "unknown", "no such centre", "没有此中心")
        raise Malformed(faults=[fault])
    return named


async def ring(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
    """Do what is to be done about the clocks of a branch by now; return of how many orders."""
    rung = await store.ringing(connection, branch_id, now, limit=_RUNG_AT_ONCE)
    facts: list[NewFact] = []
    for order in rung:
        facts += await warn_until(connection, order, until=now, now=now)
        state = OrderState(order["state"])
        changes = await changes_after(connection, order, state=state, at=now)
        # It may have ended since it was looked up; then it is only not to be looked at again.
        if state not in WORK_ENDED:
            await order_store.save(connection, branch_id, order["order_id"], changes)
    await feed.append(connection, branch_id, facts, now=now)
    return len(rung)


async def show(
    connection: AsyncConnection, branch_id: int, order_id: str, *, now: datetime
) -> OrderClock:
    """Return the clock of an order as it stands now, or stood when the work was finished.

    Raises:
        NotFound: the order has no clock: nobody was sent yet, or no level is set.

    """
    order = await order_store.load(connection, branch_id, order_id)
    row = await store.load(connection, branch_id, order_id)
    if order is None or row is None:
        raise NotFound
    stops = await store.stops(connection, branch_id, order_id)
    clock = _clock(row, stops)
    ended = order["state"] in WORK_ENDED
    at = order["finished_at"] or (order["last_step_at"] if ended else now)
    due_at, limit_at = clock.due_at, clock.limit_at
    bare = ServiceClock(clock.started_at, clock.counting, clock.target, clock.limit)
    due_without_stops_at = bare.due_at
    assert due_without_stops_at is not None  # noqa: S101 - nothing stops it
    counted = await reschedules(connection, branch_id, order_id)
    finished = order["finished_at"]
    return OrderClock(
        order_id=order_id,
        at=at,
        version=row["version"],
        unit=TimeUnit(row["unit"]),
        target_minutes=clock.target // _MINUTE,
        limit_minutes=clock.limit // _MINUTE,
        started_at=clock.started_at,
        first_contact_due_at=row["first_contact_due_at"],
        due_at=due_at,
        due_without_stops_at=due_without_stops_at,
        limit_at=limit_at,
        elapsed_minutes=clock.elapsed(at) // _MINUTE,
        elapsed_with_stops_minutes=bare.elapsed(at) // _MINUTE,
        stopped=not ended and clock.stopped_since(at) is not None,
        reschedules=counted,
        reschedules_left=max(MOST_RESCHEDULES - counted, 0),
        postponed_minutes=clock.postponed(at) // _MINUTE,
        on_time=None if finished is None else due_at is None or finished <= due_at,
        breach=limit_at is not None and limit_at < at,
        late_because_of_centre_id=_responsible_centre(stops)
        if late_for_material(clock, at)
        else None,
        calendar_known=clock.knows_its_calendar(max(at, due_at or at)),
        stops=[ClockStop.model_validate(dict(one)) for one in stops],
        warnings=[
            ClockWarning.model_validate(dict(one))
            for one in await store.warned(connection, branch_id, order_id)
        ],
    )


async def list_warnings(
    connection: AsyncConnection,
    branch_id: int,
    principal: Principal,
    *,
    filters: dict[str, Any],
    after: tuple[str, int],
    limit: int,
) -> list[ClockWarning]:
    """Return warnings that the caller may see."""
    rows = await store.warning_page(
        connection, branch_id, principal, filters=filters, after=after, limit=limit
    )
    return [ClockWarning.model_validate(dict(one)) for one in rows]
