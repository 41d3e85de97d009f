from collections.abc import Callable
from decimal import Decimal

import pytest
from support.kpi_feeds import (
    BASE_C1,
    BASE_COUNTY,
    Peers,
    booked,
    centre,
    contract,
    entry,
    paid,
    person,
)

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.forecasts import (
    ForecastMethod,
    ForecastReport,
    NeededAmount,
    NeededState,
    TargetForecast,
)
from huaxiao.shared.wire.kpi import ReasonCode, TargetName

Caller = Callable[..., KpiClient]
FIRST = Period(201711)


def periods(first: int, count: int) -> list[int]:
    return [shift(Period(first), index) for index in range(count)]


@pytest.fixture
async def peers(app: object, branch_id: int) -> Peers:
    """Return peers that have told of a county with a whole year's base."""
    made = Peers(app, branch_id)  # type: ignore[arg-type]
    branch = contracts.BranchRegistered(branch_id=branch_id, name_zh="云泽", default_centre_id="C0")
    year = periods(201611, 12)
    await made.told(
        entry(contracts.BRANCH_REGISTERED, branch),
        *(centre(one) for one in ("C0", "C1")),
        person("P01", "C1"),
        contract("CT", None, dict.fromkeys(year, BASE_COUNTY)),
        contract("CT-C1", "C1", dict.fromkeys(year, BASE_C1)),
    )
    return made


def month_of(period: int, revenue: int = 300_000, cost: int = 51_000) -> tuple[FeedEntry, ...]:
    return (
        booked(period, "C1", revenue=-revenue, cost__commission=cost, cash__in=210_000),
        booked(period, "C1", cash__out__commission=-33_000),
        paid("C1", period, 66_500, 2, 2),
    )


def target(of: ForecastReport, wanted: TargetName) -> TargetForecast:
    (one,) = (one for one in of.targets if one.target is wanted)
    return one


def needed(of: TargetForecast) -> dict[NeededAmount, tuple[int, int]]:
    return {one.amount: (one.needed_fen, one.present_fen) for one in of.needed}


async def test_the_year_is_forecast_and_what_is_needed_is_told(
    peers: Peers, caller: Caller
) -> None:
    for index, period in enumerate(periods(FIRST, 4)):
        await peers.told(*month_of(period, revenue=300_000 + 1_000 * index))

    found = await caller(Role.COUNTY_MANAGER).forecasts(
        peers.branch_id, period=201802, centre_id="C1"
    )

    assert (found.contract_id, found.to_period, found.months_left) == ("CT-C1", 201810, 8)
    margin = target(found, TargetName.MARKET_GROSS_MARGIN)
    assert margin.forecast is not None
    assert margin.forecast.method is ForecastMethod.BASE_YEAR_SHAPE
    assert margin.forecast.low is not None
    assert margin.forecast.value is not None
    assert margin.forecast.high is not None
    assert margin.forecast.low < margin.forecast.value < margin.forecast.high
    assert (margin.forecast.expected_met, margin.forecast.probability) == (True, 1)
    # 612,000 of cost over 18 % are 3,400,000, of which 1,206,000 are there.
    assert needed(margin) == {
        NeededAmount.REVENUE: (2_194_000, 2_412_000),
        NeededAmount.MARKET_COST: (447_240, 408_000),
    }
    assert [one.period for one in margin.forecast.months] == periods(201803, 8)
    assert all(one.low < one.value < one.high for one in margin.forecast.months)  # type: ignore[operator]
    end = margin.forecast.months[-1]
    assert (end.value, end.low, end.high) == (
        *(margin.forecast.value, margin.forecast.low, margin.forecast.high),
    )
    cash = target(found, TargetName.CASH_FLOW_GROWTH)
    assert needed(cash) == {NeededAmount.NET_CASH: (1_320_000 - 442_000, 884_000)}
    assert cash.forecast is not None
    assert cash.forecast.value == Decimal("0.105")
    wage = target(found, TargetName.AVERAGE_WAGE_GROWTH)
    assert needed(wage)[NeededAmount.PAY_PER_HEAD] == (32_876, 33_250)
    assert [one.state for one in found.targets] == [NeededState.OPEN] * 3


async def test_too_few_months_are_a_run_rate_and_a_year_that_is_over_is_not_forecast(
    peers: Peers, caller: Caller
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await peers.told(*month_of(FIRST))
    first = target(
        await manager.forecasts(peers.branch_id, period=FIRST), TargetName.MARKET_GROSS_MARGIN
    )
    for period in periods(201712, 11):
        await peers.told(*month_of(period, cost=57_000))
    last = await manager.forecasts(peers.branch_id, period=201810, centre_id="C1")

    assert first.forecast is not None
    assert first.forecast.method is ForecastMethod.RUN_RATE
    assert (first.forecast.low, first.forecast.probability) == (None, None)
    assert last.months_left == 0
    assert [one.forecast for one in last.targets] == [None] * 3
    assert [one.state for one in last.targets] == [
        NeededState.MISSED,
        NeededState.MET,
        NeededState.MET,
    ]


async def test_two_years_of_months_are_fitted_beside_the_event_loop(
    peers: Peers, caller: Caller
) -> None:
    for period in periods(201511, 12):
        await peers.told(booked(period, "C1", revenue=-(250_000 + period % 7 * 1000)))
        await peers.told(booked(period, "C1", cost__commission=45_000 + period % 5 * 500))
    for period in periods(FIRST, 6):
        await peers.told(*month_of(period))

    found = await caller(Role.COUNTY_MANAGER).forecasts(
        peers.branch_id, period=201804, centre_id="C1"
    )

    margin = target(found, TargetName.MARKET_GROSS_MARGIN).forecast
    assert margin is not None
    # Two years before the base's as booked, the base year as the contract has it, and this one.
    assert (margin.method, margin.months_known) == (ForecastMethod.EXPONENTIAL_SMOOTHING, 30)
    assert margin.low is not None
    assert margin.high is not None
    assert margin.low < margin.high
    # Pay of two years ago is not known: what is forecast from it has less to rest on.
    wage = target(found, TargetName.AVERAGE_WAGE_GROWTH).forecast
    assert wage is not None
    assert wage.method is ForecastMethod.BASE_YEAR_SHAPE


async def test_why_nothing_can_be_said_is_told(peers: Peers, caller: Caller) -> None:
    await peers.told(*month_of(FIRST)[:2])
    manager = caller(Role.COUNTY_MANAGER)

    found = await manager.forecasts(peers.branch_id, period=FIRST, centre_id="C1")
    pool = await manager.forecasts(peers.branch_id, period=FIRST, centre_id="C0")

    assert [[reason.code for reason in one.reasons] for one in found.targets] == [
        [],
        [ReasonCode.PAYROLL_MISSING],
        [ReasonCode.PAYROLL_MISSING],
    ]
    assert [one.code for one in pool.targets[0].reasons] == [ReasonCode.NO_REVENUE]
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.CONTRACTOR, ["C1"]).forecasts(peers.branch_id, period=FIRST)
    assert refused.value.code == "forbidden"
