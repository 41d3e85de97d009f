"""What units are to reach of figures and amounts: goals of their own, what is left, what if."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from msgspec import structs
from support.kpi_feeds import (
    BASE_C1,
    BASE_COUNTY,
    NOVEMBER,
    Peers,
    booked,
    centre,
    contract,
    entry,
    finished,
    paid,
    person,
)

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.periods import Period, period_of, shift
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.figures import FigureSetIn
from huaxiao.shared.wire.forecasts import ForecastMethod, NeededAmount, NeededState
from huaxiao.shared.wire.kpi import Quotient, Standing, Verdict
from huaxiao.shared.wire.unit_targets import UnitTargetIn
from huaxiao.shared.wire.what_if import SupposedMeasure, SupposedUnitTarget, WhatIfIn

Caller = Callable[..., KpiClient]
FIRST = Period(201711)
ON_TIME = FigureSetIn.model_validate(
    {
        "figures": [
            {
                "figure": "on_time",
                "title": "On time",
                "title_zh": "按时率",
                "text": "",
                "text_zh": "",
                "source": "county",
                "unit": "ratio",
                "direction": "higher",
                "shown_as": "percent",
                "goal": {"boundary": "0.5", "comparison": "at_least"},
                "formula": {
                    "op": "ratio",
                    "numerator": {"op": "measure", "measure": "orders.on_time"},
                    "denominator": {"op": "measure", "measure": "orders.done"},
                },
            }
        ]
    }
)


def goal(
    centre_id: str | None,
    boundary: str,
    *,
    figure: str = "market_gross_margin",
    first: int = 201711,
    last: int = 201810,
    comparison: str = "at_least",
    **given: Any,
) -> UnitTargetIn:
    usual = {
        "figure": figure,
        "centre_id": centre_id,
        "from_period": first,
        "to_period": last,
        "goal": {"boundary": boundary, "comparison": comparison, "at_risk_within": "0.01"},
        "source": "county letter 7",
    }
    return UnitTargetIn.model_validate(usual | given)


def amount(centre_id: str | None, value: int, **given: Any) -> UnitTargetIn:
    usual = {
        "measure": "net_revenue",
        "centre_id": centre_id,
        "from_period": 201711,
        "to_period": 201810,
        "value": value,
        "source": "county letter 7",
    }
    return UnitTargetIn.model_validate(usual | given)


async def refusal(asking: Any) -> PeerProblem:
    with pytest.raises(PeerProblem) as refused:
        await asking
    return refused.value


def exact(value: Quotient | None) -> Fraction | None:
    return None if value is None else Fraction(value.numerator, value.denominator)


@pytest.fixture
async def whole_year(app: object, branch_id: int) -> Peers:
    """Return peers that have told of a county whose contract states every month of the year before."""
    made = Peers(app, branch_id)  # type: ignore[arg-type]
    branch = contracts.BranchRegistered(branch_id=branch_id, name_zh="云泽", default_centre_id="C0")
    before = [shift(FIRST, index - 12) for index in range(12)]
    await made.told(
        entry(contracts.BRANCH_REGISTERED, branch),
        *(centre(one) for one in ("C0", "C1")),
        person("P01", "C1"),
        contract("CT", None, dict.fromkeys(before, BASE_COUNTY)),
        contract("CT-C1", "C1", dict.fromkeys(before, BASE_C1)),
    )
    return made


async def test_a_goal_of_a_figure_is_drafted_confirmed_and_kept_exactly(
    peers: Peers, caller: Caller
) -> None:
    branch = peers.branch_id
    manager, finance = caller(Role.COUNTY_MANAGER), caller(Role.COUNTY_FINANCE)
    given = goal("C1", "0.850000000001")
    drafted = await manager.put_unit_target(branch, "G1", given)
    assert (drafted.state, drafted.measure, drafted.value, drafted.unit) == (
        "draft",
        None,
        None,
        None,
    )
    assert (drafted.figure, drafted.direction) == ("market_gross_margin", "higher")
    assert (await refusal(manager.confirm_unit_target(branch, "G1"))).code == "two-people"
    held = await finance.confirm_unit_target(branch, "G1")
    assert held.goal == given.goal
    assert held.goal is not None
    assert held.goal.boundary == Decimal("0.850000000001")
    assert await manager.put_unit_target(branch, "G1", given) == held
    changed = await refusal(manager.put_unit_target(branch, "G1", goal("C1", "0.85")))
    assert changed.code == "target-in-force"
    province = caller(Role.PROVINCE)
    again = await refusal(
        province.put_unit_target(branch, "G2", goal("C1", "0.9", first=201810, last=201812))
    )
    assert (again.code, again.body["target_ids"]) == ("overlapping-targets", ["G1"])
    # Another figure, another unit, and an amount in the same months have room beside it.
    await province.put_unit_target(branch, "G3", goal("C1", "0.05", figure="cash_flow_growth"))
    await province.put_unit_target(branch, "G4", goal("C2", "0.9"))
    await province.put_unit_target(branch, "T1", amount("C1", 100))


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        (goal("C1", "1", figure="luck"), "/figure", "unknown-figure"),
        (goal("C9", "1"), "/centre_id", "unknown-reference"),
        (goal("C1", "1", comparison="at_most"), "/goal/comparison", "direction-mismatch"),
        (goal("C1", "1", direction="lower"), "/direction", "direction-mismatch"),
        (goal("C1", "1", first=201712, last=201711), "/to_period", "bad-span"),
    ],
)
async def test_a_goal_of_what_is_not_there_is_refused(
    peers: Peers, caller: Caller, given: UnitTargetIn, pointer: str, code: str
) -> None:
    found = await refusal(caller(Role.COUNTY_MANAGER).put_unit_target(peers.branch_id, "G1", given))
    assert [(one["pointer"], one["code"]) for one in found.body["errors"]] == [(pointer, code)]


@pytest.mark.parametrize(
    "given",
    [
        {"measure": "net_revenue", "goal": {"boundary": "1", "comparison": "at_least"}},
        {"figure": "market_gross_margin", "value": 1},
        {"measure": "net_revenue", "value": 1, "figure": "market_gross_margin"},
        {},
    ],
)
def test_a_target_is_an_amount_or_a_goal(given: dict[str, Any]) -> None:
    usual = {"centre_id": None, "from_period": 201711, "to_period": 201711, "source": "x"}
    with pytest.raises(ValueError, match="measure and value, or figure and goal"):
        UnitTargetIn.model_validate(usual | given)


async def test_a_units_own_goal_is_told_beside_the_one_that_all_are_judged_by(
    peers: Peers, caller: Caller
) -> None:
    branch, province = peers.branch_id, caller(Role.PROVINCE)
    await peers.told(*NOVEMBER)
    before = datetime.now(UTC)
    # C1 has 82 % exactly: the contract's goal is met, its own is not.
    await province.put_unit_target(branch, "G1", goal("C1", "0.85"))
    await province.put_unit_target(branch, "G2", goal("C2", "0.79"))

    found = await province.targets(branch, period=201711)
    margins = {one.centre_id: one.targets[0] for one in found.centres}
    assert margins["C1"].verdict is Verdict.PASS
    assert margins["C1"].own_goal is not None
    assert (
        margins["C1"].own_goal.target_id,
        margins["C1"].own_goal.goal,
        margins["C1"].own_goal.standing,
    ) == ("G1", Decimal("0.85"), Standing.NOT_MET)
    # 79.80 % is above 79, by less than a point.
    assert margins["C2"].verdict is Verdict.FAIL
    assert margins["C2"].own_goal is not None
    assert margins["C2"].own_goal.standing is Standing.AT_RISK
    assert margins["C0"].own_goal is None
    assert found.county is not None
    assert found.county.targets[0].own_goal is None

    figures = await province.figures(branch, period=201711)
    of_figures = {one.centre_id: one.figures[0].own_goal for one in figures.centres}
    assert of_figures == {one: margins[one].own_goal for one in of_figures}
    then = await province.targets(branch, period=201711, known_at=before)
    assert all(one.targets[0].own_goal is None for one in then.centres)

    progress = await province.progress(branch, period=201711)
    assert [(one.target.target_id, one.display, one.standing) for one in progress.goals] == [
        ("G1", "82.00 %", Standing.NOT_MET),
        ("G2", "79.80 %", Standing.AT_RISK),
    ]
    (mine,) = (await caller(Role.CONTRACTOR, ["C2"]).progress(branch, period=201711)).goals
    assert mine == progress.goals[1]


async def test_a_countys_own_figure_has_goals_of_centres(peers: Peers, caller: Caller) -> None:
    branch, month = peers.branch_id, period_of(datetime.now(UTC))
    manager, finance = caller(Role.COUNTY_MANAGER), caller(Role.COUNTY_FINANCE)
    too_early = await refusal(
        manager.put_unit_target(
            branch, "G1", goal("C1", "0.95", figure="on_time", first=month, last=month)
        )
    )
    assert too_early.body["errors"][0]["code"] == "unknown-figure"
    await manager.draft_figures(branch, 1, ON_TIME)
    await finance.put_figures_in_force(branch, 1, from_period=month)
    wanted = goal("C1", "0.95", figure="on_time", first=month, last=month)
    await manager.put_unit_target(branch, "G1", wanted)
    await finance.confirm_unit_target(branch, "G1")
    orders = [
        structs.replace(one, data=one.data | {"period": month})
        for one in (
            *(finished(f"O{index}", "C1", on_time=True) for index in range(9)),
            finished("O9", "C1", on_time=False),
        )
    ]
    await peers.told(*orders, booked(month, "C1", revenue=-1))

    found = await manager.figures(branch, period=month)
    (of_first,) = (one.figures[3] for one in found.centres if one.centre_id == "C1")
    assert (of_first.display, of_first.standing) == ("90.00 %", Standing.MET)
    assert of_first.own_goal is not None
    assert of_first.own_goal.standing is Standing.NOT_MET

    forecast = await manager.forecasts(branch, period=month, centre_id="C1")
    (held,) = forecast.unit_goals
    assert (held.progress.display, held.progress.standing) == ("90.00 %", Standing.NOT_MET)
    assert held.outlook is None

    what_if = await manager.what_if(
        branch,
        WhatIfIn(
            period=month,
            measures=[
                SupposedMeasure(centre_id="C1", period=month, measure="orders.on_time", change=1)
            ],
        ),
    )
    (one,) = what_if.unit_goals
    assert (one.now.standing, one.then.standing) == (Standing.NOT_MET, Standing.MET)


def month_of(period: int, revenue: int) -> tuple[Any, ...]:
    return (
        booked(period, "C1", revenue=-revenue, cost__commission=51_000, cash__in=210_000),
        booked(period, "C1", cash__out__commission=-33_000),
        paid("C1", period, 66_500, 2, 2),
    )


async def test_what_is_left_of_a_target_and_whether_it_is_expected_is_told(
    whole_year: Peers, caller: Caller
) -> None:
    branch, province = whole_year.branch_id, caller(Role.PROVINCE)
    for name, given in (
        ("T1", amount("C1", 3_700_000)),
        ("T2", amount("C1", 600_000, measure="market_cost", direction="lower")),
        ("T5", amount(None, 5_000_000)),
        ("G1", goal("C1", "0.84")),
    ):
        await province.put_unit_target(branch, name, given)
    for index in range(4):
        await whole_year.told(*month_of(shift(FIRST, index), 300_000 + 1_000 * index))

    found = await province.forecasts(branch, period=201802, centre_id="C1")

    first, second = found.unit_targets
    assert (first.reached, first.left, first.months_left) == (1_206_000, 2_494_000, 8)
    assert (first.a_month, first.present_a_month) == (311_750, 301_500)
    assert first.state is NeededState.OPEN
    assert first.forecast is not None
    assert first.forecast.method is ForecastMethod.BASE_YEAR_SHAPE
    # The base's months are alike: the rest goes on as the months so far.
    assert first.forecast.amount == 1_206_000 + 8 * 301_500
    assert (first.forecast.expected_met, first.forecast.low is not None) == (False, True)
    assert first.forecast.probability is not None
    assert first.forecast.probability < Decimal("0.01")
    # 204,000 of 600,000 are spent; no more than 49,500 a month may be.
    assert (second.left, second.a_month, second.state) == (396_000, 49_500, NeededState.OPEN)
    assert second.forecast is not None
    assert second.forecast.expected_met is False
    (own,) = found.unit_goals
    assert own.progress.display == "83.08 %"
    assert own.outlook is not None
    assert own.outlook.goal == Decimal("0.84")
    needed = {one.amount: one.needed_fen for one in own.outlook.needed}
    # 612,000 of cost over 16 % are 3,825,000, of which 1,206,000 are there.
    assert needed[NeededAmount.REVENUE] == 2_619_000
    assert own.outlook.forecast is not None
    assert own.outlook.forecast.expected_met is False
    whole = await province.forecasts(branch, period=201802)
    assert [one.target.target_id for one in whole.unit_targets] == ["T5"]
    assert whole.unit_goals == []


async def test_a_target_whose_months_are_over_is_met_or_missed(
    whole_year: Peers, caller: Caller
) -> None:
    branch, province = whole_year.branch_id, caller(Role.PROVINCE)
    spent = amount("C1", 203_999, measure="market_cost", direction="lower", to_period=201802)
    await province.put_unit_target(branch, "T3", amount("C1", 1_200_000, to_period=201802))
    await province.put_unit_target(branch, "T4", spent)
    for index in range(4):
        await whole_year.told(*month_of(shift(FIRST, index), 300_000 + 1_000 * index))
    before = await province.forecasts(branch, period=201801, centre_id="C1")
    found = await province.forecasts(branch, period=201802, centre_id="C1")
    ended = {one.target.target_id: one for one in found.unit_targets}
    assert (ended["T3"].left, ended["T3"].state) == (-6_000, NeededState.MET)
    assert (ended["T3"].a_month, ended["T3"].forecast) == (None, None)
    assert (ended["T4"].left, ended["T4"].state) == (-1, NeededState.MISSED)
    assert [one.state for one in before.unit_targets] == [NeededState.OPEN] * 2


async def test_what_is_not_booked_yet_is_not_known(whole_year: Peers, caller: Caller) -> None:
    province = caller(Role.PROVINCE)
    await province.put_unit_target(whole_year.branch_id, "T1", amount("C1", 100))
    await whole_year.told(*month_of(201712, 10))
    found = await province.forecasts(whole_year.branch_id, period=201712, centre_id="C1")
    (one,) = found.unit_targets
    assert (one.reached, one.state, one.forecast) == (None, None, None)
    assert [(reason.code, reason.periods) for reason in one.reasons] == [("no_books", [201711])]


async def test_an_amount_that_is_counted_by_orders_is_forecast_by_its_months(
    whole_year: Peers, caller: Caller
) -> None:
    province = caller(Role.PROVINCE)
    wanted = amount("C1", 100, measure="orders.done")
    await province.put_unit_target(whole_year.branch_id, "T1", wanted)
    for index in range(3):
        period = shift(FIRST, index)
        orders = [
            structs.replace(one, data=one.data | {"period": period})
            for one in (finished(f"O{index}-{number}", "C1", on_time=None) for number in range(10))
        ]
        await whole_year.told(*orders)
    found = await province.forecasts(whole_year.branch_id, period=201801, centre_id="C1")
    (one,) = found.unit_targets
    assert (one.reached, one.a_month) == (30, 8)
    assert one.forecast is not None
    assert (one.forecast.amount, one.forecast.method) == (120, ForecastMethod.RUN_RATE)
    assert one.forecast.expected_met


async def test_other_values_of_targets_are_supposed_and_not_kept(
    peers: Peers, caller: Caller
) -> None:
    branch, province = peers.branch_id, caller(Role.PROVINCE)
    await peers.told(*NOVEMBER)
    for name, given in (
        ("T0", amount(None, 4_000_000)),
        ("T1", amount("C1", 3_000_000)),
        ("T2", amount("C2", 900_000)),
        ("G2", goal("C2", "0.82")),
    ):
        await province.put_unit_target(branch, name, given)

    found = await province.what_if(
        branch,
        WhatIfIn(
            period=201711,
            measures=[
                SupposedMeasure(centre_id="C1", period=201711, measure="revenue", change=-60_000)
            ],
            unit_targets=[
                SupposedUnitTarget(target_id="T2", value=990_000),
                SupposedUnitTarget(target_id="G2", boundary=Decimal("0.79")),
            ],
        ),
    )

    held = {one.target_id: one for one in found.unit_targets}
    assert [
        (one.now.completion_display, one.then.completion_display)
        for one in (held["T0"], held["T1"], held["T2"])
    ] == [("10.23 %", "11.73 %"), ("10.00 %", "12.00 %"), ("11.00 %", "10.00 %")]
    assert (held["T2"].now.value, held["T2"].then.value) == (900_000, 990_000)
    assert (held["T2"].then.left, held["T2"].then.a_month) == (891_000, 81_000)
    assert held["T2"].then.on_schedule is True
    (margin,) = found.unit_goals
    assert (margin.now.standing, margin.then.standing) == (Standing.NOT_MET, Standing.AT_RISK)
    assert (await province.unit_target(branch, "T2")).value == 900_000
    mine = await caller(Role.CONTRACTOR, ["C1"]).what_if(branch, WhatIfIn(period=201711))
    assert [one.target_id for one in mine.unit_targets] == ["T1"]
    assert mine.unit_goals == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([SupposedUnitTarget(target_id="T9", value=1)], "unknown-reference"),
        ([SupposedUnitTarget(target_id="T1", boundary=Decimal(1))], "one-of-both"),
        ([SupposedUnitTarget(target_id="T1")], "one-of-both"),
        ([SupposedUnitTarget(target_id="T1", value=1)] * 2, "repeated"),
    ],
)
async def test_a_target_that_cannot_be_supposed_so_is_refused(
    peers: Peers, caller: Caller, given: list[SupposedUnitTarget], code: str
) -> None:
    province = caller(Role.PROVINCE)
    await province.put_unit_target(peers.branch_id, "T1", amount("C1", 1))
    asked = WhatIfIn(period=201711, unit_targets=given)
    found = await refusal(province.what_if(peers.branch_id, asked))
    assert [one["code"] for one in found.body["errors"]] == [code]
