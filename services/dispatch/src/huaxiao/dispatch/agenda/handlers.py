"""Days as they stand, and one order put into them: load, decide, record."""

from collections.abc import Mapping
from datetime import date, datetime
from http import HTTPStatus

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.agenda import showing, store
from huaxiao.dispatch.agenda.arriving import placement_of, put
from huaxiao.dispatch.agenda.days import LoadedDay, load
from huaxiao.dispatch.agenda.giving import give_to
from huaxiao.dispatch.agenda.holders import crew_key, named
from huaxiao.dispatch.agenda.minutes import moment_of
from huaxiao.dispatch.callers import reads_as_engineer
from huaxiao.dispatch.domain.planning.model import Stop
from huaxiao.dispatch.domain.planning.placing import Choice, Placement
from huaxiao.dispatch.orders import store as order_store
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Conflict, Fault, Malformed, NotFound, Problem
from huaxiao.shared.wire import plans as wire
from huaxiao.shared.wire.dispatch import WORK_ENDED, OrderState


class NobodyCan(Problem):
    """The order does not fit into the day of whom it was to go to; the reasons are named."""

    code = "nobody-can"
    status = HTTPStatus.CONFLICT
    title = "Nobody who was asked for can do this order on that day"
    title_zh = "所选人员当日无法承办该工单"


def require_to_come(day: date, now: datetime) -> None:
    """Check that a day is not over.

    Raises:
        Malformed: it is.

    """
    if day < business_day(now):
        raise Malformed(faults=[Fault("/day", "day-over", "this day is over", "该日已过")])


async def _order(
    connection: AsyncConnection, branch_id: int, order_id: str, principal: Principal
) -> RowMapping:
    """Return an order that the caller's centre performs."""
    row = await order_store.load(connection, branch_id, order_id)
    if row is None:
        raise NotFound
    if principal.centre_ids is not None:
        principal.require_centre(row["performer_centre_id"] or "")
    return row


async def wish(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    given: wire.WishIn,
    *,
    principal: Principal,
    now: datetime,
) -> wire.Wish:
    """Decide who does an order, or who does not, whenever it is planned; a later decision counts.

    Raises:
        NotFound: there is no such order among the caller's.
        Malformed: somebody is pinned and forbidden at once.
        Conflict: the order is over.

    """
    await order_store.place_alone(connection, branch_id)
    row = await _order(connection, branch_id, order_id, principal)
    if OrderState(row["state"]) in WORK_ENDED:
        raise Conflict("This order is over.", "该工单已结束。")
    if given.pinned_to in given.forbidden:
        said = "pinned and forbidden at once", "同一人不能既指定又排除"
        raise Malformed(faults=[Fault("/pinned_to", "contradiction", *said)])
    pinned, *forbidden = await _names(
        connection, branch_id, row, [given.pinned_to, *given.forbidden]
    )
    before = (await store.wishes_of(connection, branch_id, [order_id])).get(order_id)
    added = {
        "branch_id": branch_id,
        "order_id": order_id,
        "number": 1 if before is None else before["number"] + 1,
        "pinned_to": pinned,
        "forbidden": forbidden,
        "reason": given.reason,
        "by": principal.subject,
        "at": now,
    }
    await store.add_wish(connection, added)
    return _wish(added)


async def _names(
    connection: AsyncConnection, branch_id: int, order: RowMapping, asked: list[str | None]
) -> list[str | None]:
    """Return the names that plans know people and crews by; people of other centres may be named.

    Raises:
        Malformed: somebody is unknown.

    """
    known = await order_store.homes(connection, branch_id)
    crews = {
        row["crew_id"]
        for row in await store.crews_of(connection, branch_id, [order["performer_centre_id"] or ""])
    }
    for one in asked:
        if one is not None and one not in known and one not in crews:
            said = f"nobody here is {one}", f"没有人员或施工队 {one}"
            raise Malformed(faults=[Fault("/pinned_to", "unknown-person", *said)])
    return [None if one is None else crew_key(one) if one in crews else one for one in asked]


def _wish(row: RowMapping | dict[str, object]) -> wire.Wish:
    def plain(name: object) -> str | None:
        return None if name is None else next(one for one in named(str(name)) if one is not None)

    forbidden = row["forbidden"]
    assert isinstance(forbidden, list)  # noqa: S101 - it is stored as one
    return wire.Wish.model_validate(
        dict(row)
        | {
            "pinned_to": plain(row["pinned_to"]),
            "forbidden": [plain(one) for one in forbidden],
        }
    )


