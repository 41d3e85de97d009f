"""SQL of the service levels."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import service_levels, service_levels_in_force

_versions: Select[*tuple[Any, ...]] = select(
    service_levels,
    service_levels_in_force.c.from_day,
    service_levels_in_force.c.put_in_force_by,
).select_from(
    service_levels.outerjoin(
        service_levels_in_force,
        (service_levels_in_force.c.branch_id == service_levels.c.branch_id)
        & (service_levels_in_force.c.version == service_levels.c.version),
    )
)


async def load(connection: AsyncConnection, branch_id: int, version: int) -> RowMapping | None:
    """Return a version."""
    rows = await connection.execute(
        _versions.where(
            service_levels.c.branch_id == branch_id, service_levels.c.version == version
        )
    )
    return rows.mappings().one_or_none()


async def page(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> Sequence[RowMapping]:
    """Return versions behind a number."""
    rows = await connection.execute(
        _versions.where(service_levels.c.branch_id == branch_id, service_levels.c.version > after)
        .order_by(service_levels.c.version)
        .limit(limit)
    )
    return rows.mappings().all()


async def in_force(connection: AsyncConnection, branch_id: int, day: date) -> RowMapping | None:
    """Return the version in force on a day; None before the county has put one in force."""
    rows = await connection.execute(
        _versions.where(
            service_levels.c.branch_id == branch_id, service_levels_in_force.c.from_day <= day
        )
        .order_by(service_levels_in_force.c.from_day.desc())
        .limit(1)
    )
    return rows.mappings().one_or_none()


async def last_day(connection: AsyncConnection, branch_id: int) -> date | None:
    """Return the day from which the newest version is in force."""
    found: date | None = await connection.scalar(
        select(func.max(service_levels_in_force.c.from_day)).where(
            service_levels_in_force.c.branch_id == branch_id
        )
    )
    return found


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert a draft."""
    await connection.execute(insert(service_levels).values(**row))


async def replace(
    connection: AsyncConnection, branch_id: int, version: int, row: Mapping[str, Any]
) -> None:
    """Replace a draft."""
    await connection.execute(
        update(service_levels)
        .where(service_levels.c.branch_id == branch_id, service_levels.c.version == version)
        .values(**row)
    )


async def put_in_force(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append from when on a version is in force."""
    await connection.execute(insert(service_levels_in_force).values(**row))
