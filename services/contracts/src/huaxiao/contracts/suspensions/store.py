"""SQL of suspensions."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import suspension_steps


async def steps(
    connection: AsyncConnection, branch_id: int, contract_ids: Sequence[str]
) -> Sequence[RowMapping]:
    """Return the steps of the suspensions of some contracts, in the order in which they were taken."""
    table = suspension_steps
    rows = await connection.execute(
        select(table)
        .where(table.c.branch_id == branch_id, table.c.contract_id == func.any(list(contract_ids)))
        .order_by(table.c.contract_id, table.c.number, table.c.at, table.c.kind)
    )
    return rows.mappings().all()


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a step."""
    await connection.execute(insert(suspension_steps).values(**row))
