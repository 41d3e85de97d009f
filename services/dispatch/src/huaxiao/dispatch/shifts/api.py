"""Routes of shifts and leave."""

from typing import Annotated

from fastapi import Request

from huaxiao.dispatch.shifts import handlers
from huaxiao.dispatch.shifts.handlers import VisitsPromised
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.appointments import Leave, LeaveIn, Shifts, ShiftsIn
from huaxiao.shared.wire.base import Day

router = web.router(tags=["shifts and leave"])
_Reader = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
_Writer = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.CONTRACTOR, Role.SUPPORT_CENTRE)]


@router.put(
    "/people/{person_id}/shifts", responses=web.problem_responses(Forbidden, VisitsPromised)
)
async def put_shifts(
    request: Request,
    branch_id: BranchId,
    person_id: Identifier,
    given: ShiftsIn,
    connection: WriteTx,
    principal: _Writer,
) -> Shifts:
    """Say what a person works on some days, in place of what was said of them."""
    return await handlers.put_shifts(
        connection,
        branch_id,
        person_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get("/people/{person_id}/shifts", responses=web.problem_responses(Forbidden))
async def get_shifts(
    branch_id: BranchId,
    person_id: Identifier,
    connection: ReadTx,
    principal: _Reader,
    from_day: Day,
    to_day: Day,
) -> Shifts:
    """Show what a person works on some days: an engineer their own."""
    return await handlers.show_shifts(
        connection, branch_id, person_id, (from_day, to_day), principal=principal
    )


@router.put(
    "/people/{person_id}/leaves/{leave_id}",
    responses=web.problem_responses(Forbidden, VisitsPromised),
)
async def put_leave(
    request: Request,
    branch_id: BranchId,
    person_id: Identifier,
    leave_id: Identifier,
    given: LeaveIn,
    connection: WriteTx,
    principal: _Writer,
) -> Leave:
    """Say when a person is away."""
    return await handlers.put_leave(
        connection,
        branch_id,
        person_id,
        leave_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/people/{person_id}/leaves/{leave_id}/cancel", responses=web.problem_responses(Forbidden)
)
async def cancel_leave(
    branch_id: BranchId,
    person_id: Identifier,
    leave_id: Identifier,
    connection: WriteTx,
    principal: _Writer,
) -> Leave:
    """Take a leave back."""
    return await handlers.cancel_leave(
        connection, branch_id, person_id, leave_id, principal=principal
    )


@router.get("/people/{person_id}/leaves", responses=web.problem_responses(Forbidden))
async def list_leaves(
    branch_id: BranchId, person_id: Identifier, connection: ReadTx, principal: _Reader
) -> list[Leave]:
    """List when a person is away: an engineer their own."""
    return await handlers.list_leaves(connection, branch_id, person_id, principal=principal)
