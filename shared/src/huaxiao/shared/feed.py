"""Feeds: facts in commit order, published by one service and followed by others.

An entry is written in the transaction that makes its fact true. Its position comes from a counter
row per branch, which that transaction keeps locked until it ends: a later position can only be
given out after the earlier one has committed or vanished, so a reader never passes over an entry
that commits late, and no position is missing.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    MetaData,
    Row,
    Table,
    Text,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from huaxiao.shared import trace
from huaxiao.shared.audit.log import by_itself
from huaxiao.shared.audit.marks import DERIVED
from huaxiao.shared.auth import Role, allow
from huaxiao.shared.clock import system_clock
from huaxiao.shared.database import Database, Frequent, adding, branch_column, moving_on
from huaxiao.shared.deadlines import remaining
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.limits import stop_holding_up_others
from huaxiao.shared.rows import Scope
from huaxiao.shared.telemetry import caused_by
from huaxiao.shared.together import Together
from huaxiao.shared.wire import feed_document
from huaxiao.shared.wire.base import Fact
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE, FeedEntry

_MAX_ENTRIES = 1000
_BRANCHES_AT_ONCE = 2
"""Of one feed: enough for the database to work while the next page is read, and no more."""
_LONG_POLL_STEP_SECONDS = 0.2
_MAX_TIMEOUT_MS = 30_000
_ANSWER_SECONDS = 2.0
"""Before its deadline a poll looks for the last time."""
_log = logging.getLogger(__name__)


class _Line(msgspec.Struct, kw_only=True, gc=False):
    """A feed entry as it is sent; its data goes out as it is stored."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    branchid: int
    traceparent: str | msgspec.UnsetType = msgspec.UNSET
    datacontenttype: str = "application/json"
    data: msgspec.Raw


_line_json = msgspec.json.Encoder()


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
            info=DERIVED,
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
            info={"append_only": True} | DERIVED,
        )
        self._move_on = Frequent(moving_on(self.heads))
        self._add = Frequent(adding(self.entries))

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
        (head,) = await self._move_on.rows(connection, branch_id=branch_id, position=len(facts))
        last: int = head["position"]
        rows = [
            {
                "branch_id": branch_id,
                "position": position,
                "type": fact.type,
                "subject": fact.subject,
                "occurred_at": now,
                "traceparent": trace.current(),
                "data": msgspec.Raw(fact.data.model_dump_json().encode()),
            }
            for position, fact in enumerate(facts, start=last - len(facts) + 1)
        ]
        await self._add.rows(connection, rows=msgspec.json.encode(rows).decode())
        return last

    async def head(self, connection: AsyncConnection, branch_id: int) -> int:
        """Return the position of a branch's last entry; 0 before the first."""
        held = self.heads.c
        found: int | None = await connection.scalar(
            select(held.position).where(held.branch_id == branch_id)
        )
        return found or 0

    async def read(
        self, connection: AsyncConnection, branch_id: int, *, after: int, limit: int
    ) -> list[FeedEntry]:
        """Return the entries behind a position, in order."""
        rows = await self._rows(connection, self.entries.c.data, branch_id, after, limit)
        return [
            FeedEntry(
                id=str(row.position),
                source=self.source,
                type=row.type,
                subject=row.subject,
                time=row.occurred_at,
                branchid=branch_id,
                traceparent=row.traceparent,
                data=row.data,
            )
            for row in rows
        ]

    async def _page(
        self, connection: AsyncConnection, branch_id: int, after: int, limit: int
    ) -> list[_Line]:
        """Return the same as it is sent, without a look into what the facts say."""
        data = cast(self.entries.c.data, Text)
        rows = await self._rows(connection, data.label("data"), branch_id, after, limit)
        return [
            _Line(
                id=str(position),
                source=self.source,
                type=kind,
                subject=subject,
                time=occurred_at,
                branchid=branch_id,
                data=msgspec.Raw(held),
                traceparent=traceparent or msgspec.UNSET,
            )
            for position, kind, subject, occurred_at, traceparent, held in rows
        ]

    async def _rows(
        self,
        connection: AsyncConnection,
        data: ColumnElement[Any],
        branch_id: int,
        after: int,
        limit: int,
    ) -> Sequence[Row[int, str, str, datetime, str | None, Any]]:
        held = self.entries.c
        rows = await connection.execute(
            select(held.position, held.type, held.subject, held.occurred_at, held.traceparent, data)
            .where(held.branch_id == branch_id, held.position > after)
            .order_by(held.position)
            .limit(limit)
        )
        return rows.all()

    def router(self) -> APIRouter:
        """Return the route that serves this feed."""
        routes = APIRouter(prefix="/v1/branches/{branch_id}", tags=["feed"])

        @routes.get(
            "/feed",
            response_class=Response,
            dependencies=[
                allow(
                    *(Role.SERVICE, Role.AUDITOR, Role.COUNTY_MANAGER, Role.PROVINCE),
                    whole_branch=True,
                )
            ],
            responses={
                200: {"content": {FEED_MEDIA_TYPE: {}}, "model": list[feed_document.FeedEntry]}
            },
        )
        async def read_feed(
            request: Request,
            branch_id: BranchId,
            last_event_id: Annotated[int, Query(alias="lastEventId", ge=0, lt=2**63)] = 0,
            limit: Annotated[int, Query(ge=1, le=_MAX_ENTRIES)] = _MAX_ENTRIES,
            timeout: Annotated[  # noqa: ASYNC109 - HTTP Feeds' own parameter
                int, Query(ge=0, le=_MAX_TIMEOUT_MS, description="milliseconds to wait for news")
            ] = 0,
        ) -> Response:
            """Follow what becomes true in a branch: CloudEvents in commit order (HTTP Feeds)."""
            database: Database = request.app.state.database
            heads = _heads_of(request, self.heads)
            loop = asyncio.get_running_loop()
            deadline = loop.time() + min(timeout / 1000, _time_to_wait())
            while True:
                async with database.read(Scope.of_branch(branch_id)) as connection:
                    entries = await self._page(connection, branch_id, last_event_id, limit)
                while not (entries or loop.time() >= deadline):
                    stop_holding_up_others(request)
                    # All who wait look at the same moments, so that they look together.
                    await asyncio.sleep(
                        _LONG_POLL_STEP_SECONDS - loop.time() % _LONG_POLL_STEP_SECONDS
                    )
                    if await _nobody_waits(request):
                        return Response(_line_json.encode(entries), media_type=FEED_MEDIA_TYPE)
                    if await heads.of(branch_id) > last_event_id:
                        break
                else:
                    break
            return Response(_line_json.encode(entries), media_type=FEED_MEDIA_TYPE)

        return routes


