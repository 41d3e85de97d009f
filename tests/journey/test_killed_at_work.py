"""The sample county's month through the suite, with services killed in the middle of their work."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg
import httpx
import msgspec
import pytest
from support.postgres import PreparedDatabase
from support.processes import Processes, ServiceProcess

from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM, County, sample_county
from huaxiao.cli.sample.generator import Event, Sample, generate
from huaxiao.cli.sample.registration import record_pay, register_county, sign_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.wire.attribution import IntakeReport
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE
from huaxiao.shared.wire.kpi import Unit

pytestmark = pytest.mark.slow

SUBSCRIBERS = 200
BATCH = 250
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


async def until(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_SECONDS
    while not await holds():
        assert loop.time() < deadline, f"it did not come to this: {what}"
        await asyncio.sleep(0.02)


async def kill_before_its_commit(
    one: ServiceProcess, database: PreparedDatabase, *, at: str, work: Awaitable[object]
) -> None:
    """Kill a service at work, all of it done up to a table, none committed; start it again.

    Whoever gave it the work tries again: the client for itself while the service is away.
    """
    async with writes_held_up(database, at) as waits:
        doing = asyncio.ensure_future(work)
        await until(lambda: waits(one.service), f"{one.service} writes {at}")
        one.kill()
    await one.restart()
    await doing


async def send_and_hear_nothing(
    one: ServiceProcess, database: PreparedDatabase, batch: list[Event], token: str
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
        await until(committed, "the batch is committed")
        one.kill()
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        await connection.close()
    await one.restart()


async def orders_of(dispatch: DispatchClient) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await dispatch.orders(BRANCH_ID, cursor=cursor)
        found += [order.order_id for order in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def books_of(attribution: AttributionClient) -> dict[tuple[str, str], int]:
    """Return what attribution says stands on each centre's accounts."""
    sums: Counter[tuple[str, str]] = Counter()
    for one in await attribution.balances(BRANCH_ID, period=TERM_FROM):
        sums[one.centre_id, one.account] += one.amount_fen
    return {key: amount for key, amount in sums.items() if amount}


async def accounts_of(kpi: KpiClient) -> dict[tuple[str, str], int]:
    """Return what kpi says stands on each centre's accounts."""
    return {
        (one.centre_id, one.measure): one.amount
        for one in await kpi.measures(BRANCH_ID, period=TERM_FROM)
        if one.unit is Unit.FEN and one.measure != "pay" and one.amount
    }


async def knows_the_county(attribution: AttributionClient, position: int) -> bool:
    try:
        return (await attribution.standing(BRANCH_ID)).contracts_position == position
    except PeerProblem:
        return False  # it has not heard of the branch yet


async def counts_the_same(kpi: KpiClient, attribution: AttributionClient) -> bool:
    try:
        return await accounts_of(kpi) == await books_of(attribution)
    except PeerProblem:
        return False  # it has not heard of the branch yet


async def has_orders(dispatch: DispatchClient, count: int) -> bool:
    return len(await orders_of(dispatch)) >= count


def in_batches(events: tuple[Event, ...]) -> list[list[Event]]:
    return [list(events[start : start + BATCH]) for start in range(0, len(events), BATCH)]


@pytest.fixture(scope="module")
def county() -> County:
    return sample_county()


@pytest.fixture(scope="module")
def sample(county: County) -> Sample:
    return generate(county, seed=201711, subscribers=SUBSCRIBERS)


async def test_killing_services_at_work_loses_nothing_and_doubles_nothing(
    processes: Processes,
    own_database: PreparedDatabase,
    county: County,
    sample: Sample,
    token: Callable[..., str],
) -> None:
    manager = token(Role.COUNTY_MANAGER, BRANCH_ID)
    source = token(Role.BSS_SOURCE, BRANCH_ID)
    batches = in_batches(sample.events)
    middle = len(batches) // 2
    async with (
        ContractsClient(processes["contracts"].url, lambda: manager) as contracts,
        AttributionClient(processes["attribution"].url, lambda: source) as intake,
        AttributionClient(processes["attribution"].url, lambda: manager) as attribution,
        DispatchClient(processes["dispatch"].url, lambda: manager) as dispatch,
        KpiClient(processes["kpi"].url, lambda: manager) as kpi,
    ):
        await register_county(contracts, county)
        await sign_contracts(contracts, county, sample.base)
        await record_pay(contracts, county, sample.payroll)

        async def post(batch: list[Event]) -> IntakeReport:
            """Send a batch until it is answered."""
            while True:
                with suppress(httpx.TransportError):
                    return await intake.post_events(batch)

        published = await contracts.feed(BRANCH_ID, after=0, limit=1000)

        await until(
            lambda: knows_the_county(attribution, published[-1].position),
            "attribution knows the county",
        )

        for batch in batches[: middle - 1]:
            await post(batch)

        await kill_before_its_commit(
            processes["kpi"], own_database, at="kpi.measures", work=post(batches[middle - 1])
        )

        await kill_before_its_commit(
            processes["attribution"],
            own_database,
            at="attribution.feed_heads",
            work=post(batches[middle]),
        )

        await send_and_hear_nothing(
            processes["attribution"], own_database, batches[middle + 1], source
        )
        again = await post(batches[middle + 1])

        async def post_the_rest() -> None:
            for batch in batches[middle + 2 :]:
                await post(batch)

        await kill_before_its_commit(
            processes["dispatch"], own_database, at="dispatch.orders", work=post_the_rest()
        )
        await until(lambda: counts_the_same(kpi, attribution), "kpi counts what attribution booked")
        targets = await kpi.targets(BRANCH_ID, period=TERM_FROM)
        books = await attribution.reconciliation(BRANCH_ID, TERM_FROM)

        await until(
            lambda: has_orders(dispatch, sample.expected.orders),
            "dispatch has an order for every request",
        )
        orders = await orders_of(dispatch)

    assert again.booked == 0, "the answer was lost, the batch was not"
    assert books.billed_fen == books.booked_fen == sample.expected.billed_fen
    assert books.ledger_sum_fen == 0
    revenue = {one.centre_id: one.amount_fen for one in books.revenue_by_centre}
    assert revenue == sample.expected.revenue_fen
    assert targets.county is not None
    components = {one.name: one.amount for one in targets.county.targets[0].components}
    assert components["revenue"] == sample.expected.billed_fen
    refused = sum(sample.expected.refused_forms.values()) + sample.expected.unknown_refunds
    assert sum(books.held.values()) == refused + sample.expected.other_bodies
    assert len(orders) == len(set(orders)) == sample.expected.orders
