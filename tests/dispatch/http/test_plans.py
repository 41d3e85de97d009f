"""Plans of days: asked for, made by other processes, looked at, changed by hand, applied."""

import asyncio
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from support.plans import (
    DAY,
    HOME,
    HOUR,
    MIDNIGHT,
    SEARCHED,
    TUESDAY,
    at,
    finished,
    near,
    visits,
    visits_of,
    working_day,
)
from support.work import START, centre, person

from huaxiao.dispatch.plans.documents import plan_of, problem_of
from huaxiao.dispatch.plans.running import Planners
from huaxiao.dispatch.settings import Settings
from huaxiao.dispatch.tables import plans
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.appointments import LeaveIn
from huaxiao.shared.wire.dispatch import OrderKind, OrderState, OrderStepIn, StepName
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
    TravelTime,
    TravelTimesIn,
    WishIn,
)
from huaxiao.shared.wire.visits import Window


async def test_a_day_is_planned_looked_at_and_applied(
    staffed: Any, manager: Any, order: Any, planned: Any, caller: Any
) -> None:
    names = [await order(f"N{number}", number) for number in range(6)]
    lost = await order("lost", where=None)
    plan = await planned(seed=7)
    assert plan.state == "done"
    assert plan.progress.share == 1
    assert plan.travel_source == "distance"
    assert set(visits(plan)) == set(names)
    assert [(one.id, one.reason) for one in plan.orders_not_planned] == [(lost, "no_place")]
    assert [one.order_id for route in plan.routes for one in route.stops if not one.order_id] == [
        None,
        None,
    ]
    difference = await manager.plan_difference(staffed, plan.plan_id)
    assert {one.order_id: one.kind for one in difference.changes} == dict.fromkeys(names, "added")
    applied = await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    assert sorted(applied.given_out) == sorted(names)
    for name, engineer in visits(plan).items():
        shown = await manager.order(staffed, name)
        assert (shown.state, shown.engineer_id) == (OrderState.DISPATCHED, engineer)
        assert shown.steps[-1].reason == f"plan {plan.plan_id}"
    agenda = await manager.agenda(staffed, day=TUESDAY, centre_id="C1")
    assert visits_of(agenda) == {name: [engineer] for name, engineer in visits(plan).items()}
    assert (await manager.plan_difference(staffed, plan.plan_id)).changes == []
    (fact,) = [
        one for one in await manager.feed(staffed, after=0) if one.type == "dispatch.plan.applied"
    ]
    assert {one["order_id"] for one in fact.data["visits"]} == set(names)
    mine = await caller(Role.ENGINEER, person_id="W01").agenda(staffed, day=TUESDAY)
    assert {route.engineer_id for route in mine.routes} == {"W01"}


async def test_a_plan_is_made_again_from_its_seed(
    staffed: Any, order: Any, planned: Any, app: Any
) -> None:
    for number in range(9):
        await order(f"N{number}", number)
    first, again = await planned(seed=3), await planned(seed=3)
    assert visits(first) == visits(again)
    assert (first.cost, first.routes) == (again.cost, again.routes)
    async with app.state.database.read(EVERYTHING) as connection:
        rows = (await connection.execute(plans.select().where(plans.c.branch_id == staffed))).all()
    one, other = rows
    assert problem_of(one.problem) == problem_of(other.problem)
    assert plan_of(one.result) == plan_of(other.result)
    assert one.problem == other.problem


