"""Routes of what somebody should look into, and of how much of it there may be."""

from typing import Annotated

from fastapi import Query, Request

from huaxiao.attribution.callers import Reader, RuleMaker
from huaxiao.attribution.unresolved import handlers, store
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.attribution import UnresolvedLimits, UnresolvedLine
from huaxiao.shared.wire.base import PeriodText

router = web.router(tags=["unresolved"])


@router.get("/unresolved-limits", responses=web.problem_responses(Forbidden))
async def get_unresolved_limits(
    branch_id: BranchId, connection: ReadTx, _: Reader
) -> UnresolvedLimits:
    """Show how much of a month may be unresolved, and for how long a line."""
    return await store.limits(connection, branch_id)


@router.put("/unresolved-limits", responses=web.problem_responses(Forbidden))
async def put_unresolved_limits(
    request: Request,
    branch_id: BranchId,
    given: UnresolvedLimits,
    connection: WriteTx,
    principal: RuleMaker,
) -> UnresolvedLimits:
    """Set how much of a month may be unresolved, and for how long a line; closed months keep theirs."""
    return await handlers.set_limits(
        connection, branch_id, given, by=principal.subject, now=request.app.state.clock()
    )


@router.get("/unresolved", responses=web.problem_responses(Forbidden))
async def list_unresolved(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Reader,
    page: PageOf,
    period: PeriodText,
    flag: Annotated[Identifier | None, Query(description="only lines with this flag")] = None,
) -> Page[UnresolvedLine]:
    """List a month's lines that lie in the pool or carry a flag, and since when."""
    (after,) = page.after(str) or ("",)
    found = await store.page(
        connection,
        branch_id,
        period=period,
        flag=flag,
        centre_ids=principal.centre_ids,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "subscription_id")
