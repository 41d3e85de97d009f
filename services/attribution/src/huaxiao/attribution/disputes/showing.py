"""Disputes as they are shown: to their parties and the county, and in an explanation."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.disputes import store
from huaxiao.shared.auth import Principal
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.attribution import (
    Dispute,
    DisputeDecision,
    DisputeMark,
    DisputeState,
    DisputeStep,
)


async def show(
    connection: AsyncConnection,
    branch_id: int,
    dispute_id: str,
    *,
    principal: Principal,
    now: datetime,
) -> Dispute:
    """Return a dispute.

    Raises:
        NotFound: there is none, or none that the caller's centre is party to.

    """
    row = await visible(connection, branch_id, dispute_id, principal)
    return (await rendered(connection, branch_id, [row], now=now))[0]


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    state: DisputeState | None,
    frozen: bool | None,
    is_open: bool | None,
    subscription_id: str | None,
    principal: Principal,
    after: str,
    limit: int,
    now: datetime,
) -> list[Dispute]:
    """Return disputes that the caller may see."""
    rows = await store.page(
        connection,
        branch_id,
        state=state,
        frozen=frozen,
        is_open=is_open,
        subscription_id=subscription_id,
        centre_ids=principal.centre_ids,
        after=after,
        limit=limit,
    )
    return await rendered(connection, branch_id, rows, now=now)


def mark(row: Row[Any], *, now: datetime) -> DisputeMark:
    """Return a dispute as an explanation shows it."""
    found = store.progress(row)
    return DisputeMark(
        dispute_id=row.dispute_id,
        state=found.state,
        open=found.open,
        frozen=found.frozen,
        claimant_centre_id=row.claimant_centre_id,
        centre_id=row.centre_id,
        due_at=found.due(now),
        overdue=found.overdue(now),
    )


async def visible(
    connection: AsyncConnection, branch_id: int, dispute_id: str, principal: Principal
) -> Row[Any]:
    """Return a dispute's row.

    Raises:
        NotFound: there is none, or none that the caller's centre is party to.

    """
    row = await store.one(connection, branch_id, dispute_id)
    if row is None:
        raise NotFound
    if not any(
        principal.may_see(one) for one in (row.claimant_centre_id, row.respondent_centre_id)
    ):
        raise NotFound
    return row


async def as_written(
    connection: AsyncConnection, branch_id: int, dispute_id: str, *, now: datetime
) -> Dispute:
    """Return a dispute as this transaction has written it."""
    row = await store.one(connection, branch_id, dispute_id)
    assert row is not None  # noqa: S101 - it was written just now
    return (await rendered(connection, branch_id, [row], now=now))[0]


async def rendered(
    connection: AsyncConnection, branch_id: int, rows: Sequence[Row[Any]], *, now: datetime
) -> list[Dispute]:
    """Return rows of disputes with their steps and decisions."""
    steps = await store.steps(connection, branch_id, [row.dispute_id for row in rows])
    decisions = await store.decisions_of(connection, branch_id, rows)
    return [_dispute(row, steps[row.dispute_id], decisions, now=now) for row in rows]


def _dispute(
    row: Row[Any],
    steps: list[DisputeStep],
    decisions: Mapping[str, DisputeDecision],
    *,
    now: datetime,
) -> Dispute:
    found = store.progress(row)
    until = business_day(row.ended_at or now)
    values = dict(row._mapping) | {  # noqa: SLF001 - SQLAlchemy's name
        "open": found.open,
        "due_at": found.due(now),
        "overdue": found.overdue(now),
        "age_days": max((until - business_day(row.raised_at)).days, 0),
        "revenue_fen": int(row.revenue_fen),
        "decision": decisions.get(row.ruling_id),
        "proposal": decisions.get(row.proposal_id),
        "steps": steps,
    }
    return Dispute.model_validate(values)
