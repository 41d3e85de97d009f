"""What rules observe of a branch: pure, by what is known at a moment."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from huaxiao.kpi.domain.alerts import Condition
from huaxiao.kpi.domain.months import BranchMonths, Unit
from huaxiao.kpi.domain.targets import Judgement
from huaxiao.shared.periods import Period, business_day, ends_at, period_of, shift
from huaxiao.shared.wire.alerts import AlertKind, AlertRule
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


def observe(rule: AlertRule, sight: Sight) -> Iterator[Observation]:
    """Yield what a rule observes, one for each of its subjects."""
    match rule.kind:
        case AlertKind.VERDICT | AlertKind.FORECAST:
            yield from _targets(rule, sight)
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


def _targets(rule: AlertRule, sight: Sight) -> Iterator[Observation]:
    period = sight.booked if rule.open_months else sight.closed
    if period is None or rule.target is None:
        return
    units: list[Unit] = [None] if rule.with_county else []
    there = sight.county.listed([period])
    units += [one for one in there if rule.centre_ids is None or one in rule.centre_ids]
    for unit in units:
        if rule.kind is AlertKind.VERDICT:
            condition, value = _by_verdict(rule, sight.judged(rule, unit, period))
        else:
            condition, value = _by_forecast(rule, sight.expected(rule, unit, period))
        yield Observation(unit or COUNTY, condition, value, unit, rule.target, period)


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
