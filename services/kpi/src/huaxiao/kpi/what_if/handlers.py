"""What if: judge a branch as it is and as it is supposed to be; nothing is written."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.domain.months import BranchMonths, Unit
from huaxiao.kpi.domain.supposing import goals_of, suppose, with_goals
from huaxiao.kpi.domain.targets import Judgement, judge
from huaxiao.kpi.figure_sets import handlers as figure_sets
from huaxiao.kpi.loading import branch_months, first_of_span
from huaxiao.kpi.reasons import reasons_of
from huaxiao.kpi.unit_targets.handlers import in_force as targets_in_force
from huaxiao.kpi.what_if.unit_targets import Sides, supposed_targets
from huaxiao.shared.periods import Period, business_day, last_day
from huaxiao.shared.problems import Malformed
from huaxiao.shared.wire.kpi import Quotient, TargetName
from huaxiao.shared.wire.what_if import (
    Judged,
    SupposedGoal,
    WhatIf,
    WhatIfIn,
    WhatIfTarget,
    WhatIfUnit,
)


async def compare(
    connection: AsyncConnection,
    branch_id: int,
    given: WhatIfIn,
    *,
    centre_ids: frozenset[str] | None,
    with_county: bool,
    known_at: datetime | None,
    now: datetime,
) -> WhatIf:
    """Judge units as they are and as supposed, as far as the caller may see them.

    With a moment, they are as they were known then.

    Raises:
        NotFound: there is no such branch.
        Malformed: a measure or goal is given twice, of a centre that is not there, or half.

    """
    period = Period(given.period)
    in_force = await targets_in_force(
        connection, branch_id, first=period, last=period, known_at=known_at
    )
    held = [
        one
        for one in in_force
        if (
            with_county
            if one.centre_id is None
            else centre_ids is None or one.centre_id in centre_ids
        )
    ]
    of_span = first_of_span(given.span, period)
    county = await branch_months(
        connection,
        branch_id,
        period=period,
        first_of=lambda county: min([of_span(county), *(Period(one.from_period) for one in held)]),
        known_at=known_at,
    )
    # Who sees single centres is not told which others there are.
    visible = {one for one in county.centre_ids if centre_ids is None or one in centre_ids}
    supposed, faults = suppose(county, given.measures, visible)
    goals, more = goals_of(given.goals)
    faults += more
    of_targets, more = supposed_targets(given.unit_targets, held)
    faults += more
    if faults:
        raise Malformed(faults=faults)
    months = county.span_of(None, given.span, period)
    listed = [one for one in supposed.listed(months) if one in visible]
    units: list[Unit] = [None] if with_county else []
    shown = [
        _unit(county, supposed, one, county.span_of(one, given.span, period), goals)
        for one in [*units, *listed]
    ]
    figures = await figure_sets.in_force(connection, branch_id, period, known_at)
    day = min(last_day(period), business_day(known_at or now))
    sides = Sides(county, supposed, period, day)
    return WhatIf(
        branch_id=branch_id,
        period=given.period,
        span=given.span,
        known_at=known_at,
        county=shown[0] if with_county else None,
        centres=shown[len(units) :],
        unit_targets=list(sides.amounts(held, of_targets)),
        unit_goals=list(sides.goals(held, of_targets, figures)),
    )


def _unit(
    county: BranchMonths,
    supposed: BranchMonths,
    unit: Unit,
    months: Sequence[Period],
    goals: Mapping[TargetName, SupposedGoal],
) -> WhatIfUnit:
    now = judge(county.known(unit, months))
    then = with_goals(judge(supposed.known(unit, months)), goals)
    name, name_zh = ("County", county.name_zh) if unit is None else county.named(unit)
    return WhatIfUnit(
        centre_id=unit,
        name=name,
        name_zh=name_zh,
        from_period=months[0],
        to_period=months[-1],
        targets=[
            WhatIfTarget(target=one.rule.target, now=judged(one), then=judged(other))
            for one, other in zip(now, then, strict=True)
        ],
    )


def judged(one: Judgement) -> Judged:
    """Render a judgement."""
    return Judged(
        verdict=one.verdict,
        value=None
        if one.ratio is None
        else Quotient(numerator=one.ratio[0], denominator=one.ratio[1]),
        display=one.display,
        goal=one.rule.goal.ratio,
        comparison=one.rule.goal.comparison,
        reasons=reasons_of(one.causes),
    )
