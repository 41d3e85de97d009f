"""SQL of the negative list."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import inquiries, negative_list_activations, negative_lists
from huaxiao.shared.database import within

_versions: Select[*tuple[Any, ...]] = select(
    negative_lists,
    negative_list_activations.c.from_day,
    negative_list_activations.c.activated_by,
).select_from(
    negative_lists.outerjoin(
        negative_list_activations,
        (negative_list_activations.c.branch_id == negative_lists.c.branch_id)
        & (negative_list_activations.c.version == negative_lists.c.version),
    )
)


async def load(connection: AsyncConnection, branch_id: int, version: int) -> RowMapping | None:
    """Return a version."""
    rows = await connection.execute(
        _versions.where(
            negative_lists.c.branch_id == branch_id, negative_lists.c.version == version
        )
    )
    return rows.mappings().one_or_none()


async def page(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> Sequence[RowMapping]:
    """Return versions behind a number."""
    rows = await connection.execute(
        _versions.where(negative_lists.c.branch_id == branch_id, negative_lists.c.version > after)
        .order_by(negative_lists.c.version)
        .limit(limit)
    )
    return rows.mappings().all()


async def in_force(connection: AsyncConnection, branch_id: int, day: date) -> RowMapping | None:
    """Return the version in force on a day; None before the branch has activated one."""
    rows = await connection.execute(
        _versions.where(
            negative_lists.c.branch_id == branch_id, negative_list_activations.c.from_day <= day
        )
        .order_by(negative_list_activations.c.from_day.desc())
        .limit(1)
    )
    return rows.mappings().one_or_none()


async def last_day(connection: AsyncConnection, branch_id: int) -> date | None:
    """Return the day from which the newest active version is in force."""
    found: date | None = await connection.scalar(
        select(func.max(negative_list_activations.c.from_day)).where(
            negative_list_activations.c.branch_id == branch_id
        )
    )
    return found


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert a draft."""
    await connection.execute(insert(negative_lists).values(**row))


async def replace(
    connection: AsyncConnection, branch_id: int, version: int, row: Mapping[str, Any]
) -> None:
    """Replace a draft."""
    await connection.execute(
        update(negative_lists)
        .where(negative_lists.c.branch_id == branch_id, negative_lists.c.version == version)
        .values(**row)
    )


async def activate(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append an activation."""
    await connection.execute(insert(negative_list_activations).values(**row))


async def add_inquiry(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a question and its answer."""
    await connection.execute(insert(inquiries).values(**row))


async def inquiry_page(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    after: int,
    limit: int,
) -> Sequence[RowMapping]:
    """Return questions within the scope behind a number, with their answers."""
    rows = await connection.execute(
        select(inquiries)
        .where(
            inquiries.c.branch_id == branch_id,
            inquiries.c.number > after,
            within(inquiries.c.centre_id, centre_ids),
        )
        .order_by(inquiries.c.number)
        .limit(limit)
    )
    return rows.mappings().all()
