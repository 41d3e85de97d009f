"""Rows of rulings and of their approvals."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.tables import ruling_approvals, rulings
from huaxiao.shared.wire.attribution import Ruling, RulingIn


def _approved() -> Select[Any]:
    return select(
        rulings, ruling_approvals.c.approved_at, ruling_approvals.c.approved_by
    ).outerjoin(
        ruling_approvals,
        and_(
            ruling_approvals.c.branch_id == rulings.c.branch_id,
            ruling_approvals.c.ruling_id == rulings.c.ruling_id,
        ),
    )


async def one(connection: AsyncConnection, branch_id: int, ruling_id: str) -> Ruling | None:
    """Return a ruling, approved or not."""
    row = (
        await connection.execute(
            _approved().where(rulings.c.branch_id == branch_id, rulings.c.ruling_id == ruling_id)
        )
    ).one_or_none()
    return None if row is None else _ruling(row)


async def page(
    connection: AsyncConnection, branch_id: int, *, after: str, limit: int
) -> list[Ruling]:
    """Return the branch's rulings by identifier."""
    rows = await connection.execute(
        _approved()
        .where(rulings.c.branch_id == branch_id, rulings.c.ruling_id > after)
        .order_by(rulings.c.ruling_id)
        .limit(limit)
    )
    return [_ruling(row) for row in rows]


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    ruling_id: str,
    given: RulingIn,
    *,
    by: str,
    now: datetime,
) -> None:
    """Record a ruling that somebody proposes."""
    await connection.execute(
        insert(rulings).values(
            branch_id=branch_id,
            ruling_id=ruling_id,
            drafted_by=by,
            drafted_at=now,
            **given.model_dump(),
        )
    )


async def approve(
    connection: AsyncConnection, branch_id: int, ruling_id: str, *, by: str, now: datetime
) -> None:
    """Record who approves a ruling."""
    await connection.execute(
        insert(ruling_approvals).values(
            branch_id=branch_id, ruling_id=ruling_id, approved_by=by, approved_at=now
        )
    )


def _ruling(row: Row[Any]) -> Ruling:
    return Ruling.model_validate(row._mapping)  # noqa: SLF001 - SQLAlchemy's name
