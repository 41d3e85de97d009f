"""Routes of appraisals."""

from typing import Annotated

from fastapi import Request

from huaxiao.dispatch.appraisals import handlers, store
from huaxiao.dispatch.domain.scorecard import ReasonRequired, ScoreOutOfRange
from huaxiao.shared import web
from huaxiao.shared.auth import Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.dispatch import Appraisal, AppraisalKind, FinalIn, HorizontalIn

router = web.router(tags=["appraisals"])
_Rater = Annotated[Principal, allow(Role.CONTRACTOR)]


@router.get("/appraisals")
async def list_appraisals(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[
        Principal,
        allow(
            Role.COUNTY_MANAGER,
            Role.CONTRACTOR,
            Role.SUPPORT_CENTRE,
            Role.AUDITOR,
            Role.PROVINCE,
            Role.SERVICE,
        ),
    ],
    page: PageOf,
    period: PeriodText | None = None,
    kind: AppraisalKind | None = None,
) -> Page[Appraisal]:
    """List appraisals: a contractor those its centres gave or got."""
    after = page.after(str)
    rows = await store.page(
        connection,
        branch_id,
        principal,
        period=period,
        kind=kind,
        after=after[0] if after else "",
        limit=page.limit + 1,
    )
    now = request.app.state.clock()
    return page.page([handlers.render(row, now=now) for row in rows], "appraisal_id")


@router.post(
    "/appraisals/horizontal",
    status_code=201,
    responses=web.problem_responses(
        Forbidden, Conflict, handlers.NotRatable, handlers.PeriodNotOver, ReasonRequired
    ),
)
async def appraise_horizontal(
    request: Request,
    branch_id: BranchId,
    given: HorizontalIn,
    connection: WriteTx,
    principal: _Rater,
) -> Appraisal:
    """Rate a regional centre as the enterprise centre it served (R26)."""
    return await handlers.appraise_horizontal(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )


@router.post("/appraisals/{appraisal_id}/confirm", responses=web.problem_responses(Forbidden))
async def confirm_appraisal(
    request: Request,
    branch_id: BranchId,
    appraisal_id: Identifier,
    connection: WriteTx,
    principal: _Rater,
) -> Appraisal:
    """Confirm a horizontal appraisal as its ratee."""
    return await handlers.confirm(
        connection, branch_id, appraisal_id, principal=principal, now=request.app.state.clock()
    )


@router.post(
    "/appraisals/final",
    status_code=201,
    responses=web.problem_responses(
        Forbidden,
        Conflict,
        handlers.HorizontalNotConfirmed,
        handlers.PeriodNotOver,
        ReasonRequired,
        ScoreOutOfRange,
    ),
)
async def appraise_final(
    request: Request,
    branch_id: BranchId,
    given: FinalIn,
    connection: WriteTx,
    principal: _Rater,
) -> Appraisal:
    """Rate an engineer of one's own centre, bound to the horizontal result (R27)."""
    return await handlers.appraise_final(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )
