"""The month for which and the moment as of which a figure is asked."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Query, Request

from huaxiao.shared.periods import Period, period_of
from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.base import Moment, PeriodText


class MomentToCome(Problem):
    """What will be known at a moment to come, nobody can say."""

    code = "moment-to-come"
    status = HTTPStatus.CONFLICT
    title = "This moment is still to come"
    title_zh = "该时点尚未到来"


async def _past(
    request: Request,
    known_at: Annotated[
        Moment | None, Query(description="as it was known at this moment, which has passed")
    ] = None,
) -> datetime | None:
    if known_at is not None and known_at > request.app.state.clock():
        raise MomentToCome
    return known_at


KnownAt = Annotated[datetime | None, Depends(_past)]
"""The moment a caller names, which has passed; None is now."""


class PeriodToCome(Problem):
    """Nothing can be told of a month that has not begun."""

    code = "period-to-come"
    status = HTTPStatus.CONFLICT
    title = "This month has not begun"
    title_zh = "该账期尚未开始"


async def _begun(
    request: Request,
    period: Annotated[PeriodText, Query(description="the month, or the last month of the span")],
) -> Period:
    if period > (present := period_of(request.app.state.clock())):
        raise PeriodToCome(present=present)
    return Period(period)


ReportPeriod = Annotated[Period, Depends(_begun)]
"""The month a report is asked for, which has begun."""
