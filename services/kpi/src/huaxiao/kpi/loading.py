"""Load what is known of a branch month by month."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county import store as county_store
from huaxiao.kpi.domain.months import BranchMonths, Unit
from huaxiao.kpi.measures.monthly import by_month
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.kpi import Span


async def branch_months(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: Period,
    first_of: Callable[[BranchMonths], Period],
    known_at: datetime | None = None,
) -> BranchMonths:
    """Load the months up to a period, with names and contracts as they are in it.

    ``first_of`` says which month is the first that is needed, by those contracts. With a moment,
    what was known then: measures, pay, contracts, names and closed months.

    Raises:
        NotFound: no fact has told of the branch.

    """
    (found,) = await branch_through_time(
        connection,
        branch_id,
        periods=[period],
        first_of=lambda county, _: first_of(county),
        known_at=known_at,
    )
    return found


async def branch_through_time(
    connection: AsyncConnection,
    branch_id: int,
    *,
    periods: Sequence[Period],
    first_of: Callable[[BranchMonths, Period], Period],
    known_at: datetime | None = None,
    and_year_before: bool = False,
) -> list[BranchMonths]:
    """Load the months up to each of some periods, in one look for all."""
    facts = await county_store.facts(connection, branch_id, known_at)
    counties = [_without_measures(facts, period) for period in periods]
    measures = await by_month(
        connection,
        branch_id,
        first=min(map(first_of, counties, periods)),
        last=max(periods),
        known_at=known_at,
        and_year_before=and_year_before,
    )
    return [replace(one, measures=measures) for one in counties]


def _without_measures(facts: county_store.Facts, period: Period) -> BranchMonths:
    named = facts.named(period)
    return BranchMonths(
        measures={},
        names=named.centres,
        name_zh=named.name_zh,
        closed=named.closed,
        terms=[one for one in facts.terms if one.term_from <= period],
        base=facts.base,
        places=facts.places,
        closed_through=facts.closed_through,
        reorganised_on=facts.reorganised_on,
    )


def first_of_span(span: Span, period: Period) -> Callable[[BranchMonths], Period]:
    """Return what says which month is the first of any unit's span."""

    def first(county: BranchMonths) -> Period:
        units: list[Unit] = [None, *county.names]
        return min(county.span_of(one, span, period)[0] for one in units)

    return first


async def and_months(
    connection: AsyncConnection,
    branch_id: int,
    county: BranchMonths,
    months: Sequence[Period],
    known_at: datetime | None = None,
) -> BranchMonths:
    """Return the branch with the measures of other months as well, which follow one another."""
    more = await by_month(
        connection, branch_id, first=months[0], last=months[-1], known_at=known_at
    )
    return replace(county, measures={**county.measures, **more})
