"""Routes of days as they stand, and of one order put into them."""

from typing import Annotated

from fastapi import Request

from huaxiao.dispatch.agenda import handlers
from huaxiao.dispatch.agenda.handlers import NobodyCan
from huaxiao.dispatch.domain.order_states import StepNotAllowed
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.base import Day
from huaxiao.shared.wire.plans import Agenda, PlaceIn, Placement, Wish, WishIn

router = web.router(tags=["agenda"])
_Reader = Annotated[Principal, allow(*COUNTY_READERS, Role.CONTRACTOR)]
_Keeper = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.CONTRACTOR)]


@router.get("/agenda", responses=web.problem_responses(Forbidden))
async def get_agenda(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER)],
    day: Day,
    centre_id: Identifier | None = None,
) -> Agenda:
    """Show a day as it was planned and stands now: a contractor its centre's, an engineer their own."""
    return await handlers.agenda(
        connection,
        branch_id,
        day,
        centre_id=centre_id,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get("/orders/{order_id}/candidates", responses=web.problem_responses(Forbidden))
async def get_candidates(
    request: Request,
    branch_id: BranchId,
    order_id: Identifier,
    connection: ReadTx,
    principal: _Reader,
    day: Day,
) -> Placement:
    """Show who could do an order on a day, at what price, and why nobody else."""
    return await handlers.candidates(
        connection,
        branch_id,
        order_id,
        day,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/orders/{order_id}/placements",
    status_code=201,
    responses=web.problem_responses(Forbidden, NobodyCan, StepNotAllowed),
)
async def place_order(
    request: Request,
    branch_id: BranchId,
    order_id: Identifier,
    given: PlaceIn,
    connection: WriteTx,
    principal: _Keeper,
) -> Placement:
    """Put an order into a day as it stands: at the best place, or with whom is named."""
    return await handlers.place_order(
        connection,
        branch_id,
        order_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get("/orders/{order_id}/placements", responses=web.problem_responses(Forbidden))
async def list_placements(
    branch_id: BranchId, order_id: Identifier, connection: ReadTx, principal: _Reader
) -> list[Placement]:
    """Show why an order was put where it was, each time that it was."""
    return await handlers.placements(connection, branch_id, order_id, principal=principal)


@router.put("/orders/{order_id}/wish", responses=web.problem_responses(Forbidden, Conflict))
async def put_wish(
    request: Request,
    branch_id: BranchId,
    order_id: Identifier,
    given: WishIn,
    connection: WriteTx,
    principal: _Keeper,
) -> Wish:
    """Decide who does an order, or who does not, whenever it is planned."""
    return await handlers.wish(
        connection,
        branch_id,
        order_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get("/orders/{order_id}/wish", responses=web.problem_responses(Forbidden))
async def get_wish(
    branch_id: BranchId, order_id: Identifier, connection: ReadTx, principal: _Reader
) -> Wish:
    """Show what was decided last of who does an order."""
    return await handlers.show_wish(connection, branch_id, order_id, principal=principal)
