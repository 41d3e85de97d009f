"""Measure the suite: ``make bench``, or one figure alone: ``make bench FIGURE=intake_batch``.

One JSON line a figure on standard output and nothing else; how it went is told on standard error.
A figure is a ratio to a limit that the same machine showed in the same minute, taken in pairs:
machines differ and are busy, ratios travel. The median of the pairs is printed with their spread.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
from support.postgres import PreparedDatabase
from support.processes import Processes

from huaxiao.cli import embedded
from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM, TERM_TO, sample_county
from huaxiao.cli.sample.generator import Event, Sample, generate
from huaxiao.cli.sample.registration import register_county, sign_contracts
from huaxiao.cli.suite import Keys
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.periods import Period, periods_from
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE

SERVICES = ("contracts", "attribution")
POSTING_CONNECTIONS = 2
"""Enough that the service need not wait for the next batch to arrive."""
COPIES = 5
"""A single one is over too soon to be told from what else the machine does."""
PLAIN_TABLE = """
    CREATE TABLE plain_events (
        source text, event_id text, type text, occurred_at timestamptz, branch_id integer,
        subject text, bill_item_id text, subscription_id text, period integer, item_kind text,
        amount_fen bigint, tax_fen bigint, PRIMARY KEY (source, event_id)
    )
"""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    subscribers: int
    batches: int
    batch: int
    runs: int

    @property
    def events(self) -> int:
        """Return the events of one run."""
        return self.batches * self.batch


FULL = Size(subscribers=10_000, batches=20, batch=1_000, runs=7)
QUICK = Size(subscribers=60, batches=2, batch=50, runs=2)


@dataclass(frozen=True)
class Figure:
    """A figure as it is printed; ``spread`` is the smallest and the largest ratio."""

    figure: str
    value: float
    unit: str
    against: str
    ratio: float
    runs: int
    spread: tuple[float, float]


@dataclass(frozen=True)
class Suite:
    """Running services, and the database that they are alone with."""

    processes: Processes
    database: PreparedDatabase
    keys: Keys

    def token(self, role: Role) -> str:
        """Return a token for the sample county."""
        return self.keys.issuer().token(f"bench:{role}", roles=[role], branch_ids=[BRANCH_ID])


def tell(line: str) -> None:
    """Say how it goes, beside the figures."""
    print(line, file=sys.stderr, flush=True)


@asynccontextmanager
async def running_suite() -> AsyncIterator[Suite]:
    """Start the services as processes of their own, on a PostgreSQL of their own."""
    with _scratch() as folder:
        async with _running_in(folder) as suite:
            yield suite


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="huaxiao-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server runs as another user where this one is root
        yield folder


@asynccontextmanager
async def _running_in(folder: Path) -> AsyncIterator[Suite]:
    postgres = await asyncio.to_thread(embedded.start, folder)
    try:
        await asyncio.to_thread(embedded.prepare, postgres)
        database = PreparedDatabase(postgres, embedded.DATABASE)
        keys = Keys.under(folder)
        keys.issuer()
        processes = Processes(database, keys, folder, services=SERVICES)
        try:
            await processes.start()
            yield Suite(processes, database, keys)
        finally:
            processes.stop()
    finally:
        postgres.stop()


# --- intake_batch -------------------------------------------------------------------------------


async def intake_batch(suite: Suite, size: Size) -> Figure:
    """Post a month's bill items in batches; against COPY of the same rows, one row an event.

    Every run bills another month, so that every subscription's owner is decided anew. The planner
    is given statistics before each, as autovacuum gives them to a database that has stood a minute.
    """
    sample = generate(sample_county(), seed=1, subscribers=size.subscribers)
    await _open_the_county(suite, sample)
    database = await asyncpg.connect(suite.database.url("postgres"))
    durable = await database.fetch(
        "SELECT name || ' ' || setting FROM pg_settings WHERE name IN"
        " ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version')"
    )
    tell(f"PostgreSQL: {', '.join(row[0] for row in durable)}; {os.cpu_count()} cores")
    await database.execute(PLAIN_TABLE)
    speeds, ratios = [], []
    months = list(periods_from(Period(TERM_FROM), Period(TERM_TO)))[: size.runs + 1]
    for run, month in enumerate(months):
        batches = list(_bills(sample, month, size))
        bodies = [msgspec.json.encode(batch) for batch in batches]
        rows = [[_row(event) for event in batch] for batch in batches]
        await database.execute("ANALYZE")
        before = await _spent(suite, database)
        speed = size.events / await _timed(_post(suite, bodies, size))
        cpu = await _spent(suite, database) - before
        copies = []
        for _ in range(COPIES):
            await database.execute("TRUNCATE plain_events")
            copies.append(await _timed(_copy(database, rows)))
        limit = size.events / statistics.median(copies)
        name = f"run {run}" if run else "warm-up"
        tell(
            f"{name}: {speed:,.0f} events/s, COPY {limit:,.0f} rows/s, ratio {speed / limit:.3f};"
            f" CPU µs/event: service {1e6 * cpu.service / size.events:.0f},"
            f" database {1e6 * cpu.database / size.events:.0f}"
        )
        if run:
            speeds.append(speed)
            ratios.append(speed / limit)
    await database.close()
    return Figure(
        figure="intake_batch",
        value=round(statistics.median(speeds)),
        unit="events/s",
        against=f"COPY of the same rows into a plain table with their key, {size.batch} a commit",
        ratio=round(statistics.median(ratios), 3),
        runs=len(ratios),
        spread=(round(min(ratios), 3), round(max(ratios), 3)),
    )


async def _open_the_county(suite: Suite, sample: Sample) -> None:
    """Register the county and open its subscriptions: what stands before the first bill."""
    token = suite.token(Role.COUNTY_MANAGER)
    async with (
        ContractsClient(suite.processes["contracts"].url, lambda: token) as contracts,
        AttributionClient(suite.processes["attribution"].url, lambda: token) as attribution,
    ):
        await register_county(contracts, sample_county())
        await sign_contracts(contracts, sample_county(), sample.base)
        published = await contracts.feed(BRANCH_ID, after=0, limit=1000)
        for _ in range(600):
            if await _has_followed(attribution, published[-1].position):
                break
            await asyncio.sleep(0.1)
        opening = [
            event
            for event in sample.events
            if event["type"] in {"subscription.opened", "bundle.formed"}
        ]
        for start in range(0, len(opening), 1_000):
            await attribution.post_events(opening[start : start + 1_000])
    tell(f"{len(opening)} subscriptions and bundles stand")


async def _has_followed(attribution: AttributionClient, position: int) -> bool:
    try:
        return (await attribution.standing(BRANCH_ID)).contracts_position == position
    except PeerProblem:
        return False  # it has not heard of the branch yet


def _bills(sample: Sample, month: int, size: Size) -> Iterator[list[Event]]:
    subscriptions = itertools.cycle(
        event["data"]["subscription_id"]
        for event in sample.events
        if event["type"] == "subscription.opened"
    )
    amounts = itertools.cycle(range(1_000, 9_000, 7))
    for batch in range(size.batches):
        numbers = range(batch * size.batch, (batch + 1) * size.batch)
        yield [
            {
                "specversion": "1.0",
                "id": f"E-{month}-{number:08}",
                "source": "/billing/bench",
                "type": "bill_item.issued",
                "time": f"{month // 100}-{month % 100:02}-28T10:00:00+08:00",
                "branchid": BRANCH_ID,
                "subject": f"BI-{month}-{number:08}",
                "data": {
                    "bill_item_id": f"BI-{month}-{number:08}",
                    "subscription_id": next(subscriptions),
                    "period": month,
                    "item_kind": "monthly",
                    "amount_fen": (amount := next(amounts)),
                    "tax_fen": amount * 6 // 100,
                },
            }
            for number in numbers
        ]


def _row(event: Event) -> tuple[Any, ...]:
    context = (event["source"], event["id"], event["type"], datetime.fromisoformat(event["time"]))
    return (*context, event["branchid"], event["subject"], *event["data"].values())


async def _post(suite: Suite, bodies: Sequence[bytes], size: Size) -> None:
    headers = {
        "Authorization": f"Bearer {suite.token(Role.BSS_SOURCE)}",
        "Content-Type": FEED_MEDIA_TYPE,
    }
    waiting = iter(bodies)
    async with httpx.AsyncClient(
        base_url=suite.processes["attribution"].url, headers=headers, timeout=60
    ) as http:

        async def one_connection() -> None:
            for body in waiting:
                answer = await http.post("/v1/events", content=body)
                answer.raise_for_status()
                booked = answer.json()["booked"]
                if booked != size.batch:
                    raise RuntimeError(f"{booked} of {size.batch} booked: {answer.text[:500]}")

        await asyncio.gather(*(one_connection() for _ in range(POSTING_CONNECTIONS)))


async def _copy(database: asyncpg.Connection, batches: Sequence[Sequence[tuple[Any, ...]]]) -> None:
    for rows in batches:
        await database.copy_records_to_table("plain_events", records=rows)


async def _timed(work: Awaitable[None]) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


@dataclass(frozen=True)
class Spent:
    """CPU seconds, of the attribution process and of the database's; 0 where there is no /proc."""

    service: float
    database: float

    def __sub__(self, before: "Spent") -> "Spent":
        return Spent(self.service - before.service, self.database - before.database)


