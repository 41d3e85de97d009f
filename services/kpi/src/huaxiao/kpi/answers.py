"""Reports that were told already, as long as nothing has become known since.

A report depends on what the feeds told and on what people decided, and both leave a mark in the
branch's own rows: the positions that were followed, and the count of decisions. One small read says
whether a report still holds; it is told again byte for byte. A report is made after its mark was
read, so it may know more than the mark says, and is then made once more; it never knows less.

What somebody has asked for since it was made is made anew beside requests once it no longer holds, so
that whoever looks again need not wait for it.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from huaxiao.kpi.readers import sees_county
from huaxiao.kpi.tables import decisions, positions
from huaxiao.shared import deadlines
from huaxiao.shared.auth import Principal
from huaxiao.shared.background import beside
from huaxiao.shared.database import Database
from huaxiao.shared.rows import Scope
from huaxiao.shared.together import Together

_MOST_BYTES = 64 * 1024 * 1024
_JSON = "application/json"
_AT_ONCE = 4
"""So many are made at the same time: more would take the connections of those whose reports hold."""
_SECONDS_BETWEEN = 0.5
"""How often it is looked whether what is kept still holds."""
_log = logging.getLogger(__name__)
_Key = tuple[Any, ...]
Make = Callable[[], Awaitable[BaseModel]]
"""Makes a report, and reads what it needs itself."""
MakeOf = Callable[[AsyncConnection], Awaitable[BaseModel]]
"""Makes a report from one snapshot."""


def asked(request: Request, principal: Principal) -> _Key:
    """Return what a report depends on beside its branch: what is asked, and who may see what."""
    return request.url.path, request.url.query, principal.centre_ids, sees_county(principal)


@dataclass(slots=True)
class _Held:
    """A report that was told."""

    branch_id: int
    mark: _Key
    body: bytes
    make: Make
    asked: bool = False
    """Somebody asked for it since it was made."""


class Answers:
    """Keeps reports in this process, the ones told last, up to a number of bytes."""

    def __init__(self, database: Database, *, most_bytes: int = _MOST_BYTES) -> None:
        """Begin with none."""
        self._database, self._marks = database, Marks(database)
        self._held: OrderedDict[_Key, _Held] = OrderedDict()
        self._most, self._bytes = most_bytes, 0
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._making: dict[tuple[_Key, _Key], asyncio.Task[bytes]] = {}

    async def tell(self, branch_id: int, asked: _Key, make: MakeOf) -> Response:
        """Tell a report of one snapshot again if it still holds, else make it and keep it.

        ``asked`` holds all that the report depends on beside the branch: who may see what, as well.
        Who asks for what is being made waits for it with the others.
        """

        async def of_snapshot() -> BaseModel:
            async with self._turns, self._database.read(Scope.of_branch(branch_id)) as connection:
                return await make(connection)

        return await self.tell_made(branch_id, asked, of_snapshot)

    async def tell_made(self, branch_id: int, asked: _Key, make: Make) -> Response:
        """Tell a report in the same way that is more than one look at the database."""
        key = (branch_id, *asked)
        mark = await self._marks.of(branch_id)
        held = self._held.get(key)
        if held is not None and held.mark == mark:
            self._held.move_to_end(key)
            held.asked = True
            return Response(held.body, media_type=_JSON)
        body = await self._make(branch_id, key, mark, make)
        if key in self._held:
            self._held[key].asked = True
        return Response(body, media_type=_JSON)

    async def renew(self) -> int:
        """Make anew, one after another, what was asked for and no longer holds; return how many.

        Each rests three times as long as it took: this never takes more than a quarter of a processor.
        """
        wanted = {key: one for key, one in self._held.items() if one.asked}
        branches = {one.branch_id for one in wanted.values()}
        marks = dict(
            zip(branches, await asyncio.gather(*map(self._marks.of, branches)), strict=True)
        )
        renewed = 0
        for key, one in wanted.items():
            mark = marks[one.branch_id]
            if self._held.get(key) is not one or one.mark == mark:
                continue
            clock = asyncio.get_running_loop().time
            begun = clock()
            try:
                await self._make(one.branch_id, key, mark, one.make)
                renewed += 1
            except Exception as error:  # noqa: BLE001 - whoever asks next is told; renew the others
                one.asked = False
                _log.warning("cannot make a report anew: %r", error)
            await asyncio.sleep(3 * (clock() - begun))
        return renewed

    async def keep_renewing(self) -> None:
        """Renew what is kept again and again."""
        while True:
            try:
                await self.renew()
            except Exception as error:  # noqa: BLE001 - the database may be away; keep looking
                _log.warning("cannot see whether reports still hold: %r", error)
            await asyncio.sleep(_SECONDS_BETWEEN)

    def __len__(self) -> int:
        """Return how many reports are kept."""
        return len(self._held)

    def marks(self) -> dict[_Key, _Key]:
        """Return what is kept, the one told longest ago first, with the mark each holds by."""
        return {key: one.mark for key, one in self._held.items()}

    async def _make(self, branch_id: int, key: _Key, mark: _Key, make: Make) -> bytes:
        making = self._making.get((key, mark))
        if making is None:
            making = asyncio.create_task(
                self._made(branch_id, key, mark, make), context=deadlines.for_all_who_wait()
            )
            self._making[key, mark] = making
            making.add_done_callback(lambda _: self._making.pop((key, mark)))
        # One who leaves while it is made leaves the others waiting.
        return await asyncio.shield(making)

    async def _made(self, branch_id: int, key: _Key, mark: _Key, make: Make) -> bytes:
        report = await make()
        body = report.model_dump_json().encode()
        self._keep(key, _Held(branch_id, mark, body, make))
        return body

    def _keep(self, key: _Key, report: _Held) -> None:
        before = self._held.pop(key, None)
        self._bytes += len(report.body) - (0 if before is None else len(before.body))
        self._held[key] = report
        while self._bytes > self._most:
            _, oldest = self._held.popitem(last=False)
            self._bytes -= len(oldest.body)


@asynccontextmanager
async def renewing(app: FastAPI) -> AsyncIterator[None]:
    """Renew the app's answers while it lives."""
    async with beside(app.state.answers.keep_renewing()):
        yield


class Marks(Together[int, _Key]):
    """Reads what differs as soon as anything has become known or was decided in a branch."""

    def __init__(self, database: Database) -> None:
        """Begin with nobody waiting."""
        super().__init__()
        self._database = database

    @override
    async def _read(self, branch_ids: Collection[int]) -> dict[int, _Key]:
        async with self._database.read(Scope(frozenset(branch_ids))) as connection:
            rows = await connection.execute(
                select(
                    positions.c.branch_id,
                    func.min(decisions.c.count),
                    _listed(positions.c.source),
                    _listed(positions.c.position),
                    # A rebuild comes back to the positions it began from, at another time.
                    _listed(positions.c.followed_at),
                )
                .select_from(
                    positions.outerjoin(decisions, decisions.c.branch_id == positions.c.branch_id)
                )
                .where(positions.c.branch_id.in_(list(branch_ids)))
                .group_by(positions.c.branch_id)
            )
            found: dict[int, _Key] = dict.fromkeys(branch_ids, ())
            found |= {
                row[0]: tuple(tuple(one) if isinstance(one, list) else one for one in row[1:])
                for row in rows
            }
            return found


def _listed(column: Any) -> Any:
    return func.array_agg(aggregate_order_by(column, positions.c.source))
