"""Posts events of any number, for as long as it takes: what a billing system's sender needs."""

import asyncio
import math
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Sequence,
)
from contextlib import aclosing
from typing import Any

import httpx

from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.wire.attribution import EventOutcome, IntakeReport, Outcome

AT_ONCE = 1_000
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_DOUBLINGS = 6
"""After so many it is the longest."""


async def post_all(
    attribution: AttributionClient,
    events: AsyncIterable[Any] | Iterable[Any],
    *,
    at_once: int = AT_ONCE,
) -> AsyncIterator[tuple[Any, EventOutcome]]:
    """Post events, and yield each that was not booked, with what became of it and why.

    One batch is under way at a time, and the next events are read when the last are on disk, so whoever
    makes them is held back to what the service takes. While nobody answers, or the service asks to wait,
    it waits and sends the same events again, without end: bound it with ``asyncio.timeout``. An event is
    known by its ``source`` and ``id``, so none is booked twice, and what is known already is not yielded.
    A parked event waits for another and then books itself; refused and conflicting ones lie in quarantine.

    Raises:
        PeerProblem: the service refused the whole batch and would again, such as for the token.

    """
    async with aclosing(_batches(events, at_once)) as batches:
        async for batch in batches:
            report = await post_waiting(attribution, batch)
            for outcome in report.outcomes:
                if outcome.outcome is not Outcome.DUPLICATE:
                    yield batch[outcome.index], outcome


async def post_waiting(
    attribution: AttributionClient,
    batch: Sequence[Any],
    *,
    most_seconds: float = math.inf,
    waiting: Callable[[PeerProblem | httpx.TransportError], None] = lambda _: None,
) -> IntakeReport:
    """Post a batch; while nobody answers, or the service asks to wait, wait and send it again.

    Between attempts lie 1 s, 2 s, 4 s and so on up to a minute, or what the service asks for if that is
    more. The last attempt begins at the latest ``most_seconds`` after the first one failed; who is asked
    to wait longer than that does not wait. ``waiting`` hears of the first failure when a wait begins.

    Raises:
        PeerProblem: the service refused the batch and would again, or still asks to wait.
        httpx.TransportError: still nobody answers.

    """
    clock = asyncio.get_running_loop().time
    until: float | None = None
    tried = 0
    while True:
        try:
            return await attribution.post_events(batch)
        except (PeerProblem, httpx.TransportError) as failed:
            asked = failed.retry_after if isinstance(failed, PeerProblem) else 0.0
            until = clock() + most_seconds if until is None else until
            pause = None if asked is None else pause_before(tried, asked, until - clock())
            if pause is None:
                raise
            if not tried:
                waiting(failed)
            await asyncio.sleep(pause)
            tried += 1


def pause_before(tried: int, asked: float, left: float) -> float | None:
    """Return the seconds to wait after another ``tried`` attempts; None is that it is the end.

    ``asked`` is what the service asks for, ``left`` what may still be waited.
    """
    if left <= 0 or asked > left:
        return None
    apart = min(_FIRST_PAUSE * 2.0 ** min(tried, _DOUBLINGS), _LONGEST_PAUSE)
    return min(max(asked, apart), left)


async def _batches(
    events: AsyncIterable[Any] | Iterable[Any], size: int
) -> AsyncGenerator[list[Any]]:
    batch: list[Any] = []
    async for event in _one_by_one(events):
        batch.append(event)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


async def _one_by_one(events: AsyncIterable[Any] | Iterable[Any]) -> AsyncIterator[Any]:
    if isinstance(events, AsyncIterable):
        async for event in events:
            yield event
    else:
        for event in events:
            yield event
