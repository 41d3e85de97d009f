"""Routes of service clocks and the warnings they give."""

from typing import Annotated

from fastapi import Query, Request

from huaxiao.dispatch.clocks import handlers
from huaxiao.dispatch.orders.store import is_visible
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden, NotFound
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.service_levels import ClockWarning, Escalation, OrderClock

router = web.router(tags=["service clocks"])
_Reader = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]


@router.get("/orders/{order_id}/clock", responses=web.problem_responses(Forbidden))
async def get_order_clock(
    request: Request,
    branch_id: BranchId,
    order_id: Identifier,
    connection: ReadTx,
    principal: _Reader,
) -> OrderClock:
    """Show an order's service clock, with and without what stopped it, and why it did."""
    if not await is_visible(connection, branch_id, order_id, principal):
        raise NotFound
    return await handlers.show(connection, branch_id, order_id, now=request.app.state.clock())


@router.get("/clock-warnings", responses=web.problem_responses(Forbidden))
async def list_clock_warnings(
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    page: PageOf,
    order_id: Identifier | None = None,
    escalated_to: Escalation | None = None,
    percent: Annotated[int | None, Query(ge=1, le=1000)] = None,
) -> Page[ClockWarning]:
    """List the warnings given: a contractor its centre's, an engineer their own."""
    after = page.after(str, int) or ("", 0)
    found = await handlers.list_warnings(
        connection,
        branch_id,
        principal,
        filters={"order_id": order_id, "escalated_to": escalated_to, "percent": percent},
        after=(after[0], after[1]),
        limit=page.limit + 1,
    )
    return page.page(found, "order_id", "percent")
