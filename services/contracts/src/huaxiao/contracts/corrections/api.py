"""Routes of corrections."""

from typing import Annotated

from fastapi import Path, Request

from huaxiao.contracts.callers import Reader, Settler
from huaxiao.contracts.corrections import handlers
from huaxiao.contracts.corrections.handlers import StatementNotClosed
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.settlement import Correction, CorrectionIn

router = web.router(tags=["settlements"])
_CORRECTIONS = "/contracts/{contract_id}/corrections"


@router.post(
    _CORRECTIONS,
    status_code=201,
    responses=web.problem_responses(Forbidden, StatementNotClosed),
)
async def draft_correction(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    given: CorrectionIn,
    connection: WriteTx,
    principal: Settler,
) -> Correction:
    """Draft a correction of a closed statement; it counts in the next one once it is approved."""
    return await handlers.draft(
        connection,
        branch_id,
        contract_id,
        given,
        drafted_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get(_CORRECTIONS, responses=web.problem_responses(Forbidden))
async def list_corrections(
    branch_id: BranchId,
    contract_id: Identifier,
    connection: ReadTx,
    principal: Reader,
    page: PageOf,
) -> Page[Correction]:
    """List a contract's corrections by number."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_corrections(
        connection, branch_id, contract_id, principal.centre_ids, after=after, limit=page.limit + 1
    )
    return page.page(found, "number")


@router.post(
    _CORRECTIONS + "/{number}/approve", responses=web.problem_responses(Forbidden, TwoPeople)
)
async def approve_correction(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    number: Annotated[int, Path(ge=1, lt=2**31)],
    connection: WriteTx,
    principal: Settler,
) -> Correction:
    """Approve a correction as a second person."""
    return await handlers.approve(
        connection,
        branch_id,
        contract_id,
        number,
        approved_by=principal.subject,
        now=request.app.state.clock(),
    )
