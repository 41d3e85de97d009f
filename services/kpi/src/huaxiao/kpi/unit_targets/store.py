"""SQL of units' targets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.tables import (
    unit_target_confirmations,
    unit_target_withdrawals,
    unit_targets,
)

_confirmed, _withdrawn = unit_target_confirmations, unit_target_withdrawals
_targets: Select[*tuple[Any, ...]] = select(
    unit_targets,
    _confirmed.c.confirmed_by,
    _confirmed.c.confirmed_at,
    _withdrawn.c.withdrawn_by,
    _withdrawn.c.withdrawn_at,
    _withdrawn.c.withdrawn_because,
).select_from(
    unit_targets.outerjoin(
        _confirmed,
        (_confirmed.c.branch_id == unit_targets.c.branch_id)
        & (_confirmed.c.target_id == unit_targets.c.target_id),
    ).outerjoin(
        _withdrawn,
        (_withdrawn.c.branch_id == unit_targets.c.branch_id)
        & (_withdrawn.c.target_id == unit_targets.c.target_id),
    )
)


async def load(connection: AsyncConnection, branch_id: int, target_id: str) -> RowMapping | None:
    """Return a target."""
    rows = await connection.execute(
        _targets.where(unit_targets.c.branch_id == branch_id, unit_targets.c.target_id == target_id)
    )
    return rows.mappings().one_or_none()


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    centre_ids: frozenset[str] | None,
    after: str,
    limit: int,
) -> Sequence[RowMapping]:
    """Return targets behind an id: those of the county, and of the centres the caller may see."""
    query = _targets.where(unit_targets.c.branch_id == branch_id, unit_targets.c.target_id > after)
    if centre_ids is not None:
        query = query.where(unit_targets.c.centre_id.in_(sorted(centre_ids)))
    rows = await connection.execute(query.order_by(unit_targets.c.target_id).limit(limit))
    return rows.mappings().all()


async def in_force(
    connection: AsyncConnection,
    branch_id: int,
    *,
    first: int,
    last: int,
    known_at: datetime | None = None,
) -> Sequence[RowMapping]:
    """Return the targets in force in some month, as was known at a moment."""
    query = _targets.where(
        unit_targets.c.branch_id == branch_id,
        unit_targets.c.from_period <= last,
        unit_targets.c.to_period >= first,
        _confirmed.c.confirmed_at.is_not(None),
    )
    if known_at is None:
        query = query.where(_withdrawn.c.withdrawn_at.is_(None))
    else:
        query = query.where(
            _confirmed.c.confirmed_at <= known_at,
            or_(_withdrawn.c.withdrawn_at.is_(None), _withdrawn.c.withdrawn_at > known_at),
        )
    rows = await connection.execute(query.order_by(unit_targets.c.target_id))
    return rows.mappings().all()


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert a draft."""
    await connection.execute(insert(unit_targets).values(**row))


async def replace(
    connection: AsyncConnection, branch_id: int, target_id: str, row: Mapping[str, Any]
) -> None:
    """Replace a draft."""
    await connection.execute(
        update(unit_targets)
        .where(unit_targets.c.branch_id == branch_id, unit_targets.c.target_id == target_id)
        .values(**row)
    )


async def confirm(
    connection: AsyncConnection, branch_id: int, target_id: str, *, by: str, now: datetime
) -> None:
    """Append that a target holds, by whom."""
    await connection.execute(
        insert(_confirmed).values(
            branch_id=branch_id, target_id=target_id, confirmed_by=by, confirmed_at=now
        )
    )


async def withdraw(
    connection: AsyncConnection,
    branch_id: int,
    target_id: str,
    *,
    reason: str,
    by: str,
    now: datetime,
) -> None:
    """Append that a target holds no more, and why."""
    await connection.execute(
        insert(_withdrawn).values(
            branch_id=branch_id,
            target_id=target_id,
            withdrawn_by=by,
            withdrawn_at=now,
            withdrawn_because=reason,
        )
    )
