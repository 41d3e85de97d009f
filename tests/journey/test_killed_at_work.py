"""The sample county's month through the suite, with services killed in the middle of their work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import pytest
from support.month import assert_as_expected, in_parts, post
from support.postgres import PreparedDatabase
from support.processes import Processes, ServiceProcess

from huaxiao.cli.sample.county import sample_county
from huaxiao.cli.sample.generator import Event, generate
from huaxiao.cli.story import Endpoints, Story, component, telling, until
from huaxiao.shared.auth import Role
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.wire.attribution import Outcome
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE

pytestmark = pytest.mark.slow

SUBSCRIBERS = 200
PATIENCE_SECONDS = 30.0


@asynccontextmanager
async def writes_held_up(
    database: PreparedDatabase, table: str
) -> AsyncIterator[Callable[[str], Awaitable[bool]]]:
    """Let nobody write a table for a while; yields a question: does this service wait for it?"""
    connection = await asyncpg.connect(database.url("postgres"))

    async def waits(service: str) -> bool:
        return bool(
            await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = $1 AND wait_event_type = 'Lock'",
                f"huaxiao-{service}",
            )
        )

    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            yield waits
    finally:
        await connection.close()


async def kill_before_its_commit(
    one: ServiceProcess, database: PreparedDatabase, *, at: str, work: Awaitable[object]
) -> None:
    """Kill a service at work, all of it done up to a table, none committed; start it again.

    Whoever gave it the work tries again: the client for itself while the service is away.
    """
    async with writes_held_up(database, at) as waits:
        doing = asyncio.ensure_future(work)
        await until(
            lambda: waits(one.service), f"{one.service} writes {at}", patience=PATIENCE_SECONDS
        )
        one.kill()
    await one.restart()
    await doing


async def send_and_hear_nothing(
    one: ServiceProcess, database: PreparedDatabase, batch: Sequence[Event], token: str
) -> None:
    """Post a batch, and kill the service once it is committed, the answer unread."""
    counted = "SELECT count(*) FROM attribution.received_events"
    connection = await asyncpg.connect(database.url("postgres"))
    before = await connection.fetchval(counted)

    async def committed() -> bool:
        return bool(await connection.fetchval(counted) > before)

    body = msgspec.json.encode(batch)
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: attribution\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {FEED_MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", one.port)
    try:
        writer.write(head.encode() + body)
        await writer.drain()
        await until(committed, "the batch is committed", patience=PATIENCE_SECONDS)
        one.kill()
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        await connection.close()
    await one.restart()


@pytest.fixture
async def story(processes: Processes, issuer: Issuer) -> AsyncIterator[Story]:
    county = sample_county()
    addresses = {service: one.url for service, one in processes.of.items()}
    suite = Endpoints(**addresses, issuer=issuer, gateway="")
    sample = generate(county, seed=201711, subscribers=SUBSCRIBERS)
    async with telling(suite, county, sample) as told:
        yield told


async def test_killing_services_at_work_loses_nothing_and_doubles_nothing(
    processes: Processes, own_database: PreparedDatabase, story: Story
) -> None:
    expected = story.sample.expected
    opened, first, second, third, last = in_parts(story.sample.events, 5)
    await story.register()
    await story.wait_for_attribution()
    await post(story, opened)

    await kill_before_its_commit(
        processes["kpi"], own_database, at="kpi.measures", work=post(story, first)
    )
    await kill_before_its_commit(
        processes["attribution"],
        own_database,
        at="attribution.feed_heads",
        work=post(story, second),
    )
    await send_and_hear_nothing(
        processes["attribution"], own_database, third, story.suite.token(Role.BSS_SOURCE)()
    )
    again = await post(story, third)
    await kill_before_its_commit(
        processes["dispatch"], own_database, at="dispatch.orders", work=post(story, last)
    )
    orders = await story.orders()
    await kill_before_its_commit(
        processes["kpi"],
        own_database,
        at="kpi.feed_positions",
        work=story.work(orders, lambda _: None),
    )
    report = await story.targets()

    assert again.outcomes[Outcome.BOOKED] == 0, "the answer was lost, the batch was not"
    await assert_as_expected(story)
    assert len({one.order_id for one in orders}) == len(orders) == expected.orders
    assert report.county is not None
    assert component(report.county, "revenue") == expected.billed_fen
