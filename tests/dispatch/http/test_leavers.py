"""People who leave, come or move, and what becomes of their work: told ahead or not, on the day."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from support.work import HOUR, START, centre, entry, person, work

from huaxiao.dispatch.tables import centres, people, places_to_come
from huaxiao.dispatch.timer import JOBS
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clock import system_clock
from huaxiao.shared.periods import business_day
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.ticking import catch_up
from huaxiao.shared.wire.dispatch import OrderState, OrderStepIn, StepName
from huaxiao.shared.wire.orders import CrewIn

S, N = OrderState, StepName
PAST = date(2017, 11, 6)
WAYS = [(), (N.ACCEPT,), (N.ACCEPT, N.TRAVEL), (N.ACCEPT, N.START)]


def step(name: StepName, hours: float = 0, **said: Any) -> OrderStepIn:
    return OrderStepIn(step=name, at=START + hours * HOUR, **said)


@pytest.fixture
def leave(app: Any, county: Any) -> Any:
    async def told(person_id: str, from_day: date = PAST) -> None:
        left = {"person_id": person_id, "centre_id": "C1", "from_day": from_day.isoformat()}
        fact = entry(county, "contracts.person.left", left)
        async with app.state.database.write(EVERYTHING) as connection:
            await apply_contracts(connection, county, [fact])

    return told


@pytest.fixture
def tick(app: Any, county: Any) -> Any:
    async def once() -> None:
        await catch_up(app.state.database, JOBS, county, clock=system_clock)

    return once


async def gone_as_far(caller: Any, county: Any, *names: StepName) -> Any:
    """Let W01, who has O1, take these steps."""
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    for hours, name in enumerate(names):
        await engineer.step(county, "O1", step(name, hours))
    return await caller(Role.COUNTY_MANAGER).order(county, "O1")


@pytest.mark.parametrize("names", WAYS)
async def test_whatever_an_engineer_had_goes_to_another_when_they_leave(
    names: tuple[StepName, ...], county: Any, request_work: Any, caller: Any, leave: Any
) -> None:
    await request_work(work(county, "O1"))
    before = await gone_as_far(caller, county, *names)
    await leave("W01")
    after = await caller(Role.COUNTY_MANAGER).order(county, "O1")

    assert before.engineer_id == "W01"
    assert (after.state, after.engineer_id, after.performer_centre_id) == (
        S.DISPATCHED,
        "W02",
        "C1",
    )
    assert (after.steps[-1].step, after.steps[-1].reason) == ("dispatch", "engineer_left")
    assert after.due_at == before.due_at


async def test_work_that_nobody_else_can_do_waits_at_its_centre_and_says_why(
    app: Any, county: Any, request_work: Any, caller: Any, leave: Any
) -> None:
    await request_work(work(county, "O1"))
    await gone_as_far(caller, county, N.ACCEPT, N.START)
    await leave("W02")
    await leave("W01")
    waiting = await caller(Role.COUNTY_MANAGER).order(county, "O1")
    assert (waiting.state, waiting.engineer_id, waiting.reason) == (S.NEW, None, "no-engineer")
    assert waiting.steps[-1].reason == "engineer_left"
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [person(county, "W03", "C1")])
    given = await caller(Role.COUNTY_MANAGER).order(county, "O1")
    assert (given.state, given.engineer_id) == (S.DISPATCHED, "W03")


async def test_who_leaves_on_a_later_day_keeps_their_work_until_then(
    app: Any, county: Any, request_work: Any, caller: Any, leave: Any, tick: Any
) -> None:
    await request_work(work(county, "O1"), work(county, "O2"), work(county, "O3"))
    await gone_as_far(caller, county, N.ACCEPT)
    today = business_day(system_clock())
    await leave("W01", today + timedelta(days=2))
    await tick()
    manager = caller(Role.COUNTY_MANAGER)
    kept = [(await manager.order(county, one)).engineer_id for one in ("O1", "O2", "O3")]
    async with app.state.database.write(EVERYTHING) as connection:
        of_w01 = people.c.branch_id == county, people.c.person_id == "W01"
        await connection.execute(update(people).where(*of_w01).values(left_on=today))
    await tick()
    orders = [await manager.order(county, one) for one in ("O1", "O2", "O3")]

    assert kept == ["W01", "W02", "W01"]
    assert {one.engineer_id for one in orders} == {"W02"}
    assert [one.steps[-1].reason for one in orders] == ["engineer_left", None, "engineer_left"]


async def test_suspended_work_waits_as_the_customer_asked_and_then_goes_to_another(
    county: Any, request_work: Any, caller: Any, leave: Any, tick: Any
) -> None:
    await request_work(work(county, "O1"))
    engineer, manager = caller(Role.ENGINEER, ["C1"], "W01"), caller(Role.COUNTY_MANAGER)
    await gone_as_far(caller, county, N.ACCEPT)
    await engineer.step(county, "O1", step(N.SUSPEND, 1, reason="customer away"))
    await leave("W01")
    still = await manager.order(county, "O1")
    await manager.step(county, "O1", step(N.RESUME, 2))
    await tick()
    after = await manager.order(county, "O1")
    clock = await manager.order_clock(county, "O1")

    assert (still.state, after.state, after.engineer_id) == (S.SUSPENDED, S.DISPATCHED, "W02")
    assert (clock.due_at - clock.due_without_stops_at, len(clock.stops)) == (HOUR, 1)


async def test_a_crew_that_nobody_is_left_of_has_no_work(
    app: Any, county: Any, request_work: Any, caller: Any, leave: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await manager.put_crew(county, "K1", CrewIn(centre_id="C1", members=["W01", "W02"]))
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [person(county, "W03", "C1")])
    await request_work(work(county, "O1"))
    await manager.step(county, "O1", step(N.REASSIGN, crew_id="K1", reason="two are needed"))
    await manager.step(county, "O1", step(N.ACCEPT, engineer_id="W01"))
    await leave("W01")
    one_left = await manager.order(county, "O1")
    await leave("W02")
    nobody_left = await manager.order(county, "O1")

    assert (one_left.crew_id, one_left.state) == ("K1", S.ACCEPTED)
    assert (nobody_left.crew_id, nobody_left.engineer_id) == (None, "W03")


async def test_finished_work_stays_whose_it_was(
    county: Any, request_work: Any, caller: Any, leave: Any, tick: Any
) -> None:
    await request_work(work(county, "O1"))
    await gone_as_far(caller, county, N.ACCEPT, N.START, N.FINISH)
    await leave("W01")
    await tick()
    order = await caller(Role.COUNTY_MANAGER).order(county, "O1")
    assert (order.state, order.engineer_id) == (S.DONE, "W01")


async def test_a_centre_that_closes_on_a_later_day_keeps_its_work_until_then(
    app: Any, county: Any, request_work: Any, caller: Any, tick: Any
) -> None:
    manager, today = caller(Role.COUNTY_MANAGER), business_day(system_clock())
    told = [centre(county, "B2", "build_maintain")]
    told += [person(county, "W08", "B1"), person(county, "W09", "B2")]
    closing = {"centre_id": "B1", "name": "B", "name_zh": "建维", "open": False}
    closing["from_day"] = (today + timedelta(days=2)).isoformat()
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, told)
    await request_work(work(county, "O1", address="130123999001"))
    async with app.state.database.write(EVERYTHING) as connection:
        fact = entry(county, "contracts.centre.changed", closing)
        await apply_contracts(connection, county, [fact])
    await tick()
    before = await manager.order(county, "O1")
    async with app.state.database.write(EVERYTHING) as connection:
        of_b1 = centres.c.branch_id == county, centres.c.centre_id == "B1"
        await connection.execute(update(centres).where(*of_b1).values(closed_from=today))
    await tick()
    after = await manager.order(county, "O1")

    assert (before.performer_centre_id, before.engineer_id) == ("B1", "W08")
    assert (after.performer_centre_id, after.engineer_id) == ("B2", "W09")


@pytest.fixture
def place(app: Any, county: Any) -> Any:
    async def told(person_id: str, centre_id: str, from_day: date, **more: Any) -> None:
        fact = person(county, person_id, centre_id, **more)
        fact.data["assignment"]["from_day"] = from_day.isoformat()
        async with app.state.database.write(EVERYTHING) as connection:
            await apply_contracts(connection, county, [fact])

    return told


@pytest.fixture
def day_comes(app: Any, county: Any, tick: Any) -> Any:
    """Let the day come from which people work elsewhere."""

    async def so(day: date) -> None:
        async with app.state.database.write(EVERYTHING) as connection:
            those = places_to_come.c.branch_id == county, places_to_come.c.from_day == day
            values = {"from_day": business_day(system_clock())}
            await connection.execute(update(places_to_come).where(*those).values(values))
        await tick()

    return so


async def test_who_works_elsewhere_from_a_later_day_on_works_where_they_are_until_then(
    app: Any, county: Any, request_work: Any, caller: Any, place: Any, day_comes: Any
) -> None:
    manager, day = caller(Role.COUNTY_MANAGER), business_day(system_clock()) + timedelta(days=30)
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [centre(county, "C2", "township")])
    for person_id in ("W01", "W02"):
        await place(person_id, "C2", day)
    await request_work(work(county, "O1"))
    before = await manager.order(county, "O1")
    await day_comes(day)
    await request_work(work(county, "O2"))
    after = await manager.order(county, "O2")

    assert (before.engineer_id, before.performer_centre_id) == ("W01", "C1")
    assert (after.engineer_id, after.reason) == (None, "no-engineer")
    handed = step(N.HAND_OVER, centre_id="C2", reason="they are there now")
    assert (await manager.step(county, "O2", handed)).engineer_id in {"W01", "W02"}


async def test_who_begins_on_a_later_day_has_no_work_before_and_none_after_they_leave(
    app: Any, county: Any, request_work: Any, caller: Any, place: Any, day_comes: Any, leave: Any
) -> None:
    manager, today = caller(Role.COUNTY_MANAGER), business_day(system_clock())
    for person_id in ("W01", "W02"):
        await leave(person_id)
    await place("W07", "C1", today + timedelta(days=3))
    for person_id in ("W01", "W08"):
        await place(person_id, "C1", today + timedelta(days=3))
        await leave(person_id, today + timedelta(days=9))
    await request_work(work(county, "O1"))
    before = await manager.order(county, "O1")
    await day_comes(today + timedelta(days=3))
    after = await manager.order(county, "O1")
    async with app.state.database.read(EVERYTHING) as connection:
        those = people.c.branch_id == county, people.c.person_id.in_(["W01", "W08"])
        leave_on = await connection.scalars(select(people.c.left_on).where(*those))

    assert (before.engineer_id, after.engineer_id) == (None, "W01")
    assert set(leave_on) == {today + timedelta(days=9)}