class _Heads(Together[int, int]):
    """Reads how far branches' feeds go: one small read for all readers who wait for news."""

    def __init__(self, table: Table, database: Database) -> None:
        super().__init__()
        self._table, self._database = table, database

    @override
    async def _read(self, branch_ids: Collection[int]) -> Mapping[int, int]:
        held = self._table.c
        async with self._database.read(Scope(frozenset(branch_ids))) as connection:
            rows = await connection.execute(
                select(held.branch_id, held.position).where(held.branch_id.in_(list(branch_ids)))
            )
            return dict.fromkeys(branch_ids, 0) | {row[0]: row[1] for row in rows}


def _heads_of(request: Request, table: Table) -> _Heads:
    """Return what reads the heads for all readers of this process."""
    state = request.app.state
    if not hasattr(state, "feed_heads"):
        state.feed_heads = _Heads(table, state.database)
    heads: _Heads = state.feed_heads
    return heads


def _time_to_wait() -> float:
    """Return how long a reader may wait, so that an answer without news comes by the deadline."""
    left = remaining()
    return math.inf if left is None else max(0.0, left - _ANSWER_SECONDS)


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
        info=DERIVED,
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
    batch: int = _MAX_ENTRIES
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_BRANCHES_AT_ONCE))
    """Taken while entries are applied: who answers meanwhile needs connections and memory, too."""

    async def step(self, branch_id: int, *, wait_ms: int = 0) -> int:
        """Apply the next entries of a branch; return how many there were.

        Raises:
            FeedOutOfOrderError: there are entries, and none of them is the next one.

        """
        before = await self._position(branch_id)
        read = await self._read(branch_id, before, wait_ms)
        async with self.turns:
            return await self._take(branch_id, before, read)

    async def catch_up(self, branch_id: int) -> None:
        """Apply the entries of a branch while whole pages come, reading a page ahead.

        Raises:
            FeedOutOfOrderError: there are entries, and none of them is the next one.

        """
        async with self.turns:
            before = await self._position(branch_id)
            read = await self._read(branch_id, before)
            while len(read) == self.batch:
                # What comes behind a gap, or in another order, is seen to be so when it is taken.
                after = before + len(read)
                ahead = asyncio.create_task(self._read(branch_id, after))
                try:
                    if await self._take(branch_id, before, read) < len(read):
                        return
                    before, read = after, await ahead
                finally:
                    ahead.cancel()
                    await asyncio.gather(ahead, return_exceptions=True)
            await self._take(branch_id, before, read)

    async def _read(self, branch_id: int, after: int, wait_ms: int = 0) -> list[FeedEntry]:
        return await self.reader.feed(branch_id, after=after, limit=self.batch, wait_ms=wait_ms)

    async def _take(self, branch_id: int, before: int, read: Sequence[FeedEntry]) -> int:
        """Apply what was read behind a position, unless another did; return how many entries."""
        if not read:
            return 0
        entries = in_order(read, after=before)
        if not entries:
            raise FeedOutOfOrderError(self.source, branch_id, before)
        told_in = [one.traceparent for one in entries if one.traceparent]
        with caused_by(f"follow {self.source}", told_in, branch=branch_id, entries=len(entries)):
            return await self._apply(branch_id, before, entries)

    async def _apply(self, branch_id: int, before: int, entries: Sequence[FeedEntry]) -> int:
        async with self.database.write(Scope.of_branch(branch_id)) as connection:
            if not await self._advance(connection, branch_id, before, entries[-1].position):
                return 0
            async with by_itself(
                connection, branch_id, what=f"follow {self.source}", clock=system_clock
            ):
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
        row = insert(table).values(
            branch_id=branch_id, source=self.source, position=after, followed_at=func.now()
        )
        moved = await connection.execute(
            row.on_conflict_do_update(
                index_elements=["branch_id", "source"],
                set_={"position": after, "followed_at": row.excluded.followed_at},
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
        behind = True
        while True:
            try:
                if behind:
                    await self.catch_up(branch_id)
                behind = await self.step(branch_id, wait_ms=_FOLLOW_WAIT_MS) == self.batch
            except Exception as error:  # noqa: BLE001 - whatever it was, the position has not moved
                _log.warning("following %s for %s: %r", self.source, branch_id, error)
                behind = True
                await asyncio.sleep(_RETRY_SECONDS)


_RETRY_SECONDS = 1.0
_FOLLOW_WAIT_MS = 10_000
