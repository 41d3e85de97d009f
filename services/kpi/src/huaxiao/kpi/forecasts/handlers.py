"""Forecasts: what is known of a unit's year, where it is going, what is needed."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county.loading import load
from huaxiao.kpi.domain.contributions import rounded
from huaxiao.kpi.domain.definitions import TARGETS, TargetRule
from huaxiao.kpi.domain.known import Cause
from huaxiao.kpi.domain.measured import amount_outlook, measured
from huaxiao.kpi.domain.months import BranchMonths, Unit
from huaxiao.kpi.domain.needed import Outcome, cash_needed, margin_needed, wage_needed
from huaxiao.kpi.domain.outlook import Outlook, Year, outlook, ratio_of, year_of
from huaxiao.kpi.domain.progress import AmountTarget, FigureGoal, Rest
from huaxiao.kpi.figure_sets import handlers as figure_sets
from huaxiao.kpi.forecasts.models import INTERVAL, Paths, Step, quantiles, values_of
from huaxiao.kpi.forecasts.running import Forecasters
from huaxiao.kpi.loading import branch_months
from huaxiao.kpi.reasons import reasons_of
from huaxiao.kpi.unit_targets.handlers import in_force
from huaxiao.kpi.unit_targets.progress import amount_of, goal_of, goals_of
from huaxiao.shared.database import Database
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.problems import NotFound
from huaxiao.shared.rows import Scope
from huaxiao.shared.wire.figures import Direction
from huaxiao.shared.wire.forecasts import (
    AmountForecast,
    Forecast,
    ForecastMonth,
    ForecastReport,
    Needed,
    TargetForecast,
    UnitGoalForecast,
    UnitTargetForecast,
)
from huaxiao.shared.wire.kpi import Comparison, Quotient, ReasonCode, Span, TargetName
from huaxiao.shared.wire.unit_targets import GoalProgress, UnitTarget

HISTORY_MONTHS = 60
_PLACES = 6
_NEEDS = {
    TargetName.MARKET_GROSS_MARGIN: {ReasonCode.NO_BOOKS},
    TargetName.CASH_FLOW_GROWTH: {ReasonCode.NO_BOOKS, ReasonCode.PAYROLL_MISSING},
    TargetName.AVERAGE_WAGE_GROWTH: {ReasonCode.PAYROLL_MISSING},
}


async def report(
    database: Database,
    forecasters: Forecasters,
    branch_id: int,
    *,
    unit: Unit,
    period: Period,
    known_at: datetime | None,
) -> ForecastReport:
    """Forecast a unit's targets; no connection is held while models are fitted.

    With a moment, all that the forecast rests on is as it was known then.

    Raises:
        NotFound: there is no such branch or centre.

    """
    async with database.read(Scope.of_branch(branch_id)) as connection:
        held = await in_force(connection, branch_id, first=period, last=period, known_at=known_at)
        own = [one for one in held if one.centre_id == unit]
        far_back = min([shift(period, -HISTORY_MONTHS), *(one.from_period for one in own)])
        county = await branch_months(
            connection,
            branch_id,
            period=period,
            first_of=lambda _: Period(far_back),
            known_at=known_at,
        )
        if unit is not None and unit not in county.centre_ids:
            raise NotFound
        goals = await _goals(connection, branch_id, unit, own, period, known_at)
    year = year_of(county, unit, period)
    return ForecastReport(
        branch_id=branch_id,
        centre_id=unit,
        contract_id=year.contract_id,
        period=period,
        known_at=known_at,
        from_period=year.months[0],
        to_period=year.months[-1],
        months_left=sum(month > period for month in year.months),
        targets=[
            await target_forecast(forecasters, county, unit, period, year, rule) for rule in TARGETS
        ],
        unit_targets=[
            await _amount_forecast(forecasters, county, period, target, wanted)
            for target in own
            if (wanted := amount_of(target)) is not None
        ],
        unit_goals=[await _goal_forecast(forecasters, county, period, year, one) for one in goals],
    )


async def _goals(
    connection: AsyncConnection,
    branch_id: int,
    unit: Unit,
    own: Sequence[UnitTarget],
    period: Period,
    known_at: datetime | None,
) -> list[GoalProgress]:
    """Return how the figures stand that a unit has goals of its own of."""
    own = [one for one in own if one.figure is not None]
    if not own:
        return []
    loaded = await load(
        connection,
        branch_id,
        period=period,
        span=Span.MONTH,
        centre_ids=None if unit is None else frozenset({unit}),
        with_county=unit is None,
        known_at=known_at,
        starts={Period(one.from_period) for one in own},
    )
    figures = await figure_sets.in_force(connection, branch_id, period, known_at)
    return list(goals_of(loaded, own, figures, period))


async def _amount_forecast(
    forecasters: Forecasters,
    county: BranchMonths,
    period: Period,
    target: UnitTarget,
    wanted: AmountTarget,
) -> UnitTargetForecast:
    """Say what of an amount is reached and left, and whether it is expected to be reached."""
    done, left = wanted.months.until(period), len(wanted.months.after(period))
    found = measured(county, wanted.unit, done, wanted.measure)
    if found.amount is None:
        return _amount_told(target, left, causes=found.causes)
    reached = found.amount.numerator
    view = amount_outlook(county, wanted, period)
    forecast = None
    if view is not None and left:
        forecast = estimate_amount(wanted, view, await forecasters.forecast(view, None))
    return _amount_told(
        target,
        left,
        reached=reached,
        rest=wanted.rest(reached, left),
        present=rounded([Fraction(reached, len(done))])[0],
        forecast=forecast,
    )


def _amount_told(
    target: UnitTarget,
    left: int,
    *,
    causes: Sequence[Cause] = (),
    reached: int | None = None,
    rest: Rest | None = None,
    present: int | None = None,
    forecast: AmountForecast | None = None,
) -> UnitTargetForecast:
    return UnitTargetForecast(
        target=target,
        months_left=left,
        reasons=reasons_of(causes),
        reached=reached,
        left=None if rest is None else rest.amount,
        a_month=None if rest is None else rest.a_month,
        present_a_month=present,
        state=None if rest is None else rest.state,
        forecast=forecast,
    )


def estimate_amount(wanted: AmountTarget, view: Outlook, found: Paths) -> AmountForecast:
    """Return an amount over all months of a target, from what was so far and the months forecast."""
    (so_far,), (ahead,) = view.so_far, found.central
    amount = so_far + round(ahead)
    low = high = probability = None
    if found.paths is not None:
        ends = so_far + found.paths[:, 0]
        low, high = (round(one) for one in quantiles(ends, INTERVAL))
        upward = wanted.direction is Direction.HIGHER
        meets = ends >= wanted.value if upward else ends <= wanted.value
        probability = _estimated(float(meets.mean()))
    return AmountForecast(
        method=found.method,
        months_known=found.months_known,
        amount=amount,
        low=low,
        high=high,
        probability=probability,
        expected_met=wanted.met_by(amount),
    )


async def _goal_forecast(
    forecasters: Forecasters,
    county: BranchMonths,
    period: Period,
    year: Year,
    progress: GoalProgress,
) -> UnitGoalForecast:
    wanted = goal_of(progress.target)
    assert wanted is not None  # noqa: S101 - it is the progress of a goal
    left = wanted.months.after(period)
    rule = own_rule(wanted)
    found = None
    if rule is not None:
        months = Year((*wanted.months.until(period), *left), year.contract_id)
        found = await target_forecast(forecasters, county, wanted.unit, period, months, rule)
    return UnitGoalForecast(progress=progress, months_left=len(left), outlook=found)


def own_rule(wanted: FigureGoal) -> TargetRule | None:
    """Return the rule of a built-in figure with a unit's own goal; None of another figure."""
    for rule in TARGETS:
        if rule.target == wanted.figure:
            return replace(rule, goal=wanted.goal)
    return None


async def target_forecast(
    forecasters: Forecasters,
    county: BranchMonths,
    unit: Unit,
    period: Period,
    year: Year,
    rule: TargetRule,
) -> TargetForecast:
    """Say where one target is going, or why that cannot be said."""
    view = outlook(county, unit, period, year, rule.target)
    causes = causes_against(county, unit, period, year, rule, view)
    if view is None or causes:
        return _told(rule, causes=causes)
    found = None
    if view.left:
        paths = await forecasters.forecast(view, rule.target)
        found = estimate(rule, view, paths, [month for month in year.months if month > period])
    ratio = ratio_of(rule.target, view.so_far, view.base_so_far or ())
    so_far = Quotient(numerator=ratio[0], denominator=ratio[1]) if ratio[1] > 0 else None
    return _told(rule, so_far=so_far, forecast=found, outcome=_outcome(rule, view))


def causes_against(
    county: BranchMonths,
    unit: Unit,
    period: Period,
    year: Year,
    rule: TargetRule,
    view: Outlook | None,
) -> Sequence[Cause]:
    """Return why a target cannot be forecast; nothing when it can."""
    if view is None:
        done = [month for month in year.months if month <= period]
        known = county.known(unit, done)
        return [one for one in known.causes if one.code in _NEEDS[rule.target]]
    if rule.target is TargetName.MARKET_GROSS_MARGIN:
        return [Cause(ReasonCode.NO_REVENUE)] if view.so_far[0] <= 0 else []
    causes: list[Cause] = []
    base = county.base_of(unit, period, year.months)
    if isinstance(base, Cause):
        causes.append(base)
    elif min(view.base_of_year or (0,)) <= 0:
        causes.append(Cause(ReasonCode.BASE_NOT_POSITIVE))
    if rule.target is TargetName.AVERAGE_WAGE_GROWTH and view.so_far[1] <= 0:
        causes.append(Cause(ReasonCode.NO_STAFF))
    return causes


