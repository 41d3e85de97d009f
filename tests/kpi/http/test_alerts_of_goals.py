"""Alerts of what a county has set itself, and the rules that watch one which has set none."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from msgspec import structs
from support.kpi_feeds import NOVEMBER, Peers, booked, closed, contract, finished, month, paid

from huaxiao.kpi.alerts.looking import jobs
from huaxiao.kpi.domain.default_rules import DEFAULT_RULES
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.periods import Period, period_of, shift
from huaxiao.shared.ticking import catch_up
from huaxiao.shared.wire.alerts import AlertFact, AlertKind, AlertRule, AlertRuleIn, AlertState
from huaxiao.shared.wire.figures import FigureSetIn
from huaxiao.shared.wire.kpi import TargetName
from huaxiao.shared.wire.unit_targets import UnitTargetIn

Caller = Callable[..., KpiClient]
Look = Callable[[datetime], Awaitable[None]]
START = datetime(2018, 1, 1, tzinfo=UTC)


@pytest.fixture
def look(app: FastAPI, branch_id: int) -> Look:
    """Return a way to let what is due by a moment be done, forecasts that are made beside as well."""

    async def at(moment: datetime) -> None:
        for seconds in range(0, 60, 20):
            await catch_up(
                app.state.database,
                jobs(app.state.forecasters),
                branch_id,
                clock=lambda later=moment + timedelta(seconds=seconds): later,
            )

    return at


def rule(kind: AlertKind, **given: Any) -> AlertRuleIn:
    usual = {"kind": kind, "name": "Watched", "name_zh": "监测", "open_months": True}
    return AlertRuleIn.model_validate(usual | given)


def amount(centre_id: str | None, value: int, **given: Any) -> UnitTargetIn:
    usual = {
        "measure": "net_revenue",
        "centre_id": centre_id,
        "from_period": 201711,
        "to_period": 201712,
        "value": value,
        "source": "county letter 7",
    }
    return UnitTargetIn.model_validate(usual | given)


async def told(peers: Peers, caller: Caller) -> list[tuple[str, str]]:
    entries = await caller(Role.AUDITOR).feed(peers.branch_id, after=0)
    return [(one.type.rpartition(".")[2], one.subject) for one in entries]


async def test_a_target_that_falls_behind_the_calendar_fires_until_it_has_caught_up(
    peers: Peers, caller: Caller, look: Look
) -> None:
    manager, province = caller(Role.COUNTY_MANAGER), caller(Role.PROVINCE)
    given = rule(AlertKind.UNIT_TARGET_BEHIND, behind_by="0.05", margin="0.1")
    await manager.put_alert_rule(peers.branch_id, "behind", given)
    await peers.told(*NOVEMBER)
    await look(START)
    # Of two months' days 30 in 61 are gone: 49.18 %.
    for name, wanted in (
        ("T1", amount("C1", 600_000)),
        ("T2", amount("C2", 230_000)),
        ("T3", amount("C1", 100_000, measure="market_cost", direction="lower")),
        ("T4", amount("C2", 99_000 * 61 // 30, measure="orders.done")),
    ):
        await province.put_unit_target(peers.branch_id, name, wanted)
    await look(START + timedelta(minutes=1))

    firing = await manager.alerts(peers.branch_id)
    assert [(one.subject, one.target_id, one.centre_id, one.value) for one in firing] == [
        ("T2", "T2", "C2", "43.04 % / 49.18 %"),
        ("T4", "T4", "C2", "0.00 % / 49.18 %"),
    ]
    assert [one.kind for one in firing] == [AlertKind.UNIT_TARGET_BEHIND] * 2
    assert [
        one.subject for one in await caller(Role.CONTRACTOR, ["C2"]).alerts(peers.branch_id)
    ] == ["T2", "T4"]
    # Spent ahead of the days by more than five points.
    await peers.told(booked(201711, "C1", cost__commission=500))
    await look(START + timedelta(minutes=2))
    assert (await told(peers, caller))[2:] == [("firing", "behind/T3")]
    # Not behind any more, but not by ten points of margin either; then it is.
    await peers.told(booked(201711, "C2", revenue=-20_000))
    await look(START + timedelta(minutes=3))
    await peers.told(booked(201711, "C2", revenue=-10_000))
    await province.withdraw_unit_target(peers.branch_id, "T4", reason="wrong letter")
    await look(START + timedelta(minutes=4))
    assert (await told(peers, caller))[3:] == [("resolved", "behind/T2"), ("resolved", "behind/T4")]
    entries = await caller(Role.AUDITOR).feed(peers.branch_id, after=0)
    assert AlertFact.model_validate(entries[0].data).target_id == "T2"


async def test_a_target_that_is_not_expected_to_be_met_is_told_of(
    peers: Peers, caller: Caller, look: Look
) -> None:
    manager, province = caller(Role.COUNTY_MANAGER), caller(Role.PROVINCE)
    await manager.put_alert_rule(
        peers.branch_id, "ahead", rule(AlertKind.UNIT_TARGET_FORECAST, with_county=False)
    )
    goal = {
        "figure": "market_gross_margin",
        "centre_id": "C2",
        "from_period": 201711,
        "to_period": 201712,
        "goal": {"boundary": "0.81", "comparison": "at_least"},
        "source": "county letter 7",
    }
    for name, wanted in (
        ("T0", amount(None, 5_000_000)),
        ("T1", amount("C1", 600_000)),
        ("T2", amount("C1", 100_000, measure="market_cost", direction="lower")),
        ("T3", amount("C2", 10, from_period=201711, to_period=201711, measure="orders.done")),
        ("G2", UnitTargetIn.model_validate(goal)),
    ):
        await province.put_unit_target(peers.branch_id, name, wanted)
    await peers.told(*NOVEMBER)
    await look(START)

    firing = {one.subject: one for one in await manager.alerts(peers.branch_id)}
    # The month of T3 is over, and it is missed.
    assert {name: one.value for name, one in firing.items()} == {
        "G2": "0.797980 (0%)",
        "T2": "108000 (0%)",
        "T3": "0 (0%)",
    }
    assert firing["G2"].figure == "market_gross_margin"
    await peers.told(booked(201711, "C1", cost__commission=-4_000))
    await look(START + timedelta(hours=1))
    assert (await told(peers, caller))[3:] == [("resolved", "ahead/T2")]


ON_TIME = FigureSetIn.model_validate(
    {
        "figures": [
            {
                "figure": "late_share",
                "title": "Late",
                "title_zh": "超时率",
                "text": "",
                "text_zh": "",
                "source": "county",
                "unit": "ratio",
                "direction": "lower",
                "shown_as": "percent",
                "goal": {"boundary": "0.2", "comparison": "at_most"},
                "formula": {
                    "op": "ratio",
                    "numerator": {"op": "measure", "measure": "orders.late"},
                    "denominator": {"op": "measure", "measure": "orders.done"},
                },
            }
        ]
    }
)


async def test_a_countys_own_figure_is_watched_by_its_goal_and_by_a_centres_own(
    peers: Peers, caller: Caller, look: Look
) -> None:
    branch, now = peers.branch_id, datetime.now(UTC)
    at = period_of(now)
    manager, finance = caller(Role.COUNTY_MANAGER), caller(Role.COUNTY_FINANCE)
    given = rule(AlertKind.FIGURE, figure="late_share", span="month", margin="0.05")
    with pytest.raises(PeerProblem) as unknown:
        await manager.put_alert_rule(branch, "late", given)
    assert unknown.value.body["errors"][0]["code"] == "unknown-figure"
    await manager.draft_figures(branch, 1, ON_TIME)
    await finance.put_figures_in_force(branch, 1, from_period=at)
    await manager.put_alert_rule(branch, "late", given)
    own = UnitTargetIn.model_validate(
        {
            "figure": "late_share",
            "centre_id": "C1",
            "from_period": at,
            "to_period": at,
            "goal": {"boundary": "0.1", "comparison": "at_most"},
            "source": "county letter 7",
        }
    )
    await caller(Role.PROVINCE).put_unit_target(branch, "G1", own)

    async def orders(centre_id: str, number: int, *, on_time: bool) -> None:
        await peers.told(
            *(
                structs.replace(one, data=one.data | {"period": at})
                for one in (
                    finished(f"O{index}", centre_id, on_time=on_time) for index in range(number)
                )
            )
        )

    await orders("C1", 17, on_time=True)
    await orders("C1", 3, on_time=False)
    await orders("C2", 7, on_time=True)
    await orders("C2", 3, on_time=False)
    await peers.told(booked(at, "C1", revenue=-1))
    await look(now + timedelta(minutes=1))

    firing = await manager.alerts(branch)
    # 15 % is within the county's goal, and not within the centre's; the county as a whole has 20 %.
    assert [(one.subject, one.figure, one.value) for one in firing] == [
        ("C1", "late_share", "15.00 %"),
        ("C2", "late_share", "30.00 %"),
    ]
    await orders("C1", 10, on_time=True)
    await orders("C2", 8, on_time=True)
    await look(now + timedelta(minutes=2))
    # C1 has 10 %, C2 16.67 %: met, and not by five points.
    assert len(await manager.alerts(branch)) == 2
    await orders("C1", 30, on_time=True)
    await orders("C2", 2, on_time=True)
    await look(now + timedelta(minutes=3))
    assert (await told(peers, caller))[2:] == [("resolved", "late/C1"), ("resolved", "late/C2")]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        (rule(AlertKind.FIGURE), "/figure"),
        (rule(AlertKind.UNIT_TARGET_BEHIND, measure="luck"), "/measure"),
        (rule(AlertKind.UNIT_TARGET_BEHIND, margin="1.5"), "/margin"),
    ],
)
async def test_a_rule_that_names_nothing_that_is_there_is_refused(
    peers: Peers, caller: Caller, given: AlertRuleIn, pointer: str
) -> None:
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.COUNTY_MANAGER).put_alert_rule(peers.branch_id, "wrong", given)
    assert [one["pointer"] for one in refused.value.body["errors"]] == [pointer]


# --- default rules ------------------------------------------------------------------------------


def as_given(one: AlertRule, **changes: Any) -> AlertRuleIn:
    held = one.model_dump(include=set(AlertRuleIn.model_fields))
    return AlertRuleIn.model_validate(held | changes)


async def test_a_branch_is_watched_by_default_rules_without_any_being_set(
    peers: Peers, caller: Caller, look: Look
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    listed = await manager.alert_rules(peers.branch_id)
    assert listed == list(DEFAULT_RULES) == await manager.default_alert_rules(peers.branch_id)
    assert all((one.is_default, one.version, one.changed_by) == (True, 0, None) for one in listed)
    assert {one.target for one in listed if one.kind is AlertKind.VERDICT} == set(TargetName)
    assert {one.target for one in listed if one.kind is AlertKind.FORECAST} == set(TargetName)

    await peers.told(*NOVEMBER)
    await look(START)
    open_month = await told(peers, caller)
    await peers.told(closed(201711))
    await look(START + timedelta(minutes=1))

    # Nothing is judged before its month is closed; December is owed ten days after its end.
    assert open_month == []
    assert [one for one in await told(peers, caller) if "gross-margin/" in one[1]] == [
        ("firing", "default-market-gross-margin/C2"),
        ("firing", "default-market-gross-margin/county"),
    ]
    await look(datetime(2018, 1, 11, tzinfo=UTC))
    assert (await told(peers, caller))[-1] == ("firing", "default-books-late/county")
    await look(datetime(2018, 1, 16, tzinfo=UTC))
    assert (await told(peers, caller))[-1] == ("firing", "default-payroll-late/county")
    (acknowledged,) = (
        one
        for one in await manager.alerts(peers.branch_id)
        if (one.rule_id, one.subject) == ("default-market-gross-margin", "C2")
    )
    assert acknowledged.alert_id is not None


async def test_the_forecast_of_the_year_is_watched_by_default(
    peers: Peers, caller: Caller, look: Look
) -> None:
    before = [shift(Period(201711), index - 12) for index in range(12)]
    whole = month(
        revenue=400_000,
        market_cost=60_000,
        cash_in=300_000,
        cash_out=150_000,
        pay=90_000,
        headcount=3,
    )
    await peers.told(contract("CT-YEAR", None, dict.fromkeys(before, whole)))
    await peers.told(*NOVEMBER, closed(201711))
    await look(START)
    ahead = [
        subject
        for event, subject in await told(peers, caller)
        if event == "firing" and "-forecast" in subject
    ]
    assert "default-market-gross-margin-forecast/county" in ahead
    assert all(one.endswith("/county") for one in ahead)


async def test_silence_of_a_peer_is_told_of_by_default(
    peers: Peers, caller: Caller, look: Look
) -> None:
    now = datetime.now(UTC)
    await look(now)
    await look(now + timedelta(hours=71))
    assert [one for one in await told(peers, caller) if "still" in one[1]] == []
    await look(now + timedelta(hours=73))
    assert [one for one in await told(peers, caller) if "still" in one[1]] == [
        ("firing", "default-feed-still//contracts")
    ]


async def test_a_default_rule_is_changed_or_switched_off_with_a_reason(
    peers: Peers, caller: Caller, look: Look
) -> None:
    branch, manager = peers.branch_id, caller(Role.COUNTY_MANAGER)
    margin = DEFAULT_RULES[0]
    await peers.told(*NOVEMBER, closed(201711))
    await look(START)
    assert ("firing", "default-market-gross-margin/C2") in await told(peers, caller)

    with pytest.raises(PeerProblem) as unsaid:
        await manager.put_alert_rule(branch, margin.rule_id, as_given(margin, enabled=False))
    assert unsaid.value.body["errors"][0]["pointer"] == "/reason"
    with pytest.raises(PeerProblem) as other:
        await manager.put_alert_rule(
            branch, margin.rule_id, rule(AlertKind.BOOKS_LATE, reason="another")
        )
    assert other.value.code == "conflict"
    off = as_given(margin, enabled=False, reason="C2 is being wound up")
    kept = await manager.put_alert_rule(branch, margin.rule_id, off)
    assert (kept.version, kept.is_default, kept.reason, kept.changed_by) == (
        1,
        True,
        "C2 is being wound up",
        "test:county_manager",
    )
    await look(START + timedelta(minutes=1))
    assert [one for one in await told(peers, caller) if "gross-margin/" in one[1]][2:] == [
        ("resolved", "default-market-gross-margin/C2"),
        ("resolved", "default-market-gross-margin/county"),
    ]
    # The others go on.
    assert [one.rule_id for one in await manager.alert_rules(branch)] == [
        one.rule_id for one in DEFAULT_RULES
    ]
    assert (await manager.default_alert_rules(branch))[0] == margin
    tighter = as_given(margin, centre_ids=[], reason="the county only")
    await manager.put_alert_rule(branch, margin.rule_id, tighter)
    await look(START + timedelta(minutes=2))
    assert (await told(peers, caller))[-1] == ("firing", "default-market-gross-margin/county")


async def test_a_county_with_a_rule_of_its_own_is_watched_by_its_own_alone(
    peers: Peers, caller: Caller, look: Look
) -> None:
    branch, manager = peers.branch_id, caller(Role.COUNTY_MANAGER)
    await peers.told(*NOVEMBER, closed(201711), paid("C2", 201711, 1, 1, 1))
    await look(START)
    firing = await manager.alerts(branch)
    assert firing
    assert all(one.rule_id.startswith("default-") for one in firing)

    own = rule(AlertKind.VERDICT, target=TargetName.MARKET_GROSS_MARGIN, span="month")
    await manager.put_alert_rule(branch, "margin", own)
    await look(START + timedelta(minutes=1))
    assert [one.rule_id for one in await manager.alert_rules(branch)] == ["margin"]
    assert {one.rule_id for one in await manager.alerts(branch)} == {"margin"}
    assert all(
        one.state is AlertState.QUIET
        for one in await manager.alerts(branch, states=[AlertState.QUIET])
    )
