"""What a county, a province and the country need: ``make capacity``.

Costs are measured on this machine: CPU seconds of the services' and of the database's processes, and
bytes on disk. A month is then simulated at these costs (``bench/simulating.py``). Each result is a JSON
line on standard output. ``COSTS=file`` takes costs that were measured before, as they were printed.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import uvloop

from bench.measuring import Suite, cpu_of, cpu_of_server, running_suite, tell
from bench.simulating import Cost, Costs, County, Machines, most_counties, simulate
from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM, sample_county
from huaxiao.cli.sample.generator import generate
from huaxiao.cli.story import Endpoints, Story, telling
from huaxiao.shared.provision import SERVICES

SUBSCRIBERS = 4_000
QUESTIONS = 1_500
_WORK = {"work.requested"}
PROVINCE = County(subscribers=300_000, items=1_000_000, orders=6_000, looks=48_000)
"""A county of a province with 100, 30 million subscribers and 100 million bill items a month; two
orders a month for a hundred subscribers; 60 people with 40 questions on each of 20 days."""
COUNTIES_OF_CHINA = 2_978
NIGHT_SECONDS = 4 * 3600
"""In which a bill run that comes in two hours is to be booked."""
MACHINES = (Machines(2, 2), Machines(8, 8), Machines(32, 32), Machines(128, 128))


class Meter:
    """What the suite's processes have spent, and what its database holds."""

    def __init__(self, suite: Suite, database: asyncpg.Connection) -> None:
        self._suite, self._database = suite, database

    async def settled(self) -> tuple[float, float, float]:
        """Return CPU seconds of services, of the database, and bytes, when nothing more is done."""
        before = await self._read()
        while True:
            await asyncio.sleep(1)
            after = await self._read()
            if sum(after[:2]) - sum(before[:2]) < _IDLE_CPU:
                return after
            before = after

    async def _read(self) -> tuple[float, float, float]:
        services = [one.running for one in self._suite.processes.of.values()]
        size = await self._database.fetchval("SELECT pg_database_size(current_database())")
        return (
            sum(cpu_of(psutil.Process(one.pid)) for one in services if one is not None),
            cpu_of_server(await self._database.fetchval("SELECT pg_backend_pid()")),
            float(size),
        )


_IDLE_CPU = 0.25
"""Followers and timers that find nothing spend less than this in a second."""


@asynccontextmanager
async def spending(meter: Meter, pieces: Callable[[], int]) -> AsyncIterator[list[Cost]]:
    """Yield what will hold the cost of one piece of the work that is done in the block."""
    cost: list[Cost] = []
    before = await meter.settled()
    yield cost
    after = await meter.settled()
    service, database, size = (
        (one - other) / pieces() for one, other in zip(after, before, strict=True)
    )
    cost.append(Cost(service, database, size))


async def measured() -> Costs:
    """Have the sample county's month done, and return what each kind of work has cost."""
    async with running_suite(SERVICES) as suite:
        database = await asyncpg.connect(suite.database.url("postgres"))
        addresses = {service: one.url for service, one in suite.processes.of.items()}
        endpoints = Endpoints(**addresses, issuer=suite.keys.issuer(), gateway="")
        sample = generate(sample_county(), seed=201711, subscribers=SUBSCRIBERS)
        try:
            async with telling(endpoints, sample_county(), sample) as story:
                return await _costs(story, Meter(suite, database))
        finally:
            await database.close()


async def _costs(story: Story, meter: Meter) -> Costs:
    await story.register()
    await story.wait_for_attribution()
    asked = [one for one in story.sample.events if one.get("type") in _WORK]
    rest = [one for one in story.sample.events if one.get("type") not in _WORK]
    async with spending(meter, lambda: len(rest)) as item:
        await story.post(rest, lambda _: None)
    tell(f"{len(rest)} events: {item[0]}")
    async with spending(meter, lambda: len(asked)) as order:
        await story.post(asked, lambda _: None)
        await story.work(await story.orders(), lambda _: None)
    tell(f"{len(asked)} orders: {order[0]}")
    await story.targets()
    async with spending(meter, lambda: QUESTIONS) as look:
        for _ in range(QUESTIONS):
            await story.kpi.targets(BRANCH_ID, period=TERM_FROM)
    tell(f"{QUESTIONS} questions: {look[0]}")
    return Costs(item[0], order[0], replace(look[0], bytes=0.0))


def reports(costs: Costs) -> Iterator[dict[str, Any]]:
    """Yield what the costs come to."""
    yield {"costs": asdict(costs)}
    for name, counties in (("county", 1), ("province", 100), ("country", COUNTIES_OF_CHINA)):
        for machines in MACHINES:
            month = simulate(PROVINCE, counties, costs, machines)
            yield {"of": name, "counties": counties, **asdict(machines), **asdict(month)}
    for machines in MACHINES:
        fits, beyond = most_counties(PROVINCE, costs, machines, within_seconds=NIGHT_SECONDS)
        yield {"most_counties": fits, **asdict(machines), "then": beyond.limit}


def costs_of(document: dict[str, Any]) -> Costs:
    """Read costs as they were printed."""
    given = document["costs"]
    return Costs(*(Cost(**given[kind]) for kind in ("item", "order", "look")))


def main() -> None:
    """Measure, unless costs are given; simulate, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--costs", type=Path, help="a line with costs, as it was printed")
    given = parser.parse_args().costs
    costs = (
        uvloop.run(measured())
        if given is None
        else costs_of(json.loads(given.read_text().splitlines()[0]))
    )
    for one in reports(costs):
        sys.stdout.write(json.dumps(one) + "\n")


if __name__ == "__main__":
    main()
