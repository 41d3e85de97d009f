from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from support.kpi_feeds import NOVEMBER, Peers, booked, closed, contract, month, paid

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.periods import period_of, shift
from huaxiao.shared.wire.figures import Direction
from huaxiao.shared.wire.kpi import Quotient, Span
from huaxiao.shared.wire.unit_targets import Progress, UnitTargetIn

Caller = Callable[..., KpiClient]


def target(
    centre_id: str | None,
    value: int,
    first: int = 201711,
    last: int = 201810,
    **given: Any,
) -> UnitTargetIn:
    usual = {
        "measure": "net_revenue",
        "centre_id": centre_id,
        "from_period": first,
        "to_period": last,
        "value": value,
        "source": "省公司 2017-88 号文",
    }
    return UnitTargetIn.model_validate(usual | given)


async def refusal(asking: Any) -> PeerProblem:
    with pytest.raises(PeerProblem) as refused:
        await asking
    return refused.value


def exact(given: Quotient | None) -> Fraction | None:
    return given and Fraction(given.numerator, given.denominator)


async def test_the_county_drafts_and_a_second_person_confirms_while_the_province_sets(
    peers: Peers, caller: Caller
) -> None:
    branch = peers.branch_id
    manager, finance = caller(Role.COUNTY_MANAGER), caller(Role.COUNTY_FINANCE)
    drafted = await manager.put_unit_target(branch, "T1", target("C1", 100))
    assert (drafted.state, drafted.drafted_by, drafted.unit) == (
        "draft",
        "test:county_manager",
        "fen",
    )
    rewritten = await manager.put_unit_target(branch, "T1", target("C1", 200))
    assert rewritten.value == 200
    assert (await refusal(manager.confirm_unit_target(branch, "T1"))).code == "two-people"
    held = await finance.confirm_unit_target(branch, "T1")
    assert (held.state, held.confirmed_by) == ("in_force", "test:county_finance")
    assert await finance.confirm_unit_target(branch, "T1") == held
    assert await manager.put_unit_target(branch, "T1", target("C1", 200)) == held
    changed = await refusal(manager.put_unit_target(branch, "T1", target("C1", 300)))
    assert changed.code == "target-in-force"

    whole = await caller(Role.PROVINCE).put_unit_target(branch, "T0", target(None, 1_000))
    assert (whole.state, whole.confirmed_by) == ("in_force", "test:province")
    gone = await manager.withdraw_unit_target(branch, "T1", reason="the centre was redrawn")
    assert (gone.state, gone.withdrawn_because) == ("withdrawn", "the centre was redrawn")
    assert (await refusal(finance.confirm_unit_target(branch, "T1"))).code == "target-in-force"
    assert [one.target_id for one in await manager.unit_targets(branch)] == ["T0", "T1"]
    mine = caller(Role.CONTRACTOR, ["C1"])
    assert [one.target_id for one in await mine.unit_targets(branch)] == ["T1"]
    assert (await mine.unit_target(branch, "T1")) == gone
    assert (await refusal(mine.unit_target(branch, "T0"))).status == 404
    assert (await refusal(mine.put_unit_target(branch, "T2", target("C1", 1)))).status == 403


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        (target("C9", 1), "/centre_id", "unknown-reference"),
        (target("C1", 1, 201712, 201711), "/to_period", "bad-span"),
        (target("C1", 1, measure="luck"), "/measure", "unknown-measure"),
        (target("C1", 1, measure="average_headcount"), "/measure", "not-additive"),
    ],
)
async def test_a_target_of_what_is_not_there_is_refused(
    peers: Peers, caller: Caller, given: UnitTargetIn, pointer: str, code: str
) -> None:
    found = await refusal(caller(Role.COUNTY_MANAGER).put_unit_target(peers.branch_id, "T1", given))
    assert [(one["pointer"], one["code"]) for one in found.body["errors"]] == [(pointer, code)]


