"""SQL of the share register."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import companies, share_movements


async def company(
    connection: AsyncConnection, branch_id: int, *, lock: bool = False
) -> RowMapping | None:
    """Return a branch's company, locked for this transaction if asked."""
    query = select(companies).where(companies.c.branch_id == branch_id)
    rows = await connection.execute(query.with_for_update() if lock else query)
    return rows.mappings().one_or_none()


async def add_company(connection: AsyncConnection, row: Mapping[str, Any]) -> bool:
    """Insert a company; False when the branch has one."""
    added = await connection.execute(
        insert_or_not(companies)
        .values(**row)
        .on_conflict_do_nothing()
        .returning(companies.c.branch_id)
    )
    return added.one_or_none() is not None


async def movements(
    connection: AsyncConnection,
    branch_id: int,
    *,
    person_id: str | None = None,
    after: int = 0,
    limit: int | None = None,
) -> Sequence[RowMapping]:
    """Return movements behind a number, all or those of a person."""
    query = select(share_movements).where(
        share_movements.c.branch_id == branch_id, share_movements.c.number > after
    )
    if person_id is not None:
        query = query.where(
            or_(
                share_movements.c.from_person == person_id,
                share_movements.c.to_person == person_id,
            )
        )
    rows = await connection.execute(query.order_by(share_movements.c.number).limit(limit))
    return rows.mappings().all()


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a movement."""
    await connection.execute(insert(share_movements).values(**row))
