"""Spans of months that somebody asks about, both ends included."""

from http import HTTPStatus

from huaxiao.shared.periods import Period, shift
from huaxiao.shared.problems import Problem

_MOST_MONTHS = 120


class BadSpan(Problem):
    """The months asked for end before they begin, or are too many."""

    code = "bad-span"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The months end before they begin, or are more than 120"
    title_zh = "账期区间无效或超过 120 个月"


def span_of(first: int, last: int) -> tuple[Period, Period]:
    """Return the months from one to another.

    Raises:
        BadSpan: they end before they begin, or are more than ten years.

    """
    if not first <= last < shift(Period(first), _MOST_MONTHS):
        raise BadSpan
    return Period(first), Period(last)
