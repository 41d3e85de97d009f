"""Routes of targets."""

from typing import Annotated

from fastapi import Query, Request, Response

from huaxiao.kpi.answers import Answers, asked
from huaxiao.kpi.moments import KnownAt, MomentToCome, PeriodToCome, ReportPeriod
from huaxiao.kpi.readers import READERS, sees_county
from huaxiao.kpi.targets import handlers
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.wire.kpi import Span, TargetReport

router = web.router(tags=["targets"])


@router.get(
    "/targets",
    response_model=TargetReport,
    responses=web.problem_responses(Forbidden, MomentToCome, PeriodToCome),
)
async def read_targets(
    request: Request,
    branch_id: BranchId,
    principal: Annotated[Principal, READERS],
    known_at: KnownAt,
    period: ReportPeriod,
    span: Annotated[Span, Query()] = Span.MONTH,
) -> Response:
    """Judge the three targets of the county and each centre (R2, R3, R4)."""
    seen, with_county = principal.centre_ids, sees_county(principal)
    answers: Answers = request.app.state.answers
    return await answers.tell(
        branch_id,
        asked(request, principal),
        lambda connection: handlers.report(
            connection,
            branch_id,
            period=period,
            span=span,
            centre_ids=seen,
            with_county=with_county,
            known_at=known_at,
        ),
    )
