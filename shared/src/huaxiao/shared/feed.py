"""Feeds: facts in commit order, published by one service and followed by others.

An entry is written in the transaction that makes its fact true. Its position comes from a counter
row per branch, which that transaction keeps locked until it ends: a later position can only be
given out after the earlier one has committed or vanished, so a reader never passes over an entry
that commits late, and no position is missing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    MetaData,
    Table,
    Text,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared import trace
from huaxiao.shared.auth import Role, allow
from huaxiao.shared.database import Database, branch_column
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.rows import Scope
from huaxiao.shared.wire.base import Fact
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE, FeedEntry

_MAX_ENTRIES = 1000
_LONG_POLL_STEP_SECONDS = 0.2
_MAX_TIMEOUT_MS = 30_000
_log = logging.getLogger(__name__)
_entries_json = TypeAdapter(list[FeedEntry])


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact about to enter the feed."""

    type: str
    subject: str
    data: Fact


class Feed:
    """A service's own feed: where facts are appended and read."""

    def __init__(self, metadata: MetaData, *, service: str) -> None:
        """Declare the feed's tables in the service's schema."""
        self.source = f"/{service}"
        self.heads = Table(
            "feed_heads",
            metadata,
            branch_column(),
            Column("position", BigInteger, nullable=False),
        )
        self.entries = Table(
            "feed_entries",
            metadata,
            branch_column(),
            Column("position", BigInteger, primary_key=True, autoincrement=False),
            Column("type", Text, nullable=False),
            Column("subject", Text, nullable=False),
            Column("occurred_at", DateTime(timezone=True), nullable=False),
            Column("traceparent", Text),
            Column("data", JSONB, nullable=False),
            info={"append_only": True},
        )

    async def append(
        self,
        connection: AsyncConnection,
        branch_id: int,
        facts: Sequence[NewFact],
        *,
        now: datetime,
    ) -> int | None:
        """Add facts to a branch's feed, in this transaction; return the position of the last.

        Call it last: from here until the transaction ends, no other can append to this branch.
        """
        if not facts:
            return None
        counter = insert(self.heads).values(branch_id=branch_id, position=len(facts))
        last: int | None = await connection.scalar(
            counter.on_conflict_do_update(
                index_elements=["branch_id"],
                set_={"position": self.heads.c.position + counter.excluded.position},
            ).returning(self.heads.c.position)
        )
        assert last is not None  # noqa: S101 - an upsert always returns its row
        first = last - len(facts) + 1
        await connection.execute(
            insert(self.entries),
            [
                {
                    "branch_id": branch_id,
                    "position": position,
                    "type": fact.type,
                    "subject": fact.subject,
                    "occurred_at": now,
                    "traceparent": trace.current(),
                    "data": fact.data.model_dump(mode="json"),
                }
                for position, fact in enumerate(facts, start=first)
            ],
        )
        return last

    async def read(
        self, connection: AsyncConnection, branch_id: int, *, after: int, limit: int
    ) -> list[FeedEntry]:
        """Return the entries behind a position, in order."""
        table = self.entries
        rows = await connection.execute(
            select(table)
            .where(table.c.branch_id == branch_id, table.c.position > after)
            .order_by(table.c.position)
            .limit(limit)
        )
        return [
            FeedEntry(
                id=str(row.position),
                source=self.source,
                type=row.type,
                subject=row.subject,
                time=row.occurred_at,
                branchid=row.branch_id,
                traceparent=row.traceparent,
                data=row.data,
            )
            for row in rows
        ]

    def router(self) -> APIRouter:
        """Return the route that serves this feed."""
        routes = APIRouter(prefix="/v1/branches/{branch_id}", tags=["feed"])

        @routes.get(
            "/feed",
            response_class=Response,
            dependencies=[allow(Role.SERVICE, Role.AUDITOR, Role.COUNTY_MANAGER, Role.PROVINCE)],
            responses={200: {"content": {FEED_MEDIA_TYPE: {}}, "model": list[FeedEntry]}},
        )
        async def read_feed(
            request: Request,
            branch_id: BranchId,
            last_event_id: Annotated[int, Query(alias="lastEventId", ge=0)] = 0,
            limit: Annotated[int, Query(ge=1, le=_MAX_ENTRIES)] = _MAX_ENTRIES,
            timeout: Annotated[  # noqa: ASYNC109 - HTTP Feeds' own parameter
                int, Query(ge=0, le=_MAX_TIMEOUT_MS, description="milliseconds to wait for news")
            ] = 0,
        ) -> Response:
            """Follow what becomes true in a branch: CloudEvents in commit order (HTTP Feeds)."""
            database: Database = request.app.state.database
            deadline = asyncio.get_running_loop().time() + timeout / 1000
            while True:
                async with database.read(Scope.of_branch(branch_id)) as connection:
                    entries = await self.read(
                        connection, branch_id, after=last_event_id, limit=limit
                    )
                late = asyncio.get_running_loop().time() >= deadline
                if entries or late or await _nobody_waits(request):
                    break
                await asyncio.sleep(_LONG_POLL_STEP_SECONDS)
            return Response(
                _entries_json.dump_json(entries, exclude_none=True), media_type=FEED_MEDIA_TYPE
            )

        return routes


