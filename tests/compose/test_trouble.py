"""The suite in containers at work, while what it stands on is killed, restarted and filled up.

The county works as in `tests/support/county_at_work.py`, everything through the gateway, and the
same promises are held against it when all is quiet again.
"""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest
from support.chaos import Course, Heard, until_heard
from support.chaos_findings import Looking, findings
from support.county_at_work import Work
from support.deployment import COMPOSE_FILE, Deployment

from huaxiao.cli.sample.county import BRANCH_ID, sample_county
from huaxiao.cli.sample.generator import generate
from huaxiao.cli.story import Endpoints, Story, telling
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.provision import SERVICES
from huaxiao.shared.wire.dispatch import OrderKind
from huaxiao.shared.wire.orders import OrderIn, OrderSource

SUBSCRIBERS = 300
SECONDS = 60.0
IN_FLIGHT = 20
FILLED_SECONDS = 300.0
REFUSALS = 3
RETRYABLE = {502, 503, 504}
_log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def installation(deploy: Callable[..., Deployment]) -> Deployment:
    return deploy("huaxiao-compose-trouble", COMPOSE_FILE, Path(__file__).parent / "full-disk.yml")


@pytest.fixture(scope="module")
def suite(installation: Deployment) -> Endpoints:
    return Endpoints.behind(installation.url, installation.issuer())


@pytest.fixture(scope="module")
def database_url(installation: Deployment) -> str:
    return installation.database_url()


@pytest.fixture(scope="module")
async def story(suite: Endpoints) -> AsyncIterator[Story]:
    county = sample_county()
    async with telling(suite, county, generate(county, 201711, SUBSCRIBERS)) as told:
        await until_heard(told.register)
        await told.wait_for_attribution()
        yield told


async def in_peace() -> None:
    """Let the county work for a moment."""
    await asyncio.sleep(2)


class Trouble:
    """What is done to an installation, one thing after another, each healed before the next."""

    def __init__(self, installation: Deployment, database_url: str, work: Work) -> None:
        self.installation = installation
        self.database_url = database_url
        self.work = work
        self.recovered: dict[str, float] = {}
        self.refused = 0
        """Orders that were refused while the disk was full."""

    async def make(self) -> None:
        every = self._all()
        for number, (name, trouble) in enumerate(every):
            self.work.course.come_to(number / len(every))
            await in_peace()
            began = time.monotonic()
            await trouble()
            await asyncio.to_thread(self.installation.until_ready)
            self.recovered[name] = time.monotonic() - began
            _log.info("%s: ready again %.1f s after it began", name, self.recovered[name])
        self.work.course.come_to(1)

    def _all(self) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
        return [
            ("database killed", lambda: self._killed("postgres")),
            ("disk full", self._disk_full),
            *((f"{one} killed", lambda one=one: self._killed(one)) for one in SERVICES),
            *((f"{one} restarted", lambda one=one: self._restarted(one)) for one in SERVICES),
            ("gateway restarted", lambda: self._restarted("gateway")),
            ("database restarted", lambda: self._restarted("postgres")),
        ]

    async def _killed(self, service: str) -> None:
        """Kill a container's main process; the engine starts it again by itself."""
        before = self.installation.inspect(service)["RestartCount"]
        await asyncio.to_thread(self.installation.kill, service)
        while self.installation.inspect(service)["RestartCount"] == before:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.1)

    async def _restarted(self, service: str) -> None:
        await asyncio.to_thread(self.installation.compose, "restart", service)

    async def _disk_full(self) -> None:
        """Fill the database's disk until orders cannot be taken any more, and make room again."""
        on_disk = ("exec", "-T", "holder")
        fill = "dd if=/dev/zero of=/disk/filling bs=1M 2>/dev/null; true"
        asked: list[OrderIn] = []
        refused = 0
        deadline = time.monotonic() + FILLED_SECONDS
        while refused < REFUSALS and time.monotonic() < deadline:
            # What the server gives back, it is not to have again.
            await asyncio.to_thread(self.installation.compose, *on_disk, "sh", "-c", fill)
            await self._ask_for_a_new_segment()
            asked.append(self._order(len(asked)))
            try:
                await self.work.story.dispatch.ask_for_order(BRANCH_ID, asked[-1])
            except PeerProblem as problem:
                assert problem.status == httpx.codes.SERVICE_UNAVAILABLE, problem  # noqa: PT017 - most are taken
                refused += 1
        await asyncio.to_thread(self.installation.compose, *on_disk, "rm", "/disk/filling")
        for one in asked:
            await until_heard(partial(self.work.story.dispatch.ask_for_order, BRANCH_ID, one))
            self.work.orders.add(str(one.reference))
        self.refused = refused

    async def _ask_for_a_new_segment(self) -> None:
        """Let the server need room for its log, of which it keeps some in hand."""
        with suppress(OSError, asyncpg.PostgresError, TimeoutError):
            connection = await asyncpg.connect(self.database_url, timeout=5)
            try:
                await connection.execute("SELECT pg_switch_wal()")
            finally:
                await connection.close(timeout=5)

    def _order(self, number: int) -> OrderIn:
        return OrderIn(
            source=OrderSource.MONITORING,
            reference=f"chaos-full-{number:03}",
            kind=OrderKind.PATROL,
            standard_address=self.work.story.county.villages[0].code,
            give_out=False,
        )


