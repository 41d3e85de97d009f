"""Contributions: load two sides of a comparison, split, render."""

from collections.abc import Callable, Sequence
from datetime import datetime
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.domain.contributions import Contribution as Part
from huaxiao.kpi.domain.contributions import Unit, rounded
from huaxiao.kpi.domain.definitions import LINES_BILLED
from huaxiao.kpi.domain.explaining import NoVolume, explain_base, explain_booked
from huaxiao.kpi.loading import and_months, branch_months, first_of_span
from huaxiao.kpi.measures.lines import all_counted
from huaxiao.kpi.reasons import reasons_of
from huaxiao.shared.periods import FIRST_PERIOD, Period, shift, year_before
from huaxiao.shared.problems import Fault, Malformed, NotFound
from huaxiao.shared.wire.contributions import (
    Contribution,
    ContributionSum,
    ExplainedFigure,
    Explanation,
    ShownIn,
)
from huaxiao.shared.wire.kpi import Quotient, Span

_BASIS_POINTS = 10_000
_BEFORE_CALENDAR = Fault(
    "/query/period",
    "before-calendar",
    f"what it is compared with lies before {FIRST_PERIOD}",
    f"比较期早于 {FIRST_PERIOD} 账期",
)


async def explain(
    connection: AsyncConnection,
    branch_id: int,
    *,
    figure: ExplainedFigure,
    unit: Unit,
    period: Period,
    span: Span,
    against: Period | None,
    volume: str | None,
    known_at: datetime | None,
) -> Explanation:
    """Split the change of a unit's figure from its base, or from as many months up to another.

    With a moment, both sides are as they were known then.

    Raises:
        NotFound: there is no such branch or centre.
        NoVolume: nothing was counted by the measure named.
        Malformed: it would be compared with months before the calendar's first.

    """
    county = await branch_months(
        connection,
        branch_id,
        period=period,
        first_of=first_of_span(span, period),
        known_at=known_at,
    )
    months = county.span_of(unit, span, period)
    before: Sequence[Period] = [year_before(one) for one in months]
    if against is not None:
        before = [shift(against, -back) for back in reversed(range(len(months)))]
    if before[0] < FIRST_PERIOD:
        raise Malformed(faults=[_BEFORE_CALENDAR])
    if against is not None:
        county = await and_months(connection, branch_id, county, before, known_at)
    if unit is not None and unit not in county.centre_ids:
        raise NotFound
    if against is None:
        explained = explain_base(county, unit, figure, months)
    else:
        counted = figure is ExplainedFigure.REVENUE and await all_counted(
            connection, branch_id, [*before, *months], known_at
        )
        if volume == LINES_BILLED and not counted:
            raise NoVolume
        explained = explain_booked(
            county, unit, figure, before, months, volume=volume, counted=counted
        )
    split = explained.split
    is_ratio = figure is ExplainedFigure.MARKET_GROSS_MARGIN
    scale = _BASIS_POINTS if is_ratio else 1
    parts = [] if split is None else [one for one in split.contributions if one.amount]
    shown = rounded([one.amount * scale for one in parts])
    given = list(zip(parts, shown, strict=True))
    return Explanation(
        branch_id=branch_id,
        figure=figure,
        centre_id=unit,
        span=span,
        known_at=known_at,
        from_period=months[0],
        to_period=months[-1],
        against_from=before[0],
        against_to=before[-1],
        against_base=against is None,
        volume=explained.volume,
        reasons=reasons_of(explained.causes),
        before=None if split is None else quotient(split.before),
        after=None if split is None else quotient(split.after),
        change=None if split is None else quotient(split.change),
        shown_in=ShownIn.BASIS_POINTS if is_ratio else ShownIn.FEN,
        change_shown=None if split is None else sum(shown),
        contributions=[
            Contribution(
                centre_id=one.unit,
                component=one.component,
                exact=quotient(one.amount),
                shown=amount,
            )
            for one, amount in given
        ],
        by_centre=[
            ContributionSum(centre_id=key, component=None, exact=quotient(exact), shown=amount)
            for key, exact, amount in _summed(given, lambda one: one.unit)
        ],
        by_component=[
            ContributionSum(centre_id=None, component=key, exact=quotient(exact), shown=amount)
            for key, exact, amount in _summed(given, lambda one: one.component)
        ],
    )


def quotient(value: Fraction) -> Quotient:
    """Return an exact ratio as it is answered."""
    return Quotient(numerator=value.numerator, denominator=value.denominator)


def _summed(
    given: Sequence[tuple[Part, int]], key_of: Callable[[Part], str | None]
) -> list[tuple[str | None, Fraction, int]]:
    found: dict[str | None, tuple[Fraction, int]] = {}
    for one, shown in given:
        exact, amount = found.get(key_of(one), (Fraction(0), 0))
        found[key_of(one)] = exact + one.amount, amount + shown
    return [(key, *found[key]) for key in sorted(found, key=lambda key: key or "")]
