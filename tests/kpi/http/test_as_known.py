"""Analyses as of a moment: each is told again as it was, whatever has become known since."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.kpi_feeds import NOVEMBER, Peers, at, booked, centre, closed, contract, month, paid

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.wire.contributions import ExplainedFigure
from huaxiao.shared.wire.what_if import SupposedMeasure, WhatIfIn

Caller = Callable[..., KpiClient]
Asking = Callable[[KpiClient, int, datetime | None], Awaitable[Any]]
FIRST = datetime(2017, 12, 5, 8, tzinfo=UTC)
SUPPOSED = WhatIfIn(
    period=201711,
    measures=[
        SupposedMeasure(centre_id="C1", period=201711, measure="cost.commission", change=7_000)
    ],
)
ASKED: dict[str, Asking] = {
    "figures": lambda kpi, branch, then: kpi.figures(branch, period=201711, known_at=then),
    "progress": lambda kpi, branch, then: kpi.progress(branch, period=201711, known_at=then),
    "comparison": lambda kpi, branch, then: kpi.comparison(
        branch, period=201711, measure="net_revenue", known_at=then
    ),
    "back-cast": lambda kpi, branch, then: kpi.back_cast(branch, period=201711, known_at=then),
    "contributions": lambda kpi, branch, then: kpi.explanation(
        branch, ExplainedFigure.REVENUE, period=201711, known_at=then
    ),
    "against a month": lambda kpi, branch, then: kpi.explanation(
        branch, ExplainedFigure.GROSS_MARGIN, period=201712, against_period=201711, known_at=then
    ),
    "forecasts": lambda kpi, branch, then: kpi.forecasts(
        branch, period=201711, centre_id="C1", known_at=then
    ),
    "what if": lambda kpi, branch, then: kpi.what_if(branch, SUPPOSED, known_at=then),
    "targets sheet": lambda kpi, branch, then: kpi.targets_sheet(
        branch, period=201711, known_at=then
    ),
    "measures sheet": lambda kpi, branch, then: kpi.measures_sheet(
        branch, from_period=201711, to_period=201712, known_at=then
    ),
}


def day(number: int) -> datetime:
    return FIRST + timedelta(days=number)


def without_moment(found: Any) -> Any:
    return found if isinstance(found, bytes) else found.model_copy(update={"known_at": None})


async def test_every_analysis_can_be_asked_as_it_was_known_at_a_moment(
    peers: Peers, caller: Caller
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    told: list[dict[str, Any]] = []
    for number, entries in enumerate(
        (
            [*NOVEMBER, booked(201712, "C1", revenue=-320_000, cost__commission=50_000)],
            [booked(201711, "C1", revenue=9_000, cost__commission=5_000)],
            [paid("C1", 201711, 66_000, 2, 2), booked(201712, "C2", revenue=-7)],
            [contract("CT-C2", "C2", {201611: month(cash_in=1, headcount=1)}), centre("C4")],
            [closed(201711)],
            [booked(201711, "C2", revenue=-1, cost__lottery=1)],
        )
    ):
        await peers.told(*(at(day(number), one) for one in entries))
        told.append(
            {name: await one(manager, peers.branch_id, None) for name, one in ASKED.items()}
        )

    assert all(told[0][name] != told[-1][name] for name in ASKED.keys() - {"progress"})
    for number, held in enumerate(told):
        for name, asking in ASKED.items():
            again = await asking(manager, peers.branch_id, day(number))
            assert without_moment(again) == held[name], (number, name)
            assert isinstance(again, bytes) or again.known_at == day(number)


@pytest.mark.parametrize("name", ASKED)
async def test_a_moment_to_come_is_refused_of_every_analysis(
    peers: Peers, caller: Caller, name: str
) -> None:
    later = datetime.now(UTC) + timedelta(minutes=5)
    with pytest.raises(PeerProblem) as refused:
        await ASKED[name](caller(Role.COUNTY_MANAGER), peers.branch_id, later)
    assert refused.value.code == "moment-to-come"


async def test_sheets_of_a_moment_show_a_contractor_its_own(peers: Peers, caller: Caller) -> None:
    await peers.told(*(at(day(0), one) for one in NOVEMBER))
    sheet = await caller(Role.CONTRACTOR, ["C2"]).measures_sheet(
        peers.branch_id, from_period=201711, to_period=201711, known_at=day(1)
    )
    assert {line.split(",")[0] for line in sheet.decode("utf-8-sig").splitlines()[1:]} == {"C2"}
