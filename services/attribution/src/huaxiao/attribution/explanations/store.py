"""Rows an explanation is made of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.evidence import Evidence
from huaxiao.attribution.ledger import store as ledger
from huaxiao.attribution.tables import decisions, entries, periods


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as it stands in the books."""

    subscription_id: str
    version: int
    from_period: int
    """It stands from this period on, until the next one of its version."""
    centre_id: str
    field_id: str | None
    unit_rule: str
    field_rule: str | None
    rule_set: str
    evidence: Evidence
    decided_at: datetime


def standing(
    branch_id: ColumnElement[int] | int,
    subscription_id: ColumnElement[str] | str,
    period: ColumnElement[int] | int,
    *columns: ColumnElement[Any],
) -> Select[*tuple[Any, ...]]:
    """Return the query of the one decision that stands on a subscription in a period."""
    table = decisions
    return (
        select(*columns)
        .where(
            table.c.branch_id == branch_id,
            table.c.subscription_id == subscription_id,
            table.c.from_period <= period,
        )
        .order_by(table.c.version.desc(), table.c.from_period.desc())
        .limit(1)
    )


async def recorded(
    connection: AsyncConnection,
    branch_id: int,
    subscription_id: str,
    period: int,
    *,
    at: datetime | None = None,
) -> Recorded | None:
    """Return the decision that stands in a period, or stood at a moment; None if there was none."""
    table = decisions
    query = standing(
        branch_id,
        subscription_id,
        period,
        table.c.version,
        table.c.from_period,
        table.c.centre_id,
        table.c.field_id,
        table.c.unit_rule,
        table.c.field_rule,
        table.c.rule_set,
        cast(table.c.evidence, Text),
        table.c.decided_at,
    )
    if at is not None:
        query = query.where(table.c.decided_at <= at)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Recorded(
        subscription_id=subscription_id,
        version=row.version,
        from_period=row.from_period,
        centre_id=row.centre_id,
        field_id=row.field_id,
        unit_rule=row.unit_rule,
        field_rule=row.field_rule,
        rule_set=row.rule_set,
        evidence=msgspec.json.decode(row.evidence, type=Evidence),
        decided_at=row.decided_at,
    )


async def closed_at(connection: AsyncConnection, branch_id: int, period: int) -> datetime | None:
    """Return when a period was closed, by itself or with a later one; None while it is open."""
    found: datetime | None = await connection.scalar(
        select(periods.c.closed_at)
        .where(periods.c.branch_id == branch_id, periods.c.period >= period)
        .order_by(periods.c.period)
        .limit(1)
    )
    return found


async def newest_period(
    connection: AsyncConnection, branch_id: int, subscription_id: str
) -> int | None:
    """Return the newest period that something is booked for; None when nothing is."""
    newest: int | None = await connection.scalar(
        select(func.max(entries.c.owner_period)).where(
            entries.c.branch_id == branch_id, entries.c.subscription_id == subscription_id
        )
    )
    return newest


async def net_revenue(
    connection: AsyncConnection, branch_id: int, subscription_id: str, period: int
) -> int:
    """Return what is booked to a subscription of a period, whoever owns it."""
    table = entries
    found = await connection.scalar(
        select(ledger.net_revenue()).where(
            table.c.branch_id == branch_id,
            table.c.subscription_id == subscription_id,
            table.c.period == period,
        )
    )
    return int(found or 0)
