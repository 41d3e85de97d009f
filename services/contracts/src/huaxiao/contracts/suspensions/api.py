"""Routes of suspensions."""

from typing import Annotated

from fastapi import Path, Request

from huaxiao.contracts.callers import Reader, Writer
from huaxiao.contracts.domain.standing import TooLate
from huaxiao.contracts.suspensions import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.signing import Suspension, SuspensionEndIn, SuspensionIn

router = web.router(tags=["contracts"])
_SUSPENSIONS = "/contracts/{contract_id}/suspensions"
_Number = Annotated[int, Path(ge=1, lt=2**31)]


@router.post(
    _SUSPENSIONS, status_code=201, responses=web.problem_responses(Forbidden, TooLate, Conflict)
)
async def propose_suspension(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    given: SuspensionIn,
    connection: WriteTx,
    principal: Writer,
) -> Suspension:
    """Propose to suspend a contract from a period on: its seals hold, no share is paid (R1, R21)."""
    return await handlers.propose(
        connection,
        branch_id,
        contract_id,
        given,
        proposed_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get(_SUSPENSIONS, responses=web.problem_responses(Forbidden))
async def list_suspensions(
    branch_id: BranchId,
    contract_id: Identifier,
    connection: ReadTx,
    principal: Reader,
    page: PageOf,
) -> Page[Suspension]:
    """List a contract's suspensions by number."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_suspensions(
        connection, branch_id, contract_id, principal.centre_ids, after=after
    )
    return page.page(found, "number")


@router.post(
    _SUSPENSIONS + "/{number}/end",
    responses=web.problem_responses(Forbidden, TooLate, Conflict),
)
async def propose_end_of_suspension(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    number: _Number,
    given: SuspensionEndIn,
    connection: WriteTx,
    principal: Writer,
) -> Suspension:
    """Propose the last period of a suspension; what was held back is paid with the next true-up."""
    return await handlers.propose_end(
        connection,
        branch_id,
        contract_id,
        number,
        given,
        proposed_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.post(
    _SUSPENSIONS + "/{number}/approve",
    responses=web.problem_responses(Forbidden, TwoPeople, TooLate),
)
async def approve_suspension(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    number: _Number,
    connection: WriteTx,
    principal: Writer,
) -> Suspension:
    """Approve a suspension, or its end, as a second person."""
    return await handlers.approve(
        connection,
        branch_id,
        contract_id,
        number,
        approved_by=principal.subject,
        now=request.app.state.clock(),
    )
