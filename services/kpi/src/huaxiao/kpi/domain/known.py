"""What is known of a county or centre over a span, and what is not and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from huaxiao.kpi.domain.figures import Base, Payroll
from huaxiao.shared.books import Books
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.kpi import ReasonCode


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a figure cannot be computed, and in which months if it is not the whole span."""

    code: ReasonCode
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class YearBefore:
    """What was booked in the same months a year before: for what no contract's base states."""

    accounts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By the fact they are fed by and by measure; without those of which some month told nothing,
    and empty where like would not be held against like."""
    causes: tuple[Cause, ...] = (Cause(ReasonCode.NO_BASE),)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a county or centre over a span. None is not known, and a cause says why."""

    books: Books | None
    payroll: Payroll | None
    base: Base | None
    causes: tuple[Cause, ...] = field(default=())
    accounts: Mapping[str, int] = field(default_factory=dict)
    """Every measure of the span by its own name, debit positive."""
    months: int = 1
    year_before: YearBefore = field(default_factory=YearBefore)

    def why(self, *codes: ReasonCode) -> tuple[Cause, ...]:
        """Return the causes of some kinds."""
        return tuple(cause for cause in self.causes if cause.code in codes)