async def test_what_cannot_be_done_says_which_and_why(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    impossible = await order("skill", needed_skills=["splice"])
    passed = await order(
        "short",
        wished=Window(opens_at=at(5), closes_at=at(7)),
    )
    held = await order("pinned")
    await manager.put_wish(staffed, held, WishIn(pinned_to="W02", reason="the customer's wish"))
    assert (await manager.wish(staffed, held)).pinned_to == "W02"
    plan = await planned()
    out = {one.order_id: one for one in plan.left_out}
    assert out[impossible].reason == "skill"
    assert {one.engineer_id: one.missing_skills for one in out[impossible].obstacles} == {
        "W01": ["splice"],
        "W02": ["splice"],
    }
    assert out[passed].reason == "window"
    assert "可上门" in out[passed].text_zh
    assert visits(plan) == {held: "W02"}


async def test_a_dispatcher_overrides_and_is_told_what_it_costs(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    names = [await order(f"N{number}", number) for number in range(5)]
    plan = await planned()
    name = names[0]
    before = visits(plan)[name]
    other = "W02" if before == "W01" else "W01"
    wanted = OverrideIn(order_id=name, engineer_id=other, reason="knows the house", preview=True)
    told = await manager.override_plan(staffed, plan.plan_id, wanted)
    assert told.plan_id is None
    assert told.dearer_by == told.cost_after.total - told.cost_before.total
    assert [one.order_id for one in told.changes if one.kind == "moved"] == [name]
    wanted = wanted.model_copy(update={"preview": False})
    made = await manager.override_plan(staffed, plan.plan_id, wanted)
    changed = await manager.plan(staffed, made.plan_id)
    assert changed.based_on == plan.plan_id
    assert visits(changed) == visits(plan) | {name: other}
    nobody = await manager.override_plan(
        staffed, made.plan_id, OverrideIn(order_id=name, reason="not today")
    )
    assert nobody.cost_after.left_out > nobody.cost_before.left_out
    with pytest.raises(PeerProblem) as caught:
        await manager.override_plan(
            staffed, plan.plan_id, OverrideIn(order_id="O9", engineer_id="W01", reason="x")
        )
    assert caught.value.code == "malformed"


async def test_the_day_goes_otherwise_and_what_was_promised_is_kept_where_it_can(
    staffed: Any, manager: Any, order: Any, planned: Any, clock: Any
) -> None:
    names = [await order(f"N{number}", number) for number in range(6)]
    plan = await planned()
    await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    first = plan.routes[0].stops[0]
    who = plan.routes[0].engineer_id
    clock.at(first.starts_at)
    for step in (StepName.ACCEPT, StepName.START):
        await manager.step(staffed, first.order_id, OrderStepIn(step=step))
    clock.at(first.starts_at + HOUR)
    leave = LeaveIn(since=first.starts_at + HOUR, until=MIDNIGHT + DAY, reason="ill")
    other = next(one.engineer_id for one in plan.routes if one.engineer_id != who)
    await manager.put_leave(staffed, other, "L1", leave)
    again = await planned()
    stays = {name: one for name, one in visits(plan).items() if one == who}
    assert {name: one for name, one in visits(again).items() if name in stays} == stays
    difference = await manager.plan_difference(staffed, again.plan_id)
    moved = {one.order_id for one in difference.changes if one.kind in {"moved", "dropped"}}
    theirs = {name for name, one in visits(plan).items() if one == other}
    assert moved <= theirs
    agenda = await manager.agenda(staffed, day=TUESDAY, centre_id="C1")
    assert {one.id for one in agenda.without_anybody} <= theirs
    await manager.apply_plan(staffed, again.plan_id, ApplyIn())
    agenda = await manager.agenda(staffed, day=TUESDAY, centre_id="C1")
    assert agenda.without_anybody == []
    assert set(visits_of(agenda)) <= set(names)


async def test_an_order_that_arrives_goes_to_the_best_place_of_the_day(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    window = Window(opens_at=at(9), closes_at=at(11))
    name = await order("A", 1, wished=window, give_out=True)
    shown = await manager.order(staffed, name)
    assert shown.state == OrderState.DISPATCHED
    (placement,) = await manager.placements(staffed, name)
    assert placement.day == TUESDAY
    assert placement.best.engineer_ids == [shown.engineer_id]
    assert [one.engineer_ids for one in placement.choices] == [
        [shown.engineer_id],
        ["W02" if shown.engineer_id == "W01" else "W01"],
    ]
    agenda = await manager.agenda(staffed, day=TUESDAY, centre_id="C1")
    assert visits_of(agenda) == {name: [shown.engineer_id]}
    # The plan of the day takes what was told for a promise.
    plan = await planned()
    assert visits(plan) == {name: shown.engineer_id}
    assert (await manager.plan_difference(staffed, plan.plan_id)).changes == []


async def test_one_order_is_put_with_whom_the_dispatcher_names(
    staffed: Any, manager: Any, order: Any
) -> None:
    name = await order("A", 1)
    found = await manager.candidates(staffed, name, day=TUESDAY)
    assert {tuple(one.engineer_ids) for one in found.choices} == {("W01",), ("W02",)}
    placed = await manager.place_order(
        staffed, name, PlaceIn(day=TUESDAY, engineer_id="W02", reason="speaks the dialect")
    )
    assert placed.best.engineer_ids == ["W02"]
    assert (await manager.order(staffed, name)).engineer_id == "W02"
    moved = await manager.place_order(
        staffed, name, PlaceIn(day=TUESDAY, engineer_id="W01", reason="W02 asked for it")
    )
    assert moved.best.engineer_ids == ["W01"]
    agenda = await manager.agenda(staffed, day=TUESDAY, centre_id="C1")
    assert visits_of(agenda) == {name: ["W01"]}
    with pytest.raises(PeerProblem) as caught:
        await manager.place_order(
            staffed, name, PlaceIn(day=TUESDAY, engineer_id="W09", reason="x")
        )
    assert caught.value.code == "nobody-can"


async def test_several_come_together_where_an_order_needs_them(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    name = await order("heavy", 1, people_needed=2, give_out=True)
    assert (await manager.order(staffed, name)).reason == "no-crew"
    plan = await planned()
    both = [route for route in plan.routes if name in {one.order_id for one in route.stops}]
    assert {one.engineer_id for one in both} == {"W01", "W02"}
    await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    shown = await manager.order(staffed, name)
    assert shown.crew_id is not None
    assert (await manager.crews(staffed)).items == []
    agenda = await manager.agenda(staffed, day=TUESDAY, centre_id="C1")
    assert sorted(visits_of(agenda)[name]) == ["W01", "W02"]
    again = await planned()
    assert (await manager.plan_difference(staffed, again.plan_id)).changes == []


async def test_the_network_s_work_goes_to_crews_and_their_outside_companies(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    await manager.put_start_place(staffed, StartOf.CENTRE, "B1", HOME)
    await manager.put_crew(
        staffed,
        "T1",
        CrewIn(centre_id="B1", members=["X1", "X2"], company="Splicers Ltd", skills=["maintain"]),
    )
    name = await order("trunk", 2, kind=OrderKind.CONSTRUCTION, customer_id=None)
    plan = await planned(centre_id="B1")
    assert visits(plan) == {name: "crew/T1"}
    await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    assert (await manager.order(staffed, name)).crew_id == "T1"


async def test_neighbours_help_with_what_is_urgent_and_left_over(
    app: Any, staffed: Any, manager: Any, order: Any, planners: Any
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(
            connection,
            staffed,
            [centre(staffed, "C2", "town"), person(staffed, "V01", "C2")],
        )
    await manager.put_start_place(staffed, StartOf.CENTRE, "C2", HOME)
    for name in ("W01", "W02", "V01"):
        await manager.put_shifts(staffed, name, working_day(ends=time(10)))
    names = [await order(f"U{number}", number, priority=1) for number in range(3)]
    asked = await manager.ask_for_plan_round(staffed, PlanRoundIn(day=TUESDAY, iterations=SEARCHED))
    assert [one.centre_ids for one in asked.plans] == [["C1"], ["C2"]]
    plan = await finished(manager, staffed, asked.together.plan_id)
    found = await manager.plan_round(staffed, asked.round_id)
    assert {one.state for one in found.plans} == {"done"}
    assert sorted(visits(plan)) == sorted(names)
    helped = [name for name, who in visits(plan).items() if who == "V01"]
    assert len(helped) == 1
    await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    shown = await manager.order(staffed, helped[0])
    assert (shown.performer_centre_id, shown.engineer_id) == ("C2", "V01")
    agenda = await manager.agenda(staffed, day=TUESDAY)
    assert sorted(visits_of(agenda)) == sorted(names)


async def test_a_plan_is_outdated_by_what_happens_meanwhile(
    staffed: Any, manager: Any, order: Any, planned: Any, clock: Any
) -> None:
    names = [await order(f"N{number}", number) for number in range(3)]
    plan = await planned()
    clock.at(START + HOUR)
    await manager.step(
        staffed, names[0], OrderStepIn(step=StepName.CANCEL, reason="customer changed mind")
    )
    with pytest.raises(PeerProblem) as caught:
        await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    assert caught.value.code == "plan-outdated"
    assert [(one["id"], one["reason"]) for one in caught.value.body["outdated"]] == [
        (names[0], "ended")
    ]
    applied = await manager.apply_plan(staffed, plan.plan_id, ApplyIn(leave_outdated=True))
    assert sorted(applied.given_out) == sorted(names[1:])
    assert [one.id for one in applied.left_as_they_are] == [names[0]]


async def test_a_search_is_stopped_with_the_best_plan_so_far(
    staffed: Any, manager: Any, order: Any, planners: Any
) -> None:
    for number in range(4):
        await order(f"N{number}", number)
    asked = await manager.ask_for_plan(
        staffed, PlanIn(day=TUESDAY, centre_id="C1", iterations=10_000_000)
    )
    while (await manager.plan(staffed, asked.plan_id)).progress.iterations == 0:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    await manager.stop_plan(staffed, asked.plan_id)
    plan = await finished(manager, staffed, asked.plan_id)
    assert plan.state == "stopped"
    assert 0 < plan.progress.share < 1
    assert len(visits(plan)) == 4


async def test_times_and_places_come_from_tables(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    name = await order("A", where=None)
    home = HOME.model_copy(update={"standard_address": "130123001"})
    await manager.put_start_place(staffed, StartOf.CENTRE, "C1", home)
    await manager.put_address_place(staffed, "130123100", AddressPlaceIn(where=near(3)))
    times = TravelTimesIn(
        times=[TravelTime(from_area="130123001", to_area="130123100", minutes=77)]
    )
    assert await manager.set_travel_times(staffed, times) == await manager.travel_times(staffed)
    plan = await planned()
    (stop,) = [one for route in plan.routes for one in route.stops if one.order_id == name]
    assert (plan.travel_source, stop.travel_minutes) == ("table", 77)


async def test_rules_are_data(staffed: Any, manager: Any, order: Any, planned: Any) -> None:
    await order("A", 1, priority=4)
    given = PlanRulesIn(break_minutes=0)
    cheap = given.prices.model_copy(update={"left_out": [0, 0, 0, 0]})
    set_to = await manager.set_plan_rules(staffed, given.model_copy(update={"prices": cheap}))
    assert set_to.number == 1
    plan = await planned()
    assert visits(plan) == {}
    assert [one.reason for one in plan.left_out] == ["price"]
    assert all(not route.stops for route in plan.routes)


async def test_bad_input_is_told(
    staffed: Any, manager: Any, order: Any, caller: Any, planners: Any, clock: Any
) -> None:
    name = await order("A", 1)
    cases: list[tuple[Any, str]] = [
        (manager.ask_for_plan(staffed, PlanIn(day=date(2017, 11, 5), centre_id="C1")), "malformed"),
        (manager.ask_for_plan(staffed, PlanIn(day=TUESDAY, centre_id="C9")), "malformed"),
        (manager.candidates(staffed, "nothing", day=TUESDAY), "not-found"),
        (manager.put_wish(staffed, name, WishIn(pinned_to="W77", reason="x")), "malformed"),
        (
            manager.put_wish(staffed, name, WishIn(pinned_to="W01", forbidden=["W01"], reason="x")),
            "malformed",
        ),
        (manager.put_start_place(staffed, StartOf.PERSON, "W77", HOME), "not-found"),
    ]
    for call, code in cases:
        with pytest.raises(PeerProblem) as caught:
            await call
        assert caught.value.code == code
    other = caller(Role.CONTRACTOR, ["G1"])
    for call in (
        other.ask_for_plan(staffed, PlanIn(day=TUESDAY, centre_id="C1")),
        other.candidates(staffed, name, day=TUESDAY),
        other.put_wish(staffed, name, WishIn(forbidden=["W01"], reason="x")),
        other.put_start_place(staffed, StartOf.PERSON, "W01", HOME),
        other.agenda(staffed, day=TUESDAY, centre_id="C1"),
    ):
        with pytest.raises(PeerProblem) as caught:
            await call
        assert caught.value.code == "not-found"


async def test_a_plan_whose_service_is_gone_is_taken_up_by_another(
    app: Any, staffed: Any, manager: Any, order: Any, settings_for: Any
) -> None:
    await order("A", 1)
    asked = await manager.ask_for_plan(
        staffed, PlanIn(day=TUESDAY, centre_id="C1", iterations=SEARCHED)
    )
    async with app.state.database.write(EVERYTHING) as connection:
        await connection.execute(
            plans.update()
            .where(plans.c.branch_id == staffed)
            .values(state="running", attempts=1, lease_until=datetime(2017, 1, 1, tzinfo=UTC))
        )
    made = Planners(app.state.database, Settings(**settings_for("dispatch")))
    task = asyncio.create_task(made.run())
    try:
        assert (await finished(manager, staffed, asked.plan_id)).state == "done"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await made.close()
