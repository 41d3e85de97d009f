"""Rows of unresolved lines, of who is to work them off, and of how much may be unresolved."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    and_,
    func,
    lateral,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.disputes.contested import about
from huaxiao.attribution.domain.unresolved import Decided
from huaxiao.attribution.ledger.store import net_revenue
from huaxiao.attribution.tables import (
    branches,
    decisions,
    disputes,
    entries,
    people,
    ruled_subscriptions,
    ruling_approvals,
    rulings,
    subscriptions,
    unresolved_assignments,
    unresolved_limits,
)
from huaxiao.shared.database import within
from huaxiao.shared.periods import LAST_PERIOD
from huaxiao.shared.wire.attribution import UnresolvedAssignment, UnresolvedLimits

# --- limits -------------------------------------------------------------------------------------


async def limits(connection: AsyncConnection, branch_id: int) -> UnresolvedLimits:
    """Return how much of a branch's months may be unresolved, and for how long."""
    table = unresolved_limits
    rows = await connection.execute(
        select(table).where(table.c.branch_id == branch_id).order_by(table.c.number.desc()).limit(1)
    )
    row = rows.one_or_none()
    if row is None:
        return UnresolvedLimits()
    return UnresolvedLimits(**{name: getattr(row, name) for name in UnresolvedLimits.model_fields})


async def set_limits(
    connection: AsyncConnection, branch_id: int, given: UnresolvedLimits, *, by: str, now: datetime
) -> None:
    """Record limits; what is closed keeps those it was closed under."""
    table = unresolved_limits
    newest = await connection.scalar(
        select(func.max(table.c.number)).where(table.c.branch_id == branch_id)
    )
    await connection.execute(
        insert(table).values(
            branch_id=branch_id,
            number=(newest or 0) + 1,
            set_by=by,
            set_at=now,
            **given.model_dump(),
        )
    )


# --- lines --------------------------------------------------------------------------------------


def _is_unresolved(
    branch_id: int, centre_id: ColumnElement[str], flags: ColumnElement[Any]
) -> ColumnElement[bool]:
    """Say of a decision that its line lies in the pool or carries a flag."""
    pool = select(branches.c.default_centre_id).where(branches.c.branch_id == branch_id)
    return or_(centre_id == pool.scalar_subquery(), func.cardinality(flags) > 0)


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
) -> Sequence[Row[Any]]:
    """Return a month's lines in the pool or with a flag, by subscription, and what is done of them."""
    table = decisions
    standing = (
        select(
            table.c.subscription_id,
            table.c.centre_id,
            table.c.field_id,
            table.c.unit_rule,
            table.c.flags,
        )
        .ext(distinct_on(table.c.subscription_id))
        .where(
            table.c.branch_id == branch_id,
            table.c.from_period <= period,
            table.c.subscription_id > after,
        )
        .order_by(table.c.subscription_id, table.c.version.desc(), table.c.from_period.desc())
        .subquery()
    )
    of_line = standing.c.subscription_id
    booked = lateral(
        select(net_revenue().label("revenue_fen"))
        .where(
            entries.c.branch_id == branch_id,
            entries.c.subscription_id == of_line,
            entries.c.owner_period == period,
        )
        .having(func.count() > 0)
    ).alias("booked")
    assignee = _assignee(branch_id, of_line)
    query = (
        select(
            standing,
            booked.c.revenue_fen,
            assignee.label("assignee_id"),
            _drafted_ruling(branch_id, of_line, period).label("drafted_ruling_id"),
            _open_dispute(branch_id, of_line, period).label("dispute_id"),
        )
        .join(booked, true())
        .where(
            _is_unresolved(branch_id, standing.c.centre_id, standing.c.flags),
            within(standing.c.centre_id, centre_ids),
        )
        .order_by(of_line)
        .limit(limit)
    )
    if flag is not None:
        query = query.where(standing.c.flags.contains([flag]))
    if assignee_id is not None:
        query = query.where(assignee == assignee_id)
    if unassigned is not None:
        query = query.where(assignee.is_(None) if unassigned else assignee.is_not(None))
    return (await connection.execute(query)).all()


