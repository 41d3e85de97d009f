"""Routes of forecasts."""

from typing import Annotated

from fastapi import Query, Request, Response

from huaxiao.kpi.answers import Answers, asked
from huaxiao.kpi.forecasts import handlers
from huaxiao.kpi.moments import KnownAt, MomentToCome
from huaxiao.kpi.readers import READERS, require_unit
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.forecasts import ForecastReport

router = web.router(tags=["forecasts"])


@router.get(
    "/forecasts",
    response_model=ForecastReport,
    responses=web.problem_responses(Forbidden, MomentToCome),
)
async def read_forecasts(
    request: Request,
    branch_id: BranchId,
    principal: Annotated[Principal, READERS],
    known_at: KnownAt,
    period: Annotated[PeriodText, Query(description="the last month that is known")],
    centre_id: Annotated[
        Identifier | None, Query(description="a centre; without it the county")
    ] = None,
) -> Response:
    """Say where the targets are going until the year ends, and what is still needed (R2–R4)."""
    require_unit(principal, centre_id)
    state = request.app.state
    answers: Answers = state.answers
    return await answers.tell_made(
        branch_id,
        asked(request, principal),
        lambda: handlers.report(
            state.database,
            state.forecasters,
            branch_id,
            unit=centre_id,
            period=Period(period),
            known_at=known_at,
        ),
    )
