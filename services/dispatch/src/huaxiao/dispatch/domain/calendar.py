"""The calendar of appraisals: natural days after the month's end, in Asia/Shanghai."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from huaxiao.shared.periods import Period, ends_at
from huaxiao.shared.wire.scorecards import CalendarDays

_DEFAULT_DAYS = CalendarDays()


def submit_until(period: Period, days: CalendarDays = _DEFAULT_DAYS) -> datetime:
    """Return when it is too late to rate a month: the fifth day after it is over."""
    return ends_at(period) + timedelta(days=days.submit)


def silence_confirms_at(
    period: Period, submitted_at: datetime, days: CalendarDays = _DEFAULT_DAYS
) -> datetime:
    """Return when a card that nobody answered counts as confirmed.

    That is the eighth day after the month; a card that came late leaves its ratee the same time.
    """
    answer_within = timedelta(days=days.answer - days.submit)
    return max(submit_until(period, days), submitted_at) + answer_within


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Until when what is done with a card; each moment is the first that is too late."""

    freeze_at: datetime
    submit_until: datetime
    answer_until: datetime
    decide_until: datetime
    publish_at: datetime
    close_at: datetime


def deadlines(
    period: Period, days: CalendarDays = _DEFAULT_DAYS, *, submitted_at: datetime | None = None
) -> Deadlines:
    """Return the moments of a month, or those of a card that was submitted at some moment.

    Only a month that was over before its county came to this service is rated after its days; its
    cards then leave everybody the time that they would have had.
    """
    end = ends_at(period)
    late = (
        max(submitted_at - submit_until(period, days), timedelta()) if submitted_at else timedelta()
    )

    def after(count: int) -> datetime:
        return end + timedelta(days=count) + late

    return Deadlines(
        freeze_at=end + timedelta(days=days.freeze),
        submit_until=submit_until(period, days),
        answer_until=after(days.answer),
        decide_until=after(days.decide),
        publish_at=after(days.publish),
        close_at=after(days.close),
    )


@dataclass(frozen=True, slots=True)
class Appealed:
    """An appeal against an item: when it was made, and when it was decided."""

    at: datetime
    decided_at: datetime | None


def settled_at(
    due: Deadlines,
    *,
    confirmed_at: datetime | None,
    appeals: Sequence[Appealed],
    now: datetime,
) -> datetime | None:
    """Return from when on a card's score stands; None while it may still move.

    It stands when its ratee agrees, when the time for appeals has passed without any, or when the
    last of them is decided; one that nobody decided in time falls, and leaves the card as it is.
    """
    if confirmed_at is not None and confirmed_at <= now:
        return confirmed_at
    made = [one for one in appeals if one.at <= now]
    if now < due.answer_until:
        return None
    decided = [
        one.decided_at for one in made if one.decided_at is not None and one.decided_at <= now
    ]
    if len(decided) == len(made):
        return max([due.answer_until, *decided])
    return due.decide_until if now >= due.decide_until else None
