"""Routes of review and signature."""

from fastapi import Request

from huaxiao.contracts.callers import BranchReader, Reader, Signatory, Writer
from huaxiao.contracts.domain.agreements import CountyContractFirst, NotSignable
from huaxiao.contracts.domain.fields import FieldOverlap
from huaxiao.contracts.domain.locks import DigestMismatch
from huaxiao.contracts.domain.negative_list import OnNegativeList
from huaxiao.contracts.domain.signing import NotInReview
from huaxiao.contracts.signing import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.contracts import Contract, Coverage
from huaxiao.shared.wire.signing import ContractReview, ReasonIn
from huaxiao.shared.wire.supplements import SignatureIn

router = web.router(tags=["contracts"])
_CONTRACT = "/contracts/{contract_id}"
_UNFIT = (CountyContractFirst, NotSignable, FieldOverlap, OnNegativeList)


@router.post(_CONTRACT + "/review", responses=web.problem_responses(Forbidden, *_UNFIT))
async def submit_contract(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    connection: WriteTx,
    principal: Writer,
) -> ContractReview:
    """Lay a contract before both sides: it and its fields stay as they are until it is withdrawn."""
    return await handlers.submit(
        connection,
        branch_id,
        contract_id,
        submitted_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get(_CONTRACT + "/review", responses=web.problem_responses(Forbidden))
async def get_review(
    branch_id: BranchId, contract_id: Identifier, connection: ReadTx, principal: Reader
) -> ContractReview:
    """Show the latest round of review: the digest to sign, and who has signed."""
    return await handlers.show_review(connection, branch_id, contract_id, principal.centre_ids)


@router.post(_CONTRACT + "/withdraw", responses=web.problem_responses(Forbidden, NotInReview))
async def withdraw_contract(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    given: ReasonIn,
    connection: WriteTx,
    principal: Signatory,
) -> ContractReview:
    """Take a contract out of review for either side, with a reason; it is a draft again."""
    return await handlers.withdraw(
        connection,
        branch_id,
        contract_id,
        given.reason,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    _CONTRACT + "/sign",
    responses=web.problem_responses(Forbidden, NotInReview, DigestMismatch, TwoPeople, *_UNFIT),
)
async def sign_contract(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    given: SignatureIn,
    connection: WriteTx,
    principal: Signatory,
) -> Contract:
    """Sign for one's side what is in review; the second signature seals the fields (R7, R21)."""
    return await handlers.sign(
        connection,
        branch_id,
        contract_id,
        given.digest,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get(_CONTRACT + "/coverage", responses=web.problem_responses(Forbidden))
async def get_coverage_at_signature(
    branch_id: BranchId, contract_id: Identifier, connection: ReadTx, _: BranchReader
) -> Coverage:
    """Show how all fields, drafts too, covered the county when its contract was signed (R8)."""
    return await handlers.show_coverage_at_signature(connection, branch_id, contract_id)
