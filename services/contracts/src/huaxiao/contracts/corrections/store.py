"""SQL of corrections."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, and_, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import correction_approvals, corrections

_with_approval: Select[*tuple[Any, ...]] = select(
    corrections, correction_approvals.c.approved_by, correction_approvals.c.approved_at
).select_from(
    corrections.outerjoin(
        correction_approvals,
        and_(
            correction_approvals.c.branch_id == corrections.c.branch_id,
            correction_approvals.c.contract_id == corrections.c.contract_id,
            correction_approvals.c.number == corrections.c.number,
        ),
    )
)


async def of_contracts(
    connection: AsyncConnection,
    branch_id: int,
    contract_ids: Sequence[str],
    *,
    after: int = 0,
    limit: int | None = None,
) -> Sequence[RowMapping]:
    """Return the corrections of some contracts behind a number, approved or not."""
    rows = await connection.execute(
        _with_approval.where(
            corrections.c.branch_id == branch_id,
            corrections.c.contract_id == func.any(list(contract_ids)),
            corrections.c.number > after,
        )
        .order_by(corrections.c.contract_id, corrections.c.number)
        .limit(limit)
    )
    return rows.mappings().all()


async def load(
    connection: AsyncConnection, branch_id: int, contract_id: str, number: int
) -> RowMapping | None:
    """Return a correction."""
    rows = await connection.execute(
        _with_approval.where(
            corrections.c.branch_id == branch_id,
            corrections.c.contract_id == contract_id,
            corrections.c.number == number,
        )
    )
    return rows.mappings().one_or_none()


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> int:
    """Append a correction under the contract's next number, which the caller's lock keeps free."""
    number = (
        select(func.coalesce(func.max(corrections.c.number), 0) + 1)
        .where(
            corrections.c.branch_id == row["branch_id"],
            corrections.c.contract_id == row["contract_id"],
        )
        .scalar_subquery()
    )
    made = await connection.execute(
        insert(corrections).values(**row, number=number).returning(corrections.c.number)
    )
    return int(made.scalar_one())


async def approve(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append an approval."""
    await connection.execute(insert(correction_approvals).values(**row))
