"""Routes of what somebody should look into, who does, and how much of it there may be.

What has no owner yet is looked for in the whole branch.
"""

from typing import Annotated

from fastapi import Query, Request

from huaxiao.attribution.callers import (
    RULING_READERS,
    BranchReader,
    Closer,
    Reader,
    RuleMaker,
)
from huaxiao.attribution.unresolved import handlers, store
from huaxiao.attribution.unresolved.handlers import AssignmentNotPossible
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import BranchReadTx, BranchWriteTx
from huaxiao.shared.wire.attribution import (
    UnresolvedAssignment,
    UnresolvedAssignmentIn,
    UnresolvedLimits,
    UnresolvedLine,
)
from huaxiao.shared.wire.base import PeriodText

router = web.router(tags=["unresolved"])


@router.get("/unresolved-limits", responses=web.problem_responses(Forbidden))
async def get_unresolved_limits(
    branch_id: BranchId, connection: BranchReadTx, _: Reader
) -> UnresolvedLimits:
    """Show how much of a month may be unresolved, and for how long a line."""
    return await store.limits(connection, branch_id)


@router.put("/unresolved-limits", responses=web.problem_responses(Forbidden))
async def put_unresolved_limits(
    request: Request,
    branch_id: BranchId,
    given: UnresolvedLimits,
    connection: BranchWriteTx,
    principal: RuleMaker,
) -> UnresolvedLimits:
    """Set how much of a month may be unresolved, and for how long a line; closed months keep theirs."""
    return await handlers.set_limits(
        connection, branch_id, given, by=principal.subject, now=request.app.state.clock()
    )


@router.get("/unresolved", responses=web.problem_responses(Forbidden))
async def list_unresolved(
    request: Request,
    branch_id: BranchId,
    connection: BranchReadTx,
    principal: Reader,
    page: PageOf,
    period: PeriodText,
    flag: Annotated[Identifier | None, Query(description="only lines with this flag")] = None,
    assignee_id: Annotated[
        Identifier | None, Query(description="only lines this person is to work off")
    ] = None,
    unassigned: Annotated[
        bool | None, Query(description="only lines that nobody is to work off, or somebody is")
    ] = None,
) -> Page[UnresolvedLine]:
    """List a month's lines that lie in the pool or carry a flag, since when, and who is on it."""
    (after,) = page.after(str) or ("",)
    found = await handlers.page(
        connection,
        branch_id,
        period=period,
        flag=flag,
        assignee_id=assignee_id,
        unassigned=unassigned,
        centre_ids=principal.centre_ids,
        after=after,
        limit=page.limit + 1,
        now=request.app.state.clock(),
    )
    return page.page([_for(principal, one) for one in found], "subscription_id")


def _for(principal: Principal, line: UnresolvedLine) -> UnresolvedLine:
    """Leave out the ruling for who does not read rulings."""
    if principal.roles & {*RULING_READERS}:
        return line
    return line.model_copy(update={"drafted_ruling_id": None})


@router.put(
    "/unresolved/{subscription_id}/assignee",
    responses=web.problem_responses(Forbidden, AssignmentNotPossible),
)
async def assign_unresolved(
    request: Request,
    branch_id: BranchId,
    subscription_id: Identifier,
    given: UnresolvedAssignmentIn,
    connection: BranchWriteTx,
    principal: Closer,
) -> UnresolvedAssignment:
    """Say who is to work off a line, of whatever month; null is nobody."""
    return await handlers.assign(
        connection,
        branch_id,
        subscription_id,
        given,
        by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get("/unresolved/{subscription_id}/assignments", responses=web.problem_responses(Forbidden))
async def list_unresolved_assignments(
    branch_id: BranchId,
    subscription_id: Identifier,
    connection: BranchReadTx,
    _: BranchReader,
    page: PageOf,
) -> Page[UnresolvedAssignment]:
    """List who was to work off a line, first things first."""
    (after,) = page.after(int) or (0,)
    found = await store.assignments(
        connection, branch_id, subscription_id, after=after, limit=page.limit + 1
    )
    return page.page(found, "number")
