"""Moments as minutes of a day, and back, by the business zone; and points as places."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import RowMapping

from huaxiao.dispatch.domain.planning.travel import Place
from huaxiao.shared.periods import BUSINESS_ZONE

MINUTE = timedelta(minutes=1)
FULL_DAY = 24 * 60


def midnight(day: date) -> datetime:
    """Return when a day begins, by the business zone."""
    return datetime.combine(day, time(0), BUSINESS_ZONE)


def minute_of(moment: datetime, day: date) -> int:
    """Return the minute of a day in which a moment lies; before and after it too."""
    return (moment - midnight(day)) // MINUTE


def moment_of(minute: int, day: date) -> datetime:
    """Return the moment at which a minute of a day begins."""
    return midnight(day) + minute * MINUTE


def point_of(address: str, row: RowMapping) -> Place:
    """Return a row's point as a place that an address names, if there is one."""
    return Place(
        address or f"{row['latitude']},{row['longitude']}",
        float(row["latitude"]),
        float(row["longitude"]),
    )
