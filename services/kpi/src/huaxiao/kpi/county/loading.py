"""What is known of a branch at a period, as far as one caller may see it."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.domain.figures import Term
from huaxiao.kpi.domain.known import Known
from huaxiao.kpi.domain.months import BranchMonths
from huaxiao.kpi.loading import branch_through_time, first_of_span
from huaxiao.shared.books import Books
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.kpi import Span


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
    branch: BranchMonths

    @property
    def open_periods(self) -> list[Period]:
        """Return the months shown, of the county or any centre, that are not closed."""
        shown = (self.county, *self.centres)
        covered = {month for one in shown if one is not None for month in one.months}
        return sorted(month for month in covered if month > self.branch.closed_through)

    def shown(self, centre_id: str | None) -> Shown | None:
        """Return the county or a centre; None where the caller may not see it or it is not there."""
        if centre_id is None:
            return self.county
        return next((one for one in self.centres if one.centre_id == centre_id), None)

    def provisional(self, shown: Shown) -> bool:
        """Say whether some month shown is still open."""
        return shown.months[-1] > self.branch.closed_through

    def known(self, shown: Shown) -> Known:
        """Sum what is known of the county or a centre over its months."""
        return self.branch.known(shown.centre_id, shown.months)

    def booked_before(self, shown: Shown) -> Known:
        """Return what was booked to the county or a centre a year before, whatever it was then."""
        return self.branch.booked_before(shown.centre_id, shown.months)

    def books(self, shown: Shown) -> Books:
        """Sum the accounts of the county or a centre over its months."""
        return self.branch.books(shown.centre_id, shown.months)


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
    (found,) = await load_each(
        connection,
        branch_id,
        periods=[period],
        span=span,
        centre_ids=centre_ids,
        with_county=with_county,
        known_at=known_at,
        starts=starts,
    )
    return found


async def load_each(
    connection: AsyncConnection,
    branch_id: int,
    *,
    periods: Sequence[Period],
    span: Span,
    centre_ids: frozenset[str] | None,
    with_county: bool,
    known_at: datetime | None,
    starts: AbstractSet[Period] = frozenset(),
) -> list[County]:
    """Load the same at each of some periods, in one look for all."""

    def first(branch: BranchMonths, period: Period) -> Period:
        return min({first_of_span(span, period)(branch), *starts})

    branches = await branch_through_time(
        connection,
        branch_id,
        periods=periods,
        first_of=first,
        known_at=known_at,
        and_year_before=True,
    )
    found = []
    for branch, period in zip(branches, periods, strict=True):
        of_county = branch.span_of(None, span, period)
        whole = Shown(None, "County", branch.name_zh, of_county, branch.term_of(None, period))
        centres = tuple(
            Shown(
                one,
                *branch.named(one),
                months=branch.span_of(one, span, period),
                term=branch.term_of(one, period),
            )
            for one in branch.listed(of_county)
            if centre_ids is None or one in centre_ids
        )
        found.append(County(whole if with_county else None, centres, branch))
    return found
