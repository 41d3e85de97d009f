"""Rows of disputes, of what was done about them, and of how long it may take."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.disputes import contested
from huaxiao.attribution.disputes.contested import about
from huaxiao.attribution.domain.contests import RaiseLimits, Term
from huaxiao.attribution.domain.disputes import Dispute, Parties
from huaxiao.attribution.ledger.store import net_revenue
from huaxiao.attribution.tables import (
    branches,
    dispute_limits,
    dispute_steps,
    disputes,
    entries,
    rulings,
)
from huaxiao.shared.database import within
from huaxiao.shared.periods import LAST_PERIOD
from huaxiao.shared.wire.attribution import (
    DisputeDecision,
    DisputeIn,
    DisputeLimits,
    DisputeState,
    DisputeStep,
    DocumentReference,
)

_PROGRESS = ("state", "reply_due", "decide_due", "appeal_due", "final_due", "proposed_by")


# --- limits -------------------------------------------------------------------------------------


_LIMITS = (
    select(dispute_limits)
    .where(dispute_limits.c.branch_id == bindparam("branch_id"))
    .order_by(dispute_limits.c.number.desc())
    .limit(1)
)


async def limits(connection: AsyncConnection, branch_id: int) -> DisputeLimits:
    """Return how long the steps of a dispute may take in a branch."""
    row = (await connection.execute(_LIMITS, {"branch_id": branch_id})).one_or_none()
    if row is None:
        return DisputeLimits()
    return DisputeLimits(**{name: getattr(row, name) for name in DisputeLimits.model_fields})


async def raise_limits(connection: AsyncConnection, branch_id: int) -> RaiseLimits:
    """Return how many days a branch has given for raising a dispute, and since when."""
    table = dispute_limits
    rows = await connection.execute(
        select(table.c.set_at, table.c.raise_days)
        .where(table.c.branch_id == branch_id)
        .order_by(table.c.number)
    )
    return RaiseLimits([(row.set_at, row.raise_days) for row in rows])


async def set_limits(
    connection: AsyncConnection, branch_id: int, given: DisputeLimits, *, by: str, now: datetime
) -> None:
    """Record limits for the steps to come; those that have begun keep theirs."""
    table = dispute_limits
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


# --- disputes -----------------------------------------------------------------------------------


def _query() -> Select[*tuple[Any, ...]]:
    """Select disputes with the revenue at stake."""
    table = disputes
    at_stake = (
        select(net_revenue())
        .where(
            entries.c.branch_id == table.c.branch_id,
            entries.c.subscription_id == table.c.subscription_id,
            entries.c.owner_period >= table.c.from_period,
            entries.c.owner_period <= func.coalesce(table.c.to_period, LAST_PERIOD),
        )
        .scalar_subquery()
    )
    return select(table, branches.c.default_centre_id, at_stake.label("revenue_fen")).join(
        branches, branches.c.branch_id == table.c.branch_id
    )


async def one(connection: AsyncConnection, branch_id: int, dispute_id: str) -> Row[Any] | None:
    """Return a dispute."""
    table = disputes
    return (
        await connection.execute(
            _query().where(table.c.branch_id == branch_id, table.c.dispute_id == dispute_id)
        )
    ).one_or_none()


async def newest_on(
    connection: AsyncConnection, branch_id: int, subscription_id: str, period: int
) -> Row[Any] | None:
    """Return the dispute about a line's month that freezes it, else an open one, else the newest."""
    table = disputes
    return (
        await connection.execute(
            _query()
            .where(about(branch_id, subscription_id, period))
            .order_by(
                table.c.frozen.desc(), table.c.ended_at.is_(None).desc(), table.c.raised_at.desc()
            )
            .limit(1)
        )
    ).one_or_none()


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    state: DisputeState | None,
    frozen: bool | None,
    is_open: bool | None,
    subscription_id: str | None,
    centre_ids: AbstractSet[str] | None,
    after: str,
    limit: int,
) -> Sequence[Row[Any]]:
    """Return disputes by identifier, those only that one of the caller's centres is party to."""
    table = disputes
    wanted: dict[ColumnElement[Any], object] = {
        table.c.state: state,
        table.c.frozen: frozen,
        table.c.ended_at.is_(None): is_open,
        table.c.subscription_id: subscription_id,
    }
    rows = await connection.execute(
        _query()
        .where(
            table.c.branch_id == branch_id,
            table.c.dispute_id > after,
            or_(
                within(table.c.claimant_centre_id, centre_ids),
                within(table.c.respondent_centre_id, centre_ids),
            ),
            *(column == value for column, value in wanted.items() if value is not None),
        )
        .order_by(table.c.dispute_id)
        .limit(limit)
    )
    return rows.all()


