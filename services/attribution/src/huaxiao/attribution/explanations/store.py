"""Rows an explanation is made of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.disputes.contested import about
from huaxiao.attribution.domain.evidence import Evidence
from huaxiao.attribution.domain.histories import Baseline, Lead
from huaxiao.attribution.ledger import store as ledger
from huaxiao.attribution.tables import baselines, decisions, entries, leads, periods


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


class Circumstances(NamedTuple):
    """A line's month: when it was closed, what is booked to it, whether anyone has disputed it."""

    closed_at: datetime | None
    revenue_fen: int
    contested: bool
    named: bool
    """A lead or a baseline names the line, whatever became of that."""


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


_STANDS = standing(
    bindparam("branch_id", type_=Integer),
    bindparam("subscription_id", type_=Text),
    bindparam("period", type_=Integer),
    decisions.c.version,
    decisions.c.from_period,
    decisions.c.centre_id,
    decisions.c.field_id,
    decisions.c.unit_rule,
    decisions.c.field_rule,
    decisions.c.rule_set,
    cast(decisions.c.evidence, Text),
    decisions.c.decided_at,
)
"""Built once, like every query that each explanation asks: building one takes as long as asking it."""
_STOOD = _STANDS.where(decisions.c.decided_at <= bindparam("at", type_=DateTime(timezone=True)))


async def recorded(
    connection: AsyncConnection,
    branch_id: int,
    subscription_id: str,
    period: int,
    *,
    at: datetime | None = None,
) -> Recorded | None:
    """Return the decision that stands in a period, or stood at a moment; None if there was none."""
    asked: dict[str, Any] = {
        "branch_id": branch_id,
        "subscription_id": subscription_id,
        "period": period,
    }
    query = _STANDS
    if at is not None:
        query, asked["at"] = _STOOD, at
    row = (await connection.execute(query, asked)).one_or_none()
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


_CLOSED_AT = (
    select(periods.c.closed_at)
    .where(periods.c.branch_id == bindparam("branch_id"), periods.c.period >= bindparam("period"))
    .order_by(periods.c.period)
    .limit(1)
)


async def closed_at(connection: AsyncConnection, branch_id: int, period: int) -> datetime | None:
    """Return when a period was closed, by itself or with a later one; None while it is open."""
    found: datetime | None = await connection.scalar(
        _CLOSED_AT, {"branch_id": branch_id, "period": period}
    )
    return found


_OF_LINE = (
    entries.c.branch_id == bindparam("branch_id"),
    entries.c.subscription_id == bindparam("subscription_id"),
)
_NEWEST_PERIOD = select(func.max(entries.c.owner_period)).where(*_OF_LINE)
_CIRCUMSTANCES = select(
    _CLOSED_AT.scalar_subquery().label("closed_at"),
    select(ledger.net_revenue())
    .where(*_OF_LINE, entries.c.owner_period == bindparam("period"))
    .scalar_subquery()
    .label("revenue_fen"),
    exists()
    .where(
        about(
            bindparam("branch_id", type_=Integer),
            bindparam("subscription_id", type_=Text),
            bindparam("period", type_=Integer),
        )
    )
    .label("contested"),
    or_(
        *(
            exists().where(
                table.c.branch_id == bindparam("branch_id"),
                table.c.subscription_id == bindparam("subscription_id"),
            )
            for table in (leads, baselines)
        )
    ).label("named"),
)


async def newest_period(
    connection: AsyncConnection, branch_id: int, subscription_id: str
) -> int | None:
    """Return the newest period that something is booked for; None when nothing is."""
    newest: int | None = await connection.scalar(
        _NEWEST_PERIOD, {"branch_id": branch_id, "subscription_id": subscription_id}
    )
    return newest


async def circumstances(
    connection: AsyncConnection, branch_id: int, subscription_id: str, period: int
) -> Circumstances:
    """Return what is known of a line's month beside its decision."""
    asked = {"branch_id": branch_id, "subscription_id": subscription_id, "period": period}
    row = (await connection.execute(_CIRCUMSTANCES, asked)).one()
    return Circumstances(row.closed_at, int(row.revenue_fen), row.contested, row.named)


async def naming(
    connection: AsyncConnection, branch_id: int, subscription_id: str
) -> tuple[list[Lead], list[Baseline]]:
    """Return the leads and baselines that name a line, whether they decide or not."""
    of_leads = select(*(leads.c[name] for name in ("lead_id", "approved_on", "owner_centre_id")))
    of_baselines = select(*(baselines.c[name] for name in Baseline.__dataclass_fields__))
    found = await connection.execute(
        of_leads.where(leads.c.branch_id == branch_id, leads.c.subscription_id == subscription_id)
    )
    stated = await connection.execute(
        of_baselines.where(
            baselines.c.branch_id == branch_id, baselines.c.subscription_id == subscription_id
        )
    )
    return (
        [Lead(row.lead_id, row.approved_on, row.owner_centre_id, None) for row in found],
        [Baseline(*row) for row in stated],
    )
