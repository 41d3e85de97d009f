"""Measures as they stand month by month."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.tables import measures
from huaxiao.shared.periods import Period


async def by_month(
    connection: AsyncConnection, branch_id: int, *, first: int, last: int
) -> dict[tuple[str, Period], dict[str, int]]:
    """Return every measure of a branch between two periods, by centre and month."""
    rows = await connection.execute(
        select(
            measures.c.centre_id, measures.c.period, measures.c.measure, measures.c.amount
        ).where(measures.c.branch_id == branch_id, measures.c.period.between(first, last))
    )
    found: dict[tuple[str, Period], dict[str, int]] = {}
    for centre_id, period, measure, amount in rows:
        found.setdefault((centre_id, Period(period)), {})[measure] = amount
    return found
