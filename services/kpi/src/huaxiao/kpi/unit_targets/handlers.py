"""Units' targets: drafted, confirmed by a second person, withdrawn with a reason; and their progress."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county import store as county_store
from huaxiao.kpi.county.loading import County, Shown, load
from huaxiao.kpi.definitions.rendering import reasons
from huaxiao.kpi.domain import named
from huaxiao.kpi.domain.goals import shown
from huaxiao.kpi.domain.progress import Months, on_schedule
from huaxiao.kpi.unit_targets import store
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.periods import Period, business_day, last_day, periods_from
from huaxiao.shared.problems import Fault, Malformed, NotFound, Problem, TwoPeople
from huaxiao.shared.wire.figures import Direction, ShownAs
from huaxiao.shared.wire.kpi import Quotient, Span
from huaxiao.shared.wire.unit_targets import (
    Progress,
    ProgressReport,
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
    """A unit has one target of a measure in each month."""

    code = "overlapping-targets"
    status = HTTPStatus.CONFLICT
    title = "The unit has a target of this measure in some of these months already"
    title_zh = "该单元在其中某些账期已有同一度量的目标"


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
        Malformed: the unit or the measure is not there, or the months run backwards.
        OverlappingTargets: the unit has one in some of these months.
        TargetInForce: it is in force or withdrawn, and what is given differs from it.

    """
    await county_store.require_branch(connection, branch_id)
    await county_store.decide_alone(connection, branch_id)
    faults = [fault async for fault in _faults(connection, branch_id, given)]
    if faults:
        raise Malformed(faults=faults)
    row = given.model_dump(mode="json") | {
        "drafted_by": principal.subject,
        "drafted_at": now,
    }
    held = await store.load(connection, branch_id, target_id)
    if held is not None and all(held[name] == row[name] for name in given.model_dump()):
        return render(held), False
    if held is not None and held["confirmed_at"] is not None:
        raise TargetInForce
    await _require_room(connection, branch_id, target_id, given)
    if held is None:
        await store.add(connection, row | {"branch_id": branch_id, "target_id": target_id})
    else:
        await store.replace(connection, branch_id, target_id, row)
    if Role.PROVINCE in principal.roles:
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
    by: str,
    now: datetime,
) -> UnitTarget:
    """Let a target hold no more; what it was stays known."""
    await county_store.require_branch(connection, branch_id)
    await county_store.decide_alone(connection, branch_id)
    held = await show(connection, branch_id, target_id)
    if held.state is not UnitTargetState.WITHDRAWN:
        await store.withdraw(connection, branch_id, target_id, reason=reason, by=by, now=now)
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
    counted = named.unit_counted(row["measure"])
    return UnitTarget.model_validate(dict(row) | {"state": state, "unit": counted})


async def _faults(
    connection: AsyncConnection, branch_id: int, given: UnitTargetIn
) -> AsyncIterator[Fault]:
    if given.from_period > given.to_period:
        yield Fault("/to_period", "bad-span", "the months run backwards", "账期区间首尾颠倒")
    if named.unit_named(given.measure) is None:
        yield Fault(
            "/measure",
            "unknown-measure",
            f"there is no measure {given.measure}",
            f"没有度量 {given.measure}",
        )
    elif not named.adds_up(given.measure):
        yield Fault(
            "/measure",
            "not-additive",
            f"{given.measure} is a mean: centres' do not add up to the county's",
            f"{given.measure} 是均值，各中心之和不等于全县",
        )
    if given.centre_id is not None:
        called = await county_store.names(connection, branch_id, Period(given.from_period))
        if given.centre_id not in called.centres or given.centre_id in called.closed:
            yield Fault(
                "/centre_id",
                "unknown-reference",
                f"there is no centre {given.centre_id} in {given.from_period}",
                f"{given.from_period} 账期没有中心 {given.centre_id}",
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
        and (row["measure"], row["centre_id"]) == (wanted.measure, wanted.centre_id)
    ]
    if taken:
        raise OverlappingTargets(target_ids=taken)


async def progress(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: Period,
    centre_ids: frozenset[str] | None,
    with_county: bool,
    known_at: datetime | None,
    today: date,
) -> ProgressReport:
    """Tell how far the targets in force in a month are by its end, or by the day it is."""
    rows = await store.in_force(connection, branch_id, first=period, last=period, known_at=known_at)
    held = [render(row) for row in rows]
    starts = {Period(one.from_period) for one in held} | {period}
    loaded = await load(
        connection,
        branch_id,
        period=period,
        span=Span.MONTH,
        centre_ids=centre_ids,
        with_county=with_county,
        known_at=known_at,
        starts=starts,
    )
    everywhere = await _within(connection, branch_id, held, known_at)
    day = min(last_day(period), today if known_at is None else business_day(known_at))
    found = []
    for one in held:
        unit = loaded.shown(one.centre_id)
        if unit is not None:
            found.append(_progress(loaded, unit, one, everywhere, period=period, day=day))
    return ProgressReport(branch_id=branch_id, period=period, known_at=known_at, targets=found)


async def _within(
    connection: AsyncConnection,
    branch_id: int,
    held: Sequence[UnitTarget],
    known_at: datetime | None,
) -> list[UnitTarget]:
    """Return the centres' targets of any month of the county's."""
    whole = [one for one in held if one.centre_id is None]
    if not whole:
        return []
    rows = await store.in_force(
        connection,
        branch_id,
        first=min(one.from_period for one in whole),
        last=max(one.to_period for one in whole),
        known_at=known_at,
    )
    return [one for one in map(render, rows) if one.centre_id is not None]


def _progress(
    county: County,
    unit: Shown,
    target: UnitTarget,
    others: Sequence[UnitTarget],
    *,
    period: Period,
    day: date,
) -> Progress:
    months = Months(Period(target.from_period), Period(target.to_period))
    so_far = tuple(periods_from(months.first, period))
    known = county.known(unit.over(so_far))
    found = named.now(known, target.measure)
    amount = None if found.amount is None else found.amount.numerator
    elapsed = months.elapsed(day)
    parts = list(_parts(target, months, others))
    broken_down = sum(one.value for one in parts) if target.centre_id is None else None
    return Progress(
        target=target,
        name=unit.name,
        name_zh=unit.name_zh,
        amount=amount,
        reasons=reasons(found.causes),
        completion=None if amount is None else Quotient(numerator=amount, denominator=target.value),
        completion_display=None if amount is None else _percent(amount, target.value),
        elapsed=Quotient(numerator=elapsed[0], denominator=elapsed[1]),
        elapsed_display=_percent(*elapsed),
        on_schedule=None
        if amount is None
        else on_schedule(amount, target.value, elapsed, Direction(target.direction)),
        provisional=county.provisional(unit.over(so_far)),
        broken_down=broken_down,
        not_broken_down=None if broken_down is None else target.value - broken_down,
        centre_targets=[one.target_id for one in parts],
    )


def _parts(
    target: UnitTarget, months: Months, others: Sequence[UnitTarget]
) -> Iterator[UnitTarget]:
    if target.centre_id is not None:
        return
    for one in others:
        within = months.hold(Months(Period(one.from_period), Period(one.to_period)))
        if one.measure == target.measure and within:
            yield one


def _percent(numerator: int, denominator: int) -> str:
    return shown(numerator, denominator, None, shown_as=ShownAs.PERCENT, decimals=2)
