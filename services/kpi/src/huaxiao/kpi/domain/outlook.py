"""What forecasts rest on: a unit's months, those of the base year, and how far the year has come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from huaxiao.kpi.domain.figures import BaseMonth
from huaxiao.kpi.domain.months import BranchMonths, Unit
from huaxiao.shared.periods import Period, as_period, periods_from, shift, year_before
from huaxiao.shared.wire.kpi import TargetName

MONTHS_FOR_MODELS = 24
MONTHS_FOR_INTERVAL = 3
_DECEMBER = 12

MARKET_MARGIN = ("revenue", "market_cost")
CASH = ("net_cash",)
WAGE = ("pay", "halves")
SERIES: Mapping[TargetName, tuple[str, ...]] = {
    TargetName.MARKET_GROSS_MARGIN: MARKET_MARGIN,
    TargetName.CASH_FLOW_GROWTH: CASH,
    TargetName.AVERAGE_WAGE_GROWTH: WAGE,
}
"""The series that each target is forecast by."""

Figures = tuple[int, ...]
"""One month's value of each series."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a target's forecast is a function of."""

    history: tuple[Figures, ...]
    """Months without a gap, the last one being the last that is known."""
    base: tuple[Figures, ...] | None
    """The base of every month of the year; None where some is not known."""
    done: int
    """How many months of the year are known: at least one, and the history's last ones."""
    left: int

    @property
    def so_far(self) -> Figures:
        """The sums of the year's months that are known."""
        return _summed(self.history[-self.done :])

    @property
    def base_so_far(self) -> Figures | None:
        """The sums of the base of the same months."""
        return self.base_until(self.done)

    @property
    def base_of_year(self) -> Figures | None:
        """The sums of the base of the whole year."""
        return None if self.base is None else _summed(self.base)

    def base_until(self, months: int) -> Figures | None:
        """Return the sums of the base of the year's first months."""
        return None if self.base is None else _summed(self.base[:months])


def _summed(months: Sequence[Figures]) -> Figures:
    return tuple(map(sum, zip(*months, strict=True)))


def ratio_of(target: TargetName, now: Sequence[Any], base: Sequence[Any]) -> tuple[Any, Any]:
    """Return a target's value as numerator and denominator, from sums of its series (R2, R3, R4).

    What is summed may be a whole number or an array of paths: the formula is the same.
    """
    match target:
        case TargetName.MARKET_GROSS_MARGIN:
            revenue, cost = now
            return revenue - cost, revenue
        case TargetName.CASH_FLOW_GROWTH:
            return now[0] - base[0], base[0]
        case TargetName.AVERAGE_WAGE_GROWTH:
            before = base[0] * now[1]
            return now[0] * base[1] - before, before


@dataclass(frozen=True, slots=True)
class Year:
    """The year that targets are judged by: a contract's term, or a calendar year without one."""

    months: tuple[Period, ...]
    contract_id: str | None


def year_of(county: BranchMonths, unit: Unit, period: Period) -> Year:
    """Return the year of a unit that a period lies in: its own contract's, else the county's."""
    term = county.term_of(unit, period)
    bounds = term or county.term_of(None, period)
    if bounds is None:
        first = as_period(period // 100 * 100 + 1)
        return Year(tuple(periods_from(first, shift(first, _DECEMBER - 1))), None)
    months = tuple(periods_from(bounds.term_from, bounds.term_to))
    return Year(months, None if term is None else term.contract_id)


def outlook(
    county: BranchMonths, unit: Unit, period: Period, year: Year, target: TargetName
) -> Outlook | None:
    """Return what a target's forecast rests on; None when a month of the year so far is not known.

    Months of the base year are the base's, which is back-cast to today's fields; others as booked.
    """
    done = [month for month in year.months if month <= period]
    term = county.term_of(unit, period)
    held = county.base.get(term.contract_id, {}) if term is not None else {}
    wanted = SERIES[target]
    history: list[Figures] = []
    month = period
    while len(history) < _LONGEST_MONTHS:
        based = held.get(month) if month < year.months[0] else None
        figures = _booked(county, unit, month, wanted) if based is None else _of(based, wanted)
        if figures is None:
            break
        history.insert(0, figures)
        month = shift(month, -1)
    if len(history) < len(done):
        return None
    base = [held.get(year_before(one)) for one in year.months]
    known = [_of(one, wanted) for one in base if one is not None]
    return Outlook(
        history=tuple(history),
        base=tuple(known) if len(known) == len(base) else None,
        done=len(done),
        left=len(year.months) - len(done),
    )


_OF_BASE: Mapping[str, Callable[[BaseMonth], int]] = {
    "revenue": lambda one: one.revenue_fen,
    "market_cost": lambda one: one.market_cost_fen,
    "net_cash": lambda one: one.cash_in_fen - one.cash_out_fen,
    "pay": lambda one: one.pay_fen,
    "halves": lambda one: 2 * one.headcount,
}


def _of(month: BaseMonth, wanted: Sequence[str]) -> Figures:
    return tuple(_OF_BASE[one](month) for one in wanted)


def _booked(
    county: BranchMonths, unit: Unit, month: Period, wanted: Sequence[str]
) -> Figures | None:
    known = county.known(unit, [month])
    held, paid = known.books, known.payroll
    values: dict[str, int] = {}
    if held is not None:
        values |= {"revenue": held.revenue_fen, "market_cost": held.market_cost_fen}
    if paid is not None:
        values |= {"pay": paid.pay_fen, "halves": paid.half_person_months}
    if held is not None and paid is not None:
        values["net_cash"] = held.cash_in_fen - held.cash_out_fen - paid.pay_fen
    if any(one not in values for one in wanted):
        return None
    return tuple(values[one] for one in wanted)


_LONGEST_MONTHS = 60
"""Older months say little of the next ones."""
