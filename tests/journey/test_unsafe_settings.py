"""A PostgreSQL that may forget what it has acknowledged: no service starts on it, and none is ready."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from support.suite import reachable

from huaxiao.cli import embedded
from huaxiao.cli.suite import Keys, create_service, service_settings
from huaxiao.shared.database import UnsafeDatabaseError
from huaxiao.shared.provision import SERVICES

pytestmark = pytest.mark.slow
SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")


class Installation:
    """A PostgreSQL of its own, whose settings may be spoilt, and services on it."""

    def __init__(self, postgres: embedded.EmbeddedPostgres, keys: Keys) -> None:
        self._postgres, self._keys = postgres, keys

    def service(self, name: str, **others: Any) -> FastAPI:
        given = service_settings(
            name, postgres=self._postgres, keys=self._keys, gateway="http://x", follow=False
        )
        return create_service(name, given | others)

    async def put(self, setting: str, value: str) -> None:
        """Set a setting for all connections that begin from now on."""
        url = self._postgres.url("postgres").render_as_string(hide_password=False)
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(f"ALTER SYSTEM SET {setting} = {value}")
            await connection.execute("SELECT pg_reload_conf()")
            async with asyncio.timeout(30):
                while await connection.fetchval(f"SHOW {setting}") != value:  # noqa: ASYNC110 - nobody is told
                    await asyncio.sleep(0.02)
        finally:
            await connection.close()


@pytest.fixture
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    data = reachable(tmp_path_factory.mktemp("unsafe"))
    postgres = await asyncio.to_thread(embedded.start, data)
    await asyncio.to_thread(embedded.prepare, postgres)
    keys = Keys.under(data)
    keys.issuer()
    yield Installation(postgres, keys)
    postgres.stop()


async def readiness(app: FastAPI) -> tuple[int, Any]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        answer = await http.get("/readyz")
    return answer.status_code, answer.json()


async def test_no_service_starts_or_stays_ready_on_a_server_that_may_forget(
    installation: Installation,
) -> None:
    running = installation.service("contracts")
    refused, ready = [], []
    async with running.router.lifespan_context(running):
        before = await readiness(running)
        for setting in SETTINGS:
            await installation.put(setting, "off")
            for name in SERVICES:
                app = installation.service(name)
                with pytest.raises(UnsafeDatabaseError) as unsafe:
                    async with app.router.lifespan_context(app):
                        raise AssertionError(f"{name} runs with {setting} off")
                refused.append(unsafe.value.settings)
            ready.append(await readiness(running))
            await installation.put(setting, "on")
        after = await readiness(running)

    assert refused == [[setting] for setting in SETTINGS for _ in SERVICES]
    assert [status for status, _ in ready] == [503, 503, 503]
    assert [SETTINGS[number] in told["detail"] for number, (_, told) in enumerate(ready)] == [
        True
    ] * 3
    assert (before[0], after[0]) == (200, 200)


async def test_a_service_starts_while_its_database_is_away_and_says_that_it_is_not_ready(
    installation: Installation,
) -> None:
    nowhere = {"database_url": "postgresql://contracts@127.0.0.1:9/huaxiao"}
    app = installation.service("contracts", **nowhere)

    async with app.router.lifespan_context(app):
        status, _ = await readiness(app)

    assert status == 503
