"""A database that lets nobody in is away for a moment: 503 with Retry-After, and not a fault of ours."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from support.postgres import PreparedDatabase

from huaxiao.cli import embedded
from huaxiao.shared.database import Database
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.web import service_app

from .conftest import audit_log, idempotency_keys

Asked = Callable[[str], Awaitable[httpx.Response]]


@pytest.fixture
async def ask(settings_for: Callable[[str], dict[str, Any]]) -> AsyncIterator[Asked]:
    """Ask a service on a database whether it is ready."""
    opened: list[Database] = []

    async def asked(url: str) -> httpx.Response:
        settings = ServiceSettings(**settings_for("kpi") | {"database_url": url})
        opened.append(Database(url, service="kpi"))
        app: FastAPI = service_app(
            service="kpi",
            title="kit",
            settings=settings,
            database=opened[-1],
            idempotency_keys=idempotency_keys,
            audit_log=audit_log,
            routers=[],
        )
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://kit") as client:
            return await client.get("/readyz")

    yield asked
    for one in opened:
        await one.close()


def is_away(response: httpx.Response) -> bool:
    return (
        response.status_code == 503
        and response.json()["code"] == "unavailable"
        and int(response.headers["retry-after"]) > 0
    )


async def test_a_server_that_takes_no_more_connections_is_away(
    ask: Asked,
    prepared: PreparedDatabase,
    worker: str,
    tamper: Callable[..., Awaitable[None]],
) -> None:
    name = f"full_{worker}"
    await embedded.create_database(prepared.postgres, name)
    await tamper(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')

    assert is_away(await ask(PreparedDatabase(prepared.postgres, name).url("kpi")))


async def test_a_server_that_has_taken_its_socket_with_it_is_away(ask: Asked) -> None:
    assert is_away(await ask("postgresql://kpi@/huaxiao?host=/nowhere"))
