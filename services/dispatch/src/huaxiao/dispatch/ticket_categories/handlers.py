"""Ticket categories: drafted, activated, asked for."""

from datetime import date, datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.ticket_categories import DEFAULT_CATEGORIES, category_faults
from huaxiao.dispatch.tables import ticket_category_activations, ticket_category_sets
from huaxiao.dispatch.ticket_categories import store
from huaxiao.shared.drafting import Drafting
from huaxiao.shared.problems import Malformed, Problem
from huaxiao.shared.wire.tickets import (
    CategoryActivationIn,
    CategorySet,
    CategorySetIn,
    CategorySetSummary,
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


_SETS = Drafting(
    drafts=ticket_category_sets,
    in_force=ticket_category_activations,
    kind=CategorySet,
    own=lambda: DEFAULT_CATEGORIES,
    unchangeable=CategoriesActive,
    out_of_order=CategoriesOutOfOrder,
    put_by="activated_by",
    put_at="activated_at",
)


async def show(connection: AsyncConnection, branch_id: int, version: int) -> CategorySet:
    """Return a version; 0 is the suite's own."""
    return await _SETS.show(connection, branch_id, version)


async def list_versions(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> list[CategorySetSummary]:
    """Return a branch's own versions."""
    found = await _SETS.list_versions(connection, branch_id, after=after, limit=limit)
    return [CategorySetSummary.model_validate(one.model_dump()) for one in found]


async def in_force(connection: AsyncConnection, branch_id: int, day: date) -> CategorySet:
    """Return the categories in force on a day."""
    return await _SETS.in_force_on(connection, branch_id, day)


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
    return await _SETS.draft(
        connection, branch_id, version, given, if_match=if_match, drafted_by=drafted_by, now=now
    )


async def activate(
    connection: AsyncConnection,
    branch_id: int,
    version: int,
    given: CategoryActivationIn,
    *,
    by: str,
    now: datetime,
) -> CategorySet:
    """Let a version be in force from a day on, as a second person; again changes nothing.

    Raises:
        CategoriesOutOfOrder: the day has passed, or another version begins on it or later.

    """
    await store.draft_alone(connection, branch_id)
    return await _SETS.put_in_force(connection, branch_id, version, given.from_day, by=by, now=now)
