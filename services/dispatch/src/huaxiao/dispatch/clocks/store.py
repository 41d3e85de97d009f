"""SQL of service clocks, what stops them and whom they warned."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.callers import reads_as_engineer
from huaxiao.dispatch.tables import order_clocks, order_stops, order_warnings, orders
from huaxiao.shared.auth import Principal
from huaxiao.shared.database import within
from huaxiao.shared.wire.service_levels import StopCause


async def keep(connection: AsyncConnection, clock: Mapping[str, Any]) -> None:
    """Store the clock of an order, in place of one that began before."""
    row = insert(order_clocks).values(**clock)
    await connection.execute(
        row.on_conflict_do_update(index_elements=["branch_id", "order_id"], set_=dict(clock))
    )


async def load(connection: AsyncConnection, branch_id: int, order_id: str) -> RowMapping | None:
    """Return the clock of an order; None where no level is set or nobody was sent yet."""
    rows = await connection.execute(
        select(order_clocks).where(
            order_clocks.c.branch_id == branch_id, order_clocks.c.order_id == order_id
        )
    )
    return rows.mappings().one_or_none()


async def set_next(
    connection: AsyncConnection, branch_id: int, order_id: str, next_at: datetime | None
) -> None:
    """Note when something is to be done about a clock next."""
    await connection.execute(
        update(order_clocks)
        .where(order_clocks.c.branch_id == branch_id, order_clocks.c.order_id == order_id)
        .values(next_at=next_at)
    )


async def blame(
    connection: AsyncConnection, branch_id: int, order_id: str, centre_id: str | None
) -> None:
    """Note whose lack of material made the work on an order late, or that nobody's did."""
    await connection.execute(
        update(order_clocks)
        .where(order_clocks.c.branch_id == branch_id, order_clocks.c.order_id == order_id)
        .values(late_because_of_centre_id=centre_id)
    )


async def ringing(
    connection: AsyncConnection, branch_id: int, now: datetime, *, limit: int
) -> Sequence[RowMapping]:
    """Return the orders about whose clocks something is to be done, locked; the earliest first.

    An order that somebody is taking a step of is passed over: the step does it.
    """
    rows = await connection.execute(
        select(orders)
        .join(
            order_clocks,
            (order_clocks.c.branch_id == orders.c.branch_id)
            & (order_clocks.c.order_id == orders.c.order_id),
        )
        .where(order_clocks.c.branch_id == branch_id, order_clocks.c.next_at <= now)
        .order_by(order_clocks.c.next_at, orders.c.order_id)
        .limit(limit)
        .with_for_update(of=orders, skip_locked=True)
    )
    return rows.mappings().all()


async def stops(connection: AsyncConnection, branch_id: int, order_id: str) -> Sequence[RowMapping]:
    """Return what has stopped work on an order, oldest first."""
    rows = await connection.execute(
        select(order_stops)
        .where(order_stops.c.branch_id == branch_id, order_stops.c.order_id == order_id)
        .order_by(order_stops.c.number)
    )
    return rows.mappings().all()


async def add_stop(connection: AsyncConnection, stop: Mapping[str, Any]) -> None:
    """Insert a stop."""
    await connection.execute(insert(order_stops).values(**stop))


async def end_stop(
    connection: AsyncConnection, branch_id: int, order_id: str, until: datetime
) -> None:
    """Note when the stop that lasts has ended."""
    await connection.execute(
        update(order_stops)
        .where(
            order_stops.c.branch_id == branch_id,
            order_stops.c.order_id == order_id,
            order_stops.c.until.is_(None),
        )
        .values(until=until)
    )


async def cut_stops(
    connection: AsyncConnection, branch_id: int, order_id: str, cause: StopCause, until: datetime
) -> None:
    """Let the stops of a cause that would have lasted beyond a moment end there."""
    await connection.execute(
        update(order_stops)
        .where(
            order_stops.c.branch_id == branch_id,
            order_stops.c.order_id == order_id,
            order_stops.c.cause == cause,
            order_stops.c.until > until,
        )
        .values(until=func.greatest(order_stops.c.since, until))
    )


async def warned(
    connection: AsyncConnection, branch_id: int, order_id: str
) -> Sequence[RowMapping]:
    """Return the warnings that an order has given rise to."""
    rows = await connection.execute(
        select(order_warnings)
        .where(order_warnings.c.branch_id == branch_id, order_warnings.c.order_id == order_id)
        .order_by(order_warnings.c.percent)
    )
    return rows.mappings().all()


async def warn(connection: AsyncConnection, warning: Mapping[str, Any]) -> bool:
    """Insert a warning; False when it has been given already."""
    added = await connection.execute(
        insert(order_warnings)
        .values(**warning)
        .on_conflict_do_nothing()
        .returning(order_warnings.c.percent)
    )
    return added.one_or_none() is not None


async def warning_page(
    connection: AsyncConnection,
    branch_id: int,
    principal: Principal,
    *,
    filters: Mapping[str, Any],
    after: tuple[str, int],
    limit: int,
) -> Sequence[RowMapping]:
    """Return warnings behind an order and share that the caller may see."""
    if reads_as_engineer(principal):
        mine = order_warnings.c.engineer_id == (principal.person_id or "")
    else:
        mine = within(order_warnings.c.centre_id, principal.centre_ids)
    query = select(order_warnings).where(
        order_warnings.c.branch_id == branch_id,
        tuple_(order_warnings.c.order_id, order_warnings.c.percent) > after,
        mine,
    )
    for name, value in filters.items():
        if value is not None:
            query = query.where(order_warnings.c[name] == value)
    query = query.order_by(order_warnings.c.order_id, order_warnings.c.percent).limit(limit)
    return (await connection.execute(query)).mappings().all()


async def next_stop(connection: AsyncConnection, branch_id: int, order_id: str) -> int:
    """Return the number that the next stop of an order gets."""
    held: int | None = await connection.scalar(
        select(func.max(order_stops.c.number)).where(
            order_stops.c.branch_id == branch_id, order_stops.c.order_id == order_id
        )
    )
    return (held or 0) + 1
