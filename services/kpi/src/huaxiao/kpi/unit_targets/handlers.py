"""Units' targets: drafted, confirmed by a second person, withdrawn with a reason; and their progress."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county import store as county_store
from huaxiao.kpi.domain import named
from huaxiao.kpi.domain.goals import Goal
from huaxiao.kpi.figure_sets import handlers as figure_sets
from huaxiao.kpi.unit_targets import store
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Fault, Forbidden, Malformed, NotFound, Problem, TwoPeople
from huaxiao.shared.wire.figures import Direction, FigureIn
from huaxiao.shared.wire.unit_targets import (
    UnitTarget,
    UnitTargetIn,
    UnitTargetState,
)


class TargetInForce(Problem):
    """A target that holds, or held, does not change; it is withdrawn and another set."""

    code = "target-in-force"
    status = HTTPStatus.CONFLICT
    title = "This target is in force or withdrawn and does not change"
    title_zh = "该目标已生效或已撤销，不可变更"


class OverlappingTargets(Problem):
    """A unit has one target of a measure, or of a figure, in each month."""

    code = "overlapping-targets"
    status = HTTPStatus.CONFLICT
    title = "The unit has such a target in some of these months already"
    title_zh = "该单元在其中某些账期已有同一度量或指标的目标"


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    target_id: str,
    given: UnitTargetIn,
    *,
    principal: Principal,
    now: datetime,
) -> tuple[UnitTarget, bool]:
    """Draft a target, or rewrite it while it is a draft; the province's holds at once.

    Raises:
        Malformed: the unit, the measure or the figure is not there, or the months run backwards.
        OverlappingTargets: the unit has one in some of these months.
        TargetInForce: it is in force or withdrawn, and what is given differs from it.

    """
    await county_store.require_branch(connection, branch_id)
    await county_store.decide_alone(connection, branch_id)
    figure = await _figure(connection, branch_id, given)
    faults = [fault async for fault in _faults(connection, branch_id, given, figure)]
    if faults:
        raise Malformed(faults=faults)
    natural = Direction.HIGHER if figure is None else figure.direction
    wanted = given.model_dump(mode="json") | {"direction": given.direction or natural}
    row = wanted | {"drafted_by": principal.subject, "drafted_at": now}
    held = await store.load(connection, branch_id, target_id)
    of_province = Role.PROVINCE in principal.roles
    same = held is not None and all(held[name] == row[name] for name in wanted)
    state = UnitTargetState.DRAFT if held is None else render(held).state
    if held is not None and same and (state is not UnitTargetState.DRAFT or not of_province):
        return render(held), False
    if state is not UnitTargetState.DRAFT:
        raise TargetInForce
    await _require_room(connection, branch_id, target_id, given)
    if held is None:
        await store.add(connection, row | {"branch_id": branch_id, "target_id": target_id})
    else:
        await store.replace(connection, branch_id, target_id, row)
    if of_province:
        await store.confirm(connection, branch_id, target_id, by=principal.subject, now=now)
    return await show(connection, branch_id, target_id), held is None


async def confirm(
    connection: AsyncConnection, branch_id: int, target_id: str, *, by: str, now: datetime
) -> UnitTarget:
    """Let a target hold, as a second person; again changes nothing.

    Raises:
        OverlappingTargets: another has come to hold in some of its months meanwhile.
        TargetInForce: it was withdrawn.

    """
    await county_store.require_branch(connection, branch_id)
    await county_store.decide_alone(connection, branch_id)
    held = await show(connection, branch_id, target_id)
    if held.state is UnitTargetState.IN_FORCE:
        return held
    if held.state is UnitTargetState.WITHDRAWN:
        raise TargetInForce
    if held.drafted_by == by:
        raise TwoPeople
    await _require_room(connection, branch_id, target_id, held)
    await store.confirm(connection, branch_id, target_id, by=by, now=now)
    return await show(connection, branch_id, target_id)


async def withdraw(
    connection: AsyncConnection,
    branch_id: int,
    target_id: str,
    *,
    reason: str,
    principal: Principal,
    now: datetime,
) -> UnitTarget:
    """Let a target hold no more; what it was stays known.

    Raises:
        Forbidden: the province set it, and the caller is not the province.

    """
    await county_store.require_branch(connection, branch_id)
    await county_store.decide_alone(connection, branch_id)
    held = await show(connection, branch_id, target_id)
    # Whoever else confirms is a second person.
    of_province = held.confirmed_by is not None and held.confirmed_by == held.drafted_by
    if of_province and Role.PROVINCE not in principal.roles:
        raise Forbidden
    if held.state is not UnitTargetState.WITHDRAWN:
        await store.withdraw(
            connection, branch_id, target_id, reason=reason, by=principal.subject, now=now
        )
    return await show(connection, branch_id, target_id)


async def show(connection: AsyncConnection, branch_id: int, target_id: str) -> UnitTarget:
    """Return a target."""
    row = await store.load(connection, branch_id, target_id)
    if row is None:
        raise NotFound
    return render(row)


async def list_targets(
    connection: AsyncConnection,
    branch_id: int,
    *,
    centre_ids: frozenset[str] | None,
    after: str,
    limit: int,
) -> list[UnitTarget]:
    """Return the targets the caller may see."""
    await county_store.require_branch(connection, branch_id)
    rows = await store.page(connection, branch_id, centre_ids=centre_ids, after=after, limit=limit)
    return [render(row) for row in rows]


def render(row: RowMapping | Mapping[str, Any]) -> UnitTarget:
    """Tell a target with how far it has come."""
    state = UnitTargetState.DRAFT
    if row["confirmed_at"] is not None:
        state = UnitTargetState.IN_FORCE
    if row["withdrawn_at"] is not None:
        state = UnitTargetState.WITHDRAWN
    counted = None if row["measure"] is None else named.unit_counted(row["measure"])
    return UnitTarget.model_validate(dict(row) | {"state": state, "unit": counted})


async def _figure(
    connection: AsyncConnection, branch_id: int, given: UnitTargetIn
) -> FigureIn | None:
    """Return the figure that a goal is of, as it is in force in the goal's first month."""
    if given.figure is None:
        return None
    figures = await figure_sets.in_force(connection, branch_id, given.from_period)
    return next(
        (one for one in (*figures.built_in, *figures.figures) if one.figure == given.figure), None
    )