async def test_a_unit_has_one_target_of_a_measure_in_each_month(
    peers: Peers, caller: Caller
) -> None:
    branch = peers.branch_id
    province, manager = caller(Role.PROVINCE), caller(Role.COUNTY_MANAGER)
    finance = caller(Role.COUNTY_FINANCE)
    await manager.put_unit_target(branch, "T2", target("C1", 1, 201712, 201712))
    await province.put_unit_target(branch, "T1", target("C1", 1))

    again = await refusal(province.put_unit_target(branch, "T3", target("C1", 1, 201810, 201812)))
    late = await refusal(finance.confirm_unit_target(branch, "T2"))

    assert (again.code, again.body["target_ids"]) == ("overlapping-targets", ["T1"])
    assert late.code == "overlapping-targets"
    await province.put_unit_target(branch, "T3", target("C1", 1, 201811, 201812))
    await province.put_unit_target(branch, "T4", target("C2", 1))
    await province.put_unit_target(branch, "T5", target("C1", 1, measure="market_cost"))
    await province.withdraw_unit_target(branch, "T1", reason="replaced")
    await finance.confirm_unit_target(branch, "T2")


async def test_progress_is_held_against_the_calendar_and_gaps_are_shown(
    peers: Peers, caller: Caller
) -> None:
    branch = peers.branch_id
    province, manager = caller(Role.PROVINCE), caller(Role.COUNTY_MANAGER)
    await peers.told(*NOVEMBER)
    for name, given in (
        ("T0", target(None, 4_000_000)),
        ("T1", target("C1", 3_000_000)),
        ("T2", target("C2", 500_000, 201711, 201712)),
        ("T3", target("C2", 5_000, 201812, 201812)),
        ("T4", target("C1", 500_000, measure="market_cost", direction="lower")),
    ):
        await province.put_unit_target(branch, name, given)

    report = await manager.progress(branch, period=201711)

    found: dict[str, Progress] = {one.target.target_id: one for one in report.targets}
    assert sorted(found) == ["T0", "T1", "T2", "T4"]
    whole = found["T0"]
    assert (whole.amount, whole.completion_display, whole.elapsed_display) == (
        409_000,
        "10.23 %",
        "8.22 %",
    )
    assert exact(whole.elapsed) == Fraction(30, 365)
    assert (whole.on_schedule, whole.provisional) == (True, True)
    # 500,000 of the county's were given to no centre; what C2 has a year later is not of it.
    assert (whole.broken_down, whole.not_broken_down) == (3_500_000, 500_000)
    assert whole.centre_targets == ["T1", "T2"]
    assert (found["T2"].amount, found["T2"].on_schedule) == (99_000, False)
    assert found["T2"].not_broken_down is None
    assert (found["T4"].amount, found["T4"].on_schedule) == (54_000, False)
    await peers.told(closed(201711))
    (mine,) = (await caller(Role.CONTRACTOR, ["C2"]).progress(branch, period=201711)).targets
    assert mine == found["T2"].model_copy(update={"provisional": False})
    of_first = await manager.progress(branch, period=201711, centre_id="C1")
    assert [one.target.target_id for one in of_first.targets] == ["T1", "T4"]
    nothing = (await manager.progress(branch, period=201712)).targets[0]
    assert nothing.amount is None
    assert [one.code for one in nothing.reasons] == ["no_books"]


async def test_targets_are_known_as_of_a_moment(peers: Peers, caller: Caller) -> None:
    branch, province = peers.branch_id, caller(Role.PROVINCE)
    await peers.told(*NOVEMBER)
    before = datetime.now(UTC)
    await province.put_unit_target(branch, "T1", target("C1", 10))
    between = datetime.now(UTC)
    await province.withdraw_unit_target(branch, "T1", reason="wrong letter")

    def asked(known_at: datetime | None) -> Any:
        return province.progress(branch, period=201711, known_at=known_at)

    shown = [(await asked(one)).targets for one in (before, between, None)]
    assert [len(one) for one in shown] == [0, 1, 0]
    then = shown[1][0].target
    assert (then.state, then.withdrawn_at, then.withdrawn_because) == ("in_force", None, None)


