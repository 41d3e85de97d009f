"""What a formula comes to, exactly: whole numbers over whole numbers, nothing rounded on the way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from huaxiao.kpi.domain import named
from huaxiao.kpi.domain.known import Cause, Known
from huaxiao.kpi.domain.named import SPOKEN, Amount, Found
from huaxiao.shared.wire.figures import (
    ConstantTerm,
    DifferenceTerm,
    Expression,
    FigureTerm,
    GrowthTerm,
    MeasureTerm,
    RatioTerm,
    SumTerm,
)
from huaxiao.shared.wire.kpi import ReasonCode

Formulas = Mapping[str, Expression]
"""The formula of each figure that another may name."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Evaluates formulas on what is known of a county or centre over a span."""

    known: Known
    formulas: Formulas

    def value(self, formula: Expression) -> Found:
        """Return what a formula comes to, or why it does not."""
        found = self._now(formula)
        return Found(found.amount, tuple(dict.fromkeys(found.causes)))

    def value_before(self, formula: Expression) -> Found:
        """Return what a formula that is no growth came to a year before, or why it does not."""
        found = self._of(formula, before=True)
        return Found(found.amount, tuple(dict.fromkeys(found.causes)))

    def _now(self, formula: Expression) -> Found:
        if isinstance(formula, GrowthTerm):
            return self._growth(formula)
        return self._of(formula, before=False)

    def _of(self, formula: Expression, *, before: bool) -> Found:
        match formula:
            case MeasureTerm():
                side = named.before if before else named.now
                return side(self.known, formula.measure)
            case FigureTerm():
                return self._side(self.formulas[formula.figure], before=before)
            case ConstantTerm():
                return Found(Amount(*formula.value.as_integer_ratio()))
            case SumTerm():
                return _sum([self._side(one, before=before) for one in formula.terms])
            case DifferenceTerm():
                return _sum(
                    [
                        self._side(formula.minuend, before=before),
                        _negative(self._side(formula.subtrahend, before=before)),
                    ]
                )
            case RatioTerm():
                below = self._side(formula.denominator, before=before)
                above = self._side(formula.numerator, before=before)
                return _ratio(above, below, when_zero=self._when_zero(formula.denominator))
            case GrowthTerm():
                raise AssertionError("a growth has no base of its own; the checks keep it out")

    def _side(self, formula: Expression, *, before: bool) -> Found:
        return self._of(formula, before=True) if before else self._now(formula)

    def _growth(self, formula: GrowthTerm) -> Found:
        now = self._of(formula.of, before=False)
        base = self._of(formula.of, before=True)
        if base.amount is None or base.amount.numerator <= 0:
            # Whatever in the base cannot be divided by, the base is not one to grow from.
            unknown = [one for one in base.causes if one.code in _NOT_KNOWN]
            causes = unknown or [Cause(ReasonCode.BASE_NOT_POSITIVE)]
            return Found(None, (*now.causes, *causes))
        if now.amount is None:
            return Found(None, now.causes)
        before = base.amount.numerator * now.amount.denominator
        after = now.amount.numerator * base.amount.denominator
        return Found(Amount(after - before, before))

    def _when_zero(self, denominator: Expression) -> ReasonCode:
        if isinstance(denominator, MeasureTerm) and denominator.measure in SPOKEN:
            return SPOKEN[denominator.measure].when_zero
        return ReasonCode.NOT_POSITIVE


_NOT_KNOWN = {
    ReasonCode.NO_BASE,
    ReasonCode.BASE_INCOMPLETE,
    ReasonCode.CENTRE_NEW,
    ReasonCode.CENTRE_REORGANISED,
}


def _sum(parts: list[Found]) -> Found:
    causes = tuple(cause for one in parts for cause in one.causes)
    amounts = [one.amount for one in parts]
    total = Amount(0)
    for amount in amounts:
        if amount is None:
            return Found(None, causes)
        total = _added(total, amount)
    return Found(total)


def _added(one: Amount, other: Amount) -> Amount:
    if one.denominator == other.denominator:
        return Amount(one.numerator + other.numerator, one.denominator)
    return Amount(
        one.numerator * other.denominator + other.numerator * one.denominator,
        one.denominator * other.denominator,
    )


def _negative(found: Found) -> Found:
    if found.amount is None:
        return found
    return Found(Amount(-found.amount.numerator, found.amount.denominator))


def _ratio(above: Found, below: Found, *, when_zero: ReasonCode) -> Found:
    causes = (*above.causes, *below.causes)
    if below.amount is not None and below.amount.numerator <= 0:
        causes = (*causes, Cause(when_zero))
    if causes or above.amount is None or below.amount is None:
        return Found(None, causes)
    return Found(
        Amount(
            above.amount.numerator * below.amount.denominator,
            above.amount.denominator * below.amount.numerator,
        )
    )


def measures_in(formula: Expression, formulas: Formulas) -> Iterator[str]:
    """Yield every measure that a formula names, itself or by another figure."""
    match formula:
        case MeasureTerm():
            yield formula.measure
        case FigureTerm():
            yield from measures_in(formulas[formula.figure], formulas)
        case ConstantTerm():
            pass
        case SumTerm() | DifferenceTerm() | RatioTerm() | GrowthTerm():
            for _, one in parts_of(formula):
                yield from measures_in(one, formulas)


def grows(formula: Expression, formulas: Formulas) -> bool:
    """Say whether a formula looks at the year before."""
    if isinstance(formula, GrowthTerm):
        return True
    if isinstance(formula, FigureTerm):
        return grows(formulas[formula.figure], formulas)
    return any(grows(one, formulas) for _, one in parts_of(formula))


def parts_of(formula: Expression) -> list[tuple[str, Expression]]:
    """Return the formulas that a formula is made of, each with its pointer within it."""
    match formula:
        case SumTerm():
            return [(f"/terms/{index}", one) for index, one in enumerate(formula.terms)]
        case DifferenceTerm():
            return [("/minuend", formula.minuend), ("/subtrahend", formula.subtrahend)]
        case RatioTerm():
            return [("/numerator", formula.numerator), ("/denominator", formula.denominator)]
        case GrowthTerm():
            return [("/of", formula.of)]
        case _:
            return []
