"""The calendar of appraisals: natural days after the month's end, in Asia/Shanghai."""

from datetime import datetime, timedelta

from huaxiao.shared.periods import Period, ends_at

SUBMIT_WITHIN = timedelta(days=5)
ANSWER_WITHIN = timedelta(days=3)
"""How long the ratee has to confirm or appeal."""


def submit_until(period: Period) -> datetime:
    """Return when it is too late to rate a month: the fifth day after it is over."""
    return ends_at(period) + SUBMIT_WITHIN


def silence_confirms_at(period: Period, submitted_at: datetime) -> datetime:
    """Return when a card that nobody answered counts as confirmed.

    That is the eighth day after the month; a card that came late leaves its ratee the same time.
    """
    return max(submit_until(period), submitted_at) + ANSWER_WITHIN


def is_confirmed(
    period: Period, *, submitted_at: datetime, confirmed_at: datetime | None, now: datetime
) -> bool:
    """Say whether a card stands: its ratee agreed, or let the time for an answer pass."""
    return confirmed_at is not None or now >= silence_confirms_at(period, submitted_at)
