"""A Tuesday of November 2017 that is planned: its hours, places and people, and what became of it."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from huaxiao.shared.wire.appointments import Shift, ShiftsIn
from huaxiao.shared.wire.plans import StartPlaceIn
from huaxiao.shared.wire.visits import Point

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TUESDAY = date(2017, 11, 7)
MIDNIGHT = datetime(2017, 11, 6, 16, tzinfo=UTC)
HOME = StartPlaceIn(where=Point(latitude="38.15", longitude="114.57"))
SEARCHED = 300


def at(hour: int, minute: int = 0) -> datetime:
    return MIDNIGHT + timedelta(hours=hour, minutes=minute)


def near(number: int) -> Point:
    return Point(latitude=f"38.{15 + number % 7:02}", longitude=f"114.{57 + number % 5:02}")


def working_day(begins: time = time(8), ends: time = time(18)) -> ShiftsIn:
    shift = Shift(day=TUESDAY, begins=begins, ends=ends)
    return ShiftsIn(from_day=TUESDAY, to_day=TUESDAY, shifts=[shift])


async def finished(manager: Any, branch_id: Any, plan_id: str) -> Any:
    while True:
        plan = await manager.plan(branch_id, plan_id)
        if plan.state not in {"queued", "running"}:
            assert plan.failure is None
            return plan
        await asyncio.sleep(0.1)


def visits(plan: Any) -> dict[str, str]:
    return {
        stop.order_id: route.engineer_id or f"crew/{route.crew_id}"
        for route in plan.routes
        for stop in route.stops
        if stop.order_id is not None
    }


def visits_of(agenda: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for route in agenda.routes:
        for visit in route.visits:
            if visit.order_id is not None:
                found.setdefault(visit.order_id, []).append(route.engineer_id or route.crew_id)
    return found