def _assignee(branch_id: int, subscription_id: ColumnElement[str]) -> ScalarSelect[str | None]:
    table = unresolved_assignments
    return (
        select(table.c.person_id)
        .where(table.c.branch_id == branch_id, table.c.subscription_id == subscription_id)
        .order_by(table.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def _drafted_ruling(
    branch_id: int, subscription_id: ColumnElement[str], period: int
) -> ScalarSelect[str]:
    """Select the newest ruling on a line's month that nobody has approved, disputes' own aside."""
    named, approvals = ruled_subscriptions, ruling_approvals
    approved = (
        select(approvals.c.ruling_id)
        .where(
            approvals.c.branch_id == rulings.c.branch_id,
            approvals.c.ruling_id == rulings.c.ruling_id,
        )
        .exists()
    )
    return (
        select(rulings.c.ruling_id)
        .join(
            named,
            and_(
                named.c.branch_id == rulings.c.branch_id,
                named.c.ruling_id == rulings.c.ruling_id,
            ),
        )
        .where(
            named.c.branch_id == branch_id,
            named.c.subscription_id == subscription_id,
            rulings.c.from_period <= period,
            func.coalesce(rulings.c.to_period, LAST_PERIOD) >= period,
            rulings.c.dispute_id.is_(None),
            ~approved,
        )
        .order_by(rulings.c.drafted_at.desc(), rulings.c.ruling_id)
        .limit(1)
        .scalar_subquery()
    )


def _open_dispute(
    branch_id: int, subscription_id: ColumnElement[str], period: int
) -> ScalarSelect[str]:
    """Select the open dispute about a line's month, before all the one that freezes it."""
    return (
        select(disputes.c.dispute_id)
        .where(about(branch_id, subscription_id, period), disputes.c.ended_at.is_(None))
        .order_by(disputes.c.frozen.desc())
        .limit(1)
        .scalar_subquery()
    )


async def decided(
    connection: AsyncConnection, branch_id: int, period: int, subscription_ids: Collection[str]
) -> dict[str, list[Decided]]:
    """Return all that was ever decided on lines' month, in order: for each version what it says."""
    table = decisions
    rows = await connection.execute(
        select(
            table.c.subscription_id,
            _is_unresolved(branch_id, table.c.centre_id, table.c.flags).label("unresolved"),
            table.c.decided_at,
        )
        .ext(distinct_on(table.c.subscription_id, table.c.version))
        .where(
            table.c.branch_id == branch_id,
            table.c.subscription_id.in_(subscription_ids),
            table.c.from_period <= period,
        )
        .order_by(table.c.subscription_id, table.c.version, table.c.from_period.desc())
    )
    found: dict[str, list[Decided]] = defaultdict(list)
    for row in rows:
        found[row.subscription_id].append(Decided(row.unresolved, row.decided_at))
    return found


# --- who works them off -------------------------------------------------------------------------


async def is_line(connection: AsyncConnection, branch_id: int, subscription_id: str) -> bool:
    """Say whether a branch has a line."""
    table = subscriptions
    found = await connection.scalar(
        select(table.c.subscription_id).where(
            table.c.branch_id == branch_id, table.c.subscription_id == subscription_id
        )
    )
    return found is not None


async def works_here(
    connection: AsyncConnection, branch_id: int, person_id: str, day: date
) -> bool:
    """Say whether a person has a place in a branch by a day."""
    found = await connection.scalar(
        select(people.c.person_id)
        .where(
            people.c.branch_id == branch_id,
            people.c.person_id == person_id,
            people.c.from_day <= day,
        )
        .limit(1)
    )
    return found is not None


async def newest_assignment(
    connection: AsyncConnection, branch_id: int, subscription_id: str
) -> UnresolvedAssignment | None:
    """Return who is to work off a line; None when nobody ever was."""
    table = unresolved_assignments
    rows = await connection.execute(
        select(table)
        .where(table.c.branch_id == branch_id, table.c.subscription_id == subscription_id)
        .order_by(table.c.number.desc())
        .limit(1)
    )
    row = rows.one_or_none()
    return None if row is None else _assignment(row)


async def assignments(
    connection: AsyncConnection, branch_id: int, subscription_id: str, *, after: int, limit: int
) -> list[UnresolvedAssignment]:
    """Return who was to work off a line, first things first."""
    table = unresolved_assignments
    rows = await connection.execute(
        select(table)
        .where(
            table.c.branch_id == branch_id,
            table.c.subscription_id == subscription_id,
            table.c.number > after,
        )
        .order_by(table.c.number)
        .limit(limit)
    )
    return [_assignment(row) for row in rows]


async def assign(
    connection: AsyncConnection, branch_id: int, assignment: UnresolvedAssignment
) -> None:
    """Record who is to work off a line."""
    await connection.execute(
        insert(unresolved_assignments).values(branch_id=branch_id, **assignment.model_dump())
    )


def _assignment(row: Row[Any]) -> UnresolvedAssignment:
    return UnresolvedAssignment.model_validate(row._mapping)  # noqa: SLF001 - SQLAlchemy's name
