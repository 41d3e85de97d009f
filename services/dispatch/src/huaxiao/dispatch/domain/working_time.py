"""Working time: hours between 08:00 and 20:00, and the working days of the Chinese calendar.

A working hour lies in the window of any day; a working day is the twelve hours of the window of a day
on which people work. So both are lengths of time that runs in windows and rests between them, and a
due moment is the first at which enough of it has run.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.metadata import version

import chinese_calendar
from chinese_calendar.constants import holidays

from huaxiao.dispatch.domain.service_level import WINDOW_CLOSES, WINDOW_OPENS
from huaxiao.shared.periods import BUSINESS_ZONE, business_day

CALENDAR_VERSION = f"chinesecalendar {version('chinesecalendar')}"
"""Which calendar a stored moment was computed with: a later one knows more years."""
KNOWN_YEARS = range(min(holidays).year, max(holidays).year + 1)
"""The years whose holidays and make-up days (调休) the State Council has announced to the calendar."""
WORKING_DAY = timedelta(hours=12)
_DAY = timedelta(days=1)
_WEEKEND = 5


class Measure(StrEnum):
    """In which windows time runs."""

    WORKING_HOURS = "working_hours"
    """08:00 to 20:00 of every day."""
    WORKING_DAYS = "working_days"
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
    return day.weekday() < _WEEKEND


def assumed_years(since: datetime, until: datetime) -> list[int]:
    """Return the years between two moments of which only weekdays are known."""
    years = range(business_day(since).year, business_day(until).year + 1)
    return [year for year in years if year not in KNOWN_YEARS]


def running_time(measure: Measure, stretches: Iterable[Stretch], *, until: datetime) -> timedelta:
    """Return how much time of a measure has run in some stretches by a moment."""
    run = timedelta(0)
    for one in stretches:
        end = until if one.until is None else min(one.until, until)
        for opens, closes in _windows(measure, one.since, end):
            run += closes - opens
    return run


def reached_at(
    measure: Measure, stretches: Sequence[Stretch], amount: timedelta
) -> datetime | None:
    """Return the first moment by which so much time has run, in UTC.

    None when the stretches end before; the last one goes on for ever while it is open.
    """
    left = amount
    for one in stretches:
        for opens, closes in _windows(measure, one.since, one.until):
            if closes - opens >= left:
                return (opens + left).astimezone(UTC)
            left -= closes - opens
    return None


def _windows(
    measure: Measure, since: datetime, until: datetime | None
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the parts of the windows between two moments, in order, without empty ones."""
    day = business_day(since)
    while until is None or day <= business_day(until):
        if measure is Measure.WORKING_HOURS or is_working_day(day):
            opens = max(datetime.combine(day, WINDOW_OPENS, BUSINESS_ZONE), since)
            closes = datetime.combine(day, WINDOW_CLOSES, BUSINESS_ZONE)
            closes = closes if until is None else min(closes, until)
            if opens < closes:
                yield opens, closes
        day += _DAY
