"""Appraisals in the database, and the orders they are computed from."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import appraisals, order_clocks, orders, people
from huaxiao.shared.auth import Principal
from huaxiao.shared.wire.dispatch import CustomerClass

MEASURED = select(
    orders,
    order_clocks.c.version,
    order_clocks.c.first_contact_due_at,
    order_clocks.c.late_because_of_centre_id,
).outerjoin(
    order_clocks,
    (order_clocks.c.branch_id == orders.c.branch_id)
    & (order_clocks.c.order_id == orders.c.order_id),
)
"""Orders with what their clocks say of how they are judged."""


async def served_orders(
    connection: AsyncConnection,
    branch_id: int,
    *,
    rater_centre_id: str,
    ratee_centre_id: str,
    since: datetime,
    until: datetime,
) -> Sequence[RowMapping]:
    """Return the enterprise orders one centre did for another that bear on a time span."""
    rows = await connection.execute(
        MEASURED.where(
            orders.c.branch_id == branch_id,
            orders.c.requester_centre_id == rater_centre_id,
            orders.c.performer_centre_id == ratee_centre_id,
            orders.c.customer_class != CustomerClass.PUBLIC,
            orders.c.requested_at < until,
            or_(orders.c.finished_at.is_(None), orders.c.finished_at >= since),
        ).order_by(orders.c.order_id)
    )
    return rows.mappings().all()


async def add(connection: AsyncConnection, appraisal: Mapping[str, Any]) -> bool:
    """Insert an appraisal; False when there is one of this kind for these parties already."""
    added = await connection.execute(
        insert(appraisals)
        .values(**appraisal)
        .on_conflict_do_nothing()
        .returning(appraisals.c.appraisal_id)
    )
    return added.one_or_none() is not None


async def load(connection: AsyncConnection, branch_id: int, appraisal_id: str) -> RowMapping | None:
    """Return an appraisal, locked for this transaction."""
    rows = await connection.execute(
        select(appraisals)
        .where(appraisals.c.branch_id == branch_id, appraisals.c.appraisal_id == appraisal_id)
        .with_for_update()
    )
    return rows.mappings().one_or_none()


async def confirm(
    connection: AsyncConnection, branch_id: int, appraisal_id: str, now: datetime
) -> None:
    """Note that the ratee has confirmed."""
    await connection.execute(
        update(appraisals)
        .where(appraisals.c.branch_id == branch_id, appraisals.c.appraisal_id == appraisal_id)
        .values(confirmed_at=now)
    )


async def horizontals_of(
    connection: AsyncConnection, branch_id: int, period: int, ratee_centre_id: str
) -> Sequence[RowMapping]:
    """Return the horizontal appraisals a centre got for a period, locked for this transaction."""
    rows = await connection.execute(
        select(appraisals)
        .where(
            appraisals.c.branch_id == branch_id,
            appraisals.c.kind == "horizontal",
            appraisals.c.period == period,
            appraisals.c.ratee_centre_id == ratee_centre_id,
        )
        .order_by(appraisals.c.appraisal_id)
        .with_for_update()
    )
    return rows.mappings().all()


async def centre_of(connection: AsyncConnection, branch_id: int, person_id: str) -> str | None:
    """Return the centre a person belongs to."""
    found: str | None = await connection.scalar(
        select(people.c.centre_id).where(
            people.c.branch_id == branch_id, people.c.person_id == person_id
        )
    )
    return found


async def page(
    connection: AsyncConnection,
    branch_id: int,
    principal: Principal,
    *,
    period: int | None,
    kind: str | None,
    after: str,
    limit: int,
) -> Sequence[RowMapping]:
    """Return the appraisals the caller's centres gave or got."""
    query = select(appraisals).where(
        appraisals.c.branch_id == branch_id, appraisals.c.appraisal_id > after
    )
    if period is not None:
        query = query.where(appraisals.c.period == period)
    if kind is not None:
        query = query.where(appraisals.c.kind == kind)
    if principal.centre_ids is not None:
        ids = sorted(principal.centre_ids)
        query = query.where(
            or_(appraisals.c.rater_centre_id.in_(ids), appraisals.c.ratee_centre_id.in_(ids))
        )
    rows = await connection.execute(query.order_by(appraisals.c.appraisal_id).limit(limit))
    return rows.mappings().all()
