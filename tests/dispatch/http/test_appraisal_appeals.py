"""Appeals, corrections, explanations, and who sees what of a card."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from support.appraising import (
    ANSWERED,
    CLOSED,
    DAY,
    DECIDED,
    FROZEN,
    MOMENT,
    PERIOD,
    PUBLISHED,
    SUBMITTED,
    refusal,
)
from support.work import entry, person

from huaxiao.dispatch.domain.scorecard import Scale, rounded, scaled
from huaxiao.dispatch.tables import (
    appraisal_appeal_answers,
    appraisal_appeal_decisions,
    appraisal_appeals,
    appraisal_corrections,
    appraisal_revisions,
)
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.appraisals import (
    APPRAISAL_RESTATED,
    AppealAnswerIn,
    AppealDecisionIn,
    AppealIn,
    CorrectionIn,
    ExplainedItem,
)
from huaxiao.shared.wire.dispatch import APPRAISAL_PUBLISHED

APPEAL = AppealIn(text="两单因客户停电", references=["O03", "照片 7"])
UPHELD = AppealDecisionIn(upheld=True, value="5", reason="证据充分")


@pytest.fixture
async def rated(appraising: Any) -> Any:
    """A card of G1 upon C1 with two stars, and C1's cards upon both its engineers."""
    await appraising.work()
    appraising.clock.at(FROZEN)
    appraising.card = await appraising.rate(2, reason="多次推诿")
    appraising.finals = [await appraising.rate_person(one) for one in ("W01", "W02")]
    return appraising


async def appeal(rated: Any, item: str = "cooperation", by: Any = None, **of: Any) -> Any:
    card = of.get("card", rated.card)
    return await (by or rated.ratee).appeal(rated.county, card.appraisal_id, item, APPEAL)


async def decide(
    rated: Any, item: str = "cooperation", by: Any = None, given: Any = UPHELD, card: Any = None
) -> Any:
    of = (card or rated.card).appraisal_id
    return await (by or rated.support).decide_appeal(rated.county, of, item, given)


async def test_an_appeal_is_made_once_answered_and_decided_and_everything_is_kept(
    app: Any, rated: Any
) -> None:
    county, card_id = rated.county, rated.card.appraisal_id
    assert str(rated.card.score) == "93.33"
    await appeal(rated)
    assert await refusal(appeal(rated)) == (409, "appealed-already")
    assert await refusal(rated.ratee.confirm_appraisal(county, card_id)) == (
        409,
        "appealed-already",
    )
    answer = AppealAnswerIn(text="确有推诿")
    assert await refusal(rated.ratee.answer_appeal(county, card_id, "cooperation", answer)) == (
        404,
        "not-found",
    )
    await rated.rater.answer_appeal(county, card_id, "cooperation", answer)
    assert await refusal(rated.rater.answer_appeal(county, card_id, "cooperation", answer)) == (
        409,
        "conflict",
    )
    seen = await rated.support.appraisal_history(county, card_id)
    assert seen.appeals[0].answer.text == "确有推诿"
    history = await decide(rated)
    assert await refusal(decide(rated)) == (409, "conflict")

    assert [(one.cause, str(one.score)) for one in history.revisions] == [
        ("submitted", "93.33"),
        ("appeal", "100.00"),
    ]
    assert history.appeals[0].decision.centre_id == "SS"
    assert history.appraisal.state == "answering"  # another item may still be appealed against
    kept = (
        appraisal_appeals,
        appraisal_appeal_answers,
        appraisal_appeal_decisions,
        appraisal_corrections,
        appraisal_revisions,
    )
    for table in kept:
        for change in (delete(table), update(table).values(by="x")):
            async with app.state.database.write(EVERYTHING) as connection:
                with pytest.raises(DBAPIError, match="permission denied"):
                    await connection.execute(change)