@asynccontextmanager
async def county_at_work(story: Story, database_url: str) -> AsyncIterator[Work]:
    """Return the county's work, and send everybody home when all has been looked at."""
    looking = Looking(database_url)
    work = Work(story, random.Random(7), SECONDS, Heard(), Course(), looking.missing)
    try:
        yield work
    finally:
        await work.close()
        await looking.close()


async def worked_through(work: Work, trouble: Trouble) -> None:
    """Let the county work while trouble is made, and until its month is billed."""
    over = asyncio.Event()
    working = asyncio.create_task(work.all_of_it(over))
    try:
        await trouble.make()
        over.set()
        await working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_whatever_fails_nothing_acknowledged_is_lost(
    installation: Deployment, suite: Endpoints, database_url: str, story: Story
) -> None:
    def answered_500() -> list[str]:
        return [
            f"{one['request']['method']} {one['request']['uri']}: {one['status']}"
            for one in installation.answered(500)
            if one["status"] not in RETRYABLE
        ]

    async with county_at_work(story, database_url) as work:
        trouble = Trouble(installation, database_url, work)
        await worked_through(work, trouble)
        found = await findings(
            work,
            database_url=database_url,
            contracts_url=suite.contracts,
            answered_500=answered_500,
        )

    refused = Counter(one["status"] for one in installation.answered(400))
    _log.info("refused by the gateway: %s; %s", dict(refused), trouble.recovered)
    assert found == []
    assert refused[503] >= REFUSALS, "what the gateway wrote was not read"
    assert trouble.refused == REFUSALS
    assert len(trouble.recovered) == 4 + 2 * len(SERVICES)
    assert all((work.acknowledged, work.orders, work.notes, work.done, work.looks))


async def test_a_service_that_is_told_to_stop_answers_what_is_under_way(
    installation: Deployment, suite: Endpoints
) -> None:
    token = suite.token(Role.COUNTY_MANAGER)()
    feed = f"{suite.contracts}/v1/branches/{BRANCH_ID}/feed"
    params = {"lastEventId": 1_000_000, "timeout": 30_000}
    limits = httpx.Limits(max_connections=IN_FLIGHT)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers, timeout=60, limits=limits) as http:
        asked = [asyncio.create_task(http.get(feed, params=params)) for _ in range(IN_FLIGHT)]
        await asyncio.sleep(2)
        began = time.monotonic()
        await asyncio.to_thread(installation.compose, "stop", "contracts")
        stopped = time.monotonic() - began
        answers = await asyncio.gather(*asked)
    state = installation.state("contracts")
    installation.up()
    await asyncio.to_thread(installation.until_ready)

    assert Counter(one.status_code for one in answers) == {200: IN_FLIGHT}
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False), (state, stopped)
    assert "graceful shutdown exceeded" not in installation.logs("contracts")
