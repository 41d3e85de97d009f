"""An order arrives: the best engineer and place in the day's routes, at once, with the reasons."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.agenda import showing, store
from huaxiao.dispatch.agenda.days import LoadedDay, load
from huaxiao.dispatch.agenda.holders import people_of
from huaxiao.dispatch.agenda.minutes import midnight
from huaxiao.dispatch.domain.planning.changing import with_choice, without
from huaxiao.dispatch.domain.planning.model import Stop
from huaxiao.dispatch.domain.planning.placing import Choice, Placement, place
from huaxiao.dispatch.orders import store as order_store
from huaxiao.dispatch.orders.placing import Place
from huaxiao.shared.periods import business_day

_DAY = timedelta(days=1)


async def settle(
    connection: AsyncConnection, branch_id: int, order_id: str, given: Place, *, now: datetime
) -> Place:
    """Return to whom an order that has just come goes, by the day as its centre has planned it.

    Where nobody of the centre has a shift on the day of the order, or nobody can, it stays with
    whom the rule gave it: the engineer with the fewest open orders. What was found is kept with the
    order, the runners-up and everybody's obstacle included.
    """
    if not given.is_given_out or given.performer is None:
        return given
    row = await order_store.load(connection, branch_id, order_id)
    assert row is not None  # noqa: S101 - it was added in this transaction
    if row["finished_at"] is not None:
        return given
    opens = row["appointed_from"] or row["wished_from"]
    day = business_day(now) if opens is None else max(business_day(opens), business_day(now))
    if not await store.somebody_works(
        connection, branch_id, given.performer, midnight(day), midnight(day + _DAY)
    ):
        return given
    loaded = await load(connection, branch_id, day, [given.performer], now=now, moving=order_id)
    found = placement_of(loaded, order_id)
    if found is None:
        return given
    shown = showing.placement(found, day, loaded.day.problem.now)
    await store.add_placement(connection, branch_id, order_id, shown.model_dump(mode="json"))
    if found.best is None:
        return given
    await store.take_out(connection, branch_id, [order_id], since=business_day(now), but_on=day)
    await put(connection, branch_id, loaded, order_id, found.best, changed_at=now)
    engineers, crew = people_of(found.best.engineers)
    if len(engineers) > 1:
        crew, engineers = (
            await store.put_crew_of_order(connection, branch_id, row, engineers),
            [],
        )
    return replace(given, engineer=engineers[0] if engineers else None, crew=crew)


def placement_of(loaded: LoadedDay, order_id: str) -> Placement | None:
    """Return where an order goes in a day as it stands; None where it cannot be planned."""
    order = loaded.day.problem.order.get(order_id)
    if order is None or order.started is not None:
        return None
    rest = without(loaded.day.problem, loaded.day.planned, order_id, reasons=False)
    return place(loaded.day.problem, rest, order)


async def put(
    connection: AsyncConnection,
    branch_id: int,
    loaded: LoadedDay,
    order_id: str,
    choice: Choice,
    *,
    changed_at: datetime,
) -> None:
    """Write an order into the days of whom a choice names, and out of others' days."""
    problem = loaded.day.problem
    rest = without(problem, loaded.day.planned, order_id, reasons=False)
    made = with_choice(problem, rest, problem.order[order_id], choice, reasons=False)
    had_it = {
        row["holder"]
        for row in loaded.routes
        if any(stop["order_id"] == order_id for stop in row["stops"])
    }
    plan_ids = {row["holder"]: row["plan_id"] for row in loaded.routes}
    rows = [
        route_row(
            branch_id,
            loaded.date,
            one,
            made.route[one].stops,
            problem.engineer[one].centre or "",
            plan_id=plan_ids.get(one),
            changed_at=changed_at,
        )
        for one in sorted({*choice.engineers, *had_it})
        if one in made.route
    ]
    await store.put_routes(connection, rows)


def route_row(
    branch_id: int,
    day: date,
    holder: str,
    stops: Iterable[Stop],
    centre_id: str,
    *,
    plan_id: str | None,
    changed_at: datetime,
) -> dict[str, Any]:
    """Return somebody's day as it is stored, in minutes of the day."""
    return {
        "branch_id": branch_id,
        "day": day,
        "holder": holder,
        "centre_id": centre_id,
        "plan_id": plan_id,
        "stops": [
            {
                "order_id": stop.order_id,
                "travel": stop.travel,
                "start": stop.start,
                "end": stop.end,
            }
            for stop in sorted(stops, key=lambda stop: stop.start)
        ],
        "changed_at": changed_at,
    }
