"""Contacts of customers: show with a purpose, keep for a while, erase."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import store as appraisals_store
from huaxiao.dispatch.callers import acts_as_engineer
from huaxiao.dispatch.domain.measuring import REPEAT_WITHIN
from huaxiao.dispatch.orders import store as orders_store
from huaxiao.dispatch.orders.showing import render
from huaxiao.dispatch.personal import store
from huaxiao.dispatch.tables import audit_log, full_views
from huaxiao.dispatch.tickets import store as tickets_store
from huaxiao.shared.auth import OutOfScope, Principal
from huaxiao.shared.periods import Period, period_of, shift, starts_at
from huaxiao.shared.personal import record_full_view, record_retention
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.ticking import Job
from huaxiao.shared.wire.personal import FullViewIn, OrderContact, TicketPlace


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


async def see_ticket(
    connection: AsyncConnection,
    branch_id: int,
    ticket_id: str,
    given: FullViewIn,
    *,
    principal: Principal,
    now: datetime,
) -> TicketPlace:
    """Show where what a ticket is about is.

    Raises:
        OutOfScope: there is no such ticket for this caller.

    """
    row = await tickets_store.load(connection, branch_id, ticket_id, principal, lock=False)
    if row is None:
        raise OutOfScope
    full_view_id = await record_full_view(
        connection,
        full_views,
        branch_id,
        kind="ticket",
        object_id=ticket_id,
        given=given,
        principal=principal,
        now=now,
    )
    return TicketPlace(
        full_view_id=full_view_id,
        ticket_id=ticket_id,
        customer_id=row["about"]["customer_id"],
        standard_address=row["about"]["standard_address"],
    )


async def erase(
    connection: AsyncConnection, branch_id: int, customer_id: str, now: datetime
) -> tuple[int, int]:
    """Erase what orders and tickets of a customer that are over keep of their person."""
    horizon = await _horizon(connection, branch_id)
    erased = await store.erase(
        connection, branch_id, customer_id, horizon, asked_before=now, now=now
    )
    return erased, await store.still_kept(connection, branch_id, customer_id)


async def _horizon(connection: AsyncConnection, branch_id: int) -> store.Horizon:
    """Return since when appraisals that are not closed need what orders keep."""
    known_at, closed = await appraisals_store.progress(connection, branch_id, "closed")
    if known_at is None:
        return store.Horizon(None)
    first_open = period_of(known_at)
    if closed is not None:
        first_open = max(first_open, shift(Period(closed), 1))
    return store.Horizon(starts_at(first_open) - REPEAT_WITHIN)


def forget_contacts(days: int) -> Job:
    """Return the job that erases, after so many days, what was kept for the work alone.

    Contacts and places of orders that are over, addresses of tickets that are closed, plans of days
    gone by.
    """

    async def forget(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
        before = now - timedelta(days=days)
        horizon = await _horizon(connection, branch_id)
        erased = {
            "orders": await store.forget_orders(connection, branch_id, before, horizon),
            "tickets": await store.forget_tickets(connection, branch_id, before),
            "plans": await store.forget_plans(connection, branch_id, before),
        }
        for table, count in erased.items():
            await record_retention(
                audit_log, connection, branch_id, table=table, erased=count, now=now
            )
        return sum(erased.values())

    return forget


def forget_photos(days: int) -> Job:
    """Return the job that erases what proved the work, of orders over for so many days.

    Photos and signatures, notes, where steps were taken; of tickets closed for as long, what they
    say.
    """

    async def forget(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
        before = now - timedelta(days=days)
        horizon = await _horizon(connection, branch_id)
        erased = {
            "order_attachments": await store.forget_photos(
                connection, branch_id, before, horizon, now=now
            ),
            **{
                one.table.name: await store.forget_proofs(
                    connection, one, branch_id, before, horizon
                )
                for one in store.PROOFS
            },
            "tickets": await store.forget_ticket_texts(connection, branch_id, before),
        }
        for table, count in erased.items():
            await record_retention(
                audit_log, connection, branch_id, table=table, erased=count, now=now
            )
        return sum(erased.values())

    return forget


def erase_what_waited() -> Job:
    """Return the job that erases of customers whose erasure was confirmed what had to wait."""

    async def erase_again(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
        horizon = await _horizon(connection, branch_id)
        erased = 0
        for customer_id, until in await store.waiting(connection, branch_id, horizon):
            erased += await store.erase(
                connection, branch_id, customer_id, horizon, asked_before=until, now=now
            )
        await record_retention(
            audit_log, connection, branch_id, table="orders", erased=erased, now=now
        )
        return erased

    return erase_again
