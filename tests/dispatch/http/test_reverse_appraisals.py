"""The reverse appraisal over HTTP: who votes, who learns what, and who decides."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from support.work import centre, finish, person, work

from huaxiao.dispatch.domain.reverse import R1, R2, card_of
from huaxiao.dispatch.domain.scorecard import Measure
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.dispatch import APPRAISAL_PUBLISHED
from huaxiao.shared.wire.reverse import (
    Outcome,
    ReverseAnswerIn,
    ReverseDecisionIn,
    ReverseState,
    Seat,
    VoteIn,
)
from huaxiao.shared.wire.tickets import TicketIn, TicketStepIn, TicketStepName

PERIOD = 201711
MONTH_END = datetime(2017, 12, 1, tzinfo=BUSINESS_ZONE)
DAY = timedelta(days=1)
VOTING, ANSWERING, DECIDING = MONTH_END + 2 * DAY, MONTH_END + 6 * DAY, MONTH_END + 9 * DAY
TOKENS = {"P01": "C1", "P02": "C2", "P12": "G1", "P18": "B1"}
"""A contractor of each centre that rates the support centre."""


@pytest.fixture
def clock(app: Any) -> Iterator[Callable[[datetime], None]]:
    real = app.state.clock

    def to(moment: datetime) -> None:
        app.state.clock = lambda: moment

    to(VOTING)
    yield to
    app.state.clock = real


@pytest.fixture
async def branch(app: Any, county: Any, clock: Any) -> Any:
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(
            connection,
            county,
            [
                centre(county, "SS", "support"),
                centre(county, "C2", "township"),
                centre(county, "M1", "management"),
                *(person(county, who, where) for who, where in TOKENS.items()),
                person(county, "P29", "SS"),
                person(county, "P30", "M1"),
                # The deputy general manager leads the support centre as well.
                person(county, "P31", "M1"),
                person(county, "P31", "SS", primary=False),
                # And somebody of a town helps out there.
                person(county, "P32", "C1"),
                person(county, "P32", "SS", primary=False),
            ],
        )
    return county


def stars(form: Any = R1, default: int = 4, **given: int) -> dict[str, int]:
    return dict.fromkeys(form.stars, default) | given


class Ballot:
    """Those who rate the support centre, and those who do not."""

    def __init__(self, caller_of: Any, branch: Any) -> None:
        self._caller_of, self.branch = caller_of, branch
        self.manager = self.of(Role.COUNTY_MANAGER)
        self.support = self.of(Role.SUPPORT_CENTRE, ["SS"], "P29")

    def of(self, role: Any, centre_ids: Any = None, person_id: Any = None) -> Any:
        return self._caller_of(self.branch, role, centre_ids, person_id)

    def contractor(self, person_id: str) -> Any:
        return self.of(Role.CONTRACTOR, [TOKENS[person_id]], person_id)

    async def vote(self, by: Any, centre_id: str, ratee: str = "SS", **given: Any) -> Any:
        sheet = {"centre_id": centre_id, "stars": stars()} | given
        return await by.vote(self.branch, ratee, PERIOD, VoteIn.model_validate(sheet))

    async def all_vote(self) -> None:
        await self.vote(self.contractor("P01"), "C1", stars=stars(default=5))
        await self.vote(self.of(Role.ENGINEER, ["C1"], "W01"), "C1", stars=stars(default=3))
        poor = stars(attitude=1)
        await self.vote(
            self.contractor("P02"), "C2", stars=poor, reasons={"attitude": "电话无人接听"}
        )
        await self.vote(self.contractor("P12"), "G1")
        await self.vote(self.contractor("P18"), "B1")

    async def card(self, by: Any, ratee: str = "SS") -> Any:
        return await by.reverse_appraisal(self.branch, ratee, PERIOD)

    async def decide(self, by: Any, *, ratee: str = "SS", **given: Any) -> Any:
        return await by.decide_reverse(
            self.branch, ratee, PERIOD, ReverseDecisionIn.model_validate(given)
        )

    async def answer(self, by: Any, **given: Any) -> Any:
        return await by.answer_reverse(
            self.branch, "SS", PERIOD, ReverseAnswerIn.model_validate(given)
        )


@pytest.fixture
def ballot(caller_of: Any, branch: Any) -> Ballot:
    return Ballot(caller_of, branch)


async def refusal(of: Any) -> tuple[int, str]:
    with pytest.raises(PeerProblem) as refused:
        await of
    return refused.value.status, refused.value.code


# --- voting -------------------------------------------------------------------------------------


async def test_each_person_votes_once_and_each_seat_of_a_centre_is_taken_once(ballot: Any) -> None:
    first = await ballot.vote(ballot.contractor("P01"), "C1")
    member = await ballot.vote(ballot.of(Role.ENGINEER, ["C1"], "W01"), "C1")
    assert (first.seat, member.seat) == (Seat.CONTRACTOR, Seat.MEMBER)
    again = [
        ballot.contractor("P01"),
        ballot.of(Role.ENGINEER, ["C1"], "P01"),  # the same person on the other seat
        ballot.of(Role.ENGINEER, ["C1"], "W02"),  # a second member
    ]
    for by in again:
        assert await refusal(ballot.vote(by, "C1")) == (409, "already-voted")


@pytest.mark.parametrize(
    ("role", "centre_ids", "person_id", "centre_id"),
    [
        (Role.CONTRACTOR, ["SS"], "P29", "SS"),  # of the centre that is rated
        (Role.CONTRACTOR, None, "P29", "C1"),  # whatever their token says
        (Role.CONTRACTOR, ["C1"], "P01", "C2"),  # for another's centre
        (Role.CONTRACTOR, ["C1", "C2"], "P01", "C2"),
        (Role.CONTRACTOR, ["C1"], None, "C1"),  # nobody in particular
        (Role.CONTRACTOR, ["C1"], "P404", "C1"),
        (Role.ENGINEER, ["C1"], "P32", "C1"),  # who has a place with the rated as well
        (Role.CONTRACTOR, ["M1"], "P30", "M1"),  # the management is not served
    ],
)
async def test_people_vote_for_their_own_centre_and_not_upon_it(
    ballot: Any, role: Any, centre_ids: Any, person_id: Any, centre_id: Any
) -> None:
    by = ballot.of(role, centre_ids, person_id)
    assert await refusal(ballot.vote(by, centre_id)) == (403, "not-a-voter")


async def test_only_front_line_people_vote_and_only_support_units_are_rated(ballot: Any) -> None:
    for by in (ballot.manager, ballot.support):
        assert await refusal(ballot.vote(by, "C1")) == (403, "forbidden")
    for ratee in ("C1", "X9"):
        refused = await refusal(ballot.vote(ballot.contractor("P02"), "C2", ratee=ratee))
        assert refused == (404, "not-found")
    # The build-and-maintain centre rates the support centre and is rated by the front line.
    assert await refusal(ballot.vote(ballot.contractor("P18"), "B1", ratee="B1")) == (
        403,
        "not-a-voter",
    )


async def test_votes_are_taken_from_the_months_end_to_its_fifth_day(
    ballot: Any, clock: Any
) -> None:
    by = ballot.contractor("P01")
    clock(MONTH_END - timedelta(seconds=1))
    assert await refusal(ballot.vote(by, "C1")) == (409, "period-not-over")
    clock(MONTH_END + 5 * DAY)
    assert await refusal(ballot.vote(by, "C1")) == (409, "outside-window")
    clock(MONTH_END + 5 * DAY - timedelta(seconds=1))
    assert (await ballot.vote(by, "C1")).person_id == "P01"


@pytest.mark.parametrize(
    "given",
    [
        {"stars": {"attitude": 4}},
        {"stars": stars(attitude=2)},
        {"stars": stars(looks=5)},
        {"stars": stars(attitude=0)},
        {"stars": stars(attitude=6)},
        {"stars": stars(), "reasons": {"looks": "x"}},
        {"stars": stars(), "person_id": "P02"},
        {"stars": stars() | {"attitude": 3.5}},
    ],
)
async def test_bad_votes_are_refused(ballot: Any, http: Any, token: Any, given: Any) -> None:
    answer = await http.post(
        f"/v1/branches/{ballot.branch}/reverse-appraisals/SS/{PERIOD}/votes",
        json={"centre_id": "C1"} | given,
        headers={"Authorization": f"Bearer {token(Role.CONTRACTOR, ballot.branch, ['C1'], 'P01')}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


# --- anonymity ----------------------------------------------------------------------------------


async def test_the_ratee_never_learns_who_voted_what(
    ballot: Any, http: Any, token: Any, clock: Any
) -> None:
    await ballot.all_vote()
    ratees = [
        token(Role.SUPPORT_CENTRE, ballot.branch),
        token(Role.SUPPORT_CENTRE, ballot.branch, ["SS"], "P29"),
        token(Role.CONTRACTOR, ballot.branch, ["SS"], "P29"),
        token(Role.CONTRACTOR, ballot.branch),
        # The deputy who leads the support centre as well, in their other role.
        token(Role.COUNTY_MANAGER, ballot.branch, None, "P29"),
        token(Role.COUNTY_MANAGER, ballot.branch, None, "P31"),
        token(Role.AUDITOR, ballot.branch, ["SS"]),
    ]
    base = f"/v1/branches/{ballot.branch}"

    async def all_that_is_told() -> list[Any]:
        told = []
        for one in ratees:
            for path in ("", "/votes"):
                answer = await http.get(
                    f"{base}/reverse-appraisals/SS/{PERIOD}{path}",
                    headers={"Authorization": f"Bearer {one}"},
                )
                assert answer.status_code in {200, 403, 404}
                if answer.status_code == 200 and path == "/votes":
                    assert answer.json() == []
                told.append(answer.json())
            listed = await http.get(
                f"{base}/appraisals", headers={"Authorization": f"Bearer {one}"}
            )
            told.append(listed.json())
        return told

    during = await all_that_is_told()
    assert "无人接听" not in json.dumps(during, ensure_ascii=False)
    assert all(one.get("voting_centres") is None for one in during if isinstance(one, dict))
    clock(DECIDING)
    after = await all_that_is_told()
    await ballot.decide(ballot.manager, stands=True)
    after += await all_that_is_told()
    text = json.dumps(after, ensure_ascii=False)
    assert "无人接听" in text
    for name in ("P01", "P02", "P12", "P18", "W01", "C1", "C2", "G1", "B1"):
        assert f'"{name}"' not in text
    # What is told is the same in the order of size for every item.
    card = await ballot.card(ballot.support)
    assert card.items[-1].item == "attitude"
    assert card.items[-1].centre_means == ["1", "4", "4", "4"]


async def test_voters_see_their_own_vote_and_those_who_watch_over_the_county_all_when_it_is_over(
    ballot: Any, clock: Any
) -> None:
    await ballot.all_vote()

    async def seen(by: Any) -> list[str]:
        return [one.person_id for one in await by.votes(ballot.branch, "SS", PERIOD)]

    assert await seen(ballot.contractor("P02")) == ["P02"]
    assert await seen(ballot.manager) == []
    clock(ANSWERING)
    assert await seen(ballot.contractor("P02")) == ["P02"]
    assert await seen(ballot.manager) == ["P18", "P01", "W01", "P02", "P12"]
    assert await refusal(ballot.support.votes(ballot.branch, "SS", PERIOD)) == (403, "forbidden")


async def test_a_void_vote_tells_nothing_and_does_not_stand(ballot: Any, clock: Any) -> None:
    await ballot.vote(ballot.contractor("P01"), "C1", stars=stars(default=5))
    await ballot.vote(ballot.contractor("P02"), "C2")
    clock(ANSWERING)
    card = await ballot.card(ballot.support)
    assert (card.void, card.score, card.voting_centres) == (True, None, 2)
    assert (card.state, card.least_centres) == (ReverseState.DECIDABLE, 3)
    starred = [one for one in card.items if one.centre_means is not None]
    assert len(starred) == len(R1.stars)
    assert all(one.value is None and one.centre_means == [] for one in starred)
    assert await refusal(ballot.decide(ballot.manager, stands=True)) == (409, "vote-void")
    decided = await ballot.decide(ballot.manager, stands=False)
    assert (decided.decision.outcome, decided.decision.appraisal_id) == (Outcome.VOID, None)
    facts = await ballot.manager.feed(ballot.branch, after=0)
    assert [one for one in facts if one.type == APPRAISAL_PUBLISHED] == []


# --- the card and the decision ------------------------------------------------------------------


async def test_the_card_stands_when_the_general_manager_says_so_and_is_computed_again(
    ballot: Any, clock: Any, branch: Any
) -> None:
    clock(datetime(2017, 11, 6, 10, tzinfo=BUSINESS_ZONE))
    for _ in range(5):
        given = TicketIn(
            raiser_centre_id="C1", category="it_coordination", title="系统报错", text="报错"
        )
        ticket = await ballot.contractor("P01").raise_ticket(branch, given)
        for name in (TicketStepName.ACCEPT, TicketStepName.ANSWER):
            step = TicketStepIn(step=name, text="已修复")
            await ballot.support.step_ticket(branch, ticket.ticket_id, step)
        done = TicketStepIn(step=TicketStepName.CLOSE)
        await ballot.contractor("P01").step_ticket(branch, ticket.ticket_id, done)
    clock(VOTING)
    await ballot.all_vote()
    assert (await ballot.card(ballot.manager)).state is ReverseState.VOTING
    clock(ANSWERING)
    assert (await ballot.card(ballot.support)).state is ReverseState.ANSWERING
    assert await refusal(ballot.decide(ballot.manager, stands=True)) == (409, "outside-window")
    clock(DECIDING)
    assert await refusal(ballot.decide(ballot.support, stands=True)) == (403, "forbidden")
    deputy = ballot.of(Role.COUNTY_MANAGER, None, "P31")
    assert await refusal(ballot.decide(deputy, stands=True)) == (403, "forbidden")
    decided = await ballot.decide(ballot.manager, stands=True)
    assert decided.state is ReverseState.DECIDED
    # First replies and closures in full (40 of 40), nothing supervised; stars 4 of 5 on 45, and
    # (4 + 1 + 4 + 4) / 4 of 5 on 5.
    exact = (40 + 45 * Fraction(4, 5) + 5 * Fraction(13, 20)) / 90 * 100
    assert decided.exact_score == str(exact)

    measures = {
        one.item: Measure(one.total, one.count) for one in decided.items if one.total is not None
    }
    means = {
        one.item: [Fraction(mean) for mean in one.centre_means]
        for one in decided.items
        if one.centre_means is not None
    }
    again = card_of(R1, measures, means, voting_centres=decided.voting_centres)
    assert str(again.score) == decided.exact_score

    facts = await ballot.manager.feed(ballot.branch, after=0)
    published = [one.data for one in facts if one.type == APPRAISAL_PUBLISHED]
    assert [(one["kind"], one["ratee_centre_id"], one["score"]) for one in published] == [
        ("reverse", "SS", str(decided.score))
    ]
    (listed,) = (await ballot.support.appraisals(ballot.branch)).items
    assert (listed.appraisal_id, listed.rater_centre_id, listed.score, listed.confirmed) == (
        decided.decision.appraisal_id,
        None,
        decided.score,
        True,
    )
    assert (await ballot.contractor("P01").appraisals(ballot.branch)).items == []
    assert await refusal(ballot.decide(ballot.manager, stands=True)) == (409, "conflict")
    assert await ballot.card(ballot.contractor("P01")) == decided


async def test_a_reverse_score_is_told_to_settlements_and_explained_in_words(
    ballot: Any, clock: Any
) -> None:
    await ballot.all_vote()
    clock(DECIDING)
    decided = await ballot.decide(ballot.manager, stands=True)
    span = {"period_from": PERIOD, "period_to": PERIOD}
    work_done = await ballot.manager.work_done(ballot.branch, **span)
    assert work_done.scores == []
    assert [(one.centre_id, one.score) for one in work_done.reverse_scores] == [
        ("SS", decided.score)
    ]
    before = await ballot.manager.work_done(ballot.branch, **span, known_at=DECIDING - DAY)
    assert before.reverse_scores == []
    told = await ballot.support.explanation(ballot.branch, decided.decision.appraisal_id)
    assert (told.form, told.recomputes, told.evidence) == ("R1", None, None)
    attitude = next(one for one in told.items if one.item == "attitude")
    assert attitude.text == (
        "Attitude, less intervention (weight 5): 3.25 of 5 stars; it earns 65.00 %."
    )
    assert "P02" not in told.model_dump_json()


async def test_the_ratee_agrees_or_objects_once_and_an_objection_is_decided_with_a_reason(
    ballot: Any, clock: Any
) -> None:
    await ballot.all_vote()
    assert await refusal(ballot.answer(ballot.support, agrees=True)) == (409, "outside-window")
    clock(ANSWERING)
    assert await refusal(ballot.answer(ballot.contractor("P01"), agrees=True)) == (403, "forbidden")
    assert await refusal(ballot.answer(ballot.support, agrees=False)) == (422, "malformed")
    card = await ballot.answer(ballot.support, agrees=False, reason="电话线路故障三天")
    assert card.state is ReverseState.DECIDABLE
    assert await refusal(ballot.answer(ballot.support, agrees=True)) == (409, "conflict")
    assert await refusal(ballot.decide(ballot.manager, stands=True)) == (422, "malformed")
    assert await refusal(ballot.decide(ballot.manager, stands=False)) == (422, "malformed")
    decided = await ballot.decide(ballot.manager, stands=False, reason="线路故障属实，本月不计")
    assert decided.decision.outcome is Outcome.SET_ASIDE
    assert (await ballot.manager.appraisals(ballot.branch)).items == []
    assert (await ballot.card(ballot.support)).decision == decided.decision


async def test_the_build_and_maintain_centre_is_rated_by_the_front_line_on_its_orders(
    ballot: Any, clock: Any, request_work: Any, app: Any
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, ballot.branch, [person(ballot.branch, "P19", "B1")])
    elsewhere = "130123200201"  # no field covers it
    await request_work(
        *(work(ballot.branch, f"O{number}", address=elsewhere) for number in range(5))
    )
    for order in (await ballot.manager.orders(ballot.branch)).items:
        engineer = ballot.of(Role.ENGINEER, ["B1"], order.engineer_id)
        await finish(engineer, ballot.branch, order.order_id)
    sheet = stars(R2, 3)
    for who in ("P01", "P02", "P12"):
        await ballot.vote(ballot.contractor(who), TOKENS[who], ratee="B1", stars=sheet)
    clock(DECIDING)
    # The support centre is no party here: it may decide; the rated centre may not.
    decided = await ballot.decide(ballot.support, ratee="B1", stands=True)
    # Opened in time, 40 of 40; three stars of five on 10.
    assert decided.exact_score == str((40 + 10 * Fraction(3, 5)) / 50 * 100)
    assert (await ballot.card(ballot.contractor("P18"), "B1")).form == "R2"
    stranger = ballot.of(Role.CONTRACTOR, ["X9"])
    assert await refusal(ballot.card(stranger, "B1")) == (404, "not-found")
