"""The route that names payments remitted short."""

from huaxiao.attribution.callers import Reader
from huaxiao.attribution.receipts import store
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.attribution import Shortfall
from huaxiao.shared.wire.base import PeriodText

router = web.router(tags=["receipts"])


@router.get("/shortfalls", responses=web.problem_responses(Forbidden))
async def list_shortfalls(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Reader,
    page: PageOf,
    period: PeriodText,
) -> Page[Shortfall]:
    """List a month's payments of which less reached the bank than was taken (NL-05)."""
    (after,) = page.after(str) or ("",)
    found = await store.short(
        connection,
        branch_id,
        period=period,
        centre_ids=principal.centre_ids,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "payment_id")
