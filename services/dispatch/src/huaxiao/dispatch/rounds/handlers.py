"""Assets and rounds: registered, created on their cycle, reported."""

from collections import defaultdict
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.clocks.handlers import Begun
from huaxiao.dispatch.domain.business_time import Counting
from huaxiao.dispatch.domain.level_table import cycle_faults, patrol_level
from huaxiao.dispatch.domain.rounds import (
    LevelOn,
    Patrolled,
    PlannedRound,
    next_round,
    round_state,
    rounds_until,
)
from huaxiao.dispatch.domain.service_clock import ServiceClock
from huaxiao.dispatch.orders import handlers as orders
from huaxiao.dispatch.orders import store as order_store
from huaxiao.dispatch.rounds import store
from huaxiao.dispatch.service_levels.handlers import in_force
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.periods import Period, business_day, first_day, shift
from huaxiao.shared.problems import Fault, Malformed, NotFound
from huaxiao.shared.wire.assets import (
    Asset,
    AssetIn,
    Round,
    RoundCoverage,
    RoundsOfKind,
    RoundState,
)
from huaxiao.shared.wire.service_levels import (
    GRADES,
    AssetGrade,
    AssetKind,
    Cycle,
    PatrolLevel,
    TimeUnit,
)

_CREATED_AT_ONCE = 20
"""Nobody else places work meanwhile."""
_DAY = timedelta(days=1)


async def put(
    connection: AsyncConnection,
    branch_id: int,
    asset_id: str,
    given: AssetIn,
    *,
    principal: Principal,
) -> tuple[Asset, bool]:
    """Register an asset, or change it from now on; say whether it is new.

    A round that has been created stays what it is; the next one follows the asset as it is then.

    Raises:
        NotFound: the asset, or the centre that is to own it, lies outside the caller's scope.
        Malformed: its grade, its cycle or its centre cannot be.

    """
    principal.require_centre(given.centre_id)
    await order_store.place_alone(connection, branch_id)
    held = await store.load(connection, branch_id, asset_id, None)
    if held is not None:
        principal.require_centre(held["centre_id"])
    faults = []
    if given.grade not in GRADES[given.kind]:
        faults.append(Fault("/grade", "grade", "not of this kind of asset", "该类资产无此等级"))
    if given.cycle is not None:
        faults += cycle_faults("/cycle", given.cycle)
    if await order_store.centre_kind(connection, branch_id, given.centre_id) is None:
        faults.append(Fault("/centre_id", "unknown", "no such centre", "没有此中心"))
    if faults:
        raise Malformed(faults=faults)
    row = given.model_dump() | {
        "branch_id": branch_id,
        "asset_id": asset_id,
        "cycle": given.cycle and given.cycle.model_dump(mode="json"),
    }
    is_new = await store.put(connection, row)
    await _plan_next(connection, branch_id, asset_id)
    if held is not None and held["centre_id"] != given.centre_id:
        await orders.dispatch_again(connection, branch_id)
    return await show(connection, branch_id, asset_id, None), is_new


async def show(
    connection: AsyncConnection,
    branch_id: int,
    asset_id: str,
    centre_ids: AbstractSet[str] | None,
) -> Asset:
    """Return an asset within the caller's centres."""
    row = await store.load(connection, branch_id, asset_id, centre_ids)
    if row is None:
        raise NotFound
    return Asset.model_validate(dict(row))


async def list_assets(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    filters: dict[str, str | None],
    after: str,
    limit: int,
) -> list[Asset]:
    """Return assets within the caller's centres."""
    rows = await store.page(
        connection, branch_id, centre_ids, filters=filters, after=after, limit=limit
    )
    return [Asset.model_validate(dict(row)) for row in rows]


