"""Appointments: made of real time, held, booked, moved, and never more than there is."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from support.work import ADDRESS, START, centre, entry, person, work

from huaxiao.dispatch.tables import visit_quarters
from huaxiao.dispatch.timer import JOBS
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.ticking import catch_up
from huaxiao.shared.wire.appointments import (
    AppointmentIn,
    AppointmentRulesIn,
    AppointmentState,
    LeaveIn,
    MoveIn,
    ReleaseIn,
    Shift,
    ShiftsIn,
)
from huaxiao.shared.wire.dispatch import OrderKind, OrderState, OrderStepIn, StepName
from huaxiao.shared.wire.orders import OrderIn, OrderSource
from huaxiao.shared.wire.visits import Window

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TUESDAY = date(2017, 11, 7)
EIGHT = datetime(2017, 11, 7, 0, tzinfo=UTC)  # 08:00 in the county
TEN = EIGHT + 2 * HOUR


def worked(*days: date, begins: time = time(8), ends: time = time(12)) -> ShiftsIn:
    return ShiftsIn(
        from_day=days[0],
        to_day=days[-1],
        shifts=[Shift(day=day, begins=begins, ends=ends) for day in days],
    )


def slot(order_id: str, starts_at: datetime = EIGHT) -> AppointmentIn:
    return AppointmentIn(order_id=order_id, starts_at=starts_at)


@pytest.fixture
async def staffed(county: Any, request_work: Any, caller: Any, clock: Any) -> Any:
    """Return the county with W01 and W02 at work on Tuesday morning, and orders of C1."""
    clock.at(START)
    await request_work(*(work(county, f"O{number}") for number in range(6)))
    for person_id in ("W01", "W02"):
        await caller(Role.COUNTY_MANAGER).put_shifts(county, person_id, worked(TUESDAY))
    return county


@pytest.fixture
def manager(staffed: Any, caller: Any) -> Any:
    return caller(Role.COUNTY_MANAGER)


@pytest.fixture
def offered(staffed: Any, manager: Any) -> Any:
    async def ask(kind: OrderKind = OrderKind.INSTALL) -> list[tuple[datetime, int]]:
        found = await manager.slots(staffed, centre_id="C1", kind=kind, from_day=TUESDAY, days=2)
        return [(one.starts_at, one.places) for one in found]

    return ask


async def booked(manager: Any, branch_id: Any, order_id: str, at: datetime = EIGHT) -> Any:
    held = await manager.hold_slot(branch_id, slot(order_id, at))
    return await manager.book_appointment(branch_id, held.appointment_id)


async def test_slots_come_of_shifts_leave_skill_and_the_way(
    staffed: Any, manager: Any, offered: Any
) -> None:
    assert await offered() == [(EIGHT, 2), (TEN, 2)]
    assert await offered(OrderKind.DISMANTLE) == [(EIGHT, 4), (TEN, 4)]
    assert await offered(OrderKind.REPAIR) == []
    away = LeaveIn(since=TEN, until=TEN + HOUR, reason="doctor")
    await manager.put_leave(staffed, "W01", "L1", away)
    assert await offered() == [(EIGHT, 2), (TEN, 1)]
    assert (await manager.cancel_leave(staffed, "W01", "L1")).cancelled
    await manager.set_appointment_rules(
        staffed, AppointmentRulesIn(travel_minutes=45, slot_minutes=240)
    )
    assert await offered() == [(EIGHT, 2)]


async def test_who_leaves_the_company_has_no_time_for_customers(
    app: Any, staffed: Any, offered: Any
) -> None:
    left = {"person_id": "W01", "centre_id": "C1", "from_day": "2017-11-07"}
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, staffed, [entry(staffed, "contracts.person.left", left)])
    assert await offered() == [(EIGHT, 1), (TEN, 1)]


async def test_a_visit_that_nobody_can_make_any_more_is_named_and_given_to_another(
    app: Any, staffed: Any, manager: Any
) -> None:
    made = await booked(manager, staffed, "O0")
    left = {"person_id": made.person_id, "centre_id": "C1", "from_day": "2017-11-07"}
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, staffed, [entry(staffed, "contracts.person.left", left)])
    (named,) = await manager.appointments(staffed, staffed=False)
    assert (named.appointment_id, named.staffed) == (made.appointment_id, False)
    same = MoveIn(starts_at=EIGHT, reason="left the company", for_customer=False)
    moved = await manager.move_appointment(staffed, made.appointment_id, same)
    assert (moved.starts_at, moved.staffed) == (EIGHT, True)
    assert {made.person_id, moved.person_id} == {"W01", "W02"}
    assert await manager.appointments(staffed, staffed=False) == []


async def test_a_held_slot_goes_back_when_nobody_books_it(
    app: Any, staffed: Any, manager: Any, offered: Any, clock: Any
) -> None:
    first = await manager.hold_slot(staffed, slot("O0"))
    second = await manager.hold_slot(staffed, slot("O1"))
    assert {first.person_id, second.person_id} == {"W01", "W02"}
    assert await offered() == [(TEN, 2)]
    await manager.book_appointment(staffed, first.appointment_id)
    clock.at(START + timedelta(minutes=15))
    assert await offered() == [(EIGHT, 1), (TEN, 2)]
    with pytest.raises(PeerProblem) as refused:
        await manager.book_appointment(staffed, second.appointment_id)
    assert refused.value.code == "hold-over"
    await catch_up(app.state.database, JOBS, staffed, clock=clock)
    states = [one.state for one in await manager.appointments(staffed)]
    assert states == [AppointmentState.BOOKED, AppointmentState.EXPIRED]
    assert (await booked(manager, staffed, "O1")).state is AppointmentState.BOOKED


async def test_a_slot_just_taken_names_the_next_free_ones(staffed: Any, manager: Any) -> None:
    for order_id in ("O0", "O1"):
        await booked(manager, staffed, order_id)
    with pytest.raises(PeerProblem) as refused:
        await manager.hold_slot(staffed, slot("O2"))
    assert (refused.value.status, refused.value.code) == (409, "slot-taken")
    named = [(one["starts_at"], one["places"]) for one in refused.value.body["next_free_slots"]]
    assert named == [("2017-11-07T02:00:00Z", 2)]


async def test_fifty_who_book_five_places_at_once_get_five(
    app: Any, county: Any, request_work: Any, caller: Any, clock: Any
) -> None:
    clock.at(START)
    manager = caller(Role.COUNTY_MANAGER)
    team = [f"T{number}" for number in range(5)]
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [person(county, one, "C1") for one in team])
    for one in team:
        await manager.put_shifts(county, one, worked(TUESDAY))
    await request_work(*(work(county, f"O{number}") for number in range(50)))

    async def until_heard(ask: Any) -> Any:
        # So many wait for one another that some are sent away: they return with the same step.
        while True:
            try:
                return await ask()
            except PeerProblem as refused:
                if refused.status != 503:
                    raise

    async def try_to_book(number: int) -> str:
        wanted = slot(f"O{number}", EIGHT)
        try:
            held = await until_heard(lambda: manager.hold_slot(county, wanted))
            made = await until_heard(lambda: manager.book_appointment(county, held.appointment_id))
        except PeerProblem as refused:
            return f"{refused.code} {refused.body['next_free_slots'][0]['starts_at']}"
        return str(made.person_id)

    outcomes = await asyncio.gather(*(try_to_book(number) for number in range(50)))

    taken = "slot-taken 2017-11-07T02:00:00Z"
    assert sorted(one for one in outcomes if one != taken) == team
    assert outcomes.count(taken) == 45
    async with app.state.database.read(EVERYTHING) as connection:
        quarters = await connection.scalar(
            select(func.count()).where(visit_quarters.c.branch_id == county)
        )
    assert quarters == 5 * 8


async def test_the_database_itself_promises_nobody_to_two_customers_at_once(
    app: Any, staffed: Any, manager: Any
) -> None:
    mine, other = [await booked(manager, staffed, one) for one in ("O0", "O1")]
    row = {
        "branch_id": staffed,
        "person_id": mine.person_id,
        "starts_at": mine.visit_from,
        "appointment_id": other.appointment_id,
    }
    with pytest.raises(IntegrityError):
        async with app.state.database.write(EVERYTHING) as connection:
            await connection.execute(insert(visit_quarters).values(**row))


async def test_an_order_has_one_appointment_at_a_time(staffed: Any, manager: Any) -> None:
    made = await booked(manager, staffed, "O0")
    assert await manager.book_appointment(staffed, made.appointment_id) == made
    with pytest.raises(PeerProblem) as refused:
        await manager.hold_slot(staffed, slot("O0", TEN))
    assert refused.value.code == "conflict"
    given_up = ReleaseIn(reason="customer is ill")
    released = await manager.release_appointment(staffed, made.appointment_id, given_up)
    assert released.state is AppointmentState.RELEASED
    assert await manager.release_appointment(staffed, made.appointment_id, given_up) == released
    assert (await booked(manager, staffed, "O0", TEN)).starts_at == TEN


async def test_a_cancelled_order_gives_its_time_back(
    staffed: Any, manager: Any, offered: Any
) -> None:
    await booked(manager, staffed, "O0")
    cancel = OrderStepIn(step=StepName.CANCEL, at=START, reason="customer withdrew")
    await manager.step(staffed, "O0", cancel)
    assert await offered() == [(EIGHT, 2), (TEN, 2)]


async def test_moving_at_the_customers_wish_counts_and_the_clock_waits_for_the_new_slot(
    staffed: Any, manager: Any, offered: Any
) -> None:
    made = await booked(manager, staffed, "O0")
    wanted = MoveIn(starts_at=TEN, reason="customer asked")
    moved = await manager.move_appointment(staffed, made.appointment_id, wanted)
    assert (moved.starts_at, moved.moves) == (TEN, 1)
    assert await manager.move_appointment(staffed, made.appointment_id, wanted) == moved
    standing = await manager.order_clock(staffed, "O0")
    assert (standing.reschedules, standing.due_at) == (1, START + 26 * HOUR)
    assert (await manager.order(staffed, "O0")).due_at == START + 26 * HOUR
    assert await offered() == [(EIGHT, 2), (TEN, 1)]

    ours = MoveIn(starts_at=EIGHT, reason="van broke down", for_customer=False)
    await manager.move_appointment(staffed, made.appointment_id, ours)
    assert (await manager.order_clock(staffed, "O0")).reschedules == 1
    await manager.move_appointment(staffed, made.appointment_id, wanted)
    with pytest.raises(PeerProblem) as refused:
        await manager.move_appointment(
            staffed, made.appointment_id, wanted.model_copy(update={"starts_at": EIGHT})
        )
    assert refused.value.code == "reschedule-limit"


async def test_work_is_not_put_off_by_more_than_five_days(staffed: Any, manager: Any) -> None:
    days = [date(2017, 11, day) for day in (12, 13)]
    await manager.put_shifts(staffed, "W01", worked(*days))
    made = await booked(manager, staffed, "O0")
    wanted = MoveIn(starts_at=EIGHT + 6 * DAY, reason="customer asked")
    with pytest.raises(PeerProblem) as refused:
        await manager.move_appointment(staffed, made.appointment_id, wanted)
    assert refused.value.code == "reschedule-limit"
    sooner = wanted.model_copy(update={"starts_at": EIGHT + 5 * DAY})
    assert (await manager.move_appointment(staffed, made.appointment_id, sooner)).moves == 1


async def test_a_full_slot_leaves_the_old_appointment_where_it_was(
    staffed: Any, manager: Any
) -> None:
    made = await booked(manager, staffed, "O0")
    for order_id in ("O1", "O2"):
        await booked(manager, staffed, order_id, TEN)
    with pytest.raises(PeerProblem) as refused:
        await manager.move_appointment(
            staffed, made.appointment_id, MoveIn(starts_at=TEN, reason="customer asked")
        )
    assert refused.value.code == "slot-taken"
    (kept,) = [one for one in await manager.appointments(staffed) if one.order_id == "O0"]
    assert kept == made
    assert (await manager.order_clock(staffed, "O0")).reschedules == 0


async def test_nobody_is_let_go_who_has_promised_visits(staffed: Any, manager: Any) -> None:
    made = await booked(manager, staffed, "O0")
    away = LeaveIn(since=EIGHT + HOUR + 5 * timedelta(minutes=1), until=TEN, reason="doctor")
    shorter = worked(TUESDAY, begins=time(10))
    for change in (
        manager.put_leave(staffed, made.person_id, "L1", away),
        manager.put_shifts(staffed, made.person_id, shorter),
    ):
        with pytest.raises(PeerProblem) as refused:
            await change
        assert refused.value.code == "visits-promised"
    await manager.release_appointment(staffed, made.appointment_id, ReleaseIn(reason="leave"))
    assert (await manager.put_shifts(staffed, made.person_id, shorter)).shifts == shorter.shifts


@pytest.mark.parametrize("starts_at", [EIGHT + HOUR, START - DAY, EIGHT + 12 * HOUR])
async def test_only_slots_to_come_are_held(staffed: Any, manager: Any, starts_at: datetime) -> None:
    with pytest.raises(PeerProblem) as refused:
        await manager.hold_slot(staffed, slot("O0", starts_at))
    assert [one["code"] for one in refused.value.body["errors"]] == ["no-slot"]


async def test_shifts_that_cannot_be_are_refused(staffed: Any, manager: Any) -> None:
    meets = [
        Shift(day=TUESDAY, begins=time(8), ends=time(12)),
        Shift(day=TUESDAY, begins=time(11), ends=time(13)),
        Shift(day=TUESDAY, begins=time(13), ends=time(13)),
        Shift(day=date(2017, 11, 9), begins=time(8), ends=time(9)),
    ]
    with pytest.raises(PeerProblem) as refused:
        await manager.put_shifts(
            staffed, "W01", ShiftsIn(from_day=TUESDAY, to_day=TUESDAY, shifts=meets)
        )
    codes = [one["code"] for one in refused.value.body["errors"]]
    assert codes == ["overlap", "reversed", "span"]


async def test_whoever_may_not_see_an_order_makes_no_appointment_for_it(
    staffed: Any, manager: Any, caller: Any
) -> None:
    made = await booked(caller(Role.CONTRACTOR, ["G1"]), staffed, "O0")
    stranger = caller(Role.CONTRACTOR, ["C2"])
    for refused_call in (
        stranger.hold_slot(staffed, slot("O1")),
        stranger.book_appointment(staffed, made.appointment_id),
        stranger.put_shifts(staffed, "W01", worked(TUESDAY)),
    ):
        with pytest.raises(PeerProblem) as refused:
            await refused_call
        assert refused.value.status == 404
    own = caller(Role.ENGINEER, ["C1"], made.person_id)
    assert [one.order_id for one in await own.appointments(staffed)] == ["O0"]
    assert await caller(Role.ENGINEER, ["C1"], "W09").appointments(staffed) == []


async def test_an_appointment_is_the_orders_and_the_order_has_one(
    staffed: Any, manager: Any
) -> None:
    made = await booked(manager, staffed, "O0")
    order = await manager.order(staffed, "O0")
    assert order.appointment == Window(opens_at=made.starts_at, closes_at=made.ends_at)
    assert [(one.step, one.window) for one in order.steps[1:]] == [("appoint", order.appointment)]
    again = await manager.book_appointment(staffed, made.appointment_id)
    assert (again, (await manager.order(staffed, "O0")).steps) == (made, order.steps)

    other = Window(opens_at=TEN, closes_at=TEN + 2 * HOUR)
    by_phone = OrderStepIn(step=StepName.APPOINT, at=START, window=other)
    with pytest.raises(PeerProblem) as refused:
        await manager.step(staffed, "O0", by_phone)
    assert refused.value.body["appointment_id"] == made.appointment_id
    moved = MoveIn(starts_at=TEN, reason="customer asked")
    await manager.move_appointment(staffed, made.appointment_id, moved)
    order = await manager.order(staffed, "O0")
    assert (order.appointment, order.steps[-1].reason) == (other, "customer asked")

    await manager.release_appointment(staffed, made.appointment_id, ReleaseIn(reason="moved away"))
    order = await manager.order(staffed, "O0")
    assert (order.appointment, order.state) == (None, OrderState.DISPATCHED)
    assert (order.steps[-1].step, order.steps[-1].reason) == ("release", "moved away")
    assert (await manager.step(staffed, "O0", by_phone)).appointment == other


async def test_an_order_that_waited_for_its_visit_is_new_again_when_that_is_released(
    staffed: Any, manager: Any
) -> None:
    asked = OrderIn(
        source=OrderSource.FRONT_END,
        reference="R1",
        kind=OrderKind.INSTALL,
        customer_id="K1",
        standard_address=ADDRESS,
        requested_at=START,
        give_out=False,
    )
    order_id = (await manager.ask_for_order(staffed, asked)).order_id
    made = await booked(manager, staffed, order_id)
    assert (await manager.order(staffed, order_id)).state is OrderState.APPOINTED
    await manager.release_appointment(staffed, made.appointment_id, ReleaseIn(reason="later"))
    assert (await manager.order(staffed, order_id)).state is OrderState.NEW


@pytest.mark.parametrize("name", [StepName.CARRY_FORWARD, StepName.REWORK])
async def test_a_visit_that_was_made_makes_room_for_the_next(
    staffed: Any, manager: Any, offered: Any, name: StepName
) -> None:
    made = await booked(manager, staffed, "O0")
    engineer_id = (await manager.order(staffed, "O0")).engineer_id
    steps = [StepName.ACCEPT, StepName.START]
    for one in [*steps, *([StepName.FINISH] if name is StepName.REWORK else []), name]:
        given = OrderStepIn(step=one, at=START, engineer_id=engineer_id, reason="cable too short")
        order = await manager.step(staffed, "O0", given)
    assert (order.state, order.appointment) == (OrderState.DISPATCHED, None)
    assert await offered() == [(EIGHT, 2), (TEN, 2)]
    next_one = await booked(manager, staffed, "O0", TEN)
    assert next_one.appointment_id != made.appointment_id


async def test_no_visit_is_promised_of_work_that_is_under_way(staffed: Any, manager: Any) -> None:
    held = await manager.hold_slot(staffed, slot("O0"))
    engineer_id = (await manager.order(staffed, "O0")).engineer_id
    for name in (StepName.ACCEPT, StepName.START):
        given = OrderStepIn(step=name, at=START, engineer_id=engineer_id)
        await manager.step(staffed, "O0", given)
    with pytest.raises(PeerProblem) as refused:
        await manager.book_appointment(staffed, held.appointment_id)
    assert refused.value.code == "step-not-allowed"
    (kept,) = await manager.appointments(staffed)
    assert kept.state is AppointmentState.HELD


async def test_the_centre_that_gets_an_order_is_told_of_the_visit_that_nobody_can_make(
    app: Any, staffed: Any, manager: Any, caller: Any
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        told = [centre(staffed, "C2", "township"), person(staffed, "W09", "C2")]
        await apply_contracts(connection, staffed, told)
    await manager.put_shifts(staffed, "W09", worked(TUESDAY))
    made = await booked(manager, staffed, "O0")
    given = OrderStepIn(step=StepName.HAND_OVER, centre_id="C2", reason="nearer")
    await manager.step(staffed, "O0", given)
    theirs = caller(Role.CONTRACTOR, ["C2"])
    named = await theirs.appointments(staffed, staffed=False)
    assert [one.appointment_id for one in named] == [made.appointment_id]
    same = MoveIn(starts_at=EIGHT, reason="ours now", for_customer=False)
    moved = await theirs.move_appointment(staffed, made.appointment_id, same)
    assert (moved.person_id, moved.centre_id, moved.staffed) == ("W09", "C2", True)


async def test_a_slot_of_a_centre_that_has_the_order_no_more_is_not_promised(
    app: Any, staffed: Any, manager: Any
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, staffed, [centre(staffed, "C2", "township")])
    held = await manager.hold_slot(staffed, slot("O0"))
    given = OrderStepIn(step=StepName.HAND_OVER, centre_id="C2", reason="nearer")
    await manager.step(staffed, "O0", given)
    with pytest.raises(PeerProblem) as refused:
        await manager.book_appointment(staffed, held.appointment_id)
    assert refused.value.code == "hold-over"


async def test_work_that_is_done_before_its_visit_gives_the_time_back(
    staffed: Any, manager: Any, caller: Any, offered: Any
) -> None:
    made = await booked(manager, staffed, "O0", TEN)
    order = await manager.order(staffed, "O0")
    engineer = caller(Role.ENGINEER, ["C1"], order.engineer_id)
    for name in (StepName.ACCEPT, StepName.START, StepName.FINISH):
        await engineer.step(staffed, "O0", OrderStepIn(step=name))
    assert await offered() == [(EIGHT, 2), (TEN, 2)]
    away = LeaveIn(since=TEN, until=TEN + HOUR, reason="doctor")
    assert not (await manager.put_leave(staffed, made.person_id, "L1", away)).cancelled


async def test_a_visit_is_promised_of_somebody_who_can_do_all_of_the_work(
    app: Any, staffed: Any, manager: Any
) -> None:
    able = person(staffed, "W02", "C1", ["install", "drive"])
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, staffed, [able])
    given = {
        "source": OrderSource.FRONT_END,
        "reference": "R1",
        "kind": OrderKind.INSTALL,
        "customer_id": "K1",
        "standard_address": ADDRESS,
        "needed_skills": ["drive"],
    }
    orders = [
        await manager.ask_for_order(staffed, OrderIn.model_validate(given | {"reference": name}))
        for name in ("R1", "R2")
    ]
    made = await booked(manager, staffed, orders[0].order_id)
    assert made.person_id == "W02"
    with pytest.raises(PeerProblem) as refused:
        await manager.hold_slot(staffed, slot(orders[1].order_id))
    assert refused.value.code == "slot-taken"
    following = [one["starts_at"] for one in refused.value.body["next_free_slots"]]
    assert following == ["2017-11-07T02:00:00Z"]


@pytest.mark.parametrize("moment", ["9999-12-31T20:00:00Z", "0001-01-01T00:00:00Z"])
async def test_a_moment_beyond_the_calendar_is_malformed(
    moment: str, staffed: Any, manager: Any, http: Any, token: Any
) -> None:
    made = await booked(manager, staffed, "O0")
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, staffed)}"}
    for path, body in (
        ("appointments", {"order_id": "O1", "starts_at": moment}),
        (f"appointments/{made.appointment_id}/move", {"starts_at": moment, "reason": "later"}),
    ):
        answer = await http.post(f"/v1/branches/{staffed}/{path}", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


async def test_moved_back_the_clock_waits_no_longer_than_the_customer_asked(
    staffed: Any, manager: Any
) -> None:
    days = [TUESDAY + number * DAY for number in range(4)]
    for person_id in ("W01", "W02"):
        await manager.put_shifts(staffed, person_id, worked(*days))
    made = await booked(manager, staffed, "O0")
    before = await manager.order(staffed, "O0")
    later = MoveIn(starts_at=EIGHT + 3 * DAY, reason="away")
    await manager.move_appointment(staffed, made.appointment_id, later)
    sooner = MoveIn(starts_at=EIGHT + DAY, reason="back early")
    await manager.move_appointment(staffed, made.appointment_id, sooner)
    clock = await manager.order_clock(staffed, "O0")
    after = await manager.order(staffed, "O0")

    assert (clock.reschedules, clock.due_at) == (2, after.due_at)
    assert after.due_at - before.due_at == DAY


async def test_only_visits_to_make_are_named_as_ones_that_nobody_can(
    app: Any, staffed: Any, manager: Any, caller: Any, clock: Any
) -> None:
    made, given_up = await booked(manager, staffed, "O0"), await booked(manager, staffed, "O1")
    await manager.release_appointment(
        staffed, given_up.appointment_id, ReleaseIn(reason="no more needed")
    )
    order = await manager.order(staffed, "O0")
    engineer = caller(Role.ENGINEER, ["C1"], order.engineer_id)
    clock.at(EIGHT + HOUR)
    for name in (StepName.ACCEPT, StepName.START, StepName.FINISH):
        await engineer.step(staffed, "O0", OrderStepIn(step=name))
    to_make = await booked(manager, staffed, "O2", TEN)
    async with app.state.database.write(EVERYTHING) as connection:
        told = [centre(staffed, "C2", "township")]
        told += [person(staffed, one, "C2") for one in ("W01", "W02")]
        await apply_contracts(connection, staffed, told)
    named = await manager.appointments(staffed, staffed=False)
    assert [one.appointment_id for one in named] == [to_make.appointment_id]
    assert made.appointment_id != to_make.appointment_id


async def test_a_night_is_worked_up_to_midnight_and_on_from_there(
    staffed: Any, manager: Any
) -> None:
    night = [
        Shift(day=TUESDAY, begins=time(20), ends=time(0)),
        Shift(day=TUESDAY + DAY, begins=time(0), ends=time(8)),
    ]
    given = ShiftsIn(from_day=TUESDAY, to_day=TUESDAY + DAY, shifts=night)
    assert (await manager.put_shifts(staffed, "W01", given)).shifts == night
    late = AppointmentRulesIn(opens=time(20), closes=time(23, 45), slot_minutes=210)
    await manager.set_appointment_rules(staffed, late)
    found = await manager.slots(
        staffed, centre_id="C1", kind=OrderKind.INSTALL, from_day=TUESDAY, days=1
    )
    assert [(one.starts_at, one.places) for one in found] == [(EIGHT + 12 * HOUR, 1)]
    over = [*night, Shift(day=TUESDAY, begins=time(23), ends=time(23, 45))]
    with pytest.raises(PeerProblem) as refused:
        await manager.put_shifts(
            staffed, "W01", ShiftsIn(from_day=TUESDAY, to_day=TUESDAY + DAY, shifts=over)
        )
    assert [one["code"] for one in refused.value.body["errors"]] == ["overlap"]
