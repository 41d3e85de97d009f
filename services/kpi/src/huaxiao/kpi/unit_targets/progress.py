"""How far units are with what they are to reach: load, hold against value, goal and calendar, render."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county.loading import County, Shown, load
from huaxiao.kpi.domain import named
from huaxiao.kpi.domain.evaluating import Evaluation
from huaxiao.kpi.domain.formulas import formulas_of
from huaxiao.kpi.domain.goals import Goal, shown
from huaxiao.kpi.domain.progress import AmountTarget, FigureGoal, Months, on_schedule
from huaxiao.kpi.figure_sets import handlers as figure_sets
from huaxiao.kpi.reasons import reasons_of
from huaxiao.kpi.unit_targets.handlers import in_force
from huaxiao.shared.periods import Period, business_day, last_day
from huaxiao.shared.wire.figures import Direction, FigureSet, ShownAs
from huaxiao.shared.wire.kpi import Comparison, OwnGoal, Quotient, Span, Standing
from huaxiao.shared.wire.unit_targets import GoalProgress, Progress, ProgressReport, UnitTarget


def amount_of(target: UnitTarget) -> AmountTarget | None:
    """Return the amount that is to be reached; None of a figure's goal."""
    if target.measure is None or target.value is None:
        return None
    return AmountTarget(
        target.target_id,
        target.centre_id,
        target.measure,
        target.value,
        _months(target),
        target.direction,
    )


def goal_of(target: UnitTarget) -> FigureGoal | None:
    """Return the goal that a figure is to meet; None of an amount."""
    if target.figure is None or target.goal is None:
        return None
    return FigureGoal(
        target.target_id,
        target.centre_id,
        target.figure,
        _months(target),
        Goal.of(target.goal),
    )


def _months(target: UnitTarget) -> Months:
    return Months(Period(target.from_period), Period(target.to_period))


@dataclass(frozen=True, slots=True)
class OwnGoals:
    """The goals of their own that units have in a month, told beside those that all are judged by."""

    held: Mapping[tuple[str | None, str], FigureGoal]
    """By unit and figure."""

    def told(self, unit: str | None, figure: str, ratio: tuple[int, int] | None) -> OwnGoal | None:
        """Hold a figure's value against the unit's own goal; None where it has none."""
        own = self.held.get((unit, figure))
        if own is None:
            return None
        return OwnGoal(
            target_id=own.target_id,
            goal=own.goal.ratio,
            comparison=own.goal.comparison,
            standing=Standing.NOT_COMPARABLE if ratio is None else own.goal.standing(*ratio),
        )


def own_goals_in(targets: Sequence[UnitTarget]) -> OwnGoals:
    """Return the goals among targets that are in force in one month."""
    goals = [goal for one in targets if (goal := goal_of(one)) is not None]
    return OwnGoals({(one.unit, one.figure): one for one in goals})


async def own_goals(
    connection: AsyncConnection, branch_id: int, period: Period, known_at: datetime | None
) -> OwnGoals:
    """Return the goals in force in a month, as was known at a moment."""
    return own_goals_in(
        await in_force(connection, branch_id, first=period, last=period, known_at=known_at)
    )


async def report(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: Period,
    centre_ids: frozenset[str] | None,
    with_county: bool,
    known_at: datetime | None,
    today: date,
) -> ProgressReport:
    """Tell how far the targets in force in a month are by its end, or by the day it is."""
    held = await in_force(connection, branch_id, first=period, last=period, known_at=known_at)
    loaded = await load(
        connection,
        branch_id,
        period=period,
        span=Span.MONTH,
        centre_ids=centre_ids,
        with_county=with_county,
        known_at=known_at,
        starts={Period(one.from_period) for one in held} | {period},
    )
    everywhere = await _within(connection, branch_id, held, known_at)
    day = min(last_day(period), today if known_at is None else business_day(known_at))
    found = []
    for one in held:
        unit, amount = loaded.shown(one.centre_id), amount_of(one)
        if unit is not None and amount is not None:
            found.append(_progress(loaded, unit, one, amount, everywhere, period=period, day=day))
    figures = await figure_sets.in_force(connection, branch_id, period, known_at)
    return ProgressReport(
        branch_id=branch_id,
        period=period,
        known_at=known_at,
        targets=found,
        goals=list(goals_of(loaded, held, figures, period)),
    )


