"""SQL of appointments and of the quarters of an hour that they take."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Date,
    RowMapping,
    Select,
    and_,
    cast,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.callers import reads_as_engineer
from huaxiao.dispatch.domain.capacity import Place
from huaxiao.dispatch.orders.store import visible
from huaxiao.dispatch.tables import appointments, orders, people, visit_quarters
from huaxiao.shared.auth import Principal
from huaxiao.shared.database import within
from huaxiao.shared.wire.appointments import AppointmentState

_LIVE = (AppointmentState.HELD, AppointmentState.BOOKED)


_staffed = and_(
    people.c.centre_id == appointments.c.centre_id,
    # An order that no centre has any more is nobody's to visit.
    func.coalesce(orders.c.performer_centre_id, "") == appointments.c.centre_id,
    or_(
        people.c.left_on.is_(None),
        people.c.left_on > cast(func.timezone("Asia/Shanghai", appointments.c.visit_from), Date),
    ),
)
_without_anybody = and_(
    not_(_staffed), appointments.c.state.in_(_LIVE), orders.c.finished_at.is_(None)
)
"""Visits that are still to be made, and that nobody can make."""
_shown: Select[*tuple[Any, ...]] = select(appointments, _staffed.label("staffed")).select_from(
    appointments.join(
        people,
        and_(
            people.c.branch_id == appointments.c.branch_id,
            people.c.person_id == appointments.c.person_id,
        ),
    ).join(
        orders,
        and_(
            orders.c.branch_id == appointments.c.branch_id,
            orders.c.order_id == appointments.c.order_id,
        ),
    )
)


async def load(
    connection: AsyncConnection, branch_id: int, appointment_id: str
) -> RowMapping | None:
    """Return an appointment, and whether whoever was to make the visit still can."""
    rows = await connection.execute(
        _shown.where(
            appointments.c.branch_id == branch_id, appointments.c.appointment_id == appointment_id
        )
    )
    return rows.mappings().one_or_none()


async def live_of(connection: AsyncConnection, branch_id: int, order_id: str) -> RowMapping | None:
    """Return the appointment an order has now."""
    rows = await connection.execute(
        select(appointments).where(
            appointments.c.branch_id == branch_id,
            appointments.c.order_id == order_id,
            appointments.c.state.in_(_LIVE),
        )
    )
    return rows.mappings().one_or_none()


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert an appointment."""
    await connection.execute(insert(appointments).values(**row))


async def save(
    connection: AsyncConnection, branch_id: int, appointment_id: str, changes: Mapping[str, Any]
) -> None:
    """Update an appointment."""
    await connection.execute(
        update(appointments)
        .where(
            appointments.c.branch_id == branch_id, appointments.c.appointment_id == appointment_id
        )
        .values(**changes)
    )


async def take(
    connection: AsyncConnection, branch_id: int, appointment_id: str, place: Place
) -> None:
    """Set the quarters of a visit aside; the key refuses one that is taken."""
    await connection.execute(
        insert(visit_quarters),
        [
            {
                "branch_id": branch_id,
                "person_id": place.person_id,
                "starts_at": one,
                "appointment_id": appointment_id,
            }
            for one in place.each_quarter
        ],
    )


async def give_back(
    connection: AsyncConnection, branch_id: int, appointment_ids: Sequence[str]
) -> None:
    """Let others have the quarters that appointments took."""
    await connection.execute(
        delete(visit_quarters).where(
            visit_quarters.c.branch_id == branch_id,
            visit_quarters.c.appointment_id.in_(appointment_ids),
        )
    )


async def expire(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
    """End the holds whose time is over, and give back what they took; return how many."""
    ended = list(
        await connection.scalars(
            update(appointments)
            .where(
                appointments.c.branch_id == branch_id,
                appointments.c.state == AppointmentState.HELD,
                appointments.c.held_until <= now,
            )
            .values(state=AppointmentState.EXPIRED)
            .returning(appointments.c.appointment_id)
        )
    )
    if ended:
        await give_back(connection, branch_id, ended)
    return len(ended)


async def release_of_order(
    connection: AsyncConnection, branch_id: int, order_id: str, reason: str
) -> None:
    """Give up the appointment of an order that nobody is going to work on."""
    live = await live_of(connection, branch_id, order_id)
    if live is None:
        return
    changes = {"state": AppointmentState.RELEASED, "reason": reason}
    await save(connection, branch_id, live["appointment_id"], changes)
    await give_back(connection, branch_id, [live["appointment_id"]])


async def give_back_from(
    connection: AsyncConnection, branch_id: int, order_id: str, at: datetime
) -> None:
    """Let others have what an order's visit would still take: the work was done before it."""
    live = await live_of(connection, branch_id, order_id)
    if live is None:
        return
    await connection.execute(
        delete(visit_quarters).where(
            visit_quarters.c.branch_id == branch_id,
            visit_quarters.c.appointment_id == live["appointment_id"],
            visit_quarters.c.starts_at >= at,
        )
    )


async def page(
    connection: AsyncConnection,
    branch_id: int,
    principal: Principal,
    *,
    filters: Mapping[str, str | None],
    staffed: bool | None,
    after: str,
    limit: int,
) -> Sequence[RowMapping]:
    """Return appointments behind an id that the caller may see."""
    if reads_as_engineer(principal):
        mine = appointments.c.person_id == (principal.person_id or "")
    else:
        # Who has the order by now, or asked for it, moves a visit that nobody can make.
        mine = or_(within(appointments.c.centre_id, principal.centre_ids), visible(principal))
    query = _shown.where(
        appointments.c.branch_id == branch_id, appointments.c.appointment_id > after, mine
    )
    if staffed is not None:
        query = query.where(_staffed if staffed else _without_anybody)
    for name, value in filters.items():
        if value is not None:
            query = query.where(appointments.c[name] == value)
    rows = await connection.execute(query.order_by(appointments.c.appointment_id).limit(limit))
    return rows.mappings().all()
