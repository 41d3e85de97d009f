"""Service levels as versioned data, and the clocks they set."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from support.work import ADDRESS, FIELD, HOUR, START, centre, entry, finish, person, work

from huaxiao.dispatch.domain.level_table import DEFAULT_TABLE
from huaxiao.dispatch.domain.order_states import allowed_steps
from huaxiao.dispatch.domain.service_clock import MOST_RESCHEDULES
from huaxiao.dispatch.timer import JOBS
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.ticking import catch_up
from huaxiao.shared.wire.dispatch import (
    OrderKind,
    OrderState,
    OrderStepIn,
    StepName,
    SuspensionCause,
)
from huaxiao.shared.wire.orders import OrderIn, OrderSource
from huaxiao.shared.wire.service_levels import (
    CLOCK_REACHED,
    Escalation,
    InForceIn,
    ServiceLevelsIn,
    TimeUnit,
)
from huaxiao.shared.wire.visits import Window

DAY = timedelta(days=1)


def circuit(branch_id: Any, order_id: Any, kind: Any = "install", **more: Any) -> Any:
    asked = work(branch_id, order_id, kind)
    return msgspec.structs.replace(asked, data=asked.data | more)


async def take(client: Any, branch_id: Any, hours: Any, name: Any, **more: Any) -> Any:
    given = OrderStepIn(step=name, at=START + hours * HOUR, **more)
    return await client.step(branch_id, "O1", given)


async def begin_work(client: Any, branch_id: Any) -> None:
    for name in (StepName.ACCEPT, StepName.START):
        await take(client, branch_id, 0, name)


def shorter() -> ServiceLevelsIn:
    """Return the suite's table with half the time for every target counted in hours."""
    document = DEFAULT_TABLE.model_dump(mode="json")
    for row in document["levels"]:
        for area in (row["town"], row["rural"]):
            if area["target"]["unit"] == "hours":
                area["target"]["amount"] //= 2
    return ServiceLevelsIn.model_validate(document)


async def test_a_county_begins_with_the_suites_table_and_puts_its_own_in_force_by_two_people(
    county: Any, caller: Any, clock: Any
) -> None:
    clock.at(START)
    manager, support = caller(Role.COUNTY_MANAGER), caller(Role.SUPPORT_CENTRE)
    assert (await manager.service_levels(county)).version == 0
    drafted = await support.draft_service_levels(county, 1, shorter())
    assert (drafted.version, drafted.from_day) == (1, None)
    assert await support.draft_service_levels(county, 1, shorter()) == drafted
    wanted = InForceIn(from_day=date(2017, 11, 8))

    with pytest.raises(PeerProblem) as refused:
        await support.put_service_levels_in_force(county, 1, wanted)
    assert refused.value.code == "two-people"
    with pytest.raises(PeerProblem) as refused:
        await manager.put_service_levels_in_force(county, 1, InForceIn(from_day=date(2017, 11, 5)))
    assert refused.value.code == "service-levels-out-of-order"
    held = await manager.put_service_levels_in_force(county, 1, wanted)
    assert await manager.put_service_levels_in_force(county, 1, wanted) == held
    with pytest.raises(PeerProblem) as refused:
        await support.draft_service_levels(county, 1, DEFAULT_TABLE)
    assert refused.value.code == "service-levels-in-force"

    in_force = [
        (await manager.service_levels(county, on=date(2017, 11, day))).version for day in (7, 8)
    ]
    assert in_force == [0, 1]


async def test_a_table_with_holes_or_limits_before_targets_is_refused(
    county: Any, caller: Any
) -> None:
    document = DEFAULT_TABLE.model_dump(mode="json")
    document["levels"][0]["town"]["limit"]["amount"] = 1
    document["levels"][1]["town"]["limit"]["unit"] = "working_days"
    document["levels"].append(document["levels"][2])
    del document["levels"][5], document["patrols"][0]
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.COUNTY_MANAGER).draft_service_levels(
            county, 1, ServiceLevelsIn.model_validate(document)
        )
    codes = {one["code"] for one in refused.value.body["errors"]}
    assert codes == {"limit", "unit", "repeated", "missing"}


