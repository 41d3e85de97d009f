"""Posts events of any number, for as long as it takes: what a billing system's sender needs."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from typing import Any

import httpx

from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.wire.attribution import EventOutcome, IntakeReport, Outcome

AT_ONCE = 1_000
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


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
            report = await _posted(attribution, batch)
            for outcome in report.outcomes:
                if outcome.outcome is not Outcome.DUPLICATE:
                    yield batch[outcome.index], outcome


async def _posted(attribution: AttributionClient, batch: Sequence[Any]) -> IntakeReport:
    pause = _FIRST_PAUSE
    while True:
        try:
            return await attribution.post_events(batch)
        except PeerProblem as problem:
            if problem.retry_after is None:
                raise
            await asyncio.sleep(problem.retry_after)
        except httpx.TransportError:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


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
