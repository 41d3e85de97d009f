"""What rules observe of a branch: pure, by what is known at a moment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from huaxiao.kpi.domain.alerts import Condition
from huaxiao.kpi.domain.goals import Goal, shown
from huaxiao.kpi.domain.months import BranchMonths, Unit
from huaxiao.kpi.domain.progress import AmountTarget, FigureGoal
from huaxiao.kpi.domain.targets import Judgement
from huaxiao.shared.periods import Period, business_day, ends_at, last_day, period_of, shift
from huaxiao.shared.wire.alerts import AlertKind, AlertRule
from huaxiao.shared.wire.figures import Direction, ShownAs
from huaxiao.shared.wire.kpi import ReasonCode, TargetName, Verdict

COUNTY = "county"


@dataclass(frozen=True, slots=True)
class Expected:
    """A forecast as far as alerts look at it."""

    probability: Fraction
    """That the goal is met; all or nothing where no interval is told."""
    display: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What was observed of one subject of a rule."""

    subject: str
    condition: Condition
    value: str | None = None
    centre_id: str | None = None
    target: TargetName | None = None
    period: Period | None = None
    figure: str | None = None
    target_id: str | None = None


@dataclass(frozen=True, slots=True)
class HeldFigure:
    """A figure of a unit and the goal that it is held against."""

    ratio: tuple[int, int] | None
    """None where it cannot be computed."""
    goal: Goal
    display: str | None


@dataclass(frozen=True)
class Sight:
    """What rules look at."""

    county: BranchMonths
    now: datetime
    booked: Period | None
    """The last month with books."""
    closed: Period | None
    """The last of them that is closed."""
    followed_at: Mapping[str, datetime]
    """When each feed told something last."""
    judged: Callable[[AlertRule, Unit, Period], Judgement]
    expected: Callable[[AlertRule, Unit, Period], Expected | None]
    """None where nothing can be said, or not yet."""
    figure: Callable[[AlertRule, Unit, Period], HeldFigure | None]
    """None where the figure is not in force, or the unit has nothing to hold it against."""
    aims: Mapping[Period, Sequence[AmountTarget | FigureGoal]]
    """What units are to reach, as is in force in a month."""
    reached: Callable[[AmountTarget, Period], int | None]
    """None where it is not known."""
    aimed: Callable[[AmountTarget | FigureGoal, Period], Expected | None]
    """The forecast of what a unit is to reach; None where nothing can be said, or not yet."""


def observe(rule: AlertRule, sight: Sight) -> Iterator[Observation]:
    """Yield what a rule observes, one for each of its subjects."""
    match rule.kind:
        case AlertKind.VERDICT | AlertKind.FORECAST:
            yield from _targets(rule, sight)
        case AlertKind.FIGURE:
            yield from _figures(rule, sight)
        case AlertKind.UNIT_TARGET_BEHIND | AlertKind.UNIT_TARGET_FORECAST:
            yield from _aims(rule, sight)
        case AlertKind.BOOKS_LATE | AlertKind.PAYROLL_LATE:
            yield _late(rule, sight)
        case AlertKind.FEED_STILL:
            for source, told_at in sorted(sight.followed_at.items()):
                still = sight.now - told_at >= timedelta(hours=rule.hours)
                condition = Condition.BAD if still else Condition.GOOD
                yield Observation(source, condition, told_at.isoformat(timespec="seconds"))


def changes_at(rule: AlertRule, sight: Sight) -> datetime | None:
    """Return when a rule would observe something else though nothing is told."""
    match rule.kind:
        case AlertKind.BOOKS_LATE | AlertKind.PAYROLL_LATE:
            due = expected_month(rule.days, sight.now)
            return ends_at(shift(due, 1)) + timedelta(days=rule.days)
        case AlertKind.FEED_STILL:
            ends = [one + timedelta(hours=rule.hours) for one in sight.followed_at.values()]
            return min((one for one in ends if one > sight.now), default=None)
        case _:
            return None


def expected_month(days: int, now: datetime) -> Period:
    """Return the last month that ended at least so many days ago."""
    return shift(period_of(now - timedelta(days=days)), -1)


def _judges(rule: AlertRule, sight: Sight) -> Period | None:
    """Return the month that a rule judges; None while there is none."""
    return sight.booked if rule.open_months else sight.closed


def _watches(rule: AlertRule, unit: Unit) -> bool:
    if unit is None:
        return rule.with_county
    return rule.centre_ids is None or unit in rule.centre_ids


def _units(rule: AlertRule, sight: Sight, period: Period) -> list[Unit]:
    units: list[Unit] = [None, *sight.county.listed([period])]
    return [one for one in units if _watches(rule, one)]


def _targets(rule: AlertRule, sight: Sight) -> Iterator[Observation]:
    period = _judges(rule, sight)
    if period is None or rule.target is None:
        return
    for unit in _units(rule, sight, period):
        if rule.kind is AlertKind.VERDICT:
            condition, value = _by_verdict(rule, sight.judged(rule, unit, period))
        else:
            condition, value = _by_forecast(rule, sight.expected(rule, unit, period))
        yield Observation(unit or COUNTY, condition, value, unit, rule.target, period)


