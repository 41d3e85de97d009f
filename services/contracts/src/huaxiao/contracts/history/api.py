"""Routes of the history."""

from huaxiao.contracts.callers import Reader
from huaxiao.contracts.contracts import handlers as contracts
from huaxiao.contracts.history import store
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.signing import ContractStep

router = web.router(tags=["contracts"])


@router.get("/contracts/{contract_id}/history", responses=web.problem_responses(Forbidden))
async def list_steps(
    branch_id: BranchId,
    contract_id: Identifier,
    connection: ReadTx,
    principal: Reader,
    page: PageOf,
) -> Page[ContractStep]:
    """List what happened to a contract since it was first laid before its sides, oldest first."""
    await contracts.show(connection, branch_id, contract_id, principal.centre_ids)
    (after,) = page.after(int) or (0,)
    rows = await store.page(connection, branch_id, contract_id, after=after, limit=page.limit + 1)
    return page.page([ContractStep.model_validate(dict(row)) for row in rows], "position")
