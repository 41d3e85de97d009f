"""What orders keep of a customer's person."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import orders
from huaxiao.shared.wire.dispatch import OrderState

OVER = (OrderState.CONFIRMED, OrderState.CANCELLED)
"""States from which no work goes on."""
_ERASED = {"contact_note": None, "latitude": None, "longitude": None}
_PORTION = 500


def _personal() -> ColumnElement[bool]:
    return or_(orders.c.contact_note.is_not(None), orders.c.latitude.is_not(None))


async def erase(connection: AsyncConnection, branch_id: int, customer_id: str) -> int:
    """Erase what the orders of a customer that are over keep; return how many kept something."""
    erased = await connection.execute(
        update(orders)
        .where(
            orders.c.branch_id == branch_id,
            orders.c.customer_id == customer_id,
            orders.c.state.in_(OVER),
            _personal(),
        )
        .values(_ERASED)
        .returning(orders.c.order_id)
    )
    return len(erased.all())


async def still_kept(connection: AsyncConnection, branch_id: int, customer_id: str) -> int:
    """Return how many orders of a customer keep something yet."""
    return (
        await connection.execute(
            select(func.count()).where(
                orders.c.branch_id == branch_id,
                orders.c.customer_id == customer_id,
                _personal(),
            )
        )
    ).scalar_one()


async def erase_older(connection: AsyncConnection, branch_id: int, before: datetime) -> int:
    """Erase what some orders keep that were over before a moment; return how many they were."""
    old = (
        select(orders.c.order_id)
        .where(
            orders.c.branch_id == branch_id,
            orders.c.last_step_at < before,
            orders.c.state.in_(OVER),
            _personal(),
        )
        .order_by(orders.c.last_step_at)
        .limit(_PORTION)
        .with_for_update(skip_locked=True)
    )
    found = (await connection.scalars(old)).all()
    if found:
        await connection.execute(
            update(orders)
            .where(orders.c.branch_id == branch_id, orders.c.order_id == func.any(list(found)))
            .values(_ERASED)
        )
    return len(found)
