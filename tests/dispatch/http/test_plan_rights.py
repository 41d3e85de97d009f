"""Who may plan what, and what is refused of what they say."""

from typing import Any

import pytest
from support.plans import DAY, HOME, MIDNIGHT, SEARCHED, TUESDAY, at, visits
from support.work import centre, person

from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.appointments import LeaveIn
from huaxiao.shared.wire.dispatch import OrderStepIn, StepName
from huaxiao.shared.wire.orders import CrewIn
from huaxiao.shared.wire.plans import (
    AddressPlaceIn,
    ApplyIn,
    OverrideIn,
    PlaceIn,
    PlanIn,
    PlanRoundIn,
    PlanRulesIn,
    StartOf,
    TravelTimesIn,
    WishIn,
)
from huaxiao.shared.wire.visits import Window


async def refused(call: Any) -> str:
    with pytest.raises(PeerProblem) as caught:
        await call
    return str(caught.value.code)


async def test_nobody_who_is_bound_to_a_centre_plans_for_others(
    staffed: Any, manager: Any, order: Any, planned: Any, caller: Any
) -> None:
    name = await order("A", 1)
    plan = await planned()
    for role in (Role.COUNTY_MANAGER, Role.SUPPORT_CENTRE):
        bound = caller(role, ["C1"])
        assert await refused(bound.set_plan_rules(staffed, PlanRulesIn())) == "forbidden"
        times = TravelTimesIn(times=[])
        assert await refused(bound.set_travel_times(staffed, times)) == "forbidden"
        place = AddressPlaceIn(where=HOME.where)
        assert await refused(bound.put_address_place(staffed, "130123", place)) == "forbidden"
    other = caller(Role.CONTRACTOR, ["G1"])
    override = OverrideIn(order_id=name, engineer_id="W01", reason="x")
    for call in (
        other.plan(staffed, plan.plan_id),
        other.stop_plan(staffed, plan.plan_id),
        other.plan_difference(staffed, plan.plan_id),
        other.override_plan(staffed, plan.plan_id, override),
        other.apply_plan(staffed, plan.plan_id, ApplyIn()),
        other.ask_for_plan_round(staffed, PlanRoundIn(day=TUESDAY, centre_ids=["C1", "G1"])),
        other.place_order(staffed, name, PlaceIn(day=TUESDAY, reason="x")),
        other.placements(staffed, name),
        other.wish(staffed, name),
    ):
        assert await refused(call) == "not-found"
    for role in (Role.ENGINEER, Role.AUDITOR, Role.PROVINCE):
        reader = caller(role, person_id="W01")
        for call in (
            reader.ask_for_plan(staffed, PlanIn(day=TUESDAY, centre_id="C1")),
            reader.apply_plan(staffed, plan.plan_id, ApplyIn()),
            reader.override_plan(staffed, plan.plan_id, override),
            reader.place_order(staffed, name, PlaceIn(day=TUESDAY, reason="x")),
            reader.put_wish(staffed, name, WishIn(forbidden=["W01"], reason="x")),
        ):
            assert await refused(call) == "forbidden"
    engineer = caller(Role.ENGINEER, person_id="W01")
    assert await refused(engineer.plan(staffed, plan.plan_id)) == "forbidden"
    assert await refused(engineer.candidates(staffed, name, day=TUESDAY)) == "forbidden"


async def test_who_is_supposed_away_is_somebody_of_the_centre(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    name = await order("A", 1)
    for away in ("W09", "X1"):
        asked = PlanIn(day=TUESDAY, centre_id="C1", away=[away], iterations=SEARCHED)
        assert await refused(manager.ask_for_plan(staffed, asked)) == "malformed"
    assert visits(await planned(away=["W01"])) == {name: "W02"}


async def test_a_crew_works_while_all_of_it_are_there(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    await manager.put_crew(staffed, "K1", CrewIn(centre_id="C1", members=["W01", "W02"]))
    leave = LeaveIn(since=at(9), until=at(10), reason="the dentist")
    await manager.put_leave(staffed, "W02", "L1", leave)
    for number in range(3):
        await order(f"N{number}", number)
    plan = await planned()
    assert set(visits(plan).values()) == {"crew/K1"}
    (route,) = [one for one in plan.routes if one.crew_id == "K1"]
    for stop in route.stops:
        assert stop.order_id is None or stop.ends_at <= at(9) or stop.starts_at >= at(10)
    all_day = LeaveIn(since=MIDNIGHT, until=MIDNIGHT + DAY, reason="ill")
    await manager.put_leave(staffed, "W01", "L2", all_day)
    plan = await planned()
    assert {one.crew_id for one in plan.routes} == {None}


async def test_a_centre_is_not_told_of_the_people_who_had_an_order_before(
    app: Any, staffed: Any, manager: Any, order: Any, caller: Any
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        new = [centre(staffed, "C2", "town"), person(staffed, "V01", "C2")]
        await apply_contracts(connection, staffed, new)
    window = Window(opens_at=at(9), closes_at=at(11))
    name = await order("A", 1, wished=window, give_out=True)
    (placement,) = await caller(Role.CONTRACTOR, ["C1"]).placements(staffed, name)
    assert placement.best.engineer_ids[0] in {"W01", "W02"}
    hand_over = OrderStepIn(step=StepName.HAND_OVER, centre_id="C2", reason="nearer")
    await manager.step(staffed, name, hand_over)
    assert len(await manager.placements(staffed, name)) == 1
    assert await caller(Role.CONTRACTOR, ["C2"]).placements(staffed, name) == []


async def test_a_contractor_is_told_where_its_own_centre_s_days_begin(
    staffed: Any, manager: Any, caller: Any
) -> None:
    await manager.put_start_place(staffed, StartOf.CENTRE, "B1", HOME)
    await manager.put_start_place(staffed, StartOf.PERSON, "W01", HOME)
    every = {(one.of, one.id) for one in await manager.start_places(staffed)}
    own = await caller(Role.CONTRACTOR, ["C1"]).start_places(staffed)
    assert {("centre", "B1"), ("centre", "C1"), ("person", "W01")} <= every
    assert {(one.of, one.id) for one in own} == {("centre", "C1"), ("person", "W01")}
    assert await caller(Role.CONTRACTOR, ["G1"]).start_places(staffed) == []
