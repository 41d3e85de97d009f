"""Service levels: drafted, put in force by a second person, never changed from then on."""

from datetime import date, datetime
from functools import cache
from http import HTTPStatus

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.level_table import DEFAULT_TABLE, table_faults
from huaxiao.dispatch.orders.store import place_alone
from huaxiao.dispatch.service_levels import store
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Malformed, NotFound, Problem, TwoPeople
from huaxiao.shared.versions import require_version
from huaxiao.shared.wire.service_levels import (
    InForceIn,
    ServiceLevels,
    ServiceLevelsIn,
    ServiceLevelsSummary,
)


class LevelsInForce(Problem):
    """A version in force does not change; another version takes its place."""

    code = "service-levels-in-force"
    status = HTTPStatus.CONFLICT
    title = "These service levels are in force and do not change"
    title_zh = "该版服务时限已生效，不可变更"


class LevelsOutOfOrder(Problem):
    """Versions follow one another: each begins after the one before, and not in the past."""

    code = "service-levels-out-of-order"
    status = HTTPStatus.CONFLICT
    title = "A version begins today or later, and after every other"
    title_zh = "新版本须自今日或以后、且晚于其他版本之日起生效"


@cache
def _default() -> ServiceLevels:
    return ServiceLevels(
        **DEFAULT_TABLE.model_dump(),
        version=0,
        from_day=None,
        drafted_by=None,
        put_in_force_by=None,
    )


def _render(row: RowMapping) -> ServiceLevels:
    return ServiceLevels.model_validate(dict(row) | dict(row["given"]))


async def show(connection: AsyncConnection, branch_id: int, version: int) -> ServiceLevels:
    """Return a version; 0 is the suite's own."""
    if version == 0:
        return _default()
    row = await store.load(connection, branch_id, version)
    if row is None:
        raise NotFound
    return _render(row)


async def list_versions(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> list[ServiceLevelsSummary]:
    """Return a county's own versions."""
    rows = await store.page(connection, branch_id, after=after, limit=limit)
    return [ServiceLevelsSummary.model_validate(_render(row).model_dump()) for row in rows]


async def in_force(connection: AsyncConnection, branch_id: int, day: date) -> ServiceLevels:
    """Return the service levels in force on a day."""
    row = await store.in_force(connection, branch_id, day)
    return _default() if row is None else _render(row)


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    version: int,
    given: ServiceLevelsIn,
    *,
    if_match: str | None,
    drafted_by: str,
    now: datetime,
) -> tuple[ServiceLevels, bool]:
    """Draft a version, or rewrite it while it is a draft; say whether it is new.

    Raises:
        LevelsInForce: it is in force, and what is given differs from it.

    """
    await place_alone(connection, branch_id)
    faults = list(table_faults(given))
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
        return await show(connection, branch_id, version), True
    if held["given"] == row["given"]:
        return _render(held), False
    if held["from_day"] is not None:
        raise LevelsInForce
    await store.replace(connection, branch_id, version, row)
    return await show(connection, branch_id, version), False


async def put_in_force(
    connection: AsyncConnection,
    branch_id: int,
    version: int,
    given: InForceIn,
    *,
    by: str,
    now: datetime,
) -> ServiceLevels:
    """Let a version be in force from a day on, as a second person; again changes nothing.

    Raises:
        LevelsOutOfOrder: the day has passed, or another version begins on it or later.

    """
    # No order is placed meanwhile: which version judges it is settled once.
    await place_alone(connection, branch_id)
    held = await show(connection, branch_id, version)
    if held.from_day == given.from_day:
        return held
    if held.from_day is not None:
        raise LevelsInForce
    if held.drafted_by == by:
        raise TwoPeople
    last = await store.last_day(connection, branch_id)
    if given.from_day < business_day(now) or (last is not None and given.from_day <= last):
        raise LevelsOutOfOrder(last_from_day=None if last is None else last.isoformat())
    await store.put_in_force(
        connection,
        {
            "branch_id": branch_id,
            "version": version,
            "from_day": given.from_day,
            "put_in_force_by": by,
            "put_in_force_at": now,
        },
    )
    return await show(connection, branch_id, version)
