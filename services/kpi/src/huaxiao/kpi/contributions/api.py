"""Routes of contributions."""

from typing import Annotated

from fastapi import Query, Request, Response

from huaxiao.kpi.answers import Answers, asked
from huaxiao.kpi.contributions import handlers
from huaxiao.kpi.domain.explaining import NoVolume
from huaxiao.kpi.moments import KnownAt, MomentToCome
from huaxiao.kpi.readers import READERS, require_unit
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.contributions import ExplainedFigure, Explanation
from huaxiao.shared.wire.kpi import Span

router = web.router(tags=["contributions"])


@router.get(
    "/contributions",
    response_model=Explanation,
    responses=web.problem_responses(Forbidden, MomentToCome, NoVolume),
)
async def explain_change(
    request: Request,
    branch_id: BranchId,
    principal: Annotated[Principal, READERS],
    known_at: KnownAt,
    figure: Annotated[ExplainedFigure, Query()],
    period: Annotated[PeriodText, Query()],
    span: Annotated[Span, Query()] = Span.MONTH,
    centre_id: Annotated[
        Identifier | None, Query(description="a centre; without it the county")
    ] = None,
    against_period: Annotated[
        PeriodText | None,
        Query(description="the last of as many booked months; without it the contract's base"),
    ] = None,
    volume: Annotated[
        str | None,
        Query(
            max_length=120,
            description="with figure=revenue and against_period: a measure that counts, or"
            " headcount, to split by into volume, mix and price",
        ),
    ] = None,
) -> Response:
    """Say why a figure moved: its change by centre and component, adding up exactly (R2–R4)."""
    require_unit(principal, centre_id)
    if volume is not None and against_period is None:
        raise NoVolume
    answers: Answers = request.app.state.answers
    return await answers.tell(
        branch_id,
        asked(request, principal),
        lambda connection: handlers.explain(
            connection,
            branch_id,
            figure=figure,
            unit=centre_id,
            period=Period(period),
            span=span,
            against=None if against_period is None else Period(against_period),
            volume=volume,
            known_at=known_at,
        ),
    )