async def test_who_has_a_part_in_a_card_does_not_decide_upon_it(app: Any, rated: Any) -> None:
    await appeal(rated)
    async with app.state.database.write(EVERYTHING) as connection:
        helps_out = person(rated.county, "P40", "SS", primary=True)
        also = person(rated.county, "P40", "C1", primary=False)
        await apply_contracts(connection, rated.county, [helps_out, also])
    both = rated.caller(Role.SUPPORT_CENTRE, ["SS"], "P40")
    assert await refusal(decide(rated, by=both)) == (403, "not-the-decider")
    for by in (rated.manager, rated.rater, rated.ratee):
        assert await refusal(decide(rated, by=by)) == (403, "forbidden")


async def test_the_general_manager_decides_where_there_is_no_support_centre(
    app: Any, rated: Any
) -> None:
    await appeal(rated)
    async with app.state.database.write(EVERYTHING) as connection:
        from huaxiao.dispatch.tables import centres  # noqa: PLC0415 - only here

        await connection.execute(
            update(centres)
            .where(centres.c.branch_id == rated.county, centres.c.centre_id == "SS")
            .values(kind="management")
        )
    assert await refusal(decide(rated)) == (403, "forbidden")
    decided = (await decide(rated, by=rated.manager)).appeals[0].decision
    assert (decided.upheld, decided.centre_id) == (True, None)


async def test_appeals_and_decisions_have_their_days(rated: Any) -> None:
    await appeal(rated)
    rated.clock.at(ANSWERED - MOMENT)
    await appeal(rated, "open_on_time")
    rated.clock.at(ANSWERED)
    assert await refusal(appeal(rated, "record_quality")) == (409, "outside-window")
    rated.clock.at(DECIDED - MOMENT)
    await decide(rated)
    rated.clock.at(DECIDED)
    dismissed = AppealDecisionIn(upheld=False, reason="无新证据")
    assert await refusal(decide(rated, "open_on_time", given=dismissed)) == (409, "outside-window")


async def test_a_decision_needs_a_value_that_the_item_can_have(rated: Any) -> None:
    await appeal(rated)
    await appeal(rated, "open_on_time")
    for item, value in (("cooperation", "6"), ("cooperation", "4.5"), ("cooperation", None)):
        given = AppealDecisionIn(upheld=True, value=value, reason="x")
        assert await refusal(decide(rated, item, given=given)) == (422, "malformed")
    assert await refusal(appeal(rated, "looks")) == (404, "not-found")
    given = AppealDecisionIn(upheld=True, value="91.5", reason="两单剔除")
    history = await decide(rated, "open_on_time", given=given)
    (item,) = [
        one for one in history.appraisal.explanation["items"] if one["item"] == "open_on_time"
    ]
    assert (item["value"], item["restated"]) == ("183/2", True)


async def test_a_final_card_takes_its_horizontal_score_as_it_was_decided(rated: Any) -> None:
    await appeal(rated)
    await rated.to(SUBMITTED)
    await decide(rated)
    await rated.to(PUBLISHED)
    cards = await rated.cards("final")
    assert [one.explanation["centre_score"] for one in cards] == ["100", "100"]
    told = await rated.facts(APPRAISAL_PUBLISHED)
    assert [one.data["kind"] for one in told] == ["horizontal", "final", "final"]
    assert await rated.facts(APPRAISAL_RESTATED) == []


async def test_an_engineer_appeals_against_an_item_of_their_own_card(rated: Any) -> None:
    final, other = rated.finals
    by = rated.engineer("W01")
    await appeal(rated, "own_safety", by=by, card=final)
    assert await refusal(appeal(rated, "own_safety", by=by, card=other)) == (404, "not-found")
    assert await refusal(appeal(rated, "own_safety", card=final)) == (404, "not-found")
    await decide(rated, "own_safety", card=final)
    await rated.to(PUBLISHED)
    one, two = await rated.cards("final")
    # A fifth of five weights of 70: 100/70 points of the own part, of which 70 % count.
    assert Fraction(one.explanation["exact_score"]) - Fraction(
        two.explanation["exact_score"]
    ) == Fraction(1)


