"""Routes of renewals."""

from fastapi import Request

from huaxiao.contracts.callers import Writer
from huaxiao.contracts.domain.negative_list import OnNegativeList
from huaxiao.contracts.renewals import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import WriteTx
from huaxiao.shared.wire.contracts import Contract, RenewalIn

router = web.router(tags=["contracts"])


@router.post(
    "/contracts/{contract_id}/renewal",
    status_code=201,
    responses=web.problem_responses(Forbidden, Conflict, OnNegativeList),
)
async def renew_contract(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    given: RenewalIn,
    connection: WriteTx,
    _: Writer,
) -> Contract:
    """Draft the next term from a signed contract: its fields under new ids, its terms in force."""
    return await handlers.renew(
        connection, branch_id, contract_id, given, now=request.app.state.clock()
    )
