"""Contacts of customers: show with a purpose, keep for a while, erase."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.callers import acts_as_engineer
from huaxiao.dispatch.orders import store as orders_store
from huaxiao.dispatch.orders.showing import render
from huaxiao.dispatch.personal import store
from huaxiao.dispatch.tables import audit_log, erasures, full_views
from huaxiao.shared.auth import OutOfScope, Principal
from huaxiao.shared.personal import record_erasure, record_full_view, record_retention
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.ticking import Job
from huaxiao.shared.wire.personal import Erasure, ErasureIn, FullViewIn, OrderContact


async def see_order(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    given: FullViewIn,
    *,
    principal: Principal,
    now: datetime,
) -> OrderContact:
    """Show whom an order is for, and where.

    Raises:
        OutOfScope: there is no such order for this caller.
        Forbidden: the caller is its engineer, and it is over.

    """
    if not await orders_store.is_visible(connection, branch_id, order_id, principal):
        raise OutOfScope
    row = await orders_store.load(connection, branch_id, order_id)
    if row is None:
        raise OutOfScope
    if acts_as_engineer(principal) and row["state"] in store.OVER:
        raise Forbidden
    full_view_id = await record_full_view(
        connection,
        full_views,
        branch_id,
        kind="order",
        object_id=order_id,
        given=given,
        principal=principal,
        now=now,
    )
    return OrderContact.model_validate(render(row) | {"full_view_id": full_view_id})


async def erase(
    connection: AsyncConnection,
    branch_id: int,
    given: ErasureIn,
    *,
    principal: Principal,
    now: datetime,
) -> Erasure:
    """Erase what orders of a customer that are over keep of their person."""
    erased = await store.erase(connection, branch_id, given.customer_id)
    return await record_erasure(
        connection,
        erasures,
        branch_id,
        given,
        principal=principal,
        now=now,
        erased=erased,
        waiting=await store.still_kept(connection, branch_id, given.customer_id),
    )


def forget_contacts(days: int) -> Job:
    """Return the job that erases contacts of orders that have been over for so many days."""

    async def forget(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
        erased = await store.erase_older(connection, branch_id, now - timedelta(days=days))
        await record_retention(
            audit_log, connection, branch_id, table="orders", erased=erased, now=now
        )
        return erased

    return forget
