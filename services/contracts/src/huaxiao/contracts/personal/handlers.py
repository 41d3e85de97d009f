"""Names of customers: show with a purpose, erase with a reason."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.leads import number_of
from huaxiao.contracts.leads import store
from huaxiao.contracts.leads.handlers import seen_by
from huaxiao.contracts.tables import audit_log, branches, full_views
from huaxiao.shared.auth import OutOfScope, Principal
from huaxiao.shared.database import Database
from huaxiao.shared.personal import forgetting, record_full_view
from huaxiao.shared.rows import EVERYTHING, NO_BRANCH
from huaxiao.shared.ticking import Job
from huaxiao.shared.wire.personal import FullViewIn, LeadCustomer


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
    connection: AsyncConnection, branch_id: int, customer_id: str, _: datetime
) -> tuple[int, int]:
    """Erase a customer's name from every lead, open or not: the code says whom it is about."""
    await branch(connection, branch_id, lock=True)
    return await store.erase(connection, branch_id, customer_id), 0


def forget_names(days: int) -> Job:
    """Return the job that erases names of leads that have led nowhere further for so many days."""
    return forgetting(audit_log, "lead_customers", store.forget_names, days)


async def known_branches(database: Database) -> Sequence[int]:
    """Return the branches there are, and the one of what lies outside any."""
    async with database.read(EVERYTHING) as connection:
        found = await connection.scalars(select(branches.c.branch_id).order_by("branch_id"))
        return [NO_BRANCH, *found.all()]
