"""Intake: sort out what came before, take the rest into the books, write it all in one transaction."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import ClientDisconnect

from huaxiao.attribution.completeness import store as completeness
from huaxiao.attribution.county.counties import Counties, County
from huaxiao.attribution.county.store import open_intake
from huaxiao.attribution.domain.booking import book, documents_of
from huaxiao.attribution.domain.books import Books, Known
from huaxiao.attribution.domain.learning import learn, says_of_lines
from huaxiao.attribution.domain.messages import Message, Refusal, Waiting
from huaxiao.attribution.domain.postings import Balances, balances_of
from huaxiao.attribution.intake import store
from huaxiao.attribution.intake.reading import Reading, cut_off, read
from huaxiao.attribution.intake.stream import Broken, Line
from huaxiao.attribution.tables import UNPLACED, feed
from huaxiao.shared.auth import Principal
from huaxiao.shared.clock import Clock
from huaxiao.shared.database import Database
from huaxiao.shared.feed import NewFact
from huaxiao.shared.problems import Unavailable
from huaxiao.shared.wire import events
from huaxiao.shared.wire.attribution import (
    BALANCES_CHANGED,
    WORK_REQUESTED,
    BalanceChange,
    BalancesChanged,
    EventOutcome,
    IntakeReport,
    Outcome,
    WorkRequestedFact,
)

PIECE = 1_000
"""Events of a stream that are committed together."""
OUTCOMES_SHOWN = 1_000
"""Outcomes that the report of a stream names; every one of them is in quarantine or was known."""
_BOOKED = Refusal("booked", "Booked.", "已入账。")
_DUPLICATE = Refusal(
    "duplicate", "This very event was taken in before.", "该事件此前已接收，内容相同。"
)
_CONFLICT = Refusal(
    "conflict",
    "Another event came under this id and source before.",
    "同一来源、同一编号此前已有内容不同的事件。",
)

_NOT_ALLOWED = Refusal(
    "branch-not-allowed",
    "Your token does not reach this branch.",
    "当前令牌无权写入该分公司。",
)
_UNKNOWN_BRANCH = Refusal(
    "unknown-branch",
    "This branch is not registered, or its registration has not arrived here yet.",
    "该分公司尚未登记，或登记信息尚未同步到此。",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an event."""

    outcome: Outcome
    why: Refusal


@dataclass
class Arrival:
    """An event on its way into the books: just posted, or out of quarantine."""

    reading: Reading
    held_number: int | None = None
    """Its number in quarantine, if it is there."""
    replayed: bool = False
    """It comes out of quarantine."""
    mended: bool = False
    """It comes in place of what quarantine holds under the number."""
    verdict: Verdict | None = None
    waiting: Waiting | None = None
    supersedes: list[int] = field(default_factory=list)
    """Refused forms of the same event in quarantine, which this one mends."""
    stands: bool = False
    """Quarantine holds these bytes already."""


async def take(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    arrivals: Sequence[Arrival],
    *,
    posted_by: str,
    now: datetime,
) -> None:
    """Take events of one branch; every arrival has its verdict when this returns."""
    if branch_id == UNPLACED:
        await open_intake(connection, UNPLACED)
    intake = await store.lock(connection, branch_id)
    assert intake is not None  # noqa: S101 - callers ask first whether the branch is known
    now = intake.not_before(now)
    await _sort_out(connection, branch_id, arrivals)
    fresh = [one for one in arrivals if one.verdict is None]
    books: Books | None = None
    county = await counties.county(connection, branch_id)
    if county is not None and fresh:
        books = Books(county.organisation, county.rules, Known(), intake.closed_through, now)
        fresh += await _run(connection, branch_id, books, fresh, now=now)
    changes = await _write(
        connection, branch_id, [*arrivals, *fresh], books, intake, posted_by=posted_by, now=now
    )
    await _count(connection, branch_id, arrivals, now=now)
    if books is not None:
        await feed.append(connection, branch_id, _facts(changes, books.produced.work), now=now)


