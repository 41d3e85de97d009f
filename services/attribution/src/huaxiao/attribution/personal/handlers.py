"""Personal data of events: show with a purpose, keep for a while, erase."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.explanations import store as explanations_store
from huaxiao.attribution.explanations.handlers import explain
from huaxiao.attribution.personal import store
from huaxiao.attribution.quarantine import store as quarantine
from huaxiao.attribution.quarantine.handlers import sender_of
from huaxiao.attribution.tables import UNPLACED, audit_log, branches, full_views
from huaxiao.shared.auth import OutOfScope, Principal
from huaxiao.shared.database import Database
from huaxiao.shared.personal import forgetting, record_full_view, record_retention
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.ticking import Job
from huaxiao.shared.wire.personal import FullViewIn, HeldBody, LineAddresses


async def see_held(
    connection: AsyncConnection,
    branch_id: int,
    held_id: str,
    given: FullViewIn,
    *,
    principal: Principal,
    now: datetime,
) -> HeldBody:
    """Show a held event as it came.

    Raises:
        OutOfScope: there is no such event for this caller.

    """
    posted_by = principal.subject if branch_id == UNPLACED else sender_of(principal)
    number = quarantine.number_of(held_id)
    found = None
    if number is not None:
        found = await quarantine.one(connection, branch_id, number, posted_by=posted_by)
    if found is None:
        raise OutOfScope
    full_view_id = await record_full_view(
        connection,
        full_views,
        branch_id,
        kind="held_event",
        object_id=held_id,
        given=given,
        principal=principal,
        now=now,
    )
    body = found[1].decode("utf-8", errors="replace")
    return HeldBody(full_view_id=full_view_id, held_id=held_id, body=body)


async def see_line(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    subscription_id: str,
    given: FullViewIn,
    *,
    principal: Principal,
    now: datetime,
) -> LineAddresses:
    """Show where a line is, to whoever may have its decision explained.

    Raises:
        NotFound: there is no such line for this caller.

    """
    told = await explain(connection, counties, branch_id, subscription_id, None, principal, now=now)
    recorded = await explanations_store.recorded(
        connection, branch_id, subscription_id, told.period
    )
    assert recorded is not None  # noqa: S101 - it has just been explained
    line = recorded.evidence.subject.line
    full_view_id = await record_full_view(
        connection,
        full_views,
        branch_id,
        kind="subscription",
        object_id=subscription_id,
        given=given,
        principal=principal,
        now=now,
    )
    return LineAddresses(
        full_view_id=full_view_id,
        subscription_id=subscription_id,
        standard_address=line.standard_address,
        resource_address=line.resource_address,
    )


async def erase(
    connection: AsyncConnection, branch_id: int, customer_id: str, _: datetime
) -> tuple[int, int]:
    """Erase the bodies of held events that name a customer and are resolved; the others wait."""
    erased = await store.erase(connection, branch_id, customer_id)
    return erased, await store.still_kept(connection, branch_id, customer_id)


def forget_bodies(days: int) -> Job:
    """Return the job that erases bodies of held events nobody has waited for in so many days."""
    return forgetting(audit_log, "held_events", store.erase_older, days)


def erase_what_waited() -> Job:
    """Return the job that erases of customers whose erasure was confirmed what had to wait."""

    async def erase_again(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
        erased = await store.erase_what_waited(connection, branch_id)
        await record_retention(
            audit_log, connection, branch_id, table="held_events", erased=erased, now=now
        )
        return erased

    return erase_again


async def known_branches(database: Database) -> Sequence[int]:
    """Return the branches that attribution has been told of, and the one of what names none."""
    async with database.read(EVERYTHING) as connection:
        found = await connection.scalars(select(branches.c.branch_id).order_by("branch_id"))
        return [UNPLACED, *found.all()]
