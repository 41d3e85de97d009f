"""What a plan costs. One unit is a minute of travel, unless a county sets other prices.

The plan with the lowest sum wins; so every price says how many minutes of travel something is worth.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Prices:
    """The policy of a county; how many promises may be broken is decided here."""

    travel: int = 1
    """A minute on the road."""
    left_out: tuple[int, ...] = (600, 300, 150, 80)
    """An order nobody does, by priority from 1 on."""
    late: int = 2
    """A minute that work begins after its soft deadline."""
    engineer_changed: int = 30
    """Somebody else comes than was promised."""
    promise_broken: tuple[int, ...] = (240, 240, 240, 240)
    """The work begins outside the promised time, or is left out; by priority."""
    pinned_left_out: int = 10_000
    """An order that somebody decided on is left out; on top of ``left_out``."""
    other_centre: int = 20
    """Somebody of another centre than the order's does it."""
    unfair: int = 0
    """For each engineer, times the square of their hours of work: equal loads cost least."""

    def __post_init__(self) -> None:
        if len(self.promise_broken) != len(self.left_out):
            raise ValueError("left_out and promise_broken need a price for each priority.")

    def unfairness(self, minutes: int) -> int:
        """Return the price of so many minutes of work with one engineer."""
        return self.unfair * minutes * minutes // 3600


@dataclass(frozen=True, slots=True)
class Cost:
    """A plan's cost, term by term."""

    travel: int = 0
    left_out: int = 0
    late: int = 0
    promises: int = 0
    other_centre: int = 0
    unfairness: int = 0

    @property
    def total(self) -> int:
        """Return the sum that the search makes small."""
        return sum(getattr(self, one.name) for one in fields(self))

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(*(getattr(self, one.name) - getattr(other, one.name) for one in fields(self)))
