"""Assets are patrolled on their cycle, whatever the service was doing when a cycle began (R17)."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from support.work import ADDRESS, person

from huaxiao.dispatch.tables import rounds
from huaxiao.dispatch.timer import JOBS
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.ticking import catch_up
from huaxiao.shared.wire.assets import AssetIn, RoundState
from huaxiao.shared.wire.dispatch import OrderState, OrderStepIn, StepName
from huaxiao.shared.wire.service_levels import AssetGrade, AssetKind, Cycle

DAY = timedelta(days=1)
NOON = datetime(2017, 11, 1, 4, tzinfo=UTC)
STATION = AssetIn(
    kind=AssetKind.BASE_STATION,
    grade=AssetGrade.KEY,
    name_zh="诸福屯基站",
    standard_address=ADDRESS,
    centre_id="B1",
    from_day=date(2017, 11, 1),
)


@pytest.fixture
async def patrolled(app: Any, county: Any, clock: Any) -> Any:
    """Return the county with somebody in B1 who patrols."""
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [person(county, "P1", "B1", ["maintain"])])
    clock.at(NOON)
    return county


@pytest.fixture
def tick(app: Any, patrolled: Any, clock: Any) -> Any:
    async def until(moment: Any) -> None:
        clock.at(moment)
        await catch_up(app.state.database, JOBS, patrolled, clock=clock)

    return until


async def test_a_round_becomes_an_order_of_the_asset_owners_engineer(
    patrolled: Any, caller: Any, tick: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    asset = await manager.put_asset(patrolled, "BS-1", STATION)
    assert asset.next_round_on == date(2017, 11, 1)
    await tick(NOON)
    (order,) = (await manager.orders(patrolled)).items
    assert (order.kind, order.performer_centre_id, order.engineer_id) == ("patrol", "B1", "P1")
    assert order.due_at == datetime(2017, 11, 30, 16, tzinfo=UTC)
    clocks = await manager.order_clock(patrolled, order.order_id)
    assert (clocks.started_at, clocks.limit_at) == (
        datetime(2017, 10, 31, 16, tzinfo=UTC),
        datetime(2017, 12, 7, 16, tzinfo=UTC),
    )
    assert [one.next_round_on for one in await manager.assets(patrolled)] == [date(2017, 12, 1)]


async def test_after_weeks_down_every_missed_round_is_created_once_and_marked_late(
    app: Any, patrolled: Any, caller: Any, tick: Any, clock: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    weekly = STATION.model_copy(update={"cycle": Cycle(every="days", days=7)})
    await manager.put_asset(patrolled, "BS-1", weekly)
    await tick(NOON)
    clock.at(NOON + 29 * DAY)
    before = await manager.round_coverage(patrolled, period=201711)
    await asyncio.gather(
        *(catch_up(app.state.database, JOBS, patrolled, clock=clock) for _ in range(3))
    )
    await tick(NOON + 29 * DAY)

    async with app.state.database.read(EVERYTHING) as connection:
        held = (
            await connection.execute(
                select(rounds).where(rounds.c.branch_id == patrolled).order_by(rounds.c.starts_on)
            )
        ).all()
    assert [(str(one.starts_on), one.created_late) for one in held] == [
        ("2017-11-01", False),
        ("2017-11-08", True),
        ("2017-11-15", True),
        ("2017-11-22", True),
        ("2017-11-29", True),
    ]
    assert len((await manager.orders(patrolled)).items) == 5
    after = await manager.round_coverage(patrolled, period=201711)
    assert [(one.due, one.overdue, one.missed) for one in after.kinds] == [(4, 1, 3)]
    assert [(one.due, one.overdue, one.missed) for one in before.kinds] == [(4, 1, 3)]


async def test_coverage_says_what_was_done_late_or_missed_and_of_which_assets(
    patrolled: Any, caller: Any, tick: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    for number in range(4):
        await manager.put_asset(patrolled, f"BS-{number}", STATION)
    room = STATION.model_copy(
        update={"kind": AssetKind.MACHINE_ROOM, "grade": AssetGrade.ACCESS, "centre_id": "C1"}
    )
    await manager.put_asset(
        patrolled, "MR-1", room.model_copy(update={"from_day": date(2017, 10, 1)})
    )
    await tick(NOON)
    engineer = caller(Role.ENGINEER, ["B1"], "P1")

    async def patrol(asset_id: str, moment: datetime) -> None:
        await tick(moment)
        covered = await manager.round_coverage(patrolled, period=201711)
        (order_id,) = {
            one.order_id
            for kind in covered.kinds
            for one in kind.rounds
            if one.asset_id == asset_id
        }
        for name in (StepName.ACCEPT, StepName.START, StepName.FINISH):
            await engineer.step(patrolled, order_id, OrderStepIn(step=name, at=moment))

    await patrol("BS-0", NOON + DAY)
    await patrol("BS-1", datetime(2017, 11, 30, 16, tzinfo=UTC))
    await patrol("BS-2", NOON + 33 * DAY)
    await tick(NOON + 40 * DAY)

    (stations,) = (await manager.round_coverage(patrolled, period=201711)).kinds
    assert (stations.due, stations.done, stations.late, stations.missed) == (4, 2, 1, 1)
    states = {one.asset_id: one.state for one in stations.rounds}
    assert states["BS-3"] is RoundState.MISSED
    assert states["BS-2"] is RoundState.LATE
    own = await caller(Role.CONTRACTOR, ["C1"]).round_coverage(patrolled, period=201712)
    assert [(one.kind, one.open) for one in own.kinds] == [(AssetKind.MACHINE_ROOM, 1)]


async def test_an_assets_new_owner_gets_its_round_if_nobody_has_begun_it(
    app: Any, patrolled: Any, caller: Any, tick: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await manager.put_asset(patrolled, "BS-1", STATION)
    await tick(NOON)
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, patrolled, [person(patrolled, "P2", "C1", ["maintain"])])
    before = (await manager.orders(patrolled)).items[0]
    await manager.put_asset(patrolled, "BS-1", STATION.model_copy(update={"centre_id": "C1"}))
    after = (await manager.orders(patrolled)).items[0]
    assert (before.engineer_id, after.engineer_id) == ("P1", "P2")
    assert (before.due_at, after.state) == (after.due_at, OrderState.DISPATCHED)


async def test_a_round_nobody_can_do_waits_and_its_clock_runs(
    app: Any, patrolled: Any, caller: Any, tick: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await manager.put_asset(patrolled, "BS-1", STATION.model_copy(update={"centre_id": "C1"}))
    await tick(NOON + 28 * DAY)
    (order,) = (await manager.orders(patrolled)).items
    assert (order.state, order.reason) == (OrderState.NEW, "no-engineer")
    assert [one.percent for one in (await manager.clock_warnings(patrolled)).items] == [80]
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, patrolled, [person(patrolled, "P2", "C1", ["maintain"])])
    given = await manager.order(patrolled, order.order_id)
    assert (given.engineer_id, given.due_at) == ("P2", order.due_at)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"grade": AssetGrade.CORE}, "/grade"),
        ({"cycle": Cycle(every="days")}, "/cycle/days"),
        ({"cycle": Cycle(every="month", days=3)}, "/cycle/days"),
        ({"centre_id": "C9"}, "/centre_id"),
    ],
)
async def test_an_asset_that_cannot_be_is_refused(
    patrolled: Any, caller: Any, change: Any, pointer: Any
) -> None:
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.COUNTY_MANAGER).put_asset(
            patrolled, "BS-1", STATION.model_copy(update=change)
        )
    assert [one["pointer"] for one in refused.value.body["errors"]] == [pointer]


async def test_a_contractor_keeps_to_the_assets_of_its_centre(patrolled: Any, caller: Any) -> None:
    manager, stranger = caller(Role.COUNTY_MANAGER), caller(Role.CONTRACTOR, ["C1"])
    await manager.put_asset(patrolled, "BS-1", STATION)
    assert await stranger.assets(patrolled) == []
    for wanted in (STATION, STATION.model_copy(update={"centre_id": "C1"})):
        with pytest.raises(PeerProblem) as refused:
            await stranger.put_asset(patrolled, "BS-1", wanted)
        assert refused.value.status == 404


async def test_a_round_is_cancelled_by_the_county_and_not_by_who_is_to_walk_it(
    patrolled: Any, caller: Any, tick: Any
) -> None:
    manager, builders = caller(Role.COUNTY_MANAGER), caller(Role.CONTRACTOR, ["B1"])
    await manager.put_asset(patrolled, "BS-1", STATION)
    await tick(NOON)
    (order,) = (await builders.orders(patrolled)).items
    cancel = OrderStepIn(step=StepName.CANCEL, reason="late anyway")
    with pytest.raises(PeerProblem) as refused:
        await builders.step(patrolled, order.order_id, cancel)
    assert refused.value.code == "forbidden"
    cancelled = await manager.step(patrolled, order.order_id, cancel)
    assert cancelled.state is OrderState.CANCELLED
