"""The ledger: reconcile a period, and close it."""

from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.intake.store import lock
from huaxiao.attribution.ledger import store
from huaxiao.attribution.tables import feed
from huaxiao.shared import periods
from huaxiao.shared.feed import NewFact
from huaxiao.shared.problems import NotFound, Problem
from huaxiao.shared.wire.attribution import PERIOD_CLOSED, Period, PeriodClosed, Reconciliation


class PeriodNotOver(Problem):
    """Events of a period may still happen while it lasts."""

    code = "period-not-over"
    status = HTTPStatus.CONFLICT
    title = "This period is not over yet"
    title_zh = "该账期尚未结束"


class EarlierPeriodOpen(Problem):
    """Periods close in order."""

    code = "earlier-period-open"
    status = HTTPStatus.CONFLICT
    title = "An earlier period with bookings is still open"
    title_zh = "更早的账期尚未关闭"


async def reconcile(connection: AsyncConnection, branch_id: int, period: int) -> Reconciliation:
    """Hold the balances of a period against the events' own lines."""
    revenue = await store.revenue_by_centre(connection, branch_id, period)
    billed = await store.billed(connection, branch_id, period)
    booked = sum(one.amount_fen for one in revenue)
    return Reconciliation(
        period=period,
        closed=await store.period(connection, branch_id, period) is not None,
        billed_fen=billed,
        booked_fen=booked,
        difference_fen=billed - booked,
        ledger_sum_fen=await store.ledger_sum(connection, branch_id, period),
        revenue_by_centre=revenue,
        held=await store.held_by_code(connection, branch_id),
    )


async def close(
    connection: AsyncConnection, branch_id: int, period: int, *, by: str, now: datetime
) -> Period:
    """Close a period; a closed one stays as it is.

    Raises:
        NotFound: the branch is not known.
        PeriodNotOver: the period has not ended.
        EarlierPeriodOpen: something is booked in an open period before it.

    """
    intake = await lock(connection, branch_id)
    if intake is None:
        raise NotFound
    closed = await store.period(connection, branch_id, period)
    if closed is not None:
        return closed
    if now < periods.ends_at(periods.Period(period)):
        raise PeriodNotOver
    through = intake.closed_through or 0
    earliest = await store.first_period_with_entries(connection, branch_id, after=through)
    if period <= through or (earliest is not None and earliest < period):
        raise EarlierPeriodOpen(period=earliest)
    await store.close(connection, branch_id, period, by=by, now=now)
    fact = NewFact(PERIOD_CLOSED, str(period), PeriodClosed(period=period))
    await feed.append(connection, branch_id, [fact], now=now)
    return Period(period=period, closed=True, closed_at=now)
