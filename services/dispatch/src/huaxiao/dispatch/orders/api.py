"""Routes of orders."""

from typing import Annotated

from fastapi import Request

from huaxiao.dispatch.domain.order_states import NotYourOrder, StepNotAllowed
from huaxiao.dispatch.orders import handlers, store
from huaxiao.shared import web
from huaxiao.shared.auth import Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden, NotFound
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.dispatch import (
    Order,
    OrderState,
    OrderStepIn,
    OrderWithSteps,
    StepName,
)

router = web.router(tags=["orders"])
_Reader = Annotated[
    Principal,
    allow(
        Role.COUNTY_MANAGER,
        Role.CONTRACTOR,
        Role.ENGINEER,
        Role.SUPPORT_CENTRE,
        Role.AUDITOR,
        Role.PROVINCE,
        Role.SERVICE,
    ),
]
_FOR_MANAGERS = {StepName.CONFIRM, StepName.CANCEL, StepName.REASSIGN}


@router.get("/orders")
async def list_orders(
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    page: PageOf,
    state: OrderState | None = None,
    centre_id: Identifier | None = None,
    engineer_id: Identifier | None = None,
) -> Page[Order]:
    """List orders by id: a contractor its centres', an engineer their own."""
    after = page.after(str)
    rows = await store.page(
        connection,
        branch_id,
        principal,
        filters={"state": state, "performer_centre_id": centre_id, "engineer_id": engineer_id},
        after=after[0] if after else "",
        limit=page.limit + 1,
    )
    return page.page([Order.model_validate(handlers.render(row)) for row in rows], "order_id")


@router.get("/orders/{order_id}")
async def get_order(
    branch_id: BranchId, order_id: Identifier, connection: ReadTx, principal: _Reader
) -> OrderWithSteps:
    """Show an order and everything that happened to it."""
    if not await store.is_visible(connection, branch_id, order_id, principal):
        raise NotFound
    return await handlers.show(connection, branch_id, order_id)


@router.post(
    "/orders/{order_id}/steps",
    responses=web.problem_responses(Forbidden, NotYourOrder, StepNotAllowed),
)
async def take_step(
    request: Request,
    branch_id: BranchId,
    order_id: Identifier,
    given: OrderStepIn,
    connection: WriteTx,
    principal: Annotated[
        Principal,
        allow(Role.COUNTY_MANAGER, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE),
    ],
) -> OrderWithSteps:
    """Take the next step of an order."""
    if principal.roles == {Role.ENGINEER} and given.step in _FOR_MANAGERS:
        raise Forbidden
    return await handlers.step(
        connection,
        branch_id,
        order_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )
