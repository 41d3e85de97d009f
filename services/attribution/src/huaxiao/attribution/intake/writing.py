"""Writing what a transaction has done: rows, sums that are kept, and what the feed says of it."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.completeness import store as completeness
from huaxiao.attribution.domain.books import Books
from huaxiao.attribution.domain.postings import Balances, Lines, balances_of, lines_of
from huaxiao.attribution.domain.totals import Total, totals_of
from huaxiao.attribution.intake import store
from huaxiao.attribution.intake.arrivals import Arrival
from huaxiao.attribution.intake.foreseeing import Foreseen
from huaxiao.attribution.intake.reading import Name
from huaxiao.attribution.tables import UNPLACED, feed
from huaxiao.shared.database import copying
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period
from huaxiao.shared.wire import events
from huaxiao.shared.wire.attribution import (
    BALANCES_CHANGED,
    WORK_REQUESTED,
    BalanceChange,
    BalancesChanged,
    LinesBilled,
    Outcome,
    WorkRequestedFact,
)

_MARK_BITS = 62


async def record(
    connection: AsyncConnection,
    branch_id: int,
    arrivals: Sequence[Arrival],
    books: Books | None,
    intake: store.Intake,
    *,
    now: datetime,
) -> int:
    """Count what came just now, and write what came of all; return the branch's mark."""
    # What comes out of quarantine was counted when it came.
    came = [(one.reading.name, one.judged.outcome) for one in arrivals if not one.replayed]
    if branch_id == UNPLACED:
        await _count_unplaced(connection, arrivals, now=now)
    taken = await _sorted(connection, branch_id, arrivals)
    return await _write(connection, branch_id, taken, books, intake, came, now=now)


async def record_foreseen(
    connection: AsyncConnection, branch_id: int, foreseen: Foreseen, intake: store.Intake
) -> None:
    """Count and write events that were booked before their turn, all of them."""
    books = foreseen.books
    came = ((one.name, Outcome.BOOKED) for one in foreseen.readings)
    received = [
        (one.source, one.event_id, reading.digest)
        for one, reading in zip(foreseen.messages, foreseen.readings, strict=True)
    ]
    taken = _Sorted(received, [], [])
    await _write(connection, branch_id, taken, books, intake, came, now=books.now)


async def record_decisions(
    connection: AsyncConnection, branch_id: int, books: Books, intake: store.Intake
) -> None:
    """Write what was decided or earned anew, without any event."""
    await _write(connection, branch_id, _Sorted([], [], []), books, intake, (), now=books.now)


async def _count(
    connection: AsyncConnection,
    branch_id: int,
    came: Iterable[tuple[Name, Outcome]],
    *,
    now: datetime,
) -> None:
    outcomes: Counter[tuple[str, Outcome]] = Counter()
    numbers: dict[str, set[int]] = defaultdict(set)
    for name, outcome in came:
        outcomes[name.source or "", outcome] += 1
        if name.source is not None and name.sequence is not None:
            numbers[name.source].add(name.sequence)
    await completeness.count(connection, branch_id, outcomes, now=now)
    await completeness.number(connection, branch_id, numbers)


async def _count_unplaced(
    connection: AsyncConnection, arrivals: Iterable[Arrival], *, now: datetime
) -> None:
    """Count what belongs to no branch by who posted it, who alone may see it."""
    outcomes = Counter(
        (one.posted_by, one.reading.name.source or "", one.judged.outcome)
        for one in arrivals
        if not one.replayed
    )
    await completeness.count_unplaced(connection, outcomes, now=now)


class _Sorted(NamedTuple):
    """Where events go: into the memory of those taken, into quarantine, out of it."""

    received: Sequence[tuple[str, str, bytes]]
    """Source, identifier and digest."""
    kept: Sequence[store.NewHeld]
    freed: Sequence[int]


