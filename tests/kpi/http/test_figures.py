from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import httpx
import msgspec
import pytest
from support.kpi_feeds import (
    AT,
    NOVEMBER,
    Peers,
    at,
    booked,
    contract,
    entry,
    finished,
    month,
    paid,
)

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.periods import Period, period_of, shift, year_before
from huaxiao.shared.wire import organisation, tickets
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.figures import Figure, FigureSetIn, FiguresOf
from huaxiao.shared.wire.kpi import Span

Caller = Callable[..., KpiClient]
THIS_MONTH = period_of(datetime.now(UTC))

ON_TIME: dict[str, Any] = {
    "figure": "on_time_rate",
    "title": "Orders finished on time",
    "title_zh": "工单按时完成率",
    "text": "On time over all that had a service level.",
    "text_zh": "按时完工 / 有时限要求的完工工单。",
    "source": "county rule 7",
    "unit": "ratio",
    "formula": {
        "op": "ratio",
        "numerator": {"op": "measure", "measure": "orders.on_time"},
        "denominator": {
            "op": "sum",
            "terms": [
                {"op": "measure", "measure": "orders.on_time"},
                {"op": "measure", "measure": "orders.late"},
            ],
        },
    },
    "direction": "higher",
    "shown_as": "percent",
    "decimals": 1,
    "goal": {"boundary": "0.5", "comparison": "at_least", "at_risk_within": "0.1"},
}
PER_HEAD: dict[str, Any] = {
    "figure": "revenue_per_head",
    "title": "Revenue per head",
    "title_zh": "人均收入",
    "text": "Net revenue over own staff on the average.",
    "text_zh": "净收入 / 平均自有人数。",
    "source": "county rule 8",
    "unit": "fen/people",
    "formula": {
        "op": "ratio",
        "numerator": {"op": "measure", "measure": "net_revenue"},
        "denominator": {"op": "measure", "measure": "average_headcount"},
    },
    "direction": "higher",
    "shown_as": "yuan",
}
COMPLAINTS: dict[str, Any] = {
    "figure": "complaint_rate",
    "title": "Complaints per order",
    "title_zh": "投诉率",
    "text": "Complaints raised over orders finished.",
    "text_zh": "投诉需求单 / 完工工单。",
    "source": "province circular 3",
    "unit": "tickets/orders",
    "formula": {
        "op": "ratio",
        "numerator": {"op": "measure", "measure": "tickets.complaint"},
        "denominator": {"op": "measure", "measure": "orders.done"},
    },
    "direction": "lower",
    "shown_as": "percent",
    "goal": {"boundary": "0.25", "comparison": "less_than"},
}


def figures(*given: dict[str, Any]) -> FigureSetIn:
    return FigureSetIn.model_validate({"figures": list(given)})


def by_name(of: FiguresOf | None) -> dict[str, Figure]:
    assert of is not None
    return {one.figure: one for one in of.figures}


async def refusal(asking: Any) -> PeerProblem:
    with pytest.raises(PeerProblem) as refused:
        await asking
    return refused.value


def done(order_id: str, centre_id: str, *, on_time: bool) -> FeedEntry:
    made = finished(order_id, centre_id, on_time=on_time)
    return msgspec.structs.replace(made, data=made.data | {"period": THIS_MONTH})


def complaint(ticket_id: str, centre_id: str) -> FeedEntry:
    fact = tickets.TicketRaised.model_validate(
        {
            "ticket_id": ticket_id,
            "category": "complaint",
            "urgency": "normal",
            "raiser_centre_id": centre_id,
            "owner": {"kind": "centre", "centre_id": "S1"},
            "at": datetime.now(UTC),
        }
    )
    return entry(tickets.TICKET_RAISED, fact)


