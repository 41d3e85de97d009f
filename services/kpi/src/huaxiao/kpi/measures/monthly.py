"""Measures month by month, as they stand or as they were known."""

from datetime import datetime

import msgspec
from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.measures.store import held
from huaxiao.shared.periods import Period

_months = msgspec.json.Decoder(list[tuple[str, int, dict[str, int]]])


async def by_month(
    connection: AsyncConnection,
    branch_id: int,
    *,
    first: int,
    last: int,
    known_at: datetime | None = None,
    and_year_before: bool = False,
) -> dict[tuple[str, Period], dict[str, int]]:
    """Return every measure of a branch between two periods, by centre and month.

    With ``and_year_before`` those of the same months a year earlier as well.
    All in one value: thousands of small rows would take longer to receive than to find.
    """
    table = held(branch_id, first, last, known_at, and_year_before=and_year_before)
    amounts = func.json_object_agg(table.c.measure, table.c.amount).label("amounts")
    months = (
        select(table.c.centre_id, table.c.period, amounts)
        .group_by(table.c.centre_id, table.c.period)
        .subquery()
    )
    row = func.json_build_array(months.c.centre_id, months.c.period, months.c.amounts)
    found = await connection.scalar(select(cast(func.json_agg(row), Text)))
    return {
        (centre_id, Period(period)): of_month
        for centre_id, period, of_month in (_months.decode(found) if found else ())
    }
