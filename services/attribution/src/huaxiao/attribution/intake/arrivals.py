"""Arrivals: events on their way into the books, and what came before them."""

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
) -> None:
    """Give their verdict to events that came before, and to those that cannot be read.

    Not asked for are events booked before when all are taken to come for the ``first_time``, and
    held ones when none are ``in_quarantine``.
    """
    held: list[store.Held] = []
    # What cannot be read may be another form of what was booked, or mended, before.
    asked = {one.key for one in arrivals if not one.is_read and one.key is not None}
    if in_quarantine or not first_time:
        keys = {one.message.key for one in arrivals if one.is_read}
        digests = {one.reading.digest for one in arrivals}
        asked |= set() if first_time else keys
        if in_quarantine:
            held = await store.held_like(
                connection, branch_id, keys, digests, in_quarantine=in_quarantine
            )
    before = await store.received(connection, branch_id, asked) if asked else {}
    mended = await _mended(connection, branch_id, arrivals, before)
    by_digest = {one.digest: one for one in held}
    by_key: dict[tuple[str | None, str | None], list[store.Held]] = defaultdict(list)
    for one in held:
        by_key[one.source, one.event_id].append(one)
    in_batch: set[bytes] = set()
    firsts: dict[tuple[str, str], Arrival] = {}
    for arrival in arrivals:
        digest = arrival.reading.digest
        own = by_digest.get(digest) if arrival.held_number is None else None
        arrival.stands = digest in in_batch
        in_batch.add(digest)
        if own is not None and own.outcome != Outcome.REFUSED:
            arrival.stands = True
            arrival.verdict = _as_before(own)
            continue
        if own is not None and not arrival.stands:
            # Refused before; what it lacked may be known by now.
            arrival.held_number = own.number
        _judge(arrival, before, mended, by_key)
        if arrival.verdict is None:
            # A second event of this batch under the same identity is judged against this one.
            key = arrival.message.key
            before[key], firsts[key] = digest, arrival
        elif arrival.verdict is _DUPLICATE and arrival.key in firsts:
            arrival.repeats = firsts[arrival.key]


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
    before: Mapping[tuple[str, str], bytes],
    mended: AbstractSet[bytes],
    held: Mapping[tuple[str | None, str | None], Sequence[store.Held]],
) -> None:
    """Give an event its verdict, or leave it without one when it is new."""
    says, digest = arrival.reading.says, arrival.reading.digest
    known = None if arrival.key is None else before.get(arrival.key)
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


def _as_before(held: store.Held) -> Verdict:
    return Verdict(Outcome(held.outcome), Refusal(held.code, held.message, held.message_zh))
