"""SQL of branches and divisions."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import RowMapping, Table, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import address_units, branches, divisions
from huaxiao.shared.problems import NotFound


async def add_branch(connection: AsyncConnection, row: Mapping[str, Any]) -> bool:
    """Insert a branch; False when its code is taken."""
    added = await connection.execute(
        insert(branches).values(**row).on_conflict_do_nothing().returning(branches.c.branch_id)
    )
    return added.one_or_none() is not None


async def branch(connection: AsyncConnection, branch_id: int, *, lock: bool = False) -> RowMapping:
    """Return a branch; with ``lock``, alone among those who ask for the lock.

    Raises:
        NotFound: it is not registered.

    """
    query = select(branches).where(branches.c.branch_id == branch_id)
    # NO KEY UPDATE: rows that refer to the branch may still be added meanwhile.
    rows = await connection.execute(query.with_for_update(key_share=True) if lock else query)
    found = rows.mappings().one_or_none()
    if found is None:
        raise NotFound
    return found


async def page_of_branches(
    connection: AsyncConnection,
    branch_ids: AbstractSet[int] | None,
    *,
    after: int,
    limit: int,
) -> Sequence[RowMapping]:
    """Return branches behind a code, of those named; None is all of them."""
    query = select(branches.c.branch_id, branches.c.name_zh).where(branches.c.branch_id > after)
    if branch_ids is not None:
        query = query.where(branches.c.branch_id.in_(sorted(branch_ids)))
    rows = await connection.execute(query.order_by(branches.c.branch_id).limit(limit))
    return rows.mappings().all()


async def add_divisions(
    connection: AsyncConnection, branch_id: int, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Insert divisions whose codes are not there yet; return how many."""
    added = await connection.execute(
        insert(divisions).on_conflict_do_nothing().returning(divisions.c.code),
        [{"branch_id": branch_id, **row} for row in rows],
    )
    return len(added.all())


async def known_divisions(
    connection: AsyncConnection, branch_id: int, codes: Sequence[str]
) -> Sequence[RowMapping]:
    """Return the divisions with these codes."""
    rows = await connection.execute(
        select(divisions).where(divisions.c.branch_id == branch_id, divisions.c.code.in_(codes))
    )
    return rows.mappings().all()


async def page_of_divisions(
    connection: AsyncConnection, branch_id: int, *, after: str, limit: int
) -> Sequence[RowMapping]:
    """Return divisions behind a code."""
    rows = await connection.execute(
        select(divisions)
        .where(divisions.c.branch_id == branch_id, divisions.c.code > after)
        .order_by(divisions.c.code)
        .limit(limit)
    )
    return rows.mappings().all()


async def add_units(
    connection: AsyncConnection, branch_id: int, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Insert address units whose codes are not there yet; return how many."""
    added = await connection.execute(
        insert(address_units).on_conflict_do_nothing().returning(address_units.c.code),
        [{"branch_id": branch_id, **row} for row in rows],
    )
    return len(added.all())


async def known_units(
    connection: AsyncConnection, branch_id: int, codes: Sequence[str]
) -> Sequence[RowMapping]:
    """Return the address units with these codes."""
    rows = await connection.execute(
        select(address_units).where(
            address_units.c.branch_id == branch_id, address_units.c.code == func.any(list(codes))
        )
    )
    return rows.mappings().all()


async def page_of_units(
    connection: AsyncConnection, branch_id: int, *, after: str, limit: int
) -> Sequence[RowMapping]:
    """Return address units behind a code."""
    rows = await connection.execute(
        select(address_units)
        .where(address_units.c.branch_id == branch_id, address_units.c.code > after)
        .order_by(address_units.c.code)
        .limit(limit)
    )
    return rows.mappings().all()


async def next_number(connection: AsyncConnection, table: Table, branch_id: int) -> int:
    """Return the next number of a branch's rows; the caller holds the branch's lock."""
    last = await connection.scalar(
        select(func.max(table.c.number)).where(table.c.branch_id == branch_id)
    )
    return (last or 0) + 1
