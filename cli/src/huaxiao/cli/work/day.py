"""A day of the build-and-maintain centre: entered, planned, applied, and upset by an urgent repair.

The plan is asked for early, for it is searched by a process of its own while the month's events come
in, and looked at when that is over (R13, R25).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from huaxiao.cli.sample import day as sample
from huaxiao.cli.sample.county import BRANCH_ID
from huaxiao.cli.sample.places import SEAT, VILLAGE_DIGITS, point_at, village_points
from huaxiao.cli.story import NotSeenError, Story, until
from huaxiao.cli.work.rules import Given
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.wire.appointments import (
    AppointmentIn,
    AppointmentRulesIn,
    AppointmentState,
    Shift,
    ShiftsIn,
    Slot,
)
from huaxiao.shared.wire.dispatch import Order, OrderKind, OrderState, OrderStepIn, StepName
from huaxiao.shared.wire.orders import OrderDetail
from huaxiao.shared.wire.plans import (
    AddressPlaceIn,
    Agenda,
    ApplyIn,
    Placement,
    Plan,
    PlanDifference,
    PlanIn,
    PlanState,
    StartOf,
    StartPlaceIn,
    WishIn,
)

_DAYS_OF_SHIFTS = 2
_SEED, _ITERATIONS = 2017, 3_000
_PLAN_PATIENCE_SECONDS = 600.0
"""The first search on a machine is compiled first."""
_AT_ONCE = 8
_YARD = point_at(0.0, 0.0, around=SEAT)
_ENDED = {OrderState.DONE, OrderState.CONFIRMED, OrderState.CANCELLED}
_SEARCHED = {PlanState.DONE, PlanState.STOPPED, PlanState.APPLIED}


@dataclass(frozen=True)
class EnteredDay:
    """A day with its work, and what the customer was told who came too late for a slot."""

    day: date
    booked: int
    """So many visits are promised."""
    refused: str | None
    next_free: tuple[Slot, ...]


@dataclass(frozen=True)
class AskedDay:
    """A day whose plan is being made, twice from the same seed."""

    entered: EnteredDay
    plan_ids: tuple[str, str]


@dataclass(frozen=True)
class ToldDay:
    """The day as it was planned, applied, and upset."""

    entered: EnteredDay
    plan: Plan
    again: Plan
    """Of the same orders from the same seed."""
    given: Given
    """What the plan had to keep to."""
    agenda: Agenda
    """The day once the plan was applied."""
    urgent: OrderDetail
    placement: Placement
    difference: PlanDifference
    """What planning the rest anew would change, once the urgent repair has come."""
    names: Mapping[str, str]
    """What to call each order."""


async def enter(story: Story, day: date) -> EnteredDay:
    """Enter all that a day's plan is made from."""
    await _enter_shifts(story, day)
    await _enter_places(story, day)
    if (await story.dispatch.plan_rules(BRANCH_ID)).number == 0:
        await story.dispatch.set_plan_rules(BRANCH_ID, sample.RULES)
    await _cancel_leftovers(story, day)
    orders = [
        await story.dispatch.ask_for_order(BRANCH_ID, one)
        for one in sample.orders_of_day(story.county, day)
    ]
    pinned = orders[sample.PINNED - 1].order_id
    wish = WishIn(pinned_to=sample.PINNED_TO, reason=sample.PINNED_BECAUSE)
    await story.dispatch.put_wish(BRANCH_ID, pinned, wish)
    return await _book(story, day, orders)


async def ask(story: Story, entered: EnteredDay) -> AskedDay:
    """Ask for the plan of a day, twice."""
    given = PlanIn(day=entered.day, centre_id=sample.CENTRE, seed=_SEED, iterations=_ITERATIONS)
    first, second = [await story.dispatch.ask_for_plan(BRANCH_ID, given) for _ in range(2)]
    return AskedDay(entered, (first.plan_id, second.plan_id))


async def _enter_shifts(story: Story, day: date) -> None:
    """Enter the shifts of some days, as soon as dispatch knows whose they are."""
    days = [day + timedelta(days=number) for number in range(_DAYS_OF_SHIFTS)]
    for person, (begins, ends) in sample.SHIFTS.items():
        given = ShiftsIn(
            from_day=days[0],
            to_day=days[-1],
            shifts=[Shift(day=one, begins=begins, ends=ends) for one in days],
        )

        async def known(person: str = person, given: ShiftsIn = given) -> bool:
            try:
                await story.dispatch.put_shifts(BRANCH_ID, person, given)
            except PeerProblem as problem:
                if problem.code != "not-found":
                    raise
                return False
            return True

        await until(known, "dispatch knows the people of the county")


async def _enter_places(story: Story, day: date) -> None:
    """Say where the villages lie that somebody has to go to, and where days begin."""
    points = village_points(story.county)
    addresses = [one.standard_address for one in sample.orders_of_day(story.county, day)]
    addresses += [one.address(story.county) for one in sample.ASSETS]
    visited = {one[:VILLAGE_DIGITS] for one in addresses}
    known = {one.standard_address for one in await story.dispatch.address_places(BRANCH_ID)}
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def put(code: str) -> None:
        async with at_once:
            given = AddressPlaceIn(where=points[code])
            await story.dispatch.put_address_place(BRANCH_ID, code, given)

    await asyncio.gather(*(put(code) for code in sorted(visited & points.keys() - known)))
    yard, home = StartPlaceIn(where=_YARD), StartPlaceIn(where=list(points.values())[-1])
    await story.dispatch.put_start_place(BRANCH_ID, StartOf.CENTRE, sample.CENTRE, yard)
    await story.dispatch.put_start_place(BRANCH_ID, StartOf.PERSON, sample.AWAY_FROM_YARD, home)


