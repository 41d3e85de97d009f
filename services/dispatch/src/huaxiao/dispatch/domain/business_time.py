"""Time as it counts: natural time, the daily window of 08:00 to 20:00, or working days.

Counted time runs in stretches and rests between them, and a due moment is the first at which enough
of it has run. Working days are those of the official Chinese calendar, with the weekends worked in
exchange for holidays (调休). Of a year that the calendar does not know yet, Monday to Friday are taken.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from importlib.metadata import version

import chinese_calendar
from chinese_calendar.constants import holidays

from huaxiao.shared.periods import BUSINESS_ZONE, business_day

WINDOW_OPENS, WINDOW_CLOSES = time(8), time(20)
CALENDAR_VERSION = f"chinesecalendar {version('chinesecalendar')}"
"""Which calendar a stored moment was computed with: a later one knows more years."""
KNOWN_YEARS = range(min(holidays).year, max(holidays).year + 1)
"""The years whose holidays and make-up days the State Council has announced to the calendar."""
WINDOW_DAY = timedelta(hours=12)
"""How much of the daily window a day has."""
_DAY = timedelta(days=1)
_SATURDAY = 5
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


class Counting(StrEnum):
    """Which time counts."""

    NATURAL = "natural"
    WINDOW = "working_hours"
    """08:00 to 20:00 of every day."""
    WORKING = "whole_working_days"
    """The whole of working days."""
    WORKING_WINDOW = "working_days"
    """08:00 to 20:00 of working days."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a clock is not stopped, half-open; ``until`` is None while it goes on."""

    since: datetime
    until: datetime | None = None


@cache
def is_working_day(day: date) -> bool:
    """Say whether people work on a day; of years nobody has announced yet, Monday to Friday."""
    if day.year in KNOWN_YEARS:
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < _SATURDAY


def assumed_years(since: datetime, until: datetime) -> list[int]:
    """Return the years between two moments of which only weekdays are known."""
    years = range(business_day(since).year, business_day(until).year + 1)
    return [year for year in years if year not in KNOWN_YEARS]


def running_time(counting: Counting, stretches: Iterable[Stretch], *, until: datetime) -> timedelta:
    """Return how much time has counted in some stretches by a moment."""
    run = timedelta(0)
    for one in stretches:
        end = until if one.until is None else min(one.until, until)
        for opens, closes in _open(counting, one.since, end):
            run += closes - opens
    return run


def reached_at(
    counting: Counting, stretches: Sequence[Stretch], amount: timedelta
) -> datetime | None:
    """Return the first moment by which so much time has counted, in UTC.

    None when the stretches end before; the last one goes on for ever while it is open.
    """
    left = amount
    for one in stretches:
        for opens, closes in _open(counting, one.since, one.until):
            if closes - opens >= left:
                return (opens + left).astimezone(UTC)
            left -= closes - opens
    return None


def after(counting: Counting, moment: datetime, length: timedelta) -> datetime:
    """Return the first moment by which so much counted time has passed since a moment."""
    if length <= timedelta(0):
        return moment
    reached = reached_at(counting, [Stretch(moment)], length)
    assert reached is not None  # noqa: S101 - the stretch goes on for ever
    return reached


def passed(counting: Counting, since: datetime, until: datetime) -> timedelta:
    """Return how much counted time passes between two moments; none when they are reversed."""
    return running_time(counting, [Stretch(since)], until=until)


def _open(
    counting: Counting, since: datetime, until: datetime | None
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the counted parts of the time between two moments, in order, without empty ones."""
    since = since.astimezone(UTC)
    if counting is Counting.NATURAL:
        if until is None or since < until:
            yield since, _FOR_EVER if until is None else until.astimezone(UTC)
        return
    every_day = counting is Counting.WINDOW
    day = business_day(since)
    while until is None or day <= business_day(until):
        if every_day or is_working_day(day):
            opens, closes = _counted_of(counting, day)
            opens = max(opens, since)
            closes = closes if until is None else min(closes, until)
            if opens < closes:
                yield opens, closes
        day += _DAY


def _counted_of(counting: Counting, day: date) -> tuple[datetime, datetime]:
    if counting is Counting.WORKING:
        begins = datetime.combine(day, time(0), BUSINESS_ZONE)
        return begins, begins + _DAY
    return (
        datetime.combine(day, WINDOW_OPENS, BUSINESS_ZONE),
        datetime.combine(day, WINDOW_CLOSES, BUSINESS_ZONE),
    )
