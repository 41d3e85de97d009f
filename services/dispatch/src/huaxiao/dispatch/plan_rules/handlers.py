"""What days are planned by: load, decide, record."""

from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.county_rules import CountyRules
from huaxiao.dispatch.domain.planning.day import Policy
from huaxiao.dispatch.domain.planning.model import Break, Window
from huaxiao.dispatch.domain.planning.prices import Prices
from huaxiao.dispatch.domain.planning.travel import UNKNOWN, Areas, GreatCircle, Travel
from huaxiao.dispatch.orders.store import place_alone
from huaxiao.dispatch.plan_rules import store
from huaxiao.dispatch.tables import plan_rules
from huaxiao.shared.auth import Principal
from huaxiao.shared.problems import Fault, Malformed, NotFound
from huaxiao.shared.wire.plans import (
    AddressPlace,
    AddressPlaceIn,
    PlanRules,
    PlanRulesIn,
    StartOf,
    StartPlace,
    StartPlaceIn,
    TravelTimes,
    TravelTimesIn,
)

RULES = CountyRules(plan_rules, PlanRulesIn, PlanRules)
"""How a county plans its days."""


async def set_rules(
    connection: AsyncConnection, branch_id: int, given: PlanRulesIn, *, set_by: str, now: datetime
) -> PlanRules:
    """Set how the county plans its days from now on; the same again changes nothing."""
    await place_alone(connection, branch_id)
    return await RULES.set(connection, branch_id, given, set_by=set_by, now=now)


def policy_of(held: PlanRules) -> Policy:
    """Return the rules as a day is planned by them."""
    prices = held.prices.model_dump() | {
        "left_out": tuple(held.prices.left_out),
        "promise_broken": tuple(held.prices.promise_broken),
    }
    opens, closes = (one.hour * 60 + one.minute for one in (held.break_opens, held.break_closes))
    rest = Break(Window(opens, closes), held.break_minutes) if held.break_minutes else None
    return Policy(Prices(**prices), held.tolerance_minutes, rest)


async def travel(connection: AsyncConnection, branch_id: int, held: PlanRules) -> Travel:
    """Return what is known of travel times without asking a router: a table, or distances."""
    by_distance = GreatCircle(float(held.road_factor), float(held.kilometres_an_hour))
    told = await store.travel_times_of(connection, branch_id)
    if not told:
        return by_distance
    minutes = {(row["from_area"], row["to_area"]): row["minutes"] for row in told}
    codes = sorted({code for pair in minutes for code in pair})
    rows = tuple(
        tuple(minutes.get((origin, destination), UNKNOWN) for destination in codes)
        for origin in codes
    )
    return Areas(by_distance, tuple(codes), rows)


async def put_start_place(
    connection: AsyncConnection,
    branch_id: int,
    of: StartOf,
    name: str,
    given: StartPlaceIn,
    *,
    principal: Principal,
) -> StartPlace:
    """Say where somebody's day begins.

    Raises:
        NotFound: there is no such person, crew or centre among the caller's.

    """
    centre_id = await store.centre_of(connection, branch_id, of, name)
    if centre_id is None:
        raise NotFound
    principal.require_centre(centre_id)
    row = {
        "branch_id": branch_id,
        "of": of,
        "id": name,
        "latitude": given.where.latitude,
        "longitude": given.where.longitude,
        "standard_address": given.standard_address,
        "returns": given.returns,
    }
    await store.put_start_place(connection, row)
    return StartPlace(**given.model_dump(), of=of, id=name)


async def start_places(
    connection: AsyncConnection, branch_id: int, *, principal: Principal
) -> list[StartPlace]:
    """Return where days begin: a contractor those of its centre's."""
    rows = await store.start_places_of(connection, branch_id, principal.centre_ids)
    return [
        StartPlace(
            of=row["of"],
            id=row["id"],
            where=_point(row),
            standard_address=row["standard_address"],
            returns=row["returns"],
        )
        for row in rows
    ]


async def put_address_place(
    connection: AsyncConnection, branch_id: int, standard_address: str, given: AddressPlaceIn
) -> AddressPlace:
    """Say where the addresses under a code lie."""
    row = {
        "branch_id": branch_id,
        "standard_address": standard_address,
        "latitude": given.where.latitude,
        "longitude": given.where.longitude,
    }
    await store.put_address_place(connection, row)
    return AddressPlace(**given.model_dump(), standard_address=standard_address)


async def address_places(
    connection: AsyncConnection, branch_id: int, *, after: str, limit: int
) -> list[AddressPlace]:
    """Return where addresses lie."""
    rows = await store.address_places_of(connection, branch_id, after=after, limit=limit)
    return [
        AddressPlace(standard_address=row["standard_address"], where=_point(row)) for row in rows
    ]


def _point(row: RowMapping) -> dict[str, object]:
    return {"latitude": row["latitude"], "longitude": row["longitude"]}


async def put_travel_times(
    connection: AsyncConnection, branch_id: int, given: TravelTimesIn
) -> TravelTimes:
    """Put a table of times between areas in place of the one before.

    Raises:
        Malformed: a way is named twice.

    """
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(given.times):
        pair = one.from_area, one.to_area
        if pair in seen:
            said = f"{pair[0]} to {pair[1]} is named twice", f"{pair[0]} 至 {pair[1]} 重复"
            raise Malformed(faults=[Fault(f"/times/{index}", "named-twice", *said)])
        seen.add(pair)
    await store.replace_travel_times(
        connection, branch_id, [one.model_dump() for one in given.times]
    )
    return await travel_times(connection, branch_id)


async def travel_times(connection: AsyncConnection, branch_id: int) -> TravelTimes:
    """Return the table of times between areas."""
    rows = await store.travel_times_of(connection, branch_id)
    return TravelTimes.model_validate({"times": [_time(row) for row in rows]})


def _time(row: RowMapping) -> dict[str, object]:
    return {name: row[name] for name in ("from_area", "to_area", "minutes")}
