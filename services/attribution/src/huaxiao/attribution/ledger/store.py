"""Rows of the ledger: what is read of them, and the closing of periods."""

from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.tables import balances, entries, held_events, intakes, periods
from huaxiao.shared.database import within
from huaxiao.shared.wire.attribution import (
    ADJUSTMENTS,
    REFUNDS,
    REVENUE,
    Balance,
    CentreRevenue,
    Entry,
    Period,
)

NET_REVENUE = (REVENUE, REFUNDS, ADJUSTMENTS)
"""The accounts whose sum, with its sign turned, is net revenue."""
BalanceKey = tuple[str, str, str]


async def balance_page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: int,
    centre_id: str | None,
    centre_ids: AbstractSet[str] | None,
    after: BalanceKey,
    limit: int,
) -> list[Balance]:
    """Return balances of a period by centre, field and account."""
    table = balances
    query = (
        select(table)
        .where(
            table.c.branch_id == branch_id,
            table.c.period == period,
            tuple_(table.c.centre_id, table.c.field_id, table.c.account) > after,
            within(table.c.centre_id, centre_ids),
        )
        .order_by(table.c.centre_id, table.c.field_id, table.c.account)
        .limit(limit)
    )
    if centre_id is not None:
        query = query.where(table.c.centre_id == centre_id)
    return [
        Balance(
            centre_id=row.centre_id,
            field_id=row.field_id or None,
            account=row.account,
            period=row.period,
            amount_fen=row.amount_fen,
        )
        for row in await connection.execute(query)
    ]


async def entry_page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: int | None,
    centre_id: str | None,
    subscription_id: str | None,
    centre_ids: AbstractSet[str] | None,
    after: int,
    limit: int,
) -> list[Entry]:
    """Return ledger lines in the order they were booked."""
    table = entries
    query = select(table).where(
        table.c.branch_id == branch_id,
        table.c.number > after,
        within(table.c.centre_id, centre_ids),
    )
    if period is not None:
        query = query.where(table.c.period == period)
    if centre_id is not None:
        query = query.where(table.c.centre_id == centre_id)
    if subscription_id is not None:
        query = query.where(table.c.subscription_id == subscription_id)
    rows = await connection.execute(query.order_by(table.c.number).limit(limit))
    return [Entry.model_validate(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's name


async def revenue_by_centre(
    connection: AsyncConnection, branch_id: int, period: int
) -> list[CentreRevenue]:
    """Return net revenue by centre, from the balances."""
    table = balances
    rows = await connection.execute(
        select(table.c.centre_id, (-func.sum(table.c.amount_fen)).label("amount_fen"))
        .where(
            table.c.branch_id == branch_id,
            table.c.period == period,
            table.c.account.in_(NET_REVENUE),
        )
        .group_by(table.c.centre_id)
        .order_by(table.c.centre_id)
    )
    return [CentreRevenue(centre_id=row.centre_id, amount_fen=int(row.amount_fen)) for row in rows]


async def revenue_by_subscription(
    connection: AsyncConnection, branch_id: int, owner_period: int
) -> dict[str, int]:
    """Return net revenue of the charges of a period, and of what mirrors them, by subscription."""
    rows = await connection.execute(
        text(
            "SELECT subscription_id, sum(CASE WHEN credit = ANY(:accounts) THEN amount_fen"
            " WHEN debit = ANY(:accounts) THEN -amount_fen ELSE 0 END) AS amount_fen"
            " FROM attribution.entries WHERE branch_id = :branch_id"
            " AND owner_period = :owner_period AND subscription_id IS NOT NULL"
            " GROUP BY subscription_id"
        ),
        {"branch_id": branch_id, "owner_period": owner_period, "accounts": list(NET_REVENUE)},
    )
    return {row.subscription_id: int(row.amount_fen) for row in rows}


async def ledger_sum(connection: AsyncConnection, branch_id: int, period: int) -> int:
    """Sum every balance of a period; it is zero while the books are sound."""
    return int(
        await connection.scalar(
            select(func.coalesce(func.sum(balances.c.amount_fen), 0)).where(
                balances.c.branch_id == branch_id, balances.c.period == period
            )
        )
        or 0
    )


async def billed(connection: AsyncConnection, branch_id: int, period: int) -> int:
    """Return net revenue from the ledger's lines that events made, not from balances."""
    return int(
        await connection.scalar(
            text(
                "SELECT coalesce(sum(CASE"
                " WHEN credit IN ('revenue', 'adjustments') THEN amount_fen"
                " WHEN debit IN ('refunds', 'adjustments') THEN -amount_fen ELSE 0 END), 0)"
                " FROM attribution.entries WHERE branch_id = :branch_id AND period = :period"
                " AND source <> '/attribution'"
            ),
            {"branch_id": branch_id, "period": period},
        )
        or 0
    )


async def held_by_code(connection: AsyncConnection, branch_id: int) -> dict[str, int]:
    """Count what is in quarantine by its reason."""
    table = held_events
    rows = await connection.execute(
        select(table.c.code, func.count())
        .where(table.c.branch_id == branch_id, table.c.resolved_at.is_(None))
        .group_by(table.c.code)
        .order_by(table.c.code)
    )
    return {row[0]: row[1] for row in rows}


async def period(connection: AsyncConnection, branch_id: int, number: int) -> Period | None:
    """Return a closed period; None while it is open."""
    row = (
        await connection.execute(
            select(periods).where(periods.c.branch_id == branch_id, periods.c.period == number)
        )
    ).one_or_none()
    return None if row is None else Period(period=number, closed=True, closed_at=row.closed_at)


async def first_period_with_entries(
    connection: AsyncConnection, branch_id: int, *, after: int
) -> int | None:
    """Return the earliest period behind one that anything was booked in."""
    found: int | None = await connection.scalar(
        select(func.min(balances.c.period)).where(
            balances.c.branch_id == branch_id, balances.c.period > after
        )
    )
    return found


async def close(
    connection: AsyncConnection, branch_id: int, number: int, *, by: str, now: datetime
) -> None:
    """Close a period, and with it every one before."""
    await connection.execute(
        insert(periods).values(branch_id=branch_id, period=number, closed_at=now, closed_by=by)
    )
    await connection.execute(
        update(intakes).where(intakes.c.branch_id == branch_id).values(closed_through=number)
    )
