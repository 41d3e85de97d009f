"""Load what is known of a branch month by month."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county import store as county_store
from huaxiao.kpi.domain.months import BranchMonths
from huaxiao.kpi.measures.monthly import by_month
from huaxiao.shared.periods import Period, shift, year_before

_YEAR = 11


async def branch_months(
    connection: AsyncConnection, branch_id: int, *, first: Period, period: Period, last: Period
) -> BranchMonths:
    """Load the months from first to last, with names and contracts as they are in a period.

    The twelve months up to the period, and all of its contracts', are there in any case; bases are
    those of the year before.

    Raises:
        NotFound: no fact has told of the branch.

    """
    await county_store.require_branch(connection, branch_id)
    terms = await county_store.terms(connection, branch_id, period, centre_ids=None)
    named = await county_store.names(connection, branch_id, period)
    # Without a contract a year begins in January: within the twelve months up to the period.
    begin = min([first, shift(period, -_YEAR), *(one.term_from for one in terms)])
    end = max([last, *(one.term_to for one in terms)])
    return BranchMonths(
        measures=await by_month(connection, branch_id, first=begin, last=last),
        names=named.centres,
        name_zh=named.name_zh,
        closed=named.closed,
        terms=terms,
        base=await county_store.base_of(
            connection,
            branch_id,
            [one.contract_id for one in terms],
            first=year_before(begin),
            last=year_before(end),
        ),
        places=await county_store.all_places(connection, branch_id),
        closed_through=await county_store.closed_through(connection, branch_id),
    )


async def and_months(
    connection: AsyncConnection, branch_id: int, county: BranchMonths, months: Sequence[Period]
) -> BranchMonths:
    """Return the branch with the measures of other months as well, which follow one another."""
    more = await by_month(connection, branch_id, first=months[0], last=months[-1])
    return replace(county, measures={**county.measures, **more})