async def test_a_county_adds_figures_without_code(peers: Peers, caller: Caller) -> None:
    manager, finance = caller(Role.COUNTY_MANAGER), caller(Role.COUNTY_FINANCE)
    branch = peers.branch_id
    drafted = await manager.draft_figures(branch, 1, figures(ON_TIME, PER_HEAD, COMPLAINTS))
    assert (drafted.version, drafted.from_period) == (1, None)
    assert [one.figure for one in drafted.built_in] == [
        "market_gross_margin", "cash_flow_growth", "average_wage_growth",
    ]  # fmt: skip
    assert (await manager.figure_definitions(branch)).version == 0

    in_force = await finance.put_figures_in_force(branch, 1, from_period=THIS_MONTH)
    assert in_force.put_in_force_by == "test:county_finance"
    assert await manager.figure_definitions(branch) == in_force
    assert (await manager.figure_definitions(branch, period=shift(THIS_MONTH, -1))).version == 0
    await peers.told(
        booked(THIS_MONTH, "C1", revenue=-300_000),
        booked(THIS_MONTH, "C2", revenue=-50_001),
        paid("C1", THIS_MONTH, 1, 2, 1),
        paid("C2", THIS_MONTH, 1, 1, 1),
        done("O1", "C1", on_time=True),
        done("O2", "C1", on_time=True),
        done("O3", "C1", on_time=False),
        done("O4", "C2", on_time=False),
        complaint("T1", "C2"),
    )

    report = await manager.figures(branch, period=THIS_MONTH)

    assert report.version == 1
    county, (_, first, second) = by_name(report.county), map(by_name, report.centres)
    assert [(one.figure, one.standing, one.display) for one in first.values()][3:] == [
        ("on_time_rate", "met", "66.7 %"),
        ("revenue_per_head", "no_goal", "2,000.00"),
        ("complaint_rate", "met", "0.00 %"),
    ]
    # Of sums: two of four orders on time, and one complaint on four, not the mean of 0 and 1.
    assert (county["on_time_rate"].standing, county["on_time_rate"].display) == (
        "at_risk",
        "50.0 %",
    )
    rate = county["complaint_rate"]
    assert rate.value is not None
    assert Fraction(rate.value.numerator, rate.value.denominator) == Fraction(1, 4)
    assert (rate.standing, rate.direction) == ("not_met", "lower")
    assert second["on_time_rate"].display == "0.0 %"
    assert {one.name: (one.unit, one.amount) for one in county["revenue_per_head"].components} == {
        "net_revenue": ("fen", 350_001),
        "average_headcount": ("half_person_months", 5),
    }
    earlier = await manager.figures(branch, period=shift(THIS_MONTH, -1))
    assert (earlier.version, len(by_name(earlier.county))) == (0, 3)


async def test_the_built_in_figures_are_the_three_targets(peers: Peers, caller: Caller) -> None:
    await peers.told(*NOVEMBER)
    manager = caller(Role.COUNTY_MANAGER)
    for span in Span:
        report = await manager.figures(peers.branch_id, period=201711, span=span)
        targets = await manager.targets(peers.branch_id, period=201711, span=span)
        assert report.county is not None
        assert targets.county is not None
        for ours, theirs in zip(
            [report.county, *report.centres], [targets.county, *targets.centres], strict=True
        ):
            assert [
                (one.figure, one.standing, one.value, one.display, one.reasons, one.provisional)
                for one in ours.figures
            ] == [
                (one.target, one.standing, one.value, one.display, one.reasons, one.provisional)
                for one in theirs.targets
            ]
    first = by_name(report.centres[1])
    assert first["cash_flow_growth"].basis == "contract"
    assert first["market_gross_margin"].basis is None


