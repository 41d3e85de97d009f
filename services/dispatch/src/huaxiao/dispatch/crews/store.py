"""Crews in the database."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import crews, orders
from huaxiao.shared.database import within
from huaxiao.shared.wire.dispatch import WORK_ENDED


async def put(connection: AsyncConnection, crew: Mapping[str, Any]) -> None:
    """Register a crew, or change it."""
    await connection.execute(
        insert(crews)
        .values(**crew)
        .on_conflict_do_update(index_elements=["branch_id", "crew_id"], set_=dict(crew))
    )


async def open_orders(connection: AsyncConnection, branch_id: int, crew_id: str) -> list[str]:
    """Return the orders that a crew has and that are not done, by id."""
    rows = await connection.scalars(
        select(orders.c.order_id)
        .where(
            orders.c.branch_id == branch_id,
            orders.c.crew_id == crew_id,
            orders.c.state.not_in(WORK_ENDED),
        )
        .order_by(orders.c.order_id)
    )
    return list(rows)


async def page(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    after: str,
    limit: int,
) -> Sequence[RowMapping]:
    """Return the crews of the caller's centres behind an id."""
    rows = await connection.execute(
        select(crews)
        .where(
            crews.c.branch_id == branch_id,
            crews.c.order_id.is_(None),
            crews.c.crew_id > after,
            within(crews.c.centre_id, centre_ids),
        )
        .order_by(crews.c.crew_id)
        .limit(limit)
    )
    return rows.mappings().all()
