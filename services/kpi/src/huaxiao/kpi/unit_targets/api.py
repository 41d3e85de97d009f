"""Routes of units' targets."""

from typing import Annotated

from fastapi import Query, Request, Response, status

from huaxiao.kpi.answers import Answers, asked
from huaxiao.kpi.moments import KnownAt, MomentToCome, PeriodToCome, ReportPeriod
from huaxiao.kpi.readers import READERS, WRITERS, sees_county
from huaxiao.kpi.unit_targets import handlers, progress
from huaxiao.kpi.unit_targets.handlers import OverlappingTargets, TargetInForce
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Forbidden, NotFound, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.unit_targets import (
    ProgressReport,
    UnitTarget,
    UnitTargetIn,
    WithdrawTargetIn,
)

router = web.router(tags=["unit targets"])
_Reader = Annotated[Principal, READERS]
_Writer = Annotated[Principal, WRITERS]


@router.put(
    "/unit-targets/{target_id}",
    responses=web.problem_responses(Forbidden, OverlappingTargets, TargetInForce)
    | {201: {"model": UnitTarget}},
)
async def put_unit_target(
    request: Request,
    response: Response,
    branch_id: BranchId,
    target_id: Identifier,
    given: UnitTargetIn,
    connection: WriteTx,
    principal: _Writer,
) -> UnitTarget:
    """Draft a target, or rewrite it while it is a draft; the province's holds at once."""
    found, is_new = await handlers.draft(
        connection,
        branch_id,
        target_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return found


@router.post(
    "/unit-targets/{target_id}/confirm",
    responses=web.problem_responses(Forbidden, OverlappingTargets, TargetInForce, TwoPeople),
)
async def confirm_unit_target(
    request: Request,
    branch_id: BranchId,
    target_id: Identifier,
    connection: WriteTx,
    principal: _Writer,
) -> UnitTarget:
    """Let a target hold, as a second person."""
    return await handlers.confirm(
        connection,
        branch_id,
        target_id,
        by=principal.subject,
        now=request.app.state.clock(),
    )


@router.post("/unit-targets/{target_id}/withdraw", responses=web.problem_responses(Forbidden))
async def withdraw_unit_target(
    request: Request,
    branch_id: BranchId,
    target_id: Identifier,
    given: WithdrawTargetIn,
    connection: WriteTx,
    principal: _Writer,
) -> UnitTarget:
    """Let a target hold no more, with the reason; what it was stays known."""
    return await handlers.withdraw(
        connection,
        branch_id,
        target_id,
        reason=given.reason,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get("/unit-targets", responses=web.problem_responses(Forbidden))
async def list_unit_targets(
    branch_id: BranchId, connection: ReadTx, principal: _Reader, page: PageOf
) -> Page[UnitTarget]:
    """List targets: a contractor those of its centres."""
    (after,) = page.after(str) or ("",)
    found = await handlers.list_targets(
        connection,
        branch_id,
        centre_ids=principal.centre_ids,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "target_id")


@router.get("/unit-targets/{target_id}", responses=web.problem_responses(Forbidden))
async def get_unit_target(
    branch_id: BranchId, target_id: Identifier, connection: ReadTx, principal: _Reader
) -> UnitTarget:
    """Show a target, who set it and when."""
    found = await handlers.show(connection, branch_id, target_id)
    if principal.centre_ids is not None and found.centre_id not in principal.centre_ids:
        raise NotFound
    return found


@router.get(
    "/progress",
    response_model=ProgressReport,
    responses=web.problem_responses(Forbidden, MomentToCome, PeriodToCome),
)
async def read_progress(
    request: Request,
    branch_id: BranchId,
    principal: _Reader,
    known_at: KnownAt,
    period: ReportPeriod,
    centre_id: Annotated[Identifier | None, Query()] = None,
) -> Response:
    """Hold every target in force against the calendar, and the county's against its centres'."""
    seen = principal.centre_ids
    if centre_id is not None:
        principal.require_centre(centre_id)
        seen = frozenset({centre_id})
    today = business_day(request.app.state.clock())
    answers: Answers = request.app.state.answers
    return await answers.tell(
        branch_id,
        (*asked(request, principal), today),
        lambda connection: progress.report(
            connection,
            branch_id,
            period=period,
            centre_ids=seen,
            with_county=centre_id is None and sees_county(principal),
            known_at=known_at,
            today=today,
        ),
    )
