"""The KPI service in process, on the real database, with peers that say what a test puts in."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from huaxiao.kpi.main import create_app
from huaxiao.kpi.settings import Settings
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.kpi import KpiClient


@pytest.fixture(scope="session")
async def app(settings_for: Callable[[str], dict[str, Any]]) -> AsyncIterator[FastAPI]:
    made = create_app(Settings(**settings_for("kpi")))
    yield made
    await made.state.database.close()


@pytest.fixture
async def caller(
    app: FastAPI, token: Callable[..., str], branch_id: int
) -> AsyncIterator[Callable[..., KpiClient]]:
    """Return a maker of clients for this test's branch, by role and centres."""
    made: list[KpiClient] = []

    def make(role: Role, centre_ids: list[str] | None = None) -> KpiClient:
        signed = token(role, branch_id, centre_ids)
        transport = httpx.ASGITransport(app=app)
        made.append(KpiClient("http://kpi", lambda: signed, transport=transport))
        return made[-1]

    yield make
    for client in made:
        await client.close()
