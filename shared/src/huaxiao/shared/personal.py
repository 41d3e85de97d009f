"""Personal data seen in full, and personal data erased: both on record, in the same transaction.

A view in full is a row that nothing can change, so the audit log has an entry of it like of any
change; where the entry is not, nothing was shown. An erasure replaces what a service keeps of a
customer and leaves the customer's code: books, decisions and digests rest on codes alone.
"""

from datetime import datetime
from http import HTTPStatus
from uuid import uuid4

from fastapi import Response
from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared.audit.log import AuditLog, NewEntry
from huaxiao.shared.audit.origins import own_origin
from huaxiao.shared.auth import Principal
from huaxiao.shared.database import branch_column
from huaxiao.shared.wire.personal import Erasure, ErasureIn, FullViewIn


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
    """Declare where a service keeps whose personal data was erased, when and why."""
    return Table(
        "erasures",
        metadata,
        branch_column(),
        Column("erasure_id", Text, primary_key=True),
        Column("customer_id", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("erased", Integer, nullable=False),
        Column("waiting", Integer, nullable=False),
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


async def record_erasure(
    connection: AsyncConnection,
    table: Table,
    branch_id: int,
    given: ErasureIn,
    *,
    principal: Principal,
    now: datetime,
    erased: int,
    waiting: int,
) -> Erasure:
    """Record that a customer's personal data was erased."""
    made = Erasure(
        erasure_id=uuid4().hex,
        customer_id=given.customer_id,
        reason=given.reason,
        by=principal.subject,
        at=now,
        erased=erased,
        waiting=waiting,
    )
    await connection.execute(insert(table).values(branch_id=branch_id, **made.model_dump()))
    return made


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


def keep_nowhere(response: Response) -> None:
    """Let nobody on the way keep an answer that shows personal data."""
    response.headers["Cache-Control"] = "no-store"
