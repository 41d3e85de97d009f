"""The moment as of which a figure is asked."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Query, Request

from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.base import Moment


class MomentToCome(Problem):
    """What will be known at a moment to come, nobody can say."""

    code = "moment-to-come"
    status = HTTPStatus.CONFLICT
    title = "This moment is still to come"
    title_zh = "该时点尚未到来"


def _past(
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
