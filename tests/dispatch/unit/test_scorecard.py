from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.scorecard import (
    F1_SCALES,
    Measure,
    ReasonRequired,
    ScoreOutOfRange,
    final_score,
    grade,
    horizontal_card,
    rounded,
    scaled,
)

BY_NAME = {scale.item: scale for scale in F1_SCALES}


@pytest.mark.parametrize(
    ("item", "value", "share"),
    [
        ("open_on_time", Fraction(7999, 100), 0),
        ("open_on_time", 80, 0),
        ("open_on_time", 85, Fraction(3, 10)),
        ("open_on_time", 90, Fraction(6, 10)),
        ("open_on_time", 94, Fraction(8, 10)),
        ("open_on_time", 98, 1),
        ("repeat_fault", 13, 0),
        ("repeat_fault", 12, 0),
        ("repeat_fault", 8, Fraction(6, 10)),
        ("repeat_fault", 3, 1),
        ("repeat_fault", 0, 1),
    ],
)
def test_a_value_earns_its_share_of_the_scale(item: Any, value: Any, share: Any) -> None:
    assert scaled(Fraction(value), BY_NAME[item]) == share


@given(st.sampled_from(F1_SCALES), st.fractions(0, 100), st.fractions(0, 100))
def test_a_better_value_never_earns_less(scale: Any, one: Any, other: Any) -> None:
    worse, better = sorted((one, other), reverse=scale.challenge < scale.floor)
    assert 0 <= scaled(worse, scale) <= scaled(better, scale) <= 1


def test_four_orders_are_too_few_and_their_weight_goes_to_the_other_items() -> None:
    few = {"open_on_time": Measure(0, 4), "repair_on_time": Measure(500, 5)}
    card = horizontal_card(few, stars={"cooperation": 4})
    assert card.score == Fraction(100 * (20 + 4), 25)


def test_a_centre_nothing_was_measured_of_is_not_rated() -> None:
    assert horizontal_card({}, stars={"cooperation": 4}).score is None


@pytest.mark.parametrize("stars", [1, 2, 5])
def test_extreme_stars_need_a_reason(stars: Any) -> None:
    with pytest.raises(ReasonRequired):
        horizontal_card({}, stars={"cooperation": stars})


def final(
    own: Any = "90",
    centre: Any = Fraction(80),
    person: Any = None,
    adjustment: Any = "0",
    reason: Any = None,
) -> Any:
    return final_score(
        own=Decimal(own),
        centre_score=centre,
        person_score=person,
        adjustment=Decimal(adjustment),
        reason=reason,
    )


def test_the_final_score_is_seven_parts_own_and_three_parts_horizontal() -> None:
    assert final().score == Decimal("87.00")
    assert final(person=Fraction(100)).score == Decimal("90.00")


def test_without_a_rated_centre_the_own_score_stands_alone() -> None:
    assert final(centre=None, person=Fraction(10)).score == Decimal("90.00")


def test_an_adjustment_needs_a_reason_and_stays_within_ten_points() -> None:
    assert final(adjustment="-10", reason="late").score == Decimal("77.00")
    with pytest.raises(ReasonRequired):
        final(adjustment="1")
    with pytest.raises(ScoreOutOfRange):
        final(adjustment="10.01", reason="why")


@pytest.mark.parametrize(
    ("score", "expected"),
    [("95", "A"), ("94.999", "B"), ("85", "B"), ("84.999", "C"), ("70", "C"), ("69.999", "D")],
)
def test_the_grade_is_decided_on_the_exact_score(score: Any, expected: Any) -> None:
    assert grade(Fraction(score)) == expected


def test_rounding_is_half_up_and_happens_once() -> None:
    assert rounded(Fraction("84.995")) == Decimal("85.00")
    assert rounded(Fraction("84.9949")) == Decimal("84.99")


@given(st.decimals(0, 100, places=2), st.fractions(0, 100), st.decimals(-10, 10, places=2))
def test_the_final_score_stays_within_0_and_100(own: Any, centre: Any, adjustment: Any) -> None:
    score = final(str(own), centre, None, str(adjustment), "why").score
    assert 0 <= score <= 100
