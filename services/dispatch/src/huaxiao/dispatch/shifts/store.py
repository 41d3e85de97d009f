"""SQL of shifts and leave, and of who has time."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.capacity import Stretch, Worker
from huaxiao.dispatch.tables import appointments, leaves, people, shifts, visit_quarters
from huaxiao.shared.wire.appointments import AppointmentState

_BOOKING = 26
"""Class of the advisory locks under which a branch's time is given away, one at a time."""


async def book_alone(connection: AsyncConnection, branch_id: int) -> None:
    """Wait until nobody else gives this branch's time away, and keep others waiting until the end.

    Of two who see the same last place, each would otherwise find it free.
    """
    await connection.execute(select(func.pg_advisory_xact_lock(_BOOKING, branch_id)))


async def person(connection: AsyncConnection, branch_id: int, person_id: str) -> RowMapping | None:
    """Return a person."""
    rows = await connection.execute(
        select(people).where(people.c.branch_id == branch_id, people.c.person_id == person_id)
    )
    return rows.mappings().one_or_none()


async def replace_shifts(
    connection: AsyncConnection,
    branch_id: int,
    person_id: str,
    span: Stretch,
    worked: Sequence[Stretch],
) -> None:
    """Put shifts in place of those that begin within a span."""
    await connection.execute(
        delete(shifts).where(
            shifts.c.branch_id == branch_id,
            shifts.c.person_id == person_id,
            shifts.c.begins_at >= span.since,
            shifts.c.begins_at < span.until,
        )
    )
    if worked:
        await connection.execute(
            insert(shifts),
            [
                {
                    "branch_id": branch_id,
                    "person_id": person_id,
                    "begins_at": one.since,
                    "ends_at": one.until,
                }
                for one in worked
            ],
        )


async def shifts_of(
    connection: AsyncConnection, branch_id: int, person_id: str, span: Stretch
) -> Sequence[RowMapping]:
    """Return a person's shifts that begin within a span."""
    rows = await connection.execute(
        select(shifts)
        .where(
            shifts.c.branch_id == branch_id,
            shifts.c.person_id == person_id,
            shifts.c.begins_at >= span.since,
            shifts.c.begins_at < span.until,
        )
        .order_by(shifts.c.begins_at)
    )
    return rows.mappings().all()


async def put_leave(connection: AsyncConnection, leave: Mapping[str, Any]) -> None:
    """Store a leave, in place of what was entered under its id."""
    await connection.execute(
        insert(leaves)
        .values(**leave)
        .on_conflict_do_update(
            index_elements=["branch_id", "person_id", "leave_id"], set_=dict(leave)
        )
    )


async def leaves_of(
    connection: AsyncConnection, branch_id: int, person_id: str
) -> Sequence[RowMapping]:
    """Return a person's leaves, the earliest first."""
    rows = await connection.execute(
        select(leaves)
        .where(leaves.c.branch_id == branch_id, leaves.c.person_id == person_id)
        .order_by(leaves.c.since, leaves.c.leave_id)
    )
    return rows.mappings().all()


async def workers(
    connection: AsyncConnection,
    branch_id: int,
    span: Stretch,
    *,
    now: datetime,
    day: date,
    centre_id: str | None = None,
    skills: Collection[str] = (),
    person_id: str | None = None,
) -> list[Worker]:
    """Return who works in a span and has all of some skills, with what of their time is taken.

    A hold whose time is over takes none, whether or not somebody has noticed yet. ``day`` is the
    last on which whoever leaves must still be here.
    """
    query = select(people.c.person_id).where(
        people.c.branch_id == branch_id, or_(people.c.left_on.is_(None), people.c.left_on > day)
    )
    if centre_id is not None:
        query = query.where(people.c.centre_id == centre_id)
    if skills:
        query = query.where(people.c.skills.contains(sorted(skills)))
    if person_id is not None:
        query = query.where(people.c.person_id == person_id)
    ids = list(await connection.scalars(query))
    worked, away = defaultdict[str, list[Stretch]](list), defaultdict[str, list[Stretch]](list)
    taken = defaultdict[str, set[datetime]](set)
    for row in await connection.execute(
        select(shifts).where(
            shifts.c.branch_id == branch_id,
            shifts.c.person_id.in_(ids),
            shifts.c.begins_at < span.until,
            shifts.c.ends_at > span.since,
        )
    ):
        worked[row.person_id].append(Stretch(row.begins_at, row.ends_at))
    for row in await connection.execute(
        select(leaves).where(
            leaves.c.branch_id == branch_id,
            leaves.c.person_id.in_(ids),
            leaves.c.cancelled.is_(False),
            leaves.c.since < span.until,
            leaves.c.until > span.since,
        )
    ):
        away[row.person_id].append(Stretch(row.since, row.until))
    for row in await connection.execute(
        select(visit_quarters.c.person_id, visit_quarters.c.starts_at)
        .join(
            appointments,
            (appointments.c.branch_id == visit_quarters.c.branch_id)
            & (appointments.c.appointment_id == visit_quarters.c.appointment_id),
        )
        .where(
            visit_quarters.c.branch_id == branch_id,
            visit_quarters.c.person_id.in_(ids),
            visit_quarters.c.starts_at >= span.since,
            visit_quarters.c.starts_at < span.until,
            or_(appointments.c.state == AppointmentState.BOOKED, appointments.c.held_until > now),
        )
    ):
        taken[row.person_id].add(row.starts_at)
    return [Worker(one, tuple(worked[one]), tuple(away[one]), frozenset(taken[one])) for one in ids]
