"""What every ring of tests stands on: a real database, a fresh branch for each test, tokens."""

import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import hypothesis
import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, Engine, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from support import distribution
from support.postgres import PreparedDatabase, prepare_worker_database
from support.suite import reachable

from huaxiao.cli import embedded
from huaxiao.cli.suite import TOKEN_ISSUER, Keys
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.database import Frequent
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.provision import SERVICES

# How long an example takes says something about the machine and nothing about the code.
hypothesis.settings.register_profile(
    "suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")

_branches = itertools.count(110_001)


@pytest.fixture(autouse=True)
def queries_that_branches_apart_can_answer(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let no service send a query that joins, locks or changes rows of different branches.

    What a test sends in a service's name to see it refused is marked as forged.
    """
    if request.node.get_closest_marker("forged") is not None:
        yield
        return

    def look(connection: Connection, _: object, statement: str, *__: object) -> None:
        if connection.engine.url.username in SERVICES and "branch" in statement:
            assert distribution.faults(statement) == (), statement

    async def looked_at(
        frequent: Frequent, connection: AsyncConnection, **given: Any
    ) -> list[asyncpg.Record]:
        if connection.engine.url.username in SERVICES:
            assert distribution.faults(frequent.statement) == (), frequent.statement
        return await rows(frequent, connection, **given)

    rows = Frequent.rows
    event.listen(Engine, "before_cursor_execute", look)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Frequent, "rows", looked_at)
        yield
    event.remove(Engine, "before_cursor_execute", look)


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


@pytest.fixture(scope="module")
def own_postgres(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[embedded.EmbeddedPostgres]:
    """Return a server that only this module uses: it may kill it, or take roles from all of it."""
    postgres = embedded.start(reachable(tmp_path_factory.mktemp("own_postgres")))
    yield postgres
    postgres.stop()


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest, worker: str) -> Iterator[PreparedDatabase]:
    run = getattr(request.config, "workerinput", {}).get("testrunuid", str(os.getpid()))
    database = prepare_worker_database(worker, str(run)[:12])
    yield database
    database.postgres.stop()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys.under(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def issuer(keys: Keys) -> Issuer:
    return keys.issuer()


@pytest.fixture(scope="session")
def settings_for(
    prepared: PreparedDatabase, keys: Keys, issuer: Issuer
) -> Callable[[str], dict[str, Any]]:
    def settings(service: str) -> dict[str, Any]:
        return {
            "database_url": prepared.url(service),
            "jwks_file": keys.jwks,
            "signing_key_file": keys.private,
            "token_issuer": TOKEN_ISSUER,
            "follow": False,
        }

    return settings


@pytest.fixture(scope="session")
def token(issuer: Issuer) -> Callable[..., str]:
    def make(
        role: Role,
        branch_id: int,
        centre_ids: list[str] | None = None,
        person_id: str | None = None,
    ) -> str:
        return issuer.token(
            f"test:{role}",
            roles=[role],
            branch_ids=[branch_id],
            centre_ids=centre_ids,
            person_id=person_id,
        )

    return make


@pytest.fixture
def branch_id() -> int:
    """Return a branch no other test uses: isolation without cleaning up."""
    return next(_branches)


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Return a plain client of the service under test."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


@pytest.fixture
async def caller(
    app: FastAPI, client_type: type[ServiceClient], token: Callable[..., str], branch_id: int
) -> AsyncIterator[Callable[..., ServiceClient]]:
    """Return a maker of the service's clients for this test's branch, by role and centres."""
    made: list[ServiceClient] = []

    def make(role: Role, centre_ids: list[str] | None = None) -> ServiceClient:
        signed = token(role, branch_id, centre_ids)
        transport = httpx.ASGITransport(app=app)
        made.append(client_type("http://service", lambda: signed, transport=transport))
        return made[-1]

    yield make
    for client in made:
        await client.close()


@pytest.fixture
async def tamper(prepared: PreparedDatabase) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Return a way to change what the service itself cannot, as the database's superuser."""
    url = make_url(prepared.url("postgres")).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url)

    async def execute(*statements: str) -> None:
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    yield execute
    await engine.dispose()


@pytest.fixture(scope="session")
def project() -> Path:
    return Path(__file__).parents[1]
