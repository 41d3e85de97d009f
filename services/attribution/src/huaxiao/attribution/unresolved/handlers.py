"""Unresolved lines: since when, who works them off, and how much of a month they may be."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.unresolved import age_days, unresolved_since
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.unresolved import store
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Fault, NotFound, Problem
from huaxiao.shared.wire.attribution import (
    UnresolvedAssignment,
    UnresolvedAssignmentIn,
    UnresolvedLimits,
    UnresolvedLine,
)


class AssignmentNotPossible(Problem):
    """A line is worked off by a person of the branch."""

    code = "assignment-not-possible"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The line cannot be assigned to this person"
    title_zh = "不能将该用户指派给此人"


async def set_limits(
    connection: AsyncConnection, branch_id: int, given: UnresolvedLimits, *, by: str, now: datetime
) -> UnresolvedLimits:
    """Set how much may be unresolved, and for how long.

    Raises:
        NotFound: the branch is not known.

    """
    if await intake.lock(connection, branch_id) is None:
        raise NotFound
    if await store.limits(connection, branch_id) != given:
        await store.set_limits(connection, branch_id, given, by=by, now=now)
    return given


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: int,
    flag: str | None,
    assignee_id: str | None,
    unassigned: bool | None,
    centre_ids: AbstractSet[str] | None,
    after: str,
    limit: int,
    now: datetime,
) -> list[UnresolvedLine]:
    """Return a month's unresolved lines with their age, in as many queries for many as for one."""
    rows = await store.page(
        connection,
        branch_id,
        period=period,
        flag=flag,
        assignee_id=assignee_id,
        unassigned=unassigned,
        centre_ids=centre_ids,
        after=after,
        limit=limit,
    )
    limits = await store.limits(connection, branch_id)
    decided = await store.decided(
        connection, branch_id, period, [row.subscription_id for row in rows]
    )
    found = []
    for row in rows:
        since = unresolved_since(decided[row.subscription_id])
        age = age_days(since, now)
        values = dict(row._mapping) | {  # noqa: SLF001 - SQLAlchemy's name
            "revenue_fen": int(row.revenue_fen),
            "since": since,
            "age_days": age,
            "overdue": age > limits.overdue_days,
        }
        found.append(UnresolvedLine.model_validate(values))
    return found


async def assign(
    connection: AsyncConnection,
    branch_id: int,
    subscription_id: str,
    given: UnresolvedAssignmentIn,
    *,
    by: str,
    now: datetime,
) -> UnresolvedAssignment:
    """Say who is to work off a line; who was to before stays on record.

    Raises:
        NotFound: the branch or the line is not known.
        AssignmentNotPossible: the person is none of the branch.

    """
    if await intake.lock(connection, branch_id) is None:
        raise NotFound
    if not await store.is_line(connection, branch_id, subscription_id):
        raise NotFound
    today = business_day(now)
    if given.person_id is not None and not await store.works_here(
        connection, branch_id, given.person_id, today
    ):
        message = f"nobody of the branch is {given.person_id}"
        unknown = Fault("/person_id", "unknown", message, f"本县无此人员 {given.person_id}")
        raise AssignmentNotPossible(faults=[unknown])
    newest = await store.newest_assignment(connection, branch_id, subscription_id)
    if newest is not None and newest.person_id == given.person_id:
        return newest
    assignment = UnresolvedAssignment(
        number=newest.number + 1 if newest else 1,
        subscription_id=subscription_id,
        person_id=given.person_id,
        assigned_by=by,
        assigned_at=now,
    )
    await store.assign(connection, branch_id, assignment)
    return assignment
