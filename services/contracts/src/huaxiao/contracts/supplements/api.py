"""Routes of supplements, and of what binds in a period."""

from typing import Annotated

from fastapi import Path, Query, Request, Response, status

from huaxiao.contracts.callers import Reader, Signatory, Writer
from huaxiao.contracts.domain.locks import DigestMismatch
from huaxiao.contracts.domain.negative_list import OnNegativeList
from huaxiao.contracts.domain.references import UnknownReference
from huaxiao.contracts.domain.standing import SealUnderAmendment, TooLate
from huaxiao.contracts.refusals.handlers import refuse
from huaxiao.contracts.supplements import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import period_of
from huaxiao.shared.problems import Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.supplements import (
    ContractStanding,
    SignatureIn,
    Supplement,
    SupplementIn,
)

router = web.router(tags=["contracts"])
_SUPPLEMENTS = "/contracts/{contract_id}/supplements"


@router.post(
    _SUPPLEMENTS,
    status_code=201,
    response_model=Supplement,
    responses=web.problem_responses(
        Forbidden, SealUnderAmendment, TooLate, OnNegativeList, UnknownReference
    ),
)
async def draft_supplement(
    request: Request,
    response: Response,
    branch_id: BranchId,
    contract_id: Identifier,
    given: SupplementIn,
    connection: WriteTx,
    principal: Writer,
) -> Supplement | Response:
    """Draft a supplement to a signed contract: other terms or parties from a period on (R1)."""
    try:
        drafted = await handlers.draft(
            connection,
            branch_id,
            contract_id,
            given,
            drafted_by=principal.subject,
            now=request.app.state.clock(),
        )
    except SealUnderAmendment as refused:
        return await refuse(
            request,
            connection,
            branch_id,
            contract_id,
            refused=refused,
            asked=given,
            principal=principal,
        )
    response.status_code = status.HTTP_201_CREATED
    return drafted


@router.get(_SUPPLEMENTS, responses=web.problem_responses(Forbidden))
async def list_supplements(
    branch_id: BranchId,
    contract_id: Identifier,
    connection: ReadTx,
    principal: Reader,
    page: PageOf,
) -> Page[Supplement]:
    """List a contract's supplements by number."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_supplements(
        connection, branch_id, contract_id, principal.centre_ids, after=after, limit=page.limit + 1
    )
    return page.page(found, "number")


@router.post(
    _SUPPLEMENTS + "/{number}/sign",
    responses=web.problem_responses(Forbidden, DigestMismatch, TwoPeople, TooLate),
)
async def sign_supplement(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    number: Annotated[int, Path(ge=1, lt=2**31)],
    given: SignatureIn,
    connection: WriteTx,
    principal: Signatory,
) -> Supplement:
    """Sign a supplement for one's side; with the second signature it binds."""
    return await handlers.sign(
        connection,
        branch_id,
        contract_id,
        number,
        given.digest,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get("/contracts/{contract_id}/standing", responses=web.problem_responses(Forbidden))
async def get_standing(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    connection: ReadTx,
    principal: Reader,
    period: Annotated[PeriodText | None, Query(description="this month when absent")] = None,
) -> ContractStanding:
    """Show what binds in a period: terms with their supplements, parties, phase, the last period."""
    asked = period or period_of(request.app.state.clock())
    return await handlers.standing(connection, branch_id, contract_id, asked, principal.centre_ids)