async def test_a_correction_after_the_close_is_dated_and_moves_what_is_bound_to_it(
    rated: Any,
) -> None:
    county, card_id = rated.county, rated.card.appraisal_id
    given = CorrectionIn(item="cooperation", value="5", reason="复核")
    await rated.to(PUBLISHED - 3 * DAY)
    assert await refusal(rated.manager.correct_appraisal(county, card_id, given)) == (
        409,
        "outside-window",
    )
    await rated.to(CLOSED)
    before = {one.appraisal_id: one for one in await rated.cards("final")}
    told = await rated.manager.published_scores(county, period=PERIOD)
    rated.clock.at(CLOSED + 20 * DAY)  # in January
    assert await refusal(rated.ratee.correct_appraisal(county, card_id, given)) == (
        403,
        "forbidden",
    )
    history = await rated.manager.correct_appraisal(county, card_id, given)

    assert [(one.cause, one.corrected_in) for one in history.revisions] == [
        ("submitted", None),
        ("correction", 201801),
    ]
    asked = {"period": PERIOD, "known_at": CLOSED}
    assert await rated.manager.published_scores(county, **asked) == told
    [horizontal] = await rated.ratee.published_scores(county, period=PERIOD, kind="horizontal")
    assert (horizontal.revision, str(horizontal.score)) == (2, "100.00")
    assert await rated.rater.published_scores(county, period=PERIOD) == []
    long_ago = await rated.manager.published_scores(county, period=PERIOD, known_at=FROZEN)
    assert long_ago == []
    finance = rated.caller(Role.COUNTY_FINANCE)
    # Who is shown no cards is shown no scores of people either.
    for asked_for in (finance.appraisals(county), finance.published_scores(county, period=PERIOD)):
        assert await refusal(asked_for) == (403, "forbidden")
    told = await rated.facts(APPRAISAL_RESTATED)
    assert [(one.data["kind"], one.data["cause"], one.data["corrected_in"]) for one in told] == [
        ("horizontal", "correction", 201801),
        ("final", "horizontal_restated", 201801),
        ("final", "horizontal_restated", 201801),
    ]
    for one in await rated.cards("final"):
        moved = Fraction(one.explanation["exact_score"]) - Fraction(
            before[one.appraisal_id].explanation["exact_score"]
        )
        # The centre's score rises by 20/3 points; half of H, and 30 % of that.
        assert moved == Fraction(20, 3) / 2 * Fraction(3, 10) == 1
    scores = (await rated.manager.work_done(county, period_from=PERIOD, period_to=PERIOD)).scores
    assert [str(one.score) for one in scores] == ["100.00"]
    then = await rated.manager.work_done(
        county, period_from=PERIOD, period_to=PERIOD, known_at=CLOSED
    )
    assert [str(one.score) for one in then.scores] == ["93.33"]


def violation(rated: Any, number: int, points: int, at: Any = None, **of: Any) -> Any:
    data = {
        "number": number,
        "entry": "NL-16",
        "centre_id": "C1",
        "person_ids": ["W01"],
        "period": PERIOD,
        "upheld": True,
        "counted_as": "B",
        "points": points,
        "recover_fen": 0,
    }
    made = entry(rated.county, "contracts.violation.decided", data | of)
    return made if at is None else msgspec.structs.replace(made, time=at)


