"""A small county in the embedded suite, and the console before it as a browser sees it."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
import pytest
from support.postgres import PreparedDatabase, database_like_a_new_one

from huaxiao.cli import embedded
from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM, sample_county
from huaxiao.cli.sample.generator import generate
from huaxiao.cli.story import Endpoints, component, telling, until
from huaxiao.cli.suite import Keys, listen, serving
from huaxiao.console.main import create_app
from huaxiao.console.settings import Settings
from huaxiao.console.visitors import SESSION_COOKIE
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.issuer import Issuer

SEED = 201711
SUBSCRIBERS = 50
ORDERS_WORKED = 4


@dataclass
class Asked(httpx.AsyncBaseTransport):
    """Passes questions on to the suite, and remembers what became of them."""

    answers: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    through: httpx.AsyncHTTPTransport = field(default_factory=httpx.AsyncHTTPTransport)
    away: str | None = None
    """What the path of a service begins with that cannot be reached."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.away is not None and request.url.path.startswith(self.away):
            raise httpx.ConnectError("away", request=request)
        response = await self.through.handle_async_request(request)
        self.answers[request.method, request.url.path, response.status_code] += 1
        return response

    async def aclose(self) -> None:
        await self.through.aclose()

    def refused(self) -> list[tuple[str, str, int]]:
        return sorted(one for one in self.answers if one[2] in {401, 403})


@pytest.fixture(scope="module")
def own_database(
    prepared: PreparedDatabase, request: pytest.FixtureRequest, worker: str
) -> embedded.EmbeddedPostgres:
    module = request.module.__name__.rpartition(".")[2]
    own = database_like_a_new_one(prepared.postgres, f"console_{module}_{worker}")
    return embedded.EmbeddedPostgres(own.postgres.server, own.name)


@pytest.fixture(scope="module")
async def suite(
    own_database: embedded.EmbeddedPostgres, keys: Keys, issuer: Issuer
) -> AsyncIterator[Endpoints]:
    """Return a suite in which the sample county has lived through a short month."""
    with listen("127.0.0.1", 0) as bound:
        async with serving(own_database, keys, bound) as gateway:
            endpoints = Endpoints.behind(gateway, issuer)
            await _live_a_month(endpoints)
            yield endpoints


async def _live_a_month(endpoints: Endpoints) -> None:
    county = sample_county()
    sample = generate(county, SEED, SUBSCRIBERS)
    async with telling(endpoints, county, sample) as story:
        await story.register()
        await story.wait_for_attribution()
        await story.post(sample.events, lambda _: None)
        await story.work((await story.orders())[:ORDERS_WORKED], lambda _: None)
        booked = (await story.books()).booked_fen

        async def followed() -> bool:
            try:
                report = await story.kpi.targets(BRANCH_ID, period=TERM_FROM)
            except PeerProblem:
                return False
            return report.county is not None and component(report.county, "revenue") == booked

        await until(followed, "kpi follows the books")
        await story.settle()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
async def visit(
    suite: Endpoints, issuer: Issuer, asked: Asked
) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """Return a maker of browsers without scripts, signed in with a role or not at all."""
    app = create_app(
        Settings(
            contracts_url=suite.contracts,
            attribution_url=suite.attribution,
            dispatch_url=suite.dispatch,
            kpi_url=suite.kpi,
        ),
        transport=asked,
    )
    made: list[httpx.AsyncClient] = []

    def browser(
        role: Role | None = None, *, centres: list[str] | None = None, person: str | None = None
    ) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://console",
            headers={"Accept": "text/html"},
            timeout=60,
        )
        if role is not None:
            token = issuer.token(
                f"test:{role}",
                roles=[role],
                branch_ids=[BRANCH_ID],
                centre_ids=centres,
                person_id=person,
            )
            client.cookies.set(SESSION_COOKIE, token)
        made.append(client)
        return client

    async with app.router.lifespan_context(app):
        yield browser
        for one in made:
            await one.aclose()
