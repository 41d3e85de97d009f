"""Taking events into a branch's books, in one transaction under the branch's lock."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.commissions import store as commissions
from huaxiao.attribution.county.counties import Counties, County, Standing
from huaxiao.attribution.county.store import open_intake
from huaxiao.attribution.domain.booking import (
    book,
    document_brought,
    document_settled,
    exceeds_charge,
)
from huaxiao.attribution.domain.books import Books, Known
from huaxiao.attribution.domain.earnings import book_commissions
from huaxiao.attribution.domain.histories import Ruling
from huaxiao.attribution.domain.learning import learn, says_of_lines
from huaxiao.attribution.domain.messages import Message, Refusal, Waiting
from huaxiao.attribution.domain.postings import Entry
from huaxiao.attribution.intake import store
from huaxiao.attribution.intake.arrivals import BOOKED, Arrival, Verdict, judge_released, sort_out
from huaxiao.attribution.intake.foreseeing import Foreseen
from huaxiao.attribution.intake.reading import read
from huaxiao.attribution.intake.writing import record, record_decisions, record_foreseen
from huaxiao.attribution.tables import UNPLACED
from huaxiao.shared.wire import events
from huaxiao.shared.wire.attribution import Outcome

_FORMS = 8
"""How often what comes under one identity in other forms is looked at: all but the last time, the next
form has its turn when the one before it was refused. Those that are left are in conflict."""


class CameBeforeError(Exception):
    """Events that were taken to come for the first time did not, or may not have."""


async def take(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    arrivals: Sequence[Arrival],
    *,
    now: datetime,
    first_time: bool = False,
) -> None:
    """Take events of one branch; every arrival has its verdict when this returns.

    With ``first_time`` nothing is looked up that only a repetition would find: the database's keys
    refuse one (``asyncpg.UniqueViolationError``), and the caller takes the events again without.

    Raises:
        CameBeforeError: an event cannot be booked for what may be its own doing, had it come before.

    """
    if branch_id == UNPLACED:
        await open_intake(connection, UNPLACED)
    waiting = arrivals
    for number in range(_FORMS):
        waiting = await _take(
            connection,
            counties,
            branch_id,
            waiting,
            now=now,
            first_time=first_time and number == 0,
            apart=number < _FORMS - 1,
        )
        if not waiting:
            return


async def _take(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    arrivals: Sequence[Arrival],
    *,
    now: datetime,
    first_time: bool,
    apart: bool,
) -> Sequence[Arrival]:
    """Take events, but for those that are to be taken ``apart`` after them, which are returned."""
    intake = await store.lock(connection, branch_id)
    assert intake is not None  # noqa: S101 - callers ask first whether the branch is known
    now = intake.not_before(now)
    later = await sort_out(
        connection,
        branch_id,
        arrivals,
        first_time=first_time,
        in_quarantine=intake.in_quarantine,
        apart=apart,
    )
    if later:
        put_off = {id(one) for one in later}
        arrivals = [one for one in arrivals if id(one) not in put_off]
    fresh = [one for one in arrivals if one.verdict is None]
    county = await counties.county(connection, branch_id) if fresh else None
    if county is None:
        await record(connection, branch_id, arrivals, None, intake, now=now)
        return later
    timelines = counties.borrow(branch_id, intake.mark)
    books = Books(
        county.organisation, county.rules, Known(timelines=timelines), intake.closed_through, now
    )
    released = await _run(
        connection,
        branch_id,
        books,
        fresh,
        first_time=first_time,
        in_quarantine=intake.in_quarantine,
    )
    if first_time and await _came_before(connection, branch_id, fresh):
        raise CameBeforeError
    if not books.produced.decided:
        # Nobody need wait for the disk to learn what has not changed.
        counties.keep(branch_id, Standing(county, intake.closed_through, intake.mark, timelines))
    mark = await record(connection, branch_id, [*arrivals, *released], books, intake, now=now)
    if books.produced.decided:
        counties.keep(branch_id, Standing(county, intake.closed_through, mark, timelines))
    return later


async def _came_before(
    connection: AsyncConnection, branch_id: int, arrivals: Sequence[Arrival]
) -> bool:
    """Say whether any event that is not booked was, or may have been, before.

    One that is refused may be what it clashes with; one that takes back too much may be what was taken
    back. Of one that waits for a line or a charge another form may have been booked, which no key of
    the database says: nothing is written under its identity while it waits.
    """
    waiting = [one for one in arrivals if one.waiting is not None]
    refused = any(one.judged.outcome is Outcome.REFUSED for one in arrivals)
    if refused or any(one.waiting and exceeds_charge(one.waiting) for one in waiting):
        return True
    return bool(
        waiting
        and await store.received(connection, branch_id, [one.message.key for one in waiting])
    )


async def take_foreseen(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    foreseen: Foreseen,
    *,
    now: datetime,
) -> bool:
    """Take events of one branch as they were booked before, if the branch still stands as it did.

    Every one of them is booked when this returns true; when it returns false, nothing has happened.
    As with ``first_time``, nothing is looked up that only a repetition would find.
    """
    intake = await store.lock(connection, branch_id)
    if intake is None or not await _stands(connection, counties, branch_id, foreseen, intake):
        return False
    foreseen.books.now = intake.not_before(now)
    await _book_commissions(connection, branch_id, foreseen.books)
    counties.keep(branch_id, foreseen.standing)
    await record_foreseen(connection, branch_id, foreseen, intake)
    return True


async def _stands(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    foreseen: Foreseen,
    intake: store.Intake,
) -> bool:
    """Say whether a branch is what events were booked on, and no held event has to do with them."""
    standing = foreseen.standing
    if (intake.mark, intake.closed_through) != (standing.mark, standing.closed_through):
        return False
    if await counties.county(connection, branch_id) is not standing.county:
        return False
    if not intake.in_quarantine:
        return True
    keys = {one.key for one in foreseen.messages}
    digests = {one.digest for one in foreseen.readings}
    return not await store.held_like(
        connection,
        branch_id,
        keys,
        digests,
        in_quarantine=intake.in_quarantine,
        waiting=foreseen.books.arrived,
    )


async def decide_again(
    connection: AsyncConnection,
    county: County,
    branch_id: int,
    *,
    now: datetime,
    subscription_ids: Sequence[str] | None = None,
    ruling: Ruling | None = None,
    restating: bool = False,
) -> None:
    """Make open decisions again, of the whole branch unless subscriptions are named.

    They may be named by a ruling that is in force by now; one that restates reaches the closed months
    of its term as well.
    """
    intake = await store.lock(connection, branch_id)
    assert intake is not None  # noqa: S101 - the branch is registered
    now = intake.not_before(max(now, await store.after_closing(connection, branch_id) or now))
    named = subscription_ids
    if named is None:
        named = await store.every_subscription(connection, branch_id)
    books = Books(county.organisation, county.rules, Known(), intake.closed_through, now)
    if ruling is not None:
        books.ruled = frozenset(named)
    await _load_named(connection, branch_id, books, named, dependents=subscription_ids is not None)
    await _decide_again(connection, branch_id, books, ruling if restating else None)
    await record_decisions(connection, branch_id, books, intake)


async def earn_again(
    connection: AsyncConnection,
    county: County,
    branch_id: int,
    *,
    now: datetime,
    subscription_ids: Iterable[str],
) -> None:
    """Book what leads on subscriptions earn under the terms that stand now."""
    intake = await store.lock(connection, branch_id)
    assert intake is not None  # noqa: S101 - the branch is registered
    now = intake.not_before(now)
    books = Books(county.organisation, county.rules, Known(), intake.closed_through, now)
    books.earning |= set(subscription_ids)
    await _book_commissions(connection, branch_id, books)
    await record_decisions(connection, branch_id, books, intake)


async def rehearse(
    connection: AsyncConnection,
    county: County,
    branch_id: int,
    ruling: Ruling,
    *,
    now: datetime,
    subscription_ids: Sequence[str],
    restating: bool,
) -> list[Entry]:
    """Return what putting a ruling in force would book now; nothing is written."""
    closed_through = await store.closed_through(connection, branch_id)
    books = Books(county.organisation, county.rules, Known(), closed_through, now)
    books.ruled = frozenset(subscription_ids)
    await _load_named(connection, branch_id, books, subscription_ids, dependents=True)
    for one in subscription_ids:
        books.known.rulings[one].append(ruling)
    await _decide_again(
        connection,
        branch_id,
        books,
        ruling if restating else None,
        thawing=subscription_ids,
    )
    return books.produced.entries


async def _load_named(
    connection: AsyncConnection,
    branch_id: int,
    books: Books,
    subscription_ids: Sequence[str],
    *,
    dependents: bool,
) -> None:
    await store.load_lines(
        connection,
        branch_id,
        books.known,
        subscription_ids=subscription_ids,
        dependents=dependents,
    )
    for one in subscription_ids:
        books.affect(one)


async def let_out(
    connection: AsyncConnection, branch_id: int, number: int, *, now: datetime
) -> None:
    """Let an event out of quarantine that has gone elsewhere."""
    resolved = await store.resolve(connection, branch_id, [number], now=now)
    await store.advance(connection, branch_id, resolved=resolved)


# --- into the books -----------------------------------------------------------------------------


async def _run(
    connection: AsyncConnection,
    branch_id: int,
    books: Books,
    fresh: Sequence[Arrival],
    *,
    first_time: bool,
    in_quarantine: int,
) -> list[Arrival]:
    """Take arrivals into the books, then what was waiting for them; return the released ones."""
    parked: dict[str, list[Arrival]] = defaultdict(list)
    released: list[Arrival] = []
    queue = list(fresh)
    while queue:
        learned = [one for one in queue if says_of_lines(one.message)]
        money = [one for one in queue if not says_of_lines(one.message)]
        await _load_lines(connection, branch_id, books.known, [one.message for one in learned])
        await _load_documents(
            connection,
            branch_id,
            books.known,
            [one.message for one in queue],
            first_time=first_time,
        )
        for arrival in learned:
            _settle(arrival, learn(books, arrival.message), parked)
        await _decide_again(connection, branch_id, books)
        await _load_owners(connection, branch_id, books.known, [one.message for one in money])
        for arrival in money:
            _settle(arrival, book(books, arrival.message), parked)
        queue = []
        if books.arrived:
            if in_quarantine:
                known = {one.held_number for one in (*fresh, *released)}
                waited = [
                    Arrival(read(one.body, now=books.now), one.posted_by, one.number, replayed=True)
                    for one in await store.waiting_for(connection, branch_id, books.arrived)
                    if one.number not in known
                ]
                await judge_released(connection, branch_id, waited)
                released += waited
                queue += [one for one in waited if one.verdict is None]
            for key in books.arrived:
                queue += parked.pop(key, [])
            books.arrived.clear()
    await _book_commissions(connection, branch_id, books)
    return released


async def _book_commissions(connection: AsyncConnection, branch_id: int, books: Books) -> None:
    """Book what leads earn, on the lines of which anything has changed."""
    if not books.earning:
        return
    known = books.known
    earning = {one for one in books.earning if known.leads.get(one)}
    earning |= await store.from_leads(connection, branch_id, books.earning - known.loaded)
    books.earning = earning
    if not earning:
        return
    await store.load_lines(connection, branch_id, known, subscription_ids=earning, dependents=False)
    await store.load_timelines(connection, branch_id, known, earning)
    await store.load_commissions(connection, branch_id, known, earning)
    book_commissions(books, await commissions.terms_book(connection, branch_id))


def _settle(
    arrival: Arrival, answer: Refusal | Waiting | None, parked: dict[str, list[Arrival]]
) -> None:
    arrival.waiting = None
    match answer:
        case None:
            arrival.verdict = BOOKED
        case Refusal():
            arrival.verdict = Verdict(Outcome.REFUSED, answer)
        case Waiting():
            why = Refusal(answer.code, answer.message, answer.message_zh)
            arrival.verdict = Verdict(Outcome.PARKED, why)
            arrival.waiting = answer
            parked[answer.waiting_for].append(arrival)


async def _load_lines(
    connection: AsyncConnection, branch_id: int, known: Known, messages: Iterable[Message]
) -> None:
    """Load the lines and bundles that these messages speak of."""
    subscription_ids: set[str] = set()
    bundle_ids: set[str] = set()
    for message in messages:
        subscription_ids.update(_named_subscriptions(message.data))
        bundle_id = getattr(message.data, "bundle_id", None)
        if bundle_id is not None:
            bundle_ids.add(bundle_id)
    await store.load_lines(
        connection,
        branch_id,
        known,
        subscription_ids=subscription_ids,
        bundle_ids=bundle_ids,
        dependents=True,
    )


def _named_subscriptions(data: events.EventData) -> Iterable[str]:
    if isinstance(data, events.BundleMembers):
        yield from data.subscription_ids
        return
    if isinstance(data, events.LeadConverted):
        yield from data.subscription_ids or ()
    for attribute in ("subscription_id", "main_subscription_id"):
        named = getattr(data, attribute, None)
        if named is not None:
            yield named


async def _load_documents(
    connection: AsyncConnection,
    branch_id: int,
    known: Known,
    messages: Iterable[Message],
    *,
    first_time: bool,
) -> None:
    """Load the documents that messages take back from, and those they may bring a second time."""
    numbers = {document_settled(one) for one in messages}
    if not first_time:
        numbers |= {document_brought(one) for one in messages}
    await store.load_documents(connection, branch_id, known, [one for one in numbers if one])


async def _load_owners(
    connection: AsyncConnection, branch_id: int, known: Known, messages: Iterable[Message]
) -> None:
    """Load whose the subscriptions are that money is booked to."""
    named = {getattr(one.data, "subscription_id", None) for one in messages}
    named |= {item.subscription_id for item in known.documents.values()}
    await store.load_timelines(connection, branch_id, known, [one for one in named if one])


async def _decide_again(
    connection: AsyncConnection,
    branch_id: int,
    books: Books,
    restating: Ruling | None = None,
    *,
    thawing: Collection[str] = (),
) -> None:
    """Decide again on subscriptions whose evidence has changed."""
    affected, known = books.affected, books.known
    if not affected:
        return
    # A line becomes evidence for those it is bundled with: load what theirs reaches as well.
    await store.load_lines(
        connection, branch_id, known, subscription_ids=affected, dependents=False
    )
    await store.load_timelines(connection, branch_id, known, affected)
    await store.load_deferred(connection, branch_id, known, affected)
    known.frozen.difference_update(thawing)
    books.pass_over_unchanged()
    affected = books.affected
    reached = known.thawed if restating is None else affected
    await store.load_entries(connection, branch_id, known, reached, closed_through=None)
    await store.load_entries(
        connection, branch_id, known, affected, closed_through=books.closed_through
    )
    await store.load_decisions(connection, branch_id, known, reached)
    books.decide_again(restating)
