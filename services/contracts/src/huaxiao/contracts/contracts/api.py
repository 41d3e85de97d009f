"""Routes of contracts."""

from fastapi import Request, Response, status

from huaxiao.contracts.callers import Reader, Writer
from huaxiao.contracts.contracts import handlers
from huaxiao.contracts.domain.agreements import ContractIsSigned, CountyContractFirst, NotSignable
from huaxiao.contracts.domain.fields import FieldOverlap
from huaxiao.contracts.domain.references import UnknownReference
from huaxiao.contracts.refusals import record_refusal
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.contracts import Contract, ContractIn

router = web.router(tags=["contracts"])


@router.put(
    "/contracts/{contract_id}",
    responses=web.problem_responses(Forbidden, ContractIsSigned, UnknownReference)
    | {201: {"model": Contract}},
)
async def put_contract(
    request: Request,
    response: Response,
    branch_id: BranchId,
    contract_id: Identifier,
    given: ContractIn,
    connection: WriteTx,
    principal: Writer,
) -> Contract:
    """Draft a contract, or rewrite it while it is a draft (R1, R7)."""
    try:
        drafted, is_new = await handlers.draft(connection, branch_id, contract_id, given)
    except ContractIsSigned:
        await record_refusal(
            request.app.state.database,
            branch_id,
            subject=("contract", contract_id),
            asked=given,
            asked_by=principal.subject,
            now=request.app.state.clock(),
        )
        raise
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return drafted


@router.get("/contracts/{contract_id}", responses=web.problem_responses(Forbidden))
async def get_contract(
    branch_id: BranchId, contract_id: Identifier, connection: ReadTx, principal: Reader
) -> Contract:
    """Show a contract: a contractor its centre's."""
    return await handlers.show(connection, branch_id, contract_id, principal.centre_ids)


@router.post(
    "/contracts/{contract_id}/sign",
    responses=web.problem_responses(Forbidden, CountyContractFirst, NotSignable, FieldOverlap),
)
async def sign_contract(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    connection: WriteTx,
    principal: Writer,
) -> Contract:
    """Sign a contract and seal its fields, all of it or nothing; again changes nothing (R21)."""
    return await handlers.sign(
        connection,
        branch_id,
        contract_id,
        signed_by=principal.subject,
        now=request.app.state.clock(),
    )
