"""Routes of contracts."""

from fastapi import Request, Response, status

from huaxiao.contracts.callers import Reader, Writer
from huaxiao.contracts.contracts import handlers
from huaxiao.contracts.domain.agreements import ContractIsSigned
from huaxiao.contracts.domain.negative_list import OnNegativeList
from huaxiao.contracts.domain.references import UnknownReference
from huaxiao.contracts.domain.signing import InReview
from huaxiao.contracts.refusals.handlers import refuse
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden, StaleVersion
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.contracts import Contract, ContractIn, ContractSummary

router = web.router(tags=["contracts"])


@router.put(
    "/contracts/{contract_id}",
    response_model=Contract,
    responses=web.problem_responses(
        Forbidden, ContractIsSigned, InReview, UnknownReference, StaleVersion, OnNegativeList
    )
    | {200: VERSIONED, 201: VERSIONED | {"model": Contract}},
)
async def put_contract(
    request: Request,
    response: Response,
    branch_id: BranchId,
    contract_id: Identifier,
    given: ContractIn,
    connection: WriteTx,
    principal: Writer,
    if_match: IfMatch = None,
) -> Contract | Response:
    """Draft a contract, or rewrite it while it is a draft (R1, R7)."""
    try:
        drafted, is_new = await handlers.draft(
            connection,
            branch_id,
            contract_id,
            given,
            if_match=if_match,
            now=request.app.state.clock(),
        )
    except ContractIsSigned as refused:
        return await refuse(
            request,
            connection,
            branch_id,
            contract_id,
            refused=refused,
            asked=given,
            principal=principal,
        )
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    name_version(response, drafted)
    return drafted


@router.get("/contracts", responses=web.problem_responses(Forbidden))
async def list_contracts(
    branch_id: BranchId, connection: ReadTx, principal: Reader, page: PageOf
) -> Page[ContractSummary]:
    """List contracts by id, without what was agreed: a contractor its centres'."""
    (after,) = page.after(str) or ("",)
    found = await handlers.list_contracts(
        connection, branch_id, principal.centre_ids, after=after, limit=page.limit + 1
    )
    return page.page(found, "contract_id")


@router.get(
    "/contracts/{contract_id}", responses=web.problem_responses(Forbidden) | {200: VERSIONED}
)
async def get_contract(
    response: Response,
    branch_id: BranchId,
    contract_id: Identifier,
    connection: ReadTx,
    principal: Reader,
) -> Contract:
    """Show a contract: a contractor its centre's."""
    found = await handlers.show(connection, branch_id, contract_id, principal.centre_ids)
    name_version(response, found)
    return found
