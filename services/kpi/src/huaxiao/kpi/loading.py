"""Load what is known of a branch month by month."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county import store as county_store
from huaxiao.kpi.domain.months import BranchMonths, Unit
from huaxiao.kpi.measures.store import Read
from huaxiao.shared.periods import Period, year_before
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

    ``first_of`` says which month is the first that is needed, by those contracts. Bases are those
    of the year before the contracts' months. With a moment, all is as it was known then.

    Raises:
        NotFound: no fact has told of the branch.

    """
    await county_store.require_branch(connection, branch_id, known_at)
    terms = await county_store.terms(
        connection, branch_id, period, centre_ids=None, known_at=known_at
    )
    named = await county_store.names(connection, branch_id, period, known_at)
    county = BranchMonths(
        measures={},
        names=named.centres,
        name_zh=named.name_zh,
        closed=named.closed,
        terms=terms,
        base=await county_store.base_of(
            connection,
            branch_id,
            [one.contract_id for one in terms],
            first=year_before(min((one.term_from for one in terms), default=period)),
            last=year_before(max((one.term_to for one in terms), default=period)),
        ),
        places=await county_store.all_places(connection, branch_id, known_at),
        closed_through=await county_store.closed_through(connection, branch_id, known_at),
    )
    read = Read(connection, branch_id, None, known_at)
    months = await read.by_month(first_of(county), period)
    return replace(county, measures=months)


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
    more = await Read(connection, branch_id, None, known_at).by_month(months[0], months[-1])
    return replace(county, measures={**county.measures, **more})
