"""SQL of early exits."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import exit_approvals, exits

_with_approval: Select[*tuple[Any, ...]] = select(
    exits, exit_approvals.c.approved_by, exit_approvals.c.approved_at
).select_from(
    exits.outerjoin(
        exit_approvals,
        (exit_approvals.c.branch_id == exits.c.branch_id)
        & (exit_approvals.c.contract_id == exits.c.contract_id),
    )
)


async def load(connection: AsyncConnection, branch_id: int, contract_id: str) -> RowMapping | None:
    """Return a contract's early exit."""
    rows = await connection.execute(
        _with_approval.where(exits.c.branch_id == branch_id, exits.c.contract_id == contract_id)
    )
    return rows.mappings().one_or_none()


async def put(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert an exit, or rewrite one that is not approved."""
    made = insert_or_not(exits).values(**row)
    changed = {
        name: made.excluded[name] for name in row if name not in {"branch_id", "contract_id"}
    }
    await connection.execute(
        made.on_conflict_do_update(index_elements=["branch_id", "contract_id"], set_=changed)
    )


async def approve(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append an approval."""
    await connection.execute(insert(exit_approvals).values(**row))


async def last_periods(
    connection: AsyncConnection, branch_id: int, contract_ids: Sequence[str]
) -> dict[str, int]:
    """Return the last periods of those contracts that end before their term."""
    rows = await connection.execute(
        select(exits.c.contract_id, exits.c.last_period)
        .join(
            exit_approvals,
            (exit_approvals.c.branch_id == exits.c.branch_id)
            & (exit_approvals.c.contract_id == exits.c.contract_id),
        )
        .where(exits.c.branch_id == branch_id, exits.c.contract_id == func.any(list(contract_ids)))
    )
    return {row.contract_id: row.last_period for row in rows}
