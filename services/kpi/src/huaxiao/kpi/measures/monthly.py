"""Measures as they stand month by month."""

from sqlalchemy import JSON, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.tables import measures
from huaxiao.shared.periods import Period


async def by_month(
    connection: AsyncConnection, branch_id: int, *, first: int, last: int
) -> dict[tuple[str, Period], dict[str, int]]:
    """Return every measure of a branch between two periods, by centre and month.

    A row a centre and month: thousands of small rows would take longer to receive than to find.
    """
    held = func.json_object_agg(measures.c.measure, measures.c.amount, type_=JSON)
    rows = await connection.execute(
        select(measures.c.centre_id, measures.c.period, held)
        .where(measures.c.branch_id == branch_id, measures.c.period.between(first, last))
        .group_by(measures.c.centre_id, measures.c.period)
    )
    return {(centre_id, Period(period)): amounts for centre_id, period, amounts in rows}
