from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from support.kpi_feeds import NOVEMBER, Peers, booked

from huaxiao.kpi.answers import Answers
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.figures import FigureSetIn
from huaxiao.shared.wire.kpi import Measure

PATHS = [
    "targets?period=201711",
    "figures?period=201711&span=year_to_date",
    "comparisons?period=201711&measure=net_revenue",
]


@pytest.fixture
def kept(app: FastAPI) -> Any:
    before = app.state.answers
    app.state.answers = Answers()
    yield app.state.answers
    app.state.answers = before


@pytest.mark.parametrize("path", PATHS)
async def test_a_report_is_told_again_until_something_becomes_known(
    peers: Peers,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    kept: Answers,
    path: str,
) -> None:
    await peers.told(*NOVEMBER)
    url = f"/v1/branches/{peers.branch_id}/{path}"

    async def ask(role: Role, centre_ids: list[str] | None = None) -> str:
        signed = token(role, peers.branch_id, centre_ids)
        answer = await http.get(url, headers={"Authorization": f"Bearer {signed}"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        return answer.text

    first = await ask(Role.COUNTY_MANAGER)
    made = len(kept)
    assert await ask(Role.COUNTY_MANAGER) == first
    assert await ask(Role.PROVINCE) == first
    assert len(kept) == made == 1
    # What others may see is another report.
    mine = await ask(Role.CONTRACTOR, ["C1"])
    assert '"C2"' not in mine
    assert len(kept) == 2
    await peers.told(booked(201711, "C1", revenue=-7, cost__commission=-50_000))
    assert await ask(Role.COUNTY_MANAGER) != first
    assert len(kept) == 2


async def test_a_decision_ends_what_was_told_before(
    peers: Peers, caller: Callable[..., KpiClient], kept: Answers
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await manager.figures(peers.branch_id, period=201711)
    held = dict(kept.marks())
    await manager.draft_figures(peers.branch_id, 1, FigureSetIn(figures=[]))
    await manager.figures(peers.branch_id, period=201711)

    assert kept.marks().keys() == held.keys()
    assert kept.marks() != held


async def test_reports_are_kept_up_to_a_number_of_bytes(peers: Peers, app: FastAPI) -> None:
    report = Measure(
        centre_id="C1",
        period=Period(201711),
        measure="pay",
        unit="fen",  # type: ignore[arg-type]
        amount=1,
        cost_class=None,
    )
    size = len(report.model_dump_json())
    answers = Answers(most_bytes=3 * size)

    async def make() -> Measure:
        return report

    async with app.state.database.read() as connection:
        for asked in (1, 2, 3, 1, 4, 4):
            await answers.tell(connection, peers.branch_id, (asked,), make)

    assert [asked for _, asked in answers.marks()] == [3, 1, 4]
