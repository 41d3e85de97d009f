"""Personal data seen in full, and personal data erased: both on record, in the same transaction.

A view in full is a row that nothing can change, so the audit log has an entry of it like of any
change; where the entry is not, nothing was shown. An erasure replaces what a service keeps of a
customer and leaves the customer's code: books, decisions and digests rest on codes alone.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import uuid4

from fastapi import Response
from sqlalchemy import (
    Column,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared.audit.log import AuditLog, NewEntry
from huaxiao.shared.audit.origins import own_origin
from huaxiao.shared.auth import Principal
from huaxiao.shared.database import branch_column
from huaxiao.shared.ticking import Job
from huaxiao.shared.wire.personal import FullViewIn

_PORTION = 500


def full_views_table(metadata: MetaData) -> Table:
    """Declare where a service keeps who has seen personal data in full, and what for."""
    return Table(
        "full_views",
        metadata,
        branch_column(),
        Column("full_view_id", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("object_id", Text, nullable=False),
        Column("purpose", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        info={"append_only": True},
    )


def erasures_table(metadata: MetaData) -> Table:
    """Declare where a service keeps whose personal data is to be erased, who asks for it and why.

    ``erased`` and ``waiting`` are those of erasures that one person did alone, before it took two.
    """
    return Table(
        "erasures",
        metadata,
        branch_column(),
        Column("erasure_id", Text, primary_key=True),
        Column("customer_id", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("erased", Integer),
        Column("waiting", Integer),
        info={"append_only": True},
    )


def erasures_done_table(metadata: MetaData) -> Table:
    """Declare where a service keeps which erasures a second person has had done, once each."""
    schema = metadata.schema
    return Table(
        "erasures_done",
        metadata,
        branch_column(),
        Column("erasure_id", Text, primary_key=True),
        Column("by", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("erased", Integer, nullable=False),
        Column("waiting", Integer, nullable=False),
        ForeignKeyConstraint(
            ["branch_id", "erasure_id"],
            [f"{schema}.erasures.branch_id", f"{schema}.erasures.erasure_id"],
        ),
        info={"append_only": True},
    )


async def record_full_view(
    connection: AsyncConnection,
    table: Table,
    branch_id: int,
    *,
    kind: str,
    object_id: str,
    given: FullViewIn,
    principal: Principal,
    now: datetime,
) -> str:
    """Record that somebody is shown something in full; return the view's identifier."""
    full_view_id = uuid4().hex
    row = given.model_dump(mode="json") | {
        "branch_id": branch_id,
        "full_view_id": full_view_id,
        "kind": kind,
        "object_id": object_id,
        "by": principal.subject,
        "at": now,
    }
    await connection.execute(insert(table).values(**row))
    return full_view_id


async def record_retention(
    audit_log: AuditLog,
    connection: AsyncConnection,
    branch_id: int,
    *,
    table: str,
    erased: int,
    now: datetime,
) -> None:
    """Put on record that a service erased what it need not keep any longer."""
    if erased:
        origin = own_origin(audit_log.service, "retention")
        entry = NewEntry(now, origin, HTTPStatus.OK, changes=[{"table": table, "erased": erased}])
        await audit_log.append(connection, branch_id, [entry])


Forget = Callable[[AsyncConnection, int, datetime], Awaitable[int]]
"""Erase some of what a branch has kept since before a moment; return how much."""


def forgetting(audit_log: AuditLog, table: str, forget: Forget, days: int) -> Job:
    """Return the job that erases what a table has kept for so many days, and puts it on record."""

    async def job(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
        erased = await forget(connection, branch_id, now - timedelta(days=days))
        await record_retention(
            audit_log, connection, branch_id, table=table, erased=erased, now=now
        )
        return erased

    return job


def forget_answers(audit_log: AuditLog, keys: Table, days: int) -> Job:
    """Return the job that erases answers which ``Idempotency-Key`` has kept for so many days.

    The keys stay: what was done under one is not done again.
    """

    async def forget(connection: AsyncConnection, branch_id: int, before: datetime) -> int:
        old = (
            select(keys.c.caller, keys.c.key)
            .where(
                keys.c.branch_id == branch_id,
                keys.c.answered_at < before,
                func.octet_length(keys.c.body) > 0,
            )
            .order_by(keys.c.answered_at)
            .limit(_PORTION)
            .with_for_update(skip_locked=True)
            .cte("old")
        )
        erased = await connection.execute(
            update(keys)
            .where(
                keys.c.branch_id == branch_id,
                keys.c.caller == old.c.caller,
                keys.c.key == old.c.key,
            )
            .values(body=b"")
        )
        return erased.rowcount

    return forgetting(audit_log, keys.name, forget, days)


def keep_nowhere(response: Response) -> None:
    """Let nobody on the way keep an answer that shows personal data."""
    response.headers["Cache-Control"] = "no-store"