async def _nobody_waits(request: Request) -> bool:
    """Say whether there is no reader left to wait for news with, or no time to."""
    return request.app.state.stopping or await request.is_disconnected()


class FeedReader(Protocol):
    """A client that can read a peer's feed."""

    async def feed(
        self, branch_id: int, *, after: int, limit: int, wait_ms: int
    ) -> list[FeedEntry]:
        """Return the entries behind a position, waiting a while when there are none."""
        ...


class FeedOutOfOrderError(RuntimeError):
    """A feed answered without the entry that comes next; it will be asked again."""

    def __init__(self, source: str, branch_id: int, after: int) -> None:
        """Name the feed and the position behind which an entry is missing."""
        super().__init__(f"{source} of {branch_id} gave no entry {after + 1}")


def in_order(entries: Iterable[FeedEntry], *, after: int) -> list[FeedEntry]:
    """Return the entries that follow a position, each once, up to the first that is missing.

    A feed does not repeat, turn round or leave out; whatever stands between may. What comes behind
    a gap is read again when the gap is filled.
    """
    by_position = {one.position: one for one in entries}
    found: list[FeedEntry] = []
    while (entry := by_position.get(after + len(found) + 1)) is not None:
        found.append(entry)
    return found


Apply = Callable[[AsyncConnection, int, Sequence[FeedEntry]], Awaitable[None]]
"""Store the effect of a branch's next entries, in the transaction that moves the position."""


def positions_table(metadata: MetaData) -> Table:
    """Declare how far a service has followed each peer's feed, branch by branch."""
    return Table(
        "feed_positions",
        metadata,
        branch_column(),
        Column("source", Text, primary_key=True),
        Column("position", BigInteger, nullable=False),
        Column("followed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )


@dataclass(frozen=True)
class Follower:
    """Follows one peer's feed into this service's own tables, exactly once in effect.

    The effect and the position are stored in one transaction, on a locked row: after a crash the
    same entries come again and nothing was half done; of two replicas one finds the row moved and
    lets go.
    """

    source: str
    reader: FeedReader
    apply: Apply
    database: Database
    positions: Table
    batch: int = 500

    async def step(self, branch_id: int, *, wait_ms: int = 0) -> int:
        """Apply the next entries of a branch; return how many there were.

        Raises:
            FeedOutOfOrderError: there are entries, and none of them is the next one.

        """
        before = await self._position(branch_id)
        read = await self.reader.feed(branch_id, after=before, limit=self.batch, wait_ms=wait_ms)
        if not read:
            return 0
        entries = in_order(read, after=before)
        if not entries:
            raise FeedOutOfOrderError(self.source, branch_id, before)
        async with self.database.write(Scope.of_branch(branch_id)) as connection:
            if not await self._advance(connection, branch_id, before, entries[-1].position):
                return 0
            await self.apply(connection, branch_id, entries)
        return len(entries)

    async def _position(self, branch_id: int) -> int:
        table = self.positions
        async with self.database.read(Scope.of_branch(branch_id)) as connection:
            held = await connection.scalar(
                select(table.c.position).where(
                    table.c.branch_id == branch_id, table.c.source == self.source
                )
            )
        return held or 0

    async def _advance(
        self, connection: AsyncConnection, branch_id: int, before: int, after: int
    ) -> bool:
        table = self.positions
        row = insert(table).values(branch_id=branch_id, source=self.source, position=after)
        moved = await connection.execute(
            row.on_conflict_do_update(
                index_elements=["branch_id", "source"],
                set_={"position": after, "followed_at": func.now()},
                where=table.c.position == before,
            ).returning(table.c.position)
        )
        return moved.one_or_none() is not None

    async def run(self, branches: Callable[[], Awaitable[Sequence[int]]]) -> None:
        """Follow every branch until cancelled, one task a branch; a failing one tries again."""
        tasks: dict[int, asyncio.Task[None]] = {}
        told = False
        try:
            while True:
                try:
                    for branch_id in await branches():
                        if branch_id not in tasks:
                            tasks[branch_id] = asyncio.create_task(self._follow(branch_id))
                    told = False
                except Exception as error:  # noqa: BLE001 - a peer may be down; keep asking
                    if not told:
                        _log.warning("cannot list branches to follow %s: %r", self.source, error)
                    told = True
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def _follow(self, branch_id: int) -> None:
        while True:
            try:
                await self.step(branch_id, wait_ms=_FOLLOW_WAIT_MS)
            except Exception as error:  # noqa: BLE001 - whatever it was, the position has not moved
                _log.warning("following %s for %s: %r", self.source, branch_id, error)
                await asyncio.sleep(_RETRY_SECONDS)


_RETRY_SECONDS = 1.0
_FOLLOW_WAIT_MS = 10_000