async def _count(
    connection: AsyncConnection, branch_id: int, arrivals: Iterable[Arrival], *, now: datetime
) -> None:
    """Count what came just now; what comes out of quarantine was counted when it came."""
    outcomes: Counter[tuple[str, Outcome]] = Counter()
    numbers: dict[str, set[int]] = defaultdict(set)
    for arrival in arrivals:
        name = arrival.reading.name
        if arrival.replayed or arrival.verdict is None:
            continue
        outcomes[name.source or "", arrival.verdict.outcome] += 1
        if name.source is not None and name.sequence is not None:
            numbers[name.source].add(name.sequence)
    await completeness.count(connection, branch_id, outcomes, now=now)
    await completeness.number(connection, branch_id, numbers)


async def decide_again(
    connection: AsyncConnection,
    county: County,
    branch_id: int,
    *,
    now: datetime,
    subscription_ids: Sequence[str] | None = None,
) -> None:
    """Make open decisions again, of the whole branch unless subscriptions are named."""
    intake = await store.lock(connection, branch_id)
    assert intake is not None  # noqa: S101 - the branch is registered
    now = intake.not_before(now)
    named = subscription_ids
    if named is None:
        named = await store.every_subscription(connection, branch_id)
    books = Books(county.organisation, county.rules, Known(), intake.closed_through, now)
    await store.load_lines(
        connection,
        branch_id,
        books.known,
        subscription_ids=named,
        dependents=subscription_ids is not None,
    )
    for one in named:
        books.affect(one)
    await _decide_again(connection, branch_id, books)
    changes = await _write(connection, branch_id, [], books, intake, posted_by="", now=now)
    await feed.append(connection, branch_id, _facts(changes, []), now=now)


# --- what came before ---------------------------------------------------------------------------


async def _sort_out(
    connection: AsyncConnection, branch_id: int, arrivals: Iterable[Arrival]
) -> None:
    """Give their verdict to events that were taken in before, and to those that cannot be read."""
    keys = {one.reading.says.key for one in arrivals if isinstance(one.reading.says, Message)}
    digests = {one.reading.digest for one in arrivals}
    before = await store.received(connection, branch_id, keys)
    held = await store.held_like(connection, branch_id, keys, digests)
    by_digest = {one.digest: one for one in held}
    by_key: dict[tuple[str | None, str | None], list[store.Held]] = defaultdict(list)
    for one in held:
        by_key[one.source, one.event_id].append(one)
    in_batch: set[bytes] = set()
    for arrival in arrivals:
        digest = arrival.reading.digest
        own = by_digest.get(digest) if arrival.held_number is None else None
        twin = digest in in_batch
        in_batch.add(digest)
        arrival.stands = twin
        if own is not None and own.outcome != Outcome.REFUSED:
            arrival.stands = True
            arrival.verdict = _as_before(own)
            continue
        if own is not None and not twin:
            # Refused before; what it lacked may be known by now.
            arrival.held_number = own.number
        _judge(arrival, before, by_key)


def _judge(
    arrival: Arrival,
    before: dict[tuple[str, str], bytes],
    held: Mapping[tuple[str | None, str | None], Sequence[store.Held]],
) -> None:
    """Give an event its verdict, or leave it without one when it is new."""
    says, digest = arrival.reading.says, arrival.reading.digest
    if isinstance(says, Refusal):
        arrival.verdict = Verdict(Outcome.REFUSED, says)
        return
    others = [one for one in held.get(says.key, ()) if one.number != arrival.held_number]
    parked = any(one.outcome == Outcome.PARKED for one in others)
    if before.get(says.key) == digest:
        arrival.verdict = Verdict(Outcome.DUPLICATE, _DUPLICATE)
    elif says.key in before or parked:
        arrival.verdict = Verdict(Outcome.CONFLICT, _CONFLICT)
    else:
        arrival.supersedes = [one.number for one in others if one.outcome == Outcome.REFUSED]
        # A second event of this batch under the same identity is judged against this one.
        before[says.key] = digest


