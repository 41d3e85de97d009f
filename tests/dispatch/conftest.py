"""The dispatch service in process, on the real database."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from support.appraising import Appraisals
from support.work import FIELD, centre, entry, person

from huaxiao.dispatch.main import create_app
from huaxiao.dispatch.settings import Settings
from huaxiao.dispatch.worker import apply_attribution, apply_contracts
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.rows import EVERYTHING


@pytest.fixture(scope="session")
async def app(
    settings_for: Callable[[str], dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    kept = {
        "attachments_directory": tmp_path_factory.mktemp("attachments"),
        "attachment_max_bytes": 4096,
    }
    made = create_app(Settings(**settings_for("dispatch") | kept))
    yield made
    await made.state.database.close()


@pytest.fixture
async def county(app: Any, branch_id: Any) -> Any:
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(
            connection,
            branch_id,
            [
                centre(branch_id, "C1", "town"),
                centre(branch_id, "G1", "enterprise"),
                centre(branch_id, "B1", "build_maintain"),
                person(branch_id, "W01", "C1"),
                person(branch_id, "W02", "C1"),
                entry(branch_id, "contracts.field.sealed", FIELD),
            ],
        )
    return branch_id


class MovedClock:
    """The clock of the app under test, put to any moment."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def at(self, moment: datetime) -> None:
        self.now = moment

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(app: Any) -> Iterator[MovedClock]:
    """Put the app's clock to where the test wants it, and back afterwards."""
    before = app.state.clock
    app.state.clock = MovedClock(before())
    yield app.state.clock
    app.state.clock = before


@pytest.fixture
def request_work(app: Any, county: Any) -> Any:
    async def ask(*entries: Any) -> None:
        async with app.state.database.write(EVERYTHING) as connection:
            await apply_attribution(connection, county, entries)

    return ask


@pytest.fixture
def caller_of(app: Any, token: Any) -> Any:
    def client(branch_id: Any, role: Any, centre_ids: Any = None, person_id: Any = None) -> Any:
        made = token(role, branch_id, centre_ids, person_id)
        transport = httpx.ASGITransport(app=app)
        return DispatchClient("http://dispatch", lambda: made, transport=transport)

    return client


@pytest.fixture
def caller(caller_of: Any, county: Any) -> Any:
    return partial(caller_of, county)


@pytest.fixture
async def appraising(app: Any, county: Any, caller: Any, clock: Any) -> Appraisals:
    """Return a county whose months have their days, with the clock in its first week."""
    made = Appraisals(app, county, caller, clock)
    await made.begin()
    return made