async def test_a_version_is_drafted_by_one_and_put_in_force_by_another(
    peers: Peers, caller: Caller, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    manager, finance = caller(Role.COUNTY_MANAGER), caller(Role.COUNTY_FINANCE)
    branch = peers.branch_id
    await manager.draft_figures(branch, 1, figures(ON_TIME))
    rewritten = await manager.draft_figures(branch, 1, figures(PER_HEAD))
    assert await manager.draft_figures(branch, 1, figures(PER_HEAD)) == rewritten
    assert [one.figure for one in rewritten.figures] == ["revenue_per_head"]

    two = await refusal(manager.put_figures_in_force(branch, 1, from_period=THIS_MONTH))
    past = await refusal(finance.put_figures_in_force(branch, 1, from_period=shift(THIS_MONTH, -1)))
    far = await refusal(finance.put_figures_in_force(branch, 1, from_period=shift(THIS_MONTH, 13)))
    assert (two.code, past.code) == ("two-people", "figures-out-of-order")
    assert far.code == "figures-out-of-order"
    held = await finance.put_figures_in_force(branch, 1, from_period=shift(THIS_MONTH, 1))
    assert await finance.put_figures_in_force(branch, 1, from_period=shift(THIS_MONTH, 1)) == held

    fixed = await refusal(manager.draft_figures(branch, 1, figures(ON_TIME)))
    moved = await refusal(finance.put_figures_in_force(branch, 1, from_period=THIS_MONTH))
    assert (fixed.code, moved.code) == ("figures-in-force", "figures-in-force")
    await manager.draft_figures(branch, 2, figures())
    early = await refusal(finance.put_figures_in_force(branch, 2, from_period=THIS_MONTH))
    assert early.code == "figures-out-of-order"
    await finance.put_figures_in_force(branch, 2, from_period=shift(THIS_MONTH, 2))
    in_force = [
        (await manager.figure_definitions(branch, period=shift(THIS_MONTH, one))).version
        for one in range(4)
    ]
    assert in_force == [0, 1, 2, 2]
    listed = await manager.figure_versions(branch)
    assert [(one.version, one.from_period) for one in listed] == [
        (1, shift(THIS_MONTH, 1)),
        (2, shift(THIS_MONTH, 2)),
    ]
    assert (await refusal(manager.figure_version(branch, 3))).code == "not-found"
    assert (await manager.figure_version(branch, 0)).figures == []

    path = f"/v1/branches/{branch}/figure-definitions/versions/3"
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch)}"}
    body = {"figures": [ON_TIME]}
    made = await http.put(path, json=body, headers=headers)
    assert made.status_code == 201
    stale = await http.put(path, json=body, headers=headers | {"If-Match": '"other"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-version")


async def test_figures_that_cannot_be_computed_are_refused_with_the_places(
    peers: Peers, caller: Caller
) -> None:
    wrong = ON_TIME | {
        "formula": {
            "op": "sum",
            "terms": [
                {"op": "measure", "measure": "net_revenue"},
                {"op": "measure", "measure": "average_headcount"},
                {"op": "measure", "measure": "luck"},
            ],
        }
    }
    circle = PER_HEAD | {"formula": {"op": "figure", "figure": "revenue_per_head"}}
    manager = caller(Role.COUNTY_MANAGER)

    found = await refusal(manager.draft_figures(peers.branch_id, 1, figures(wrong)))
    turned = await refusal(manager.draft_figures(peers.branch_id, 1, figures(circle)))

    assert (found.status, found.code) == (422, "malformed")
    assert [(one["pointer"], one["code"]) for one in found.body["errors"]] == [
        ("/figures/0/formula/terms/2/measure", "unknown-measure"),
        ("/figures/0/formula/terms/1", "unit-mismatch"),
    ]
    assert [one["code"] for one in turned.body["errors"]] == ["cycle"]
    assert (await manager.figure_versions(peers.branch_id)) == []


@pytest.mark.parametrize(
    ("role", "centre_ids"),
    [(Role.CONTRACTOR, ["C1"]), (Role.AUDITOR, None), (Role.COUNTY_MANAGER, ["C1"])],
)
async def test_nobody_who_is_bound_to_a_centre_or_only_reads_drafts_figures(
    peers: Peers, caller: Caller, role: Role, centre_ids: list[str] | None
) -> None:
    refused = await refusal(
        caller(role, centre_ids).draft_figures(peers.branch_id, 1, figures(ON_TIME))
    )
    assert refused.code == "forbidden"


async def test_twelve_months_roll_over_the_turn_of_a_contract(peers: Peers, caller: Caller) -> None:
    months = [shift(Period(201711), one) for one in range(12)]
    await peers.told(
        contract("CT-C2", "C2", {year_before(one): month(cash_in=100) for one in months}),
        *(booked(one, "C2", revenue=-10, cash__in=120) for one in months),
        *(paid("C2", one, 10, 1, 1) for one in months),
        *(paid("C1", one, 10, 1, 1) for one in months),
    )
    manager = caller(Role.COUNTY_MANAGER)

    report = await manager.targets(peers.branch_id, period=201810, span=Span.ROLLING_TWELVE_MONTHS)
    of_second = report.centres[2]
    assert (of_second.from_period, of_second.to_period) == (201711, 201810)
    assert {one.target: one.display for one in of_second.targets}["cash_flow_growth"] == "10.00 %"

    early = await manager.targets(peers.branch_id, period=201712, span=Span.ROLLING_TWELVE_MONTHS)
    reasons = {one.target: one.reasons for one in early.centres[2].targets}["cash_flow_growth"]
    assert [one.code for one in reasons] == ["no_books", "payroll_missing", "base_incomplete"]
    assert reasons[-1].periods == [shift(Period(201601), one) for one in range(10)]


async def test_a_centre_that_was_not_there_a_year_ago_is_not_comparable(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(
        booked(201611, "C1", revenue=-5, receivable=50),
        *NOVEMBER,
        booked(201711, "C1", receivable=27),
    )
    manager = caller(Role.COUNTY_MANAGER)
    report = await manager.targets(peers.branch_id, period=201711)
    codes = {of.centre_id: [one.code for one in of.targets[1].reasons] for of in report.centres}
    assert codes == {"C0": ["no_base", "centre_new"], "C1": [], "C2": ["no_base", "centre_new"]}


async def test_what_was_booked_before_a_reorganisation_is_not_held_against_what_came_after(
    peers: Peers, caller: Caller
) -> None:
    last_year = year_before(THIS_MONTH)
    grown = PER_HEAD | {
        "figure": "receivable_growth",
        "unit": "ratio",
        "shown_as": "percent",
        "formula": {"op": "growth", "of": {"op": "measure", "measure": "receivable"}},
    }
    manager = caller(Role.COUNTY_MANAGER)
    await manager.draft_figures(peers.branch_id, 1, figures(grown))
    await caller(Role.PROVINCE).put_figures_in_force(peers.branch_id, 1, from_period=THIS_MONTH)
    await peers.told(
        booked(last_year, "C1", receivable=50, revenue=-1),
        booked(last_year, "C2", receivable=50, revenue=-1),
        booked(THIS_MONTH, "C1", receivable=75, revenue=-1),
        booked(THIS_MONTH, "C2", receivable=50, revenue=-1),
    )
    before = await manager.figures(peers.branch_id, period=THIS_MONTH)
    fact = organisation.ReorganisationApplied(
        plan_id="P1", from_day=datetime.now(UTC).date().replace(day=1), digest="d"
    )
    await peers.told(at(AT, entry(organisation.REORGANISATION_APPLIED, fact)))
    after = await manager.figures(peers.branch_id, period=THIS_MONTH)

    def told(of: FiguresOf | None) -> tuple[str | None, list[str], str | None]:
        one = by_name(of)["receivable_growth"]
        return one.display, [reason.code for reason in one.reasons], one.basis

    assert told(before.centres[1]) == ("50.00 %", [], "booked")
    assert told(after.centres[1]) == (None, ["centre_reorganised"], "booked")
    assert told(before.county) == told(after.county) == ("25.00 %", [], "booked")


async def test_what_formulas_may_name_is_listed_with_its_unit_and_base(
    peers: Peers, caller: Caller
) -> None:
    found = {
        one.measure: (one.unit, one.base)
        for one in await caller(Role.AUDITOR).named_measures(peers.branch_id)
    }
    assert found["net_revenue"] == ("fen", "contract")
    assert found["network_line_cost"] == ("fen", "booked")
    assert found["average_headcount"] == ("people", "contract")
    assert found["tickets.*"] == ("tickets", "booked")
    assert "headcount.start" not in found
