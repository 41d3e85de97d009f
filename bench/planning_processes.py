"""A county's days planned side by side, while the event loop that asked for them goes on."""

import asyncio
import os
import time

from bench.county_days import county_day
from bench.measuring import Figure, Size, figure, tell
from huaxiao.dispatch.domain.planning.changing import Changed
from huaxiao.dispatch.domain.planning.checking import check
from huaxiao.dispatch.domain.planning.model import Problem
from huaxiao.dispatch.plans.searching import Search, Searchers

FULL_SUBSCRIBERS = 1_000
_PULSE_SECONDS = 0.01


async def plan_county(size: Size) -> Figure:
    """Plan the days of 100 centres in as many processes as there are processors.

    Held against the seconds that were given to the searches, spread over the processes: what is
    beyond is what it costs to hand days over and back.
    """
    full = size.subscribers >= FULL_SUBSCRIBERS
    days = [county_day(10, 100, seed=seed) for seed in range(100 if full else 2)]
    seconds = 1
    processes = os.cpu_count() or 1
    searchers = Searchers(processes)
    try:
        await _plan(searchers, days[:processes], seconds)
        pulse = asyncio.create_task(_slowest_pulse())
        started = time.perf_counter()
        await _plan(searchers, days, seconds)
        took = time.perf_counter() - started
        pulse.cancel()
        slowest = await pulse
    finally:
        await asyncio.to_thread(searchers.close)
    given = len(days) * seconds / processes
    tell(
        f"plan_county: {len(days)} centres in {processes} processes: {took:.1f} s,"
        f" the event loop at most {1000 * slowest:.0f} ms late"
    )
    against = "the searches' seconds over the processes"
    return figure("plan_county", [took], "s", against=against, ratios=[took / given])


async def _plan(searchers: Searchers, days: list[Problem], seconds: int) -> None:
    waiting = list(days)
    running: dict[asyncio.Future[Changed], int] = {}
    while waiting or running:
        while waiting and (process := searchers.take()) is not None:
            wanted = Search(waiting.pop(), None, seed=1, seconds=seconds, iterations=None)
            begun = searchers.begin(process, wanted)
            running[asyncio.wrap_future(begun.future)] = process
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            searchers.give_back(running.pop(one))
            made = one.result()
            complaints = check(made.problem, made.plan)
            if complaints:
                raise RuntimeError(f"a plan breaks rules: {complaints[0]}")


async def _slowest_pulse() -> float:
    slowest = 0.0
    try:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_PULSE_SECONDS)
            slowest = max(slowest, time.perf_counter() - before - _PULSE_SECONDS)
    except asyncio.CancelledError:
        return slowest