async def test_what_the_province_set_only_the_province_withdraws(
    peers: Peers, caller: Caller
) -> None:
    branch, province = peers.branch_id, caller(Role.PROVINCE)
    await province.put_unit_target(branch, "T1", target(None, 10))

    refused = await refusal(
        caller(Role.COUNTY_MANAGER).withdraw_unit_target(branch, "T1", reason="too much")
    )

    assert refused.status == 403
    assert (await province.unit_target(branch, "T1")).state == "in_force"
    gone = await province.withdraw_unit_target(branch, "T1", reason="another letter")
    assert gone.state == "withdrawn"


async def test_a_draft_that_the_province_sends_as_well_is_the_provinces(
    peers: Peers, caller: Caller
) -> None:
    branch = peers.branch_id
    await caller(Role.COUNTY_MANAGER).put_unit_target(branch, "T1", target("C1", 10))
    held = await caller(Role.PROVINCE).put_unit_target(branch, "T1", target("C1", 10))
    assert (held.state, held.drafted_by) == ("in_force", "test:province")


async def test_a_draft_that_was_withdrawn_is_not_rewritten(peers: Peers, caller: Caller) -> None:
    branch, manager = peers.branch_id, caller(Role.COUNTY_MANAGER)
    await manager.put_unit_target(branch, "T1", target("C1", 10))
    gone = await manager.withdraw_unit_target(branch, "T1", reason="a slip")
    for role in (Role.COUNTY_MANAGER, Role.PROVINCE):
        again = caller(role).put_unit_target(branch, "T1", target("C1", 20))
        assert (await refusal(again)).code == "target-in-force"
    assert await manager.unit_target(branch, "T1") == gone


async def test_what_is_missed_by_little_is_not_shown_as_reached(
    peers: Peers, caller: Caller
) -> None:
    branch, province = peers.branch_id, caller(Role.PROVINCE)
    # A margin of 81.99967 %.
    await peers.told(*NOVEMBER, booked(201711, "C1", cost__commission=1))
    for name, value, given in (
        ("T1", 300_001, {}),
        ("T2", 54_000, {"measure": "market_cost", "direction": "lower"}),
        ("T3", 210_000, {"measure": "cash_in"}),
    ):
        await province.put_unit_target(branch, name, target("C1", value, 201711, 201711, **given))

    progress = (await province.progress(branch, period=201711)).targets
    margins = await province.comparison(branch, period=201711, figure="market_gross_margin")

    assert [one.completion_display for one in progress] == ["99.9997 %", "100.002 %", "100.00 %"]
    assert {one.centre_id: one.display for one in margins.centres}["C1"] == "81.9997 %"


async def test_a_month_that_has_not_begun_has_no_report(peers: Peers, caller: Caller) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    later = shift(period_of(datetime.now(UTC) + timedelta(days=2)), 1)
    for asking in (
        manager.targets(peers.branch_id, period=later),
        manager.figures(peers.branch_id, period=later),
        manager.progress(peers.branch_id, period=later),
        manager.comparison(peers.branch_id, period=later, measure="pay"),
        manager.back_cast(peers.branch_id, period=later),
    ):
        assert (await refusal(asking)).code == "period-to-come"


