"""SQL of refused changes."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import refused_changes
from huaxiao.shared.database import within

_NUMBERING = 21
"""Class of the advisory locks under which a branch's refusals are numbered, one at a time."""


async def add(connection: AsyncConnection, branch_id: int, row: Mapping[str, Any]) -> None:
    """Append a refused change under the branch's next number."""
    await connection.execute(select(func.pg_advisory_xact_lock(_NUMBERING, branch_id)))
    # Asked for only once the lock is held: a statement sees what was committed before it began.
    last = await connection.scalar(
        select(func.max(refused_changes.c.number)).where(refused_changes.c.branch_id == branch_id)
    )
    await connection.execute(
        insert(refused_changes).values(branch_id=branch_id, number=(last or 0) + 1, **row)
    )


async def page(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    after: int,
    limit: int,
) -> Sequence[RowMapping]:
    """Return refused changes within the scope behind a number, without what was asked for."""
    columns = [column for column in refused_changes.c if column is not refused_changes.c.asked]
    rows = await connection.execute(
        select(*columns)
        .where(
            refused_changes.c.branch_id == branch_id,
            refused_changes.c.number > after,
            within(refused_changes.c.centre_id, centre_ids),
        )
        .order_by(refused_changes.c.number)
        .limit(limit)
    )
    return rows.mappings().all()


async def load(
    connection: AsyncConnection,
    branch_id: int,
    number: int,
    centre_ids: AbstractSet[str] | None,
) -> RowMapping | None:
    """Return a refused change within the scope."""
    rows = await connection.execute(
        select(refused_changes).where(
            refused_changes.c.branch_id == branch_id,
            refused_changes.c.number == number,
            within(refused_changes.c.centre_id, centre_ids),
        )
    )
    return rows.mappings().one_or_none()
