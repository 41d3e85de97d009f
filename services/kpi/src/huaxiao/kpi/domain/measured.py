"""What any named measure comes to for a unit month by month, and what its forecast rests on."""

from collections import Counter
from dataclasses import replace

from huaxiao.kpi.domain import named
from huaxiao.kpi.domain.definitions import BALANCES
from huaxiao.kpi.domain.figures import BaseMonth, base_of
from huaxiao.kpi.domain.known import Known
from huaxiao.kpi.domain.months import BranchMonths, Unit
from huaxiao.kpi.domain.named import SPOKEN, Found
from huaxiao.kpi.domain.outlook import Outlook
from huaxiao.kpi.domain.progress import AmountTarget
from huaxiao.shared.periods import FIRST_PERIOD, LAST_PERIOD, Period, shift, year_before

_LONGEST_MONTHS = 60


def measured(county: BranchMonths, unit: Unit, months: tuple[Period, ...], measure: str) -> Found:
    """Return what a measure comes to for a unit over months, or why that is not known."""
    known = county.known(unit, months)
    if measure not in SPOKEN:
        held = (county.sums(one, months).get(measure, 0) for one in county.centres_of(unit))
        known = replace(known, accounts={measure: sum(held)})
    return named.now(known, measure)


def known_of(county: BranchMonths, unit: Unit, months: tuple[Period, ...]) -> Known:
    """Return what is known of a unit over months with every measure of it, as formulas ask for.

    The year before as it was booked is not among it.
    """
    accounts: Counter[str] = Counter()
    for one in county.centres_of(unit):
        accounts.update(county.sums(one, months))
    return replace(county.known(unit, months), accounts=accounts, months=len(months))


def amount_outlook(county: BranchMonths, target: AmountTarget, period: Period) -> Outlook | None:
    """Return what the forecast of a target's measure rests on; None when a month so far is unknown.

    Months of the year before the contract's are those of its base where it states the measure;
    others as booked.
    """
    done = target.months.until(period)
    series = _Series(county, target.unit, target.measure, period)
    history: list[tuple[int]] = []
    month = period
    while len(history) < max(_LONGEST_MONTHS, len(done)):
        amount = series.at(month, of_target=month >= target.months.first)
        if amount is None:
            break
        history.insert(0, (amount,))
        month = shift(month, -1)
    if len(history) < len(done):
        return None
    left = target.months.after(period)
    base = [series.at(year_before(one), of_target=False) for one in (*done, *left)]
    known = tuple((one,) for one in base if one is not None)
    return Outlook(
        history=tuple(history),
        base=known if len(known) == len(base) else None,
        done=len(done),
        left=len(left),
    )


class _Series:
    """A measure of a unit by month."""

    def __init__(self, county: BranchMonths, unit: Unit, measure: str, period: Period) -> None:
        self._county, self._unit, self._measure = county, unit, measure
        term = county.term_of(unit, period)
        self._base = {} if term is None else county.base.get(term.contract_id, {})
        self._year_begins = None if term is None else term.term_from
        self._silent_before = self._first_told()

    def at(self, month: Period, *, of_target: bool) -> int | None:
        """Return a month's amount; before anything was counted, zero is one for a target only."""
        based = self._of_base(self._base.get(month))
        if based is not None and self._year_begins is not None and month < self._year_begins:
            return based
        if not of_target and month < self._silent_before:
            return None
        found = measured(self._county, self._unit, (month,), self._measure).amount
        return None if found is None else found.numerator

    def _of_base(self, month: BaseMonth | None) -> int | None:
        spoken = SPOKEN.get(self._measure)
        if month is None or spoken is None or spoken.of_base is None:
            return None
        return spoken.of_base(base_of([month]))

    def _first_told(self) -> int:
        """Return the first month that the branch was told of by the fact that feeds the measure.

        Of books and pay it is known of every month whether they are there.
        """
        source = named.source_of(self._measure)
        if source == BALANCES:
            return FIRST_PERIOD
        told = (
            month
            for (_, month), held in self._county.measures.items()
            if any(named.source_of(one) == source for one in held)
        )
        return min(told, default=LAST_PERIOD)
