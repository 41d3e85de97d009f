"""Time as it counts: natural time, the daily window of 08:00 to 20:00, or working days.

Working days are those of the official Chinese calendar, with the weekends worked in exchange for
holidays. Of a year whose holidays are not published yet, Monday to Friday are taken.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import Enum

import chinese_calendar

from huaxiao.shared.periods import BUSINESS_ZONE, business_day

WINDOW_OPENS, WINDOW_CLOSES = time(8), time(20)
_DAY = timedelta(days=1)
_SATURDAY = 5


class Counting(Enum):
    """Which time counts."""

    NATURAL = "natural"
    WINDOW = "window"
    WORKING = "working"


def calendar_knows(year: int) -> bool:
    """Say whether the official calendar of a year is known."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def is_working_day(day: date) -> bool:
    """Say whether a day is worked."""
    if not calendar_knows(day.year):
        return day.weekday() < _SATURDAY
    worked: bool = chinese_calendar.is_workday(day)
    return worked


def after(counting: Counting, moment: datetime, length: timedelta) -> datetime:
    """Return the first moment by which so much counted time has passed since a moment."""
    if counting is Counting.NATURAL or length <= timedelta(0):
        return moment + max(length, timedelta(0))
    for opens, closes in _open(counting, moment):
        if opens + length <= closes:
            return opens + length
        length -= closes - opens
    raise AssertionError("unreachable")


def passed(counting: Counting, since: datetime, until: datetime) -> timedelta:
    """Return how much counted time passes between two moments; none when they are reversed."""
    if until <= since:
        return timedelta(0)
    if counting is Counting.NATURAL:
        return until - since
    total = timedelta(0)
    for opens, closes in _open(counting, since):
        if opens >= until:
            return total
        total += min(closes, until) - opens
    raise AssertionError("unreachable")


def _open(counting: Counting, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the stretches of counted time from a moment on."""
    day = business_day(since)
    while True:
        if counting is Counting.WINDOW:
            opens = datetime.combine(day, WINDOW_OPENS, BUSINESS_ZONE)
            closes = datetime.combine(day, WINDOW_CLOSES, BUSINESS_ZONE)
        else:
            opens = datetime.combine(day, time(0), BUSINESS_ZONE)
            closes = datetime.combine(day + _DAY, time(0), BUSINESS_ZONE)
        opens = max(opens, since.astimezone(BUSINESS_ZONE))
        if opens < closes and (counting is Counting.WINDOW or is_working_day(day)):
            yield opens, closes
        day += _DAY
