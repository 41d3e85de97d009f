"""Pages of orders."""

import asyncio
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Response

from huaxiao.console.orders import views
from huaxiao.console.orders.reading import open_orders
from huaxiao.console.page import Page, in_section
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.periods import business_day
from huaxiao.shared.wire.base import Day
from huaxiao.shared.wire.dispatch import (
    Evidence,
    OrderStepIn,
    StepName,
    SuspensionCause,
)
from huaxiao.shared.wire.plans import Agenda

router = APIRouter(prefix="/branches/{branch_id}")
OrdersPage = Annotated[Page, in_section("orders")]
_SEES_AGENDA = (
    *(Role.PROVINCE, Role.COUNTY_MANAGER, Role.CONTRACTOR, Role.ENGINEER, Role.AUDITOR),
)
_TAKES_STEPS = (Role.COUNTY_MANAGER, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
_NOT_FOUND = 404


@router.get("/orders")
async def orders(page: OrdersPage, day: Day | None = None, centre: str | None = None) -> Response:
    """Show a day by engineer and hour and what is open; to an engineer their own orders."""
    on = day or business_day(page.now)
    agenda, known, names = await asyncio.gather(
        _agenda(page, on, centre), open_orders(page, centre), page.centre_names()
    )
    positions = await page.positions()
    by_id = {one.order_id: one for one in known}
    board = views.board(agenda, by_id)
    mine = page.bearer.may(Role.ENGINEER) and not page.bearer.may(Role.COUNTY_MANAGER)
    return page.show(
        "orders/mine.html" if mine else "orders/board.html",
        section="orders",
        views=views,
        board=board,
        agenda=agenda,
        orders=views.urgent_first(known, page.now),
        waiting=[one for one in known if one.order_id not in board.planned],
        sees_agenda=page.bearer.may(*_SEES_AGENDA),
        names=names,
        positions=positions,
        centres=sorted(names.named),
        day=on,
        today=business_day(page.now),
        day_before=on - timedelta(days=1),
        day_after=on + timedelta(days=1),
        centre=centre,
    )


@router.get("/orders/calendar")
async def calendar(page: OrdersPage, day: Day | None = None, centre: str | None = None) -> Response:
    """Show the appointments of a week by slot and day."""
    on = day or business_day(page.now)
    first = on - timedelta(days=on.weekday())
    found, names = await asyncio.gather(
        page.peers.dispatch.appointments(page.branch), page.centre_names()
    )
    positions = await page.positions()
    of_centre = [one for one in found if centre is None or one.centre_id == centre]
    return page.show(
        "orders/calendar.html",
        section="orders",
        week=views.week_of(first, of_centre),
        names=names,
        positions=positions,
        centres=sorted({one.centre_id for one in found}),
        day=on,
        today=business_day(page.now),
        week_before=first - timedelta(days=7),
        week_after=first + timedelta(days=7),
        centre=centre,
        unstaffed=[one for one in of_centre if not one.staffed and one.state == "booked"],
    )


@router.get("/orders/{order_id}")
async def order(page: OrdersPage, order_id: str) -> Response:
    """Show an order: its clock, its steps, and what can be done next."""
    found, names = await asyncio.gather(
        page.peers.dispatch.order(page.branch, order_id), page.centre_names()
    )
    positions = await page.positions()
    try:
        clock = await page.peers.dispatch.order_clock(page.branch, order_id)
    except PeerProblem as problem:
        # Work that is measured by no service level has no clock.
        if problem.status != _NOT_FOUND:
            raise
        clock = None
    return page.show(
        "orders/order.html",
        section="orders",
        views=views,
        order=found,
        clock=clock,
        names=names,
        positions=positions,
        causes=list(SuspensionCause),
        may_step=page.bearer.may(*_TAKES_STEPS),
        late=views.is_late(found, page.now),
    )


@router.post("/orders/{order_id}/steps")
async def step(
    page: OrdersPage,
    order_id: str,
    step: Annotated[StepName, Form()],
    reason: Annotated[str, Form()] = "",
    cause: Annotated[SuspensionCause, Form()] = SuspensionCause.CUSTOMER,
    onu_online: Annotated[bool, Form()] = False,  # noqa: FBT002 - a box that is ticked or not
    photo: Annotated[bool, Form()] = False,  # noqa: FBT002
) -> Response:
    """Take a step of an order."""
    finishing = step is StepName.FINISH
    evidence = Evidence(onu_online=onu_online, photo=photo) if finishing else Evidence()
    await page.peers.dispatch.step(
        page.branch,
        order_id,
        OrderStepIn(step=step, reason=reason.strip() or None, cause=cause, evidence=evidence),
    )
    return page.back(f"orders/{order_id}")


async def _agenda(page: Page, day: date, centre_id: str | None) -> Agenda:
    if not page.bearer.may(*_SEES_AGENDA):
        return Agenda(day=day, at=page.now, routes=[], without_anybody=[])
    return await page.peers.dispatch.agenda(page.branch, day=day, centre_id=centre_id)
