"""SQL of the county's own figures."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.tables import figure_sets, figure_sets_in_force

_versions: Select[*tuple[Any, ...]] = select(
    figure_sets,
    figure_sets_in_force.c.from_period,
    figure_sets_in_force.c.put_in_force_by,
).select_from(
    figure_sets.outerjoin(
        figure_sets_in_force,
        (figure_sets_in_force.c.branch_id == figure_sets.c.branch_id)
        & (figure_sets_in_force.c.version == figure_sets.c.version),
    )
)


async def load(connection: AsyncConnection, branch_id: int, version: int) -> RowMapping | None:
    """Return a version."""
    rows = await connection.execute(
        _versions.where(figure_sets.c.branch_id == branch_id, figure_sets.c.version == version)
    )
    return rows.mappings().one_or_none()


async def page(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> Sequence[RowMapping]:
    """Return versions behind a number."""
    rows = await connection.execute(
        _versions.where(figure_sets.c.branch_id == branch_id, figure_sets.c.version > after)
        .order_by(figure_sets.c.version)
        .limit(limit)
    )
    return rows.mappings().all()


async def in_force(
    connection: AsyncConnection, branch_id: int, period: int, known_at: datetime | None
) -> RowMapping | None:
    """Return the version in force in a period; None before the county has put one in force."""
    table = figure_sets_in_force
    query = _versions.where(figure_sets.c.branch_id == branch_id, table.c.from_period <= period)
    if known_at is not None:
        query = query.where(table.c.put_in_force_at <= known_at)
    rows = await connection.execute(query.order_by(table.c.from_period.desc()).limit(1))
    return rows.mappings().one_or_none()


async def last_period(connection: AsyncConnection, branch_id: int) -> int | None:
    """Return the month from which the newest version is in force."""
    found: int | None = await connection.scalar(
        select(func.max(figure_sets_in_force.c.from_period)).where(
            figure_sets_in_force.c.branch_id == branch_id
        )
    )
    return found


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert a draft."""
    await connection.execute(insert(figure_sets).values(**row))


async def replace(
    connection: AsyncConnection, branch_id: int, version: int, row: Mapping[str, Any]
) -> None:
    """Replace a draft."""
    await connection.execute(
        update(figure_sets)
        .where(figure_sets.c.branch_id == branch_id, figure_sets.c.version == version)
        .values(**row)
    )


async def put_in_force(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append from when on a version is in force."""
    await connection.execute(insert(figure_sets_in_force).values(**row))
