"""SQL of alerts, their rules, and webhooks."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.domain.default_rules import default_rule
from huaxiao.kpi.tables import (
    alert_clocks,
    alert_rules,
    alert_transitions,
    alerts,
    branches,
    decisions,
    feed,
    measures,
    positions,
    standings,
    webhook_deliveries,
    webhooks,
)
from huaxiao.shared.database import Database
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.alerts import (
    ALERT_FIRING,
    AlertFact,
    AlertRule,
    AlertState,
    DeliveryState,
)
from huaxiao.shared.wire.attribution import CASH_IN, CASH_OUT_PREFIX, COST_PREFIX, REVENUE


async def known_branches(database: Database) -> Sequence[int]:
    """Return the branches that facts have told of."""
    async with database.read(EVERYTHING) as connection:
        found = await connection.scalars(
            select(branches.c.branch_id).distinct().order_by(branches.c.branch_id)
        )
        return found.all()


# --- rules --------------------------------------------------------------------------------------


async def rules(
    connection: AsyncConnection, branch_id: int, rule_id: str | None = None
) -> list[AlertRule]:
    """Return the rules that a county has kept as they stand, or one of them."""
    query = (
        select(alert_rules)
        .where(alert_rules.c.branch_id == branch_id)
        .ext(distinct_on(alert_rules.c.rule_id))
        .order_by(alert_rules.c.rule_id, alert_rules.c.version.desc())
    )
    if rule_id is not None:
        query = query.where(alert_rules.c.rule_id == rule_id)
    rows = await connection.execute(query)
    return [
        AlertRule(
            **row["rule"],
            rule_id=row["rule_id"],
            version=row["version"],
            is_default=default_rule(row["rule_id"]) is not None,
            changed_by=row["changed_by"],
            changed_at=row["changed_at"],
        )
        for row in rows.mappings()
    ]


async def add_rule(connection: AsyncConnection, branch_id: int, row: Mapping[str, Any]) -> None:
    """Append a version of a rule."""
    await connection.execute(insert(alert_rules).values(branch_id=branch_id, **row))


# --- when a branch is looked at -----------------------------------------------------------------


async def clock(connection: AsyncConnection, branch_id: int) -> RowMapping:
    """Return when a branch is looked at next, its row locked until the transaction ends."""
    await connection.execute(
        upsert(alert_clocks).values(branch_id=branch_id).on_conflict_do_nothing()
    )
    rows = await connection.execute(
        select(alert_clocks).where(alert_clocks.c.branch_id == branch_id).with_for_update()
    )
    return rows.mappings().one()


async def set_clock(
    connection: AsyncConnection,
    branch_id: int,
    *,
    mark: str,
    looked_at: datetime,
    next_at: datetime,
) -> None:
    """Keep what was known when a branch was looked at, and when it is looked at next."""
    await connection.execute(
        update(alert_clocks)
        .where(alert_clocks.c.branch_id == branch_id)
        .values(mark=mark, looked_at=looked_at, next_at=next_at)
    )


async def mark(connection: AsyncConnection, branch_id: int) -> str:
    """Return what changes whenever a branch's measures or rules do, or what units are to reach."""
    followed = await connection.execute(
        select(positions.c.source, positions.c.position)
        .where(positions.c.branch_id == branch_id)
        .order_by(positions.c.source)
    )
    versions = await connection.scalar(
        select(func.count()).where(alert_rules.c.branch_id == branch_id)
    )
    decided = await connection.scalar(
        select(decisions.c.count).where(decisions.c.branch_id == branch_id)
    )
    parts = [f"{source}={position}" for source, position in followed]
    return " ".join([*parts, f"rules={versions}", f"decisions={decided or 0}"])


async def followed_at(connection: AsyncConnection, branch_id: int) -> dict[str, datetime]:
    """Return when each peer's feed told something last."""
    rows = await connection.execute(
        select(positions.c.source, positions.c.followed_at).where(
            positions.c.branch_id == branch_id
        )
    )
    return {row.source: row.followed_at for row in rows}


async def last_booked(connection: AsyncConnection, branch_id: int, *, until: int) -> int | None:
    """Return the last period with books, up to one."""
    found: int | None = await connection.scalar(
        select(func.max(measures.c.period)).where(
            measures.c.branch_id == branch_id,
            measures.c.period <= until,
            or_(
                measures.c.measure.in_([REVENUE, CASH_IN]),
                measures.c.measure.startswith(COST_PREFIX, autoescape=True),
                measures.c.measure.startswith(CASH_OUT_PREFIX, autoescape=True),
            ),
        )
    )
    return found


