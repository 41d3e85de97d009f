"""Routes that show the contacts of customers in full, and erase them."""

from fastapi import Request, Response

from huaxiao.dispatch.callers import GeneralManager, OrderWriter
from huaxiao.dispatch.personal import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.personal import keep_nowhere
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import UnrememberedTx, WriteTx
from huaxiao.shared.wire.personal import Erasure, ErasureIn, FullViewIn, OrderContact

router = web.router(tags=["personal data"])


@router.post(
    "/orders/{order_id}/full-views", status_code=201, responses=web.problem_responses(Forbidden)
)
async def see_order_contact(
    request: Request,
    response: Response,
    branch_id: BranchId,
    order_id: Identifier,
    given: FullViewIn,
    connection: UnrememberedTx,
    principal: OrderWriter,
) -> OrderContact:
    """Show whom an order is for and where, to those who work on it; the view goes on record.

    An engineer sees their own orders, until these are over.
    """
    keep_nowhere(response)
    return await handlers.see_order(
        connection, branch_id, order_id, given, principal=principal, now=request.app.state.clock()
    )


@router.post("/erasures", status_code=201, responses=web.problem_responses(Forbidden))
async def erase_customer(
    request: Request,
    branch_id: BranchId,
    given: ErasureIn,
    connection: WriteTx,
    principal: GeneralManager,
) -> Erasure:
    """Erase contacts and places of a customer from orders that are over; the others wait."""
    return await handlers.erase(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )
