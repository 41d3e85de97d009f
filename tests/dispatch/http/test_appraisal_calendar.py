"""A month's days: frozen, rated, answered, decided, published, closed."""

import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import text, update
from support.appraising import (
    ANSWERED,
    CLOSED,
    DAY,
    DECIDED,
    FROZEN,
    MOMENT,
    MONTH_END,
    PERIOD,
    PUBLISHED,
    SUBMITTED,
    refusal,
)
from support.work import START, centre, person, work

from huaxiao.dispatch.tables import appraisal_evidence
from huaxiao.dispatch.worker import apply_attribution, apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.appraisals import (
    APPRAISAL_RESTATED,
    RATER_LATE,
    AppealDecisionIn,
    AppealIn,
    FinalDraftIn,
    HorizontalDraftIn,
)
from huaxiao.shared.wire.dispatch import APPRAISAL_PUBLISHED, OrderStepIn, StepName

RATED = {"period": PERIOD, "rater_centre_id": "G1", "ratee_centre_id": "C1"}


async def test_marks_are_taken_from_the_third_day_to_the_fifth(appraising: Any) -> None:
    await appraising.work()
    for moment, code in (
        (MONTH_END - MOMENT, "period-not-over"),
        (MONTH_END, "outside-window"),
        (FROZEN - MOMENT, "outside-window"),
        (SUBMITTED, "outside-window"),
        (CLOSED + 30 * DAY, "outside-window"),
    ):
        appraising.clock.at(moment)
        assert await refusal(appraising.rate()) == (409, code), moment
        assert await refusal(appraising.rate_person()) == (409, code), moment
    appraising.clock.at(FROZEN)
    card = await appraising.rate()
    appraising.clock.at(SUBMITTED - MOMENT)
    assert (await appraising.rate_person()).state == "answering"
    assert card.answer_until == ANSWERED
    assert await refusal(appraising.rate()) == (409, "conflict")


async def test_what_is_recorded_after_the_third_day_changes_no_card(appraising: Any) -> None:
    done = await appraising.work()
    await appraising.ask("LATE")
    # Nobody's timer ran: what comes first after the moment freezes before it is recorded.
    appraising.clock.at(FROZEN)
    await appraising.do("LATE")
    card = await appraising.rate()

    counted = (
        await appraising.manager.counted_orders(
            appraising.county, card.appraisal_id, "record_quality"
        )
    ).items
    month = await appraising.manager.appraisal_month(appraising.county, PERIOD)

    assert [one.order_id for one in counted] == done
    assert (month.evidence.orders, month.evidence.intact) == (len(done) + 1, True)
    assert month.evidence.frozen_at == FROZEN


async def test_what_is_recorded_before_the_third_day_counts(appraising: Any) -> None:
    done = await appraising.work()
    await appraising.ask("LATE")
    appraising.clock.at(FROZEN - MOMENT)
    await appraising.do("LATE")
    appraising.clock.at(FROZEN)
    card = await appraising.rate()
    counted = (
        await appraising.manager.counted_orders(
            appraising.county, card.appraisal_id, "record_quality"
        )
    ).items
    assert [one.order_id for one in counted] == sorted([*done, "LATE"])


async def test_work_that_is_told_of_after_the_third_day_is_not_evidence(
    app: Any, appraising: Any
) -> None:
    await appraising.work()
    told = msgspec.structs.replace(work(appraising.county, "TOLD"), time=FROZEN)
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_attribution(connection, appraising.county, [told])
    month = await appraising.manager.appraisal_month(appraising.county, PERIOD)
    assert (month.evidence.orders, [one.event for one in month.events]) == (12, ["frozen"])


async def test_evidence_that_somebody_tampered_with_is_found(app: Any, appraising: Any) -> None:
    await appraising.work()
    await appraising.to(FROZEN)
    card = await appraising.rate()
    assert (await appraising.rater.explanation(appraising.county, card.appraisal_id)).recomputes
    async with app.state.database.write(EVERYTHING) as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.execute(update(appraisal_evidence).values(record={}))