async def test_an_order_is_judged_by_the_version_of_the_day_it_was_dispatched_on(
    county: Any, request_work: Any, caller: Any, clock: Any
) -> None:
    clock.at(START)
    await request_work(work(county, "O1"))
    await caller(Role.SUPPORT_CENTRE).draft_service_levels(county, 1, shorter())
    manager = caller(Role.COUNTY_MANAGER)
    await manager.put_service_levels_in_force(county, 1, InForceIn(from_day=date(2017, 11, 7)))
    later = work(county, "O2")
    asked = {"requested_at": (START + DAY).isoformat()}
    await request_work(msgspec.structs.replace(later, time=START + DAY, data=later.data | asked))

    first, second = [await manager.order_clock(county, one) for one in ("O1", "O2")]

    assert (first.version, first.target_minutes, first.due_at) == (0, 24 * 60, START + 24 * HOUR)
    assert (second.version, second.target_minutes) == (1, 12 * 60)
    assert second.due_at == START + DAY + 12 * HOUR
    assert (await manager.order(county, "O2")).due_at == second.due_at


@pytest.mark.parametrize(
    ("more", "unit", "due"),
    [
        ({"circuit_grade": "aa"}, TimeUnit.WORKING_DAYS, START + 7 * DAY),
        ({"circuit_grade": "aa", "build_needed": True}, TimeUnit.WORKING_DAYS, START + 21 * DAY),
        ({"kind": "repair", "circuit_grade": "aaa"}, TimeUnit.HOURS, START + 2 * HOUR),
        ({"kind": "repair", "circuit_grade": "standard"}, TimeUnit.HOURS, START + 8 * HOUR),
        ({"circuit_grade": "gold"}, TimeUnit.WORKING_DAYS, START + 7 * DAY),
    ],
)
async def test_circuits_have_clocks_of_their_own(
    app: Any, county: Any, request_work: Any, caller: Any, more: Any, unit: Any, due: Any
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [person(county, "W09", "C1", ["repair"])])
    await request_work(circuit(county, "O1", **more))
    found = await caller(Role.COUNTY_MANAGER).order_clock(county, "O1")
    assert (found.unit, found.due_at, found.calendar_known) == (unit, due, True)


async def test_both_clocks_are_shown_and_only_the_customer_and_force_majeure_stop_one(
    county: Any, request_work: Any, caller: Any, clock: Any
) -> None:
    await request_work(work(county, "O1"))
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    await begin_work(engineer, county)
    suspend, resume = StepName.SUSPEND, StepName.RESUME
    await take(engineer, county, 1, suspend, reason="nobody at home")
    await take(engineer, county, 3, resume)
    await take(engineer, county, 4, suspend, reason="no cable", cause=SuspensionCause.RESOURCE)
    await take(engineer, county, 9, resume)
    await take(engineer, county, 10, suspend, reason="flood", cause=SuspensionCause.FORCE_MAJEURE)
    clock.at(START + 12 * HOUR)

    standing = await engineer.order_clock(county, "O1")

    assert standing.stopped
    assert standing.due_at is None
    assert standing.due_without_stops_at == START + 24 * HOUR
    assert (standing.elapsed_minutes, standing.elapsed_with_stops_minutes) == (8 * 60, 12 * 60)
    assert [(one.reason, one.stops_clock, one.responsible_centre_id) for one in standing.stops] == [
        ("nobody at home", True, None),
        ("no cable", False, "B1"),
        ("flood", True, None),
    ]
    assert (standing.reschedules, standing.postponed_minutes) == (1, 120)
    clock.at(START + 40 * HOUR)
    order = await take(engineer, county, 20, resume)
    assert order.due_at == START + 36 * HOUR
    done = await take(engineer, county, 37, StepName.FINISH)
    assert done.on_time is False
    judged = await engineer.order_clock(county, "O1")
    assert (judged.at, judged.on_time, judged.breach) == (START + 37 * HOUR, False, False)
    assert judged.late_because_of_centre_id == "B1"
    facts = await caller(Role.SERVICE).feed(county, after=0)
    assert facts[-1].data["late_because_of_centre_id"] == "B1"


