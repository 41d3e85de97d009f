"""Routes of early exits."""

from fastapi import Request

from huaxiao.contracts.callers import Reader, Writer
from huaxiao.contracts.domain.standing import NoGround, TooLate
from huaxiao.contracts.exits import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Conflict, Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.supplements import Exit, ExitIn

router = web.router(tags=["contracts"])
_EXIT = "/contracts/{contract_id}/exit"


@router.put(_EXIT, responses=web.problem_responses(Forbidden, NoGround, TooLate, Conflict))
async def put_exit(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    given: ExitIn,
    connection: WriteTx,
    principal: Writer,
) -> Exit:
    """Draft an end before the term, with its ground in the terms (R1)."""
    return await handlers.draft(
        connection,
        branch_id,
        contract_id,
        given,
        drafted_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get(_EXIT, responses=web.problem_responses(Forbidden))
async def get_exit(
    branch_id: BranchId, contract_id: Identifier, connection: ReadTx, principal: Reader
) -> Exit:
    """Show a contract's early exit."""
    return await handlers.show(connection, branch_id, contract_id, principal.centre_ids)


@router.post(
    _EXIT + "/approve",
    responses=web.problem_responses(Forbidden, TwoPeople, NoGround, TooLate),
)
async def approve_exit(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    connection: WriteTx,
    principal: Writer,
) -> Exit:
    """Approve an early exit as a second person: its last period's statement is the last."""
    return await handlers.approve(
        connection,
        branch_id,
        contract_id,
        approved_by=principal.subject,
        now=request.app.state.clock(),
    )
