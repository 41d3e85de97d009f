"""Arrivals: events on their way into the books, and what came before them."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.messages import Message, Refusal, Waiting
from huaxiao.attribution.intake import store
from huaxiao.attribution.intake.reading import Reading
from huaxiao.shared.wire.attribution import Outcome


class Verdict(NamedTuple):
    """What became of an event."""

    outcome: Outcome
    why: Refusal


BOOKED = Verdict(Outcome.BOOKED, Refusal("booked", "Booked.", "已入账。"))
_DUPLICATE = Verdict(
    Outcome.DUPLICATE,
    Refusal("duplicate", "This very event was taken in before.", "该事件此前已接收，内容相同。"),
)
_CONFLICT = Verdict(
    Outcome.CONFLICT,
    Refusal(
        "conflict",
        "Another event came under this id and source before.",
        "同一来源、同一编号此前已有内容不同的事件。",
    ),
)


@dataclass(slots=True)
class Arrival:
    """An event on its way into the books: just posted, or out of quarantine."""

    reading: Reading
    posted_by: str
    """Who brings it now, and may see it if quarantine keeps it."""
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
    repeats: "Arrival | None" = None
    """The same event, which came just before in this transaction."""
    unplaced: bool = False
    """It belongs to no branch, and to nobody but who posted it."""

    @property
    def is_read(self) -> bool:
        """Say whether it could be read."""
        return isinstance(self.reading.says, Message)

    @property
    def key(self) -> tuple[str, str] | None:
        """The event's identity, as far as it could be read."""
        says = self.reading.says
        return says.key if isinstance(says, Message) else self.reading.name.key

    @property
    def digest(self) -> bytes:
        """What quarantine knows the event again by: its bytes, and of no branch who posted them."""
        digest = self.reading.digest
        if not self.unplaced:
            return digest
        return hashlib.sha256(digest + self.posted_by.encode()).digest()

    @property
    def message(self) -> Message:
        """What the event says, when it could be read."""
        assert isinstance(self.reading.says, Message)  # noqa: S101 - refusals were sorted out
        return self.reading.says

    @property
    def in_quarantine(self) -> list[int]:
        """The numbers under which quarantine holds this event, and refused forms of it."""
        own = [] if self.held_number is None else [self.held_number]
        return own + self.supersedes

    @property
    def judged(self) -> Verdict:
        """The verdict, when it has been given; of a repetition, what it would be if it came later."""
        if self.repeats is not None and self.repeats.judged.outcome is not Outcome.BOOKED:
            return self.repeats.judged
        assert self.verdict is not None  # noqa: S101 - taking gives every arrival its verdict
        return self.verdict


async def sort_out(
    connection: AsyncConnection,
    branch_id: int,
    arrivals: Iterable[Arrival],
    *,
    first_time: bool,
    in_quarantine: int,
    apart: bool,
) -> list[Arrival]:
    """Give their verdict to events that came before, and to those that cannot be read.

    Not asked for are events booked before when all are taken to come for the ``first_time``, and
    held ones when none are ``in_quarantine``.

    What comes ``apart`` is returned, without a verdict: other forms of an event that precedes them here
    and may yet be refused, so that what becomes of it has to be known first.
    """
    held: list[store.Held] = []
    # What cannot be read may be another form of what was booked, or mended, before.
    asked = {one.key for one in arrivals if not one.is_read and one.key is not None}
    if in_quarantine or not first_time:
        keys = {one.message.key for one in arrivals if one.is_read}
        digests = {one.digest for one in arrivals}
        asked |= set() if first_time else keys
        if in_quarantine:
            held = await store.held_like(
                connection, branch_id, keys, digests, in_quarantine=in_quarantine
            )
    before = await store.received(connection, branch_id, asked) if asked else {}
    mended = await _mended(connection, branch_id, arrivals, before)
    return _judge_in_order(arrivals, before, mended, held, apart=apart)


