"""A county with shifts, orders and somebody who makes its plans."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.plans import HOME, SEARCHED, TUESDAY, finished, near, working_day
from support.work import ADDRESS, START

from huaxiao.dispatch.plans.running import Planners
from huaxiao.dispatch.settings import Settings
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.dispatch import OrderKind
from huaxiao.shared.wire.orders import OrderIn, OrderSource
from huaxiao.shared.wire.plans import PlanIn, StartOf


@pytest.fixture
async def planners(app: Any, settings_for: Any) -> AsyncIterator[Planners]:
    made = Planners(app.state.database, Settings(**settings_for("dispatch")))
    task = asyncio.create_task(made.run())
    app.state.planners = made
    yield made
    del app.state.planners
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await made.close()


@pytest.fixture
async def staffed(app: Any, county: Any, caller: Any, clock: Any) -> Any:
    """Return the county on Monday, with W01 and W02 of C1 at work on Tuesday."""
    clock.at(START)
    manager = caller(Role.COUNTY_MANAGER)
    await manager.put_start_place(county, StartOf.CENTRE, "C1", HOME)
    for name in ("W01", "W02"):
        await manager.put_shifts(county, name, working_day())
    return county


@pytest.fixture
def manager(staffed: Any, caller: Any) -> Any:
    return caller(Role.COUNTY_MANAGER)


@pytest.fixture
def order(staffed: Any, manager: Any) -> Any:
    async def ask(name: str, number: int = 0, **more: Any) -> str:
        given: dict[str, Any] = {
            "source": OrderSource.FRONT_END,
            "reference": name,
            "kind": OrderKind.INSTALL,
            "customer_id": "K1",
            "standard_address": ADDRESS,
            "where": near(number),
            "give_out": False,
        }
        return (await manager.ask_for_order(staffed, OrderIn(**given | more))).order_id

    return ask


@pytest.fixture
def planned(staffed: Any, manager: Any, planners: Any) -> Any:
    async def ask(**more: Any) -> Any:
        given = {"day": TUESDAY, "centre_id": "C1", "iterations": SEARCHED} | more
        asked = await manager.ask_for_plan(staffed, PlanIn(**given))
        return await finished(manager, staffed, asked.plan_id)

    return ask
