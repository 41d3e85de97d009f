"""The dispatch service in process, on the real database."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI

from huaxiao.dispatch.main import create_app
from huaxiao.dispatch.settings import Settings


@pytest.fixture(scope="session")
async def app(settings_for: Callable[[str], dict[str, Any]]) -> AsyncIterator[FastAPI]:
    made = create_app(Settings(**settings_for("dispatch")))
    yield made
    await made.state.database.close()
