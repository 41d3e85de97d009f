"""SQL of ticket categories."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import ticket_category_activations, ticket_category_sets

_DRAFTING = 28
"""Class of the advisory locks under which a branch's versions are drafted and activated."""
_versions: Select[*tuple[Any, ...]] = select(
    ticket_category_sets,
    ticket_category_activations.c.from_day,
    ticket_category_activations.c.activated_by,
).select_from(
    ticket_category_sets.outerjoin(
        ticket_category_activations,
        (ticket_category_activations.c.branch_id == ticket_category_sets.c.branch_id)
        & (ticket_category_activations.c.version == ticket_category_sets.c.version),
    )
)


async def draft_alone(connection: AsyncConnection, branch_id: int) -> None:
    """Wait until nobody else changes this branch's versions, and keep others waiting."""
    await connection.execute(select(func.pg_advisory_xact_lock(_DRAFTING, branch_id)))


async def load(connection: AsyncConnection, branch_id: int, version: int) -> RowMapping | None:
    """Return a version."""
    rows = await connection.execute(
        _versions.where(
            ticket_category_sets.c.branch_id == branch_id,
            ticket_category_sets.c.version == version,
        )
    )
    return rows.mappings().one_or_none()


async def page(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> Sequence[RowMapping]:
    """Return versions behind a number."""
    rows = await connection.execute(
        _versions.where(
            ticket_category_sets.c.branch_id == branch_id,
            ticket_category_sets.c.version > after,
        )
        .order_by(ticket_category_sets.c.version)
        .limit(limit)
    )
    return rows.mappings().all()


async def in_force(connection: AsyncConnection, branch_id: int, day: date) -> RowMapping | None:
    """Return the version in force on a day; None before the branch has activated one."""
    rows = await connection.execute(
        _versions.where(
            ticket_category_sets.c.branch_id == branch_id,
            ticket_category_activations.c.from_day <= day,
        )
        .order_by(ticket_category_activations.c.from_day.desc())
        .limit(1)
    )
    return rows.mappings().one_or_none()


async def last_day(connection: AsyncConnection, branch_id: int) -> date | None:
    """Return the day from which the newest active version is in force."""
    found: date | None = await connection.scalar(
        select(func.max(ticket_category_activations.c.from_day)).where(
            ticket_category_activations.c.branch_id == branch_id
        )
    )
    return found


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert a draft."""
    await connection.execute(insert(ticket_category_sets).values(**row))


async def replace(
    connection: AsyncConnection, branch_id: int, version: int, row: Mapping[str, Any]
) -> None:
    """Replace a draft."""
    await connection.execute(
        update(ticket_category_sets)
        .where(
            ticket_category_sets.c.branch_id == branch_id,
            ticket_category_sets.c.version == version,
        )
        .values(**row)
    )


async def activate(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append an activation."""
    await connection.execute(insert(ticket_category_activations).values(**row))
