"""Routes of what orders are made of."""

from fastapi import Request

from huaxiao.dispatch.callers import OrderWriter
from huaxiao.dispatch.domain.order_parts import (
    PartsClosed,
    PredecessorCycle,
    SerialTaken,
    SkillMissing,
)
from huaxiao.dispatch.domain.order_states import NotYourOrder
from huaxiao.dispatch.parts import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import WriteTx
from huaxiao.shared.wire.orders import (
    MaterialIn,
    NoteIn,
    OrderDetail,
    PredecessorsIn,
    SerialIn,
    SerialNumber,
    TaskDoneIn,
    TaskIn,
)

router = web.router(tags=["orders"])


@router.put(
    "/orders/{order_id}/tasks/{task_id}",
    responses=web.problem_responses(Forbidden, NotYourOrder, PartsClosed, Conflict),
)
async def put_task(
    branch_id: BranchId,
    order_id: Identifier,
    task_id: Identifier,
    given: TaskIn,
    connection: WriteTx,
    principal: OrderWriter,
) -> OrderDetail:
    """Add a task to an order, or change one that is not done."""
    return await handlers.put_task(
        connection, branch_id, order_id, task_id, given, principal=principal
    )


@router.put(
    "/orders/{order_id}/tasks/{task_id}/done",
    responses=web.problem_responses(Forbidden, NotYourOrder, PartsClosed, Conflict, SkillMissing),
)
async def finish_task(
    request: Request,
    branch_id: BranchId,
    order_id: Identifier,
    task_id: Identifier,
    given: TaskDoneIn,
    connection: WriteTx,
    principal: OrderWriter,
) -> OrderDetail:
    """Say that a task is done, and by whom: somebody who has the order and the skill."""
    return await handlers.finish_task(
        connection,
        branch_id,
        order_id,
        task_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.put(
    "/orders/{order_id}/materials/{material_id}",
    responses=web.problem_responses(Forbidden, NotYourOrder, PartsClosed),
)
async def put_material(
    branch_id: BranchId,
    order_id: Identifier,
    material_id: Identifier,
    given: MaterialIn,
    connection: WriteTx,
    principal: OrderWriter,
) -> OrderDetail:
    """Say what is planned or was used of a material."""
    return await handlers.put_material(
        connection, branch_id, order_id, material_id, given, principal=principal
    )


@router.put(
    "/orders/{order_id}/serials/{serial_number}",
    responses=web.problem_responses(Forbidden, NotYourOrder, PartsClosed, SerialTaken),
)
async def put_serial(
    request: Request,
    branch_id: BranchId,
    order_id: Identifier,
    serial_number: SerialNumber,
    given: SerialIn,
    connection: WriteTx,
    principal: OrderWriter,
) -> OrderDetail:
    """Say that a device is planned, used or returned: one order has it at a time."""
    return await handlers.put_serial(
        connection,
        branch_id,
        order_id,
        serial_number,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.put(
    "/orders/{order_id}/predecessors",
    responses=web.problem_responses(Forbidden, NotYourOrder, PartsClosed, PredecessorCycle),
)
async def put_predecessors(
    branch_id: BranchId,
    order_id: Identifier,
    given: PredecessorsIn,
    connection: WriteTx,
    principal: OrderWriter,
) -> OrderDetail:
    """Say which orders must be done before this one is started."""
    return await handlers.put_predecessors(
        connection, branch_id, order_id, given, principal=principal
    )


@router.post(
    "/orders/{order_id}/notes", status_code=201, responses=web.problem_responses(Forbidden)
)
async def add_note(
    request: Request,
    branch_id: BranchId,
    order_id: Identifier,
    given: NoteIn,
    connection: WriteTx,
    principal: OrderWriter,
) -> OrderDetail:
    """Write a note on an order: its requester's side may, too."""
    return await handlers.add_note(
        connection,
        branch_id,
        order_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )
