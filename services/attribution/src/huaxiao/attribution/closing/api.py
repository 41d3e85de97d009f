"""Routes of periods and their closing.

A month is closed for the whole branch.
"""

from fastapi import Request

from huaxiao.attribution.callers import BranchReader, Closer, GeneralManager, Reader
from huaxiao.attribution.closing import handlers, store
from huaxiao.attribution.closing.handlers import (
    ApprovalNotNeeded,
    BooksDisagree,
    ClosingNotBegun,
    EarlierPeriodOpen,
    PeriodNotOver,
    TooMuchUnresolved,
)
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import BranchReadTx, BranchWriteTx
from huaxiao.shared.wire.attribution import Period, UnresolvedApprovalIn, Verification
from huaxiao.shared.wire.base import PeriodText

router = web.router(tags=["closing"])


@router.get("/periods", responses=web.problem_responses(Forbidden))
async def list_periods(
    branch_id: BranchId, connection: BranchReadTx, principal: Reader, page: PageOf
) -> Page[Period]:
    """List the periods that anything is known of, and those between, open and closed."""
    (after,) = page.after(int) or (0,)
    found = await store.page(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page([_for(principal, one) for one in found], "period")


@router.get("/periods/{period}", responses=web.problem_responses(Forbidden))
async def get_period(
    branch_id: BranchId, period: PeriodText, connection: BranchReadTx, principal: Reader
) -> Period:
    """Show whether a period is open or closed, by whom, under which seal, and what is unresolved."""
    return _for(principal, await store.period(connection, branch_id, period))


def _for(principal: Principal, period: Period) -> Period:
    """Leave out what concerns every centre at once, for who does not read the whole branch."""
    if principal.roles & {*COUNTY_READERS}:
        return period
    return period.model_copy(update={"unresolved": None})


@router.get("/periods/{period}/verification", responses=web.problem_responses(Forbidden))
async def verify_period(
    branch_id: BranchId, period: PeriodText, connection: BranchReadTx, _: BranchReader
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
    connection: BranchWriteTx,
    principal: Closer,
) -> Period:
    """Begin to close a period; somebody else closes it."""
    return await handlers.begin(
        connection, branch_id, period, by=principal.subject, now=request.app.state.clock()
    )


@router.post(
    "/periods/{period}/unresolved-approval",
    responses=web.problem_responses(Forbidden, PeriodNotOver, ApprovalNotNeeded),
)
async def approve_unresolved(
    request: Request,
    branch_id: BranchId,
    period: PeriodText,
    given: UnresolvedApprovalIn,
    connection: BranchWriteTx,
    principal: GeneralManager,
) -> Period:
    """Approve that a period is closed with what is unresolved of it now; somebody else closes it."""
    return await handlers.approve_unresolved(
        connection,
        branch_id,
        period,
        given,
        by=principal.subject,
        now=request.app.state.clock(),
    )


@router.post(
    "/periods/{period}/close",
    responses=web.problem_responses(
        Forbidden,
        PeriodNotOver,
        EarlierPeriodOpen,
        ClosingNotBegun,
        TwoPeople,
        BooksDisagree,
        TooMuchUnresolved,
    ),
)
async def close_period(
    request: Request,
    branch_id: BranchId,
    period: PeriodText,
    connection: BranchWriteTx,
    principal: Closer,
) -> Period:
    """Close and seal a period: what comes later of it is booked in the first open one."""
    return await handlers.close(
        connection, branch_id, period, by=principal.subject, now=request.app.state.clock()
    )
