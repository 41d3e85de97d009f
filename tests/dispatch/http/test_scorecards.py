"""Scorecards as data of a county: drafted, put in force by a second person, named on every card."""

from datetime import datetime
from typing import Any

import msgspec
import pytest
from pydantic import RootModel
from support.appraising import DAY, FROZEN, GOOD, refusal
from support.work import HOUR, START, work

from huaxiao.dispatch.domain.scorecard_rules import default_scorecard
from huaxiao.dispatch.worker import apply_attribution
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.dispatch import Evidence, HorizontalIn, OrderStepIn, StepName
from huaxiao.shared.wire.scorecards import ScorecardIn, ScorecardInForceIn

FROM_DECEMBER = ScorecardInForceIn(from_period=201712)


def rules(**changed: Any) -> ScorecardIn:
    return ScorecardIn.model_validate(
        default_scorecard().model_dump(mode="json") | {"name_zh": "云泽评分表"} | changed
    )


def horizontal(**weights: int) -> dict[str, Any]:
    form = default_scorecard().horizontal.model_dump(mode="json")
    for row in [*form["scales"], *form["stars"]]:
        row["weight"] = weights.get(row["item"], row["weight"])
    return form


async def test_a_version_is_drafted_put_in_force_by_a_second_person_and_then_unchanged(
    appraising: Any,
) -> None:
    county, manager = appraising.county, appraising.manager
    province = appraising.caller(Role.PROVINCE)
    appraising.clock.at(START)
    assert (await manager.scorecards(county)).version == 0
    await manager.draft_scorecards(county, 1, rules())
    in_force = manager.put_scorecards_in_force
    assert await refusal(in_force(county, 1, FROM_DECEMBER)) == (409, "two-people")
    past = ScorecardInForceIn(from_period=201711)
    assert await refusal(province.put_scorecards_in_force(county, 1, past)) == (
        409,
        "scorecard-out-of-order",
    )
    held = await province.put_scorecards_in_force(county, 1, FROM_DECEMBER)
    assert str(held.from_day) == "2017-12-01"
    changed = rules(late_rater_points=2)
    assert await refusal(manager.draft_scorecards(county, 1, changed)) == (
        409,
        "scorecard-in-force",
    )
    versions = [(await manager.scorecards(county, period=one)).version for one in (201711, 201712)]
    assert versions == [0, 1]
    for by in (appraising.rater, appraising.support, appraising.engineer("W01")):
        assert await refusal(by.draft_scorecards(county, 2, rules())) == (403, "forbidden")


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"horizontal": horizontal(open_on_time=21)}, "/horizontal"),
        ({"horizontal_weight": "0.19"}, "/horizontal_weight"),
        ({"horizontal_weight": "0"}, "/horizontal_weight"),
        ({"horizontal_weight": "0.41"}, "/horizontal_weight"),
        ({"most_adjustment": "10.01"}, "/most_adjustment"),
        (
            {"supplier_steps": [{"score_from": "0", "coefficient": "0.79"}]},
            "/supplier_steps/0/coefficient",
        ),
        ({"pay_steps": [{"score_from": "1", "coefficient": "1"}]}, "/pay_steps/0/score_from"),
        (
            {
                "calendar": {
                    "freeze": 5,
                    "submit": 5,
                    "answer": 8,
                    "decide": 10,
                    "publish": 12,
                    "close": 15,
                }
            },
            "/calendar",
        ),
    ],
)
async def test_what_is_wrong_with_a_version_is_named(
    appraising: Any, given: Any, pointer: str
) -> None:
    document = default_scorecard().model_dump(mode="json") | given
    unchecked = RootModel[dict[str, Any]](document)
    with pytest.raises(PeerProblem) as refused:
        await appraising.manager.draft_scorecards(appraising.county, 1, unchecked)
    assert refused.value.status == 422
    assert pointer in str(refused.value.body)


async def test_a_card_is_computed_by_the_version_of_its_month_and_says_which(
    appraising: Any,
) -> None:
    county, manager = appraising.county, appraising.manager
    appraising.clock.at(START)
    heavier = horizontal(open_on_time=10, repair_on_time=10, cooperation=25)
    await manager.draft_scorecards(
        county, 1, rules(horizontal=heavier, horizontal_weight="0.40", late_rater_points=0)
    )
    province = appraising.caller(Role.PROVINCE)
    await province.put_scorecards_in_force(county, 1, FROM_DECEMBER)
    await appraising.work()
    await appraising.to(FROZEN)
    november = await appraising.rate(4)
    assert (november.scorecard_version, str(november.score)) == (0, "97.78")

    begin = datetime(2017, 12, 10, 9, tzinfo=BUSINESS_ZONE)
    appraising.clock.at(begin + 6 * DAY)
    await _work_of_december(appraising, begin)
    await appraising.to(datetime(2018, 1, 4, tzinfo=BUSINESS_ZONE))
    december = await appraising.rater.appraise_horizontal(
        county,
        HorizontalIn(
            period=201712, rater_centre_id="G1", ratee_centre_id="C1", cooperation_stars=4
        ),
    )
    # 10 opened, 10 quality, 10 satisfaction, and 20 of 25 for cooperation: 50 of 55.
    assert (december.scorecard_version, str(december.score)) == (1, "90.91")
    told = await manager.explanation(county, november.appraisal_id)
    assert (told.scorecard_version, told.recomputes) == (0, True)


async def _work_of_december(appraising: Any, begin: datetime) -> None:
    county = appraising.county
    orders = [f"D{number:02}" for number in range(12)]
    entries = [msgspec.structs.replace(work(county, one), time=begin) for one in orders]
    for one in entries:
        one.data["requested_at"] = begin.isoformat()
    async with appraising.app.state.database.write(EVERYTHING) as connection:
        await apply_attribution(connection, county, entries)
    for order_id in orders:
        order = await appraising.manager.order(county, order_id)
        by = appraising.engineer(order.engineer_id)
        for hours, name in enumerate((StepName.ACCEPT, StepName.START, StepName.FINISH)):
            step = OrderStepIn(
                step=name,
                at=begin + hours * HOUR,
                evidence=Evidence(**GOOD) if name is StepName.FINISH else Evidence(),
            )
            await by.step(county, order_id, step)
