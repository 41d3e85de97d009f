"""Closing: one person begins it, another one closes and seals."""

from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.closing import store
from huaxiao.attribution.intake.store import lock
from huaxiao.attribution.ledger import store as ledger
from huaxiao.attribution.tables import feed
from huaxiao.shared import periods
from huaxiao.shared.feed import NewFact
from huaxiao.shared.problems import NotFound, Problem, TwoPeople
from huaxiao.shared.wire.attribution import (
    PERIOD_CLOSED,
    Period,
    PeriodClosed,
    PeriodState,
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


async def begin(
    connection: AsyncConnection, branch_id: int, period: int, *, by: str, now: datetime
) -> Period:
    """Begin to close a period; it goes on taking entries until another person closes it.

    Raises:
        NotFound: the branch is not known.
        PeriodNotOver: the period has not ended.
        EarlierPeriodOpen: something is booked in an open period before it.

    """
    found = await _locked(connection, branch_id, period)
    if found.state is not PeriodState.OPEN:
        return found
    await _require_next(connection, branch_id, period, now=now)
    await store.begin(connection, branch_id, period, by=by, now=now)
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
    found = await _locked(connection, branch_id, period)
    if found.state is PeriodState.CLOSED:
        return found
    if found.begun_by is None:
        raise ClosingNotBegun
    if found.begun_by == by:
        raise TwoPeople
    await _require_next(connection, branch_id, period, now=now)
    before = await store.sealed_before(connection, branch_id, period)
    seal_before = "" if before is None else before.seal
    seal, count = await ledger.digest(connection, branch_id, period, before=seal_before)
    await store.close(
        connection, branch_id, period, by=by, now=now, sealed=(seal, seal_before, count)
    )
    fact = NewFact(PERIOD_CLOSED, str(period), PeriodClosed(period=period, seal=seal))
    await feed.append(connection, branch_id, [fact], now=now)
    return await store.period(connection, branch_id, period)


async def _locked(connection: AsyncConnection, branch_id: int, period: int) -> Period:
    """Take the branch's bookings for this transaction; return where the period stands."""
    if await lock(connection, branch_id) is None:
        raise NotFound
    return await store.period(connection, branch_id, period)


async def _require_next(
    connection: AsyncConnection, branch_id: int, period: int, *, now: datetime
) -> None:
    """Require that an open period is over, and the first one that anything is booked in."""
    if now < periods.ends_at(periods.Period(period)):
        raise PeriodNotOver
    earliest = await store.first_open(connection, branch_id)
    if earliest is not None and earliest < period:
        raise EarlierPeriodOpen(period=earliest)


async def verify(connection: AsyncConnection, branch_id: int, period: int) -> Verification:
    """Hold a closed period against its seal, and its balances against its entries.

    Raises:
        NotFound: the period is not closed, or nothing was booked in it.

    """
    sealed = await store.sealed(connection, branch_id, period)
    if sealed is None:
        raise NotFound
    before = await store.sealed_before(connection, branch_id, period)
    findings: list[str] = []
    if sealed.seal_before != ("" if before is None else before.seal):
        findings.append("the seal before this one is another than when it was closed")
    found, count = await ledger.digest(connection, branch_id, period, before=sealed.seal_before)
    if count != sealed.entries:
        findings.append(f"{sealed.entries} entries were sealed, {count} are there")
    if found != sealed.seal:
        findings.append("the entries are not those that were sealed")
    findings += [
        f"the balance {one} is not the sum of its entries"
        for one in await ledger.unbalanced(connection, branch_id, period)
    ]
    for books in await ledger.books(connection, branch_id, period=period):
        if books.difference_fen:
            findings.append(f"documents and balances differ by {books.difference_fen} fen")
        if books.ledger_sum_fen:
            findings.append(f"debits and credits differ by {books.ledger_sum_fen} fen")
    return Verification(period=period, holds=not findings, findings=findings)
