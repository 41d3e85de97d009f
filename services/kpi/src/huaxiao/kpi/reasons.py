"""Why a figure cannot be computed, as callers are told."""

from collections.abc import Iterable

from huaxiao.kpi.domain.definitions import REASONS
from huaxiao.kpi.domain.known import Cause
from huaxiao.shared.periods import FIRST_PERIOD
from huaxiao.shared.wire.kpi import Reason


def reasons_of(causes: Iterable[Cause]) -> list[Reason]:
    """Say each cause in both languages."""
    return [
        Reason(
            code=cause.code,
            message=REASONS[cause.code].text,
            message_zh=REASONS[cause.code].text_zh,
            # What lies before the calendar's first month cannot be named.
            periods=[month for month in cause.periods if month >= FIRST_PERIOD],
        )
        for cause in causes
    ]
