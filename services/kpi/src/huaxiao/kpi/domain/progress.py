"""How far a target is, held against the calendar; and who is where among the centres."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from huaxiao.kpi.domain.goals import Goal
from huaxiao.shared.periods import Period, first_day, last_day, periods_from, shift
from huaxiao.shared.wire.figures import Direction
from huaxiao.shared.wire.forecasts import NeededState


@dataclass(frozen=True, slots=True)
class Months:
    """The months of a target, both ends included."""

    first: Period
    last: Period

    def hold(self, other: "Months") -> bool:
        """Say whether all months of another lie within these."""
        return self.first <= other.first and other.last <= self.last

    def until(self, period: Period) -> tuple[Period, ...]:
        """Return the months up to a period that is one of them."""
        return tuple(periods_from(self.first, period))

    def after(self, period: Period) -> tuple[Period, ...]:
        """Return the months behind a period that is one of them."""
        return tuple(periods_from(shift(period, 1), self.last))

    def elapsed(self, day: date) -> tuple[int, int]:
        """Return the days gone by at the end of a day, and all days there are."""
        begin, end = first_day(self.first), last_day(self.last)
        gone = (min(day, end) - begin).days + 1
        return max(gone, 0), (end - begin).days + 1


def on_schedule(amount: int, value: int, elapsed: tuple[int, int], direction: Direction) -> bool:
    """Say whether what is reached keeps up with the calendar, or a limit is not used up before it."""
    reached, due = amount * elapsed[1], value * elapsed[0]
    return reached >= due if direction is Direction.HIGHER else reached <= due


@dataclass(frozen=True, slots=True)
class AmountTarget:
    """What a unit is to reach of a measure, or is not to pass, over all months."""

    target_id: str
    unit: str | None
    """A centre; None is the county."""
    measure: str
    value: int
    months: Months
    direction: Direction

    def met_by(self, amount: int) -> bool:
        """Say whether an amount over all the months meets it."""
        if self.direction is Direction.HIGHER:
            return amount >= self.value
        return amount <= self.value

    def rest(self, reached: int, left: int) -> "Rest":
        """Return what the months that are left must bring, or may use up; whole numbers decide."""
        rest = self.value - reached
        if left == 0:
            return Rest(rest, None, NeededState.MET if self.met_by(reached) else NeededState.MISSED)
        if self.direction is Direction.HIGHER:
            state = NeededState.SAFE if rest <= 0 else NeededState.OPEN
            return Rest(rest, math.ceil(Fraction(rest, left)), state)
        state = NeededState.LOST if rest < 0 else NeededState.OPEN
        return Rest(rest, math.floor(Fraction(rest, left)), state)


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a target's value, in all and for each month that is left."""

    amount: int
    """Below zero when the value is passed."""
    a_month: int | None
    """Rounded so that as much in every month is enough, or not too much; None with no month left."""
    state: NeededState


@dataclass(frozen=True, slots=True)
class FigureGoal:
    """A goal of its own that a unit has of a figure in some months."""

    target_id: str
    unit: str | None
    figure: str
    months: Months
    goal: Goal


def ranks(values: Mapping[str, Fraction | None], direction: Direction) -> dict[str, int]:
    """Return places, 1 for the best; equal values share one, and what is not known has none."""
    sign = -1 if direction is Direction.HIGHER else 1
    known = {one: sign * value for one, value in values.items() if value is not None}
    return {one: 1 + sum(other < value for other in known.values()) for one, value in known.items()}
