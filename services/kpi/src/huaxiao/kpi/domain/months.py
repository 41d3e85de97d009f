"""What is known of a branch month by month: what analyses of more than one figure look at."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, cached_property

from huaxiao.kpi.domain.definitions import (
    BALANCES,
    HEADCOUNT_END,
    HEADCOUNT_START,
    PAY,
    PAYROLL,
    PAYROLL_MEASURES,
    rule_of,
)
from huaxiao.kpi.domain.figures import (
    Base,
    BaseMonth,
    Payroll,
    Place,
    Term,
    base_months_of,
    base_of,
    contract_of,
    months_of,
    payroll,
    staffed,
)
from huaxiao.kpi.domain.known import Cause, Known, YearBefore
from huaxiao.shared.books import Books, books
from huaxiao.shared.periods import Period, first_day, last_day, year_before
from huaxiao.shared.wire.attribution import (
    ADJUSTMENTS,
    BAD_DEBT,
    CASH_IN,
    CASH_OUT_PREFIX,
    COST_PREFIX,
    REFUNDS,
    REVENUE,
)
from huaxiao.shared.wire.kpi import ReasonCode, Span

_PAYROLL = frozenset(PAYROLL_MEASURES)
_ACCOUNTS = {REVENUE, REFUNDS, ADJUSTMENTS, BAD_DEBT, CASH_IN}
Unit = str | None
"""A centre; None is the county, the sum over all its centres."""


def is_booked(measure: str) -> bool:
    """Say whether a measure shows that a month has books."""
    return measure in _ACCOUNTS or measure.startswith((COST_PREFIX, CASH_OUT_PREFIX))


@dataclass(frozen=True)
class BranchMonths:
    """A branch's measures by month, with the contracts, bases and people they are judged by."""

    measures: Mapping[tuple[str, Period], Mapping[str, int]]
    """By centre and month."""
    names: Mapping[str, tuple[str, str]]
    """For each centre its English and its Chinese name."""
    name_zh: str = ""
    """Of the branch."""
    closed: AbstractSet[str] = frozenset()
    """The centres that had closed before the period asked about."""
    terms: Sequence[Term] = ()
    base: Mapping[str, Mapping[Period, BaseMonth]] = field(default_factory=dict)
    """By contract."""
    places: Sequence[Place] = ()
    closed_through: int = 0
    reorganised_on: Sequence[date] = ()
    """The days from which plans placed people and channels anew."""

    @cached_property
    def booked_months(self) -> frozenset[Period]:
        """The months in which the branch has any entry."""
        return frozenset(
            month for (_, month), held in self.measures.items() if any(map(is_booked, held))
        )

    @cached_property
    def paid_months(self) -> frozenset[Period]:
        """The months in which some centre's pay is recorded."""
        return frozenset(month for (_, month), held in self.measures.items() if PAY in held)

    @cached_property
    def _staffed_in(self) -> dict[Period, frozenset[str]]:
        return {}

    def _staffed(self, month: Period) -> frozenset[str]:
        """Return the centres with own staff in a month, worked out once for all units."""
        if month not in self._staffed_in:
            self._staffed_in[month] = staffed(self.places, month)
        return self._staffed_in[month]

    @cached_property
    def centre_ids(self) -> tuple[str, ...]:
        """Every centre that is registered or has a measure."""
        return tuple(sorted({*self.names, *(centre_id for centre_id, _ in self.measures)}))

    def centres_of(self, unit: Unit) -> tuple[str, ...]:
        """Return the centres that a unit is the sum of."""
        return self.centre_ids if unit is None else (unit,)

    def named(self, centre_id: str) -> tuple[str, str]:
        """Return a centre's names; one that only the ledger knows yet is called by its code."""
        return self.names.get(centre_id, (centre_id, centre_id))

    def listed(self, months: Iterable[Period]) -> tuple[str, ...]:
        """Return the centres there were, and others if something is booked to them."""
        wanted = tuple(months)
        there = self.names.keys() - self.closed
        return tuple(
            one
            for one in self.centre_ids
            if one in there or any((one, month) in self.measures for month in wanted)
        )

    def term_of(self, unit: Unit, period: Period) -> Term | None:
        """Return the contract of a unit that covers a period."""
        return contract_of(self._terms_of.get(unit, ()), unit, period)

    @cached_property
    def _terms_of(self) -> dict[Unit, list[Term]]:
        found: dict[Unit, list[Term]] = {}
        for one in self.terms:
            found.setdefault(one.centre_id, []).append(one)
        return found

    def span_of(self, unit: Unit, span: Span, period: Period) -> tuple[Period, ...]:
        """Return the months that a unit's figures cover."""
        return months_of(span, period, self.term_of(unit, period), self.term_of(None, period))

    @cached_property
    def _sums_of(self) -> dict[tuple[Unit, tuple[Period, ...]], Mapping[str, int]]:
        return {}

    def sums(self, unit: Unit, months: Iterable[Period]) -> Mapping[str, int]:
        """Sum a unit's measures over months, by name."""
        asked = unit, tuple(months)
        found = self._sums_of.get(asked)
        if found is None:
            parts: Iterable[Mapping[str, int]]
            if unit is None:
                parts = [self.sums(one, asked[1]) for one in self.centre_ids]
            else:
                held = [self.measures.get((unit, month)) for month in asked[1]]
                parts = [one for one in held if one is not None]
            found = self._sums_of[asked] = _added(parts)
        return found

    def base_of(self, unit: Unit, period: Period, months: Sequence[Period]) -> Base | Cause:
        """Return the base of months that end in a period under contract, or why there is none.

        A month that lies before the contract that covers the period is compared with the base of
        the contract it lies in.
        """
        term = self.term_of(unit, period)
        held = {} if term is None else base_months_of(self.terms, self.base, unit, months)
        if not held:
            return Cause(ReasonCode.NO_BASE)
        wanted = [year_before(month) for month in months]
        lacking = tuple(month for month in wanted if month not in held)
        if lacking:
            return Cause(ReasonCode.BASE_INCOMPLETE, lacking)
        return base_of(held[month] for month in wanted)

    @cached_property
    def _known_of(self) -> dict[tuple[Unit, tuple[Period, ...]], Known]:
        return {}

    def known(self, unit: Unit, months: Sequence[Period]) -> Known:
        """Return what is known of a unit over months, the last of which says by which contract."""
        asked = unit, tuple(months)
        if asked not in self._known_of:
            self._known_of[asked] = self._summed(*asked)
        return self._known_of[asked]

    @cached_property
    def _paid(self) -> dict[tuple[str, Period], Mapping[str, int]]:
        """By centre and month, where all of a payroll is recorded."""
        return {key: held for key, held in self.measures.items() if held.keys() >= _PAYROLL}

    def _summed(self, unit: Unit, months: tuple[Period, ...]) -> Known:
        causes = []
        without = tuple(month for month in months if month not in self.booked_months)
        if without:
            causes.append(Cause(ReasonCode.NO_BOOKS, without))
        paid, unpaid = payroll(
            self._paid,
            centres=self.centres_of(unit),
            months=months,
            paid_months=frozenset[int](self.paid_months),
            staffed_in={month: self._staffed(month) for month in months},
        )
        if unpaid:
            causes.append(Cause(ReasonCode.PAYROLL_MISSING, unpaid))
        before = self._year_before(unit, months)
        base = self.base_of(unit, months[-1], months)
        if isinstance(base, Cause):
            causes.append(base)
            causes += (one for one in before.causes if one.code is ReasonCode.CENTRE_NEW)
        accounts = self.sums(unit, months)
        return Known(
            books=None if without else self.books(unit, months),
            payroll=paid,
            base=None if isinstance(base, Cause) else base,
            causes=tuple(causes),
            accounts=accounts,
            months=len(months),
            year_before=before,
        )

    @cached_property
    def _books_of(self) -> dict[tuple[Unit, tuple[Period, ...]], Books]:
        return {}

    def books(self, unit: Unit, months: Sequence[Period]) -> Books:
        """Sum a unit's accounts over months."""
        asked = unit, tuple(months)
        if asked not in self._books_of:
            self._books_of[asked] = books(self.sums(*asked).items())
        return self._books_of[asked]

    def booked_before(self, unit: Unit, months: Sequence[Period]) -> Known:
        """Return what was booked to a unit a year before, whatever it was then."""
        before = tuple(year_before(month) for month in months)
        told = self._told_in(before)
        held = self.sums(unit, before)
        heads = held.get(HEADCOUNT_START, 0) + held.get(HEADCOUNT_END, 0)
        return Known(
            books=books(held.items()) if BALANCES in told else None,
            payroll=Payroll(held.get(PAY, 0), heads) if PAYROLL in told else None,
            base=None,
            accounts=held,
            months=len(before),
        )

    @cached_property
    def _told(self) -> dict[Period, set[str]]:
        """By month the facts that the branch's measures were fed by, in whatever centre."""
        names: dict[Period, set[str]] = {}
        for (_, month), held in self.measures.items():
            names.setdefault(month, set()).update(held)
        return {month: {_fed_by(one) for one in held} for month, held in names.items()}

    @cached_property
    def _told_of(self) -> dict[tuple[Period, ...], set[str]]:
        return {}

    def _told_in(self, months: tuple[Period, ...]) -> set[str]:
        """Return the facts that were told of each of some months."""
        if months not in self._told_of:
            told = [self._told.get(month, set()) for month in months]
            self._told_of[months] = set.intersection(*told)
        return self._told_of[months]

    def _year_before(self, unit: Unit, months: tuple[Period, ...]) -> YearBefore:
        """Return what was booked a year before, where like is held against like."""
        before = tuple(year_before(month) for month in months)
        told = self._told_in(before)
        if unit is not None:
            begin, end = last_day(before[0]), last_day(months[-1])
            if any(begin < day <= end for day in self.reorganised_on):
                return YearBefore(causes=(Cause(ReasonCode.CENTRE_REORGANISED),))
            was_there = any((unit, month) in self.measures for month in before)
            if BALANCES in told and not was_there:
                return YearBefore(causes=(Cause(ReasonCode.CENTRE_NEW),))
        accounts: dict[str, dict[str, int]] = {source: {} for source in told}
        for measure, amount in self.sums(unit, before).items():
            if (source := _fed_by(measure)) in accounts:
                accounts[source][measure] = amount
        return YearBefore(accounts)

    def with_measures(self, amounts: Mapping[tuple[str, Period, str], int]) -> "BranchMonths":
        """Return the same branch with other amounts of some measures."""
        changed = {key: dict(held) for key, held in self.measures.items()}
        for (centre_id, month, measure), amount in amounts.items():
            changed.setdefault((centre_id, month), {})[measure] = amount
        return replace(self, measures=changed)


def _added(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for held in parts:
        for measure, amount in held.items():
            found[measure] = found.get(measure, 0) + amount
    return found


@cache
def _fed_by(measure: str) -> str:
    """Return the fact that a measure as the feeds tell it is fed by."""
    rule = rule_of(measure)
    return BALANCES if rule is None else rule.source


def staff_halves(places: Iterable[Place], months: Iterable[Period]) -> dict[tuple[str, str], int]:
    """Count, by centre and person, at how many months' first and last days they are own staff."""
    ordered = sorted(places, key=lambda place: place.from_day)
    found: dict[tuple[str, str], int] = {}
    for month in months:
        for day in (first_day(month), last_day(month)):
            held = {one.person_id: one for one in ordered if one.from_day <= day}
            for one in held.values():
                if one.own_staff:
                    key = one.centre_id, one.person_id
                    found[key] = found.get(key, 0) + 1
    return found
