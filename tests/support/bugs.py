"""The services with a bug in them, named by the environment's BUG: what a chaos run has to catch.

Each bug is one that services of this kind have had, done to the product's own code before the app is
made. None of it is imported by the product.
"""

import asyncio
import importlib
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request, Response
from sqlalchemy import Table, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared import database, feed, unit_of_work
from huaxiao.shared.audit import log
from huaxiao.shared.rows import Scope
from huaxiao.shared.wire.feed import FeedEntry

_LATE_SECONDS = 0.4
_BETWEEN_SECONDS = 0.8
"""So long that a crash is likely to come in between, and the follower still keeps up."""
_ONE_IN = 50
_UnitOfWork = unit_of_work._UnitOfWork  # noqa: SLF001 - the place where the bug has to be
_lasting: set[asyncio.Task[None]] = set()


def _answer_before_commit() -> None:
    """Attribution says that events are booked, and commits a moment later."""
    turns: Any = importlib.import_module("huaxiao.attribution.intake.turns").Turns
    honest = turns.__init__

    def begin(self: Any, own: Any, *others: Any, **named: Any) -> None:
        honest(self, _Late(own), *others, **named)

    turns.__init__ = begin


class _Late:
    """A database whose transactions commit some time after they are said to have."""

    def __init__(self, own: database.Database) -> None:
        self._own = own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    @asynccontextmanager
    async def write(self, scope: Scope) -> AsyncIterator[AsyncConnection]:
        stack = AsyncExitStack()
        connection = await stack.enter_async_context(self._own.write(scope))
        try:
            yield connection
        except BaseException as error:
            await stack.__aexit__(type(error), error, error.__traceback__)
            raise

        async def commit() -> None:
            await asyncio.sleep(_LATE_SECONDS)
            await stack.aclose()

        task = asyncio.create_task(commit())
        _lasting.add(task)
        task.add_done_callback(_lasting.discard)


def _key_forgotten() -> None:
    """The same request with the same key is done again."""

    async def claim(
        self: Any, table: Table, scope: Scope, *, key: tuple[int, str, str], fingerprint: str
    ) -> None:
        await self.writing(scope)

    _UnitOfWork.claim = claim  # type: ignore[method-assign]


def _follower(*, position_first: bool) -> Callable[[], None]:
    """Return a bug: a follower's position and the effect of the entries in two transactions."""

    def put() -> None:
        async def take(self: Any, branch_id: int, before: int, read: Sequence[FeedEntry]) -> int:
            entries = feed.in_order(read, after=before)
            if not entries:
                return 0

            async def move() -> None:
                async with self.database.write(Scope.of_branch(branch_id)) as connection:
                    await self._advance(connection, branch_id, before, entries[-1].position)

            async def apply() -> None:
                async with self.database.write(Scope.of_branch(branch_id)) as connection:
                    await self.apply(connection, branch_id, entries)

            first, second = (move, apply) if position_first else (apply, move)
            await first()
            await asyncio.sleep(_BETWEEN_SECONDS)
            await second()
            return len(entries)

        feed.Follower._take = take  # type: ignore[method-assign] # noqa: SLF001

    return put


def _entry_dropped() -> None:
    """One entry of fifty does not get into the ledger."""
    honest = database.Copying.into

    async def into(
        self: Any, table: Table, columns: Sequence[str], rows: Collection[Sequence[Any]]
    ) -> None:
        if table.name == "entries":
            number = columns.index("number")
            rows = [row for row in rows if row[number] % _ONE_IN]
        await honest(self, table, columns, rows)

    database.Copying.into = into  # type: ignore[method-assign]


def _refused_not_kept() -> None:
    """What is refused is not kept in quarantine."""
    store: Any = importlib.import_module("huaxiao.attribution.intake.store")
    honest = store.hold

    async def hold(
        connection: AsyncConnection,
        branch_id: int,
        kept: Sequence[Any],
        *,
        first_number: int,
        now: datetime,
    ) -> None:
        waiting = [one for one in kept if one.waiting_for is not None]
        await honest(connection, branch_id, waiting, first_number=first_number, now=now)

    store.hold = hold


