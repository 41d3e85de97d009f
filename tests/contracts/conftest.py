"""The contracts service in process, on the real database."""

from collections.abc import AsyncIterator, Callable
from typing import Any

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
def client_type() -> type[ContractsClient]:
    return ContractsClient


@pytest.fixture
async def manager(caller: Callable[..., ContractsClient]) -> ContractsClient:
    return caller(Role.COUNTY_MANAGER)
