"""Scorecards: drafted, put in force by a second person, never changed from then on."""

from datetime import datetime
from http import HTTPStatus

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.scorecard_rules import default_scorecard, scorecard_faults
from huaxiao.dispatch.tables import scorecards, scorecards_in_force
from huaxiao.shared.drafting import Drafting
from huaxiao.shared.periods import Period, first_day
from huaxiao.shared.problems import Malformed, Problem
from huaxiao.shared.wire.scorecards import (
    Scorecard,
    ScorecardIn,
    ScorecardInForceIn,
    ScorecardSummary,
)

_DRAFTING = 32
"""Class of the advisory locks under which a branch's scorecards are drafted and put in force."""


class ScorecardInForce(Problem):
    """A version in force does not change; another version takes its place."""

    code = "scorecard-in-force"
    status = HTTPStatus.CONFLICT
    title = "These scorecards are in force and do not change"
    title_zh = "该版考核评分表已生效，不可变更"


class ScorecardOutOfOrder(Problem):
    """Versions follow one another: each begins after the one before, and not in the past."""

    code = "scorecard-out-of-order"
    status = HTTPStatus.CONFLICT
    title = "A version begins with a month whose first day is today or later, and after every other"
    title_zh = "新版本须自首日不早于今日的账期、且晚于其他版本起生效"


_SCORECARDS = Drafting(
    drafts=scorecards,
    in_force=scorecards_in_force,
    kind=Scorecard,
    own=default_scorecard,
    unchangeable=ScorecardInForce,
    out_of_order=ScorecardOutOfOrder,
)


async def _draft_alone(connection: AsyncConnection, branch_id: int) -> None:
    await connection.execute(select(func.pg_advisory_xact_lock(_DRAFTING, branch_id)))


async def show(connection: AsyncConnection, branch_id: int, version: int) -> Scorecard:
    """Return a version; 0 is the suite's own."""
    return await _SCORECARDS.show(connection, branch_id, version)


async def list_versions(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> list[ScorecardSummary]:
    """Return a county's own versions."""
    found = await _SCORECARDS.list_versions(connection, branch_id, after=after, limit=limit)
    return [ScorecardSummary.model_validate(one.model_dump()) for one in found]


async def of_period(connection: AsyncConnection, branch_id: int, period: int) -> Scorecard:
    """Return the scorecards in force in a month."""
    return await _SCORECARDS.in_force_on(connection, branch_id, first_day(Period(period)))


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    version: int,
    given: ScorecardIn,
    *,
    if_match: str | None,
    drafted_by: str,
    now: datetime,
) -> tuple[Scorecard, bool]:
    """Draft a version, or rewrite it while it is a draft; say whether it is new.

    Raises:
        ScorecardInForce: it is in force, and what is given differs from it.

    """
    await _draft_alone(connection, branch_id)
    faults = list(scorecard_faults(given))
    if faults:
        raise Malformed(faults=faults)
    return await _SCORECARDS.draft(
        connection, branch_id, version, given, if_match=if_match, drafted_by=drafted_by, now=now
    )


async def put_in_force(
    connection: AsyncConnection,
    branch_id: int,
    version: int,
    given: ScorecardInForceIn,
    *,
    by: str,
    now: datetime,
) -> Scorecard:
    """Let a version be in force from a month on, as a second person; again changes nothing.

    Raises:
        ScorecardOutOfOrder: the month's first day has passed, or another version begins with it or later.

    """
    await _draft_alone(connection, branch_id)
    day = first_day(Period(given.from_period))
    return await _SCORECARDS.put_in_force(connection, branch_id, version, day, by=by, now=now)
