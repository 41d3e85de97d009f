"""Scorecards: the horizontal one (R26) and the final one bound to it (R27).

Everything is exact in ``Decimal`` and rounded once, at the end, two places half up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from http import HTTPStatus

from huaxiao.shared.problems import Problem

MIN_ORDERS = 5
MAX_ADJUSTMENT = Decimal(10)
HORIZONTAL_WEIGHT = Fraction(3, 10)
_BASE_SHARE = Fraction(6, 10)
_FULL = Fraction(1)
_EXTREME_STARS = {1, 2, 5}
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
    least: int = MIN_ORDERS
    """Fewer orders than this and the item is not applicable."""


F1_SCALES = (
    Scale("open_on_time", 20, 80, 90, 98),
    Scale("repair_on_time", 20, 80, 90, 98),
    Scale("first_contact", 10, 85, 95, 99),
    Scale("appointment_kept", 10, 85, 93, 98),
    Scale("repeat_fault", 10, 12, 8, 3),
    Scale("record_quality", 10, 90, 95, 99, least=10),
    Scale("satisfaction", 10, 80, 90, 97),
    Scale("patrol_done", 5, 90, 98, 100),
)
COOPERATION_WEIGHT = 5


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


@dataclass(frozen=True, slots=True)
class Card:
    """A computed card; ``score`` is exact, None when nobody could be rated."""

    items: tuple[ItemResult, ...]
    score: Fraction | None


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
    measures: dict[str, Measure], scales: Sequence[Scale] = F1_SCALES
) -> list[ItemResult]:
    """Return the measured items; those with too few orders are not applicable."""
    items = []
    for scale in scales:
        measure = measures.get(scale.item, Measure(0, 0))
        if measure.count < scale.least:
            items.append(ItemResult(scale.item, scale.weight, measure.count, None, None))
            continue
        value = Fraction(measure.total, measure.count)
        items.append(
            ItemResult(scale.item, scale.weight, measure.count, value, scaled(value, scale))
        )
    return items


def weighted(items: Iterable[ItemResult]) -> Fraction | None:
    """Return the exact score of 100; the weight of what is not applicable spreads over the rest."""
    rated = [(one.weight, one.share) for one in items if one.share is not None]
    if not rated:
        return None
    weights = sum(weight for weight, _ in rated)
    return 100 * sum((weight * share for weight, share in rated), Fraction(0)) / weights


def horizontal_card(measures: dict[str, Measure], *, stars: int, reason: str | None) -> Card:
    """Return the card F1: not rated when nothing could be measured.

    Raises:
        ReasonRequired: one, two or five stars came without a reason.

    """
    if stars in _EXTREME_STARS and not reason:
        raise ReasonRequired
    items = measured_items(measures)
    nothing_measured = weighted(items) is None
    items.append(
        ItemResult("cooperation", COOPERATION_WEIGHT, 1, Fraction(stars), Fraction(stars, 5))
    )
    return Card(tuple(items), None if nothing_measured else weighted(items))


def person_card(measures: dict[str, Measure]) -> Card:
    """Return a person's own items of F1."""
    items = measured_items(measures)
    return Card(tuple(items), weighted(items))


@dataclass(frozen=True, slots=True)
class FinalScore:
    """A final appraisal and the parts it was made of."""

    own: Decimal
    horizontal: Fraction | None
    horizontal_weight: Fraction
    adjustment: Decimal
    score: Decimal
    grade: str


def final_score(
    *,
    own: Decimal,
    centre_score: Fraction | None,
    person_score: Fraction | None,
    adjustment: Decimal,
    reason: str | None,
) -> FinalScore:
    """Return 0.70 own + 0.30 H, adjusted and held within 0 to 100.

    Raises:
        ScoreOutOfRange: the own score or the adjustment is.
        ReasonRequired: an adjustment came without a reason.

    """
    if not 0 <= own <= 100 or abs(adjustment) > MAX_ADJUSTMENT:  # noqa: PLR2004 - a percentage
        raise ScoreOutOfRange
    if adjustment and not reason:
        raise ReasonRequired
    horizontal, weight = centre_score, HORIZONTAL_WEIGHT
    if centre_score is None:
        weight = Fraction(0)
    elif person_score is not None:
        horizontal = (centre_score + person_score) / 2
    exact = (1 - weight) * Fraction(own) + weight * (horizontal or 0) + Fraction(adjustment)
    held = min(max(exact, Fraction(0)), Fraction(100))
    return FinalScore(own, horizontal, weight, adjustment, rounded(held), grade(held))


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
