"""Routes of disputes.

A dispute is between two centres, over entries of either: these find the whole branch.
"""

from typing import Annotated

from fastapi import Query, Request

from huaxiao.attribution.callers import Confirmer, Judge, Party, Reader, RuleMaker
from huaxiao.attribution.disputes import handlers, raising, showing, store
from huaxiao.attribution.disputes.raising import (
    AlreadyDecided,
    AlreadyDisputed,
    AppealOpen,
    DisputeNotPossible,
    TooLate,
    WithdrawnTwice,
)
from huaxiao.attribution.domain.disputes import NotAParty, NotImpartial, StepNotAllowed
from huaxiao.attribution.rulings.handlers import (
    AmendmentNeeded,
    AmendmentUnknown,
    RulingNotPossible,
)
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import BranchReadTx, BranchWriteTx
from huaxiao.shared.wire.attribution import (
    Dispute,
    DisputeDecisionIn,
    DisputeIn,
    DisputeLimits,
    DisputeState,
    DisputeStepName,
    PleaIn,
)

router = web.router(tags=["disputes"])


@router.get("/dispute-limits", responses=web.problem_responses(Forbidden))
async def get_dispute_limits(
    branch_id: BranchId, connection: BranchReadTx, _: Reader
) -> DisputeLimits:
    """Show how long the steps of a dispute may take."""
    return await store.limits(connection, branch_id)


@router.put("/dispute-limits", responses=web.problem_responses(Forbidden))
async def put_dispute_limits(
    request: Request,
    branch_id: BranchId,
    given: DisputeLimits,
    connection: BranchWriteTx,
    principal: RuleMaker,
) -> DisputeLimits:
    """Set how long the steps of a dispute may take; steps that have begun keep their time."""
    return await handlers.set_limits(
        connection, branch_id, given, by=principal.subject, now=request.app.state.clock()
    )


@router.get("/disputes", responses=web.problem_responses(Forbidden))
async def list_disputes(
    request: Request,
    branch_id: BranchId,
    connection: BranchReadTx,
    principal: Reader,
    page: PageOf,
    state: Annotated[DisputeState | None, Query()] = None,
    frozen: Annotated[bool | None, Query(description="only lines that are frozen, or not")] = None,
    is_open: Annotated[
        bool | None,
        Query(alias="open", description="only disputes that wait for a decision, or not"),
    ] = None,
    subscription_id: Annotated[Identifier | None, Query()] = None,
) -> Page[Dispute]:
    """List disputes with their state, age and revenue at stake; centres see their own."""
    (after,) = page.after(str) or ("",)
    found = await showing.page(
        connection,
        branch_id,
        state=state,
        frozen=frozen,
        is_open=is_open,
        subscription_id=subscription_id,
        principal=principal,
        after=after,
        limit=page.limit + 1,
        now=request.app.state.clock(),
    )
    return page.page(found, "dispute_id")


@router.get("/disputes/{dispute_id}", responses=web.problem_responses(Forbidden))
async def get_dispute(
    request: Request,
    branch_id: BranchId,
    dispute_id: Identifier,
    connection: BranchReadTx,
    principal: Reader,
) -> Dispute:
    """Show a dispute with everything that was said and done."""
    return await showing.show(
        connection, branch_id, dispute_id, principal=principal, now=request.app.state.clock()
    )


@router.put(
    "/disputes/{dispute_id}",
    responses=web.problem_responses(
        Forbidden,
        NotAParty,
        Conflict,
        DisputeNotPossible,
        TooLate,
        AlreadyDisputed,
        AlreadyDecided,
        AppealOpen,
        WithdrawnTwice,
    ),
)
async def raise_dispute(
    request: Request,
    branch_id: BranchId,
    dispute_id: Identifier,
    given: DisputeIn,
    connection: BranchWriteTx,
    principal: Party,
) -> Dispute:
    """Contest whose a line is; another's stays with its present owner until the dispute ends."""
    return await raising.raise_dispute(
        connection,
        request.app.state.counties,
        branch_id,
        dispute_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


_SPOKEN = web.problem_responses(Forbidden, NotAParty, StepNotAllowed)


@router.post("/disputes/{dispute_id}/reply", responses=_SPOKEN)
async def reply_to_dispute(
    request: Request,
    branch_id: BranchId,
    dispute_id: Identifier,
    given: PleaIn,
    connection: BranchWriteTx,
    principal: Party,
) -> Dispute:
    """Answer for the other centre."""
    return await handlers.speak(
        connection,
        request.app.state.counties,
        branch_id,
        dispute_id,
        DisputeStepName.REPLY,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/disputes/{dispute_id}/decision",
    responses=web.problem_responses(
        Forbidden,
        NotImpartial,
        StepNotAllowed,
        RulingNotPossible,
        AmendmentNeeded,
        AmendmentUnknown,
    ),
)
async def propose_decision(
    request: Request,
    branch_id: BranchId,
    dispute_id: Identifier,
    given: DisputeDecisionIn,
    connection: BranchWriteTx,
    principal: Judge,
) -> Dispute:
    """Propose the decision, or that of an appeal; its ruling can be previewed before it is confirmed."""
    return await handlers.propose(
        connection,
        request.app.state.counties,
        branch_id,
        dispute_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/disputes/{dispute_id}/confirm",
    responses=web.problem_responses(
        Forbidden,
        NotImpartial,
        StepNotAllowed,
        TwoPeople,
        RulingNotPossible,
        AmendmentNeeded,
        AmendmentUnknown,
    ),
)
async def confirm_decision(
    request: Request,
    branch_id: BranchId,
    dispute_id: Identifier,
    connection: BranchWriteTx,
    principal: Confirmer,
) -> Dispute:
    """Confirm what somebody else has proposed: it is in force, and what was booked moves."""
    return await handlers.confirm(
        connection,
        request.app.state.counties,
        branch_id,
        dispute_id,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/disputes/{dispute_id}/appeal",
    responses=web.problem_responses(Forbidden, NotAParty, StepNotAllowed, AlreadyDisputed),
)
async def appeal_dispute(
    request: Request,
    branch_id: BranchId,
    dispute_id: Identifier,
    given: PleaIn,
    connection: BranchWriteTx,
    principal: Party,
) -> Dispute:
    """Take a decision, or one that did not come in time, to the general manager; once."""
    return await handlers.speak(
        connection,
        request.app.state.counties,
        branch_id,
        dispute_id,
        DisputeStepName.APPEAL,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post("/disputes/{dispute_id}/withdraw", responses=_SPOKEN)
async def withdraw_dispute(
    request: Request,
    branch_id: BranchId,
    dispute_id: Identifier,
    connection: BranchWriteTx,
    principal: Party,
) -> Dispute:
    """Withdraw a claim that is not decided yet."""
    return await handlers.speak(
        connection,
        request.app.state.counties,
        branch_id,
        dispute_id,
        DisputeStepName.WITHDRAW,
        None,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post("/disputes/{dispute_id}/lapse", responses=_SPOKEN)
async def lapse_dispute(
    request: Request,
    branch_id: BranchId,
    dispute_id: Identifier,
    connection: BranchWriteTx,
    principal: Party,
) -> Dispute:
    """End a dispute whose appeal nobody has decided in time; what stands goes on standing."""
    return await handlers.speak(
        connection,
        request.app.state.counties,
        branch_id,
        dispute_id,
        DisputeStepName.LAPSE,
        None,
        principal=principal,
        now=request.app.state.clock(),
    )
