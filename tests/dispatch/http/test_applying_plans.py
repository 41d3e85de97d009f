"""A plan meets what has happened since it was made: nothing of that is lost, and it is named."""

import asyncio
from datetime import time
from typing import Any

import pytest
from support.plans import (
    DAY,
    HOME,
    HOUR,
    MIDNIGHT,
    TUESDAY,
    at,
    finished,
    visits,
    visits_of,
    working_day,
)
from support.work import START, centre, person

from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.appointments import LeaveIn, Shift, ShiftsIn
from huaxiao.shared.wire.dispatch import OrderState, OrderStepIn, StepName
from huaxiao.shared.wire.plans import (
    ApplyIn,
    OverrideIn,
    PlaceIn,
    PlanRoundIn,
    StartOf,
    WishIn,
)
from huaxiao.shared.wire.visits import Window

WEDNESDAY = TUESDAY + DAY


async def outdated(call: Any) -> dict[str, str]:
    with pytest.raises(PeerProblem) as caught:
        await call
    assert caught.value.code == "plan-outdated"
    return {one["id"]: one["reason"] for one in caught.value.body["outdated"]}


async def work_on_wednesday(manager: Any, branch_id: Any) -> None:
    shift = Shift(day=WEDNESDAY, begins=time(8), ends=time(18))
    given = ShiftsIn(from_day=WEDNESDAY, to_day=WEDNESDAY, shifts=[shift])
    for name in ("W01", "W02"):
        await manager.put_shifts(branch_id, name, given)