def _as_before(held: store.Held) -> Verdict:
    return Verdict(Outcome(held.outcome), Refusal(held.code, held.message, held.message_zh))


# --- into the books -----------------------------------------------------------------------------


async def _run(
    connection: AsyncConnection,
    branch_id: int,
    books: Books,
    fresh: Sequence[Arrival],
    *,
    now: datetime,
) -> list[Arrival]:
    """Take arrivals into the books, then what was waiting for them; return the released ones."""
    parked: dict[str, list[Arrival]] = defaultdict(list)
    released: list[Arrival] = []
    queue = list(fresh)
    while queue:
        await _load(connection, branch_id, books, [_message(one) for one in queue])
        money: list[Arrival] = []
        for arrival in queue:
            message = _message(arrival)
            if says_of_lines(message):
                _settle(arrival, learn(books, message), parked)
            else:
                money.append(arrival)
        await _decide_again(connection, branch_id, books)
        for arrival in money:
            _settle(arrival, book(books, _message(arrival)), parked)
        queue = []
        if books.arrived:
            known = {one.held_number for one in (*fresh, *released)}
            for held in await store.waiting_for(connection, branch_id, books.arrived):
                if held.number not in known:
                    queue.append(Arrival(read(held.body, now=now), held.number))
            released += queue
            for key in books.arrived:
                queue += parked.pop(key, [])
            books.arrived.clear()
    return released


def _message(arrival: Arrival) -> Message:
    assert isinstance(arrival.reading.says, Message)  # noqa: S101 - refusals were sorted out
    return arrival.reading.says


def _settle(
    arrival: Arrival, answer: Refusal | Waiting | None, parked: dict[str, list[Arrival]]
) -> None:
    arrival.waiting = None
    match answer:
        case None:
            arrival.verdict = Verdict(Outcome.BOOKED, _BOOKED)
        case Refusal():
            arrival.verdict = Verdict(Outcome.REFUSED, answer)
        case Waiting():
            why = Refusal(answer.code, answer.message, answer.message_zh)
            arrival.verdict = Verdict(Outcome.PARKED, why)
            arrival.waiting = answer
            parked[answer.waiting_for].append(arrival)


async def _load(
    connection: AsyncConnection, branch_id: int, books: Books, messages: Sequence[Message]
) -> None:
    """Load what these messages need."""
    known = books.known
    numbers = {number for message in messages for number in documents_of(message)}
    await store.load_documents(connection, branch_id, known, numbers)
    settled = (known.documents.get(key) for key in numbers if key[0] == "bill_item")
    owned = {item.subscription_id for item in settled if item and item.subscription_id}
    learned: set[str] = set()
    bundle_ids: set[str] = set()
    for message in messages:
        named = _named_subscriptions(message.data)
        if not says_of_lines(message):
            owned.update(named)
            continue
        learned.update(named)
        bundle_id = getattr(message.data, "bundle_id", None)
        if bundle_id is not None:
            bundle_ids.add(bundle_id)
    await store.load_lines(
        connection,
        branch_id,
        known,
        subscription_ids=learned,
        bundle_ids=bundle_ids,
        dependents=True,
    )
    await store.load_timelines(connection, branch_id, known, owned)


def _named_subscriptions(data: events.EventData) -> Iterable[str]:
    if isinstance(data, events.BundleMembers):
        yield from data.subscription_ids
        return
    for attribute in ("subscription_id", "main_subscription_id"):
        named = getattr(data, attribute, None)
        if named is not None:
            yield named


async def _decide_again(connection: AsyncConnection, branch_id: int, books: Books) -> None:
    """Decide again on subscriptions whose evidence has changed."""
    affected, known = books.affected, books.known
    if not affected:
        return
    # A line becomes evidence for those it is bundled with: load what theirs reaches as well.
    await store.load_lines(
        connection, branch_id, known, subscription_ids=affected, dependents=False
    )
    await store.load_timelines(connection, branch_id, known, affected)
    await store.load_entries(
        connection, branch_id, known, affected, closed_through=books.closed_through
    )
    books.decide_again()


