"""Shifts and leave: entered, shown, and never so that a promised visit would have nobody."""

from datetime import date, datetime, time, timedelta
from http import HTTPStatus

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.callers import reads_as_engineer
from huaxiao.dispatch.domain.capacity import QUARTER, Stretch, uncovered
from huaxiao.dispatch.shifts import store
from huaxiao.shared.auth import Principal
from huaxiao.shared.periods import BUSINESS_ZONE, business_day
from huaxiao.shared.problems import Fault, Malformed, NotFound, Problem
from huaxiao.shared.wire.appointments import Leave, LeaveIn, Shift, Shifts, ShiftsIn

_DAY = timedelta(days=1)
_MOST_DAYS = 92


class VisitsPromised(Problem):
    """Visits are promised in this time; they are moved or released before it is given up."""

    code = "visits-promised"
    status = HTTPStatus.CONFLICT
    title = "Customers have been promised visits in this time"
    title_zh = "该时段已有预约，须先改约或释放"


async def _person(
    connection: AsyncConnection, branch_id: int, person_id: str, principal: Principal
) -> RowMapping:
    found = await store.person(connection, branch_id, person_id)
    if found is None:
        raise NotFound
    principal.require_centre(found["centre_id"])
    if reads_as_engineer(principal) and principal.person_id != person_id:
        raise NotFound
    return found


def _span(from_day: date, to_day: date) -> Stretch:
    if not 0 <= (to_day - from_day).days < _MOST_DAYS:
        fault = Fault("/to_day", "span", f"1 to {_MOST_DAYS} days", f"区间为 1 至 {_MOST_DAYS} 天")
        raise Malformed(faults=[fault])
    return Stretch(_at(from_day, time(0)), _at(to_day + _DAY, time(0)))


def _at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, BUSINESS_ZONE)


async def put_shifts(
    connection: AsyncConnection,
    branch_id: int,
    person_id: str,
    given: ShiftsIn,
    *,
    principal: Principal,
    now: datetime,
) -> Shifts:
    """Say what a person works from one day to another, in place of what was said of these days.

    Raises:
        Malformed: shifts overlap, end before they begin or lie outside of the days.
        VisitsPromised: a visit is promised when the person would not work.

    """
    await store.book_alone(connection, branch_id)
    await _person(connection, branch_id, person_id, principal)
    span = _span(given.from_day, given.to_day)
    faults, worked = [], list[Stretch]()
    for index, one in enumerate(given.shifts):
        until_midnight = one.ends == time(0)
        ends_on = one.day + _DAY if until_midnight else one.day
        stretch = Stretch(_at(one.day, one.begins), _at(ends_on, one.ends))
        if one.ends <= one.begins and not until_midnight:
            faults.append(
                Fault(f"/shifts/{index}/ends", "reversed", "ends before it begins", "结束早于开始")
            )
        elif not given.from_day <= one.day <= given.to_day:
            faults.append(Fault(f"/shifts/{index}/day", "span", "not of these days", "不在区间内"))
        elif any(other.meets(stretch.since, stretch.until) for other in worked):
            faults.append(Fault(f"/shifts/{index}", "overlap", "meets another", "班次重叠"))
        worked.append(stretch)
    if faults:
        raise Malformed(faults=faults)
    await store.replace_shifts(connection, branch_id, person_id, span, worked)
    await _require_covered(connection, branch_id, person_id, span, now)
    return await show_shifts(
        connection, branch_id, person_id, (given.from_day, given.to_day), principal=principal
    )


async def show_shifts(
    connection: AsyncConnection,
    branch_id: int,
    person_id: str,
    days: tuple[date, date],
    *,
    principal: Principal,
) -> Shifts:
    """Return what a person works from one day to another."""
    await _person(connection, branch_id, person_id, principal)
    rows = await store.shifts_of(connection, branch_id, person_id, _span(*days))
    return Shifts(
        person_id=person_id,
        from_day=days[0],
        to_day=days[1],
        shifts=[
            Shift(
                day=business_day(row["begins_at"]),
                begins=row["begins_at"].astimezone(BUSINESS_ZONE).time(),
                ends=row["ends_at"].astimezone(BUSINESS_ZONE).time(),
            )
            for row in rows
        ],
    )


async def put_leave(
    connection: AsyncConnection,
    branch_id: int,
    person_id: str,
    leave_id: str,
    given: LeaveIn,
    *,
    principal: Principal,
    now: datetime,
) -> Leave:
    """Say when a person is away.

    Raises:
        Malformed: the leave ends before it begins.
        VisitsPromised: a visit is promised meanwhile.

    """
    await store.book_alone(connection, branch_id)
    await _person(connection, branch_id, person_id, principal)
    if given.until <= given.since:
        raise Malformed(
            faults=[Fault("/until", "reversed", "ends before it begins", "结束早于开始")]
        )
    row = given.model_dump() | {"person_id": person_id, "leave_id": leave_id, "cancelled": False}
    await store.put_leave(connection, row | {"branch_id": branch_id})
    await _require_covered(connection, branch_id, person_id, Stretch(given.since, given.until), now)
    return Leave.model_validate(row)


async def cancel_leave(
    connection: AsyncConnection,
    branch_id: int,
    person_id: str,
    leave_id: str,
    *,
    principal: Principal,
) -> Leave:
    """Take a leave back; again changes nothing."""
    await store.book_alone(connection, branch_id)
    await _person(connection, branch_id, person_id, principal)
    for row in await store.leaves_of(connection, branch_id, person_id):
        if row["leave_id"] == leave_id:
            cancelled = dict(row) | {"cancelled": True}
            await store.put_leave(connection, cancelled)
            return Leave.model_validate(cancelled)
    raise NotFound


async def list_leaves(
    connection: AsyncConnection, branch_id: int, person_id: str, *, principal: Principal
) -> list[Leave]:
    """Return a person's leaves."""
    await _person(connection, branch_id, person_id, principal)
    rows = await store.leaves_of(connection, branch_id, person_id)
    return [Leave.model_validate(dict(row)) for row in rows]


async def _require_covered(
    connection: AsyncConnection, branch_id: int, person_id: str, span: Stretch, now: datetime
) -> None:
    """Check that whoever was promised a visit to come still has somebody to make it."""
    # A quarter that begins before the span may reach into it.
    to_come = Stretch(max(span.since, now) - QUARTER, span.until)
    for worker in await store.workers(
        connection, branch_id, to_come, now=now, day=date.min, person_id=person_id
    ):
        if without := uncovered(worker):
            raise VisitsPromised(person_id=person_id, quarters=[one.isoformat() for one in without])
