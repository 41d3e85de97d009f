"""Attachments in the database: all but their contents."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import order_attachments


async def listed(
    connection: AsyncConnection, branch_id: int, order_id: str
) -> Sequence[RowMapping]:
    """Return an order's attachments by name."""
    rows = await connection.execute(
        select(order_attachments)
        .where(order_attachments.c.branch_id == branch_id, order_attachments.c.order_id == order_id)
        .order_by(order_attachments.c.name)
    )
    return rows.mappings().all()


async def load(
    connection: AsyncConnection, branch_id: int, order_id: str, name: str
) -> RowMapping | None:
    """Return an attachment."""
    rows = await connection.execute(
        select(order_attachments).where(
            order_attachments.c.branch_id == branch_id,
            order_attachments.c.order_id == order_id,
            order_attachments.c.name == name,
        )
    )
    return rows.mappings().one_or_none()


async def add(connection: AsyncConnection, attachment: Mapping[str, Any]) -> None:
    """Record an attachment."""
    await connection.execute(insert(order_attachments).values(**attachment))
