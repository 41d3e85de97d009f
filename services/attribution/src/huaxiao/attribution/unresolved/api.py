"""The route that lists what somebody should look into."""

from typing import Annotated

from fastapi import Query

from huaxiao.attribution.callers import Reader
from huaxiao.attribution.unresolved import store
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.attribution import UnresolvedLine
from huaxiao.shared.wire.base import PeriodText

router = web.router(tags=["unresolved"])


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
