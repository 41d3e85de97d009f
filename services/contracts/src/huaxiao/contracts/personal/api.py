"""Routes that show the names of customers in full, and erase them."""

from fastapi import Request, Response

from huaxiao.contracts.callers import NameReader
from huaxiao.contracts.personal import handlers
from huaxiao.contracts.tables import erasures, erasures_done
from huaxiao.shared import web
from huaxiao.shared.erasing import erasure_routes
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.personal import keep_nowhere
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import UnrememberedTx
from huaxiao.shared.wire.personal import FullViewIn, LeadCustomer

router = web.router(tags=["personal data"])


@router.post(
    "/leads/{lead_id}/full-views", status_code=201, responses=web.problem_responses(Forbidden)
)
async def see_lead_customer(
    request: Request,
    response: Response,
    branch_id: BranchId,
    lead_id: Identifier,
    given: FullViewIn,
    connection: UnrememberedTx,
    principal: NameReader,
) -> LeadCustomer:
    """Show whom a lead is about, to those whose lead it is; the view goes on record."""
    keep_nowhere(response)
    return await handlers.see_lead(
        connection, branch_id, lead_id, given, principal=principal, now=request.app.state.clock()
    )


erasing = erasure_routes(erasures, erasures_done, handlers.erase)
