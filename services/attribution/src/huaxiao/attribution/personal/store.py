"""Bodies of held events."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.tables import erasures, erasures_done, held_events
from huaxiao.shared.erasing import with_done
from huaxiao.shared.wire.attribution import Outcome

_PORTION = 500
_ERASED = {"body": b""}


def _kept() -> ColumnElement[bool]:
    return func.octet_length(held_events.c.body) > 0


def _names(customer_id: str) -> ColumnElement[bool]:
    """Say whether a body names a customer anywhere, as a whole text in JSON."""
    named = f'%"{customer_id}"%'.replace("_", r"\_").encode()
    return held_events.c.body.bool_op("LIKE")(named)


async def erase(connection: AsyncConnection, branch_id: int, customer_id: str) -> int:
    """Erase bodies that name a customer and are resolved; return how many they were."""
    erased = await connection.execute(
        update(held_events)
        .where(
            held_events.c.branch_id == branch_id,
            held_events.c.resolved_at.is_not(None),
            _names(customer_id),
        )
        .values(_ERASED)
        .returning(held_events.c.number)
    )
    return len(erased.all())


async def still_kept(connection: AsyncConnection, branch_id: int, customer_id: str) -> int:
    """Return how many bodies name a customer yet."""
    return (
        await connection.execute(
            select(func.count()).where(held_events.c.branch_id == branch_id, _names(customer_id))
        )
    ).scalar_one()


async def erase_what_waited(connection: AsyncConnection, branch_id: int) -> int:
    """Erase bodies that waited when their customer was erased, and are resolved by now.

    Bodies that came after the erasure stay. Returns how many were erased.
    """
    waited = await connection.execute(
        select(erasures.c.customer_id, func.max(erasures_done.c.at))
        .select_from(with_done(erasures, erasures_done))
        .where(erasures.c.branch_id == branch_id, erasures_done.c.waiting > 0)
        .group_by(erasures.c.customer_id)
        .order_by(erasures.c.customer_id)
    )
    erased = 0
    for customer_id, asked_before in waited.all():
        gone = await connection.execute(
            update(held_events)
            .where(
                held_events.c.branch_id == branch_id,
                held_events.c.resolved_at.is_not(None),
                held_events.c.received_at < asked_before,
                _kept(),
                _names(customer_id),
            )
            .values(_ERASED)
        )
        erased += gone.rowcount
    return erased


async def erase_older(connection: AsyncConnection, branch_id: int, before: datetime) -> int:
    """Erase some bodies that nobody waits for since before a moment; return how many they were.

    What is resolved, or was refused and never mended; a parked event may still be booked.
    """
    unmended = and_(
        held_events.c.resolved_at.is_(None), held_events.c.outcome != str(Outcome.PARKED)
    )
    old = (
        select(held_events.c.number)
        .where(
            held_events.c.branch_id == branch_id,
            held_events.c.received_at < before,
            or_(held_events.c.resolved_at < before, unmended),
            _kept(),
        )
        .order_by(held_events.c.received_at)
        .limit(_PORTION)
        .with_for_update(skip_locked=True)
    )
    found = (await connection.scalars(old)).all()
    if found:
        await connection.execute(
            update(held_events)
            .where(
                held_events.c.branch_id == branch_id, held_events.c.number == func.any(list(found))
            )
            .values(_ERASED)
        )
    return len(found)