async def test_units_stand_side_by_side_with_the_year_and_the_month_before(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(
        booked(201710, "C1", revenue=-200_000), booked(201710, "C2", revenue=-110_000), *NOVEMBER
    )
    manager = caller(Role.COUNTY_MANAGER)

    found = await manager.comparison(peers.branch_id, period=201711, measure="net_revenue")

    assert [(one.centre_id, one.display, one.rank) for one in found.centres] == [
        ("C1", "3,000.00", 1),
        ("C2", "990.00", 2),
        ("C0", "100.00", 3),
    ]
    first, second, _ = found.centres
    assert (first.year_on_year_display, first.month_on_month_display) == ("7.14 %", "50.00 %")
    assert (first.basis, exact(first.year_before)) == ("contract", 280_000)
    assert (second.year_on_year, second.month_on_month_display) == (None, "-10.00 %")
    assert [one.code for one in second.year_before_reasons] == ["no_base"]
    assert [one.rank_by_growth for one in found.centres] == [1, None, None]
    assert found.county is not None
    assert (found.county.display, found.county.rank) == ("4,090.00", None)
    assert found.county.year_on_year_display == "2.25 %"

    cheapest = await manager.comparison(
        peers.branch_id, period=201711, measure="market_cost", direction=Direction.LOWER
    )
    assert [one.centre_id for one in cheapest.centres] == ["C0", "C2", "C1"]
    margins = await manager.comparison(peers.branch_id, period=201711, figure="market_gross_margin")
    assert [(one.centre_id, one.display) for one in margins.centres] == [
        ("C0", "100.00 %"),
        ("C1", "82.00 %"),
        ("C2", "79.80 %"),
    ]
    growth = await manager.comparison(
        peers.branch_id, period=201711, figure="cash_flow_growth", span=Span.YEAR_TO_DATE
    )
    assert [(one.centre_id, one.rank) for one in growth.centres] == [
        ("C1", 1),
        ("C0", None),
        ("C2", None),
    ]
    assert growth.centres[0].year_before is None
    assert growth.centres[0].month_before is None


async def test_a_measure_or_a_figure_is_compared(peers: Peers, caller: Caller) -> None:
    manager, branch = caller(Role.COUNTY_MANAGER), peers.branch_id
    neither = await refusal(manager.comparison(branch, period=201711))
    both = await refusal(
        manager.comparison(branch, period=201711, measure="pay", figure="cash_flow_growth")
    )
    unknown = await refusal(manager.comparison(branch, period=201711, figure="luck"))
    nothing = await refusal(manager.comparison(branch, period=201711, measure="luck"))
    assert [one.code for one in (neither, both, unknown, nothing)] == [
        "measure-or-figure",
        "measure-or-figure",
        "not-found",
        "not-found",
    ]
    mine = await caller(Role.CONTRACTOR, ["C1"]).comparison(branch, period=201711, measure="pay")
    assert mine.county is None
    assert [one.centre_id for one in mine.centres] == ["C1"]


async def test_the_year_before_is_told_like_for_like_and_as_it_was_booked(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(
        booked(201611, "C1", revenue=-250_000, cost__commission=50_000, cash__in=200_000),
        booked(201611, "C2", revenue=-150_000),
        paid("C1", 201611, 61_000, 2, 3),
        paid("C2", 201611, 30_000, 1, 1),
        contract("CT-C2", "C2", {201612: month(revenue=1)}),
        *NOVEMBER,
    )
    report = await caller(Role.AUDITOR).back_cast(peers.branch_id, period=201711)

    first, second = report.centres[1:]
    assert (first.comparable, first.contract_id) == (True, "CT-C1")
    assert {
        one.measure: (one.amount, one.like_for_like, one.booked, one.moved)
        for one in first.measures
    } == {
        # Today's fields would have brought C1 30,000 more a year before.
        "net_revenue": (300_000, 280_000, 250_000, 30_000),
        "market_cost": (54_000, 50_000, 50_000, 0),
        "cash_in": (210_000, 200_000, 200_000, 0),
        "cash_out": (33_400, 40_000, 0, 40_000),
        "pay": (66_001, 60_000, 61_000, -1_000),
        "headcount": (4, 4, 5, -1),
    }
    assert (second.comparable, [one.code for one in second.reasons]) == (False, ["no_base"])
    revenue = second.measures[0]
    assert (revenue.like_for_like, revenue.booked, revenue.moved) == (None, 150_000, None)
    assert report.county is not None
    assert report.county.measures[0].booked == 400_000
    early = await caller(Role.AUDITOR).back_cast(peers.branch_id, period=201712)
    assert early.centres[1].measures[0].booked is None
