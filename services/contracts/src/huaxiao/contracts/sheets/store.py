"""SQL of uploaded sheets."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import uploads


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append an upload and its report."""
    await connection.execute(insert(uploads).values(**row))


async def page(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> Sequence[RowMapping]:
    """Return uploads behind a number."""
    rows = await connection.execute(
        select(uploads)
        .where(uploads.c.branch_id == branch_id, uploads.c.number > after)
        .order_by(uploads.c.number)
        .limit(limit)
    )
    return rows.mappings().all()
