"""Routes of support tickets.

A ticket may be handed on to a third centre: writing finds the whole branch.
"""

from typing import Annotated

from fastapi import Request

from huaxiao.dispatch.callers import TicketWorker
from huaxiao.dispatch.domain.tickets import (
    BoundaryOpen,
    NotYourTicket,
    OwingUnitMayNotClose,
    TicketStepNotAllowed,
)
from huaxiao.dispatch.tickets import handlers, reporting, showing, store
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import BranchWriteTx, ReadTx
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.tickets import (
    CategoryCode,
    Ticket,
    TicketDetail,
    TicketIn,
    TicketReport,
    TicketState,
    TicketStepIn,
    UnitKind,
)

router = web.router(tags=["tickets"])
_Reader = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
_Raiser = Annotated[Principal, allow(Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)]


@router.post("/tickets", status_code=201, responses=web.problem_responses(Forbidden))
async def raise_ticket(
    request: Request,
    branch_id: BranchId,
    given: TicketIn,
    connection: BranchWriteTx,
    principal: _Raiser,
) -> TicketDetail:
    """Ask for support, at the one point of entry (R18): the category's rule says who owes it."""
    return await handlers.raise_ticket(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )


@router.get("/tickets", responses=web.problem_responses(Forbidden))
async def list_tickets(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    page: PageOf,
    state: TicketState | None = None,
    category: CategoryCode | None = None,
    owner_kind: UnitKind | None = None,
    owner_centre_id: Identifier | None = None,
    overdue: bool | None = None,  # noqa: FBT001 - a query parameter, always named
) -> Page[Ticket]:
    """List tickets, oldest first: a contractor those its centres raised or owe."""
    after = page.after(str)
    now = request.app.state.clock()
    rows = await store.page(
        connection,
        branch_id,
        principal,
        filters={
            "state": state,
            "category": category,
            "owner_kind": owner_kind,
            "owner_centre_id": owner_centre_id,
        },
        overdue=overdue,
        now=now,
        after=after[0] if after else "",
        limit=page.limit + 1,
    )
    return page.page([showing.render(row, now=now) for row in rows], "ticket_id")


@router.get("/tickets/{ticket_id}", responses=web.problem_responses(Forbidden))
async def get_ticket(
    request: Request,
    branch_id: BranchId,
    ticket_id: Identifier,
    connection: ReadTx,
    principal: _Reader,
) -> TicketDetail:
    """Show a ticket with its clocks, their due moments, and everything that happened to it."""
    return await showing.show(
        connection, branch_id, ticket_id, principal=principal, now=request.app.state.clock()
    )


@router.post(
    "/tickets/{ticket_id}/steps",
    responses=web.problem_responses(
        Forbidden, NotYourTicket, OwingUnitMayNotClose, TicketStepNotAllowed, BoundaryOpen
    ),
)
async def step_ticket(
    request: Request,
    branch_id: BranchId,
    ticket_id: Identifier,
    given: TicketStepIn,
    connection: BranchWriteTx,
    principal: TicketWorker,
) -> TicketDetail:
    """Take the next step of a ticket. Who owes it never closes it."""
    return await handlers.step(
        connection,
        branch_id,
        ticket_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.get("/ticket-report", responses=web.problem_responses(Forbidden))
async def get_ticket_report(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    period: PeriodText,
) -> TicketReport:
    """Count a period's tickets by category and owing unit: a contractor those its centres see."""
    return await reporting.report(
        connection, branch_id, period, principal=principal, now=request.app.state.clock()
    )
