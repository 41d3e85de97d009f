"""Targets: load what is known of a branch, judge, render."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county import store as county_store
from huaxiao.kpi.domain.definitions import PAY, PAYROLL_MEASURES, REASONS, VERSION
from huaxiao.kpi.domain.figures import (
    Base,
    BaseMonth,
    PayrollRow,
    Term,
    base_of,
    contract_of,
    months_of,
    payroll,
    staffed,
)
from huaxiao.kpi.domain.targets import Cause, Judgement, Known, all_goals_met, judge
from huaxiao.kpi.measures import store as measure_store
from huaxiao.shared.books import Books, books
from huaxiao.shared.periods import Period, year_before
from huaxiao.shared.wire.attribution import (
    ADJUSTMENTS,
    BAD_DEBT,
    CASH_IN,
    CASH_OUT_PREFIX,
    COST_PREFIX,
    REFUNDS,
    REVENUE,
)
from huaxiao.shared.wire.kpi import (
    Component,
    Quotient,
    Reason,
    ReasonCode,
    Span,
    Target,
    TargetReport,
    TargetsOf,
)

_ACCOUNTS = (REVENUE, REFUNDS, ADJUSTMENTS, BAD_DEBT, CASH_IN)
_ACCOUNT_PREFIXES = (COST_PREFIX, CASH_OUT_PREFIX)


@dataclass(frozen=True)
class _County:
    """What is known of a branch, as far as one report needs it."""

    sums: Mapping[Period, Mapping[str, Mapping[str, int]]]
    """Measures summed from a first month to the report's period, by that first month."""
    booked_months: frozenset[int]
    paid_months: frozenset[int]
    pay: Mapping[tuple[str, Period], PayrollRow]
    staffed_in: Mapping[Period, frozenset[str]]
    base: Mapping[str, Mapping[Period, BaseMonth]]
    closed_through: int

    def known(
        self, centre_ids: Iterable[str], months: Sequence[Period], term: Term | None
    ) -> Known:
        """Sum what is known of centres over months."""
        wanted = tuple(centre_ids)
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
        base = self._base(months, term, causes)
        held = None if without else self.books(wanted, months[0])
        return Known(held, paid, base, tuple(causes))

    def books(self, centre_ids: Iterable[str], first: Period) -> Books:
        """Sum centres' accounts from a first month on."""
        by_centre = self.sums[first]
        return books(account for one in centre_ids for account in by_centre.get(one, {}).items())

    def _base(
        self, months: Sequence[Period], term: Term | None, causes: list[Cause]
    ) -> Base | None:
        held = self.base.get(term.contract_id, {}) if term is not None else {}
        if not held:
            causes.append(Cause(ReasonCode.NO_BASE))
            return None
        wanted = [year_before(month) for month in months]
        lacking = tuple(month for month in wanted if month not in held)
        if lacking:
            causes.append(Cause(ReasonCode.BASE_INCOMPLETE, lacking))
            return None
        return base_of(held[month] for month in wanted)


async def report(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: Period,
    span: Span,
    centre_ids: frozenset[str] | None,
    with_county: bool,
    known_at: datetime | None = None,
) -> TargetReport:
    """Judge the county and its centres at a period, as far as a caller may see them.

    With a moment, by what was known then: measures, pay, contracts, names and closed months.
    """
    await county_store.require_branch(connection, branch_id, known_at)
    terms = await county_store.terms(
        connection, branch_id, period, centre_ids=centre_ids, known_at=known_at
    )
    named = await county_store.names(connection, branch_id, period, known_at)
    names = named.centres
    of_county = contract_of(terms, None, period)
    own_terms = {one: contract_of(terms, one, period) for one in names}
    months = {one: months_of(span, period, own, of_county) for one, own in own_terms.items()}
    county_months = months_of(span, period, None, of_county)
    county = await _load(
        connection,
        branch_id,
        spans=[*months.values(), county_months],
        terms=terms,
        centre_ids=centre_ids,
        known_at=known_at,
    )
    booked = county.sums[county_months[0]]
    # A centre that only the ledger knows yet is in the county's sums, so it is listed too.
    everybody = {*names, *booked}
    # One that closed before the period is listed for what is booked to it, if anything is.
    there = everybody - (named.closed - booked.keys())
    listed = sorted(one for one in there if centre_ids is None or one in centre_ids)
    shown = [
        _rendered(
            county,
            [one],
            months.get(one, county_months),
            own_terms.get(one),
            centre_id=one,
            names=names.get(one, (one, one)),
        )
        for one in listed
    ]
    whole = None
    if with_county:
        whole = _rendered(
            county,
            everybody,
            county_months,
            of_county,
            centre_id=None,
            names=("County", named.name_zh),
        )
    covered = {month for one in listed for month in months.get(one, county_months)}
    if with_county:
        covered |= set(county_months)
    return TargetReport(
        branch_id=branch_id,
        period=period,
        span=span,
        definitions_version=VERSION,
        county=whole,
        centres=shown,
        open_periods=sorted(month for month in covered if month > county.closed_through),
    )


