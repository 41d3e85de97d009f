"""Rows of payments that were remitted short."""

from collections.abc import Set as AbstractSet

from sqlalchemy import and_, lateral, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.explanations.store import standing
from huaxiao.attribution.tables import decisions, documents
from huaxiao.shared.database import within
from huaxiao.shared.wire.attribution import Shortfall


async def short(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: int,
    centre_ids: AbstractSet[str] | None,
    after: str,
    limit: int,
) -> list[Shortfall]:
    """Return a month's payments of which less reached the bank than was taken, by number."""
    paid = documents
    owner = lateral(
        standing(paid.c.branch_id, paid.c.subscription_id, paid.c.period, decisions.c.centre_id)
    ).alias("owner")
    rows = await connection.execute(
        select(paid, owner.c.centre_id)
        .join(owner, true())
        .where(
            and_(
                paid.c.branch_id == branch_id,
                paid.c.kind == "payment",
                paid.c.period == period,
                paid.c.remitted_fen < paid.c.amount_fen,
                paid.c.document_id > after,
                within(owner.c.centre_id, centre_ids),
            )
        )
        .order_by(paid.c.document_id)
        .limit(limit)
    )
    return [
        Shortfall(
            payment_id=row.document_id,
            subscription_id=row.subscription_id,
            centre_id=row.centre_id,
            channel_id=row.channel_id,
            period=row.period,
            amount_fen=row.amount_fen,
            remitted_fen=row.remitted_fen,
            missing_fen=row.amount_fen - row.remitted_fen,
        )
        for row in rows
    ]
