"""Names of customers: show with a purpose, erase with a reason."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.leads import number_of
from huaxiao.contracts.leads import store
from huaxiao.contracts.leads.handlers import seen_by
from huaxiao.contracts.tables import erasures, full_views
from huaxiao.shared.auth import OutOfScope, Principal
from huaxiao.shared.personal import record_erasure, record_full_view
from huaxiao.shared.wire.personal import Erasure, ErasureIn, FullViewIn, LeadCustomer


async def see_lead(
    connection: AsyncConnection,
    branch_id: int,
    lead_id: str,
    given: FullViewIn,
    *,
    principal: Principal,
    now: datetime,
) -> LeadCustomer:
    """Show whom a lead is about.

    Raises:
        OutOfScope: there is no such lead for this caller.

    """
    number = number_of(lead_id)
    row = None
    if number is not None:
        row = await store.load(connection, branch_id, number, seen_by(principal))
    if row is None:
        raise OutOfScope
    full_view_id = await record_full_view(
        connection,
        full_views,
        branch_id,
        kind="lead",
        object_id=lead_id,
        given=given,
        principal=principal,
        now=now,
    )
    return LeadCustomer(
        full_view_id=full_view_id,
        lead_id=lead_id,
        customer_id=row["customer_id"],
        customer_name=row["customer_name"],
    )


async def erase(
    connection: AsyncConnection,
    branch_id: int,
    given: ErasureIn,
    *,
    principal: Principal,
    now: datetime,
) -> Erasure:
    """Erase a customer's name from every lead, open or not: the code says whom it is about."""
    await branch(connection, branch_id, lock=True)
    erased = await store.erase(connection, branch_id, given.customer_id)
    return await record_erasure(
        connection,
        erasures,
        branch_id,
        given,
        principal=principal,
        now=now,
        erased=erased,
        waiting=0,
    )
