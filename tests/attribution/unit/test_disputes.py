"""No path leads to a decision without a reason, by a party, by one person, or past a second appeal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from huaxiao.attribution.domain.disputes import (
    Actor,
    Dispute,
    NotAParty,
    NotImpartial,
    Parties,
    Step,
    StepNotAllowed,
    in_days,
    raised,
    take,
)
from huaxiao.shared.problems import Problem, TwoPeople
from huaxiao.shared.wire.attribution import DisputeLimits, DisputeState, DisputeStepName

LIMITS = DisputeLimits()
START = datetime(2018, 1, 5, 2, tzinfo=UTC)
PARTIES = Parties("C2", "C1", "C0")
CLAIMANT = Actor("wang", frozenset({"C2"}))
RESPONDENT = Actor("li", frozenset({"C1"}))
STRANGER = Actor("zhao", frozenset({"G1"}))
CLERK, HEAD = Actor("chen", None), Actor("liu", None)
MANAGER, DEPUTY = Actor("sun", None, True), Actor("zhou", None, True)
TURNCOAT = Actor("li", None)
"""Spoke for the respondent, and has a token of the county as well."""
PEOPLE = [CLAIMANT, RESPONDENT, STRANGER, CLERK, HEAD, MANAGER, DEPUTY, TURNCOAT]
_N, _S = DisputeStepName, DisputeState
DECIDING = {_N.PROPOSE, _N.CONFIRM}


def new() -> Dispute:
    return raised(PARTIES, Step(_N.RAISE, CLAIMANT, START, "why"), LIMITS)


def run(dispute: Dispute, *steps: tuple[DisputeStepName, Actor, float]) -> Dispute:
    for name, by, days in steps:
        dispute = take(dispute, Step(name, by, START + timedelta(days=days), "why"), LIMITS)
    return dispute


REPLIED = ((_N.REPLY, RESPONDENT, 1.0),)
DECIDED = (*REPLIED, (_N.PROPOSE, CLERK, 2.0), (_N.CONFIRM, HEAD, 3.0))
FINAL = (
    *DECIDED,
    (_N.APPEAL, RESPONDENT, 4.0),
    (_N.PROPOSE, MANAGER, 5.0),
    (_N.CONFIRM, HEAD, 5.0),
)


class Life(RuleBasedStateMachine):
    """Anybody tries any step at any time; what was done is held against what may be."""

    def __init__(self) -> None:
        super().__init__()
        self.dispute = new()
        self.now = START
        self.done: list[Step] = []

    @initialize()
    def begin(self) -> None:
        self.dispute = new()

    @rule(
        name=st.sampled_from(DisputeStepName),
        by=st.sampled_from(PEOPLE),
        reason=st.sampled_from(["why", "why", "why", " ", None]),
        later=st.sampled_from([0.0, 0.1, 1.0, 3.0, 9.0]),
    )
    def try_step(self, name: DisputeStepName, by: Actor, reason: str | None, later: float) -> None:
        self.now += timedelta(days=later)
        step = Step(name, by, self.now, reason)
        try:
            self.dispute = take(self.dispute, step, LIMITS)
        except Problem:
            return
        self.done.append(step)

    @rule(later=st.sampled_from([0.0, 1.0, 9.0]), judge=st.sampled_from([MANAGER, DEPUTY]))
    def go_on(self, later: float, judge: Actor) -> None:
        """Take the next step of a usual course, so that long paths are walked, too."""
        self.now += timedelta(days=later)
        usual = {
            _S.RAISED: (_N.REPLY, RESPONDENT),
            _S.REPLIED: (_N.PROPOSE, judge),
            _S.PROPOSED: (_N.CONFIRM, HEAD),
            _S.DECIDED: (_N.APPEAL, CLAIMANT),
            _S.APPEALED: (_N.PROPOSE, judge),
            _S.FINAL_PROPOSED: (_N.CONFIRM, HEAD),
        }.get(self.dispute.state)
        if usual is not None:
            self.try_step(*usual, reason="why", later=0.0)

    def taken(self, name: DisputeStepName) -> list[Step]:
        return [one for one in self.done if one.name is name]

    @invariant()
    def nobody_who_has_a_part_decides(self) -> None:
        spoke = {"wang"}
        for one in self.done:
            if one.name in DECIDING:
                assert one.by.centre_ids is None or one.by.centre_ids == {"G1"}
                assert one.by.subject not in spoke
            elif one.name in {_N.REPLY, _N.APPEAL}:
                spoke.add(one.by.subject)

    @invariant()
    def every_decision_has_a_reason_and_two_people(self) -> None:
        for place, one in enumerate(self.done):
            if one.name is _N.PROPOSE:
                assert one.reason == "why"
            if one.name is _N.CONFIRM:
                proposal = self.done[place - 1]
                assert proposal.name is _N.PROPOSE
                assert proposal.by.subject != one.by.subject

    @invariant()
    def there_is_one_appeal_and_the_general_manager_decides_it_afresh(self) -> None:
        names = [one.name for one in self.done]
        assert names.count(_N.APPEAL) <= 1
        assert names.count(_N.REPLY) <= 1
        if _N.APPEAL not in names:
            assert names.count(_N.CONFIRM) <= 1
            return
        place = names.index(_N.APPEAL)
        first, second = self.done[:place], self.done[place:]
        decided = {_N.CONFIRM} <= {one.name for one in first}
        before = {one.by.subject for one in first[-2:]} if decided else set()
        for one in second:
            if one.name is _N.PROPOSE:
                assert one.by.general_manager
                assert one.by.subject not in before

    @invariant()
    def the_line_is_frozen_until_a_decision_and_again_under_appeal(self) -> None:
        last = [one.name for one in self.done if one.name is not _N.PROPOSE][-1:]
        assert self.dispute.frozen == (last in ([], [_N.REPLY], [_N.APPEAL]))

    @invariant()
    def an_end_is_an_end(self) -> None:
        ends = {_N.WITHDRAW, _N.LAPSE}
        names = [one.name for one in self.done]
        for place, name in enumerate(names):
            if name in ends or (name is _N.CONFIRM and _N.APPEAL in names[:place]):
                assert place == len(names) - 1
        if not self.dispute.frozen and self.dispute.state is not _S.DECIDED:
            assert self.dispute.due(self.now) is None

    @invariant()
    def a_frozen_line_always_has_somebody_who_may_end_it(self) -> None:
        """Whatever the county leaves undone, a party alone comes to an end."""
        found, at = self.dispute, self.now
        if not found.frozen:
            return
        for name in (_N.APPEAL, _N.LAPSE):
            at += timedelta(days=30)
            if name is _N.APPEAL and found.state in {_S.APPEALED, _S.FINAL_PROPOSED}:
                continue
            found = take(found, Step(name, RESPONDENT, at, "why"), LIMITS)
        assert found.state is _S.UNDECIDED


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=20)
TestLife = Life.TestCase


def test_who_gives_a_line_away_does_not_freeze_it() -> None:
    step = Step(_N.RAISE, CLAIMANT, START, "why")
    dispute = raised(PARTIES, step, LIMITS, given_away=True)
    assert (dispute.open, dispute.frozen) == (True, False)
    assert dispute.overdue(START + timedelta(days=9))
    decided = run(dispute, *DECIDED)
    assert (decided.open, decided.frozen) == (False, False)
    appealed = run(decided, (_N.APPEAL, RESPONDENT, 4.0))
    assert (appealed.open, appealed.frozen) == (True, False)


def test_a_day_is_counted_to_its_end_in_the_county() -> None:
    # 5 January 10:00 in the county; and one hour after midnight there, still the 4th in UTC.
    assert in_days(START, 3) == datetime(2018, 1, 8, 16, tzinfo=UTC)
    assert in_days(datetime(2018, 1, 4, 17, tzinfo=UTC), 3) == datetime(2018, 1, 8, 16, tzinfo=UTC)


def test_a_reply_in_the_last_moment_is_in_time_and_at_the_limit_is_not() -> None:
    due = new().reply_due
    step = Step(_N.REPLY, RESPONDENT, due - timedelta(microseconds=1), "why")
    assert take(new(), step, LIMITS).state is _S.REPLIED
    with pytest.raises(StepNotAllowed):
        take(new(), replace(step, at=due), LIMITS)


def test_silence_is_an_answer_once_its_time_has_passed() -> None:
    dispute = new()
    with pytest.raises(StepNotAllowed):
        run(dispute, (_N.PROPOSE, CLERK, 1.0))
    assert run(dispute, (_N.PROPOSE, CLERK, 4.0)).state is _S.PROPOSED


@pytest.mark.parametrize(
    ("steps", "name", "by", "days", "problem"),
    [
        ((), _N.REPLY, CLAIMANT, 1, NotAParty),
        ((), _N.REPLY, CLERK, 1, NotAParty),
        ((), _N.WITHDRAW, RESPONDENT, 1, NotAParty),
        (REPLIED, _N.PROPOSE, TURNCOAT, 2, NotImpartial),
        (REPLIED, _N.PROPOSE, RESPONDENT, 2, NotImpartial),
        (REPLIED, _N.APPEAL, CLAIMANT, 6, StepNotAllowed),
        ((*REPLIED, (_N.PROPOSE, CLERK, 2)), _N.CONFIRM, CLERK, 3, TwoPeople),
        (DECIDED, _N.APPEAL, STRANGER, 4, NotAParty),
        (DECIDED, _N.APPEAL, CLAIMANT, 9, StepNotAllowed),
        (DECIDED, _N.WITHDRAW, CLAIMANT, 4, StepNotAllowed),
        ((*DECIDED, (_N.APPEAL, CLAIMANT, 4)), _N.PROPOSE, CLERK, 5, NotImpartial),
        ((*DECIDED, (_N.APPEAL, CLAIMANT, 4)), _N.LAPSE, CLAIMANT, 9, StepNotAllowed),
        ((*DECIDED, (_N.APPEAL, CLAIMANT, 4)), _N.LAPSE, STRANGER, 10, NotAParty),
        (FINAL, _N.APPEAL, CLAIMANT, 6, StepNotAllowed),
    ],
)
def test_what_is_refused(
    steps: Any, name: DisputeStepName, by: Actor, days: float, problem: type[Problem]
) -> None:
    with pytest.raises(problem):
        run(new(), *steps, (name, by, days))


def test_who_decided_first_does_not_decide_the_appeal() -> None:
    by_manager = (*REPLIED, (_N.PROPOSE, MANAGER, 2), (_N.CONFIRM, HEAD, 3))
    appealed = run(new(), *by_manager, (_N.APPEAL, CLAIMANT, 4))
    with pytest.raises(NotImpartial):
        run(appealed, (_N.PROPOSE, MANAGER, 5))
    assert run(appealed, (_N.PROPOSE, DEPUTY, 5)).state is _S.FINAL_PROPOSED


def test_a_decision_that_is_late_may_still_come_or_be_appealed_for() -> None:
    proposed = run(new(), *REPLIED, (_N.PROPOSE, CLERK, 2))
    assert not proposed.overdue(START + timedelta(days=6))
    assert proposed.overdue(START + timedelta(days=7))
    assert run(proposed, (_N.CONFIRM, HEAD, 9)).state is _S.DECIDED
    appealed = run(proposed, (_N.APPEAL, RESPONDENT, 9))
    assert run(appealed, (_N.LAPSE, CLAIMANT, 15)).state is _S.UNDECIDED


def test_the_county_answers_for_the_pool_alone() -> None:
    parties = Parties("C2", "C0", "C0")
    dispute = raised(parties, Step(_N.RAISE, CLAIMANT, START, "why"), LIMITS)
    replied = run(dispute, (_N.REPLY, CLERK, 1.0))
    with pytest.raises(NotImpartial):
        run(replied, (_N.PROPOSE, CLERK, 2.0))
    assert run(replied, (_N.PROPOSE, HEAD, 2.0)).state is _S.PROPOSED
    with pytest.raises(NotAParty):
        raised(PARTIES, Step(_N.RAISE, CLERK, START, "why"), LIMITS)
