"""Quarantine: try an event again, mended or as it came."""

from datetime import datetime
from http import HTTPStatus

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.completeness import store as completeness
from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.domain.messages import Message
from huaxiao.attribution.intake.arrivals import Arrival
from huaxiao.attribution.intake.handlers import place, report
from huaxiao.attribution.intake.reading import SUITE_SOURCE, read
from huaxiao.attribution.intake.store import lock
from huaxiao.attribution.intake.taking import let_out, take
from huaxiao.attribution.quarantine import store
from huaxiao.attribution.tables import UNPLACED
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.problems import NotFound, Problem
from huaxiao.shared.wire.attribution import (
    DismissalIn,
    HeldEvent,
    HeldState,
    IntakeReport,
    Outcome,
    ReplayIn,
)


class AlreadyResolved(Problem):
    """The event has left quarantine: it is in the books."""

    code = "already-resolved"
    status = HTTPStatus.CONFLICT
    title = "This event is no longer in quarantine"
    title_zh = "该事件已不在隔离区"


class AlreadyDismissed(Problem):
    """Somebody has dismissed the event before; what they gave as the reason stands."""

    code = "already-dismissed"
    status = HTTPStatus.CONFLICT
    title = "This event has been dismissed already"
    title_zh = "该事件已被搁置"


class HeldAgain(Problem):
    """The dismissed event has come again since, and is held under another number: replay that one."""

    code = "held-again"
    status = HTTPStatus.CONFLICT
    title = "This event has come again and is held under another number"
    title_zh = "该事件已再次到达，在隔离区中另有编号"


class WrongBranch(Problem):
    """A mended event names another branch than the one whose quarantine it lies in."""

    code = "wrong-branch"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The mended event names another branch"
    title_zh = "修正后的事件属于另一分公司"


def sender_of(principal: Principal) -> str | None:
    """Return whose events a caller may see: a sending system sees what it sent itself."""
    return principal.subject if principal.roles <= {Role.BSS_SOURCE} else None


async def replay(
    connection: AsyncConnection,
    counties: Counties,
    principal: Principal,
    branch_id: int,
    number: int,
    given: ReplayIn,
    *,
    posted_by: str | None,
    now: datetime,
) -> IntakeReport:
    """Try a held event again; a mended one that is refused changes nothing.

    A dismissed one is tried like any other: booked or waiting, it is dismissed no more; refused, it
    stays so.

    Raises:
        NotFound: there is no such event for this caller.
        AlreadyResolved: it is in the books already.
        HeldAgain: it was dismissed, and the same bytes have come and are held since.
        WrongBranch: the mended event names another branch.

    """
    held, body = await _not_resolved(connection, branch_id, number, posted_by)
    raw = body if given.event is None else msgspec.json.encode(given.event)
    arrival = Arrival(
        read(raw, now=now, posted=held.source != SUITE_SOURCE),
        principal.subject,
        number,
        replayed=True,
        mended=given.event is not None,
        unplaced=branch_id == UNPLACED,
    )
    target = arrival.reading.name.branch_id
    if isinstance(arrival.reading.says, Message) and branch_id not in {UNPLACED, target}:
        raise WrongBranch
    laid_down = held.dismissal if held.state is HeldState.DISMISSED else None
    if laid_down and not await store.take_up(connection, branch_id, number):
        raise HeldAgain
    if branch_id == UNPLACED:
        await _place(connection, counties, principal, arrival, number, now=now)
    else:
        await take(
            connection,
            counties,
            branch_id,
            [arrival],
            now=now,
        )
        await _number(connection, branch_id, arrival)
    if laid_down and arrival.judged.outcome in {Outcome.REFUSED, Outcome.CONFLICT}:
        await store.lay_down(connection, branch_id, number, now=laid_down.dismissed_at)
    return report([arrival.reading], [arrival.judged])


async def dismiss(
    connection: AsyncConnection,
    principal: Principal,
    branch_id: int,
    number: int,
    given: DismissalIn,
    *,
    posted_by: str | None,
    now: datetime,
) -> HeldEvent:
    """Take a held event out of what waits; it stays as it came, and may be tried again.

    Raises:
        NotFound: there is no such event for this caller.
        AlreadyResolved: it is in the books already.
        AlreadyDismissed: somebody has done so before.

    """
    held, _ = await _not_resolved(connection, branch_id, number, posted_by)
    if held.state is HeldState.DISMISSED:
        raise AlreadyDismissed
    await store.dismiss(
        connection, branch_id, number, reason=given.reason, by=principal.subject, now=now
    )
    dismissed = await store.one(connection, branch_id, number, posted_by=posted_by)
    assert dismissed is not None  # noqa: S101 - it was there a moment ago, under the branch's lock
    return dismissed[0]


async def _not_resolved(
    connection: AsyncConnection, branch_id: int, number: int, posted_by: str | None
) -> tuple[HeldEvent, bytes]:
    """Return an event that is not in the books, with its body, once nobody else is at work on it.

    Raises:
        NotFound: there is no such event for this caller.
        AlreadyResolved: it is in the books already.

    """
    # Whoever dismisses or replays the same event meanwhile waits here, and so does its release.
    await lock(connection, branch_id)
    found = await store.one(connection, branch_id, number, posted_by=posted_by)
    if found is None:
        raise NotFound
    if found[0].state is HeldState.RESOLVED:
        raise AlreadyResolved
    return found


async def _number(connection: AsyncConnection, branch_id: int, arrival: Arrival) -> None:
    """Remember the number of a mended event: as it came first, it may not have been read."""
    name = arrival.reading.name
    outcome = arrival.judged.outcome
    taken = arrival.mended and outcome in {Outcome.BOOKED, Outcome.DUPLICATE, Outcome.PARKED}
    if taken and name.source is not None and name.sequence is not None:
        await completeness.number(connection, branch_id, {name.source: [name.sequence]})


async def _place(
    connection: AsyncConnection,
    counties: Counties,
    principal: Principal,
    arrival: Arrival,
    number: int,
    *,
    now: datetime,
) -> None:
    """Send an event that had no branch to the one it names; there it is like any other.

    One that is refused there stays here, and only here.
    """
    named = [one for one in (arrival.reading.name.branch_id,) if one is not None]
    known = await counties.registered(connection, named)
    branch_id, reading = place(arrival.reading, principal, known)
    if branch_id == UNPLACED:
        arrival.reading = reading
        await take(connection, counties, UNPLACED, [arrival], now=now)
        return
    # It was counted where it had no branch; here it comes for the first time.
    placed = Arrival(reading, principal.subject)
    async with connection.begin_nested() as there:
        await take(connection, counties, branch_id, [placed], now=now)
        if placed.judged.outcome is Outcome.REFUSED:
            await there.rollback()
    arrival.verdict = placed.judged
    if placed.judged.outcome is not Outcome.REFUSED:
        await let_out(connection, UNPLACED, number, now=now)
