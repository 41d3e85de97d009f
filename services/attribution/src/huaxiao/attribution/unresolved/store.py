"""Rows of unresolved lines, and of how much may be unresolved."""

from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import func, lateral, select, true
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.ledger.store import net_revenue
from huaxiao.attribution.tables import branches, decisions, entries, unresolved_limits
from huaxiao.shared.database import within
from huaxiao.shared.wire.attribution import UnresolvedLimits, UnresolvedLine

# --- limits -------------------------------------------------------------------------------------


async def limits(connection: AsyncConnection, branch_id: int) -> UnresolvedLimits:
    """Return how much of a branch's months may be unresolved, and for how long."""
    table = unresolved_limits
    rows = await connection.execute(
        select(table).where(table.c.branch_id == branch_id).order_by(table.c.number.desc()).limit(1)
    )
    row = rows.one_or_none()
    if row is None:
        return UnresolvedLimits()
    return UnresolvedLimits(**{name: getattr(row, name) for name in UnresolvedLimits.model_fields})


async def set_limits(
    connection: AsyncConnection, branch_id: int, given: UnresolvedLimits, *, by: str, now: datetime
) -> None:
    """Record limits; what is closed keeps those it was closed under."""
    table = unresolved_limits
    newest = await connection.scalar(
        select(func.max(table.c.number)).where(table.c.branch_id == branch_id)
    )
    await connection.execute(
        insert(table).values(
            branch_id=branch_id,
            number=(newest or 0) + 1,
            set_by=by,
            set_at=now,
            **given.model_dump(),
        )
    )


# --- lines --------------------------------------------------------------------------------------


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
    table = decisions
    standing = (
        select(
            table.c.subscription_id,
            table.c.centre_id,
            table.c.field_id,
            table.c.unit_rule,
            table.c.flags,
        )
        .ext(distinct_on(table.c.subscription_id))
        .where(
            table.c.branch_id == branch_id,
            table.c.from_period <= period,
            table.c.subscription_id > after,
        )
        .order_by(table.c.subscription_id, table.c.version.desc(), table.c.from_period.desc())
        .subquery()
    )
    of_line = standing.c.subscription_id
    first_decided = select(func.min(table.c.decided_at)).where(
        table.c.branch_id == branch_id, table.c.subscription_id == of_line
    )
    booked = lateral(
        select(net_revenue().label("amount_fen"))
        .where(
            entries.c.branch_id == branch_id,
            entries.c.subscription_id == of_line,
            entries.c.owner_period == period,
        )
        .having(func.count() > 0)
    ).alias("booked")
    pool = select(branches.c.default_centre_id).where(branches.c.branch_id == branch_id)
    query = (
        select(
            standing,
            first_decided.scalar_subquery().label("decided_at"),
            booked.c.amount_fen,
        )
        .join(booked, true())
        .where(
            (standing.c.centre_id == pool.scalar_subquery())
            | (func.cardinality(standing.c.flags) > 0),
            within(standing.c.centre_id, centre_ids),
        )
        .order_by(of_line)
        .limit(limit)
    )
    if flag is not None:
        query = query.where(standing.c.flags.contains([flag]))
    rows = await connection.execute(query)
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