# --- onto the disk ------------------------------------------------------------------------------


async def _write(
    connection: AsyncConnection,
    branch_id: int,
    arrivals: Iterable[Arrival],
    books: Books | None,
    intake: store.Intake,
    *,
    posted_by: str,
    now: datetime,
) -> Balances:
    """Write what the arrivals came to; return the balances that changed."""
    taken: list[tuple[str, str, bytes]] = []
    kept: list[store.NewHeld] = []
    freed: list[int] = []
    for arrival in {id(one): one for one in arrivals}.values():
        assert arrival.verdict is not None  # noqa: S101 - every arrival was judged
        outcome = arrival.verdict.outcome
        if outcome is Outcome.BOOKED:
            taken.append((*_message(arrival).key, arrival.reading.digest))
        if outcome in {Outcome.BOOKED, Outcome.DUPLICATE}:
            freed += [] if arrival.held_number is None else [arrival.held_number]
            freed += arrival.supersedes
        elif arrival.mended and outcome is Outcome.PARKED:
            freed += [] if arrival.held_number is None else [arrival.held_number]
            kept.append(_to_hold(arrival))
        elif arrival.held_number is not None and not arrival.mended:
            await store.hold_on(connection, branch_id, arrival.held_number, _to_hold(arrival))
        elif not arrival.stands and not arrival.mended:
            kept.append(_to_hold(arrival))
    changes: Balances = {}
    entry_count = 0
    if books is not None:
        await store.record(
            connection, branch_id, books.produced, first_entry=intake.entries + 1, now=now
        )
        changes = balances_of(books.produced.entries)
        entry_count = len(books.produced.entries)
        await store.change_balances(connection, branch_id, changes)
    await store.record_received(connection, branch_id, taken, now=now)
    await store.resolve(connection, branch_id, freed, now=now)
    await store.hold(
        connection,
        branch_id,
        kept,
        first_number=intake.held + 1,
        posted_by=posted_by,
        now=now,
    )
    await store.advance(
        connection,
        branch_id,
        entry_count=entry_count,
        held_count=len(kept),
        booked_at=now,
    )
    return changes


def _to_hold(arrival: Arrival) -> store.NewHeld:
    assert arrival.verdict is not None  # noqa: S101 - every arrival was judged
    name, why = arrival.reading.name, arrival.verdict.why
    return store.NewHeld(
        digest=arrival.reading.digest,
        source=name.source,
        event_id=name.event_id,
        type=name.type,
        outcome=arrival.verdict.outcome,
        code=why.code,
        message=why.message,
        message_zh=why.message_zh,
        waiting_for=arrival.waiting.waiting_for if arrival.waiting else None,
        body=arrival.reading.raw,
    )


def _facts(changes: Balances, work: Iterable[events.WorkRequested]) -> list[NewFact]:
    facts = []
    if changes:
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
        facts.append(NewFact(BALANCES_CHANGED, "balances", BalancesChanged(changes=changed)))
    facts += [
        NewFact(
            WORK_REQUESTED,
            one.order_id,
            WorkRequestedFact(
                order_id=one.order_id,
                kind=one.kind,
                customer_class=one.customer_class,
                customer_id=one.customer_id,
                standard_address=one.standard_address,
                requested_at=one.requested_at,
                subscription_id=one.subscription_id,
            ),
        )
        for one in work
    ]
    return facts


# --- from the edge ------------------------------------------------------------------------------


