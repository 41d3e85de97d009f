"""The ledger: reconcile a period, and close it."""

from datetime import datetime, timedelta
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.postings import NET_REVENUE
from huaxiao.attribution.intake.store import lock
from huaxiao.attribution.ledger import store
from huaxiao.attribution.tables import feed
from huaxiao.shared import periods
from huaxiao.shared.feed import NewFact
from huaxiao.shared.problems import NotFound, Problem
from huaxiao.shared.wire.attribution import (
    PERIOD_CLOSED,
    Period,
    PeriodClosed,
    PeriodState,
    Reconciliation,
    Statement,
    Verification,
)


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


class ClosingNotBegun(Problem):
    """One person begins to close a period, another one closes it."""

    code = "closing-not-begun"
    status = HTTPStatus.CONFLICT
    title = "Nobody has begun to close this period"
    title_zh = "该账期尚未开始关账"


class TwoPeople(Problem):
    """The one who began may not be the one who finishes."""

    code = "two-people"
    status = HTTPStatus.CONFLICT
    title = "Somebody else must finish what you have begun"
    title_zh = "须由另一人完成此操作"


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
    revenue = await store.revenue_by_centre(connection, branch_id, period)
    billed = await store.billed(connection, branch_id, period)
    booked = sum(one.amount_fen for one in revenue)
    pool = await store.default_centre(connection, branch_id)
    unresolved = sum(one.amount_fen for one in revenue if one.centre_id == pool)
    return Reconciliation(
        period=period,
        closed=(await store.period(connection, branch_id, period)).state is PeriodState.CLOSED,
        billed_fen=billed,
        booked_fen=booked,
        difference_fen=billed - booked,
        attributed_fen=booked - unresolved,
        unresolved_fen=unresolved,
        ledger_sum_fen=await store.ledger_sum(connection, branch_id, period),
        revenue_by_centre=revenue,
        held=await store.held_by_code(connection, branch_id),
    )


async def begin_closing(
    connection: AsyncConnection, branch_id: int, period: int, *, by: str, now: datetime
) -> Period:
    """Begin to close a period; it goes on taking entries until another person closes it.

    Raises:
        NotFound: the branch is not known.
        PeriodNotOver: the period has not ended.
        EarlierPeriodOpen: something is booked in an open period before it.

    """
    intake = await lock(connection, branch_id)
    if intake is None:
        raise NotFound
    found = await store.period(connection, branch_id, period)
    if found.state is not PeriodState.OPEN:
        return found
    await _require_next(connection, branch_id, period, through=intake.closed_through, now=now)
    await store.begin_closing(connection, branch_id, period, by=by, now=now)
    return await store.period(connection, branch_id, period)


async def close(
    connection: AsyncConnection, branch_id: int, period: int, *, by: str, now: datetime
) -> Period:
    """Close a period that somebody else has begun to close, and seal its entries.

    Raises:
        NotFound: the branch is not known.
        ClosingNotBegun: nobody has begun to close it.
        TwoPeople: the one who began may not finish.
        EarlierPeriodOpen: something is booked in an open period before it.

    """
    intake = await lock(connection, branch_id)
    if intake is None:
        raise NotFound
    found = await store.period(connection, branch_id, period)
    if found.state is PeriodState.CLOSED:
        return found
    begun_by = await store.begun_by(connection, branch_id, period)
    if begun_by is None:
        raise ClosingNotBegun
    if begun_by == by:
        raise TwoPeople
    await _require_next(connection, branch_id, period, through=intake.closed_through, now=now)
    before = await store.seal_before(connection, branch_id, period)
    seal, count = await store.digest(connection, branch_id, period, before=before)
    await store.close(connection, branch_id, period, by=by, now=now, sealed=(seal, before, count))
    fact = NewFact(PERIOD_CLOSED, str(period), PeriodClosed(period=period, seal=seal))
    await feed.append(connection, branch_id, [fact], now=now)
    return await store.period(connection, branch_id, period)


async def _require_next(
    connection: AsyncConnection,
    branch_id: int,
    period: int,
    *,
    through: periods.Period | None,
    now: datetime,
) -> None:
    """Periods close in order, and when they are over."""
    if now < periods.ends_at(periods.Period(period)):
        raise PeriodNotOver
    earliest = await store.first_period_with_entries(connection, branch_id, after=through or 0)
    if period <= (through or 0) or (earliest is not None and earliest < period):
        raise EarlierPeriodOpen(period=earliest)


async def verify(connection: AsyncConnection, branch_id: int, period: int) -> Verification:
    """Hold a closed period against its seal, and its balances against its entries.

    Raises:
        NotFound: the period is not closed.

    """
    sealed = await store.seal_of(connection, branch_id, period)
    if sealed is None:
        raise NotFound
    seal, before, count = sealed
    findings: list[str] = []
    if before != await store.seal_before(connection, branch_id, period):
        findings.append("the seal before this one is another than when it was closed")
    found, found_count = await store.digest(connection, branch_id, period, before=before)
    if found_count != count:
        findings.append(f"{count} entries were sealed, {found_count} are there")
    if found != seal:
        findings.append("the entries are not those that were sealed")
    findings += [
        f"the balance {one} is not the sum of its entries"
        for one in await store.unbalanced(connection, branch_id, period)
    ]
    if total := await store.ledger_sum(connection, branch_id, period):
        findings.append(f"debits and credits differ by {total} fen")
    return Verification(period=period, holds=not findings, findings=findings)


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
