"""Routes of work done."""

from typing import Annotated

from fastapi import Query, Request

from huaxiao.dispatch.work_done import handlers
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.spans import BadSpan
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.base import Moment, PeriodText
from huaxiao.shared.wire.dispatch import AppraisalKind, FinishedOrder, PublishedScore, WorkDone

router = web.router(tags=["work done"])
_Reader = Annotated[Principal, allow(*COUNTY_READERS, Role.CONTRACTOR)]
_KnownAt = Annotated[
    Moment | None, Query(description="as it was known at this moment, which has passed")
]


@router.get("/work-done", responses=web.problem_responses(Forbidden, BadSpan, handlers.NotYet))
async def get_work_done(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    period_from: PeriodText,
    period_to: PeriodText,
    known_at: _KnownAt = None,
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


@router.get("/finished-orders", responses=web.problem_responses(Forbidden, handlers.NotYet))
async def list_finished_orders(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    page: PageOf,
    period: PeriodText,
    centre_id: Annotated[Identifier | None, Query()] = None,
    known_at: _KnownAt = None,
) -> Page[FinishedOrder]:
    """List the orders finished in a month, one by one: a contractor its centres'."""
    (after,) = page.after(str) or ("",)
    found = await handlers.finished_orders(
        connection,
        branch_id,
        Period(period),
        centre_id=centre_id,
        centre_ids=principal.centre_ids,
        known_at=known_at,
        after=after,
        limit=page.limit + 1,
        now=request.app.state.clock(),
    )
    return page.page(found, "order_id")


@router.get("/published-scores", responses=web.problem_responses(Forbidden, handlers.NotYet))
async def list_published_scores(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    page: PageOf,
    period: PeriodText,
    kind: Annotated[AppraisalKind | None, Query(description="only cards of this kind")] = None,
    known_at: _KnownAt = None,
) -> Page[PublishedScore]:
    """List the scores of a month's published cards as was told of them: a contractor its centres'."""
    (after,) = page.after(str) or ("",)
    found = await handlers.published_scores(
        connection,
        branch_id,
        Period(period),
        kind=kind,
        centre_ids=principal.centre_ids,
        known_at=known_at,
        after=after,
        limit=page.limit + 1,
        now=request.app.state.clock(),
    )
    return page.page(found, "appraisal_id")
