"""Rows of periods: what has been begun, and what is closed under which seal."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, select, union_all, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.seals import Sealing
from huaxiao.attribution.tables import balances, intakes, period_closings, periods
from huaxiao.shared.periods import Period as PeriodOf
from huaxiao.shared.periods import periods_from
from huaxiao.shared.wire.attribution import Period, PeriodState


def _sealed(branch_id: int) -> Select[Any]:
    """Select the sealed periods of a branch with who has begun to close them."""
    return (
        select(periods, period_closings.c.begun_at, period_closings.c.begun_by)
        .outerjoin(
            period_closings,
            and_(
                period_closings.c.branch_id == periods.c.branch_id,
                period_closings.c.period == periods.c.period,
            ),
        )
        .where(periods.c.branch_id == branch_id)
    )


async def sealed(connection: AsyncConnection, branch_id: int, number: int) -> Row[Any] | None:
    """Return a period's own seal and closing; None while it has none."""
    rows = await connection.execute(_sealed(branch_id).where(periods.c.period == number))
    found: Row[Any] | None = rows.one_or_none()
    return found


async def seal_before(connection: AsyncConnection, branch_id: int, number: int) -> str:
    """Return the last seal before a period; empty for the first."""
    found = await connection.scalar(
        select(periods.c.seal)
        .where(periods.c.branch_id == branch_id, periods.c.period < number)
        .order_by(periods.c.period.desc())
        .limit(1)
    )
    return found or ""


async def period(connection: AsyncConnection, branch_id: int, number: int) -> Period:
    """Return a period: open, closing or closed."""
    (found,) = await _standing(connection, branch_id, [number])
    return found


async def page(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> list[Period]:
    """Return the periods from the first to the last that anything is known of."""
    known = union_all(
        *(
            select(one.c.period).where(one.c.branch_id == branch_id)
            for one in (balances, period_closings, periods)
        )
    ).subquery()
    first, last = (
        await connection.execute(select(func.min(known.c.period), func.max(known.c.period)))
    ).one()
    if first is None:
        return []
    numbers = [one for one in periods_from(PeriodOf(first), PeriodOf(last)) if one > after]
    return await _standing(connection, branch_id, numbers[:limit])


async def _standing(
    connection: AsyncConnection, branch_id: int, numbers: Sequence[int]
) -> list[Period]:
    """Say where periods stand, given in order: a seal closes every one before it as well."""
    if not numbers:
        return []
    rows = await connection.execute(
        _sealed(branch_id).where(periods.c.period >= numbers[0]).order_by(periods.c.period)
    )
    seals = rows.all()
    begun = await connection.execute(
        select(period_closings).where(
            period_closings.c.branch_id == branch_id, period_closings.c.period >= numbers[0]
        )
    )
    closings = {row.period: row for row in begun}
    standing: list[Period] = []
    for number in numbers:
        place = bisect_left(seals, number, key=lambda row: row.period)
        if place < len(seals):
            standing.append(_closed(number, seals[place]))
        else:
            standing.append(_open(number, closings.get(number)))
    return standing


def _open(number: int, closing: Row[Any] | None) -> Period:
    if closing is None:
        return Period(period=number, state=PeriodState.OPEN)
    return Period(
        period=number,
        state=PeriodState.CLOSING,
        begun_at=closing.begun_at,
        begun_by=closing.begun_by,
    )


def _closed(number: int, under: Row[Any]) -> Period:
    return Period(
        period=number,
        state=PeriodState.CLOSED,
        begun_at=under.begun_at,
        begun_by=under.begun_by,
        closed_at=under.closed_at,
        closed_by=under.closed_by,
        closed_with=under.period,
        entries=under.entries if under.period == number else 0,
        seal=under.seal,
    )


async def begin(
    connection: AsyncConnection, branch_id: int, number: int, *, by: str, now: datetime
) -> None:
    """Record who begins to close a period."""
    await connection.execute(
        insert(period_closings)
        .values(branch_id=branch_id, period=number, begun_by=by, begun_at=now)
        .on_conflict_do_nothing()
    )


async def first_open(connection: AsyncConnection, branch_id: int) -> int | None:
    """Return the earliest open period that anything was booked in."""
    closed_through = select(intakes.c.closed_through).where(intakes.c.branch_id == branch_id)
    found: int | None = await connection.scalar(
        select(func.min(balances.c.period)).where(
            balances.c.branch_id == branch_id,
            balances.c.period > func.coalesce(closed_through.scalar_subquery(), 0),
        )
    )
    return found


async def close(
    connection: AsyncConnection, sealing: Sealing, *, seal: str, feed_position: int
) -> None:
    """Close a period under its seal, and with it every one before."""
    bound = asdict(sealing)
    del bound["begun_by"], bound["begun_at"]
    await connection.execute(
        insert(periods).values(**bound, seal=seal, feed_position=feed_position)
    )
    await connection.execute(
        update(intakes)
        .where(intakes.c.branch_id == sealing.branch_id)
        .values(closed_through=sealing.period)
    )