async def test_work_is_put_off_twice_and_for_five_days_in_all(
    county: Any, request_work: Any, caller: Any, clock: Any
) -> None:
    await request_work(work(county, "O1"))
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    await begin_work(engineer, county)
    for hours in (1, 4):
        await take(engineer, county, hours, StepName.SUSPEND, reason="another day please")
        await take(engineer, county, hours + 1, StepName.RESUME)
    third = await take(engineer, county, 6, StepName.SUSPEND, reason="yet another")
    clock.at(START + 8 * HOUR)
    found = await engineer.order_clock(county, "O1")
    assert (found.stopped, found.reschedules, found.reschedules_left) == (False, 2, 0)
    assert found.due_at == third.due_at == START + 26 * HOUR
    assert [one.stops_clock for one in found.stops] == [True, True, False]


async def test_a_stop_whose_five_days_are_over_lets_the_clock_run_again(
    county: Any, request_work: Any, caller: Any, clock: Any, app: Any
) -> None:
    await request_work(work(county, "O1"))
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    await begin_work(engineer, county)
    await take(engineer, county, 1, StepName.SUSPEND, reason="moving house")
    for days in (1, 5):
        clock.at(START + days * DAY)
        await catch_up(app.state.database, JOBS, county, clock=clock)
        assert (await engineer.order(county, "O1")).due_at == START + 24 * HOUR
    clock.at(START + 5 * DAY + 2 * HOUR)
    await catch_up(app.state.database, JOBS, county, clock=clock)
    assert (await engineer.order(county, "O1")).due_at == START + 6 * DAY
    clock.at(START + 6 * DAY)
    await catch_up(app.state.database, JOBS, county, clock=clock)
    given = (await engineer.clock_warnings(county)).items
    assert [(one.percent, one.reached_at) for one in given] == [
        (80, START + 5 * DAY + 0.8 * 24 * HOUR),
        (100, START + 6 * DAY),
    ]


async def test_after_a_week_down_each_warning_is_given_once_with_the_moment_it_was_due(
    county: Any, request_work: Any, caller: Any, clock: Any, app: Any
) -> None:
    await request_work(work(county, "O1"), work(county, "O2"))
    clock.at(START + 7 * DAY)
    await asyncio.gather(
        *(catch_up(app.state.database, JOBS, county, clock=clock) for _ in range(4))
    )
    contractor = caller(Role.CONTRACTOR, ["C1"])

    given = (await contractor.clock_warnings(county)).items
    facts = [
        one for one in await caller(Role.SERVICE).feed(county, after=0) if one.type == CLOCK_REACHED
    ]

    expected = [
        (percent, START + percent * 24 * HOUR / 100, escalated)
        for percent, escalated in (
            (80, Escalation.ENGINEER),
            (100, Escalation.CONTRACTOR),
            (150, Escalation.COUNTY_MANAGER),
        )
    ]
    for order_id in ("O1", "O2"):
        own = [one for one in given if one.order_id == order_id]
        assert [(one.percent, one.reached_at, one.escalated_to) for one in own] == expected
        assert {one.told_at for one in own} == {START + 7 * DAY}
        told = [one.data["percent"] for one in facts if one.subject == order_id]
        assert told == [80, 100, 150]
    assert len(facts) == 6
    manager = caller(Role.COUNTY_MANAGER)
    highest = await manager.clock_warnings(county, escalated_to=Escalation.COUNTY_MANAGER)
    assert [one.percent for one in highest.items] == [150, 150]
    assert (await caller(Role.CONTRACTOR, ["G1"]).clock_warnings(county)).items == []
    assert (await caller(Role.ENGINEER, ["C1"], "W09").clock_warnings(county)).items == []


async def test_finished_work_has_given_the_warnings_it_reached_whenever_the_timer_came_by(
    county: Any, request_work: Any, caller: Any, app: Any, clock: Any
) -> None:
    await request_work(work(county, "O1"), work(county, "O2"))
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    await begin_work(engineer, county)
    await take(engineer, county, 20, StepName.FINISH)
    await finish(caller(Role.ENGINEER, ["C1"], "W02"), county, "O2")
    clock.at(datetime(2018, 1, 1, tzinfo=UTC))
    for order_id in ("O1", "O2"):
        await caller(Role.COUNTY_MANAGER).step(county, order_id, OrderStepIn(step=StepName.CONFIRM))
    await catch_up(app.state.database, JOBS, county, clock=clock)
    given = (await caller(Role.COUNTY_MANAGER).clock_warnings(county)).items
    assert [(one.order_id, one.percent) for one in given] == [("O1", 80)]


