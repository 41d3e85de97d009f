"""What is known of a branch over spans of months: loaded once a question, summed as it is asked."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county import store as county_store
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
    PayrollRow,
    Term,
    base_months_of,
    base_of,
    contract_of,
    months_of,
    payroll,
    staffed,
)
from huaxiao.kpi.domain.known import Cause, Known, YearBefore
from huaxiao.kpi.measures import store as measure_store
from huaxiao.shared.books import Books, books
from huaxiao.shared.periods import Period, last_day, periods_from, year_before
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
_ACCOUNT_PREFIXES = (COST_PREFIX, CASH_OUT_PREFIX)
_Sums = Mapping[str, Mapping[str, int]]
"""By centre and measure."""


@dataclass(frozen=True)
class Shown:
    """The county or a centre that figures are told of."""

    centre_id: str | None
    """None for the county."""
    name: str
    name_zh: str
    months: tuple[Period, ...]
    term: Term | None
    """The contract that covers the period, whose base is compared with."""

    def over(self, months: tuple[Period, ...]) -> "Shown":
        """Return the same over other months."""
        return replace(self, months=months)


@dataclass(frozen=True)
class County:
    """What is known of a branch, as far as one report needs it."""

    county: Shown | None
    """None for a caller who sees single centres only."""
    centres: tuple[Shown, ...]
    everybody: frozenset[str]
    """Every centre that is named or that something is booked to: the county's figures sum them."""
    sums: Mapping[Period, _Sums]
    """Measures summed from a first month to the report's period, by that first month."""
    sums_before: Mapping[Period, _Sums]
    """The same a year before, by the same first month."""
    told_before: Mapping[Period, frozenset[str]]
    """For months a year before, the facts that the branch's measures were fed by."""
    booked_months: frozenset[int]
    paid_months: frozenset[int]
    pay: Mapping[tuple[str, Period], PayrollRow]
    staffed_in: Mapping[Period, frozenset[str]]
    terms: Sequence[Term]
    base: Mapping[str, Mapping[Period, BaseMonth]]
    reorganised_on: Sequence[date]
    closed_through: int

    @property
    def open_periods(self) -> list[Period]:
        """Return the months shown, of the county or any centre, that are not closed."""
        shown = (self.county, *self.centres)
        covered = {month for one in shown if one is not None for month in one.months}
        return sorted(month for month in covered if month > self.closed_through)

    def shown(self, centre_id: str | None) -> Shown | None:
        """Return the county or a centre; None where the caller may not see it or it is not there."""
        if centre_id is None:
            return self.county
        return next((one for one in self.centres if one.centre_id == centre_id), None)

    def provisional(self, shown: Shown) -> bool:
        """Say whether some month shown is still open."""
        return shown.months[-1] > self.closed_through

    def known(self, shown: Shown) -> Known:
        """Sum what is known of the county or a centre over its months."""
        wanted = self._centres_of(shown)
        months = shown.months
        causes = []
        without = tuple(month for month in months if month not in self.booked_months)
        if without:
            causes.append(Cause(ReasonCode.NO_BOOKS, without))
        paid, unpaid = payroll(
            self.pay,
            centres=wanted,
            months=months,
            paid_months=self.paid_months,
            staffed_in=self.staffed_in,
        )
        if unpaid:
            causes.append(Cause(ReasonCode.PAYROLL_MISSING, unpaid))
        before = self._year_before(shown)
        base = self._base(shown, causes)
        if base is None and _is_new(before):
            causes.append(Cause(ReasonCode.CENTRE_NEW))
        return Known(
            books=None if without else self.books(shown),
            payroll=paid,
            base=base,
            causes=tuple(causes),
            accounts=_added(self.sums[months[0]], wanted),
            months=len(months),
            year_before=before,
        )

    def booked_before(self, shown: Shown) -> Known:
        """Return what was booked to the county or a centre a year before, whatever it was then."""
        before = [year_before(month) for month in shown.months]
        told = [self.told_before.get(month, frozenset()) for month in before]
        sums = self.sums_before[shown.months[0]]
        held = _added(sums, sums if shown.centre_id is None else [shown.centre_id])
        heads = held[HEADCOUNT_START] + held[HEADCOUNT_END]
        return Known(
            books=books(held.items()) if all(BALANCES in one for one in told) else None,
            payroll=Payroll(held[PAY], heads) if all(PAYROLL in one for one in told) else None,
            base=None,
            accounts=held,
            months=len(before),
        )

    def books(self, shown: Shown) -> Books:
        """Sum the accounts of the county or a centre over its months."""
        return books(_added(self.sums[shown.months[0]], self._centres_of(shown)).items())

    def _centres_of(self, shown: Shown) -> list[str]:
        return sorted(self.everybody) if shown.centre_id is None else [shown.centre_id]

    def _base(self, shown: Shown, causes: list[Cause]) -> Base | None:
        held = {}
        if shown.term is not None:
            held = base_months_of(self.terms, self.base, shown.centre_id, shown.months)
        if not held and (shown.term is None or not self.base.get(shown.term.contract_id)):
            causes.append(Cause(ReasonCode.NO_BASE))
            return None
        wanted = [year_before(month) for month in shown.months]
        lacking = tuple(month for month in wanted if month not in held)
        if lacking:
            causes.append(Cause(ReasonCode.BASE_INCOMPLETE, lacking))
            return None
        return base_of(held[month] for month in wanted)

    def _year_before(self, shown: Shown) -> YearBefore:
        """Return what was booked a year before, where like is held against like."""
        before = [year_before(month) for month in shown.months]
        told = frozenset.intersection(
            *(self.told_before.get(month, frozenset()) for month in before)
        )
        sums = self.sums_before[shown.months[0]]
        if shown.centre_id is None:
            return YearBefore(_by_source(_added(sums, sums), told))
        if any(
            last_day(before[0]) < day <= last_day(shown.months[-1]) for day in self.reorganised_on
        ):
            return YearBefore(causes=(Cause(ReasonCode.CENTRE_REORGANISED),))
        if shown.centre_id not in sums and BALANCES in told:
            return YearBefore(causes=(Cause(ReasonCode.CENTRE_NEW),))
        return YearBefore(_by_source(_added(sums, [shown.centre_id]), told))


