"""The KPI service in process, on the real database, with peers that say what a test puts in."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from support.kpi_feeds import BASE_C1, BASE_COUNTY, Peers, centre, contract, entry, person

from huaxiao.kpi.main import create_app
from huaxiao.kpi.settings import Settings
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.wire import contracts


@pytest.fixture(scope="session")
async def app(settings_for: Callable[[str], dict[str, Any]]) -> AsyncIterator[FastAPI]:
    made = create_app(Settings(**settings_for("kpi")))
    yield made
    await made.state.database.close()


@pytest.fixture(scope="session")
def client_type() -> type[KpiClient]:
    return KpiClient


@pytest.fixture
async def peers(app: FastAPI, branch_id: int) -> Peers:
    """Return peers that have told of a county: C1 under contract, C2 not, the default C0."""
    made = Peers(app, branch_id)
    branch = contracts.BranchRegistered(branch_id=branch_id, name_zh="云泽", default_centre_id="C0")
    await made.told(
        entry(contracts.BRANCH_REGISTERED, branch),
        *(centre(one) for one in ("C0", "C1", "C2")),
        person("P01", "C1"),
        person("P02", "C1"),
        person("P03", "C2"),
        contract("CT", None, {201611: BASE_COUNTY, 201612: BASE_COUNTY}),
        contract("CT-C1", "C1", {201611: BASE_C1, 201612: BASE_C1}),
    )
    return made
