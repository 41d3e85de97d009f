"""Rows of rulings and of their approvals."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.tables import disputes, ruled_subscriptions, ruling_approvals, rulings
from huaxiao.shared.wire.attribution import Ruling, RulingIn


def _approved() -> Select[Any]:
    named = ruled_subscriptions
    return select(
        rulings,
        ruling_approvals.c.approved_at,
        ruling_approvals.c.approved_by,
        select(func.array_agg(aggregate_order_by(named.c.subscription_id, named.c.position)))
        .where(
            named.c.branch_id == rulings.c.branch_id,
            named.c.ruling_id == rulings.c.ruling_id,
        )
        .scalar_subquery()
        .label("subscription_ids"),
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
    dispute_id: str | None,
    by: str,
    now: datetime,
) -> None:
    """Record a ruling that somebody proposes."""
    await connection.execute(
        insert(rulings).values(
            branch_id=branch_id,
            ruling_id=ruling_id,
            dispute_id=dispute_id,
            drafted_by=by,
            drafted_at=now,
            **given.model_dump(exclude={"subscription_ids"}),
        )
    )
    await connection.execute(
        insert(ruled_subscriptions),
        [
            {
                "branch_id": branch_id,
                "ruling_id": ruling_id,
                "position": position,
                "subscription_id": subscription_id,
            }
            for position, subscription_id in enumerate(given.subscription_ids)
        ],
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


async def after_approvals(connection: AsyncConnection, branch_id: int) -> datetime | None:
    """Return the first moment after every approval and every end of a dispute; None before the first.

    Of two rulings the later stands, and what a dispute has decided stands until one is later.
    """
    approved = select(func.max(ruling_approvals.c.approved_at)).where(
        ruling_approvals.c.branch_id == branch_id
    )
    ended = select(func.max(disputes.c.ended_at)).where(disputes.c.branch_id == branch_id)
    newest: datetime | None = await connection.scalar(
        select(func.greatest(approved.scalar_subquery(), ended.scalar_subquery()))
    )
    return None if newest is None else newest + datetime.resolution


def _ruling(row: Row[Any]) -> Ruling:
    return Ruling.model_validate(row._mapping)  # noqa: SLF001 - SQLAlchemy's name