def _is_new(before: YearBefore) -> bool:
    return any(cause.code is ReasonCode.CENTRE_NEW for cause in before.causes)


def _added(sums: _Sums, centre_ids: Iterable[str]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in centre_ids:
        for measure, amount in sums.get(one, {}).items():
            total[measure] += amount
    return total


def _fed_by(measure: str) -> str:
    """Return the fact that a measure as the feeds tell it is fed by."""
    rule = rule_of(measure)
    return BALANCES if rule is None else rule.source


def _by_source(amounts: Mapping[str, int], told: frozenset[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {source: {} for source in told}
    for measure, amount in amounts.items():
        if (source := _fed_by(measure)) in found:
            found[source][measure] = amount
    return found


async def load(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: Period,
    span: Span,
    centre_ids: frozenset[str] | None,
    with_county: bool,
    known_at: datetime | None,
    starts: AbstractSet[Period] = frozenset(),
) -> County:
    """Load what is known of a branch at a period, as far as a caller may see it.

    With a moment, what was known then: measures, pay, contracts, names and closed months. ``starts``
    are further first months from which spans to the period are asked for.

    Raises:
        NotFound: no fact has told of the branch.

    """
    await county_store.require_branch(connection, branch_id, known_at)
    terms = await county_store.terms(
        connection, branch_id, period, centre_ids=centre_ids, known_at=known_at
    )
    called = await county_store.names(connection, branch_id, period, known_at)
    of_county = contract_of(terms, None, period)
    own_terms = {one: contract_of(terms, one, period) for one in called.centres}
    months = {one: months_of(span, period, own, of_county) for one, own in own_terms.items()}
    county_months = months_of(span, period, None, of_county)
    further = [tuple(periods_from(start, period)) for start in starts]
    spans = [*months.values(), county_months, *further]
    first = min(one[0] for one in spans)
    read = measure_store.Read(connection, branch_id, centre_ids, known_at)
    begins = sorted({one[0] for one in spans})
    sums = {start: await read.sums(start, period) for start in begins}
    sums_before = {
        start: await read.sums(year_before(start), year_before(period)) for start in begins
    }
    booked = sums[county_months[0]]
    # A centre that only the ledger knows yet is in the county's sums, so it is listed too.
    everybody = frozenset({*called.centres, *booked})
    # One that closed before the period is listed for what is booked to it, if anything is.
    there = everybody - (called.closed - booked.keys())
    told = await read.told(first, period)
    pay: dict[tuple[str, Period], dict[str, int]] = {}
    for row in await read.named(PAYROLL_MEASURES, first, period):
        pay.setdefault((row["centre_id"], row["period"]), {})[row["measure"]] = row["amount"]
    places = await county_store.all_places(connection, branch_id, known_at)
    longest = max(spans, key=len)
    return County(
        county=Shown(None, "County", called.name_zh, county_months, of_county)
        if with_county
        else None,
        centres=tuple(
            Shown(
                one,
                *called.centres.get(one, (one, one)),
                months=months.get(one, county_months),
                term=own_terms.get(one),
            )
            for one in sorted(there)
            if centre_ids is None or one in centre_ids
        ),
        everybody=everybody,
        sums=sums,
        sums_before=sums_before,
        told_before={
            month: frozenset(_fed_by(measure) for measure in measures)
            for month, measures in (
                await read.told(year_before(first), year_before(period))
            ).items()
        },
        booked_months=frozenset(
            month for month, measures in told.items() if any(map(_is_book, measures))
        ),
        paid_months=frozenset(month for month, measures in told.items() if PAY in measures),
        pay=pay,
        staffed_in={month: staffed(places, month) for month in longest},
        terms=terms,
        base=await county_store.base_of(
            connection,
            branch_id,
            [one.contract_id for one in terms],
            first=year_before(first),
            last=year_before(period),
        ),
        reorganised_on=await county_store.reorganised_on(connection, branch_id, known_at),
        closed_through=await county_store.closed_through(connection, branch_id, known_at),
    )


def _is_book(measure: str) -> bool:
    return measure in _ACCOUNTS or measure.startswith(_ACCOUNT_PREFIXES)
