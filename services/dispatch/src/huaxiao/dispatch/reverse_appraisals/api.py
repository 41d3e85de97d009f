"""Routes of the reverse appraisal."""

from typing import Annotated

from fastapi import Path, Request

from huaxiao.dispatch.appraisals.problems import OutsideWindow, PeriodNotOver
from huaxiao.dispatch.reverse_appraisals import handlers
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.reverse import (
    ReverseAnswerIn,
    ReverseAppraisal,
    ReverseDecisionIn,
    Vote,
    VoteIn,
)

router = web.router(
    tags=["reverse appraisals"],
    prefix="/v1/branches/{branch_id}/reverse-appraisals/{ratee_centre_id}/{period}",
)
_Ratee = Annotated[Identifier, Path(description="the support or build-and-maintain centre")]
_Reader = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]


@router.get("", responses=web.problem_responses(Forbidden))
async def get_reverse_appraisal(
    request: Request,
    branch_id: BranchId,
    ratee_centre_id: _Ratee,
    period: PeriodText,
    connection: ReadTx,
    principal: _Reader,
) -> ReverseAppraisal:
    """Show a card: nothing of its votes before the time to vote is over, and never whose (R28)."""
    return await handlers.show(
        connection,
        branch_id,
        ratee_centre_id,
        period,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/votes",
    status_code=201,
    responses=web.problem_responses(
        Forbidden,
        handlers.NotAVoter,
        OutsideWindow,
        handlers.AlreadyVoted,
        PeriodNotOver,
    ),
)
async def cast_vote(
    request: Request,
    branch_id: BranchId,
    ratee_centre_id: _Ratee,
    period: PeriodText,
    given: VoteIn,
    connection: WriteTx,
    principal: Annotated[Principal, allow(Role.CONTRACTOR, Role.ENGINEER)],
) -> Vote:
    """Rate the unit that supports one's centre, once, by the fifth day after the month."""
    return await handlers.vote(
        connection,
        branch_id,
        ratee_centre_id,
        period,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get("/votes", responses=web.problem_responses(Forbidden))
async def list_votes(
    request: Request,
    branch_id: BranchId,
    ratee_centre_id: _Ratee,
    period: PeriodText,
    connection: ReadTx,
    principal: Annotated[
        Principal,
        allow(Role.CONTRACTOR, Role.ENGINEER, Role.COUNTY_MANAGER, Role.AUDITOR, Role.PROVINCE),
    ],
) -> list[Vote]:
    """Show one's own vote; all, when the time to vote is over, to those who watch over the county."""
    return await handlers.list_votes(
        connection,
        branch_id,
        ratee_centre_id,
        period,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/answer",
    status_code=201,
    responses=web.problem_responses(Forbidden, OutsideWindow, Conflict),
)
async def answer_card(
    request: Request,
    branch_id: BranchId,
    ratee_centre_id: _Ratee,
    period: PeriodText,
    given: ReverseAnswerIn,
    connection: WriteTx,
    principal: Annotated[Principal, allow(Role.CONTRACTOR, Role.SUPPORT_CENTRE)],
) -> ReverseAppraisal:
    """Agree with one's card or object to it, once, by the eighth day; silence agrees."""
    return await handlers.answer_card(
        connection,
        branch_id,
        ratee_centre_id,
        period,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/decision",
    status_code=201,
    responses=web.problem_responses(Forbidden, OutsideWindow, handlers.VoteVoid, Conflict),
)
async def decide(
    request: Request,
    branch_id: BranchId,
    ratee_centre_id: _Ratee,
    period: PeriodText,
    given: ReverseDecisionIn,
    connection: WriteTx,
    principal: Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.SUPPORT_CENTRE)],
) -> ReverseAppraisal:
    """Decide whether a card stands; upon the support centre's always as the general manager."""
    return await handlers.decide(
        connection,
        branch_id,
        ratee_centre_id,
        period,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )
