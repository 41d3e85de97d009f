"""Figures as data: drafted, put in force by a second person, never changed from then on."""

from datetime import datetime
from http import HTTPStatus
from typing import Literal

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county.store import decide_alone, require_branch
from huaxiao.kpi.domain.built_in import BUILT_IN
from huaxiao.kpi.domain.formulas import faults_of
from huaxiao.kpi.domain.named import all_named, base_from_contract
from huaxiao.kpi.figure_sets import store
from huaxiao.shared.periods import period_of, shift
from huaxiao.shared.problems import Malformed, NotFound, Problem, TwoPeople
from huaxiao.shared.versions import require_version
from huaxiao.shared.wire.figures import (
    FigureSet,
    FigureSetIn,
    FigureSetSummary,
    FiguresInForceIn,
    NamedMeasure,
)

_MOST_MONTHS_AHEAD = 12


class FiguresInForce(Problem):
    """A version in force does not change; another version takes its place."""

    code = "figures-in-force"
    status = HTTPStatus.CONFLICT
    title = "These figures are in force and do not change"
    title_zh = "该版指标定义已生效，不可变更"


class FiguresOutOfOrder(Problem):
    """Versions follow one another: each begins after the one before, neither in the past nor far ahead.

    One that began in decades would let none begin before it, and could not be taken back.
    """

    code = "figures-out-of-order"
    status = HTTPStatus.CONFLICT
    title = "A version begins this month or within a year, and after every other"
    title_zh = "新版本须自本月起一年内、且晚于其他版本之账期起生效"


def _render(row: RowMapping) -> FigureSet:
    return FigureSet.model_validate(
        dict(row) | {"figures": row["given"]["figures"], "built_in": BUILT_IN}
    )


async def show(connection: AsyncConnection, branch_id: int, version: int) -> FigureSet:
    """Return a version; 0 has the built-in figures alone."""
    await require_branch(connection, branch_id)
    return await _show(connection, branch_id, version)


async def _show(connection: AsyncConnection, branch_id: int, version: int) -> FigureSet:
    if version == 0:
        return _own()
    row = await store.load(connection, branch_id, version)
    if row is None:
        raise NotFound
    return _render(row)


def _own() -> FigureSet:
    return FigureSet(
        version=0,
        from_period=None,
        drafted_by=None,
        put_in_force_by=None,
        figures=[],
        built_in=list(BUILT_IN),
    )


async def named_measures(connection: AsyncConnection, branch_id: int) -> list[NamedMeasure]:
    """Return what formulas may name."""
    await require_branch(connection, branch_id)

    def base(measure: str) -> Literal["contract", "booked"]:
        return "contract" if base_from_contract(measure) else "booked"

    return [
        NamedMeasure(
            measure=measure, unit=unit, meaning=meaning, meaning_zh=meaning_zh, base=base(measure)
        )
        for measure, unit, meaning, meaning_zh in all_named()
    ]


async def list_versions(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> list[FigureSetSummary]:
    """Return a county's own versions."""
    await require_branch(connection, branch_id)
    rows = await store.page(connection, branch_id, after=after, limit=limit)
    return [FigureSetSummary.model_validate(dict(row)) for row in rows]


async def in_force(
    connection: AsyncConnection, branch_id: int, period: int, known_at: datetime | None = None
) -> FigureSet:
    """Return the figures in force in a period, as was known at a moment."""
    await require_branch(connection, branch_id, known_at)
    row = await store.in_force(connection, branch_id, period, known_at)
    return _own() if row is None else _render(row)


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    version: int,
    given: FigureSetIn,
    *,
    if_match: str | None,
    drafted_by: str,
    now: datetime,
) -> tuple[FigureSet, bool]:
    """Draft a version, or rewrite it while it is a draft; say whether it is new.

    Raises:
        Malformed: a formula names what is not there, comes back to itself, adds what cannot be
            added or divides by nothing; the faults say where.
        FiguresInForce: it is in force, and what is given differs from it.

    """
    await require_branch(connection, branch_id)
    await decide_alone(connection, branch_id)
    faults = list(faults_of(given.figures))
    if faults:
        raise Malformed(faults=faults)
    row = {
        "given": given.model_dump(mode="json"),
        "drafted_by": drafted_by,
        "drafted_at": now,
    }
    held = await store.load(connection, branch_id, version)
    require_version(if_match, None if held is None else _render(held))
    if held is None:
        await store.add(connection, row | {"branch_id": branch_id, "version": version})
        return await _show(connection, branch_id, version), True
    if held["given"] == row["given"]:
        return _render(held), False
    if held["from_period"] is not None:
        raise FiguresInForce
    await store.replace(connection, branch_id, version, row)
    return await _show(connection, branch_id, version), False


async def put_in_force(
    connection: AsyncConnection,
    branch_id: int,
    version: int,
    given: FiguresInForceIn,
    *,
    by: str,
    now: datetime,
) -> FigureSet:
    """Let a version judge from a month on, as a second person; again changes nothing.

    Raises:
        FiguresOutOfOrder: the month has passed or lies too far ahead, or another version begins in it
            or later.

    """
    await require_branch(connection, branch_id)
    await decide_alone(connection, branch_id)
    held = await _show(connection, branch_id, version)
    if held.from_period == given.from_period:
        return held
    if held.from_period is not None:
        raise FiguresInForce
    if held.drafted_by == by:
        raise TwoPeople
    last = await store.last_period(connection, branch_id)
    present = period_of(now)
    soon = present <= given.from_period <= shift(present, _MOST_MONTHS_AHEAD)
    if not soon or (last is not None and given.from_period <= last):
        raise FiguresOutOfOrder(last_from_period=last)
    await store.put_in_force(
        connection,
        {
            "branch_id": branch_id,
            "version": version,
            "from_period": given.from_period,
            "put_in_force_by": by,
            "put_in_force_at": now,
        },
    )
    return await _show(connection, branch_id, version)