async def test_a_draft_may_lack_items_and_a_submission_may_not(appraising: Any) -> None:
    county = appraising.county
    await appraising.work()
    appraising.clock.at(MONTH_END)
    draft = await appraising.rater.draft_horizontal(
        county, "G1", "C1", PERIOD, HorizontalDraftIn(reason="x")
    )
    assert (draft.missing, draft.submit_until) == (["cooperation"], SUBMITTED)
    appraising.clock.at(FROZEN)
    submitted = appraising.rater.submit_horizontal
    assert await refusal(submitted(county, "G1", "C1", PERIOD)) == (422, "malformed")
    assert (await appraising.cards("horizontal")) == []
    await appraising.rater.draft_horizontal(
        county, "G1", "C1", PERIOD, HorizontalDraftIn(cooperation_stars=4)
    )
    assert await refusal(
        appraising.caller(Role.CONTRACTOR, ["C1"]).submit_horizontal(county, "G1", "C1", PERIOD)
    ) == (404, "not-found")
    assert str((await submitted(county, "G1", "C1", PERIOD)).score) == "97.78"

    of_person = FinalDraftIn(stars={"own_sales": 4})
    final = await appraising.ratee.draft_final(county, "W01", PERIOD, of_person)
    assert final.missing == ["own_safety"]
    assert await refusal(appraising.ratee.submit_final(county, "W01", PERIOD)) == (422, "malformed")
    await appraising.ratee.draft_final(
        county, "W01", PERIOD, FinalDraftIn(stars={"own_sales": 4, "own_safety": 4})
    )
    assert (await appraising.ratee.submit_final(county, "W01", PERIOD)).person_id == "W01"
    appraising.clock.at(SUBMITTED)
    assert await refusal(
        appraising.rater.draft_horizontal(county, "G1", "C1", PERIOD, HorizontalDraftIn())
    ) == (409, "outside-window")


@pytest.mark.parametrize("late", [False, True], ids=["in time", "down for a month"])
async def test_a_service_that_was_down_tells_what_it_would_have_told(
    appraising: Any, late: bool
) -> None:
    await appraising.work()
    if not late:
        for moment in (FROZEN, SUBMITTED, ANSWERED, DECIDED, PUBLISHED, CLOSED):
            await appraising.to(moment)
    await appraising.to(CLOSED + 30 * DAY - 16 * DAY)

    month = await appraising.manager.appraisal_month(appraising.county, PERIOD)
    assert [(one.event, one.at) for one in month.events] == [
        ("frozen", FROZEN),
        ("submission_over", SUBMITTED),
        ("published", PUBLISHED),
        ("closed", CLOSED),
    ]
    (card,), finals = await appraising.cards("horizontal"), await appraising.cards("final")
    # 40 of 45 measured in full, and three of five stars where nobody judged: 43 of 45, less a point.
    assert (str(card.score), card.evidence_only, card.state) == ("94.56", True, "closed")
    assert [(one.person_id, one.evidence_only) for one in finals] == [("W01", True), ("W02", True)]
    assert sorted(month.late_raters) == ["C1", "G1"]
    told = await appraising.facts(APPRAISAL_PUBLISHED, APPRAISAL_RESTATED, RATER_LATE)
    kinds = [(one.type, one.data.get("kind"), one.data.get("score")) for one in told]
    assert kinds == [
        (RATER_LATE, None, None),
        (RATER_LATE, None, None),
        (APPRAISAL_PUBLISHED, "horizontal", "94.56"),
        (APPRAISAL_PUBLISHED, "final", str(finals[0].score)),
        (APPRAISAL_PUBLISHED, "final", str(finals[1].score)),
    ]
    await appraising.tick()
    assert await appraising.facts(APPRAISAL_PUBLISHED, APPRAISAL_RESTATED, RATER_LATE) == told
    history = await appraising.manager.appraisal_history(appraising.county, card.appraisal_id)
    assert [(one.cause, one.at) for one in history.revisions] == [
        ("evidence_only", SUBMITTED),
        ("late_rater", SUBMITTED),
    ]


async def test_a_rater_in_time_loses_nothing(appraising: Any) -> None:
    await appraising.work()
    appraising.clock.at(FROZEN)
    await appraising.rate()
    await appraising.rate_person("W01")
    await appraising.rate_person("W02")
    await appraising.to(PUBLISHED)
    (card,) = await appraising.cards("horizontal")
    assert (str(card.score), card.revision, card.evidence_only) == ("97.78", 1, False)
    assert await appraising.facts(RATER_LATE, APPRAISAL_RESTATED) == []


async def test_a_card_that_was_agreed_to_early_is_restated_when_its_ratee_proves_late(
    appraising: Any,
) -> None:
    await appraising.work()
    appraising.clock.at(FROZEN)
    card = await appraising.rate()
    assert (
        await appraising.ratee.confirm_appraisal(appraising.county, card.appraisal_id)
    ).confirmed
    await appraising.to(SUBMITTED)
    (restated,) = await appraising.facts(APPRAISAL_RESTATED)
    assert (restated.data["previous_score"], restated.data["score"]) == ("97.78", "96.78")


