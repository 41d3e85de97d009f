"""Pages of support tickets."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Response

from huaxiao.console.page import Page, in_section
from huaxiao.console.tickets import views
from huaxiao.shared.wire.tickets import (
    Boundary,
    TicketIn,
    TicketState,
    TicketStepIn,
    TicketStepName,
    Urgency,
)

router = APIRouter(prefix="/branches/{branch_id}")
TicketsPage = Annotated[Page, in_section("tickets")]
_PAGE = 100


@router.get("/tickets")
async def tickets(
    page: TicketsPage, state: TicketState | None = None, cursor: str | None = None
) -> Response:
    """List tickets with what is left on their clocks, and offer to raise one."""
    found, categories, names = await asyncio.gather(
        page.peers.dispatch.tickets(page.branch, state=state, cursor=cursor, limit=_PAGE),
        page.peers.dispatch.ticket_categories(page.branch),
        page.centre_names(),
    )
    return page.show(
        "tickets/list.html",
        section="tickets",
        views=views,
        tickets=views.urgent_first(found.items),
        next_cursor=found.next_cursor,
        categories={one.code: page.words.of(one, "name") for one in categories.categories},
        names=names,
        state=state,
        states=list(TicketState),
        urgencies=list(Urgency),
        may_raise=page.bearer.may(*views.RAISERS) and bool(page.bearer.centre_ids),
    )


@router.post("/tickets")
async def raise_ticket(
    page: TicketsPage,
    raiser_centre_id: Annotated[str, Form()],
    category: Annotated[str, Form()],
    title: Annotated[str, Form(min_length=1, max_length=200)],
    text: Annotated[str, Form(min_length=1, max_length=4000)],
    urgency: Annotated[Urgency, Form()] = Urgency.NORMAL,
) -> Response:
    """Ask for support as a centre."""
    given = TicketIn(
        raiser_centre_id=raiser_centre_id,
        category=category,
        title=title,
        text=text,
        urgency=urgency,
    )
    raised = await page.peers.dispatch.raise_ticket(page.branch, given)
    return page.back(f"tickets/{raised.ticket_id}")


@router.get("/tickets/{ticket_id}")
async def ticket(page: TicketsPage, ticket_id: str) -> Response:
    """Show a ticket: its clocks, what was said, and the form of the next step."""
    found, categories, names = await asyncio.gather(
        page.peers.dispatch.ticket(page.branch, ticket_id),
        page.peers.dispatch.ticket_categories(page.branch),
        page.centre_names(),
    )
    return page.show(
        "tickets/ticket.html",
        section="tickets",
        views=views,
        ticket=found,
        categories={one.code: page.words.of(one, "name") for one in categories.categories},
        names=names,
        steps=views.steps(found, page.bearer),
        boundaries=list(Boundary),
    )


@router.post("/tickets/{ticket_id}/steps")
async def step(
    page: TicketsPage,
    ticket_id: str,
    step: Annotated[TicketStepName, Form()],
    text: Annotated[str, Form(max_length=4000)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
    boundary: Annotated[Boundary | None, Form()] = None,
) -> Response:
    """Take a step of a ticket."""
    given = TicketStepIn(
        step=step, text=text.strip() or None, reason=reason.strip() or None, boundary=boundary
    )
    await page.peers.dispatch.step_ticket(page.branch, ticket_id, given)
    return page.back(f"tickets/{ticket_id}")
