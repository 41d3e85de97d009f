"""Routes of appraisals.

Cards are drawn up from those of other centres, and locked together: writing finds the whole branch.
"""

from typing import Annotated

from fastapi import Path, Query, Request

from huaxiao.dispatch.appraisals import appeals, explaining, handlers, showing, store, timing
from huaxiao.dispatch.appraisals.problems import (
    AppealedAlready,
    HorizontalNotConfirmed,
    NoParty,
    NotRatable,
    OutsideWindow,
    PeriodNotOver,
)
from huaxiao.dispatch.domain.scorecard import ReasonRequired, ScoreOutOfRange
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import BranchReadTx, BranchWriteTx, ReadTx
from huaxiao.shared.wire.appraisals import (
    AppealAnswerIn,
    AppealDecisionIn,
    AppealIn,
    AppraisalDraft,
    AppraisalExplanation,
    AppraisalHistory,
    AppraisalMonth,
    CorrectionIn,
    CountedOrder,
    FinalDraftIn,
    HorizontalDraftIn,
)
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.dispatch import Appraisal, AppraisalKind, FinalIn, HorizontalIn
from huaxiao.shared.wire.reverse import Item

router = web.router(tags=["appraisals"])
_Reader = Annotated[
    Principal,
    allow(
        Role.COUNTY_MANAGER,
        Role.CONTRACTOR,
        Role.ENGINEER,
        Role.SUPPORT_CENTRE,
        Role.AUDITOR,
        Role.PROVINCE,
        Role.SERVICE,
    ),
]
_Rater = Annotated[Principal, allow(Role.CONTRACTOR)]
_Ratee = Annotated[Principal, allow(Role.CONTRACTOR, Role.ENGINEER)]
_Decider = Annotated[Principal, allow(Role.SUPPORT_CENTRE, Role.COUNTY_MANAGER)]
_Id = Annotated[Identifier, Path(description="the card")]
_Item = Annotated[Item, Path(description="an item of the card")]
_SUBMITTING = (Forbidden, Conflict, NotRatable, PeriodNotOver, OutsideWindow, ReasonRequired)


@router.get("/appraisals")
async def list_appraisals(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    page: PageOf,
    period: PeriodText | None = None,
    kind: AppraisalKind | None = None,
) -> Page[Appraisal]:
    """List appraisals: a contractor those its centres gave or got, an engineer their own."""
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
    return page.page(await showing.render_all(connection, branch_id, rows, now=now), "appraisal_id")


@router.post(
    "/appraisals/horizontal", status_code=201, responses=web.problem_responses(*_SUBMITTING)
)
async def appraise_horizontal(
    request: Request,
    branch_id: BranchId,
    given: HorizontalIn,
    connection: BranchWriteTx,
    principal: _Rater,
) -> Appraisal:
    """Rate a regional centre as the enterprise centre it served (R26)."""
    return await handlers.appraise_horizontal(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )


@router.post(
    "/appraisals/final",
    status_code=201,
    responses=web.problem_responses(*_SUBMITTING, HorizontalNotConfirmed, ScoreOutOfRange),
)
async def appraise_final(
    request: Request,
    branch_id: BranchId,
    given: FinalIn,
    connection: BranchWriteTx,
    principal: _Rater,
) -> Appraisal:
    """Rate an engineer of one's own centre, bound to the horizontal result (R27)."""
    return await handlers.appraise_final(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )


# --- drafts -------------------------------------------------------------------------------------


