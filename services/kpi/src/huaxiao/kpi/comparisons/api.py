"""Routes of comparisons."""

from typing import Annotated

from fastapi import Query, Request, Response

from huaxiao.kpi.answers import Answers, asked
from huaxiao.kpi.comparisons import handlers
from huaxiao.kpi.comparisons.handlers import Asked, OneOfTwo
from huaxiao.kpi.moments import KnownAt, MomentToCome, PeriodToCome, ReportPeriod
from huaxiao.kpi.readers import READERS, sees_county
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.wire.figures import Direction, FigureName, MeasureName
from huaxiao.shared.wire.kpi import Span
from huaxiao.shared.wire.unit_targets import BackCastReport, Comparison

router = web.router(tags=["comparisons"])
_Reader = Annotated[Principal, READERS]


@router.get(
    "/comparisons",
    response_model=Comparison,
    responses=web.problem_responses(Forbidden, MomentToCome, PeriodToCome, OneOfTwo),
)
async def compare_units(
    request: Request,
    branch_id: BranchId,
    principal: _Reader,
    known_at: KnownAt,
    period: ReportPeriod,
    span: Annotated[Span, Query()] = Span.MONTH,
    measure: Annotated[MeasureName | None, Query()] = None,
    figure: Annotated[FigureName | None, Query()] = None,
    direction: Annotated[
        Direction | None, Query(description="which way is better; the figure's own when absent")
    ] = None,
) -> Response:
    """Put a measure or figure of the county and its centres beside the year and the month before (同比、环比、排名)."""
    wanted = Asked(
        measure, figure, direction, principal.centre_ids, sees_county(principal), known_at
    )
    answers: Answers = request.app.state.answers
    return await answers.tell(
        branch_id,
        asked(request, principal),
        lambda connection: handlers.compare(
            connection, branch_id, wanted, period=period, span=span
        ),
    )


@router.get(
    "/back-cast",
    response_model=BackCastReport,
    responses=web.problem_responses(Forbidden, MomentToCome, PeriodToCome),
)
async def read_back_cast(
    request: Request,
    branch_id: BranchId,
    principal: _Reader,
    known_at: KnownAt,
    period: ReportPeriod,
    span: Annotated[Span, Query()] = Span.MONTH,
) -> Response:
    """Tell the year before like for like, on today's fields, and as it was booked (年度回溯)."""
    wanted = Asked(None, None, None, principal.centre_ids, sees_county(principal), known_at)
    answers: Answers = request.app.state.answers
    return await answers.tell(
        branch_id,
        asked(request, principal),
        lambda connection: handlers.back_cast(
            connection, branch_id, wanted, period=period, span=span
        ),
    )