async def _spent(suite: Suite, database: asyncpg.Connection) -> Spent:
    """Return what was spent so far; of the database's processes, all but the one that copies."""
    backend = await database.fetchval("SELECT pg_backend_pid()")
    running = suite.processes["attribution"].running
    stats = {one.pid: one for one in _stats()}
    if backend not in stats or running is None:
        return Spent(0.0, 0.0)
    server = stats[backend].parent
    return Spent(
        stats[running.pid].cpu,
        stats[server].cpu_of_ended
        + sum(one.cpu for one in stats.values() if one.parent == server and one.pid != backend),
    )


@dataclass(frozen=True)
class Stat:
    """A process as /proc shows it; CPU in seconds."""

    pid: int
    parent: int
    cpu: float
    cpu_of_ended: float
    """Of its children that have ended."""


def _stats() -> Iterator[Stat]:
    tick = os.sysconf("SC_CLK_TCK")
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            number, _, rest = path.read_text().partition(" ")
            values = [int(one) for one in rest.rpartition(")")[2].split()[1:17]]
            user, system, ended_user, ended_system = values[10:14]
            yield Stat(
                int(number), values[0], (user + system) / tick, (ended_user + ended_system) / tick
            )


# --- the command --------------------------------------------------------------------------------

FIGURES: dict[str, Callable[[Suite, Size], Awaitable[Figure]]] = {"intake_batch": intake_batch}


async def measure(names: Sequence[str], size: Size) -> None:
    """Measure figures, each on a suite and a database of its own."""
    for name in names:
        async with running_suite() as suite:
            figure = await FIGURES[name](suite, size)
        print(json.dumps(asdict(figure)), flush=True)


def main() -> None:
    """Read what to measure, and measure it."""
    parser = argparse.ArgumentParser(description="Measure the suite.")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    parser.add_argument("--quick", action="store_true", help="tiny: shows only that it works")
    given = parser.parse_args()
    if unknown := set(given.figures) - set(FIGURES):
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    asyncio.run(measure(given.figures or list(FIGURES), QUICK if given.quick else FULL))


if __name__ == "__main__":
    main()