async def test_points_of_the_negative_list_come_off_a_persons_final_score(
    app: Any, rated: Any
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        facts = [
            violation(rated, 1, 8),
            violation(rated, 2, 9),
            violation(rated, 2, 0, upheld=False),
            violation(rated, 3, 5, period=201710),
        ]
        await apply_contracts(connection, rated.county, facts)
    await rated.to(PUBLISHED)
    one, two = await rated.cards("final")
    assert two.score - one.score == 8
    assert one.explanation["negative_list"] == [{"number": 1, "entry": "NL-16", "points": 8}]


async def test_a_violation_that_is_decided_after_the_close_restates_the_card_and_says_when(
    app: Any, rated: Any
) -> None:
    await rated.to(CLOSED)
    before, untouched = await rated.cards("final")
    later = CLOSED + 20 * DAY
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, rated.county, [violation(rated, 1, 8, later)])
    one, two = await rated.cards("final")
    assert (before.score - one.score, two) == (8, untouched)
    (told,) = await rated.facts(APPRAISAL_RESTATED)
    assert (told.data["cause"], told.data["corrected_in"]) == ("violation", 201801)
    assert (told.data["previous_coefficient"], told.data["coefficient"]) == ("1.00", "0.90")
    by = rated.engineer("W01")
    assert (await by.explanation(rated.county, one.appraisal_id)).recomputes
    # Overturned on appeal, it gives the points back.
    async with app.state.database.write(EVERYTHING) as connection:
        taken_back = violation(rated, 1, 0, later + DAY, upheld=False)
        await apply_contracts(connection, rated.county, [taken_back])
    assert (await rated.cards("final"))[0].score == before.score


async def test_an_engineer_may_appeal_against_their_own_items_of_the_horizontal_part(
    rated: Any,
) -> None:
    final, _ = rated.finals
    await appeal(rated, "person_satisfaction", by=rated.engineer("W01"), card=final)
    given = AppealDecisionIn(upheld=True, value="80", reason="回访录音")
    await decide(rated, "person_satisfaction", given=given, card=final)
    await rated.to(PUBLISHED)
    one, two = await rated.cards("final")
    # Satisfaction at its floor is nothing of 10 in 30, and six records are too few to sample: a third
    # of the person's half of H.
    moved = Fraction(one.explanation["exact_score"]) - Fraction(two.explanation["exact_score"])
    assert moved == -Fraction(100, 3) / 2 * Fraction(3, 10) == -5


