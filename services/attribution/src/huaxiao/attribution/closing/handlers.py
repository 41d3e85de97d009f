"""Closing: one person begins it, another one closes and seals."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.closing import store
from huaxiao.attribution.domain.seals import Sealing
from huaxiao.attribution.domain.unresolved import Share
from huaxiao.attribution.intake.store import closed_through, lock
from huaxiao.attribution.ledger import store as ledger
from huaxiao.attribution.tables import feed
from huaxiao.shared import periods
from huaxiao.shared.feed import NewFact
from huaxiao.shared.money import yuan
from huaxiao.shared.problems import NotFound, Problem, TwoPeople
from huaxiao.shared.wire.attribution import (
    PERIOD_CLOSED,
    Period,
    PeriodClosed,
    PeriodState,
    UnresolvedApproval,
    UnresolvedApprovalIn,
    UnresolvedShare,
    UnresolvedStanding,
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


class BooksDisagree(Problem):
    """Books that do not agree with themselves are mended before they are closed."""

    code = "books-disagree"
    status = HTTPStatus.CONFLICT
    title = "The documents, entries and balances of this period do not come to the same"
    title_zh = "该账期的单据、分录与余额不一致"


class TooMuchUnresolved(Problem):
    """What nobody owns is worked off before a period is closed, or the general manager approves it."""

    code = "too-much-unresolved"
    status = HTTPStatus.CONFLICT
    title = "More of this period's net revenue is unresolved than the limit"
    title_zh = "该账期未归属收入占比超过上限"


class ApprovalNotNeeded(Problem):
    """Only what stands in the way of a closing is approved."""

    code = "approval-not-needed"
    status = HTTPStatus.CONFLICT
    title = "What is unresolved does not stand in the way of closing this period"
    title_zh = "该账期未归属收入不影响关账，无需批准"


async def begin(
    connection: AsyncConnection, branch_id: int, period: int, *, by: str, now: datetime
) -> Period:
    """Begin to close a period; it goes on taking entries until another person closes it.

    Raises:
        NotFound: the branch is not known.
        PeriodNotOver: the period has not ended.
        EarlierPeriodOpen: something is booked in an open period before it.

    """
    if await lock(connection, branch_id) is None:
        raise NotFound
    found = await store.period(connection, branch_id, period)
    if found.state is not PeriodState.OPEN:
        return found
    await _require_next(connection, branch_id, period, now=now)
    await store.begin(connection, branch_id, period, by=by, now=now)
    return await store.period(connection, branch_id, period)


async def close(
    connection: AsyncConnection, branch_id: int, period: int, *, by: str, now: datetime
) -> Period:
    """Close a period that somebody else has begun to close, and seal it at a settled moment.

    Raises:
        NotFound: the branch is not known.
        ClosingNotBegun: nobody has begun to close it.
        TwoPeople: neither who began nor who approved what is unresolved may finish.
        EarlierPeriodOpen: something is booked in an open period before it.
        BooksDisagree: its documents, entries and balances do not come to the same.
        TooMuchUnresolved: more of it is unresolved than the limit, or than was approved.

    """
    intake = await lock(connection, branch_id)
    if intake is None:
        raise NotFound
    found = await store.period(connection, branch_id, period)
    if found.state is PeriodState.CLOSED:
        return found
    if found.begun_by is None or found.begun_at is None:
        raise ClosingNotBegun
    if found.begun_by == by:
        raise TwoPeople
    await _require_next(connection, branch_id, period, now=now)
    if findings := await _disagreements(connection, branch_id, period):
        raise BooksDisagree(findings=findings)
    unresolved = _unresolved(found)
    if unresolved.standing is UnresolvedStanding.BLOCKED:
        earlier = await store.unresolved_of_before(connection, branch_id, period)
        raise _too_much(unresolved, earlier)
    approval = _approval(unresolved, by=by)
    now = intake.not_before(now)
    await ledger.settle(connection, branch_id, now)
    entries_digest, entries = await ledger.digest(connection, branch_id, period)
    sealing = Sealing(
        branch_id=branch_id,
        period=period,
        entries=entries,
        entries_digest=entries_digest,
        begun_by=found.begun_by,
        begun_at=found.begun_at,
        closed_by=by,
        closed_at=now,
        unresolved_fen=unresolved.unresolved_fen,
        net_revenue_fen=unresolved.net_revenue_fen,
        warn_above_basis_points=unresolved.warn_above_basis_points,
        block_above_basis_points=unresolved.block_above_basis_points,
        seal_before=await store.seal_before(connection, branch_id, period),
    )
    if approval is not None:
        sealing = replace(
            sealing,
            approved_by=approval.approved_by,
            approved_at=approval.approved_at,
            approved_reason=approval.reason,
            approved_unresolved_fen=approval.unresolved_fen,
            approved_net_revenue_fen=approval.net_revenue_fen,
        )
    closed = PeriodClosed.model_validate(asdict(sealing) | {"seal": sealing.seal()})
    position = await feed.append(
        connection, branch_id, [NewFact(PERIOD_CLOSED, str(period), closed)], now=now
    )
    assert position is not None  # noqa: S101 - a fact was given
    await store.close(connection, sealing, seal=closed.seal, feed_position=position)
    return await store.period(connection, branch_id, period)


async def approve_unresolved(
    connection: AsyncConnection,
    branch_id: int,
    period: int,
    given: UnresolvedApprovalIn,
    *,
    by: str,
    now: datetime,
) -> Period:
    """Approve that a period is closed with what is unresolved of it now; somebody else closes it.

    Raises:
        NotFound: the branch is not known.
        PeriodNotOver: the period has not ended.
        ApprovalNotNeeded: it is closed, not above the limit, or approved for as much.

    """
    if await lock(connection, branch_id) is None:
        raise NotFound
    if now < periods.ends_at(periods.Period(period)):
        raise PeriodNotOver
    found = await store.period(connection, branch_id, period)
    if found.state is PeriodState.CLOSED:
        raise ApprovalNotNeeded
    unresolved = _unresolved(found)
    if unresolved.standing is not UnresolvedStanding.BLOCKED:
        raise ApprovalNotNeeded
    share = Share(unresolved.unresolved_fen, unresolved.net_revenue_fen)
    await store.approve(connection, branch_id, period, share, reason=given.reason, by=by, now=now)
    return await store.period(connection, branch_id, period)


def _unresolved(found: Period) -> UnresolvedShare:
    assert found.unresolved is not None  # noqa: S101 - an open period has it
    return found.unresolved


def _too_much(unresolved: UnresolvedShare, earlier: Mapping[int, int]) -> TooMuchUnresolved:
    """Say what to do about what is unresolved, and of which months it is that were booked late."""
    limit = _percent(Decimal(unresolved.block_above_basis_points) / 10_000)
    share = "—" if unresolved.share is None else _percent(unresolved.share)
    of_months, of_months_zh = "", ""
    if earlier:
        named = ", ".join(f"{yuan(amount)} yuan of {month}" for month, amount in earlier.items())
        named_zh = "、".join(f"{month} 账期 {yuan(amount)} 元" for month, amount in earlier.items())
        of_months = (
            f" Of it was booked late: {named}. Those are among the unresolved lines of the month they are"
            " of; a ruling from there on that restates moves them."
        )
        of_months_zh = f"其中迟到入账：{named_zh}，见各所属账期的未归属用户，须以自该账期起的追溯裁定（restate）处理。"
    return TooMuchUnresolved(
        f"{share} of the net revenue is unresolved, at most {limit} may be. Work off the"
        " unresolved lines, or let the general manager approve it with a reason"
        f" (POST …/unresolved-approval); somebody else than who approves closes.{of_months}",
        f"未归属收入占净收入 {share}，上限 {limit}。请处理未归属用户，或由总经理说明理由批准"
        f"（POST …/unresolved-approval）；批准人与关账人不得为同一人。{of_months_zh}",
        unresolved=unresolved.model_dump(mode="json"),
        booked_late=[
            {"period": month, "unresolved_fen": amount} for month, amount in earlier.items()
        ],
    )


def _approval(unresolved: UnresolvedShare, *, by: str) -> UnresolvedApproval | None:
    """Return the approval to close with what is unresolved; None where none is needed."""
    if unresolved.standing is not UnresolvedStanding.APPROVED or unresolved.approval is None:
        return None
    if unresolved.approval.approved_by == by:
        raise TwoPeople
    return unresolved.approval


def _percent(ratio: Decimal) -> str:
    return f"{(ratio * 100).normalize():f} %"


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
    """Hold a closed period against its seal and what was published, and its books against each other.

    Raises:
        NotFound: the period has no seal of its own.

    """
    kept = await store.sealed(connection, branch_id, period)
    if kept is None:
        raise NotFound
    sealing = _sealing(branch_id, kept)
    findings = await _unlike_published(connection, sealing, kept)
    if (await closed_through(connection, branch_id) or 0) < period:
        findings.append("the branch takes entries into this period again")
    if sealing.seal() != kept.seal:
        findings.append("the seal is not that of the closing it stands under")
    if kept.seal_before != await store.seal_before(connection, branch_id, period):
        findings.append("the seal before this one is another than when it was closed")
    digest, entries = await ledger.digest(connection, branch_id, period)
    if entries != kept.entries:
        findings.append(f"{kept.entries} entries were sealed, {entries} are there")
    if digest != kept.entries_digest:
        findings.append("the entries are not those that were sealed")
    findings += await _disagreements(connection, branch_id, period)
    return Verification(period=period, holds=not findings, findings=findings)


async def _unlike_published(
    connection: AsyncConnection, sealing: Sealing, kept: Row[Any]
) -> list[str]:
    """Name what of a closing is not as the feed has told it."""
    entries = await feed.read(connection, sealing.branch_id, after=kept.feed_position - 1, limit=1)
    try:
        (entry,) = (one for one in entries if one.type == PERIOD_CLOSED)
        told = PeriodClosed.model_validate(entry.data)
    except ValueError:
        return ["the feed does not tell of this closing where it was published"]
    published = _sealing(sealing.branch_id, told)
    findings = [
        f"{one.name} is {getattr(sealing, one.name)}, {getattr(published, one.name)} was published"
        for one in fields(Sealing)
        if getattr(sealing, one.name) != getattr(published, one.name)
    ]
    if kept.seal != told.seal:
        findings.append("the seal is not the one that was published")
    return findings


def _sealing(branch_id: int, closing: PeriodClosed | Row[Any]) -> Sealing:
    """Return what a closing binds, as it is kept or as it was published."""
    return Sealing(
        branch_id=branch_id,
        period=closing.period,
        entries=closing.entries,
        entries_digest=closing.entries_digest,
        begun_by=closing.begun_by,
        begun_at=closing.begun_at,
        closed_by=closing.closed_by,
        closed_at=closing.closed_at,
        unresolved_fen=closing.unresolved_fen,
        net_revenue_fen=closing.net_revenue_fen,
        warn_above_basis_points=closing.warn_above_basis_points,
        block_above_basis_points=closing.block_above_basis_points,
        approved_by=closing.approved_by,
        approved_at=closing.approved_at,
        approved_reason=closing.approved_reason,
        approved_unresolved_fen=closing.approved_unresolved_fen,
        approved_net_revenue_fen=closing.approved_net_revenue_fen,
        seal_before=closing.seal_before,
    )


async def _disagreements(connection: AsyncConnection, branch_id: int, period: int) -> list[str]:
    """Name where a period's documents, entries and balances do not come to the same."""
    findings = [
        f"the balance {one} is not the sum of its entries"
        for one in await ledger.unbalanced(connection, branch_id, period)
    ]
    for books in await ledger.books(connection, branch_id, period=period):
        if books.difference_fen:
            findings.append(f"documents and balances differ by {books.difference_fen} fen")
        if books.ledger_sum_fen:
            findings.append(f"debits and credits differ by {books.ledger_sum_fen} fen")
    return findings + await ledger.misnumbered(connection, branch_id)