async def test_a_result_that_is_not_accepted_leaves_its_clock_what_the_requester_looked(
    county: Any, request_work: Any, caller: Any, clock: Any
) -> None:
    await request_work(work(county, "O1"))
    engineer, requester = caller(Role.ENGINEER, ["C1"], "W01"), caller(Role.CONTRACTOR, ["G1"])
    for day in range(3):
        for name in (StepName.ACCEPT, StepName.START):
            await take(engineer, county, 50 * day, name)
        await take(engineer, county, 50 * day + 2, StepName.FINISH)
        await take(requester, county, 50 * day + 50, StepName.REWORK, reason="no light")
    clock.at(START + 150 * HOUR)

    running = await requester.order_clock(county, "O1")

    assert (running.elapsed_minutes, running.reschedules_left, running.stopped) == (
        6 * 60,
        2,
        False,
    )
    assert [(one.cause, one.reason) for one in running.stops] == [("acceptance", "no light")] * 3
    assert running.due_at == START + (24 + 3 * 48) * HOUR
    assert (await requester.order(county, "O1")).due_at == running.due_at


async def test_lack_of_material_excuses_no_finish_that_is_taken_back(
    county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(county, "O1"))
    engineer, requester = caller(Role.ENGINEER, ["C1"], "W01"), caller(Role.CONTRACTOR, ["G1"])
    await begin_work(engineer, county)
    lack = {"reason": "no cable", "cause": SuspensionCause.RESOURCE}
    await take(engineer, county, 1, StepName.SUSPEND, **lack)
    await take(engineer, county, 20, StepName.RESUME)
    await take(engineer, county, 30, StepName.FINISH)
    await take(requester, county, 31, StepName.REWORK, reason="no light")
    await take(engineer, county, 31, StepName.ACCEPT)
    await take(engineer, county, 31, StepName.START)
    await take(engineer, county, 100, StepName.FINISH)
    facts = await caller(Role.SERVICE).feed(county, after=0)
    told = [
        (one.type.rpartition(".")[2], one.data["late_because_of_centre_id"])
        for one in facts
        if one.type != CLOCK_REACHED
    ]
    assert told == [("finished", "B1"), ("reopened", "B1"), ("finished", None)]


async def test_whoever_gets_an_order_later_gets_its_clock_as_it_stands(
    app: Any, county: Any, request_work: Any, caller: Any, clock: Any
) -> None:
    await request_work(work(county, "O1"))
    engineer, manager = caller(Role.ENGINEER, ["C1"], "W01"), caller(Role.COUNTY_MANAGER)
    await begin_work(engineer, county)
    await take(engineer, county, 1, StepName.SUSPEND, reason="nobody at home")
    await take(engineer, county, 4, StepName.RESUME)
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [person(county, "W07", "B1")])
    clock.at(START + 6 * HOUR)
    before = await manager.order_clock(county, "O1")
    await take(manager, county, 5, StepName.HAND_OVER, centre_id="B1", reason="pole is down")
    moved, after = await manager.order(county, "O1"), await manager.order_clock(county, "O1")
    assert (moved.performer_centre_id, moved.engineer_id) == ("B1", "W07")
    assert after == before
    assert (moved.due_at, before.due_at) == (START + 27 * HOUR, START + 27 * HOUR)
    other = caller(Role.ENGINEER, ["B1"], "W07")
    for name in (StepName.ACCEPT, StepName.START, StepName.CARRY_FORWARD):
        await take(other, county, 6, name, reason="dark")
    assert await manager.order_clock(county, "O1") == before


async def test_where_an_address_lies_changes_the_target_and_not_when_the_clock_began(
    app: Any, county: Any, request_work: Any, caller: Any
) -> None:
    rural = "130123200201"
    await request_work(work(county, "O1", customer_class="public", address=rural))
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [person(county, "W07", "B1")])
    manager = caller(Role.COUNTY_MANAGER)
    town = await manager.order_clock(county, "O1")
    field = FIELD | {"field_id": "F2", "centre_id": "C2", "scope": {"address_prefixes": [rural]}}
    async with app.state.database.write(EVERYTHING) as connection:
        known = [centre(county, "C2", "township"), person(county, "W08", "C2")]
        sealed = entry(county, "contracts.field.sealed", field)
        await apply_contracts(connection, county, [*known, sealed])
    order, country = await manager.order(county, "O1"), await manager.order_clock(county, "O1")
    assert (order.performer_centre_id, order.engineer_id) == ("C2", "W08")
    assert (town.started_at, town.due_at) == (START, START + 24 * HOUR)
    assert (country.started_at, country.due_at) == (START, START + 48 * HOUR)
    assert order.due_at == country.due_at


