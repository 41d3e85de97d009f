"""Scorecards: the horizontal one (R26) and the final one bound to it (R27).

Everything is exact in ``Decimal`` and rounded once, at the end, two places half up.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from http import HTTPStatus

from huaxiao.dispatch.domain.scorecard_rules import default_scorecard
from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.scorecards import FormRows, ScorecardIn

_MIN_ORDERS = 5
_BASE_SHARE = Fraction(6, 10)
_FULL = Fraction(1)
EXTREME_STARS = frozenset({1, 2, 5})
MOST_STARS = 5
_GRADES = ((95, "A"), (85, "B"), (70, "C"))


class ReasonRequired(Problem):
    """An extreme or adjusted judgement comes with a written reason."""

    code = "reason-required"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This judgement needs a written reason"
    title_zh = "此评价须填写原因"


class ScoreOutOfRange(Problem):
    """An own score lies in 0 to 100, an adjustment in -10 to 10."""

    code = "score-out-of-range"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The score or adjustment is out of range"
    title_zh = "分数或调整超出范围"


@dataclass(frozen=True, slots=True)
class Scale:
    """An item of the card: floor, base (60 %) and challenge (100 %); low may be better."""

    item: str
    weight: int
    floor: int
    base: int
    challenge: int
    least: int = _MIN_ORDERS
    """Fewer orders than this and the item is not applicable."""


def scales_of(form: FormRows) -> tuple[Scale, ...]:
    """Return the measured items of a form."""
    return tuple(
        Scale(one.item, one.weight, one.floor, one.base, one.challenge, one.least)
        for one in form.scales
    )


F1_SCALES = scales_of(default_scorecard().horizontal)
"""The measured items of the suite's own F1."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What was measured: ``total`` over ``count`` orders, in points of 100 per order."""

    total: int
    count: int


@dataclass(frozen=True, slots=True)
class ItemResult:
    """An item of a computed card; ``share`` of the full score, None when not applicable."""

    item: str
    weight: int
    count: int
    value: Fraction | None
    share: Fraction | None
    total: int | None = None
    """What the orders count together; None for what is judged in stars."""
    restated: bool = False
    """The value was set by a decision, not by what was measured or judged at first."""


@dataclass(frozen=True, slots=True)
class Card:
    """A computed card; ``score`` is exact, None when nobody could be rated."""

    items: tuple[ItemResult, ...]
    score: Fraction | None
    points_off: int = 0
    """What comes off at the end: the ratee was late as a rater itself."""


def scaled(value: Fraction, scale: Scale) -> Fraction:
    """Return the share of the full score a value earns, 0 to 1."""
    sign = 1 if scale.challenge > scale.floor else -1
    at, floor, base, top = (
        Fraction(sign * one) for one in (value, scale.floor, scale.base, scale.challenge)
    )
    if at < floor:
        return Fraction(0)
    if at < base:
        return _BASE_SHARE * (at - floor) / (base - floor)
    if at < top:
        return _BASE_SHARE + (_FULL - _BASE_SHARE) * (at - base) / (top - base)
    return _FULL


def measured_items(
    measures: Mapping[str, Measure],
    scales: Sequence[Scale] = F1_SCALES,
    restated: Mapping[str, Fraction] | None = None,
) -> list[ItemResult]:
    """Return the measured items; those with too few orders are not applicable, unless restated."""
    items = []
    for scale in scales:
        measure = measures.get(scale.item, Measure(0, 0))
        value: Fraction | None = None
        if restated and scale.item in restated:
            value = restated[scale.item]
        elif measure.count >= scale.least:
            value = Fraction(measure.total, measure.count)
        items.append(
            ItemResult(
                scale.item,
                scale.weight,
                measure.count,
                value,
                None if value is None else scaled(value, scale),
                measure.total,
                restated=bool(restated and scale.item in restated),
            )
        )
    return items


def starred_items(
    form: FormRows,
    stars: Mapping[str, int],
    *,
    missing_share: Fraction,
    restated: Mapping[str, Fraction] | None = None,
) -> list[ItemResult]:
    """Return the items in stars; one that nobody judged earns ``missing_share``."""
    items = []
    for row in form.stars:
        given = Fraction(stars[row.item]) if row.item in stars else None
        value = restated[row.item] if restated and row.item in restated else given
        items.append(
            ItemResult(
                row.item,
                row.weight,
                0 if given is None else 1,
                value,
                missing_share if value is None else value / MOST_STARS,
                restated=bool(restated and row.item in restated),
            )
        )
    return items


