"""The KPI service in process, on the real database, with peers that say what a test puts in."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI

from huaxiao.kpi.main import create_app
from huaxiao.kpi.settings import Settings
from huaxiao.shared.clients.kpi import KpiClient


@pytest.fixture(scope="session")
async def app(settings_for: Callable[[str], dict[str, Any]]) -> AsyncIterator[FastAPI]:
    made = create_app(Settings(**settings_for("kpi")))
    yield made
    await made.state.database.close()


@pytest.fixture(scope="session")
def client_type() -> type[KpiClient]:
    return KpiClient
