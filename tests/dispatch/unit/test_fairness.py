"""Marks that deserve a look: each finding at its threshold, none below it."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from huaxiao.dispatch.domain.fairness import (
    AppealWon,
    Mark,
    Source,
    biases,
    favours,
    retaliations,
)
from huaxiao.shared.periods import BUSINESS_ZONE, Period, shift
from huaxiao.shared.wire.scorecards import FairnessRules

RULES = FairnessRules()
START = datetime(2017, 12, 4, tzinfo=BUSINESS_ZONE)
DAY = timedelta(days=1)


def mark(
    points: int,
    reference: int | None = 60,
    *,
    month: int = 0,
    rater: str = "G1",
    ratee: str = "C1",
    source: Any = Source.HORIZONTAL,
    at: datetime | None = None,
) -> Mark:
    return Mark(
        source,
        rater,
        ratee,
        shift(Period(201711), month),
        at or START + 31 * month * DAY,
        Fraction(points),
        None if reference is None else Fraction(reference),
    )


@pytest.mark.parametrize(
    ("deviations", "found"),
    [
        ((25, 25, 25), 25),
        ((25, 25, 24), None),
        ((-40, -20, -30), -30),
        ((40, 40, -1), None),
        ((40, 40, 0), None),
        ((40, 40), None),
    ],
)
def test_a_bias_lies_to_one_side_long_and_far_enough(deviations: Any, found: Any) -> None:
    marks = [mark(60 + one, month=index) for index, one in enumerate(deviations)]
    assert [one.mean for one in biases(marks, RULES)] == ([] if found is None else [found])


def test_what_cannot_be_held_against_anything_is_no_bias() -> None:
    marks = [mark(100, None, month=index) for index in range(4)]
    assert biases(marks, RULES) == []


def test_two_who_mark_each_other_high_are_named_with_both_figures() -> None:
    there = [mark(90, rater="C1", ratee="SS", source=Source.REVERSE, month=one) for one in (0, 1)]
    back = [mark(80, rater="SS", ratee="C1", source=Source.DECISION, month=one) for one in (0, 1)]
    (found,) = favours([*there, *back], RULES)
    assert (found.one, found.other, found.given_mean, found.got_mean) == ("C1", "SS", 30, 20)
    assert favours([*there, *back[:1]], RULES) == []
    assert favours([*there, back[0], mark(79, rater="SS", ratee="C1", month=1)], RULES) == []
    assert favours(there, RULES) == []


@pytest.mark.parametrize(
    ("points", "days", "found"),
    [(40, 60, True), (41, 10, False), (20, 61, False), (20, 0, False), (0, 1, True)],
)
def test_a_low_mark_soon_after_an_appeal_won_is_told_of(
    points: int, days: int, found: bool
) -> None:
    won = AppealWon("C1", "G1", START)
    marks = [mark(points, at=START + days * DAY)]
    assert [one.days for one in retaliations(marks, [won], RULES)] == ([days] if found else [])
    assert list(retaliations(marks, [AppealWon("C2", "G1", START)], RULES)) == []


def test_a_low_mark_is_told_of_after_a_low_mark_and_not_before_it() -> None:
    first = mark(40, rater="C1", ratee="G1")
    answer = mark(20, at=START + 5 * DAY)
    assert [(one.mark, one.after) for one in retaliations([answer, first], [], RULES)] == [
        (answer, first)
    ]
    mild = mark(80, rater="C1", ratee="G1")
    assert list(retaliations([answer, mild], [], RULES)) == []