def _judge_in_order(
    arrivals: Iterable[Arrival],
    before: dict[tuple[str, str], bytes],
    mended: AbstractSet[bytes],
    held: Iterable[store.Held],
    *,
    apart: bool,
) -> list[Arrival]:
    """Give verdicts by what is known; return what comes ``apart``, as ``sort_out`` has it."""
    by_digest = {one.digest: one for one in held}
    by_key: dict[tuple[str | None, str | None], list[store.Held]] = defaultdict(list)
    for one in by_digest.values():
        by_key[one.source, one.event_id].append(one)
    in_batch: set[bytes] = set()
    firsts: dict[tuple[str, str], Arrival] = {}
    later: list[Arrival] = []
    for arrival in arrivals:
        key = arrival.key
        first = None if key is None else firsts.get(key)
        if apart and first is not None and _is_other_form(arrival, first):
            later.append(arrival)
            continue
        digest = arrival.digest
        own = by_digest.get(digest) if arrival.held_number is None else None
        arrival.stands = digest in in_batch
        in_batch.add(digest)
        if own is None:
            _judge(arrival, key, before, mended, by_key)
        else:
            _judge_anew(arrival, key, own, before, mended, by_key)
        if key is None:
            continue
        if arrival.verdict is None:
            # A second event of this batch under the same identity is judged against this one.
            before[key] = arrival.reading.digest
            firsts[key] = arrival
        elif not arrival.is_read:
            firsts.setdefault(key, arrival)
        elif arrival.verdict is _DUPLICATE and first is not None:
            arrival.repeats = first
    return later


def _judge_anew(
    arrival: Arrival,
    key: tuple[str, str] | None,
    own: store.Held,
    before: Mapping[tuple[str, str], bytes],
    mended: AbstractSet[bytes],
    by_key: Mapping[tuple[str | None, str | None], Sequence[store.Held]],
) -> None:
    """Judge an event of which quarantine holds the ``own`` bytes already.

    What it lacked when it was refused, or clashed with, may be another now; what it waits for is told
    by the events that bring it.
    """
    if own.outcome == Outcome.PARKED:
        arrival.stands = True
        arrival.verdict = _as_before(own)
        return
    if not arrival.stands:
        arrival.held_number = own.number
    _judge(arrival, key, before, mended, by_key)
    if own.outcome == Outcome.CONFLICT and arrival.verdict is _CONFLICT:
        arrival.held_number, arrival.stands = None, True


def _is_other_form(arrival: Arrival, first: Arrival) -> bool:
    """Say whether an event is another form of one before it that it may yet be taken in place of.

    Of two that cannot be read neither is.
    """
    return first.reading.digest != arrival.reading.digest and (first.is_read or arrival.is_read)


async def _mended(
    connection: AsyncConnection,
    branch_id: int,
    arrivals: Iterable[Arrival],
    before: Mapping[tuple[str, str], bytes],
) -> AbstractSet[bytes]:
    """Return the digests of what another form was booked of, since somebody mended it."""
    clashing = {
        one.key: one.reading.digest
        for one in arrivals
        if one.key is not None and before.get(one.key, one.reading.digest) != one.reading.digest
    }
    if not clashing:
        return frozenset()
    return await store.mended(connection, branch_id, clashing.keys())


def _judge(
    arrival: Arrival,
    key: tuple[str, str] | None,
    before: Mapping[tuple[str, str], bytes],
    mended: AbstractSet[bytes],
    held: Mapping[tuple[str | None, str | None], Sequence[store.Held]],
) -> None:
    """Give an event its verdict, or leave it without one when it is new."""
    says, digest = arrival.reading.says, arrival.reading.digest
    known = None if key is None else before.get(key)
    if known is not None:
        arrival.verdict = _DUPLICATE if known == digest or digest in mended else _CONFLICT
        return
    if isinstance(says, Refusal):
        arrival.verdict = Verdict(Outcome.REFUSED, says)
        return
    others = [one for one in held.get(says.key, ()) if one.number != arrival.held_number]
    if any(one.outcome == Outcome.PARKED for one in others):
        arrival.verdict = _CONFLICT
        return
    arrival.supersedes = [one.number for one in others if one.outcome == Outcome.REFUSED]


async def judge_released(
    connection: AsyncConnection, branch_id: int, released: Sequence[Arrival]
) -> None:
    """Give their verdict to events that have waited in quarantine and cannot be booked after all.

    What they say may be taken no longer, or another form of them may have been booked.
    """
    keys = {one.message.key for one in released if one.is_read}
    before = await store.received(connection, branch_id, keys) if keys else {}
    for arrival in released:
        _judge(arrival, arrival.key, before, frozenset(), {})


def _as_before(held: store.Held) -> Verdict:
    return Verdict(Outcome(held.outcome), Refusal(held.code, held.message, held.message_zh))
