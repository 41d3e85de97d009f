"""Who was heard does not contest again, who was not has its time, and nobody freezes a line for ever."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.contests import (
    Earlier,
    RaiseLimits,
    Record,
    RuledOn,
    Term,
    uncovered,
)
from huaxiao.attribution.domain.disputes import in_days
from huaxiao.shared.periods import LAST_PERIOD, Period, periods_from, shift
from huaxiao.shared.wire.attribution import DisputeState

START = datetime(2018, 1, 5, 2, tzinfo=UTC)
_S = DisputeState
MONTHS = list(periods_from(Period(201711), Period(201804)))
CENTRES = ("C1", "C2", "G1", "C3")
WINTER = Term(201711, 201801)


def on(day: float) -> datetime:
    return START + timedelta(days=day)


def dispute(
    number: int,
    claimant: str,
    respondent: str,
    *,
    term: Term = WINTER,
    raised: float = 0,
    state: DisputeState = _S.DECIDED,
) -> Earlier:
    """Return a dispute that was raised on a day and ended three days later."""
    decided = state in {_S.DECIDED, _S.FINAL}
    return Earlier(
        f"D-{number}",
        claimant,
        respondent,
        term,
        state,
        on(raised),
        None if state is _S.RAISED else on(raised + 3),
        on(raised + 8) if decided else None,
        f"R-D-{number}" if decided else None,
    )


def decision(of: Earlier, centre_id: str | None = None) -> RuledOn:
    """Return the decision of a dispute: for the claimant, unless another centre is named."""
    assert of.ended_at is not None
    assert of.ruling_id is not None
    return RuledOn(of.ruling_id, centre_id or of.claimant, of.term, of.ended_at, of.dispute_id)


def ruling(number: int, day: float, term: Term = WINTER) -> RuledOn:
    return RuledOn(f"R-{number}", "C3", term, on(day), None)


def record(disputes: Sequence[Earlier], *further: RuledOn) -> Record:
    """Return what was disputed and ruled on; a decision that is not given is for the claimant."""
    given_here = {one.ruling_id for one in further}
    own = [
        decision(one)
        for one in disputes
        if one.ruling_id is not None and one.ruling_id not in given_here
    ]
    return Record(disputes, sorted([*own, *further], key=lambda one: one.approved_at))


terms = st.lists(st.sampled_from(MONTHS), min_size=2, max_size=2).map(
    lambda two: Term(min(two), max(two))
)


@given(terms, st.lists(terms, max_size=4))
def test_what_is_not_covered_is_every_month_that_is_in_no_cover(
    term: Term, covers: list[Term]
) -> None:
    left = uncovered(term, covers)
    expected = [
        month
        for month in periods_from(Period(term.first), Period(term.last))
        if not any(one.first <= month <= one.last for one in covers)
    ]
    found = [month for one in left for month in periods_from(Period(one.first), Period(one.last))]
    assert found == expected
    # Stretches that touch are one stretch.
    assert all(shift(Period(one.last), 1) < other.first for one, other in pairwise(left))


def test_a_term_without_an_end_is_covered_by_one_without_an_end() -> None:
    assert uncovered(Term(201711, LAST_PERIOD), [Term(201712, LAST_PERIOD)]) == [
        Term(201711, 201711)
    ]


def test_who_was_heard_does_not_raise_it_again_and_who_was_not_does() -> None:
    held = record([dispute(1, "C2", "C1")])
    assert {one: held.heard(one, WINTER) for one in CENTRES} == {
        "C1": "D-1",
        "C2": "D-1",
        "G1": None,
        "C3": None,
    }
    assert held.heard("C1", Term(201802, 201803)) is None


def test_a_ruling_about_all_of_the_months_opens_them_for_those_who_were_heard() -> None:
    held = record([dispute(1, "C2", "C1")], ruling(1, 4, Term(201711, 201711)))
    assert held.heard("C1", Term(201711, 201711)) is None
    assert held.heard("C1", WINTER) == "D-1"
    both = record(
        [dispute(1, "C2", "C1")],
        ruling(1, 4, Term(201711, 201711)),
        ruling(2, 5, Term(201712, 201802)),
    )
    assert both.heard("C1", WINTER) is None
    earlier = record([dispute(1, "C2", "C1")], ruling(1, 1))
    assert earlier.heard("C1", WINTER) == "D-1"


def test_what_a_third_centre_won_is_contested_by_the_respondent_of_before_and_not_the_claimant() -> (
    None
):
    held = record([dispute(1, "C2", "C1"), dispute(2, "G1", "C2", raised=10)])
    found = {one: held.heard(one, WINTER) for one in CENTRES}
    assert found == {"C1": None, "C2": "D-1", "G1": "D-2", "C3": None}


def test_a_third_centres_claim_that_was_dismissed_opens_nothing() -> None:
    dismissed = dispute(2, "G1", "C2", raised=10)
    held = record([dispute(1, "C2", "C1"), dismissed], decision(dismissed, "C2"))
    found = {one: held.heard(one, WINTER) for one in CENTRES}
    assert found == {"C1": "D-1", "C2": "D-1", "G1": "D-2", "C3": None}


@given(st.data())
def test_disputes_about_a_line_come_to_an_end(data: st.DataObject) -> None:
    """However the county decides, each centre has one decided dispute of its own about the months."""
    held, owner, decisions = record([]), "C1", list[RuledOn]()
    for number in range(20):
        able = [one for one in CENTRES if one != owner and held.heard(one, WINTER) is None]
        if not able:
            break
        raised = dispute(number, data.draw(st.sampled_from(able)), owner, raised=number * 10)
        owner = data.draw(st.sampled_from(CENTRES))
        decisions.append(decision(raised, owner))
        held = record([*held.disputes, raised], *decisions)
    assert len(held.disputes) <= len(CENTRES)
    claimants = [one.claimant for one in held.disputes]
    assert len(set(claimants)) == len(claimants)


def test_claims_without_a_decision_are_counted_for_their_two_centres_and_months() -> None:
    in_vain = [
        dispute(1, "C2", "C1", state=_S.WITHDRAWN, term=Term(201711, 201711)),
        dispute(2, "C2", "C1", state=_S.WITHDRAWN, raised=4),
        dispute(3, "C2", "C1", state=_S.UNDECIDED, raised=8),
    ]
    held = record(in_vain)
    november, december = Term(201711, 201711), Term(201712, 201712)
    assert held.in_vain("C2", "C1", november) == [_S.WITHDRAWN, _S.WITHDRAWN, _S.UNDECIDED]
    assert held.in_vain("C2", "C1", december) == [_S.WITHDRAWN, _S.UNDECIDED]
    assert held.in_vain("C1", "C2", november) == []
    # By a ruling since, it is another matter.
    assert record(in_vain, ruling(1, 14)).in_vain("C2", "C1", november) == []
    assert record(in_vain, ruling(1, 5)).in_vain("C2", "C1", november) == [
        *(_S.WITHDRAWN, _S.UNDECIDED),
    ]


def test_an_appeal_that_lapsed_leaves_the_first_decision_and_is_no_claim_in_vain() -> None:
    lapsed = dispute(1, "C2", "C1", state=_S.UNDECIDED)._replace(ruling_id="R-1")
    held = record([lapsed], ruling(1, 4))
    assert held.in_vain("C2", "C1", WINTER) == []
    assert held.heard("C2", WINTER) == "D-1"


def test_what_is_left_of_a_decision_may_be_appealed_and_nothing_else() -> None:
    held = record([dispute(1, "C2", "C1")], ruling(1, 4, Term(201711, 201711)))
    assert held.own(held.disputes[0]) == [Term(201712, 201801)]
    waits = held.appealable(on(7.9))
    assert waits is not None
    assert waits.dispute_id == "D-1"
    assert held.appealable(on(8)) is None
    assert record([dispute(1, "C2", "C1")], ruling(1, 4)).appealable(on(5)) is None
    final = record([dispute(1, "C2", "C1", state=_S.FINAL)])
    assert final.appealable(on(4)) is None
    assert final.standing(WINTER) == final.disputes[0]
    assert final.standing(Term(201802, 201802)) is None


@pytest.mark.parametrize(
    ("state", "claimant", "raised", "expected"),
    [
        (_S.DECIDED, "G1", 1, in_days(on(9), 5)),
        (_S.DECIDED, "C2", 1, in_days(on(9), 5)),
        (_S.WITHDRAWN, "G1", 1, in_days(on(4), 5)),
        # Who withdraws does not give itself more time.
        (_S.WITHDRAWN, "C2", 1, on(5)),
        # It was too late before.
        (_S.DECIDED, "G1", 5, on(5)),
        (_S.RAISED, "G1", 1, on(5)),
    ],
)
def test_who_must_wait_for_others_has_its_time_afterwards(
    state: DisputeState, claimant: str, raised: float, expected: datetime
) -> None:
    held = record([dispute(1, "C2", "C1", raised=raised, state=state)])
    assert held.until(on(5), RaiseLimits(), claimant) == expected


def test_of_one_dispute_after_another_each_gives_time() -> None:
    disputes = [
        dispute(number, claimant, "C9", raised=4 * number, state=_S.WITHDRAWN)
        for number, claimant in enumerate(["C1", "C2", "C3"])
    ]
    assert record(disputes).until(on(1), RaiseLimits([(START, 2)]), "G1") == in_days(on(11), 2)


@pytest.mark.parametrize(
    ("given", "days"),
    [
        ([], 5),
        ([(-1, 7)], 7),
        ([(-2, 9), (-1, 7)], 7),
        # What is set while the time runs lengthens it and never shortens it.
        ([(1, 1)], 5),
        ([(-1, 7), (1, 1)], 7),
        ([(1, 9), (2, 1)], 9),
    ],
)
def test_no_limit_set_later_takes_time_away(given: list[tuple[float, int]], days: int) -> None:
    limits = RaiseLimits([(on(day), number) for day, number in given])
    assert limits.ends(START) == in_days(START, days)