async def _load(
    connection: AsyncConnection,
    branch_id: int,
    *,
    spans: Sequence[Sequence[Period]],
    terms: Iterable[Term],
    centre_ids: frozenset[str] | None,
    known_at: datetime | None,
) -> _County:
    longest = max(spans, key=len)
    first, last = longest[0], longest[-1]
    by_first = {
        start: await measure_store.sums(
            connection,
            branch_id,
            first=start,
            last=last,
            centre_ids=centre_ids,
            known_at=known_at,
        )
        for start in sorted({span[0] for span in spans})
    }
    booked = await measure_store.months_with(
        connection,
        branch_id,
        names=_ACCOUNTS,
        prefixes=_ACCOUNT_PREFIXES,
        first=first,
        last=last,
        known_at=known_at,
    )
    pay: dict[tuple[str, Period], dict[str, int]] = {}
    for row in await measure_store.named(
        connection,
        branch_id,
        PAYROLL_MEASURES,
        first=first,
        last=last,
        centre_ids=centre_ids,
        known_at=known_at,
    ):
        pay.setdefault((row["centre_id"], row["period"]), {})[row["measure"]] = row["amount"]
    places = await county_store.all_places(connection, branch_id, known_at)
    return _County(
        sums=by_first,
        booked_months=booked,
        paid_months=await measure_store.months_with(
            connection, branch_id, names=(PAY,), first=first, last=last, known_at=known_at
        ),
        pay=pay,
        staffed_in={month: staffed(places, month) for month in longest},
        base=await county_store.base_of(
            connection,
            branch_id,
            [one.contract_id for one in terms],
            first=year_before(first),
            last=year_before(last),
        ),
        closed_through=await county_store.closed_through(connection, branch_id, known_at),
    )


def _rendered(
    county: _County,
    centre_ids: Iterable[str],
    months: Sequence[Period],
    term: Term | None,
    *,
    centre_id: str | None,
    names: tuple[str, str],
) -> TargetsOf:
    wanted = tuple(centre_ids)
    judgements = judge(county.known(wanted, months, term))
    held = county.books(wanted, months[0])
    provisional = months[-1] > county.closed_through
    return TargetsOf(
        centre_id=centre_id,
        name=names[0],
        name_zh=names[1],
        contract_id=None if term is None else term.contract_id,
        from_period=months[0],
        to_period=months[-1],
        targets=[_target(one, provisional=provisional) for one in judgements],
        all_goals_met=all_goals_met(judgements),
        network_line_cost_fen=held.network_line_cost_fen,
        other_cost_fen=held.other_cost_fen,
        unclassified_cost_fen=held.unclassified_cost_fen,
        centre_margin_fen=held.centre_margin_fen,
    )


def _target(judgement: Judgement, *, provisional: bool) -> Target:
    rule, ratio = judgement.rule, judgement.ratio
    return Target(
        target=rule.target,
        title=rule.title,
        title_zh=rule.title_zh,
        verdict=judgement.verdict,
        reasons=[
            Reason(
                code=cause.code,
                message=REASONS[cause.code].text,
                message_zh=REASONS[cause.code].text_zh,
                periods=list(cause.periods),
            )
            for cause in judgement.causes
        ],
        value=None if ratio is None else Quotient(numerator=ratio[0], denominator=ratio[1]),
        display=judgement.display,
        goal=rule.goal.ratio,
        comparison=rule.goal.comparison,
        provisional=provisional,
        components=[
            Component(
                name=part.name, unit=part.unit, amount=part.amount, base_amount=part.base_amount
            )
            for part in judgement.parts
        ],
    )