async def test_silence_confirms_on_the_eighth_day_and_not_a_moment_before(appraising: Any) -> None:
    await appraising.work()
    appraising.clock.at(FROZEN)
    card = await appraising.rate()
    await appraising.rate_person("W01")
    await appraising.rate_person("W02")
    await appraising.to(ANSWERED - MOMENT)
    assert (await appraising.manager.appraisal(appraising.county, card.appraisal_id)).state == (
        "answering"
    )
    assert await appraising.facts(APPRAISAL_PUBLISHED) == []
    await appraising.to(ANSWERED)
    assert len(await appraising.facts(APPRAISAL_PUBLISHED)) == 1


async def test_a_final_card_is_published_on_the_twelfth_day_whatever_was_agreed_before(
    appraising: Any,
) -> None:
    await appraising.work()
    appraising.clock.at(FROZEN)
    card = await appraising.rate()
    await appraising.ratee.confirm_appraisal(appraising.county, card.appraisal_id)
    final = await appraising.rate_person("W01")
    assert (final.score, final.coefficient) == (None, None)
    confirmed = await appraising.engineer("W01").confirm_appraisal(
        appraising.county, final.appraisal_id
    )
    assert (confirmed.state, confirmed.score) == ("settled", None)
    await appraising.to(PUBLISHED - MOMENT)
    assert (await appraising.manager.appraisal(appraising.county, final.appraisal_id)).score is None
    await appraising.to(PUBLISHED)
    published = await appraising.manager.appraisal(appraising.county, final.appraisal_id)
    # Own: 6 of 12 orders between two people, the rest in full but eight and four of ten and five in
    # stars: 63.67 of 70. H: half 97.78 less a point for W02, whom nobody rated, and half 100.
    assert (published.state, str(published.score), published.grade) == ("published", "93.18", "B")
    assert (published.coefficient_kind, str(published.coefficient)) == ("pay", "1.00")


async def test_nobody_rates_their_own_centre_in_whatever_role_they_come(
    app: Any, appraising: Any
) -> None:
    await appraising.work()
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(
            connection,
            appraising.county,
            [
                person(appraising.county, "P50", "G1"),
                person(appraising.county, "P50", "C1", primary=False),
            ],
        )
    appraising.clock.at(FROZEN)
    for by in (
        appraising.caller(Role.CONTRACTOR, ["G1", "C1"], "P12"),
        appraising.caller(Role.CONTRACTOR, None, "P12"),
        appraising.caller(Role.CONTRACTOR, ["G1"], "P50"),
    ):
        assert await refusal(appraising.rate(by=by)) == (409, "not-ratable")
    self_rating = appraising.caller(Role.CONTRACTOR, ["C1"], "W01")
    assert await refusal(appraising.rate_person(by=self_rating)) == (409, "not-ratable")
    enterprise = appraising.caller(Role.CONTRACTOR, ["G1"], "P12")
    assert await refusal(appraising.rate_person("P50", by=enterprise)) == (409, "not-ratable")


async def test_an_appeal_that_nobody_decides_falls_on_the_tenth_day(appraising: Any) -> None:
    county = appraising.county
    await appraising.work()
    appraising.clock.at(FROZEN)
    card = await appraising.rate()
    given = AppealIn(text="线路已恢复", references=["O01"])
    await appraising.ratee.appeal(county, card.appraisal_id, "cooperation", given)
    await appraising.to(DECIDED - MOMENT)
    assert (await appraising.manager.appraisal(county, card.appraisal_id)).state == "appealed"
    assert await appraising.facts(APPRAISAL_PUBLISHED) == []
    await appraising.to(DECIDED)
    history = await appraising.manager.appraisal_history(county, card.appraisal_id)
    assert (history.appeals[0].lapsed, history.appraisal.state) == (True, "published")
    too_late = AppealDecisionIn(upheld=True, value="5", reason="x")
    decided = appraising.support.decide_appeal(county, card.appraisal_id, "cooperation", too_late)
    assert await refusal(decided) == (409, "outside-window")


async def test_a_month_that_was_over_before_its_county_came_is_rated_without_its_days(
    app: Any, appraising: Any
) -> None:
    await appraising.work()
    async with app.state.database.write(EVERYTHING) as connection:
        await connection.execute(
            text("UPDATE dispatch.branches SET known_at = :at WHERE branch_id = :branch"),
            {"at": MONTH_END, "branch": appraising.county},
        )
    await appraising.to(CLOSED + 3 * DAY)
    assert await appraising.cards("horizontal") == []
    card = await appraising.rate()
    assert card.answer_until == CLOSED + 6 * DAY
    await appraising.to(CLOSED + 6 * DAY)
    assert (await appraising.rate_person()).state == "published"