async def receive(
    database: Database,
    counties: Counties,
    principal: Principal,
    readings: Sequence[Reading],
    *,
    now: datetime,
) -> IntakeReport:
    """Take a batch in, each branch's part in a transaction of its own that commits before this returns."""
    arrivals = [Arrival(one) for one in readings]
    async with database.read() as connection:
        known = await counties.known(connection)
    parts: dict[int, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        parts[place(arrival, principal, known)].append(arrival)
    for branch_id in sorted(parts):
        async with database.write() as connection:
            await take(
                connection,
                counties,
                branch_id,
                parts[branch_id],
                posted_by=principal.subject,
                now=now,
            )
    return report(arrivals)


async def receive_stream(
    database: Database,
    counties: Counties,
    principal: Principal,
    lines: AsyncIterator[Line],
    *,
    clock: Clock,
) -> IntakeReport:
    """Take a stream in, a piece at a time, each committed before the next is read.

    A stream that breaks off is taken as far as it is whole, and the report says so.

    Raises:
        Unavailable: the database went away; what had been taken stays, and may be sent again.

    """
    total = report([])
    piece: list[Line] = []

    async def take_piece() -> None:
        nonlocal total
        now = clock()
        readings = [
            cut_off(one.content) if one.too_long else read(one.content, now=now) for one in piece
        ]
        try:
            taken = await receive(database, counties, principal, readings, now=now)
        except (DBAPIError, PoolTimeoutError, OSError) as error:
            raise Unavailable(taken=total.received) from error
        total = _joined(total, taken)
        piece.clear()

    stopped: str | None = None
    try:
        async for line in lines:
            piece.append(line)
            if len(piece) == PIECE:
                await take_piece()
    except (Broken, ClientDisconnect) as error:
        stopped = str(error) or "the connection broke off"
    if piece:
        await take_piece()
    return total.model_copy(update={"complete": stopped is None, "stopped": stopped})


def _joined(total: IntakeReport, taken: IntakeReport) -> IntakeReport:
    """Add a piece's report to that of the stream so far."""
    outcomes = [
        *total.outcomes,
        *(
            one.model_copy(update={"index": one.index + total.received})
            for one in taken.outcomes[: OUTCOMES_SHOWN - len(total.outcomes)]
        ),
    ]
    named = len(total.outcomes) + total.outcomes_omitted + len(taken.outcomes)
    return IntakeReport(
        received=total.received + taken.received,
        booked=total.booked + taken.booked,
        duplicates=total.duplicates + taken.duplicates,
        parked=total.parked + taken.parked,
        refused=total.refused + taken.refused,
        conflicts=total.conflicts + taken.conflicts,
        outcomes=outcomes,
        outcomes_omitted=named - len(outcomes),
    )


def place(arrival: Arrival, principal: Principal, known: Collection[int]) -> int:
    """Return the branch an event goes to; one that it may not go to is refused and unplaced."""
    branch_id = arrival.reading.name.branch_id
    if branch_id is None:
        return UNPLACED
    if not principal.may_enter(branch_id):
        arrival.reading = replace(arrival.reading, says=_NOT_ALLOWED)
        return UNPLACED
    if branch_id not in known:
        if isinstance(arrival.reading.says, Message):
            arrival.reading = replace(arrival.reading, says=_UNKNOWN_BRANCH)
        return UNPLACED
    return branch_id


# --- what the sender is told --------------------------------------------------------------------


def report(arrivals: Sequence[Arrival]) -> IntakeReport:
    """Count the verdicts, and say of each event that was not booked why."""
    counts = dict.fromkeys(Outcome, 0)
    outcomes: list[EventOutcome] = []
    for index, arrival in enumerate(arrivals):
        assert arrival.verdict is not None  # noqa: S101 - every arrival was judged
        verdict = arrival.verdict
        counts[verdict.outcome] += 1
        if verdict.outcome is not Outcome.BOOKED:
            outcomes.append(
                EventOutcome(
                    index=index,
                    event_id=arrival.reading.name.event_id,
                    outcome=verdict.outcome,
                    code=verdict.why.code,
                    message=verdict.why.message,
                    message_zh=verdict.why.message_zh,
                )
            )
    return IntakeReport(
        received=len(arrivals),
        booked=counts[Outcome.BOOKED],
        duplicates=counts[Outcome.DUPLICATE],
        parked=counts[Outcome.PARKED],
        refused=counts[Outcome.REFUSED],
        conflicts=counts[Outcome.CONFLICT],
        outcomes=outcomes,
    )
