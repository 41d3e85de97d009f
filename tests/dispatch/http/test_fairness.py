"""What the county is told of as worth a look, and who is not told."""

from typing import Any

import msgspec
from support.appraising import DAY, FROZEN, GOOD, PERIOD, refusal
from support.work import HOUR, work

from huaxiao.dispatch.worker import apply_attribution
from huaxiao.shared.auth import Role
from huaxiao.shared.periods import Period, ends_at, starts_at
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.appraisals import AppealDecisionIn, AppealIn
from huaxiao.shared.wire.dispatch import Evidence, HorizontalIn, OrderStepIn, StepName
from huaxiao.shared.wire.fairness import FindingKind
from huaxiao.shared.wire.reverse import VoteIn

MONTHS = (201711, 201712, 201801)


async def _work_of(appraising: Any, period: int) -> None:
    """Let C1 do six faultless orders of G1's in a month."""
    county = appraising.county
    begin = starts_at(Period(period)) + 9 * DAY + 9 * HOUR
    appraising.clock.at(begin + DAY)
    orders = [f"{period}-{number}" for number in range(6)]
    entries = [msgspec.structs.replace(work(county, one), time=begin) for one in orders]
    for one in entries:
        one.data["requested_at"] = begin.isoformat()
    async with appraising.app.state.database.write(EVERYTHING) as connection:
        await apply_attribution(connection, county, entries)
    for order_id in orders:
        order = await appraising.manager.order(county, order_id)
        by = appraising.engineer(order.engineer_id)
        for hours, name in enumerate((StepName.ACCEPT, StepName.START, StepName.FINISH)):
            done = Evidence(**GOOD) if name is StepName.FINISH else Evidence()
            step = OrderStepIn(step=name, at=begin + hours * HOUR, evidence=done)
            await by.step(county, order_id, step)


async def _rate(appraising: Any, period: int, stars: int) -> Any:
    await appraising.to(ends_at(Period(period)) + 3 * DAY)
    given = HorizontalIn(
        period=period,
        rater_centre_id="G1",
        ratee_centre_id="C1",
        cooperation_stars=stars,
        reason="见附件",
    )
    return await appraising.rater.appraise_horizontal(appraising.county, given)


async def test_stars_below_what_is_measured_month_after_month_are_told_of(
    appraising: Any,
) -> None:
    county = appraising.county
    for period in MONTHS:
        await _work_of(appraising, period)
        await _rate(appraising, period, 3)
    two = await appraising.manager.fairness(county, period_from=201711, period_to=201712)
    assert (len(two.marks), two.findings) == (2, [])
    three = await appraising.manager.fairness(county, period_from=201711, period_to=201801)
    (finding,) = three.findings
    assert (finding.kind, finding.units) == (FindingKind.RATER_BIAS, ["G1", "C1"])
    assert (str(finding.value), str(finding.threshold)) == ("-40.00", "25")
    assert (finding.sample, finding.least_sample) == (3, 3)
    assert finding.text == (
        "In 3 months the stars G1 gave C1 lay below what was measured, by 40.00 points on average"
        " (told of from 25 points over 3 months on)."
    )
    assert finding.text_zh.startswith("G1 对 C1 的星级评价在 3 个月中均低于系统计量，平均 40.00 分")


async def test_a_low_mark_after_an_appeal_won_is_told_of_with_its_days(appraising: Any) -> None:
    county = appraising.county
    await _work_of(appraising, PERIOD)
    card = await _rate(appraising, PERIOD, 3)
    given = AppealIn(text="有照片", references=["照片 1"])
    await appraising.ratee.appeal(county, card.appraisal_id, "cooperation", given)
    upheld = AppealDecisionIn(upheld=True, value="4", reason="属实")
    await appraising.support.decide_appeal(county, card.appraisal_id, "cooperation", upheld)
    await _work_of(appraising, 201712)
    await _rate(appraising, 201712, 1)
    told = await appraising.manager.fairness(county, period_from=201711, period_to=201712)
    (finding,) = told.findings
    assert (finding.kind, finding.units) == (FindingKind.RETALIATION, ["G1", "C1"])
    assert (str(finding.value), str(finding.threshold)) == ("31", "60")
    assert {one.source for one in told.marks} == {"horizontal", "decision"}
    assert "an appeal that C1 won against G1" in finding.text


async def test_votes_are_held_against_the_other_centres_where_nothing_is_measured(
    appraising: Any,
) -> None:
    county = appraising.county
    appraising.clock.at(FROZEN)
    items = ("business_support", "complaints", "retention_and_marketing", "it_coordination")
    for centre_id, person_id, stars in (("C1", "P01", 5), ("G1", "P12", 3)):
        given = VoteIn(centre_id=centre_id, stars=dict.fromkeys((*items, "attitude"), stars))
        by = appraising.caller(Role.CONTRACTOR, [centre_id], person_id)
        await by.vote(county, "SS", PERIOD, given)
    span = {"period_from": PERIOD, "period_to": PERIOD}
    marks = (await appraising.manager.fairness(county, **span)).marks
    assert [(one.rater, str(one.points), str(one.deviation)) for one in marks] == [
        ("C1", "100.00", "40.00"),
        ("G1", "60.00", "-40.00"),
    ]
    # Who has a place with the rated unit learns nobody's vote from here.
    deputy = appraising.caller(Role.COUNTY_MANAGER, None, "P29")
    assert (await deputy.fairness(county, **span)).marks == []


async def test_nobody_who_is_bound_to_a_centre_is_told(appraising: Any) -> None:
    span = {"period_from": PERIOD, "period_to": PERIOD}
    for by in (
        appraising.rater,
        appraising.ratee,
        appraising.support,
        appraising.engineer("W01"),
        appraising.caller(Role.CONTRACTOR, None, "P12"),
        appraising.caller(Role.COUNTY_MANAGER, ["SS"], "P29"),
    ):
        assert await refusal(by.fairness(appraising.county, **span)) == (403, "forbidden")
    for role in (Role.COUNTY_MANAGER, Role.AUDITOR, Role.PROVINCE):
        found = await appraising.caller(role).fairness(appraising.county, **span)
        assert (found.findings, found.scorecard_version) == ([], 0)
    backwards = appraising.manager.fairness(appraising.county, period_from=201712, period_to=201711)
    assert await refusal(backwards) == (422, "bad-span")