async def _within(
    connection: AsyncConnection,
    branch_id: int,
    held: Sequence[UnitTarget],
    known_at: datetime | None,
) -> list[AmountTarget]:
    """Return the centres' amounts of any month of the county's."""
    whole = [one for one in held if one.centre_id is None]
    if not whole:
        return []
    found = await in_force(
        connection,
        branch_id,
        first=Period(min(one.from_period for one in whole)),
        last=Period(max(one.to_period for one in whole)),
        known_at=known_at,
    )
    amounts = [amount_of(one) for one in found if one.centre_id is not None]
    return [one for one in amounts if one is not None]


def _progress(
    county: County,
    unit: Shown,
    target: UnitTarget,
    wanted: AmountTarget,
    others: Sequence[AmountTarget],
    *,
    period: Period,
    day: date,
) -> Progress:
    so_far = wanted.months.until(period)
    found = named.now(county.known(unit.over(so_far)), wanted.measure)
    amount = None if found.amount is None else found.amount.numerator
    elapsed = wanted.months.elapsed(day)
    parts = list(_parts(wanted, others))
    broken_down = sum(one.value for one in parts) if target.centre_id is None else None
    return Progress(
        target=target,
        name=unit.name,
        name_zh=unit.name_zh,
        amount=amount,
        reasons=reasons_of(found.causes),
        completion=None if amount is None else Quotient(numerator=amount, denominator=wanted.value),
        completion_display=None
        if amount is None
        else _percent(amount, wanted.value, _REACHED[wanted.direction]),
        elapsed=Quotient(numerator=elapsed[0], denominator=elapsed[1]),
        elapsed_display=_percent(*elapsed),
        on_schedule=None
        if amount is None
        else on_schedule(amount, wanted.value, elapsed, wanted.direction),
        provisional=county.provisional(unit.over(so_far)),
        broken_down=broken_down,
        not_broken_down=None if broken_down is None else wanted.value - broken_down,
        centre_targets=[one.target_id for one in parts],
    )


def _parts(target: AmountTarget, others: Sequence[AmountTarget]) -> Iterator[AmountTarget]:
    if target.unit is not None:
        return
    for one in others:
        if one.measure == target.measure and target.months.hold(one.months):
            yield one


def goals_of(
    county: County, held: Sequence[UnitTarget], figures: FigureSet, period: Period
) -> Iterator[GoalProgress]:
    """Hold each figure that a unit has a goal of its own of against it, over its months so far.

    ``county`` has the spans from each goal's first month loaded.
    """
    defined = {one.figure: one for one in (*figures.built_in, *figures.figures)}
    formulas = formulas_of(figures.figures)
    for target in held:
        unit, wanted = county.shown(target.centre_id), goal_of(target)
        if unit is None or wanted is None or wanted.figure not in defined:
            continue
        definition, over = defined[wanted.figure], unit.over(wanted.months.until(period))
        found = Evaluation(county.known(over), formulas).value(definition.formula)
        amount = found.amount
        ratio = None if amount is None else (amount.numerator, amount.denominator)
        yield GoalProgress(
            target=target,
            name=unit.name,
            name_zh=unit.name_zh,
            value=None if ratio is None else Quotient(numerator=ratio[0], denominator=ratio[1]),
            display=None
            if ratio is None
            else shown(
                *ratio,
                wanted.goal,
                shown_as=definition.shown_as,
                decimals=definition.decimals,
            ),
            standing=Standing.NOT_COMPARABLE if ratio is None else wanted.goal.standing(*ratio),
            reasons=reasons_of(found.causes),
            provisional=county.provisional(over),
        )


_REACHED = {
    Direction.HIGHER: Goal(Decimal(1), Comparison.AT_LEAST),
    Direction.LOWER: Goal(Decimal(1), Comparison.AT_MOST),
}
"""What is not reached, or is passed, is not shown as the whole of it."""


def _percent(numerator: int, denominator: int, goal: Goal | None = None) -> str:
    return shown(numerator, denominator, goal, shown_as=ShownAs.PERCENT, decimals=2)
