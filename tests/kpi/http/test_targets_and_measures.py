from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from support.kpi_feeds import NOVEMBER, Peers, booked, closed, entry, finished, paid

from huaxiao.kpi.main import create_app
from huaxiao.kpi.settings import Settings
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import FakeKpi, KpiClient
from huaxiao.shared.wire import appraisals, dispatch, organisation
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.kpi import Measure, ReasonCode, Span, TargetName, TargetsOf, Verdict
from huaxiao.shared.wire.what_if import WhatIfIn

Caller = Callable[..., KpiClient]


def found(of: TargetsOf | None) -> dict[TargetName, tuple[Verdict, str | None]]:
    assert of is not None
    return {one.target: (one.verdict, one.display) for one in of.targets}


def components(of: TargetsOf | None, target: TargetName) -> dict[str, tuple[Any, Any]]:
    assert of is not None
    (one,) = (one for one in of.targets if one.target is target)
    return {part.name: (part.amount, part.base_amount) for part in one.components}


def codes(of: TargetsOf | None) -> dict[TargetName, list[tuple[ReasonCode, list[int]]]]:
    assert of is not None
    return {
        one.target: [(reason.code, reason.periods) for reason in one.reasons]
        for one in of.targets
        if one.reasons
    }


async def test_facts_become_targets_of_the_county_and_each_centre(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(*NOVEMBER)
    report = await caller(Role.COUNTY_MANAGER).targets(peers.branch_id, period=201711)
    default, first, second = report.centres

    assert [one.centre_id for one in report.centres] == ["C0", "C1", "C2"]
    assert (first.name, first.name_zh, first.contract_id) == ("Centre C1", "C1 营服中心", "CT-C1")
    assert found(first) == {
        TargetName.MARKET_GROSS_MARGIN: (Verdict.PASS, "82.00 %"),
        # 210000 - 33400 - 66001 = 110599, over 100000 the year before.
        TargetName.CASH_FLOW_GROWTH: (Verdict.PASS, "10.60 %"),
        TargetName.AVERAGE_WAGE_GROWTH: (Verdict.PASS, "10.002 %"),
    }
    assert first.all_goals_met
    assert not default.all_goals_met
    assert components(first, TargetName.AVERAGE_WAGE_GROWTH) == {
        "pay": (66_001, 60_000),
        "headcount": (4, 4),
    }
    assert found(second)[TargetName.MARKET_GROSS_MARGIN] == (Verdict.FAIL, "79.80 %")
    assert second.network_line_cost_fen == 4_000
    assert second.unclassified_cost_fen == 700
    assert second.centre_margin_fen == 99_000 - 20_000 - 4_000
    assert codes(second) == {
        TargetName.CASH_FLOW_GROWTH: [(ReasonCode.NO_BASE, [])],
        TargetName.AVERAGE_WAGE_GROWTH: [(ReasonCode.NO_BASE, [])],
    }


def changed(centre_id: str, from_day: str, name: str, *, is_open: bool = True) -> FeedEntry:
    fact = organisation.CentreChanged(
        centre_id=centre_id,
        from_day=date.fromisoformat(from_day),
        name=name,
        name_zh=name,
        open=is_open,
    )
    return entry(organisation.CENTRE_CHANGED, fact)


async def test_a_centre_is_named_as_it_was_called_at_the_months_end_and_listed_until_it_closes(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(
        *NOVEMBER,
        changed("C1", "2017-12-31", "Town"),
        changed("C2", "2017-12-01", "C2", is_open=False),
        changed("C3", "2017-11-01", "C3", is_open=False),
    )
    manager = caller(Role.COUNTY_MANAGER)

    months = [await manager.targets(peers.branch_id, period=one) for one in (201711, 201712)]
    year = await manager.targets(peers.branch_id, period=201712, span=Span.YEAR_TO_DATE)

    shown = [{one.centre_id: one.name for one in report.centres} for report in (*months, year)]
    assert shown == [
        {"C0": "Centre C0", "C1": "Centre C1", "C2": "Centre C2"},
        {"C0": "Centre C0", "C1": "Town"},
        {"C0": "Centre C0", "C1": "Town", "C2": "C2"},
    ]


async def test_the_countys_figures_are_sums_held_against_its_own_base(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(*NOVEMBER)
    county = (await caller(Role.PROVINCE).targets(peers.branch_id, period=201711)).county

    assert county is not None
    assert (county.centre_id, county.name_zh, county.contract_id) == (None, "云泽", "CT")
    assert components(county, TargetName.MARKET_GROSS_MARGIN) == {
        "revenue": (409_000, 400_000),
        "market_cost": (74_000, 70_000),
    }
    assert components(county, TargetName.CASH_FLOW_GROWTH) == {
        "cash_in": (289_000, 300_000),
        "cash_out": (33_900, 60_000),
        "pay": (86_001, 90_000),
        "net_cash": (169_099, 150_000),
    }
    assert components(county, TargetName.AVERAGE_WAGE_GROWTH)["headcount"] == (6, 6)
    assert found(county) == {
        TargetName.MARKET_GROSS_MARGIN: (Verdict.FAIL, "81.91 %"),
        TargetName.CASH_FLOW_GROWTH: (Verdict.PASS, "12.73 %"),
        TargetName.AVERAGE_WAGE_GROWTH: (Verdict.FAIL, "-4.44 %"),
    }
    assert county.unclassified_cost_fen == 700
    assert not county.all_goals_met


async def test_the_year_to_date_sums_months_from_the_start_of_the_contract(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(
        *NOVEMBER,
        booked(201712, "C1", revenue=-300_000, cost__commission=54_002),
        paid("C1", 201712, 66_000, 2, 2),
        paid("C2", 201712, 20_000, 1, 1),
        closed(201711),
    )
    report = await caller(Role.AUDITOR).targets(
        peers.branch_id, period=201712, span=Span.YEAR_TO_DATE
    )
    first = report.centres[1]

    assert (first.from_period, first.to_period) == (201711, 201712)
    assert components(first, TargetName.MARKET_GROSS_MARGIN) == {
        "revenue": (600_000, 560_000),
        "market_cost": (108_002, 100_000),
    }
    assert found(first)[TargetName.MARKET_GROSS_MARGIN] == (Verdict.FAIL, "81.9997 %")
    assert components(first, TargetName.AVERAGE_WAGE_GROWTH) == {
        "pay": (132_001, 120_000),
        "headcount": (8, 8),
    }
    assert found(first)[TargetName.AVERAGE_WAGE_GROWTH] == (Verdict.PASS, "10.001 %")
    assert report.open_periods == [201712]
    assert all(one.provisional for one in first.targets)


async def test_figures_are_provisional_until_the_month_is_closed(
    peers: Peers, caller: Caller
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await peers.told(*NOVEMBER)
    before = await manager.targets(peers.branch_id, period=201711)
    await peers.told(closed(201711))
    after = await manager.targets(peers.branch_id, period=201711)

    assert before.open_periods == [201711]
    assert after.open_periods == []
    assert after.county is not None
    assert not any(one.provisional for one in after.county.targets)


async def test_what_is_missing_is_named_and_never_zero(peers: Peers, caller: Caller) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    empty = await manager.targets(peers.branch_id, period=201711)
    unknown = (ReasonCode.NO_BOOKS, [201711]), (ReasonCode.PAYROLL_MISSING, [201711])
    assert codes(empty.county) == {
        TargetName.MARKET_GROSS_MARGIN: [unknown[0]],
        TargetName.CASH_FLOW_GROWTH: [*unknown],
        TargetName.AVERAGE_WAGE_GROWTH: [unknown[1]],
    }

    # C2 has own staff, so the county's pay is not known before C2's is.
    await peers.told(*NOVEMBER[:-1])
    half = await manager.targets(peers.branch_id, period=201711)
    assert codes(half.county) == {
        TargetName.CASH_FLOW_GROWTH: [unknown[1]],
        TargetName.AVERAGE_WAGE_GROWTH: [unknown[1]],
    }
    assert codes(half.centres[1]) == {}
    assert components(half.county, TargetName.CASH_FLOW_GROWTH)["net_cash"] == (None, 150_000)

    # A year later there is neither contract nor base.
    later = await manager.targets(peers.branch_id, period=201811, span=Span.YEAR_TO_DATE)
    assert later.county is not None
    assert (later.county.contract_id, later.county.from_period) == (None, 201801)
    assert ReasonCode.NO_BASE in [
        code for code, _ in codes(later.county)[TargetName.CASH_FLOW_GROWTH]
    ]
    reason = later.county.targets[1].reasons[-1]
    assert reason.message
    assert reason.message_zh


async def test_payroll_replaces_and_bookings_add(peers: Peers, caller: Caller) -> None:
    await peers.told(
        paid("C1", 201711, 10, 1, 1),
        paid("C1", 201711, 25, 1, 2),
        booked(201711, "C1", revenue=-10),
        booked(201711, "C1", revenue=-15),
    )
    measures = await caller(Role.COUNTY_FINANCE).measures(peers.branch_id)

    assert [(one.measure, one.amount, one.unit) for one in measures] == [
        ("headcount.end", 2, "people"),
        ("headcount.start", 1, "people"),
        ("pay", 25, "fen"),
        ("revenue", -25, "fen"),
    ]


async def test_orders_and_appraisals_are_counted(peers: Peers, caller: Caller) -> None:
    def published(appraisal_id: str, score: str | None) -> FeedEntry:
        return entry(
            dispatch.APPRAISAL_PUBLISHED,
            dispatch.AppraisalPublished.model_validate(
                {
                    "appraisal_id": appraisal_id,
                    "kind": "horizontal",
                    "period": 201711,
                    "ratee_centre_id": "C1",
                    "person_id": None,
                    "score": score,
                    "grade": None,
                }
            ),
        )

    await peers.told(
        finished("O1", "C1", on_time=True),
        finished("O2", "C1", on_time=False),
        finished("O3", "C1", on_time=None),
        published("A1", "97.78"),
        published("A2", None),
    )
    measures = await caller(Role.COUNTY_MANAGER).measures(peers.branch_id)
    assert {one.measure: one.amount for one in measures} == {
        "orders.done": 3,
        "orders.on_time": 1,
        "orders.late": 1,
        "appraisal.horizontal.count": 1,
        "appraisal.horizontal.score": 9778,
    }


async def test_a_restated_appraisal_takes_the_place_of_the_one_before(
    peers: Peers, caller: Caller
) -> None:
    def told(kind: str, fact: type[dispatch.AppraisalPublished], **more: str | None) -> FeedEntry:
        card = {
            "appraisal_id": "A1",
            "kind": "horizontal",
            "period": 201711,
            "ratee_centre_id": "C1",
            "person_id": None,
            "grade": None,
            "cause": "correction",
            "corrected_in": None,
            "previous_coefficient": None,
        }
        return entry(kind, fact.model_validate(card | more))

    await peers.told(
        told(dispatch.APPRAISAL_PUBLISHED, dispatch.AppraisalPublished, score="97.78"),
        told(
            appraisals.APPRAISAL_RESTATED,
            appraisals.AppraisalRestated,
            score="90.00",
            previous_score="97.78",
        ),
        told(
            appraisals.APPRAISAL_RESTATED,
            appraisals.AppraisalRestated,
            score="91.50",
            previous_score="90.00",
        ),
    )
    measures = await caller(Role.COUNTY_MANAGER).measures(peers.branch_id)
    assert {one.measure: one.amount for one in measures} == {
        "appraisal.horizontal.count": 1,
        "appraisal.horizontal.score": 9150,
    }


async def test_an_order_whose_result_was_not_accepted_counts_when_it_is_done_again(
    peers: Peers, caller: Caller
) -> None:
    late = finished("O1", "C1", on_time=False)
    await peers.told(
        finished("O1", "C1", on_time=True),
        msgspec.structs.replace(finished("O1", "C1", on_time=True), type=dispatch.ORDER_REOPENED),
        late,
    )
    measures = await caller(Role.COUNTY_MANAGER).measures(peers.branch_id)
    assert {one.measure: one.amount for one in measures} == {
        "orders.done": 1,
        "orders.on_time": 0,
        "orders.late": 1,
    }


async def test_a_restart_in_between_takes_every_fact_exactly_once(
    peers: Peers,
    caller: Caller,
    settings_for: Callable[[str], dict[str, Any]],
) -> None:
    await peers.told(*NOVEMBER[:2])
    for one in NOVEMBER[2:5]:
        peers.attribution.publish(peers.branch_id, [one])
    attribution_follower = peers.followers[1]

    async def dies(*_: object) -> None:
        await attribution_follower.apply(*_)  # type: ignore[arg-type]
        raise RuntimeError("killed after the work, before the commit")

    dying = type(attribution_follower)(
        "/attribution",
        peers.attribution,
        dies,
        attribution_follower.database,
        attribution_follower.positions,
    )
    with pytest.raises(RuntimeError):
        await dying.step(peers.branch_id)

    restarted = create_app(Settings(**settings_for("kpi")))
    peers.use(restarted)
    await peers.follow()
    await peers.follow()
    await restarted.state.database.close()

    measures = await caller(Role.COUNTY_MANAGER).measures(peers.branch_id, period=201711)
    amounts = {
        (one.centre_id, one.measure): one.amount for one in measures if one.measure == "revenue"
    }
    assert amounts == {
        ("C0", "revenue"): -10_000,
        ("C1", "revenue"): -300_000,
        ("C2", "revenue"): -100_000,
    }


async def test_a_contractor_sees_its_own_centre_and_neither_the_others_nor_the_county(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(*NOVEMBER)
    mine = caller(Role.CONTRACTOR, ["C1"])
    report = await mine.targets(peers.branch_id, period=201711)

    assert report.county is None
    assert [one.centre_id for one in report.centres] == ["C1"]
    whole = await caller(Role.COUNTY_MANAGER).targets(peers.branch_id, period=201711)
    assert report.centres[0] == whole.centres[1]
    assert {one.centre_id for one in await mine.measures(peers.branch_id)} == {"C1"}
    assert await mine.measures(peers.branch_id, centre_id="C2") == []


@pytest.mark.parametrize("role", ["province", "county_manager", "county_finance", "auditor"])
async def test_those_who_answer_for_the_county_see_all(
    peers: Peers, caller: Caller, role: str
) -> None:
    await peers.told(*NOVEMBER)
    report = await caller(Role(role)).targets(peers.branch_id, period=201711)
    assert report.county is not None
    assert len(report.centres) == 3


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.BSS_SOURCE])
async def test_others_are_refused(peers: Peers, caller: Caller, role: Role) -> None:
    with pytest.raises(PeerProblem) as refused:
        await caller(role).targets(peers.branch_id, period=201711)
    assert refused.value.code == "forbidden"


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://kpi") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("{branch}/targets?period=201713", 422, "malformed"),
        ("{branch}/targets?period=november", 422, "malformed"),
        ("{branch}/targets", 422, "malformed"),
        ("{branch}/targets?period=201711&span=decade", 422, "malformed"),
        ("{branch}/measures?period=0", 422, "malformed"),
        ("{branch}/measures?centre_id=%00", 422, "malformed"),
        ("{branch}/measures?cursor=guess", 422, "malformed"),
        ("{branch}/measures?limit=0", 422, "malformed"),
        ("659999/targets?period=201711", 404, "not-found"),
        ("nowhere/targets?period=201711", 422, "malformed"),
    ],
)
async def test_what_is_asked_wrongly_is_refused(
    peers: Peers,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    path: str,
    status: int,
    code: str,
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, peers.branch_id)}"}
    answer = await http.get("/v1/branches/" + path.format(branch=peers.branch_id), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", ["targets?period=201711", "measures", "definitions"])
async def test_a_branch_that_no_fact_told_of_is_not_found(
    http: httpx.AsyncClient, token: Callable[..., str], branch_id: int, path: str
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch_id)}"}
    answer = await http.get(f"/v1/branches/{branch_id}/{path}", headers=headers)
    assert answer.status_code == 404


async def test_measures_come_in_pages_each_once(
    peers: Peers, http: httpx.AsyncClient, token: Callable[..., str], caller: Caller
) -> None:
    await peers.told(*NOVEMBER)
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, peers.branch_id)}"}
    seen: list[Measure] = []
    cursor = ""
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        answer = await http.get(
            f"/v1/branches/{peers.branch_id}/measures", headers=headers, params=query
        )
        page = answer.json()
        seen += [Measure.model_validate(one) for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == await caller(Role.COUNTY_MANAGER).measures(peers.branch_id)
    classes = {one.measure: one.cost_class for one in seen}
    assert classes["cost.lottery"] == "unclassified"
    assert classes["cost.tower_rent"] == "network_line"
    assert classes["revenue"] is None


@pytest.mark.parametrize("kind", ["real", "fake"])
async def test_the_real_service_and_the_fake_one_answer_alike(
    peers: Peers, caller: Caller, kind: str
) -> None:
    await peers.told(*NOVEMBER)
    real = caller(Role.COUNTY_MANAGER)
    reports = [await real.targets(peers.branch_id, period=201711, span=span) for span in Span]
    measures = await real.measures(peers.branch_id)
    reader: KpiClient | FakeKpi = real
    if kind == "fake":
        reader = FakeKpi(await real.definitions(peers.branch_id))
        for report in reports:
            reader.put(report, measures)

    assert await reader.targets(peers.branch_id, period=201711) == reports[0]
    for report in reports:
        again = await reader.targets(peers.branch_id, period=201711, span=report.span)
        assert again == report
    assert await reader.measures(peers.branch_id) == measures
    of_first = [one for one in measures if one.centre_id == "C1"]
    assert await reader.measures(peers.branch_id, centre_id="C1", period=201711) == of_first
    assert await reader.measures(peers.branch_id, period=201712) == []
    said = await reader.definitions(peers.branch_id)
    assert [one.target for one in said.targets] == list(TargetName)
    with pytest.raises(PeerProblem) as refused:
        await reader.targets(659_999, period=201711)
    assert (refused.value.status, refused.value.code) == (404, "not-found")


async def test_the_fake_service_has_every_call_that_the_real_one_has(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(*NOVEMBER)
    branch, real = peers.branch_id, caller(Role.COUNTY_MANAGER)
    fake = FakeKpi(await real.definitions(branch))
    margin = await real.comparison(branch, period=201711, figure="market_gross_margin")
    revenue = await real.comparison(branch, period=201711, measure="net_revenue")
    named = await real.named_measures(branch)
    since = datetime(2017, 1, 1, tzinfo=UTC)
    restated = await real.restatements(branch, since=since)
    fake.put_answer(branch, "/comparisons", margin)
    fake.put_answer(branch, "/comparisons", revenue, asked={"measure": "net_revenue"})
    fake.put_answer(branch, "/figure-definitions/measures", named)
    fake.put_answer(branch, "/restatements", restated)
    supposed = WhatIfIn(period=201711)
    fake.put_answer(branch, "/targets/what-if", await real.what_if(branch, supposed), method="POST")
    fake.put_answer(branch, "/targets/sheet", b"a,b")

    found = await fake.comparison(branch, period=201711, figure="market_gross_margin")
    assert found == margin
    assert await fake.comparison(branch, period=201711, measure="net_revenue") == revenue
    assert await fake.named_measures(branch) == named
    of_first = [one for one in restated if one.centre_id == "C1"]
    assert await fake.restatements(branch, since=since, centre_id="C1") == of_first
    assert await fake.what_if(branch, supposed) == await real.what_if(branch, supposed)
    assert await fake.targets_sheet(branch, period=201711) == b"a,b"
    with pytest.raises(LookupError):
        await fake.back_cast(branch, period=201711)