def _position_skipped() -> None:
    """Now and then attribution's feed passes over a position."""
    honest = feed.Feed.append
    times = 0

    async def append(
        self: Any,
        connection: AsyncConnection,
        branch_id: int,
        facts: Sequence[feed.NewFact],
        *,
        now: datetime,
    ) -> int | None:
        nonlocal times
        times += bool(facts)
        if self.source == "/attribution" and facts and times % 10 == 0:
            heads = self.heads
            await connection.execute(
                update(heads)
                .where(heads.c.branch_id == branch_id)
                .values(position=heads.c.position + 1)
            )
        return await honest(self, connection, branch_id, facts, now=now)

    feed.Feed.append = append  # type: ignore[method-assign]


def _not_on_record() -> None:
    """One change in ten is not put on record."""
    honest = _UnitOfWork.put_on_record
    times = 0

    async def put_on_record(self: Any, request: Request, response: Response) -> None:
        nonlocal times
        times += 1
        if times % 10:
            await honest(self, request, response)

    _UnitOfWork.put_on_record = put_on_record  # type: ignore[method-assign]


def _one_of_many_on_record() -> None:
    """Of requests that are taken in together one is put on record."""
    honest = log.AuditLog.append

    async def append(
        self: Any, connection: AsyncConnection, branch_id: int, entries: Sequence[log.NewEntry]
    ) -> None:
        await honest(self, connection, branch_id, entries[:1])

    log.AuditLog.append = append  # type: ignore[method-assign]


def _commit_not_on_disk() -> None:
    """Commits are acknowledged before they are on disk, and nobody refuses to start so."""
    database._SESSION["synchronous_commit"] = "off"  # noqa: SLF001 - where the bug has to be

    async def check(self: database.Database) -> None:
        async with self.read(Scope(frozenset())):
            return

    database.Database.check = check  # type: ignore[method-assign]


def _restated_twice() -> None:
    """What is stated anew is added to what was stated before."""

    store: Any = importlib.import_module("huaxiao.kpi.measures.store")

    async def restated(
        connection: AsyncConnection, branch_id: int, stated: Iterable[Any]
    ) -> list[Any]:
        return list(stated)

    store.restated = restated


BUGS: dict[str, Callable[[], None]] = {
    "answer-before-commit": _answer_before_commit,
    "key-forgotten": _key_forgotten,
    "position-before-effect": _follower(position_first=True),
    "effect-before-position": _follower(position_first=False),
    "entry-dropped": _entry_dropped,
    "refused-not-kept": _refused_not_kept,
    "position-skipped": _position_skipped,
    "not-on-record": _not_on_record,
    "one-of-many-on-record": _one_of_many_on_record,
    "commit-not-on-disk": _commit_not_on_disk,
    "restated-twice": _restated_twice,
}

SHOWS_IN = {"position-before-effect": "kpi", "effect-before-position": "kpi"}
"""The service whose end shows a bug, which is killed first: a short run may kill one only."""
_ONLY_IN = {
    "answer-before-commit": "attribution",
    "refused-not-kept": "attribution",
    "restated-twice": "kpi",
}
"""Bugs in the code of one service: the others start without loading it."""


def _made(service: str) -> FastAPI:
    bug = os.environ["BUG"]
    if _ONLY_IN.get(bug, service) == service:
        BUGS[bug]()
    made: FastAPI = importlib.import_module(f"huaxiao.{service}.main").create_app()
    return made


def create_contracts() -> FastAPI:
    return _made("contracts")


def create_attribution() -> FastAPI:
    return _made("attribution")


def create_dispatch() -> FastAPI:
    return _made("dispatch")


def create_kpi() -> FastAPI:
    return _made("kpi")