async def test_an_outsourced_engineers_score_becomes_the_suppliers_coefficient(
    app: Any, rated: Any
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        told = person(rated.county, "W02", "C1")
        told.data["person"]["engagement"] = "outsourced"
        await apply_contracts(connection, rated.county, [told])
    await rated.to(PUBLISHED)
    facts = {one.data["person_id"]: one.data for one in await rated.facts(APPRAISAL_PUBLISHED)}
    assert (facts["W01"]["coefficient_kind"], facts["W01"]["coefficient"]) == ("pay", "1.00")
    assert (facts["W02"]["coefficient_kind"], facts["W02"]["coefficient"]) == ("supplier", "1.00")
    assert facts[None]["coefficient"] is None


# --- explained, and recomputed ------------------------------------------------------------------


async def _all_orders(by: Any, county: int, card_id: str, item: str) -> list[Any]:
    orders, cursor = [], None
    while True:
        page = await by.counted_orders(county, card_id, item, cursor=cursor, limit=5)
        orders += page.items
        if page.next_cursor is None:
            return orders
        cursor = page.next_cursor


async def _recomputed(
    by: Any, county: int, card_id: str, items: Sequence[ExplainedItem], prefix: str = ""
) -> Fraction | None:
    """Compute the score of items again from nothing but what the drill-down tells."""
    shares: list[tuple[int, Fraction]] = []
    for one in items:
        if one.counts == "stars":
            value = one.value
            assert one.share is not None
            shares.append((one.weight, Fraction(value) / 5 if value else Fraction(one.share)))
            continue
        orders = await _all_orders(by, county, card_id, prefix + one.item)
        assert len(orders) == one.orders
        if len(orders) < (one.least or 0):
            assert one.value is None
            continue
        value = Fraction(sum(order.points for order in orders), len(orders))
        assert str(value) == one.value, one.item
        scale = Scale(one.item, one.weight, one.floor or 0, one.base or 0, one.challenge or 0)
        shares.append((one.weight, scaled(value, scale)))
    if not shares:
        return None
    weights = sum(weight for weight, _ in shares)
    return 100 * sum((weight * share for weight, share in shares), Fraction(0)) / weights


async def test_a_horizontal_score_follows_from_its_drill_down(rated: Any) -> None:
    card_id = rated.card.appraisal_id
    for by in (rated.ratee, rated.rater, rated.manager):
        told = await by.explanation(rated.county, card_id)
        again = await _recomputed(by, rated.county, card_id, told.items)
        assert str(again) == told.exact_score
        assert again is not None
        assert rounded(again) == told.score == rated.card.score
        assert told.recomputes
        points = sum(Fraction(one.points) for one in told.items if one.points)
        assert points == again
    opened = next(one for one in told.items if one.item == "open_on_time")
    assert opened.text == (
        "Opened on time (weight 20): 100.00 over 12 orders, with 80 for nothing, 90 for 60 % and 98"
        " for all of it; it earns 100.00 %, 44.44 points."
    )
    assert opened.text_zh == (
        "开通及时率（权重 20）：12 单，实绩 100.00，底线 80、基准 90、挑战 98，按 100.00 % 计，得 44.44 分。"
    )
    assert told.steps[-1] == "The score is 93.33."


async def test_a_final_score_follows_from_its_drill_down_too(rated: Any) -> None:
    await rated.to(PUBLISHED)
    by, county, card_id = rated.engineer("W01"), rated.county, rated.finals[0].appraisal_id
    told = await by.explanation(county, card_id)
    own = await _recomputed(by, county, card_id, [one for one in told.items if one.part == "own"])
    person_score = await _recomputed(
        by, county, card_id, [one for one in told.items if one.part == "person"], "person_"
    )
    assert own is not None
    assert person_score is not None
    centre = Fraction(rated.card.explanation["exact_score"])
    final = own * Fraction(7, 10) + (centre + person_score) / 2 * Fraction(3, 10)
    assert str(final) == told.exact_score
    assert told.recomputes
    assert told.steps_zh[:2] == [
        "自评部分 90.95 分，各项得分合计。",
        "横向部分 96.67 分，中心横向得分 93.33 与本人横向项 100.00 各半。",
    ]
    assert told.steps[-1] == "The pay coefficient is 1.00."


# --- who sees what ------------------------------------------------------------------------------


async def test_an_engineer_sees_their_own_cards_and_nothing_of_others(rated: Any) -> None:
    await rated.to(PUBLISHED)
    mine, others = rated.finals
    by, county = rated.engineer("W01"), rated.county
    assert [one.appraisal_id for one in (await by.appraisals(county)).items] == [mine.appraisal_id]
    assert (await by.appraisal_history(county, mine.appraisal_id)).revisions
    for card in (others, rated.card):
        for asked in (
            by.appraisal(county, card.appraisal_id),
            by.explanation(county, card.appraisal_id),
            by.appraisal_history(county, card.appraisal_id),
            by.counted_orders(county, card.appraisal_id, "open_on_time"),
            by.confirm_appraisal(county, card.appraisal_id),
        ):
            assert await refusal(asked) == (404, "not-found")
    nobody = rated.caller(Role.ENGINEER, ["C1"])
    assert (await nobody.appraisals(county)).items == []
    assert await refusal(nobody.appraisal(county, mine.appraisal_id)) == (404, "not-found")


async def test_a_stranger_centre_and_the_support_centre_see_no_card_that_is_not_theirs(
    rated: Any,
) -> None:
    card_id = rated.card.appraisal_id
    stranger = rated.caller(Role.CONTRACTOR, ["C2"], "P02")
    for by in (stranger, rated.support):
        assert (await by.appraisals(rated.county)).items == []
        assert await refusal(by.appraisal(rated.county, card_id)) == (404, "not-found")
    await appeal(rated)
    assert [one.appraisal_id for one in (await rated.support.appraisals(rated.county)).items] == [
        card_id
    ]
    assert await refusal(stranger.explanation(rated.county, card_id)) == (404, "not-found")
