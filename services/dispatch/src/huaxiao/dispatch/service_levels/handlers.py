"""Service levels: drafted, put in force by a second person, never changed from then on."""

from datetime import date, datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.level_table import DEFAULT_TABLE, table_faults
from huaxiao.dispatch.orders.store import place_alone
from huaxiao.dispatch.tables import service_levels, service_levels_in_force
from huaxiao.shared.drafting import Drafting
from huaxiao.shared.problems import Malformed, Problem
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


_LEVELS = Drafting(
    drafts=service_levels,
    in_force=service_levels_in_force,
    kind=ServiceLevels,
    own=lambda: DEFAULT_TABLE,
    unchangeable=LevelsInForce,
    out_of_order=LevelsOutOfOrder,
)


async def show(connection: AsyncConnection, branch_id: int, version: int) -> ServiceLevels:
    """Return a version; 0 is the suite's own."""
    return await _LEVELS.show(connection, branch_id, version)


async def list_versions(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> list[ServiceLevelsSummary]:
    """Return a county's own versions."""
    found = await _LEVELS.list_versions(connection, branch_id, after=after, limit=limit)
    return [ServiceLevelsSummary.model_validate(one.model_dump()) for one in found]


async def in_force(connection: AsyncConnection, branch_id: int, day: date) -> ServiceLevels:
    """Return the service levels in force on a day."""
    return await _LEVELS.in_force_on(connection, branch_id, day)


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
    return await _LEVELS.draft(
        connection, branch_id, version, given, if_match=if_match, drafted_by=drafted_by, now=now
    )


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
    return await _LEVELS.put_in_force(
        connection, branch_id, version, given.from_day, by=by, now=now
    )
