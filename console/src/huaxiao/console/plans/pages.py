"""Pages of plans, with the forms that ask for one, stop its search and make it the day."""

import asyncio
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from huaxiao.console.filters import ChosenText
from huaxiao.console.orders.reading import open_orders
from huaxiao.console.page import Page, in_section
from huaxiao.console.plans import views
from huaxiao.shared.auth import Role
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.wire.base import Day
from huaxiao.shared.wire.dispatch import Order
from huaxiao.shared.wire.plans import ApplyIn, PlanIn

router = APIRouter(prefix="/branches/{branch_id}/plans")
PlansPage = Annotated[Page, in_section("orders")]
_PLANS = (Role.COUNTY_MANAGER, Role.CONTRACTOR)


@router.get("")
async def plans(page: PlansPage, day: Day | None = None, centre: ChosenText = None) -> Response:
    """List the plans of a day, tomorrow unless another is asked for."""
    _require_reader(page)
    tomorrow = business_day(page.now) + timedelta(days=1)
    on = day or tomorrow
    found, names = await asyncio.gather(
        page.peers.dispatch.plans(page.branch, day=on), page.centre_names()
    )
    return page.show(
        "plans/list.html",
        section="orders",
        views=views,
        plans=views.newest_first(found, centre),
        names=names,
        centres=sorted(page.bearer.centre_ids or names.named),
        centre=centre,
        day=on,
        tomorrow=tomorrow,
        day_before=on - timedelta(days=1),
        day_after=on + timedelta(days=1),
        may_plan=page.bearer.may(*_PLANS) and on >= business_day(page.now),
    )


@router.post("")
async def ask(
    page: PlansPage,
    day: Annotated[Day, Form()],
    centre: Annotated[Identifier, Form()],
) -> Response:
    """Ask for a plan of a centre's day; nothing changes before it is applied."""
    made = await page.peers.dispatch.ask_for_plan(page.branch, PlanIn(day=day, centre_id=centre))
    return page.back(f"plans/{made.plan_id}")


@router.get("/{plan_id}")
async def plan(
    page: PlansPage,
    plan_id: Identifier,
    given_out: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """Show a plan: everybody's day in order, what is left out and why, what applying it changes."""
    _require_reader(page)
    found, names, positions = await asyncio.gather(
        page.peers.dispatch.plan(page.branch, plan_id), page.centre_names(), page.positions()
    )
    difference = None
    orders: dict[str, Order] = {}
    if found.state not in views.SEARCHING:
        known = await open_orders(page, None)
        orders = {one.order_id: one for one in known}
    if found.state in views.TO_APPLY:
        difference = await page.peers.dispatch.plan_difference(page.branch, plan_id)
    return page.show(
        "plans/plan.html",
        section="orders",
        views=views,
        plan=found,
        days=views.days(found),
        orders=orders,
        difference=difference,
        names=names,
        positions=positions,
        given_out=given_out,
        may_plan=page.bearer.may(*_PLANS),
        to_come=found.day >= business_day(page.now),
    )


@router.post("/{plan_id}/stop")
async def stop(page: PlansPage, plan_id: Identifier) -> Response:
    """Let a search end with the best plan so far."""
    await page.peers.dispatch.stop_plan(page.branch, plan_id)
    return page.back(f"plans/{plan_id}")


@router.post("/{plan_id}/apply")
async def apply(
    page: PlansPage,
    plan_id: Identifier,
    leave_outdated: Annotated[bool, Form()] = False,  # noqa: FBT002 - a box that is ticked or not
) -> Response:
    """Give every order to whom it is planned for, and make the plan the day."""
    given = ApplyIn(leave_outdated=leave_outdated)
    applied = await page.peers.dispatch.apply_plan(page.branch, plan_id, given)
    return page.back(f"plans/{plan_id}", given_out=len(applied.given_out))


def _require_reader(page: Page) -> None:
    """Refuse a page that the service would not answer.

    Raises:
        Forbidden: the visitor may not read plans.

    """
    if not page.reads_plans:
        raise Forbidden