async def test_an_order_step_after_the_end_still_belongs_to_its_own_month(appraising: Any) -> None:
    """What is frozen says what was known; the month it counts in follows from when it was done."""
    await appraising.work(5)
    await appraising.ask("OPEN")
    appraising.clock.at(MONTH_END + DAY)
    order = await appraising.manager.order(appraising.county, "OPEN")
    by = appraising.engineer(order.engineer_id)
    for name in (StepName.ACCEPT, StepName.START, StepName.FINISH):
        step = OrderStepIn(step=name, at=MONTH_END + DAY)
        await by.step(appraising.county, "OPEN", step)
    appraising.clock.at(FROZEN)
    card = await appraising.rate()
    counted = (
        await appraising.rater.counted_orders(appraising.county, card.appraisal_id, "open_on_time")
    ).items
    # It was overdue when the month ended: it counts as late, and its finish in December.
    assert {one.order_id: one.points for one in counted}["OPEN"] == 0
    assert START < MONTH_END


async def test_who_speaks_for_both_sides_answers_no_card(appraising: Any) -> None:
    county = appraising.county
    await appraising.work()
    appraising.clock.at(FROZEN)
    card = await appraising.rate()
    for centres in (["G1", "C1"], None):
        both = appraising.caller(Role.CONTRACTOR, centres, "P01")
        assert await refusal(both.confirm_appraisal(county, card.appraisal_id)) == (
            404,
            "not-found",
        )
        given = AppealIn(text="x", references=["O01"])
        appealed = both.appeal(county, card.appraisal_id, "cooperation", given)
        assert await refusal(appealed) == (404, "not-found")


async def test_a_centre_that_served_no_enterprise_centre_rates_by_its_own_part_alone(
    app: Any, appraising: Any
) -> None:
    """In a month with days, and in one that was over before the county came here."""
    county = appraising.county
    appraising.clock.at(START + 6 * DAY)
    orders = [f"P{number}" for number in range(6)]
    async with app.state.database.write(EVERYTHING) as connection:
        entries = [work(county, one, customer_class="public") for one in orders]
        await apply_attribution(connection, county, entries)
    await appraising.do(*orders)
    appraising.clock.at(FROZEN)
    await appraising.rate_person("W01", stars={}, own_score="90")
    await appraising.to(PUBLISHED)
    assert await appraising.cards("horizontal") == []
    final = next(one for one in await appraising.cards("final") if one.person_id == "W01")
    assert (str(final.score), final.explanation["horizontal_weight"]) == ("90.00", "0")


async def test_no_horizontal_card_comes_after_the_final_ones_that_would_rest_on_it(
    app: Any, appraising: Any
) -> None:
    await appraising.work()
    async with app.state.database.write(EVERYTHING) as connection:
        await connection.execute(
            text("UPDATE dispatch.branches SET known_at = :at WHERE branch_id = :branch"),
            {"at": MONTH_END, "branch": appraising.county},
        )
        await apply_contracts(
            connection,
            appraising.county,
            [centre(appraising.county, "G2", "enterprise")],
        )
    appraising.clock.at(CLOSED)
    card = await appraising.rate()
    await appraising.ratee.confirm_appraisal(appraising.county, card.appraisal_id)
    assert (await appraising.rate_person()).state == "published"
    second = appraising.rate(by=appraising.caller(Role.CONTRACTOR, ["G2"]), rater_centre_id="G2")
    assert await refusal(second) == (409, "outside-window")


async def test_two_replicas_do_what_is_due_once(appraising: Any) -> None:
    await appraising.work()
    for moment in (FROZEN, SUBMITTED, ANSWERED, PUBLISHED, CLOSED):
        appraising.clock.at(moment)
        await asyncio.gather(*(appraising.tick() for _ in range(4)))
    month = await appraising.manager.appraisal_month(appraising.county, PERIOD)
    assert [one.event for one in month.events] == [
        "frozen",
        "submission_over",
        "published",
        "closed",
    ]
    assert month.evidence.intact
    told = await appraising.facts(APPRAISAL_PUBLISHED, APPRAISAL_RESTATED, RATER_LATE)
    assert [one.data.get("kind") for one in told] == [None, None, "horizontal", "final", "final"]