def estimate(
    rule: TargetRule, view: Outlook, found: Paths, months: Sequence[Period] = ()
) -> Forecast:
    """Return a target at the year's end, from what was so far and the months forecast.

    ``months`` are those that are left, where what the year comes to by each of them is wanted.
    """
    base = view.base_of_year or ()
    central = [past + round(ahead) for past, ahead in zip(view.so_far, found.central, strict=True)]
    numerator, denominator = ratio_of(rule.target, central, base)
    low = high = probability = None
    if found.paths is not None:
        ends = [past + ahead for past, ahead in zip(view.so_far, found.paths.T, strict=True)]
        values = values_of(rule.target, np.stack(ends), tuple(map(float, base)))
        low, high = (_estimated(one) for one in quantiles(values, INTERVAL))
        goal = float(rule.goal.ratio)
        meets = values >= goal if rule.goal.comparison is Comparison.AT_LEAST else values > goal
        probability = _estimated(float(meets.mean()))
    value = _estimated(numerator / denominator if denominator > 0 else math.inf)
    return Forecast(
        method=found.method,
        months_known=found.months_known,
        value=value,
        low=low,
        high=high,
        months=_way(months, found.course, end=(value, low, high)),
        probability=probability,
        expected_met=denominator > 0 and rule.goal.met_by(numerator, denominator),
    )


def _way(
    months: Sequence[Period], course: Sequence[Step], *, end: tuple[Decimal | None, ...]
) -> list[ForecastMonth]:
    """Return the way to the year's end, which is told as it was counted for the year."""
    told = [
        tuple(
            None if value is None else _estimated(value) for value in (one.value, one.low, one.high)
        )
        for one in course[:-1]
    ]
    return [
        ForecastMonth(period=month, value=value, low=low, high=high)
        for month, (value, low, high) in zip(months, (*told, end), strict=False)
    ]


def _estimated(value: float) -> Decimal | None:
    """Return an estimate to six decimals: more would only look exact."""
    return Decimal(f"{value:.{_PLACES}f}") if math.isfinite(value) else None


def _outcome(rule: TargetRule, view: Outlook) -> Outcome:
    now, base = view.so_far, view.base_of_year or ()
    done, left = view.done, view.left
    match rule.target:
        case TargetName.MARKET_GROSS_MARGIN:
            return margin_needed(now[0], now[1], rule.goal, done=done, left=left)
        case TargetName.CASH_FLOW_GROWTH:
            return cash_needed(now[0], base[0], rule.goal, done=done, left=left)
        case TargetName.AVERAGE_WAGE_GROWTH:
            return wage_needed(now[0], now[1], base[0], base[1], rule.goal, done=done, left=left)


def _told(
    rule: TargetRule,
    *,
    causes: Sequence[Cause] = (),
    so_far: Quotient | None = None,
    forecast: Forecast | None = None,
    outcome: Outcome | None = None,
) -> TargetForecast:
    return TargetForecast(
        target=rule.target,
        goal=rule.goal.ratio,
        comparison=rule.goal.comparison,
        reasons=reasons_of(causes),
        so_far=so_far,
        forecast=forecast,
        state=None if outcome is None else outcome.state,
        needed=[]
        if outcome is None
        else [
            Needed(amount=one.amount, needed_fen=one.needed, present_fen=rounded([one.present])[0])
            for one in outcome.needs
        ],
    )
