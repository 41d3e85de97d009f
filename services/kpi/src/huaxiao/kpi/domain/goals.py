"""Goals, and how a ratio is held against one: whole numbers decide, rounding only shows."""

from dataclasses import dataclass
from decimal import Decimal

from huaxiao.shared.wire.kpi import Comparison

_PERCENT = 100
_SHOWN_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal as a ratio, exact: 0.82 is 82 %."""

    ratio: Decimal
    comparison: Comparison

    def met_by(self, numerator: int, denominator: int) -> bool:
        """Say whether numerator over denominator meets the goal; the denominator is positive."""
        goal_numerator, goal_denominator = self.ratio.as_integer_ratio()
        have, need = numerator * goal_denominator, goal_numerator * denominator
        if self.comparison is Comparison.AT_LEAST:
            return have >= need
        return have > need


def percent(numerator: int, denominator: int, goal: Goal) -> str:
    """Render a ratio in percent, two decimals half up (away from zero).

    Where two decimals would read as another verdict than the exact ratio's, more are shown.
    """
    met = goal.met_by(numerator, denominator)
    decimals = _SHOWN_DECIMALS
    while True:
        scale: int = 10**decimals
        rounded = _half_up(numerator * _PERCENT * scale, denominator)
        if goal.met_by(rounded, _PERCENT * scale) == met:
            break
        decimals += 1
    whole, rest = divmod(abs(rounded), scale)
    sign = "-" if rounded < 0 else ""
    return f"{sign}{whole}.{rest:0{decimals}d} %"


def _half_up(numerator: int, denominator: int) -> int:
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -magnitude if numerator < 0 else magnitude
