"""Rows of what is contested: whose a line is, and which disputes stand in the way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.contests import Earlier, Record, RuledOn, Term
from huaxiao.attribution.tables import (
    decisions,
    disputes,
    entries,
    periods,
    ruled_subscriptions,
    ruling_approvals,
    rulings,
)
from huaxiao.shared.periods import LAST_PERIOD, Period
from huaxiao.shared.wire.attribution import DisputeState


class Owned(NamedTuple):
    """Whose a line's month is, and since when that has been decided."""

    centre_id: str
    field_id: str | None
    since: datetime


class Decided(NamedTuple):
    """Whose a line was decided to be, from a month until the next of its version."""

    version: int
    from_period: int
    centre_id: str
    field_id: str | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """All that was ever decided on a line."""

    decided: Sequence[Decided]
    """By version and first period."""

    def at(self, period: int) -> Owned | None:
        """Return whose a month is; None for a line that was never opened."""
        found: Owned | None = None
        for _, stretches in groupby(self.decided, key=lambda row: row.version):
            begun = [row for row in stretches if row.from_period <= period]
            if begun and (found is None or found[:2] != (begun[-1].centre_id, begun[-1].field_id)):
                found = Owned(begun[-1].centre_id, begun[-1].field_id, begun[-1].decided_at)
        return found

    def within(self, first: int, last: int) -> list[tuple[int, Owned]]:
        """Return whose the months of a term are, from each month on from which that may differ."""
        begins = sorted({first, *(row.from_period for row in self.decided)})
        months = [one for one in begins if first <= one <= last]
        return [(one, owned) for one in months if (owned := self.at(one)) is not None]


async def history(connection: AsyncConnection, branch_id: int, subscription_id: str) -> History:
    """Return all that was ever decided on a line."""
    table = decisions
    rows = await connection.execute(
        select(*(table.c[name] for name in Decided._fields))
        .where(table.c.branch_id == branch_id, table.c.subscription_id == subscription_id)
        .order_by(table.c.version, table.c.from_period)
    )
    return History([Decided(*row) for row in rows])


async def closings(
    connection: AsyncConnection, branch_id: int, first: int
) -> list[tuple[int, datetime]]:
    """Return through which months from a first one books were closed, and when, in order."""
    rows = await connection.execute(
        select(periods.c.period, periods.c.closed_at)
        .where(periods.c.branch_id == branch_id, periods.c.period >= first)
        .order_by(periods.c.period)
    )
    return [(row.period, row.closed_at) for row in rows]


async def entry_of(
    connection: AsyncConnection, branch_id: int, number: int
) -> tuple[str | None, Period] | None:
    """Return the subscription of a ledger line, and the month whose owner it follows."""
    row = (
        await connection.execute(
            select(entries.c.subscription_id, entries.c.owner_period).where(
                entries.c.branch_id == branch_id, entries.c.number == number
            )
        )
    ).one_or_none()
    return None if row is None else (row.subscription_id, Period(row.owner_period))


async def booked_in(
    connection: AsyncConnection, branch_id: int, subscription_id: str, term: Term
) -> bool:
    """Say whether anything of a line is booked that belongs to some months."""
    found = await connection.scalar(
        select(
            select(entries.c.number)
            .where(
                entries.c.branch_id == branch_id,
                entries.c.subscription_id == subscription_id,
                entries.c.owner_period >= term.first,
                entries.c.owner_period <= term.last,
            )
            .exists()
        )
    )
    return bool(found)


async def frozen(
    connection: AsyncConnection, branch_id: int, subscription_ids: Collection[str]
) -> dict[str, str]:
    """Return the disputes that freeze subscriptions, by subscription."""
    table = disputes
    rows = await connection.execute(
        select(table.c.subscription_id, table.c.dispute_id).where(
            table.c.branch_id == branch_id,
            table.c.frozen,
            table.c.subscription_id.in_(subscription_ids),
        )
    )
    return {row.subscription_id: row.dispute_id for row in rows}


async def open_on(connection: AsyncConnection, branch_id: int, subscription_id: str) -> str | None:
    """Return an open dispute about a subscription; None while there is none."""
    table = disputes
    found: str | None = await connection.scalar(
        select(table.c.dispute_id)
        .where(
            table.c.branch_id == branch_id,
            table.c.subscription_id == subscription_id,
            table.c.ended_at.is_(None),
        )
        .limit(1)
    )
    return found


async def record(connection: AsyncConnection, branch_id: int, subscription_id: str) -> Record:
    """Return all disputes about a line, and the rulings approved on it since there was one."""
    table = disputes
    rows = await connection.execute(
        select(table)
        .where(table.c.branch_id == branch_id, table.c.subscription_id == subscription_id)
        .order_by(table.c.raised_at, table.c.dispute_id)
    )
    found = [
        Earlier(
            row.dispute_id,
            row.claimant_centre_id,
            row.respondent_centre_id,
            Term(row.from_period, row.to_period or LAST_PERIOD),
            DisputeState(row.state),
            row.raised_at,
            row.ended_at,
            row.appeal_due,
            row.ruling_id,
        )
        for row in rows
    ]
    return Record(found, await _ruled(connection, branch_id, subscription_id) if found else ())


async def _ruled(
    connection: AsyncConnection, branch_id: int, subscription_id: str
) -> list[RuledOn]:
    rows = await connection.execute(
        select(
            rulings.c.ruling_id,
            rulings.c.centre_id,
            rulings.c.from_period,
            rulings.c.to_period,
            ruling_approvals.c.approved_at,
            rulings.c.dispute_id,
        )
        .join(
            ruled_subscriptions,
            (ruled_subscriptions.c.branch_id == rulings.c.branch_id)
            & (ruled_subscriptions.c.ruling_id == rulings.c.ruling_id),
        )
        .join(
            ruling_approvals,
            (ruling_approvals.c.branch_id == rulings.c.branch_id)
            & (ruling_approvals.c.ruling_id == rulings.c.ruling_id),
        )
        .where(
            rulings.c.branch_id == branch_id,
            ruled_subscriptions.c.subscription_id == subscription_id,
        )
        .order_by(ruling_approvals.c.approved_at)
    )
    return [
        RuledOn(
            row.ruling_id,
            row.centre_id,
            Term(row.from_period, row.to_period or LAST_PERIOD),
            row.approved_at,
            row.dispute_id,
        )
        for row in rows
    ]


async def appealable(
    connection: AsyncConnection, branch_id: int, subscription_ids: Collection[str], *, now: datetime
) -> set[str]:
    """Return which of some lines have a decision that may still be appealed."""
    table = disputes
    rows = await connection.scalars(
        select(table.c.subscription_id).where(
            table.c.branch_id == branch_id,
            table.c.subscription_id.in_(subscription_ids),
            table.c.state == DisputeState.DECIDED,
            table.c.appeal_due > now,
        )
    )
    return set(rows)


def about(
    branch_id: ColumnElement[int] | int,
    subscription_id: ColumnElement[str] | str,
    period: ColumnElement[int] | int,
) -> ColumnElement[bool]:
    """Return the condition that a dispute is about a line's month."""
    table = disputes
    return and_(
        table.c.branch_id == branch_id,
        table.c.subscription_id == subscription_id,
        table.c.from_period <= period,
        func.coalesce(table.c.to_period, LAST_PERIOD) >= period,
    )
