"""The ledger: reconcile a period, and state what was known of it."""

from datetime import datetime, timedelta
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.closing import store as closing
from huaxiao.attribution.domain.postings import NET_REVENUE
from huaxiao.attribution.ledger import store
from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.attribution import PeriodState, Reconciliation, Statement


class NotSettledYet(Problem):
    """What was known at a moment is certain only when no booking of it can be on its way."""

    code = "not-settled-yet"
    status = HTTPStatus.CONFLICT
    title = "Ask for a moment at least two minutes ago"
    title_zh = "查询时点须早于两分钟之前"


SETTLED_AFTER = timedelta(minutes=2)
"""Longer than any booking takes: the database ends a transaction that idles or hangs for 30 s."""


async def reconcile(connection: AsyncConnection, branch_id: int, period: int) -> Reconciliation:
    """Hold the balances of a period against the events' own lines."""
    standing = await closing.period(connection, branch_id, period)
    revenue = await store.revenue_by_centre(connection, branch_id, period)
    billed = await store.billed(connection, branch_id, period)
    booked = sum(one.amount_fen for one in revenue)
    pool = await store.default_centre(connection, branch_id)
    unresolved = sum(one.amount_fen for one in revenue if one.centre_id == pool)
    return Reconciliation(
        period=period,
        closed=standing.state is PeriodState.CLOSED,
        billed_fen=billed,
        booked_fen=booked,
        difference_fen=billed - booked,
        attributed_fen=booked - unresolved,
        unresolved_fen=unresolved,
        ledger_sum_fen=await store.ledger_sum(connection, branch_id, period),
        revenue_by_centre=revenue,
        held=await store.held_by_code(connection, branch_id),
    )


async def statement(
    connection: AsyncConnection,
    branch_id: int,
    centre_id: str,
    period: int,
    *,
    known_at: datetime,
    now: datetime,
) -> Statement:
    """Return a centre's period as it was known at a moment: the same for ever.

    Raises:
        NotSettledYet: bookings of that moment may still be on their way.

    """
    if known_at > now - SETTLED_AFTER:
        raise NotSettledYet(latest=(now - SETTLED_AFTER).isoformat())
    lines = await store.statement_lines(connection, branch_id, centre_id, period, known_at)
    digest, count = await store.digest(
        connection, branch_id, period, centre_id=centre_id, known_at=known_at
    )
    return Statement(
        centre_id=centre_id,
        period=period,
        known_at=known_at,
        entries=count,
        lines=lines,
        net_revenue_fen=-sum(one.amount_fen for one in lines if one.account in NET_REVENUE),
        digest=digest,
    )