async def test_plans_of_two_days_do_not_both_get_an_order(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    await work_on_wednesday(manager, staffed)
    names = [await order(f"N{number}", number) for number in range(3)]
    tuesday, wednesday = await planned(), await planned(day=WEDNESDAY)
    await manager.apply_plan(staffed, tuesday.plan_id, ApplyIn())
    apply = manager.apply_plan(staffed, wednesday.plan_id, ApplyIn())
    assert await outdated(apply) == dict.fromkeys(names, "another_day")
    left = await manager.apply_plan(staffed, wednesday.plan_id, ApplyIn(leave_outdated=True))
    assert left.given_out == []
    assert visits_of(await manager.agenda(staffed, day=WEDNESDAY)) == {}
    agenda = await manager.agenda(staffed, day=TUESDAY)
    assert visits_of(agenda) == {name: [who] for name, who in visits(tuesday).items()}


async def test_an_order_that_came_after_the_plan_was_made_keeps_its_place(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    first = await order("A", 1)
    plan = await planned()
    window = Window(opens_at=at(9), closes_at=at(11))
    came = await order("B", 2, wished=window, give_out=True)
    who = (await manager.order(staffed, came)).engineer_id
    before = await manager.agenda(staffed, day=TUESDAY)
    apply = manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    assert await outdated(apply) == {came: "arrived_since"}
    await manager.apply_plan(staffed, plan.plan_id, ApplyIn(leave_outdated=True))
    agenda = await manager.agenda(staffed, day=TUESDAY)
    assert visits_of(agenda) == {first: [visits(plan)[first]], came: [who]}
    assert starts(agenda)[came] == starts(before)[came]


def starts(agenda: Any) -> dict[str, Any]:
    return {one.order_id: one.planned_from for route in agenda.routes for one in route.visits}


async def test_who_has_refused_an_order_is_not_given_it_again(
    staffed: Any, manager: Any, order: Any, planned: Any, clock: Any
) -> None:
    name = await order("A", 1)
    plan = await planned()
    await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    clock.at(START + HOUR)
    reject = OrderStepIn(step=StepName.REJECT, reason="no key")
    await manager.step(staffed, name, reject)
    agenda = await manager.agenda(staffed, day=TUESDAY)
    assert visits_of(agenda) == {}
    assert [one.id for one in agenda.without_anybody] == [name]
    apply = manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    assert await outdated(apply) == {name: "rejected_since"}
    again = await planned()
    assert visits(again) == {name: "W02" if visits(plan)[name] == "W01" else "W01"}
    await manager.apply_plan(staffed, again.plan_id, ApplyIn())
    assert (await manager.order(staffed, name)).state == OrderState.REASSIGNED


async def test_who_is_away_by_now_or_elsewhere_gets_nothing(
    app: Any, staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    for number in range(4):
        await order(f"N{number}", number, wished=window_at(9))
    plan = await planned()
    assert set(visits(plan).values()) == {"W01", "W02"}
    of = {who: [name for name, one in visits(plan).items() if one == who] for who in ("W01", "W02")}
    leave = LeaveIn(since=MIDNIGHT, until=MIDNIGHT + DAY, reason="ill")
    await manager.put_leave(staffed, "W01", "L1", leave)
    apply = manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    assert await outdated(apply) == dict.fromkeys(of["W01"], "cannot")
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, staffed, [person(staffed, "W02", "B1")])
    apply = manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    assert await outdated(apply) == dict.fromkeys(visits(plan), "cannot")
    left = await manager.apply_plan(staffed, plan.plan_id, ApplyIn(leave_outdated=True))
    assert left.given_out == []


def window_at(hour: int) -> Window:
    return Window(opens_at=at(hour), closes_at=at(hour + 3))


async def test_what_a_dispatcher_or_the_customer_decided_since_holds(
    staffed: Any, manager: Any, order: Any, planned: Any, clock: Any
) -> None:
    names = [await order(f"N{number}", number) for number in range(4)]
    plan = await planned()
    clock.at(START + HOUR)
    pinned, given, appointed, left = names
    other = {name: "W02" if who == "W01" else "W01" for name, who in visits(plan).items()}
    await manager.put_wish(staffed, pinned, WishIn(pinned_to=other[pinned], reason="knows it"))
    reassign = OrderStepIn(step=StepName.REASSIGN, engineer_id=other[given], reason="asked for")
    await manager.step(staffed, given, reassign)
    window = Window(opens_at=at(17), closes_at=at(18))
    await manager.step(staffed, appointed, OrderStepIn(step=StepName.APPOINT, window=window))
    apply = manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    assert await outdated(apply) == {
        pinned: "decided_since",
        given: "given_since",
        appointed: "appointed_since",
    }
    applied = await manager.apply_plan(staffed, plan.plan_id, ApplyIn(leave_outdated=True))
    assert applied.given_out == [left]
    assert (await manager.order(staffed, given)).engineer_id == other[given]


async def test_of_two_plans_the_one_that_is_applied_last_counts(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    names = [await order(f"N{number}", number) for number in range(4)]
    plan = await planned()
    other = "W02" if visits(plan)[names[0]] == "W01" else "W01"
    wanted = OverrideIn(order_id=names[0], engineer_id=other, reason="knows the house")
    made = await manager.override_plan(staffed, plan.plan_id, wanted)
    for plan_id, who in ((plan.plan_id, None), (made.plan_id, other), (plan.plan_id, None)):
        await manager.apply_plan(staffed, plan_id, ApplyIn())
        expected = who or visits(plan)[names[0]]
        assert (await manager.order(staffed, names[0])).engineer_id == expected


async def test_whoever_is_on_the_way_is_not_called_back(
    staffed: Any, manager: Any, order: Any, planned: Any, clock: Any
) -> None:
    name = await order("A", 1)
    plan = await planned()
    other = "W02" if visits(plan)[name] == "W01" else "W01"
    await manager.place_order(staffed, name, PlaceIn(day=TUESDAY, engineer_id=other, reason="x"))
    clock.at(at(8))
    for step in (StepName.ACCEPT, StepName.TRAVEL):
        await manager.step(staffed, name, OrderStepIn(step=step))
    apply = manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    assert await outdated(apply) == {name: "begun_otherwise"}


async def test_a_crew_for_one_order_changes_with_the_plan(
    app: Any, staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    name = await order("heavy", 1, people_needed=2)
    plan = await planned()
    await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, staffed, [person(staffed, "W03", "C1")])
    await manager.put_shifts(staffed, "W03", working_day())
    leave = LeaveIn(since=MIDNIGHT, until=MIDNIGHT + DAY, reason="ill")
    await manager.put_leave(staffed, "W02", "L1", leave)
    agenda = await manager.agenda(staffed, day=TUESDAY)
    assert [one.id for one in agenda.without_anybody] == [name]
    again = await planned()
    await manager.apply_plan(staffed, again.plan_id, ApplyIn())
    agenda = await manager.agenda(staffed, day=TUESDAY)
    assert {one: sorted(who) for one, who in visits_of(agenda).items()} == {name: ["W01", "W03"]}
    assert (await manager.plan_difference(staffed, again.plan_id)).changes == []


async def neighbours(app: Any, staffed: Any, manager: Any) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        new = [centre(staffed, "C2", "town"), person(staffed, "V01", "C2")]
        await apply_contracts(connection, staffed, new)
    await manager.put_start_place(staffed, StartOf.CENTRE, "C2", HOME)


async def test_a_neighbour_s_help_is_applied_again_and_for_its_own_day_only(
    app: Any, staffed: Any, manager: Any, order: Any, planners: Any, clock: Any
) -> None:
    await neighbours(app, staffed, manager)
    for name in ("W01", "W02", "V01"):
        shifts = [
            Shift(day=TUESDAY, begins=time(8), ends=time(10)),
            Shift(day=WEDNESDAY, begins=time(8), ends=time(18)),
        ]
        given = ShiftsIn(from_day=TUESDAY, to_day=WEDNESDAY, shifts=shifts)
        await manager.put_shifts(staffed, name, given)
    names = [await order(f"U{number}", number, priority=1) for number in range(3)]
    asked = await manager.ask_for_plan_round(staffed, PlanRoundIn(day=TUESDAY, iterations=100))
    plan = await finished(manager, staffed, asked.together.plan_id)
    await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    assert (await manager.apply_plan(staffed, plan.plan_id, ApplyIn())).given_out == []
    assert sorted(visits_of(await manager.agenda(staffed, day=TUESDAY))) == sorted(names)
    # The same on the day before the one that is planned.
    clock.at(at(7))
    more = [await order(f"V{number}", number, priority=1) for number in range(9)]
    for name in ("W01", "W02"):
        given = ShiftsIn(
            from_day=WEDNESDAY,
            to_day=WEDNESDAY,
            shifts=[Shift(day=WEDNESDAY, begins=time(8), ends=time(10))],
        )
        await manager.put_shifts(staffed, name, given)
    asked = await manager.ask_for_plan_round(staffed, PlanRoundIn(day=WEDNESDAY, iterations=100))
    plan = await finished(manager, staffed, asked.together.plan_id)
    helped = {name for name, who in visits(plan).items() if who == "V01"}
    assert helped
    await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    assert sorted(visits_of(await manager.agenda(staffed, day=TUESDAY))) == sorted(names)
    agenda = visits_of(await manager.agenda(staffed, day=WEDNESDAY))
    assert helped <= set(agenda)
    assert set(agenda) <= set(more)


async def test_work_that_is_carried_forward_is_planned_for_another_day(
    staffed: Any, manager: Any, order: Any, planned: Any, clock: Any
) -> None:
    await work_on_wednesday(manager, staffed)
    name, reworked = await order("A", 1), await order("B", 2)
    await manager.apply_plan(staffed, (await planned()).plan_id, ApplyIn())
    clock.at(at(8, 30))
    for one in (name, reworked):
        await manager.step(staffed, one, OrderStepIn(step=StepName.ACCEPT))
        await manager.step(staffed, one, OrderStepIn(step=StepName.START))
    tomorrow = await planned(day=WEDNESDAY)
    assert visits(tomorrow) == {}
    clock.at(at(10))
    forward = OrderStepIn(step=StepName.CARRY_FORWARD, reason="the cable is short")
    await manager.step(staffed, name, forward)
    clock.at(at(11))
    assert visits_of(await manager.agenda(staffed, day=TUESDAY)) == {
        reworked: [(await manager.order(staffed, reworked)).engineer_id]
    }
    tomorrow = await planned(day=WEDNESDAY)
    assert set(visits(tomorrow)) == {name}


async def test_an_order_moves_to_another_day_by_hand(
    staffed: Any, manager: Any, order: Any, planned: Any
) -> None:
    await work_on_wednesday(manager, staffed)
    name, stays = await order("A", 1), await order("B", 2)
    await manager.apply_plan(staffed, (await planned()).plan_id, ApplyIn())
    found = await manager.candidates(staffed, name, day=WEDNESDAY)
    assert {tuple(one.engineer_ids) for one in found.choices} == {("W01",), ("W02",)}
    await manager.place_order(staffed, name, PlaceIn(day=WEDNESDAY, reason="not at home"))
    assert set(visits_of(await manager.agenda(staffed, day=TUESDAY))) == {stays}
    assert set(visits_of(await manager.agenda(staffed, day=WEDNESDAY))) == {name}


async def test_nobody_is_sent_between_two_shifts_or_while_on_leave(
    staffed: Any, manager: Any, order: Any, planned: Any, clock: Any
) -> None:
    shifts = [
        Shift(day=TUESDAY, begins=time(8), ends=time(11)),
        Shift(day=TUESDAY, begins=time(15), ends=time(18)),
    ]
    given = ShiftsIn(from_day=TUESDAY, to_day=TUESDAY, shifts=shifts)
    await manager.put_shifts(staffed, "W01", given)
    leave = LeaveIn(since=at(10), until=at(15), reason="court")
    await manager.put_leave(staffed, "W02", "L1", leave)
    clock.at(at(12))
    for number in range(2):
        await order(f"N{number}", number)
    plan = await planned()
    assert len(visits(plan)) == 2
    for route in plan.routes:
        for stop in route.stops:
            assert stop.order_id is None or stop.starts_at >= at(15)


async def test_steps_and_an_applied_plan_at_once_end_without_a_deadlock(
    staffed: Any, manager: Any, order: Any, planned: Any, clock: Any
) -> None:
    names = [await order(f"N{number}", number % 3) for number in range(6)]
    plan = await planned()
    await manager.apply_plan(staffed, plan.plan_id, ApplyIn())
    clock.at(at(8))
    again = await planned(keep_promises=False)
    results = await asyncio.gather(
        manager.apply_plan(staffed, again.plan_id, ApplyIn(leave_outdated=True)),
        manager.apply_plan(staffed, again.plan_id, ApplyIn(leave_outdated=True)),
        *(manager.step(staffed, one, OrderStepIn(step=StepName.ACCEPT)) for one in names),
        order("new", 1, give_out=True),
        return_exceptions=True,
    )
    assert [one for one in results if isinstance(one, BaseException)] == []
    agenda = visits_of(await manager.agenda(staffed, day=TUESDAY))
    assert all(len(who) == 1 for who in agenda.values())
