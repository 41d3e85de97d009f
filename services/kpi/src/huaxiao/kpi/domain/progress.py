"""How far a target is, held against the calendar; and who is where among the centres."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from huaxiao.shared.periods import Period, first_day, last_day
from huaxiao.shared.wire.figures import Direction


@dataclass(frozen=True, slots=True)
class Months:
    """The months of a target, both ends included."""

    first: Period
    last: Period

    def hold(self, other: "Months") -> bool:
        """Say whether all months of another lie within these."""
        return self.first <= other.first and other.last <= self.last

    def elapsed(self, day: date) -> tuple[int, int]:
        """Return the days gone by at the end of a day, and all days there are."""
        begin, end = first_day(self.first), last_day(self.last)
        gone = (min(day, end) - begin).days + 1
        return max(gone, 0), (end - begin).days + 1


def on_schedule(amount: int, value: int, elapsed: tuple[int, int], direction: Direction) -> bool:
    """Say whether what is reached keeps up with the calendar, or a limit is not used up before it."""
    reached, due = amount * elapsed[1], value * elapsed[0]
    return reached >= due if direction is Direction.HIGHER else reached <= due


def ranks(values: Mapping[str, Fraction | None], direction: Direction) -> dict[str, int]:
    """Return places, 1 for the best; equal values share one, and what is not known has none."""
    sign = -1 if direction is Direction.HIGHER else 1
    known = {one: sign * value for one, value in values.items() if value is not None}
    return {one: 1 + sum(other < value for other in known.values()) for one, value in known.items()}
