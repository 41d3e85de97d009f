"""Routes of appointments."""

from typing import Annotated

from fastapi import Query, Request

from huaxiao.dispatch.appointments import handlers
from huaxiao.dispatch.appointments.handlers import HoldOver, RescheduleLimit, SlotTaken
from huaxiao.dispatch.appointments.rules import RULES
from huaxiao.dispatch.domain.order_states import StepNotAllowed
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.appointments import (
    Appointment,
    AppointmentIn,
    AppointmentRules,
    AppointmentRulesIn,
    AppointmentState,
    MoveIn,
    ReleaseIn,
    Slot,
)
from huaxiao.shared.wire.base import Day
from huaxiao.shared.wire.dispatch import OrderKind

router = web.router(tags=["appointments"])
_Reader = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
_Booker = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.CONTRACTOR, Role.SUPPORT_CENTRE)]
_Setter = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.SUPPORT_CENTRE, whole_branch=True)]


@router.get("/appointment-rules", responses=web.problem_responses(Forbidden))
async def get_appointment_rules(
    branch_id: BranchId, connection: ReadTx, _: _Reader
) -> AppointmentRules:
    """Show how the county makes appointments."""
    return await RULES.current(connection, branch_id)


@router.put("/appointment-rules", responses=web.problem_responses(Forbidden))
async def put_appointment_rules(
    request: Request,
    branch_id: BranchId,
    given: AppointmentRulesIn,
    connection: WriteTx,
    principal: _Setter,
) -> AppointmentRules:
    """Set how the county makes appointments from now on; what is booked stays."""
    return await handlers.set_rules(
        connection,
        branch_id,
        given,
        set_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get("/slots", responses=web.problem_responses(Forbidden))
async def list_slots(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    _: _Reader,
    centre_id: Identifier,
    kind: OrderKind,
    from_day: Day,
    days: Annotated[int, Query(ge=1, le=31)] = 7,
) -> list[Slot]:
    """Offer the slots in which a centre still has time for a kind of work."""
    return await handlers.free_slots(
        connection,
        branch_id,
        centre_id,
        kind,
        (from_day, days),
        now=request.app.state.clock(),
    )


@router.post(
    "/appointments",
    status_code=201,
    responses=web.problem_responses(Forbidden, Conflict, SlotTaken),
)
async def hold_slot(
    request: Request,
    branch_id: BranchId,
    given: AppointmentIn,
    connection: WriteTx,
    principal: _Booker,
) -> Appointment:
    """Keep a slot for an order for some minutes."""
    return await handlers.hold(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )


@router.get("/appointments", responses=web.problem_responses(Forbidden))
async def list_appointments(
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    page: PageOf,
    order_id: Identifier | None = None,
    person_id: Identifier | None = None,
    state: AppointmentState | None = None,
    staffed: Annotated[
        bool | None,
        Query(description="false: those still to be made that nobody can make any more"),
    ] = None,
) -> Page[Appointment]:
    """List appointments: a contractor its centre's and of its orders, an engineer their own."""
    (after,) = page.after(str) or ("",)
    found = await handlers.list_appointments(
        connection,
        branch_id,
        principal,
        filters={"order_id": order_id, "person_id": person_id, "state": state},
        staffed=staffed,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "appointment_id")


@router.post(
    "/appointments/{appointment_id}/book",
    responses=web.problem_responses(Forbidden, HoldOver, StepNotAllowed),
)
async def book_appointment(
    request: Request,
    branch_id: BranchId,
    appointment_id: Identifier,
    connection: WriteTx,
    principal: _Booker,
) -> Appointment:
    """Promise a held slot to the customer."""
    return await handlers.book(
        connection, branch_id, appointment_id, principal=principal, now=request.app.state.clock()
    )


@router.post(
    "/appointments/{appointment_id}/move",
    responses=web.problem_responses(
        Forbidden, Conflict, HoldOver, RescheduleLimit, SlotTaken, StepNotAllowed
    ),
)
async def move_appointment(
    request: Request,
    branch_id: BranchId,
    appointment_id: Identifier,
    given: MoveIn,
    connection: WriteTx,
    principal: _Booker,
) -> Appointment:
    """Promise another slot in place of the one that was booked."""
    return await handlers.move(
        connection,
        branch_id,
        appointment_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post("/appointments/{appointment_id}/release", responses=web.problem_responses(Forbidden))
async def release_appointment(
    request: Request,
    branch_id: BranchId,
    appointment_id: Identifier,
    given: ReleaseIn,
    connection: WriteTx,
    principal: _Booker,
) -> Appointment:
    """Give an appointment up, so that others have the time."""
    return await handlers.release(
        connection,
        branch_id,
        appointment_id,
        given.reason,
        principal=principal,
        now=request.app.state.clock(),
    )
