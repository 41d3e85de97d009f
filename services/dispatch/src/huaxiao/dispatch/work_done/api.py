"""Routes of work done."""

from typing import Annotated

from fastapi import Query, Request

from huaxiao.dispatch.work_done import handlers
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.base import Moment, PeriodText
from huaxiao.shared.wire.dispatch import WorkDone

router = web.router(tags=["work done"])
_Reader = Annotated[Principal, allow(*COUNTY_READERS, Role.CONTRACTOR)]


@router.get(
    "/work-done", responses=web.problem_responses(Forbidden, handlers.BadSpan, handlers.NotYet)
)
async def get_work_done(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    period_from: PeriodText,
    period_to: PeriodText,
    known_at: Annotated[
        Moment | None, Query(description="as it was known at this moment, which has passed")
    ] = None,
) -> WorkDone:
    """Show finished orders and confirmed scores by month and centre: a contractor its centres'."""
    return await handlers.show(
        connection,
        branch_id,
        (period_from, period_to),
        principal.centre_ids,
        known_at=known_at,
        now=request.app.state.clock(),
    )
