"""Rows of unresolved lines."""

from collections.abc import Set as AbstractSet

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.ledger.store import NET_REVENUE
from huaxiao.shared.wire.attribution import UnresolvedLine

_UNRESOLVED = text(
    "SELECT d.subscription_id, d.centre_id, d.field_id, d.unit_rule, d.flags, first.decided_at,"
    " coalesce(booked.amount_fen, 0) AS amount_fen FROM ("
    "  SELECT DISTINCT ON (subscription_id) subscription_id, centre_id, field_id, unit_rule, flags"
    "  FROM attribution.decisions WHERE branch_id = :branch_id AND period = :period"
    "  AND subscription_id > :after ORDER BY subscription_id, version DESC) d"
    " JOIN attribution.branches b ON b.branch_id = :branch_id"
    " CROSS JOIN LATERAL (SELECT min(decided_at) AS decided_at FROM attribution.decisions"
    "  WHERE branch_id = :branch_id AND subscription_id = d.subscription_id) first"
    " LEFT JOIN LATERAL (SELECT sum(CASE WHEN credit = ANY(:accounts) THEN amount_fen"
    "  WHEN debit = ANY(:accounts) THEN -amount_fen ELSE 0 END) AS amount_fen"
    "  FROM attribution.entries WHERE branch_id = :branch_id"
    "  AND subscription_id = d.subscription_id AND owner_period = :period) booked ON true"
    " WHERE (d.centre_id = b.default_centre_id OR cardinality(d.flags) > 0)"
    " AND (CAST(:flag AS text) IS NULL OR :flag = ANY(d.flags))"
    " AND (CAST(:centre_ids AS text[]) IS NULL OR d.centre_id = ANY(:centre_ids))"
    " ORDER BY d.subscription_id LIMIT :limit"
)


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: int,
    flag: str | None,
    centre_ids: AbstractSet[str] | None,
    after: str,
    limit: int,
) -> list[UnresolvedLine]:
    """Return a month's lines in the pool or with a flag, by subscription."""
    rows = await connection.execute(
        _UNRESOLVED,
        {
            "branch_id": branch_id,
            "period": period,
            "flag": flag,
            "centre_ids": None if centre_ids is None else sorted(centre_ids),
            "accounts": list(NET_REVENUE),
            "after": after,
            "limit": limit,
        },
    )
    return [
        UnresolvedLine(
            subscription_id=row.subscription_id,
            centre_id=row.centre_id,
            field_id=row.field_id,
            unit_rule=row.unit_rule,
            flags=list(row.flags),
            since=row.decided_at,
            revenue_fen=int(row.amount_fen),
        )
        for row in rows
    ]