async def decisions_of(
    connection: AsyncConnection, branch_id: int, rows: Sequence[Row[Any]]
) -> dict[str, DisputeDecision]:
    """Return the decisions in force and proposed in disputes, by ruling."""
    named = {one for row in rows for one in (row.ruling_id, row.proposal_id) if one}
    found = await connection.execute(
        select(rulings).where(rulings.c.branch_id == branch_id, rulings.c.ruling_id.in_(named))
    )
    return {
        row.ruling_id: DisputeDecision.model_validate(row._mapping)  # noqa: SLF001 - SQLAlchemy's name
        for row in found
    }


async def steps(
    connection: AsyncConnection, branch_id: int, dispute_ids: Collection[str]
) -> dict[str, list[DisputeStep]]:
    """Return what was done about disputes, first things first."""
    table = dispute_steps
    rows = await connection.execute(
        select(table)
        .where(table.c.branch_id == branch_id, table.c.dispute_id.in_(dispute_ids))
        .order_by(table.c.dispute_id, table.c.number)
    )
    found: dict[str, list[DisputeStep]] = defaultdict(list)
    for row in rows:
        found[row.dispute_id].append(DisputeStep.model_validate(row._mapping))  # noqa: SLF001 - SQLAlchemy's name
    return found


def progress(row: Row[Any]) -> Dispute:
    """Return how far a dispute is."""
    return Dispute(
        Parties(row.claimant_centre_id, row.respondent_centre_id, row.default_centre_id),
        DisputeState(row.state),
        row.reply_due,
        row.decide_due,
        row.appeal_due,
        row.final_due,
        row.proposed_by,
        frozenset(row.advocates),
        frozenset(row.deciders),
        given_away=row.claimant_centre_id != row.centre_id,
    )


def _values(dispute: Dispute) -> dict[str, object]:
    return {
        **{name: getattr(dispute, name) for name in _PROGRESS},
        "frozen": dispute.frozen,
        "advocates": sorted(dispute.advocates),
        "deciders": sorted(dispute.deciders),
    }


async def raise_(
    connection: AsyncConnection,
    branch_id: int,
    dispute_id: str,
    given: DisputeIn,
    dispute: Dispute,
    owner: contested.Owned,
    *,
    now: datetime,
) -> None:
    """Record a dispute that a centre raises."""
    await connection.execute(
        insert(disputes).values(
            branch_id=branch_id,
            dispute_id=dispute_id,
            respondent_centre_id=dispute.parties.respondent,
            owner_centre_id=owner.centre_id,
            owner_field_id=owner.field_id,
            raised_at=now,
            **given.model_dump(exclude={"text", "documents"}),
            **_values(dispute),
        )
    )


async def go_on(
    connection: AsyncConnection,
    branch_id: int,
    dispute_id: str,
    dispute: Dispute,
    *,
    ruling_id: str | None,
    proposal_id: str | None = None,
    now: datetime,
) -> None:
    """Record how far a dispute is by now."""
    await connection.execute(
        update(disputes)
        .where(disputes.c.branch_id == branch_id, disputes.c.dispute_id == dispute_id)
        .values(
            **_values(dispute),
            ruling_id=ruling_id,
            proposal_id=proposal_id,
            ended_at=None if dispute.open else now,
        )
    )


async def narrow(connection: AsyncConnection, branch_id: int, row: Row[Any], term: Term) -> None:
    """Record that a dispute is about fewer months from now on, and about which it was raised."""
    table = disputes
    if term == Term(row.from_period, row.to_period or LAST_PERIOD):
        return
    await connection.execute(
        update(table)
        .where(table.c.branch_id == branch_id, table.c.dispute_id == row.dispute_id)
        .values(
            from_period=term.first,
            to_period=None if term.last == LAST_PERIOD else term.last,
            raised_from_period=row.from_period,
            raised_to_period=row.to_period,
        )
    )


async def add_step(
    connection: AsyncConnection,
    branch_id: int,
    dispute_id: str,
    *,
    step: str,
    by: str,
    at: datetime,
    text: str | None = None,
    documents: Sequence[DocumentReference] = (),
    ruling_id: str | None = None,
) -> None:
    """Record what somebody has done about a dispute."""
    table = dispute_steps
    newest = await connection.scalar(
        select(func.max(table.c.number)).where(
            table.c.branch_id == branch_id, table.c.dispute_id == dispute_id
        )
    )
    await connection.execute(
        insert(table).values(
            branch_id=branch_id,
            dispute_id=dispute_id,
            number=(newest or 0) + 1,
            step=step,
            by=by,
            at=at,
            text=text,
            documents=[one.model_dump() for one in documents],
            ruling_id=ruling_id,
        )
    )