@router.put(
    "/appraisals/drafts/horizontal/{rater_centre_id}/{ratee_centre_id}/{period}",
    responses=web.problem_responses(Forbidden, NotRatable, PeriodNotOver, OutsideWindow),
)
async def draft_horizontal(
    request: Request,
    branch_id: BranchId,
    rater_centre_id: Identifier,
    ratee_centre_id: Identifier,
    period: PeriodText,
    given: HorizontalDraftIn,
    connection: BranchWriteTx,
    principal: _Rater,
) -> AppraisalDraft:
    """Keep what is judged so far; nobody else sees it before it is submitted."""
    return await handlers.draft_horizontal(
        connection,
        branch_id,
        (rater_centre_id, ratee_centre_id, period),
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get(
    "/appraisals/drafts/horizontal/{rater_centre_id}/{ratee_centre_id}/{period}",
    responses=web.problem_responses(Forbidden),
)
async def get_horizontal_draft(
    branch_id: BranchId,
    rater_centre_id: Identifier,
    ratee_centre_id: Identifier,
    period: PeriodText,
    connection: ReadTx,
    principal: _Rater,
) -> AppraisalDraft:
    """Show one's draft, and what it lacks."""
    principal.require_centre(rater_centre_id)
    return await handlers.show_draft(
        connection,
        branch_id,
        AppraisalKind.HORIZONTAL,
        (rater_centre_id, ratee_centre_id, period),
    )


@router.post(
    "/appraisals/drafts/horizontal/{rater_centre_id}/{ratee_centre_id}/{period}/submit",
    status_code=201,
    responses=web.problem_responses(*_SUBMITTING),
)
async def submit_horizontal(
    request: Request,
    branch_id: BranchId,
    rater_centre_id: Identifier,
    ratee_centre_id: Identifier,
    period: PeriodText,
    connection: BranchWriteTx,
    principal: _Rater,
) -> Appraisal:
    """Submit a draft; every item must be judged."""
    return await handlers.submit_horizontal(
        connection,
        branch_id,
        (rater_centre_id, ratee_centre_id, period),
        principal=principal,
        now=request.app.state.clock(),
    )


@router.put(
    "/appraisals/drafts/final/{person_id}/{period}",
    responses=web.problem_responses(Forbidden, NotRatable, PeriodNotOver, OutsideWindow),
)
async def draft_final(
    request: Request,
    branch_id: BranchId,
    person_id: Identifier,
    period: PeriodText,
    given: FinalDraftIn,
    connection: BranchWriteTx,
    principal: _Rater,
) -> AppraisalDraft:
    """Keep what is judged so far of one's engineer."""
    return await handlers.draft_final(
        connection,
        branch_id,
        person_id,
        period,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get(
    "/appraisals/drafts/final/{person_id}/{period}",
    responses=web.problem_responses(Forbidden, NotRatable),
)
async def get_final_draft(
    branch_id: BranchId,
    person_id: Identifier,
    period: PeriodText,
    connection: ReadTx,
    principal: _Rater,
) -> AppraisalDraft:
    """Show one's draft, and what it lacks."""
    return await handlers.final_draft_of(
        connection, branch_id, person_id, period, principal=principal
    )


@router.post(
    "/appraisals/drafts/final/{person_id}/{period}/submit",
    status_code=201,
    responses=web.problem_responses(*_SUBMITTING, HorizontalNotConfirmed, ScoreOutOfRange),
)
async def submit_final(
    request: Request,
    branch_id: BranchId,
    person_id: Identifier,
    period: PeriodText,
    connection: BranchWriteTx,
    principal: _Rater,
) -> Appraisal:
    """Submit a draft; every item must be judged."""
    return await handlers.submit_final(
        connection,
        branch_id,
        person_id,
        period,
        principal=principal,
        now=request.app.state.clock(),
    )


# --- a card -------------------------------------------------------------------------------------


@router.get("/appraisals/{appraisal_id}", responses=web.problem_responses(Forbidden))
async def get_appraisal(
    request: Request,
    branch_id: BranchId,
    appraisal_id: _Id,
    connection: ReadTx,
    principal: _Reader,
) -> Appraisal:
    """Show a card."""
    row = await handlers.seen(connection, branch_id, appraisal_id, principal)
    return await showing.render(connection, row, now=request.app.state.clock())


@router.get("/appraisals/{appraisal_id}/explanation", responses=web.problem_responses(Forbidden))
async def explain_appraisal(
    request: Request,
    branch_id: BranchId,
    appraisal_id: _Id,
    connection: ReadTx,
    principal: _Reader,
) -> AppraisalExplanation:
    """Explain a score: each item's value, bounds and points, in words too; computed again."""
    row = await handlers.seen(connection, branch_id, appraisal_id, principal)
    return await explaining.explain(connection, row, now=request.app.state.clock())


@router.get("/appraisals/{appraisal_id}/orders", responses=web.problem_responses(Forbidden))
async def list_counted_orders(
    branch_id: BranchId,
    appraisal_id: _Id,
    connection: ReadTx,
    principal: _Reader,
    page: PageOf,
    item: Annotated[
        Item,
        Query(description="a measured item; of the person's own F1 items with `person_` before it"),
    ],
) -> Page[CountedOrder]:
    """List the orders that count on an item, and what each counts."""
    row = await handlers.seen(connection, branch_id, appraisal_id, principal)
    (after,) = page.after(str) or ("",)
    found = await explaining.counted_orders(
        connection, row, item, after=after, limit=page.limit + 1
    )
    return page.page(found, "order_id")


@router.get("/appraisals/{appraisal_id}/history", responses=web.problem_responses(Forbidden))
async def get_appraisal_history(
    request: Request,
    branch_id: BranchId,
    appraisal_id: _Id,
    connection: ReadTx,
    principal: _Reader,
) -> AppraisalHistory:
    """Show every score a card had, and what was said and decided of it."""
    row = await handlers.seen(connection, branch_id, appraisal_id, principal)
    return await appeals.history(connection, row, now=request.app.state.clock())


@router.post(
    "/appraisals/{appraisal_id}/confirm",
    responses=web.problem_responses(Forbidden, AppealedAlready),
)
async def confirm_appraisal(
    request: Request,
    branch_id: BranchId,
    appraisal_id: _Id,
    connection: BranchWriteTx,
    principal: _Ratee,
) -> Appraisal:
    """Agree with a card as its ratee: a centre, or an engineer."""
    return await handlers.confirm(
        connection, branch_id, appraisal_id, principal=principal, now=request.app.state.clock()
    )


@router.put(
    "/appraisals/{appraisal_id}/appeals/{item}",
    status_code=201,
    responses=web.problem_responses(Forbidden, AppealedAlready, OutsideWindow),
)
async def appeal_against_item(
    request: Request,
    branch_id: BranchId,
    appraisal_id: _Id,
    item: _Item,
    given: AppealIn,
    connection: BranchWriteTx,
    principal: _Ratee,
) -> AppraisalHistory:
    """Appeal against an item, once, with evidence, until the eighth day."""
    return await appeals.appeal(
        connection,
        branch_id,
        appraisal_id,
        item,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/appraisals/{appraisal_id}/appeals/{item}/answer",
    status_code=201,
    responses=web.problem_responses(Forbidden, Conflict),
)
async def answer_appeal(
    request: Request,
    branch_id: BranchId,
    appraisal_id: _Id,
    item: _Item,
    given: AppealAnswerIn,
    connection: BranchWriteTx,
    principal: _Rater,
) -> AppraisalHistory:
    """Answer an appeal as the rater."""
    return await appeals.answer(
        connection,
        branch_id,
        appraisal_id,
        item,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/appraisals/{appraisal_id}/appeals/{item}/decision",
    status_code=201,
    responses=web.problem_responses(Forbidden, Conflict, NoParty, OutsideWindow),
)
async def decide_appeal(
    request: Request,
    branch_id: BranchId,
    appraisal_id: _Id,
    item: _Item,
    given: AppealDecisionIn,
    connection: BranchWriteTx,
    principal: _Decider,
) -> AppraisalHistory:
    """Decide an appeal until the tenth day, as the support centre, or the general manager."""
    return await appeals.decide(
        connection,
        branch_id,
        appraisal_id,
        item,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/appraisals/{appraisal_id}/corrections",
    status_code=201,
    responses=web.problem_responses(Forbidden, NoParty, OutsideWindow),
)
async def correct_appraisal(
    request: Request,
    branch_id: BranchId,
    appraisal_id: _Id,
    given: CorrectionIn,
    connection: BranchWriteTx,
    principal: Annotated[Principal, allow(Role.COUNTY_MANAGER, whole_branch=True)],
) -> AppraisalHistory:
    """Correct a published card; of a closed month that is dated in the month it is made in."""
    return await appeals.correct(
        connection,
        branch_id,
        appraisal_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get("/appraisal-months/{period}", responses=web.problem_responses(Forbidden))
async def get_appraisal_month(
    branch_id: BranchId,
    period: PeriodText,
    connection: BranchReadTx,
    _: Annotated[
        Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
    ],
) -> AppraisalMonth:
    """Show a month's calendar, how far it has come, and whether its evidence is as it was frozen."""
    return await timing.show_month(connection, branch_id, period)
