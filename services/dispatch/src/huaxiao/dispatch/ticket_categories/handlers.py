"""Ticket categories: drafted, activated, asked for."""

from datetime import date, datetime
from http import HTTPStatus

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.ticket_categories import DEFAULT_CATEGORIES, category_faults
from huaxiao.dispatch.ticket_categories import store
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Malformed, NotFound, Problem, TwoPeople
from huaxiao.shared.versions import require_version
from huaxiao.shared.wire.tickets import (
    CategoryActivationIn,
    CategorySet,
    CategorySetIn,
    CategorySetSummary,
)

_DEFAULT = CategorySet(
    **DEFAULT_CATEGORIES.model_dump(),
    version=0,
    from_day=None,
    drafted_by=None,
    activated_by=None,
)


class CategoriesActive(Problem):
    """An active version does not change; another version takes its place."""

    code = "categories-active"
    status = HTTPStatus.CONFLICT
    title = "The version is active and does not change"
    title_zh = "该版本已生效，不可变更"


class CategoriesOutOfOrder(Problem):
    """Versions follow one another: each begins after the one before, and not in the past."""

    code = "categories-out-of-order"
    status = HTTPStatus.CONFLICT
    title = "A version begins today or later, and after every other"
    title_zh = "新版本须自今日或以后、且晚于其他版本之日起生效"


def _render(row: RowMapping) -> CategorySet:
    return CategorySet.model_validate(dict(row) | dict(row["given"]))


async def show(connection: AsyncConnection, branch_id: int, version: int) -> CategorySet:
    """Return a version; 0 is the suite's own."""
    if version == 0:
        return _DEFAULT
    row = await store.load(connection, branch_id, version)
    if row is None:
        raise NotFound
    return _render(row)


async def list_versions(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> list[CategorySetSummary]:
    """Return a branch's own versions."""
    rows = await store.page(connection, branch_id, after=after, limit=limit)
    return [CategorySetSummary.model_validate(_render(row).model_dump()) for row in rows]


async def in_force(connection: AsyncConnection, branch_id: int, day: date) -> CategorySet:
    """Return the categories in force on a day."""
    row = await store.in_force(connection, branch_id, day)
    return _DEFAULT if row is None else _render(row)


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    version: int,
    given: CategorySetIn,
    *,
    if_match: str | None,
    drafted_by: str,
    now: datetime,
) -> tuple[CategorySet, bool]:
    """Draft a version, or rewrite it while it is a draft; say whether it is new.

    Raises:
        CategoriesActive: it is active, and what is given differs from it.

    """
    await store.draft_alone(connection, branch_id)
    faults = list(category_faults(given))
    if faults:
        raise Malformed(faults=faults)
    row = {"given": given.model_dump(mode="json"), "drafted_by": drafted_by, "drafted_at": now}
    held = await store.load(connection, branch_id, version)
    require_version(if_match, None if held is None else _render(held))
    if held is None:
        await store.add(connection, row | {"branch_id": branch_id, "version": version})
        return await show(connection, branch_id, version), True
    if held["given"] == row["given"]:
        return _render(held), False
    if held["from_day"] is not None:
        raise CategoriesActive
    await store.replace(connection, branch_id, version, row)
    return await show(connection, branch_id, version), False


async def activate(
    connection: AsyncConnection,
    branch_id: int,
    version: int,
    given: CategoryActivationIn,
    *,
    activated_by: str,
    now: datetime,
) -> CategorySet:
    """Let a version be in force from a day on, as a second person; again changes nothing.

    Raises:
        CategoriesOutOfOrder: the day has passed, or another version begins on it or later.

    """
    await store.draft_alone(connection, branch_id)
    held = await show(connection, branch_id, version)
    if held.from_day == given.from_day:
        return held
    if held.from_day is not None:
        raise CategoriesActive
    if held.drafted_by == activated_by:
        raise TwoPeople
    last = await store.last_day(connection, branch_id)
    if given.from_day < business_day(now) or (last is not None and given.from_day <= last):
        raise CategoriesOutOfOrder(last_from_day=None if last is None else last.isoformat())
    await store.activate(
        connection,
        {
            "branch_id": branch_id,
            "version": version,
            "from_day": given.from_day,
            "activated_by": activated_by,
            "activated_at": now,
        },
    )
    return await show(connection, branch_id, version)