async def _sorted(
    connection: AsyncConnection, branch_id: int, arrivals: Iterable[Arrival]
) -> _Sorted:
    received: list[tuple[str, str, bytes]] = []
    kept: list[store.NewHeld] = []
    freed: list[int] = []
    for arrival in arrivals:
        outcome = arrival.judged.outcome
        if outcome is Outcome.BOOKED:
            received.append((*arrival.message.key, arrival.reading.digest))
        if outcome in {Outcome.BOOKED, Outcome.DUPLICATE}:
            freed += arrival.in_quarantine
        elif arrival.mended and outcome is Outcome.PARKED:
            freed += arrival.in_quarantine
            kept.append(_to_hold(arrival))
        elif arrival.held_number is not None and not arrival.mended:
            await store.hold_on(connection, branch_id, arrival.held_number, _to_hold(arrival))
        elif not arrival.stands and not arrival.mended:
            kept.append(_to_hold(arrival))
        if outcome is Outcome.PARKED:
            freed += arrival.supersedes
    return _Sorted(received, kept, freed)


async def _write(
    connection: AsyncConnection,
    branch_id: int,
    taken: _Sorted,
    books: Books | None,
    intake: store.Intake,
    came: Iterable[tuple[Name, Outcome]],
    *,
    now: datetime,
) -> int:
    """Write what came of events, count those that came just now, and say in the feed what changed.

    Return the branch's mark, another one if anything was decided.
    """
    resolved = await store.resolve(connection, branch_id, taken.freed, now=now)
    entries, earned, mark, added = 0, 0, intake.mark, _NOTHING_ADDED
    async with copying(connection) as copy:
        await store.record_received(copy, branch_id, taken.received, now=now)
        if books is not None:
            await store.record(
                copy,
                branch_id,
                books.produced,
                first_entry=intake.entries + 1,
                first_commission=intake.commissions + 1,
                now=now,
            )
            # What the server does with the entries needs nobody here meanwhile.
            added = _added(books, intake)
        await store.hold(copy, branch_id, taken.kept, first_number=intake.held + 1, now=now)
    if books is not None:
        await store.record_changes(connection, branch_id, books.produced)
        entries, earned = len(books.produced.entries), len(books.produced.commissions)
        mark = secrets.randbits(_MARK_BITS) if books.produced.decided else mark
    if entries or earned or taken.kept or resolved or mark != intake.mark:
        await store.advance(
            connection,
            branch_id,
            entries=entries,
            held=len(taken.kept),
            resolved=resolved,
            commissions_added=earned,
            settled_until=now,
            mark=mark,
        )
    await _count(connection, branch_id, came, now=now)
    await store.change_balances(connection, branch_id, added.balances, added.totals)
    await feed.append(connection, branch_id, added.facts, now=now)
    return mark


def _to_hold(arrival: Arrival) -> store.NewHeld:
    name, why = arrival.reading.name, arrival.judged.why
    return store.NewHeld(
        digest=arrival.digest,
        source=name.source,
        event_id=name.event_id,
        type=name.type,
        outcome=arrival.judged.outcome,
        code=why.code,
        message=why.message,
        message_zh=why.message_zh,
        waiting_for=arrival.waiting.waiting_for if arrival.waiting else None,
        body=arrival.reading.raw,
        posted_by=arrival.posted_by,
    )


class _Added(NamedTuple):
    """What a transaction adds to the sums that are kept, and tells the feed."""

    balances: Balances
    totals: Mapping[Period, Total]
    facts: Sequence[NewFact]


_NOTHING_ADDED = _Added({}, {}, ())


def _added(books: Books, intake: store.Intake) -> _Added:
    produced = books.produced
    changes, lines = balances_of(produced.entries), lines_of(produced.entries)
    totals = totals_of(produced, books.closed_through, first_entry=intake.entries + 1)
    return _Added(changes, totals, list(_facts(changes, lines, produced.work)))


def _facts(
    changes: Balances, lines: Lines, work: Iterable[events.WorkRequested]
) -> Iterator[NewFact]:
    if changes or lines:
        changed = [
            BalanceChange(
                centre_id=centre_id,
                field_id=field_id,
                account=account,
                period=period,
                amount_fen=amount,
            )
            for (period, centre_id, field_id, account), amount in changes.items()
        ]
        billed = [
            LinesBilled(centre_id=centre_id, field_id=field_id, period=period, lines=count)
            for (period, centre_id, field_id), count in lines.items()
        ]
        fact = BalancesChanged(changes=changed, billed=billed)
        yield NewFact(BALANCES_CHANGED, "balances", fact)
    for one in work:
        asked = WorkRequestedFact.model_validate(one, from_attributes=True)
        yield NewFact(WORK_REQUESTED, one.order_id, asked)
