"""Routes of periods and their closing."""

from fastapi import Request

from huaxiao.attribution.callers import BranchReader, Closer, Reader
from huaxiao.attribution.closing import handlers, store
from huaxiao.attribution.closing.handlers import (
    BooksDisagree,
    ClosingNotBegun,
    EarlierPeriodOpen,
    PeriodNotOver,
)
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.attribution import Period, Verification
from huaxiao.shared.wire.base import PeriodText

router = web.router(tags=["closing"])


@router.get("/periods", responses=web.problem_responses(Forbidden))
async def list_periods(
    branch_id: BranchId, connection: ReadTx, _: Reader, page: PageOf
) -> Page[Period]:
    """List the periods that anything is known of, and those between, open and closed."""
    (after,) = page.after(int) or (0,)
    found = await store.page(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page(found, "period")


@router.get("/periods/{period}", responses=web.problem_responses(Forbidden))
async def get_period(
    branch_id: BranchId, period: PeriodText, connection: ReadTx, _: Reader
) -> Period:
    """Show whether a period is open, closing or closed, by whom and under which seal."""
    return await store.period(connection, branch_id, period)


@router.get("/periods/{period}/verification", responses=web.problem_responses(Forbidden))
async def verify_period(
    branch_id: BranchId, period: PeriodText, connection: ReadTx, _: BranchReader
) -> Verification:
    """Hold a closed period against its seal, what was published of it, and its own books."""
    return await handlers.verify(connection, branch_id, period)


@router.post(
    "/periods/{period}/closing",
    responses=web.problem_responses(Forbidden, PeriodNotOver, EarlierPeriodOpen),
)
async def begin_closing(
    request: Request,
    branch_id: BranchId,
    period: PeriodText,
    connection: WriteTx,
    principal: Closer,
) -> Period:
    """Begin to close a period; somebody else closes it."""
    return await handlers.begin(
        connection, branch_id, period, by=principal.subject, now=request.app.state.clock()
    )


@router.post(
    "/periods/{period}/close",
    responses=web.problem_responses(
        Forbidden, PeriodNotOver, EarlierPeriodOpen, ClosingNotBegun, TwoPeople, BooksDisagree
    ),
)
async def close_period(
    request: Request,
    branch_id: BranchId,
    period: PeriodText,
    connection: WriteTx,
    principal: Closer,
) -> Period:
    """Close and seal a period: what comes later of it is booked in the first open one."""
    return await handlers.close(
        connection, branch_id, period, by=principal.subject, now=request.app.state.clock()
    )
