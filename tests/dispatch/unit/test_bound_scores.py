"""The final score is bound to the horizontal one it rests on, whatever the figures are."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.scorecard import (
    Measure,
    final_score,
    form_card,
    horizontal_card,
    rounded,
    weighted,
)
from huaxiao.dispatch.domain.scorecard_rules import (
    coefficient,
    default_scorecard,
    scorecard_faults,
)

RULES = default_scorecard()
ITEMS = [one.item for one in RULES.horizontal.scales]
MEASURES = st.fixed_dictionaries(
    {
        item: st.integers(0, 30).flatmap(
            lambda count: st.integers(0, 100 * count).map(lambda total: Measure(total, count))
        )
        for item in ITEMS
    }
)
OWN = st.fractions(0, 100)
WEIGHTS = st.decimals(Decimal("0.20"), Decimal("0.40"), places=2)


def final(own: Any, centre: Any, person: Any = None, weight: Any = None, **more: Any) -> Any:
    rules = RULES if weight is None else RULES.model_copy(update={"horizontal_weight": weight})
    given = {"adjustment": Decimal(0), "reason": None} | more
    return final_score(own=own, centre_score=centre, person_score=person, rules=rules, **given)


@given(OWN, MEASURES, st.integers(1, 5), st.none() | st.fractions(0, 100), WEIGHTS)
def test_the_final_score_is_its_own_part_and_the_bound_cards_in_the_countys_weights(
    own: Fraction, measures: Any, stars: int, person: Fraction | None, weight: Decimal
) -> None:
    card = horizontal_card(measures, stars={"cooperation": stars}, reason="x")
    score = final(own, card.score, person, weight)
    if card.score is None:
        assert score.exact == own
        assert score.horizontal_weight == 0
        return
    horizontal = card.score if person is None else (card.score + person) / 2
    assert score.horizontal == horizontal
    assert score.exact == (1 - Fraction(weight)) * own + Fraction(weight) * horizontal
    assert score.score == rounded(score.exact)
    assert Fraction(1, 5) <= score.horizontal_weight <= Fraction(2, 5)


@given(OWN, MEASURES, st.sampled_from(ITEMS), st.integers(0, 100), st.booleans(), WEIGHTS)
def test_a_restated_horizontal_card_moves_the_final_one_by_its_weight(
    own: Fraction, measures: Any, item: str, value: int, with_person: bool, weight: Decimal
) -> None:
    person = Fraction(50) if with_person else None
    before = horizontal_card(measures, stars={"cooperation": 3})
    after = horizontal_card(measures, stars={"cooperation": 3}, restated={item: Fraction(value)})
    assume(before.score is not None and after.score is not None)
    part = Fraction(weight) * (Fraction(1, 2) if with_person else 1)
    moved = final(own, after.score, person, weight).exact
    moved -= final(own, before.score, person, weight).exact
    assert before.score is not None
    assert after.score is not None
    assert moved == part * (after.score - before.score)


@given(MEASURES, st.integers(1, 5))
def test_the_points_of_the_items_add_up_to_the_score(measures: Any, stars: int) -> None:
    card = horizontal_card(measures, stars={"cooperation": stars}, reason="x")
    rated = [one for one in card.items if one.share is not None]
    weights = sum(one.weight for one in rated)
    points = [100 * one.weight * Fraction(one.share or 0) / weights for one in rated]
    assert all(
        0 <= one <= Fraction(100 * each.weight, weights)
        for one, each in zip(points, rated, strict=True)
    )
    if card.score is not None:
        assert sum(points) == card.score == weighted(card.items)
        assert 0 <= card.score <= 100


@given(OWN, st.fractions(0, 100), st.decimals(-10, 10, places=2), st.integers(0, 300))
def test_negative_points_come_off_after_the_formula_and_end_at_nothing(
    own: Fraction, centre: Fraction, adjustment: Decimal, points: int
) -> None:
    moved = {"adjustment": adjustment, "reason": "x"}
    free = final(own, centre, **moved)
    held = final(own, centre, points_off=points, **moved)
    raw = Fraction(7, 10) * own + Fraction(3, 10) * centre + Fraction(adjustment)
    assert held.exact == min(max(raw - points, Fraction(0)), Fraction(100))
    assert held.exact <= free.exact


def test_an_item_nobody_judged_in_time_earns_three_fifths_of_its_weight() -> None:
    measured = {"open_on_time": Measure(500, 5)}
    card = horizontal_card(measured, stars={})
    assert card.score == Fraction(100 * (20 + 3), 25)
    late = horizontal_card(measured, stars={}, points_off=1)
    assert late.score == Fraction(91)


def test_the_own_part_weighs_a_hundred_and_is_not_rated_when_nothing_was_measured() -> None:
    rows = [*RULES.own.scales, *RULES.own.stars]
    assert sum(one.weight for one in rows) == 100
    card = form_card({}, RULES.own, {"own_sales": 5, "own_safety": 5}, missing_share=Fraction(3, 5))
    assert card.score is None


def test_the_suites_own_rules_are_in_order() -> None:
    assert list(scorecard_faults(RULES)) == []


@pytest.mark.parametrize(
    ("score", "expected"),
    [("0", "0.80"), ("69.99", "0.80"), ("70", "0.90"), ("85", "1.00"), ("95", "1.10")],
)
def test_a_coefficient_is_that_of_the_last_step_reached(score: str, expected: str) -> None:
    for steps in (RULES.pay_steps, RULES.supplier_steps):
        assert coefficient(steps, Decimal(score)) == Decimal(expected)
