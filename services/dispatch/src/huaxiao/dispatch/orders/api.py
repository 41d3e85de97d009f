"""Routes of orders."""

from fastapi import Request, Response

from huaxiao.dispatch.callers import Asker, OrderReader, OrderWriter, acts_as_engineer
from huaxiao.dispatch.domain.order_parts import (
    PhotoNeeded,
    PredecessorsOpen,
    SerialTaken,
    TasksOpen,
)
from huaxiao.dispatch.domain.order_states import (
    ENGINEERS_OWN,
    NotYourOrder,
    StepNotAllowed,
    WindowPassed,
)
from huaxiao.dispatch.orders import handlers, requests, store
from huaxiao.dispatch.orders.showing import render, show
from huaxiao.dispatch.orders.whereabouts import Elsewhere
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden, NotFound, StaleVersion
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.dispatch import Order, OrderState, OrderStepIn, StepName
from huaxiao.shared.wire.orders import OrderDetail, OrderIn

router = web.router(tags=["orders"])
_FOR_ENGINEERS = ENGINEERS_OWN | {StepName.APPOINT}


@router.post(
    "/orders",
    status_code=201,
    responses=web.problem_responses(Forbidden, Conflict, WindowPassed, SerialTaken)
    | {200: VERSIONED | {"model": OrderDetail}, 201: VERSIONED},
)
async def ask_for_order(
    request: Request,
    response: Response,
    branch_id: BranchId,
    given: OrderIn,
    connection: WriteTx,
    principal: Asker,
) -> OrderDetail:
    """Ask for work, from a front end or from monitoring; the same again is the same order."""
    order, is_new = await requests.ask(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )
    if not is_new:
        response.status_code = 200
    name_version(response, order)
    return order


@router.get("/orders")
async def list_orders(
    branch_id: BranchId,
    connection: ReadTx,
    principal: OrderReader,
    page: PageOf,
    state: OrderState | None = None,
    centre_id: Identifier | None = None,
    engineer_id: Identifier | None = None,
    crew_id: Identifier | None = None,
) -> Page[Order]:
    """List orders by id: a contractor its centres', an engineer their own."""
    after = page.after(str)
    rows = await store.page(
        connection,
        branch_id,
        principal,
        filters={
            "state": state,
            "performer_centre_id": centre_id,
            "engineer_id": engineer_id,
            "crew_id": crew_id,
        },
        after=after[0] if after else "",
        limit=page.limit + 1,
    )
    return page.page([Order.model_validate(render(row)) for row in rows], "order_id")


@router.get("/orders/{order_id}", responses={200: VERSIONED})
async def get_order(
    response: Response,
    branch_id: BranchId,
    order_id: Identifier,
    connection: ReadTx,
    principal: OrderReader,
) -> OrderDetail:
    """Show an order, everything that happened to it, and all that belongs to it."""
    if not await store.is_visible(connection, branch_id, order_id, principal):
        raise NotFound
    order = await show(connection, branch_id, order_id)
    name_version(response, order)
    return order


@router.post(
    "/orders/{order_id}/steps",
    responses=web.problem_responses(
        Forbidden,
        NotYourOrder,
        StepNotAllowed,
        Elsewhere,
        WindowPassed,
        PredecessorsOpen,
        TasksOpen,
        PhotoNeeded,
        StaleVersion,
    )
    | {200: VERSIONED},
)
async def take_step(
    request: Request,
    response: Response,
    branch_id: BranchId,
    order_id: Identifier,
    given: OrderStepIn,
    connection: WriteTx,
    principal: OrderWriter,
    if_match: IfMatch = None,
) -> OrderDetail:
    """Take the next step of an order; with If-Match, of the order as it was read."""
    if acts_as_engineer(principal) and given.step not in _FOR_ENGINEERS:
        raise Forbidden
    order = await handlers.step(
        connection,
        branch_id,
        order_id,
        given,
        principal=principal,
        if_match=if_match,
        now=request.app.state.clock(),
    )
    name_version(response, order)
    return order
