"""SQL of what is asked of the negative list."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import inquiries
from huaxiao.shared.database import within


async def add_inquiry(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a question and its answer."""
    await connection.execute(insert(inquiries).values(**row))


async def inquiry_page(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    after: int,
    limit: int,
) -> Sequence[RowMapping]:
    """Return questions within the scope behind a number, with their answers."""
    rows = await connection.execute(
        select(inquiries)
        .where(
            inquiries.c.branch_id == branch_id,
            inquiries.c.number > after,
            within(inquiries.c.centre_id, centre_ids),
        )
        .order_by(inquiries.c.number)
        .limit(limit)
    )
    return rows.mappings().all()
