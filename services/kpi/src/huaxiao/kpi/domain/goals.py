"""Goals, and how a value is held against one: whole numbers decide, rounding only shows."""

from dataclasses import dataclass
from decimal import Decimal

from huaxiao.shared.wire.figures import Direction, GoalIn, ShownAs
from huaxiao.shared.wire.kpi import Comparison, Standing

_SHOWN_DECIMALS = 2
_UPWARD = {Comparison.AT_LEAST, Comparison.MORE_THAN}
_WRITTEN = {ShownAs.PERCENT: (100, 1, " %"), ShownAs.NUMBER: (1, 1, ""), ShownAs.YUAN: (1, 100, "")}
"""By how much a value is multiplied and divided when it is written, and what stands behind it."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A boundary, exact: 0.82 is 82 %."""

    ratio: Decimal
    comparison: Comparison
    at_risk_within: Decimal = Decimal(0)
    """Met by less than this is at risk."""

    @classmethod
    def of(cls, given: GoalIn) -> "Goal":
        """Return a goal as it was given."""
        return cls(given.boundary, given.comparison, given.at_risk_within)

    @property
    def direction(self) -> Direction:
        """Which way a value must go to meet it."""
        return Direction.HIGHER if self.comparison in _UPWARD else Direction.LOWER

    def met_by(self, numerator: int, denominator: int) -> bool:
        """Say whether numerator over denominator meets the goal; the denominator is positive."""
        goal_numerator, goal_denominator = self.ratio.as_integer_ratio()
        have, need = numerator * goal_denominator, goal_numerator * denominator
        match self.comparison:
            case Comparison.AT_LEAST:
                return have >= need
            case Comparison.MORE_THAN:
                return have > need
            case Comparison.AT_MOST:
                return have <= need
            case Comparison.LESS_THAN:
                return have < need

    def standing(self, numerator: int, denominator: int) -> Standing:
        """Say whether the goal is met, met by little, or not met."""
        if not self.met_by(numerator, denominator):
            return Standing.NOT_MET
        goal_numerator, goal_denominator = self.ratio.as_integer_ratio()
        within_numerator, within_denominator = self.at_risk_within.as_integer_ratio()
        distance = abs(numerator * goal_denominator - goal_numerator * denominator)
        near = distance * within_denominator < within_numerator * denominator * goal_denominator
        return Standing.AT_RISK if near else Standing.MET


def percent(numerator: int, denominator: int, goal: Goal) -> str:
    """Render a ratio in percent, two decimals half up (away from zero).

    Where two decimals would read as another verdict than the exact ratio's, more are shown.
    """
    return shown(numerator, denominator, goal, shown_as=ShownAs.PERCENT, decimals=_SHOWN_DECIMALS)


def shown(
    numerator: int, denominator: int, goal: Goal | None, *, shown_as: ShownAs, decimals: int
) -> str:
    """Render a value, half up (away from zero), with as many decimals as its goal needs.

    Where the decimals asked for would read as another verdict than the exact value's, more are shown.
    """
    times, divided, behind = _WRITTEN[shown_as]
    while True:
        scale: int = 10**decimals
        rounded = _half_up(numerator * times * scale, denominator * divided)
        if goal is None or goal.met_by(rounded * divided, times * scale) == goal.met_by(
            numerator, denominator
        ):
            break
        decimals += 1
    whole, rest = divmod(abs(rounded), scale)
    sign = "-" if rounded < 0 else ""
    written = f"{sign}{whole:,}" if shown_as is ShownAs.YUAN else f"{sign}{whole}"
    return written + (f".{rest:0{decimals}d}" if decimals else "") + behind


def _half_up(numerator: int, denominator: int) -> int:
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -magnitude if numerator < 0 else magnitude