async def _cancel_leftovers(story: Story, day: date) -> None:
    """Cancel what an earlier demo asked for on another day, and nobody came to do."""
    for one in await story.orders_now():
        asked_here = (one.reference or "").startswith(f"{sample.REFERENCE}-")
        of_day = (one.reference or "").startswith(f"{sample.REFERENCE}-{day}-")
        if asked_here and not of_day and one.state not in _ENDED:
            step = OrderStepIn(step=StepName.CANCEL, reason="演示日期已过")
            await story.dispatch.step(BRANCH_ID, one.order_id, step)


async def _book(story: Story, day: date, orders: list[OrderDetail]) -> EnteredDay:
    """Book slots for some repairs until one slot is full, and ask for it once more."""
    repairs = [
        one
        for number, one in enumerate(orders, start=1)
        if one.kind is OrderKind.REPAIR and one.wished is None and number != sample.PINNED
    ]
    wanted, refused = repairs[: sample.APPOINTED], repairs[sample.APPOINTED]
    taken = {
        one.order_id
        for one in await story.dispatch.appointments(BRANCH_ID)
        if one.state is AppointmentState.BOOKED
    }
    slots = sample.slots_booked(day)
    for order, slot in zip(wanted, slots, strict=True):
        if order.order_id not in taken:
            given = AppointmentIn(order_id=order.order_id, starts_at=slot)
            held = await story.dispatch.hold_slot(BRANCH_ID, given)
            await story.dispatch.book_appointment(BRANCH_ID, held.appointment_id)
    code, following = None, list[Slot]()
    try:
        await story.dispatch.hold_slot(
            BRANCH_ID, AppointmentIn(order_id=refused.order_id, starts_at=slots[0])
        )
    except PeerProblem as problem:
        code = problem.code
        following = [Slot.model_validate(one) for one in problem.body.get("next_free_slots", [])]
    return EnteredDay(day, len(wanted), code, tuple(following))


async def look(story: Story, asked: AskedDay) -> ToldDay:
    """Wait for the plan, apply it, let an urgent repair arrive, and ask what planning anew would do."""
    day = asked.entered.day
    plan, again = [await _searched(story, one) for one in asked.plan_ids]
    given = await _given(story, day, before=plan.asked_at)
    await story.dispatch.apply_plan(BRANCH_ID, plan.plan_id, ApplyIn(leave_outdated=True))
    agenda = await story.dispatch.agenda(BRANCH_ID, day=day, centre_id=sample.CENTRE)
    urgent = await story.dispatch.ask_for_order(BRANCH_ID, sample.urgent_order(story.county, day))
    placements = await story.dispatch.placements(BRANCH_ID, urgent.order_id)
    if not placements:
        raise NotSeenError(f"order {urgent.order_id} has no place in the day")
    anew = await story.dispatch.ask_for_plan(
        BRANCH_ID,
        PlanIn(day=day, centre_id=sample.CENTRE, seed=_SEED, iterations=_ITERATIONS),
    )
    await _searched(story, anew.plan_id)
    difference = await story.dispatch.plan_difference(BRANCH_ID, anew.plan_id)
    names = {
        one.order_id: sample.name_of(story.county, one) for one in (*given.orders.values(), urgent)
    }
    return ToldDay(
        asked.entered,
        plan,
        again,
        given,
        agenda,
        urgent,
        placements[-1],
        difference,
        names,
    )


async def _searched(story: Story, plan_id: str) -> Plan:
    found: list[Plan] = []

    async def over() -> bool:
        found[:] = [await story.dispatch.plan(BRANCH_ID, plan_id)]
        return found[0].state in {*_SEARCHED, PlanState.FAILED}

    await until(over, "the day is planned", patience=_PLAN_PATIENCE_SECONDS)
    if found[0].state is PlanState.FAILED:
        raise NotSeenError(f"plan {plan_id} failed: {found[0].failure}")
    return found[0]


async def _given(story: Story, day: date, *, before: datetime) -> Given:
    """Return what a plan had to keep to that was asked for at a moment."""
    of_centre = {
        one.order_id: one
        for one in await story.orders_now()
        if one.performer_centre_id == sample.CENTRE
        and one.state not in _ENDED
        and one.requested_at <= before
    }
    return Given(
        orders=of_centre,
        skills={one.person_id: frozenset(one.skills) for one in story.county.persons},
        shifts={
            person: (sample.moment(day, begins), sample.moment(day, ends))
            for person, (begins, ends) in sample.SHIFTS.items()
        },
        lengths={one.kind: one.minutes for one in AppointmentRulesIn().visits},
        pinned=_pinned(of_centre, day),
    )


def _pinned(orders: Mapping[str, Order], day: date) -> dict[str, str]:
    wanted = sample.reference_of(day, sample.PINNED)
    return {name: sample.PINNED_TO for name, one in orders.items() if one.reference == wanted}
