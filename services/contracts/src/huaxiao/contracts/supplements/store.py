"""SQL of supplements."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import supplement_signatures, supplements


async def of_contracts(
    connection: AsyncConnection,
    branch_id: int,
    contract_ids: Sequence[str],
    *,
    after: int = 0,
    limit: int | None = None,
) -> Sequence[RowMapping]:
    """Return the supplements of some contracts behind a number."""
    rows = await connection.execute(
        select(supplements)
        .where(
            supplements.c.branch_id == branch_id,
            supplements.c.contract_id == func.any(list(contract_ids)),
            supplements.c.number > after,
        )
        .order_by(supplements.c.contract_id, supplements.c.number)
        .limit(limit)
    )
    return rows.mappings().all()


async def signatures(
    connection: AsyncConnection, branch_id: int, contract_ids: Sequence[str]
) -> dict[tuple[str, int], list[RowMapping]]:
    """Return who has signed what, by contract and number."""
    table = supplement_signatures
    rows = await connection.execute(
        select(table)
        .where(table.c.branch_id == branch_id, table.c.contract_id == func.any(list(contract_ids)))
        .order_by(table.c.signed_at)
    )
    found: dict[tuple[str, int], list[RowMapping]] = {}
    for row in rows.mappings():
        found.setdefault((row["contract_id"], row["number"]), []).append(row)
    return found


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a supplement."""
    await connection.execute(insert(supplements).values(**row))


async def sign(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a side's signature."""
    await connection.execute(insert(supplement_signatures).values(**row))
