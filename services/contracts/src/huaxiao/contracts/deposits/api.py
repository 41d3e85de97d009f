"""Routes of risk deposits."""

from fastapi import Request

from huaxiao.contracts.callers import Reader, Settler
from huaxiao.contracts.deposits import handlers
from huaxiao.contracts.deposits.handlers import DepositTooSmall
from huaxiao.contracts.domain.references import UnknownReference
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.settlement import DepositMovement, DepositMovementIn

router = web.router(tags=["settlements"])
_MOVEMENTS = "/contracts/{contract_id}/deposit-movements"


@router.post(
    _MOVEMENTS,
    status_code=201,
    responses=web.problem_responses(Forbidden, UnknownReference, DepositTooSmall),
)
async def record_deposit(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    given: DepositMovementIn,
    connection: WriteTx,
    principal: Settler,
) -> DepositMovement:
    """Record risk deposit paid in or paid back, with its receipt (R1)."""
    return await handlers.record(
        connection,
        branch_id,
        contract_id,
        given,
        recorded_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get(_MOVEMENTS, responses=web.problem_responses(Forbidden))
async def list_deposits(
    branch_id: BranchId,
    contract_id: Identifier,
    connection: ReadTx,
    principal: Reader,
    page: PageOf,
) -> Page[DepositMovement]:
    """List the movements of a contract's deposit."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_movements(
        connection, branch_id, contract_id, principal.centre_ids, after=after, limit=page.limit + 1
    )
    return page.page(found, "number")
