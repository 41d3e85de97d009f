"""From measures to the sums that targets are computed from, and what is not known of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from huaxiao.kpi.domain.definitions import HEADCOUNT_END, HEADCOUNT_START, PAY
from huaxiao.shared.periods import (
    FIRST_PERIOD,
    Period,
    as_period,
    first_day,
    last_day,
    periods_from,
    shift,
    year_before,
)
from huaxiao.shared.wire.kpi import Span

_ROLLING_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Payroll:
    """Pay and heads of a span."""

    pay_fen: int
    half_person_months: int
    """Heads at each month's start plus heads at its end: twice the average times the months."""


@dataclass(frozen=True, slots=True)
class Place:
    """A person's primary place from a day on, until the next."""

    person_id: str
    from_day: date
    centre_id: str
    own_staff: bool


def staffed(places: Iterable[Place], period: Period) -> frozenset[str]:
    """Return the centres that have own staff on a period's first or last day."""
    ordered = sorted(places, key=lambda place: place.from_day)
    found: set[str] = set()
    for day in (first_day(period), last_day(period)):
        held = {one.person_id: one for one in ordered if one.from_day <= day}
        found |= {one.centre_id for one in held.values() if one.own_staff}
    return frozenset(found)


PayrollRow = Mapping[str, int]
"""The payroll measures of a centre and month, by name."""


def payroll(
    recorded: Mapping[tuple[str, Period], PayrollRow],
    *,
    centres: Iterable[str],
    months: Sequence[Period],
    paid_months: frozenset[int],
    staffed_in: Mapping[Period, frozenset[str]],
) -> tuple[Payroll | None, tuple[Period, ...]]:
    """Sum the pay of centres over months, or name the months in which some pay is not known.

    ``paid_months`` are those in which some centre of the branch has its pay recorded: without
    any, nobody's is known, not even of a centre where nobody works.
    """
    wanted = tuple(centres)
    missing = tuple(
        month
        for month in months
        if month not in paid_months
        or any((one, month) not in recorded and one in staffed_in[month] for one in wanted)
    )
    if missing:
        return None, missing
    rows = [recorded[one, month] for one in wanted for month in months if (one, month) in recorded]
    halves = sum(row[HEADCOUNT_START] + row[HEADCOUNT_END] for row in rows)
    return Payroll(sum(row[PAY] for row in rows), halves), ()


@dataclass(frozen=True, slots=True)
class BaseMonth:
    """A month of a contract's base."""

    period: Period
    revenue_fen: int
    market_cost_fen: int
    cash_in_fen: int
    cash_out_fen: int
    pay_fen: int
    headcount: int


@dataclass(frozen=True, slots=True)
class Base:
    """The base of a span: sums of the same months one year earlier."""

    revenue_fen: int
    market_cost_fen: int
    cash_in_fen: int
    cash_out_fen: int
    """Contains pay."""
    pay_fen: int
    half_person_months: int


def base_of(months: Iterable[BaseMonth]) -> Base:
    """Sum months of a base."""
    held = tuple(months)
    return Base(
        revenue_fen=sum(one.revenue_fen for one in held),
        market_cost_fen=sum(one.market_cost_fen for one in held),
        cash_in_fen=sum(one.cash_in_fen for one in held),
        cash_out_fen=sum(one.cash_out_fen for one in held),
        pay_fen=sum(one.pay_fen for one in held),
        half_person_months=sum(2 * one.headcount for one in held),
    )


@dataclass(frozen=True, slots=True)
class Term:
    """A signed contract: the county's own when ``centre_id`` is None."""

    contract_id: str
    centre_id: str | None
    term_from: Period
    term_to: Period

    def covers(self, period: Period) -> bool:
        """Say whether a period lies in the term."""
        return self.term_from <= period <= self.term_to


def contract_of(terms: Iterable[Term], centre_id: str | None, period: Period) -> Term | None:
    """Return the contract of a centre, or of the county, that covers a period."""
    covering = [one for one in terms if one.centre_id == centre_id and one.covers(period)]
    return max(covering, key=lambda one: (one.term_from, one.contract_id), default=None)


def base_months_of(
    terms: Iterable[Term],
    base: Mapping[str, Mapping[Period, BaseMonth]],
    centre_id: str | None,
    months: Iterable[Period],
) -> dict[Period, BaseMonth]:
    """Return the base of months, each by the contract it lies in: a span may begin before the last one.

    What no contract states is left out; keys are the months of the year before.
    """
    held = tuple(terms)
    found = {}
    for month in months:
        term = contract_of(held, centre_id, month)
        stated = {} if term is None else base.get(term.contract_id, {})
        if year_before(month) in stated:
            found[year_before(month)] = stated[year_before(month)]
    return found


def months_of(
    span: Span, period: Period, own: Term | None, county: Term | None
) -> tuple[Period, ...]:
    """Return the months a figure covers, the last one being ``period``; none before the calendar's."""
    if span is Span.MONTH:
        return (period,)
    if span is Span.ROLLING_TWELVE_MONTHS:
        first = max(shift(period, 1 - _ROLLING_MONTHS), FIRST_PERIOD)
        return tuple(periods_from(first, period))
    term = own or county
    first = term.term_from if term is not None else as_period(period // 100 * 100 + 1)
    return tuple(periods_from(first, period))