# --- how targets stand now ----------------------------------------------------------------------


async def put_standings(
    connection: AsyncConnection, branch_id: int, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Keep how the targets stand now, in the place of how they stood before."""
    await connection.execute(delete(standings).where(standings.c.branch_id == branch_id))
    if rows:
        await connection.execute(
            insert(standings), [{"branch_id": branch_id} | dict(one) for one in rows]
        )


async def all_standings(
    connection: AsyncConnection, branch_ids: AbstractSet[int] | None
) -> Sequence[RowMapping]:
    """Return how targets stand, of some branches or of all."""
    query = select(standings).order_by(
        standings.c.branch_id, standings.c.centre_id, standings.c.span, standings.c.target
    )
    if branch_ids is not None:
        query = query.where(standings.c.branch_id.in_(sorted(branch_ids)))
    rows = await connection.execute(query)
    return rows.mappings().all()


# --- alerts -------------------------------------------------------------------------------------


async def held(connection: AsyncConnection, branch_id: int) -> dict[tuple[str, str], RowMapping]:
    """Return a branch's alerts by rule and subject, locked until the transaction ends."""
    rows = await connection.execute(
        select(alerts).where(alerts.c.branch_id == branch_id).with_for_update()
    )
    return {(row["rule_id"], row["subject"]): row for row in rows.mappings()}


async def put(
    connection: AsyncConnection, branch_id: int, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Keep alerts as they stand."""
    if not rows:
        return
    row = upsert(alerts)
    keys = {"branch_id", "rule_id", "subject"}
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=sorted(keys),
            set_={one.name: row.excluded[one.name] for one in alerts.c if one.name not in keys},
        ),
        [{"branch_id": branch_id} | dict(one) for one in rows],
    )


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    states: Sequence[AlertState],
    centre_ids: AbstractSet[str] | None,
    after: tuple[str, str] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return alerts the caller may see, by rule and subject."""
    query = select(alerts).where(
        alerts.c.branch_id == branch_id, alerts.c.state.in_([str(one) for one in states])
    )
    if centre_ids is not None:
        query = query.where(alerts.c.centre_id.in_(sorted(centre_ids)))
    if after is not None:
        query = query.where(tuple_(alerts.c.rule_id, alerts.c.subject) > after)
    rows = await connection.execute(query.order_by(alerts.c.rule_id, alerts.c.subject).limit(limit))
    return rows.mappings().all()


async def of_id(
    connection: AsyncConnection, branch_id: int, alert_id: str, *, lock: bool = False
) -> RowMapping | None:
    """Return the alert that fires, or fired last, under an id."""
    query = select(alerts).where(alerts.c.branch_id == branch_id, alerts.c.alert_id == alert_id)
    rows = await connection.execute(query.with_for_update() if lock else query)
    return rows.mappings().one_or_none()


async def firing_told(
    connection: AsyncConnection, branch_id: int, alert_id: str
) -> AlertFact | None:
    """Return the fact that an alert fired, whatever fires in its place now."""
    table = feed.entries
    data = await connection.scalar(
        select(table.c.data).where(
            table.c.branch_id == branch_id,
            table.c.type == ALERT_FIRING,
            table.c.data["alert_id"].astext == alert_id,
        )
    )
    return None if data is None else AlertFact.model_validate(data)


async def transitions(
    connection: AsyncConnection, branch_id: int, alert_id: str
) -> Sequence[RowMapping]:
    """Return what became of an alert, in order."""
    rows = await connection.execute(
        select(alert_transitions)
        .where(alert_transitions.c.branch_id == branch_id, alert_transitions.c.alert_id == alert_id)
        .order_by(alert_transitions.c.number)
    )
    return rows.mappings().all()


async def add_transition(
    connection: AsyncConnection, branch_id: int, row: Mapping[str, Any]
) -> None:
    """Append what became of an alert, whose row is locked."""
    number = (
        select(func.count() + 1)
        .where(
            alert_transitions.c.branch_id == branch_id,
            alert_transitions.c.alert_id == row["alert_id"],
        )
        .scalar_subquery()
    )
    await connection.execute(
        insert(alert_transitions).values(branch_id=branch_id, number=number, **row)
    )


# --- webhooks -----------------------------------------------------------------------------------


async def all_webhooks(
    connection: AsyncConnection, branch_id: int, webhook_id: str | None = None
) -> Sequence[RowMapping]:
    """Return a branch's webhooks, or one of them."""
    query = select(webhooks).where(webhooks.c.branch_id == branch_id)
    if webhook_id is not None:
        query = query.where(webhooks.c.webhook_id == webhook_id)
    rows = await connection.execute(query.order_by(webhooks.c.webhook_id))
    return rows.mappings().all()


async def put_webhook(connection: AsyncConnection, branch_id: int, row: Mapping[str, Any]) -> None:
    """Keep a webhook."""
    await connection.execute(
        upsert(webhooks)
        .values(branch_id=branch_id, **row)
        .on_conflict_do_update(index_elements=["branch_id", "webhook_id"], set_=dict(row))
    )


async def add_deliveries(
    connection: AsyncConnection, branch_id: int, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Keep what is to be delivered, in the transaction that makes it true."""
    if rows:
        waiting = {"branch_id": branch_id, "state": DeliveryState.WAITING, "tries": 0}
        await connection.execute(insert(webhook_deliveries), [waiting | dict(one) for one in rows])


async def branches_with_deliveries(connection: AsyncConnection, *, now: datetime) -> list[int]:
    """Return the branches in which deliveries are due."""
    due = webhook_deliveries.c.next_at <= now
    found = await connection.scalars(select(webhook_deliveries.c.branch_id).where(due).distinct())
    return list(found)


async def claim(
    connection: AsyncConnection, branch_id: int, *, now: datetime, lease: timedelta, limit: int
) -> Sequence[RowMapping]:
    """Take a branch's due deliveries; whoever took them and is gone has lost them after a while."""
    due = (
        select(
            webhook_deliveries.c.branch_id,
            webhook_deliveries.c.webhook_id,
            webhook_deliveries.c.delivery_id,
        )
        .where(webhook_deliveries.c.branch_id == branch_id, webhook_deliveries.c.next_at <= now)
        .order_by(webhook_deliveries.c.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    taken = await connection.execute(
        update(webhook_deliveries)
        .where(
            webhook_deliveries.c.branch_id == due.c.branch_id,
            webhook_deliveries.c.webhook_id == due.c.webhook_id,
            webhook_deliveries.c.delivery_id == due.c.delivery_id,
            webhooks.c.branch_id == due.c.branch_id,
            webhooks.c.webhook_id == due.c.webhook_id,
        )
        .values(next_at=now + lease, tries=webhook_deliveries.c.tries + 1)
        .returning(webhook_deliveries, webhooks.c.url, webhooks.c.secret, webhooks.c.enabled)
    )
    found: Sequence[RowMapping] = taken.mappings().all()
    return found


async def settle(connection: AsyncConnection, row: RowMapping, changes: Mapping[str, Any]) -> None:
    """Keep what a try came to, unless it was taken by another one meanwhile."""
    await connection.execute(
        update(webhook_deliveries)
        .where(
            webhook_deliveries.c.branch_id == row["branch_id"],
            webhook_deliveries.c.webhook_id == row["webhook_id"],
            webhook_deliveries.c.delivery_id == row["delivery_id"],
            webhook_deliveries.c.tries == row["tries"],
        )
        .values(**changes)
    )


async def again(
    connection: AsyncConnection, branch_id: int, webhook_id: str, delivery_id: str, now: datetime
) -> RowMapping | None:
    """Let a delivery that was given up be tried from the beginning."""
    rows = await connection.execute(
        update(webhook_deliveries)
        .where(
            webhook_deliveries.c.branch_id == branch_id,
            webhook_deliveries.c.webhook_id == webhook_id,
            webhook_deliveries.c.delivery_id == delivery_id,
            webhook_deliveries.c.state == DeliveryState.DEAD,
        )
        .values(state=DeliveryState.WAITING, tries=0, next_at=now)
        .returning(webhook_deliveries)
    )
    found: RowMapping | None = rows.mappings().one_or_none()
    return found


async def deliveries(
    connection: AsyncConnection,
    branch_id: int,
    webhook_id: str,
    *,
    state: DeliveryState | None,
    after: str,
    limit: int,
) -> Sequence[RowMapping]:
    """Return deliveries of a webhook in the order in which they were made."""
    query = select(webhook_deliveries).where(
        webhook_deliveries.c.branch_id == branch_id,
        webhook_deliveries.c.webhook_id == webhook_id,
        webhook_deliveries.c.delivery_id > after,
    )
    if state is not None:
        query = query.where(webhook_deliveries.c.state == state)
    rows = await connection.execute(query.order_by(webhook_deliveries.c.delivery_id).limit(limit))
    return rows.mappings().all()
