"""Routes of violations.

Violations are numbered through the branch: writing finds all of it.
"""

from typing import Annotated

from fastapi import Path, Query, Request

from huaxiao.contracts.callers import Concerned, Decider, Reader, Reporter
from huaxiao.contracts.domain.references import UnknownReference
from huaxiao.contracts.domain.violations import PointsOutOfRange, StepOutOfTurn
from huaxiao.contracts.violations import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import BranchWriteTx, ReadTx
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.negative_list import (
    DecisionIn,
    StatementIn,
    Violation,
    ViolationIn,
    ViolationSummary,
)

router = web.router(tags=["violations"])
Number = Annotated[int, Path(ge=1, lt=2**31)]


@router.post(
    "/violations", status_code=201, responses=web.problem_responses(Forbidden, UnknownReference)
)
async def report_violation(
    request: Request,
    branch_id: BranchId,
    given: ViolationIn,
    connection: BranchWriteTx,
    principal: Reporter,
) -> Violation:
    """Report a violation of the negative list; anybody may (R5)."""
    return await handlers.report(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )


@router.get("/violations", responses=web.problem_responses(Forbidden))
async def list_violations(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Reader,
    page: PageOf,
    centre_id: Annotated[Identifier | None, Query(description="only this centre's")] = None,
    period: Annotated[PeriodText | None, Query(description="of this month")] = None,
    entry: Annotated[Identifier | None, Query(description="of this entry")] = None,
) -> Page[ViolationSummary]:
    """List violations by number: a contractor its centre's."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_violations(
        connection,
        branch_id,
        principal=principal,
        centre_id=centre_id,
        period=period,
        entry=entry,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "number")


@router.get("/violations/{number}", responses=web.problem_responses(Forbidden))
async def get_violation(
    branch_id: BranchId, number: Number, connection: ReadTx, principal: Reader
) -> Violation:
    """Show a violation and everything said of it."""
    return await handlers.show_one(connection, branch_id, number, principal=principal)


@router.post("/violations/{number}/hear", responses=web.problem_responses(Forbidden, StepOutOfTurn))
async def hear_centre(
    request: Request,
    branch_id: BranchId,
    number: Number,
    given: StatementIn,
    connection: BranchWriteTx,
    principal: Concerned,
) -> Violation:
    """Say something on a report as the contractor of the centre concerned."""
    return await handlers.hear(
        connection, branch_id, number, given, principal=principal, now=request.app.state.clock()
    )


@router.post(
    "/violations/{number}/decide",
    responses=web.problem_responses(Forbidden, StepOutOfTurn, PointsOutOfRange, TwoPeople),
)
async def decide_violation(
    request: Request,
    branch_id: BranchId,
    number: Number,
    given: DecisionIn,
    connection: BranchWriteTx,
    principal: Decider,
) -> Violation:
    """Uphold or dismiss, as somebody who did not report it, once the centre could be heard."""
    return await handlers.decide(
        connection, branch_id, number, given, principal=principal, now=request.app.state.clock()
    )


@router.post(
    "/violations/{number}/appeal", responses=web.problem_responses(Forbidden, StepOutOfTurn)
)
async def appeal_violation(
    request: Request,
    branch_id: BranchId,
    number: Number,
    given: StatementIn,
    connection: BranchWriteTx,
    principal: Concerned,
) -> Violation:
    """Appeal as the contractor of the centre concerned, once and in time."""
    return await handlers.appeal(
        connection, branch_id, number, given, principal=principal, now=request.app.state.clock()
    )


@router.post(
    "/violations/{number}/decide-appeal",
    responses=web.problem_responses(Forbidden, StepOutOfTurn, PointsOutOfRange, TwoPeople),
)
async def decide_appeal(
    request: Request,
    branch_id: BranchId,
    number: Number,
    given: DecisionIn,
    connection: BranchWriteTx,
    principal: Decider,
) -> Violation:
    """Decide on the appeal as somebody who neither reported nor decided before; this is final."""
    return await handlers.decide_appeal(
        connection, branch_id, number, given, principal=principal, now=request.app.state.clock()
    )