async def _faults(
    connection: AsyncConnection, branch_id: int, given: UnitTargetIn, figure: FigureIn | None
) -> AsyncIterator[Fault]:
    if given.from_period > given.to_period:
        yield Fault("/to_period", "bad-span", "the months run backwards", "账期区间首尾颠倒")
    for fault in _faults_of_measure(given.measure) if given.measure else _of_goal(given, figure):
        yield fault
    if given.centre_id is not None:
        called = await county_store.names(connection, branch_id, Period(given.from_period))
        if given.centre_id not in called.centres or given.centre_id in called.closed:
            yield Fault(
                "/centre_id",
                "unknown-reference",
                f"there is no centre {given.centre_id} in {given.from_period}",
                f"{given.from_period} 账期没有中心 {given.centre_id}",
            )


def _faults_of_measure(measure: str) -> Iterator[Fault]:
    if named.unit_named(measure) is None:
        yield Fault(
            "/measure",
            "unknown-measure",
            f"there is no measure {measure}",
            f"没有度量 {measure}",
        )
    elif not named.adds_up(measure):
        yield Fault(
            "/measure",
            "not-additive",
            f"{measure} is a mean: centres' do not add up to the county's",
            f"{measure} 是均值，各中心之和不等于全县",
        )


def _of_goal(given: UnitTargetIn, figure: FigureIn | None) -> Iterator[Fault]:
    if figure is None:
        yield Fault(
            "/figure",
            "unknown-figure",
            f"no figure {given.figure} is in force in {given.from_period}",
            f"{given.from_period} 账期没有生效的指标 {given.figure}",
        )
        return
    if given.direction not in {None, figure.direction}:
        yield _mismatch("/direction", str(given.direction), figure)
    if given.goal is not None and Goal.of(given.goal).direction is not figure.direction:
        yield _mismatch("/goal/comparison", given.goal.comparison, figure)


def _mismatch(pointer: str, said: str, figure: FigureIn) -> Fault:
    return Fault(
        pointer,
        "direction-mismatch",
        f"of {figure.figure}, {figure.direction} is better: {said} does not fit",
        f"指标 {figure.figure} 以 {figure.direction} 为优，与 {said} 不符",
    )


async def _require_room(
    connection: AsyncConnection, branch_id: int, target_id: str, wanted: UnitTargetIn | UnitTarget
) -> None:
    rows = await store.in_force(
        connection, branch_id, first=wanted.from_period, last=wanted.to_period
    )
    taken = [
        row["target_id"]
        for row in rows
        if row["target_id"] != target_id
        and (row["measure"], row["figure"], row["centre_id"])
        == (wanted.measure, wanted.figure, wanted.centre_id)
    ]
    if taken:
        raise OverlappingTargets(target_ids=taken)


async def in_force(
    connection: AsyncConnection,
    branch_id: int,
    *,
    first: Period,
    last: Period,
    known_at: datetime | None = None,
) -> list[UnitTarget]:
    """Return the targets in force in some month, as was known at a moment."""
    rows = await store.in_force(connection, branch_id, first=first, last=last, known_at=known_at)
    # One that was withdrawn since was not withdrawn then.
    return [render(dict(row) | _NOT_WITHDRAWN) for row in rows]


_NOT_WITHDRAWN = dict.fromkeys(("withdrawn_by", "withdrawn_at", "withdrawn_because"))
