"""Routes that show the contacts of customers in full, and erase them."""

from fastapi import Request, Response

from huaxiao.dispatch.callers import OrderWriter, TicketWorker
from huaxiao.dispatch.personal import handlers
from huaxiao.dispatch.tables import erasures, erasures_done
from huaxiao.shared import web
from huaxiao.shared.erasing import erasure_routes
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.personal import keep_nowhere
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import UnrememberedTx
from huaxiao.shared.wire.personal import FullViewIn, OrderContact, TicketPlace

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


@router.post(
    "/tickets/{ticket_id}/full-views", status_code=201, responses=web.problem_responses(Forbidden)
)
async def see_ticket_place(
    request: Request,
    response: Response,
    branch_id: BranchId,
    ticket_id: Identifier,
    given: FullViewIn,
    connection: UnrememberedTx,
    principal: TicketWorker,
) -> TicketPlace:
    """Show where what a ticket is about is, to those who raised it or owe it; it goes on record."""
    keep_nowhere(response)
    return await handlers.see_ticket(
        connection, branch_id, ticket_id, given, principal=principal, now=request.app.state.clock()
    )


erasing = erasure_routes(erasures, erasures_done, handlers.erase)
