"""Routes of verification."""

from typing import Annotated

from fastapi import Query

from huaxiao.contracts.callers import Reader
from huaxiao.contracts.verification import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.verification import SealVerification

router = web.router(tags=["verification"])


@router.get("/verification", responses=web.problem_responses(Forbidden))
async def verify_seals(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Reader,
    contract_id: Annotated[
        Identifier | None, Query(description="only this contract and the fields it has sealed")
    ] = None,
) -> SealVerification:
    """Compute every seal again and name what differs: a contractor its centre's (R21)."""
    return await handlers.verify(connection, branch_id, principal.centre_ids, contract_id)
