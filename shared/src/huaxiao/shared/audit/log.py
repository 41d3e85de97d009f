"""The audit log of a service: one chain a branch, written in the transaction of what it tells."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Engine,
    Index,
    Integer,
    MetaData,
    RowMapping,
    Table,
    Text,
    bindparam,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared.audit.chain import BEGINNING, Head, chained, told_at
from huaxiao.shared.audit.changes import Changes, watch
from huaxiao.shared.audit.marks import DERIVED
from huaxiao.shared.audit.origins import Origin, own_origin
from huaxiao.shared.clock import Clock
from huaxiao.shared.database import Database, Frequent, adding, branch_column, moving_on
from huaxiao.shared.documents import canonical

_DONE = 200


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry about to be recorded."""

    at: datetime
    origin: Origin
    status: int
    reason: str | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)


_OF_ORIGIN = [one.name for one in fields(Origin)]


class AuditLog:
    """Where a service's audit entries are appended and read."""

    def __init__(self, metadata: MetaData, *, service: str) -> None:
        """Declare the log's tables in the service's schema."""
        self.service = service
        self.heads = Table(
            "audit_heads",
            metadata,
            branch_column(),
            Column("position", BigInteger, nullable=False),
            Column("hash", Text, nullable=False),
            info=DERIVED,
        )
        self.entries = Table(
            "audit_entries",
            metadata,
            branch_column(),
            Column("position", BigInteger, primary_key=True, autoincrement=False),
            Column("at", DateTime(timezone=True), nullable=False),
            Column("subject", Text, nullable=False),
            Column("roles", ARRAY(Text), nullable=False),
            Column("person_id", Text),
            Column("token_id", Text),
            Column("client", Text),
            Column("trace_id", Text),
            Column("method", Text, nullable=False),
            Column("route", Text, nullable=False),
            Column("path", Text, nullable=False),
            Column("query", Text, nullable=False),
            Column("reason", Text),
            Column("status", Integer, nullable=False),
            Column("changes", JSONB, nullable=False),
            Column("hash", Text, nullable=False),
            Index(None, "branch_id", "subject", "position"),
            Index(None, "branch_id", "at"),
            info={"append_only": True} | DERIVED,
        )
        self._move_on = Frequent(moving_on(self.heads))
        self._add = Frequent(adding(self.entries))
        self._chain = Frequent(
            update(self.heads)
            .where(self.heads.c.branch_id == bindparam("of_branch"))
            .values(hash=bindparam("last"))
        )

    async def append(
        self, connection: AsyncConnection, branch_id: int, entries: Sequence[NewEntry]
    ) -> None:
        """Add entries to a branch's chain, in this transaction.

        Call it last: from here until the transaction ends, no other can append to this branch.
        """
        if not entries:
            return
        (head,) = await self._move_on.rows(
            connection, branch_id=branch_id, position=len(entries), hash=BEGINNING
        )
        last, before = head["position"], head["hash"]
        rows = []
        for position, entry in enumerate(entries, start=last - len(entries) + 1):
            row = {
                "position": position,
                "at": entry.at,
                **{name: getattr(entry.origin, name) for name in _OF_ORIGIN},
                "roles": list(entry.origin.roles),
                "reason": entry.reason,
                "status": entry.status,
                "changes": entry.changes,
            }
            document = hashed(self.service, {"branch_id": branch_id, **row})
            before = chained(document, before)
            rows.append(document | {"hash": before})
        await self._add.rows(connection, rows=canonical(rows).decode())
        await self._chain.rows(connection, of_branch=branch_id, last=before)

    async def page(
        self,
        connection: AsyncConnection,
        branch_id: int,
        *,
        subject: str | None,
        route: str | None,
        since: datetime | None,
        until: datetime | None,
        before: int | None,
        limit: int,
    ) -> Sequence[RowMapping]:
        """Return entries, the newest first."""
        table = self.entries
        query = select(table).where(table.c.branch_id == branch_id)
        if subject is not None:
            query = query.where(table.c.subject == subject)
        if route is not None:
            query = query.where(table.c.route == route)
        if since is not None:
            query = query.where(table.c.at >= since)
        if until is not None:
            query = query.where(table.c.at < until)
        if before is not None:
            query = query.where(table.c.position < before)
        rows = await connection.execute(query.order_by(table.c.position.desc()).limit(limit))
        return rows.mappings().all()

    async def all_heads(self, connection: AsyncConnection) -> list[Head]:
        """Return where every branch's chain ends."""
        table = self.heads
        rows = await connection.execute(select(table).order_by(table.c.branch_id))
        return [Head(row.branch_id, row.position, row.hash) for row in rows]


_logs: WeakKeyDictionary[Engine, AuditLog] = WeakKeyDictionary()


def keep(database: Database, audit_log: AuditLog) -> None:
    """Let what is changed through a service's database go into its log."""
    _logs[database.engine.sync_engine] = audit_log
    watch(database.engine)


@asynccontextmanager
async def by_itself(
    connection: AsyncConnection, branch_id: int, *, what: str, clock: Clock
) -> AsyncIterator[None]:
    """Record what a service changes of money and pay by itself in the block, if it does.

    To be the last thing in a transaction.
    """
    assert connection.sync_connection is not None  # noqa: S101 - the connection is open
    audit_log = _logs.get(connection.sync_connection.engine)
    if audit_log is None:
        yield
        return
    changes = Changes(only_pay=True)
    await changes.of(connection)
    yield
    told = await changes.told(connection) if changes else []
    if told:
        origin = own_origin(audit_log.service, what)
        entry = NewEntry(clock(), origin, _DONE, changes=told)
        await audit_log.append(connection, branch_id, [entry])


def hashed(service: str, row: Any) -> dict[str, Any]:
    """Return what of an entry's row is hashed: all of it but the hash itself."""
    document = {name: value for name, value in dict(row).items() if name != "hash"}
    return document | {"service": service, "at": told_at(row["at"])}
