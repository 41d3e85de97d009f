"""Accounting periods (账期): calendar months, ``YYYYMM`` as an ``int``, in Asia/Shanghai."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NewType
from zoneinfo import ZoneInfo

Period = NewType("Period", int)

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
FIRST_PERIOD = Period(200001)
LAST_PERIOD = Period(209912)
_MONTHS = 12


def as_period(value: int) -> Period:
    """Check a ``YYYYMM`` number.

    Raises:
        ValueError: not a month between 2000-01 and 2099-12.

    """
    if not (FIRST_PERIOD <= value <= LAST_PERIOD and 1 <= value % 100 <= _MONTHS):
        raise ValueError(f"{value} is not a period (YYYYMM)")
    return Period(value)


def period_of(moment: datetime) -> Period:
    """Return the period a moment falls in, by the business zone's calendar."""
    local = moment.astimezone(BUSINESS_ZONE)
    return Period(local.year * 100 + local.month)


def business_day(moment: datetime) -> date:
    """Return the day a moment falls on, by the business zone's calendar."""
    return moment.astimezone(BUSINESS_ZONE).date()


def period_of_day(day: date) -> Period:
    """Return the period a business day falls in."""
    return Period(day.year * 100 + day.month)


def shift(period: Period, months: int) -> Period:
    """Return the period a number of months later, or earlier when negative."""
    index = period // 100 * _MONTHS + period % 100 - 1 + months
    return Period(index // _MONTHS * 100 + index % _MONTHS + 1)


def year_before(period: Period) -> Period:
    """Return the same month one year earlier: the base of a year-on-year figure (同比)."""
    return shift(period, -_MONTHS)


def first_day(period: Period) -> date:
    """Return the first day of a period."""
    return date(period // 100, period % 100, 1)


def last_day(period: Period) -> date:
    """Return the last day of a period."""
    return first_day(shift(period, 1)) - timedelta(days=1)


def starts_at(period: Period) -> datetime:
    """Return 00:00 of the first day: the moment whose snapshot is the period's evidence."""
    day = first_day(period)
    return datetime(day.year, day.month, day.day, tzinfo=BUSINESS_ZONE)


def ends_at(period: Period) -> datetime:
    """Return the moment a period is over: validity is half-open, ``[starts_at, ends_at)``."""
    return starts_at(shift(period, 1))


def periods_from(first: Period, last: Period) -> Iterator[Period]:
    """Yield the periods from ``first`` to ``last``, both included."""
    period = first
    while period <= last:
        yield period
        period = shift(period, 1)
