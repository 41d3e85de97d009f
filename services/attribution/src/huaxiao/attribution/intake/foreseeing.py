"""Booking events before their turn, on the branch as this process saw it last.

While a batch is on its way to the disk the processor has nothing to do: the next one is booked
meanwhile. Its turn only has to find that the branch still stands as it did, and to write. Where it
does not, or where anything is out of the ordinary, the turn takes the events as they came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from huaxiao.attribution.county.counties import Standing
from huaxiao.attribution.domain.booking import book
from huaxiao.attribution.domain.books import Books, Known
from huaxiao.attribution.domain.learning import says_of_lines
from huaxiao.attribution.domain.messages import Message
from huaxiao.attribution.intake.reading import Reading
from huaxiao.shared.by_turns import by_turns


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Events, all of which could be booked, and what they were booked on."""

    readings: Sequence[Reading]
    messages: Sequence[Message]
    books: Books
    standing: Standing


async def foresee(
    standing: Standing, readings: Sequence[Reading], *, now: datetime
) -> Foreseen | None:
    """Book events on a branch as it was last seen; None unless all of them can be.

    That is money and work on subscriptions whose owner is known, each event under an identity of its
    own. What speaks of lines, and what takes back from documents booked before, needs look-ups.
    """
    messages = [one.says for one in readings if isinstance(one.says, Message)]
    if len({one.key for one in messages}) < len(readings):
        return None
    county = standing.county
    books = Books(
        county.organisation,
        county.rules,
        Known(timelines=standing.timelines),
        standing.closed_through,
        now,
    )
    async for some in by_turns(messages):
        for one in some:
            if says_of_lines(one) or book(books, one) is not None:
                return None
    return Foreseen(readings, messages, books, standing)


def joined(parts: Sequence[Foreseen]) -> Foreseen | None:
    """Return as one what was booked apart; None where it was not booked on the same."""
    first, *others = parts
    if not all(one.standing.is_like(first.standing) for one in others):
        return None
    for one in others:
        first.books.produced.add_money(one.books.produced)
        first.books.arrived |= one.books.arrived
        first.books.earning |= one.books.earning
    readings = list(chain.from_iterable(one.readings for one in parts))
    messages = list(chain.from_iterable(one.messages for one in parts))
    return Foreseen(readings, messages, first.books, first.standing)
