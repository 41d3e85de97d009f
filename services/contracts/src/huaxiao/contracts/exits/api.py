"""Routes of early exits."""

from fastapi import Request, Response

from huaxiao.contracts.callers import Reader, Writer
from huaxiao.contracts.domain.locks import DigestMismatch
from huaxiao.contracts.domain.standing import CentresOutlive, NoGround, TooLate
from huaxiao.contracts.exits import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Conflict, Forbidden, StaleVersion, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.supplements import Exit, ExitIn, SignatureIn

router = web.router(tags=["contracts"])
_EXIT = "/contracts/{contract_id}/exit"


@router.put(
    _EXIT,
    responses=web.problem_responses(
        Forbidden, NoGround, TooLate, Conflict, CentresOutlive, StaleVersion
    )
    | {200: VERSIONED},
)
async def put_exit(
    request: Request,
    response: Response,
    branch_id: BranchId,
    contract_id: Identifier,
    given: ExitIn,
    connection: WriteTx,
    principal: Writer,
    if_match: IfMatch = None,
) -> Exit:
    """Draft an end before the term, with its ground in the terms (R1)."""
    drafted = await handlers.draft(
        connection,
        branch_id,
        contract_id,
        given,
        if_match=if_match,
        drafted_by=principal.subject,
        now=request.app.state.clock(),
    )
    name_version(response, drafted)
    return drafted


@router.get(_EXIT, responses=web.problem_responses(Forbidden) | {200: VERSIONED})
async def get_exit(
    response: Response,
    branch_id: BranchId,
    contract_id: Identifier,
    connection: ReadTx,
    principal: Reader,
) -> Exit:
    """Show a contract's early exit, and the digest to approve."""
    found = await handlers.show(connection, branch_id, contract_id, principal.centre_ids)
    name_version(response, found)
    return found


@router.post(
    _EXIT + "/approve",
    responses=web.problem_responses(
        Forbidden, TwoPeople, DigestMismatch, NoGround, TooLate, CentresOutlive
    ),
)
async def approve_exit(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    given: SignatureIn,
    connection: WriteTx,
    principal: Writer,
) -> Exit:
    """Approve an early exit as a second person: its last period's statement is the last."""
    return await handlers.approve(
        connection,
        branch_id,
        contract_id,
        given.digest,
        approved_by=principal.subject,
        now=request.app.state.clock(),
    )