def form_card(
    measures: Mapping[str, Measure],
    form: FormRows,
    stars: Mapping[str, int],
    *,
    missing_share: Fraction,
    restated: Mapping[str, Fraction] | None = None,
    points_off: int = 0,
) -> Card:
    """Return the card of a form: not rated when nothing could be measured, whatever the stars."""
    measured = measured_items(measures, scales_of(form), restated)
    judged = starred_items(form, stars, missing_share=missing_share, restated=restated)
    score = None
    if weighted(measured) is not None:
        whole = weighted([*measured, *judged])
        score = max((whole or Fraction(0)) - points_off, Fraction(0))
    return Card((*measured, *judged), score, points_off)


def weighted(items: Iterable[ItemResult]) -> Fraction | None:
    """Return the exact score of 100; the weight of what is not applicable spreads over the rest."""
    rated = [(one.weight, one.share) for one in items if one.share is not None]
    if not rated:
        return None
    weights = sum(weight for weight, _ in rated)
    return 100 * sum((weight * share for weight, share in rated), Fraction(0)) / weights


def require_reason(stars: Mapping[str, int], reason: str | None) -> None:
    """Refuse extreme stars without a reason.

    Raises:
        ReasonRequired: one, two or five stars came without a reason.

    """
    if not reason and EXTREME_STARS.intersection(stars.values()):
        raise ReasonRequired


def horizontal_card(
    measures: Mapping[str, Measure],
    *,
    stars: Mapping[str, int],
    reason: str | None = None,
    rules: ScorecardIn | None = None,
    restated: Mapping[str, Fraction] | None = None,
    points_off: int = 0,
) -> Card:
    """Return the card F1; no stars are given where nobody submitted it in time.

    Raises:
        ReasonRequired: one, two or five stars came without a reason.

    """
    require_reason(stars, reason)
    rules = rules or default_scorecard()
    return form_card(
        measures,
        rules.horizontal,
        stars,
        missing_share=Fraction(rules.missing_share),
        restated=restated,
        points_off=points_off,
    )


@dataclass(frozen=True, slots=True)
class FinalScore:
    """A final appraisal and the parts it was made of."""

    own: Fraction
    horizontal: Fraction | None
    horizontal_weight: Fraction
    adjustment: Decimal
    points_off: int
    exact: Fraction
    score: Decimal
    grade: str


def final_score(
    *,
    own: Decimal | Fraction,
    centre_score: Fraction | None,
    person_score: Fraction | None,
    adjustment: Decimal,
    reason: str | None,
    points_off: int = 0,
    rules: ScorecardIn | None = None,
) -> FinalScore:
    """Return (1 - w) own + w H, adjusted, less negative-list points, held within 0 to 100.

    H is half the centre's score and half the person's own items of F1, or the centre's alone. A
    centre that is not rated binds nobody: then w is nothing and the own part all.

    Raises:
        ScoreOutOfRange: the own score or the adjustment is.
        ReasonRequired: an adjustment came without a reason.

    """
    rules = rules or default_scorecard()
    if not 0 <= own <= 100 or abs(adjustment) > rules.most_adjustment:  # noqa: PLR2004 - a percentage
        raise ScoreOutOfRange
    if adjustment and not reason:
        raise ReasonRequired
    horizontal, weight = centre_score, Fraction(rules.horizontal_weight)
    if centre_score is None:
        weight = Fraction(0)
    elif person_score is not None:
        horizontal = (centre_score + person_score) / 2
    exact = (1 - weight) * Fraction(own) + weight * (horizontal or 0) + Fraction(adjustment)
    held = min(max(exact - points_off, Fraction(0)), Fraction(100))
    return FinalScore(
        Fraction(own),
        horizontal,
        weight,
        adjustment,
        points_off,
        held,
        rounded(held),
        grade(held),
    )


def grade(score: Fraction) -> str:
    """Return A to D by the exact score."""
    return next((name for least, name in _GRADES if score >= least), "D")


def rounded(value: Fraction) -> Decimal:
    """Return two places, half up, decided on the exact value."""
    cents = (value.numerator * 200 + value.denominator) // (2 * value.denominator)
    return (Decimal(cents) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def mean(scores: Sequence[Fraction]) -> Fraction | None:
    """Return the mean of several raters' scores, or None of none."""
    return sum(scores, Fraction(0)) / len(scores) if scores else None