def _figures(rule: AlertRule, sight: Sight) -> Iterator[Observation]:
    period = _judges(rule, sight)
    if period is None:
        return
    for unit in _units(rule, sight, period):
        held = sight.figure(rule, unit, period)
        if held is not None:
            yield Observation(
                unit or COUNTY,
                _by_goal(rule, held),
                held.display,
                unit,
                period=period,
                figure=rule.figure,
            )


def _by_goal(rule: AlertRule, held: HeldFigure) -> Condition:
    if held.ratio is None:
        return Condition.UNKNOWN
    if not held.goal.met_by(*held.ratio):
        return Condition.BAD
    beyond = Fraction(*held.ratio) - Fraction(held.goal.ratio)
    if held.goal.direction is Direction.LOWER:
        beyond = -beyond
    return Condition.GOOD if beyond >= Fraction(rule.margin) else Condition.BETWEEN


def _aims(rule: AlertRule, sight: Sight) -> Iterator[Observation]:
    period = _judges(rule, sight)
    if period is None:
        return
    for aim in sight.aims.get(period, ()):
        of_measure = aim.measure if isinstance(aim, AmountTarget) else None
        if not _watches(rule, aim.unit) or rule.measure not in {None, of_measure}:
            continue
        if rule.kind is AlertKind.UNIT_TARGET_FORECAST:
            condition, value = _by_forecast(rule, sight.aimed(aim, period))
        elif isinstance(aim, AmountTarget):
            condition, value = _by_calendar(rule, aim, sight, period)
        else:
            continue
        yield Observation(
            aim.target_id,
            condition,
            value,
            aim.unit,
            period=period,
            figure=aim.figure if isinstance(aim, FigureGoal) else None,
            target_id=aim.target_id,
        )


def _by_calendar(
    rule: AlertRule, aim: AmountTarget, sight: Sight, period: Period
) -> tuple[Condition, str | None]:
    """Hold what is reached against the days gone by, at the month's end or by the day it is."""
    reached = sight.reached(aim, period)
    if reached is None:
        return Condition.UNKNOWN, None
    elapsed = aim.months.elapsed(min(last_day(period), business_day(sight.now)))
    value = f"{_percent(reached, aim.value)} / {_percent(*elapsed)}"
    ahead = Fraction(reached, aim.value) - Fraction(*elapsed)
    upward = aim.direction is Direction.HIGHER
    if not upward:
        ahead = -ahead
    if ahead < -Fraction(rule.behind_by):
        return Condition.BAD, value
    # Nothing more than the whole of it is asked for.
    good = ahead >= Fraction(rule.margin) - Fraction(rule.behind_by)
    return Condition.GOOD if good or (upward and aim.met_by(reached)) else Condition.BETWEEN, value


def _percent(numerator: int, denominator: int) -> str:
    return shown(numerator, denominator, None, shown_as=ShownAs.PERCENT, decimals=2)


def _by_verdict(rule: AlertRule, judgement: Judgement) -> tuple[Condition, str | None]:
    if judgement.ratio is None:
        return Condition.UNKNOWN, None
    if judgement.verdict is Verdict.FAIL:
        return Condition.BAD, judgement.display
    clear = Fraction(judgement.rule.goal.ratio) + Fraction(rule.margin)
    good = Fraction(*judgement.ratio) >= clear
    return Condition.GOOD if good else Condition.BETWEEN, judgement.display


def _by_forecast(rule: AlertRule, expected: Expected | None) -> tuple[Condition, str | None]:
    if expected is None:
        return Condition.UNKNOWN, None
    if expected.probability < Fraction(rule.probability_below):
        return Condition.BAD, expected.display
    # Nothing is more than certain: a margin beyond that would never let an alert end.
    clear = min(Fraction(rule.probability_below) + Fraction(rule.margin), Fraction(1))
    good = expected.probability >= clear
    return Condition.GOOD if good else Condition.BETWEEN, expected.display


def _late(rule: AlertRule, sight: Sight) -> Observation:
    """Look whether the month is there that ought to be; none is owed outside every contract."""
    month = expected_month(rule.days, sight.now)
    owed = any(one.covers(month) for one in sight.county.terms)
    if not owed:
        condition = Condition.GOOD
    elif rule.kind is AlertKind.BOOKS_LATE:
        condition = Condition.GOOD if month in sight.county.booked_months else Condition.BAD
    else:
        causes = sight.county.known(None, [month]).causes
        lacking = any(one.code is ReasonCode.PAYROLL_MISSING for one in causes)
        condition = Condition.BAD if lacking else Condition.GOOD
    late = (business_day(sight.now) - business_day(ends_at(month))).days
    value = f"{late} days" if condition is Condition.BAD else None
    return Observation(COUNTY, condition, value, period=month)
