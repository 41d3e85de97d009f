"""Routes of figures."""

from typing import Annotated

from fastapi import Query

from huaxiao.kpi.figures import handlers
from huaxiao.kpi.moments import KnownAt, MomentToCome, PeriodToCome, ReportPeriod
from huaxiao.kpi.readers import READERS, sees_county
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.figures import FigureReport
from huaxiao.shared.wire.kpi import Span

router = web.router(tags=["figures"])


@router.get("/figures", responses=web.problem_responses(Forbidden, MomentToCome, PeriodToCome))
async def read_figures(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[Principal, READERS],
    known_at: KnownAt,
    period: ReportPeriod,
    span: Annotated[Span, Query()] = Span.MONTH,
) -> FigureReport:
    """Tell what every figure in force comes to, the built-in ones first, for the county and each centre."""
    return await handlers.report(
        connection,
        branch_id,
        period=period,
        span=span,
        centre_ids=principal.centre_ids,
        with_county=sees_county(principal),
        known_at=known_at,
    )
