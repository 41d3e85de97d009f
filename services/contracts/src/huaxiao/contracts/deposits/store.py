"""SQL of risk deposits."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import deposit_movements


def signed_fen(row: RowMapping | dict[str, Any]) -> int:
    """Return how a movement moves the deposit: paid in adds, paid back takes away."""
    amount: int = row["amount_fen"]
    return amount if row["kind"] == "paid_in" else -amount


async def of_contracts(
    connection: AsyncConnection,
    branch_id: int,
    contract_ids: Sequence[str],
    *,
    after: int = 0,
    limit: int | None = None,
) -> Sequence[RowMapping]:
    """Return the movements of the deposits of some contracts behind a number."""
    rows = await connection.execute(
        select(deposit_movements)
        .where(
            deposit_movements.c.branch_id == branch_id,
            deposit_movements.c.contract_id == func.any(list(contract_ids)),
            deposit_movements.c.number > after,
        )
        .order_by(deposit_movements.c.contract_id, deposit_movements.c.number)
        .limit(limit)
    )
    return rows.mappings().all()


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a movement."""
    await connection.execute(insert(deposit_movements).values(**row))