async def test_network_work_that_monitoring_asks_for_has_a_clock_of_the_same_table(
    app: Any, county: Any, caller: Any
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [person(county, "W05", "B1", ["maintain"])])
    manager = caller(Role.COUNTY_MANAGER)
    for kind, days in ((OrderKind.COMMISSIONING, 7), (OrderKind.CONSTRUCTION, 21)):
        asked = OrderIn(
            source=OrderSource.MONITORING,
            reference=kind,
            kind=kind,
            standard_address=ADDRESS,
            requested_at=START,
        )
        order = await manager.ask_for_order(county, asked)
        held = await manager.order_clock(county, order.order_id)
        assert (held.version, held.due_at, order.due_at) == (0, START + days * DAY, held.due_at)


class Walk:
    """Takes allowed steps of an order at random, and counts what its clock is to leave out."""

    def __init__(self, client: Any, branch_id: Any, seed: int) -> None:
        self._client = client
        self._branch_id = branch_id
        self._random = Random(seed)
        self._at = START
        self._postponed = 0
        self._stopped: datetime | None = None
        self.due_at = START + 24 * HOUR

    def _leave_out(self, since: datetime) -> None:
        # What is late already is not made good by waiting.
        if since < self.due_at:
            self.due_at += self._at - since

    def _choose(self, order: Any) -> StepName | None:
        ends = {StepName.CANCEL, StepName.CONFIRM, StepName.REJECT}
        allowed = [one for one in allowed_steps(order.state) if one not in ends]
        return self._random.choice(allowed) if allowed else None

    def _given(self, order: Any, name: StepName) -> OrderStepIn:
        self._at += self._random.randint(0, 3) * HOUR
        other = "C2" if order.performer_centre_id == "C1" else "C1"
        staff = {"C1": ["W01", "W02"], "C2": ["W08"]}[order.performer_centre_id]
        new = self._random.choice(staff) if name is StepName.REASSIGN else None
        window = Window(opens_at=self._at + HOUR, closes_at=self._at + 2 * HOUR)
        return OrderStepIn(
            step=name,
            at=self._at,
            reason="so it was",
            cause=self._random.choice(list(SuspensionCause)),
            engineer_id=new or order.engineer_id,
            centre_id=other if name is StepName.HAND_OVER else None,
            window=window if name is StepName.APPOINT else None,
        )

    async def go_on(self, order: Any) -> Any:
        """Take a step, and count as a patient clerk would."""
        name = self._choose(order)
        given = self._given(order, name)
        after = await self._client.step(self._branch_id, order.order_id, given)
        if name is StepName.SUSPEND:
            for_customer = given.cause is SuspensionCause.CUSTOMER
            self._postponed += for_customer
            beyond = for_customer and self._postponed > MOST_RESCHEDULES
            if given.cause is not SuspensionCause.RESOURCE and not beyond:
                self._stopped = self._at
        elif name is StepName.RESUME and self._stopped is not None:
            self._leave_out(self._stopped)
            self._stopped = None
        elif name is StepName.REWORK:
            self._leave_out(order.finished_at)
        return after


@pytest.mark.parametrize("seed", range(8))
async def test_however_an_order_goes_its_clock_leaves_out_only_what_it_may(
    app: Any, county: Any, request_work: Any, caller: Any, seed: int
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        known = [centre(county, "C2", "town"), person(county, "W08", "C2")]
        await apply_contracts(connection, county, known)
    await request_work(work(county, "O1"))
    manager = caller(Role.COUNTY_MANAGER)
    walk, order = Walk(manager, county, seed), await manager.order(county, "O1")
    for _ in range(40):
        order = await walk.go_on(order)
        assert order.due_at == walk.due_at, order.steps[-1]
        held = await manager.order_clock(county, "O1")
        if order.state != OrderState.SUSPENDED:
            assert held.due_at == order.due_at
        assert held.started_at == START
