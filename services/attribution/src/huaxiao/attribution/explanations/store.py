"""Rows an explanation is made of."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.evidence import Evidence
from huaxiao.attribution.ledger import store as ledger
from huaxiao.attribution.tables import decisions, entries


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as it stands in the books."""

    subscription_id: str
    period: int
    version: int
    centre_id: str
    field_id: str | None
    unit_rule: str
    field_rule: str | None
    rule_set: str
    evidence: Evidence
    decided_at: datetime


async def newest(
    connection: AsyncConnection, branch_id: int, subscription_id: str, period: int | None
) -> Recorded | None:
    """Return the standing decision of a period, or of the newest one decided."""
    table = decisions
    query = select(
        table.c.subscription_id,
        table.c.period,
        table.c.version,
        table.c.centre_id,
        table.c.field_id,
        table.c.unit_rule,
        table.c.field_rule,
        table.c.rule_set,
        cast(table.c.evidence, Text),
        table.c.decided_at,
    ).where(table.c.branch_id == branch_id, table.c.subscription_id == subscription_id)
    if period is not None:
        query = query.where(table.c.period == period)
    row = (
        await connection.execute(
            query.order_by(table.c.period.desc(), table.c.version.desc()).limit(1)
        )
    ).one_or_none()
    if row is None:
        return None
    evidence = msgspec.json.decode(row.evidence, type=Evidence)
    return Recorded(
        subscription_id=row.subscription_id,
        period=row.period,
        version=row.version,
        centre_id=row.centre_id,
        field_id=row.field_id,
        unit_rule=row.unit_rule,
        field_rule=row.field_rule,
        rule_set=row.rule_set,
        evidence=evidence,
        decided_at=row.decided_at,
    )


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
