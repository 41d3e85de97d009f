"""What is known of a branch month by month: what analyses of more than one figure look at."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property

from huaxiao.kpi.domain.definitions import PAY, PAYROLL_MEASURES
from huaxiao.kpi.domain.figures import (
    Base,
    BaseMonth,
    Place,
    Term,
    base_months_of,
    base_of,
    contract_of,
    months_of,
    payroll,
    staffed,
)
from huaxiao.kpi.domain.known import Cause, Known
from huaxiao.shared.books import books
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
        return contract_of(self.terms, unit, period)

    def span_of(self, unit: Unit, span: Span, period: Period) -> tuple[Period, ...]:
        """Return the months that a unit's figures cover."""
        return months_of(span, period, self.term_of(unit, period), self.term_of(None, period))

    def sums(self, centre_id: str, months: Iterable[Period]) -> dict[str, int]:
        """Sum a centre's measures over months."""
        found: dict[str, int] = {}
        for month in months:
            for measure, amount in self.measures.get((centre_id, month), {}).items():
                found[measure] = found.get(measure, 0) + amount
        return found

    def base_of(self, unit: Unit, period: Period, months: Sequence[Period]) -> Base | Cause:
        """Return the base of months that end in a period under contract, or why there is none."""
        term = self.term_of(unit, period)
        held = {} if term is None else base_months_of(self.terms, self.base, unit, months)
        if not held and (term is None or not self.base.get(term.contract_id)):
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

    def _summed(self, unit: Unit, months: Sequence[Period]) -> Known:
        centre_ids = self.centres_of(unit)
        causes = []
        without = tuple(month for month in months if month not in self.booked_months)
        if without:
            causes.append(Cause(ReasonCode.NO_BOOKS, without))
        paid, unpaid = payroll(
            {
                (one, month): self.measures[one, month]
                for one in centre_ids
                for month in months
                if (one, month) in self.measures
                and set(PAYROLL_MEASURES) <= self.measures[one, month].keys()
            },
            centres=centre_ids,
            months=months,
            paid_months=frozenset[int](self.paid_months),
            staffed_in={month: self._staffed(month) for month in months},
        )
        if unpaid:
            causes.append(Cause(ReasonCode.PAYROLL_MISSING, unpaid))
        base = self.base_of(unit, months[-1], months)
        if isinstance(base, Cause):
            causes.append(base)
        held = None
        if not without:
            accounts = [self.sums(one, months).items() for one in centre_ids]
            held = books(account for of_centre in accounts for account in of_centre)
        return Known(held, paid, None if isinstance(base, Cause) else base, tuple(causes))

    def with_measures(self, amounts: Mapping[tuple[str, Period, str], int]) -> "BranchMonths":
        """Return the same branch with other amounts of some measures."""
        changed = {key: dict(held) for key, held in self.measures.items()}
        for (centre_id, month, measure), amount in amounts.items():
            changed.setdefault((centre_id, month), {})[measure] = amount
        return replace(self, measures=changed)


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