async def show_wish(
    connection: AsyncConnection, branch_id: int, order_id: str, *, principal: Principal
) -> wire.Wish:
    """Return what was decided last of an order.

    Raises:
        NotFound: nothing was, or there is no such order among the caller's.

    """
    await _order(connection, branch_id, order_id, principal)
    found = (await store.wishes_of(connection, branch_id, [order_id])).get(order_id)
    if found is None:
        raise NotFound
    return _wish(found)


async def candidates(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    day: date,
    *,
    principal: Principal,
    now: datetime,
) -> wire.Placement:
    """Return who could do an order on a day as it stands, at what price, and why nobody else.

    Raises:
        NotFound: there is no such order among the caller's, or no centre has it.
        Malformed: the day is over.

    """
    require_to_come(day, now)
    row = await _order(connection, branch_id, order_id, principal)
    loaded = await _day_of(connection, branch_id, row, day, now)
    found = placement_of(loaded, order_id)
    if found is None:
        return _impossible(loaded, order_id)
    return showing.placement(found, day, loaded.day.problem.now)


async def _day_of(
    connection: AsyncConnection, branch_id: int, row: RowMapping, day: date, now: datetime
) -> LoadedDay:
    if row["performer_centre_id"] is None:
        raise NotFound
    return await load(
        connection,
        branch_id,
        day,
        [row["performer_centre_id"]],
        now=now,
        moving=row["order_id"],
    )


def _impossible(loaded: LoadedDay, order_id: str) -> wire.Placement:
    reason: str = dict(loaded.day.not_planned).get(order_id) or "not_of_day"
    return wire.Placement(
        order_id=order_id,
        day=loaded.date,
        at=moment_of(loaded.day.problem.now, loaded.date),
        best=None,
        choices=[],
        price_left_out=0,
        obstacles=[],
        not_planned=showing.missing(order_id, reason),
    )


async def place_order(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    given: wire.PlaceIn,
    *,
    principal: Principal,
    now: datetime,
) -> wire.Placement:
    """Put an order into a day as it stands, at the best place, or with whom the caller names.

    Where it was planned on another day to come, it is not planned there any more.

    Raises:
        NotFound: there is no such order among the caller's.
        Malformed: the day is over.
        NobodyCan: it does not fit; the reasons are named.
        StepNotAllowed: the order's state does not permit giving it out.

    """
    require_to_come(given.day, now)
    await order_store.place_alone(connection, branch_id)
    row = await _order(connection, branch_id, order_id, principal)
    loaded = await _day_of(connection, branch_id, row, given.day, now)
    found = placement_of(loaded, order_id)
    if found is None:
        raise NobodyCan(**_impossible(loaded, order_id).model_dump(mode="json"))
    shown = showing.placement(found, given.day, loaded.day.problem.now)
    choice = _chosen(found, given)
    if choice is None:
        raise NobodyCan(**shown.model_dump(mode="json"))
    await give_to(
        connection,
        branch_id,
        row,
        choice.engineers,
        reason=given.reason,
        principal=principal,
        now=now,
    )
    await store.take_out(
        connection, branch_id, [order_id], since=business_day(now), but_on=given.day
    )
    await put(connection, branch_id, loaded, order_id, choice, changed_at=now)
    made = shown.model_copy(update={"best": showing.choice(choice, given.day)})
    await store.add_placement(connection, branch_id, order_id, made.model_dump(mode="json"))
    return made


def _chosen(found: Placement, given: wire.PlaceIn) -> Choice | None:
    """Return the choice of whom the caller names, whatever it costs; else the best."""
    if given.crew_id is not None:
        wanted = crew_key(given.crew_id)
    elif given.engineer_id is not None:
        wanted = given.engineer_id
    else:
        return found.best
    return next((one for one in found.choices if wanted in one.engineers), None)


async def placements(
    connection: AsyncConnection, branch_id: int, order_id: str, *, principal: Principal
) -> list[wire.Placement]:
    """Return why an order was put where it was, each time that it was.

    Whoever is bound to centres is not told of the people of others that had the order before.
    """
    await _order(connection, branch_id, order_id, principal)
    rows = await store.placements_of(connection, branch_id, order_id)
    found = [wire.Placement.model_validate(one) for one in rows]
    if principal.centre_ids is None:
        return found
    own = set(await store.people_of(connection, branch_id, principal.centre_ids))
    crews = await store.crews_of(connection, branch_id, principal.centre_ids)
    own.update(crew_key(row["crew_id"]) for row in crews)
    return [one for one in found if not own.isdisjoint(_asked(one))]


