"""The contracts service in process, on the real database."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from huaxiao.contracts.main import create_app
from huaxiao.contracts.settings import Settings
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient


@pytest.fixture(scope="session")
async def app(settings_for: Callable[[str], dict[str, Any]]) -> AsyncIterator[FastAPI]:
    made = create_app(Settings(**settings_for("contracts")))
    yield made
    await made.state.database.close()


@pytest.fixture(scope="session")
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://contracts") as client:
        yield client


@pytest.fixture
async def caller(
    app: FastAPI, token: Callable[..., str], branch_id: int
) -> AsyncIterator[Callable[..., ContractsClient]]:
    """Return a maker of clients for this test's branch, by role and centres."""
    made: list[ContractsClient] = []

    def make(role: Role, centre_ids: list[str] | None = None) -> ContractsClient:
        signed = token(role, branch_id, centre_ids)
        transport = httpx.ASGITransport(app=app)
        made.append(ContractsClient("http://contracts", lambda: signed, transport=transport))
        return made[-1]

    yield make
    for client in made:
        await client.close()


@pytest.fixture
async def manager(caller: Callable[..., ContractsClient]) -> ContractsClient:
    return caller(Role.COUNTY_MANAGER)