async def create_due(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
    """Create the next round of each asset whose time has come; return how many there were.

    After the service was down an asset has several to come; each pass creates the earliest.
    """
    today = business_day(now)
    if not await store.any_waiting(connection, branch_id, today):
        return 0
    await order_store.place_alone(connection, branch_id)
    due = await store.waiting(connection, branch_id, today, limit=_CREATED_AT_ONCE)
    for row in due:
        planned = await _next(connection, row)
        if planned is not None and planned.starts_on <= today:
            await _create(connection, row, planned, now)
        await _plan_next(connection, branch_id, row["asset_id"])
    return len(due)


async def _create(
    connection: AsyncConnection, asset: RowMapping, planned: PlannedRound, now: datetime
) -> None:
    branch_id, order_id = asset["branch_id"], f"PATROL-{new_id()}"
    version = (await in_force(connection, branch_id, planned.starts_on)).version
    created = await store.add(
        connection,
        {
            "branch_id": branch_id,
            "asset_id": asset["asset_id"],
            "starts_on": planned.starts_on,
            "ends_on": planned.ends_on,
            "due_at": planned.due_at,
            "limit_at": planned.limit_at,
            "order_id": order_id,
            "created_at": now,
            "created_late": business_day(now) > planned.starts_on,
        },
    )
    if not created:
        return
    starts_at = planned.starts_at
    clock = ServiceClock(
        starts_at, Counting.NATURAL, planned.due_at - starts_at, planned.limit_at - starts_at
    )
    await orders.create_patrol(
        connection, asset, order_id, Begun(version, TimeUnit.HOURS, clock), now=now
    )


async def _plan_next(connection: AsyncConnection, branch_id: int, asset_id: str) -> None:
    row = await store.load(connection, branch_id, asset_id, None)
    assert row is not None  # noqa: S101 - it was written in this transaction, or is locked by it
    planned = await _next(connection, row)
    await store.set_next(
        connection, branch_id, asset_id, None if planned is None else planned.starts_on
    )


async def _next(connection: AsyncConnection, row: RowMapping) -> PlannedRound | None:
    """Return the round of an asset that is still to be created, by the levels it begins under."""
    asset = _patrolled(row)
    begins = asset.from_day
    if asset.covered_to is not None:
        begins = max(begins, asset.covered_to + _DAY)
    return next_round(asset, await _levels(connection, row["branch_id"], row, begins))


def _patrolled(row: RowMapping) -> Patrolled:
    cycle = row["cycle"]
    return Patrolled(
        from_day=row["from_day"],
        cycle=None if cycle is None else Cycle.model_validate(cycle),
        retired_on=row["retired_on"],
        covered_to=row["covered_to"],
    )


async def _levels(
    connection: AsyncConnection, branch_id: int, asset: RowMapping, day: date
) -> LevelOn:
    """Return what the service levels say of an asset; those in force on a day hold for later."""
    kind, grade = AssetKind(asset["kind"]), AssetGrade(asset["grade"])
    found = patrol_level((await in_force(connection, branch_id, day)).patrols, kind, grade)

    def level_on(_: date) -> PatrolLevel | None:
        return found

    return level_on


async def coverage(
    connection: AsyncConnection,
    branch_id: int,
    period: int,
    centre_ids: AbstractSet[str] | None,
    *,
    now: datetime,
) -> RoundCoverage:
    """Return what has become of the rounds whose last day lies in a period.

    A round that is still to be created, after the service was down, counts like one that was.
    """
    first = first_day(Period(period))
    last = first_day(shift(Period(period), 1)) - _DAY
    found: dict[tuple[AssetKind, AssetGrade], list[Round]] = defaultdict(list)
    for row in await store.ending_in(connection, branch_id, centre_ids, (first, last)):
        found[_kind(row)].append(_round(dict(row), now))
    for asset in await store.page(
        connection, branch_id, centre_ids, filters={}, after="", limit=None
    ):
        levels = await _levels(connection, branch_id, asset, first)
        for planned in rounds_until(_patrolled(asset), levels, min(business_day(now), last)):
            if first <= planned.ends_on <= last:
                found[_kind(asset)].append(_uncreated(asset["asset_id"], planned, now))
    return RoundCoverage(
        period=period,
        kinds=[_of_kind(kind, grade, rounds) for (kind, grade), rounds in sorted(found.items())],
    )


def _kind(row: RowMapping) -> tuple[AssetKind, AssetGrade]:
    return AssetKind(row["kind"]), AssetGrade(row["grade"])


def _round(row: dict[str, Any], now: datetime) -> Round:
    state = round_state(
        due_at=row["due_at"], limit_at=row["limit_at"], finished_at=row["finished_at"], now=now
    )
    return Round.model_validate(row | {"state": state})


def _uncreated(asset_id: str, planned: PlannedRound, now: datetime) -> Round:
    row = {
        "asset_id": asset_id,
        "starts_on": planned.starts_on,
        "ends_on": planned.ends_on,
        "due_at": planned.due_at,
        "limit_at": planned.limit_at,
        "order_id": None,
        "created_late": True,
        "finished_at": None,
    }
    return _round(row, now)


def _of_kind(kind: AssetKind, grade: AssetGrade, rounds: list[Round]) -> RoundsOfKind:
    counts = {state: sum(one.state is state for one in rounds) for state in RoundState}
    return RoundsOfKind(
        kind=kind,
        grade=grade,
        due=len(rounds),
        rounds=sorted(rounds, key=lambda one: (one.asset_id, one.starts_on)),
        **{str(state): count for state, count in counts.items()},
    )