def _asked(placement: wire.Placement) -> set[str]:
    """Return the engineers and crews that were asked about an order."""
    asked: set[str] = set()
    for one in placement.choices:
        asked.update(one.engineer_ids, [crew_key(one.crew_id)] if one.crew_id else ())
    for other in placement.obstacles:
        if other.engineer_id is not None:
            asked.add(other.engineer_id)
        if other.crew_id is not None:
            asked.add(crew_key(other.crew_id))
    return asked


async def agenda(
    connection: AsyncConnection,
    branch_id: int,
    day: date,
    *,
    centre_id: str | None,
    principal: Principal,
    now: datetime,
) -> wire.Agenda:
    """Return a day as it was planned and stands now: an engineer their own part of it."""
    is_engineer = reads_as_engineer(principal, readers={*COUNTY_READERS, Role.CONTRACTOR})
    if principal.centre_ids is not None and centre_id is not None:
        principal.require_centre(centre_id)
    centres = await _centres(connection, branch_id, day, centre_id, principal)
    loaded = await load(connection, branch_id, day, centres, now=now)
    mine = await _mine(connection, branch_id, principal, centres) if is_engineer else None
    planned = {
        (row["holder"], stop["order_id"]): stop["start"]
        for row in loaded.routes
        for stop in row["stops"]
        if stop["order_id"] is not None
    }
    plan_ids = {row["holder"]: row["plan_id"] for row in loaded.routes}
    routes = []
    for route in loaded.day.planned.routes:
        if mine is not None and route.engineer_id not in mine:
            continue
        if route.engineer_id not in plan_ids and not route.order_ids:
            continue
        engineer_id, crew_id = named(route.engineer_id)
        routes.append(
            wire.AgendaRoute(
                engineer_id=engineer_id,
                crew_id=crew_id,
                centre_id=loaded.day.problem.engineer[route.engineer_id].centre or "",
                plan_id=plan_ids.get(route.engineer_id),
                visits=[
                    _visit(loaded, stop, planned.get((route.engineer_id, stop.order_id)), day)
                    for stop in route.stops
                ],
            )
        )
    return wire.Agenda(
        day=day,
        at=moment_of(loaded.day.problem.now, day),
        routes=routes,
        without_anybody=_without_anybody(loaded, mine),
    )


async def _centres(
    connection: AsyncConnection,
    branch_id: int,
    day: date,
    centre_id: str | None,
    principal: Principal,
) -> list[str]:
    if centre_id is not None:
        return [centre_id]
    if principal.centre_ids is not None:
        return sorted(principal.centre_ids)
    return await store.centres_planned(connection, branch_id, day)


async def _mine(
    connection: AsyncConnection, branch_id: int, principal: Principal, centres: list[str]
) -> set[str]:
    person_id = principal.person_id or ""
    crews = await store.crews_of(connection, branch_id, centres)
    return {
        person_id,
        *(crew_key(row["crew_id"]) for row in crews if person_id in row["members"]),
    }


def _visit(loaded: LoadedDay, stop: Stop, planned: int | None, day: date) -> wire.AgendaVisit:
    row = None if stop.order_id is None else loaded.orders.get(stop.order_id)
    begun = stop.order_id is not None and loaded.day.problem.order[stop.order_id].started
    told = stop.start if planned is None else planned
    tolerance = loaded.rules.tolerance_minutes
    warnings = ["late"] if stop.start > told + tolerance else []
    if row is not None and row["state"] == OrderState.IN_PROGRESS and begun:
        usual = loaded.day.problem.now - stop.start
        length = next(
            (
                each["end"] - each["start"]
                for route in loaded.routes
                for each in route["stops"]
                if each["order_id"] == stop.order_id
            ),
            None,
        )
        if length is not None and usual > length:
            warnings.append("running_over")
    return wire.AgendaVisit(
        order_id=stop.order_id,
        planned_from=moment_of(told, day),
        expected_from=moment_of(stop.start, day),
        expected_to=moment_of(stop.end, day),
        travel_minutes=stop.travel,
        state=None if row is None else row["state"],
        warnings=warnings,
    )


def _without_anybody(loaded: LoadedDay, mine: set[str] | None) -> list[wire.PlanMissing]:
    """Return what was planned of whoever is asked about, and is not in anybody's day any more."""
    still = loaded.day.planned.visits
    waits = dict(loaded.day.not_planned)
    gone: Mapping[str, str] = {
        stop["order_id"]: waits.get(stop["order_id"], "holder_gone")
        for row in loaded.routes
        if mine is None or row["holder"] in mine
        for stop in row["stops"]
        if stop["order_id"] is not None
        and stop["order_id"] in loaded.orders
        and stop["order_id"] not in still
        and OrderState(loaded.orders[stop["order_id"]]["state"]) not in WORK_ENDED
    }
    return [showing.missing(name, reason) for name, reason in sorted(gone.items())]
