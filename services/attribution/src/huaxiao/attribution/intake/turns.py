"""Turns at a branch's books: whoever gets the turn takes in what others have brought meanwhile.

A branch's transactions come one after another, since each holds the branch's lock. While one runs,
whatever arrives waits and goes into the next one together, so that many small requests cost little
more than one large one; nobody waits longer than for the turn itself, and everyone is answered after
the commit.
"""

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import datetime

from asyncpg import UniqueViolationError
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.intake.arrivals import BOOKED, Arrival, Verdict
from huaxiao.attribution.intake.foreseeing import Foreseen, foresee, joined
from huaxiao.attribution.intake.reading import Reading
from huaxiao.attribution.intake.taking import CameBeforeError, take, take_foreseen
from huaxiao.attribution.tables import UNPLACED, audit_log
from huaxiao.shared.audit.log import NewEntry
from huaxiao.shared.audit.origins import Origin
from huaxiao.shared.database import Database
from huaxiao.shared.deadlines import DeadlinePassed, deadline, due_at
from huaxiao.shared.rows import Scope
from huaxiao.shared.unit_of_work import is_away, tried_again

_DONE = 200
_QUIET_ROUNDS = 3
"""Of the event loop: what has arrived at the socket is read in one, and waits here by the next."""
_MOST_ROUNDS = 50
FORESEEN = 100
"""Events of a request from which on it is booked while it waits."""
TOGETHER = 1_000
"""Events beyond which no further request joins a transaction."""
FORESEEN_TOGETHER = 4_000
"""The same of requests that have been booked: what is left to do is done sooner."""


@dataclass(eq=False)
class _Part:
    """What one request brings to a branch."""

    readings: Sequence[Reading]
    posted_by: str
    now: datetime
    origin: Origin | None
    foreseen: Foreseen | None = None
    due: float | None = field(default_factory=deadline)
    context: Context = field(default_factory=copy_context)
    verdicts: asyncio.Future[Sequence[Verdict]] = field(default_factory=asyncio.Future)

    def judge(self, verdicts: Sequence[Verdict]) -> None:
        """Tell the request, unless it waits no longer."""
        if not self.verdicts.done():
            self.verdicts.set_result(verdicts)

    def fail(self, error: BaseException) -> None:
        """Tell the request that its part came to nothing, unless it waits no longer."""
        if not self.verdicts.done():
            self.verdicts.set_exception(error)


@dataclass
class Turns:
    """The turns at every branch's books, as this process takes them."""

    database: Database
    counties: Counties
    _waiting: dict[int, list[_Part]] = field(default_factory=lambda: defaultdict(list))
    _under_way: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    async def take(
        self,
        branch_id: int,
        readings: Sequence[Reading],
        *,
        posted_by: str,
        now: datetime,
        origin: Origin | None = None,
    ) -> Sequence[Verdict]:
        """Take events into a branch's books; return what became of each, after the commit.

        What was asked by an ``origin`` goes on record.
        """
        own = _Part(readings, posted_by, now, origin)
        if len(readings) >= FORESEEN:
            own.foreseen = await self._foresee(branch_id, [own])
        waiting = self._waiting[branch_id]
        waiting.append(own)
        if branch_id not in self._under_way:
            self._begin(branch_id)
        try:
            return await own.verdicts
        finally:
            if own in waiting:
                waiting.remove(own)

    def _begin(self, branch_id: int) -> None:
        """Begin a turn, as a part of what the request did that has waited longest."""
        first = self._waiting[branch_id][0]
        turn = asyncio.create_task(self._turn(branch_id), context=first.context)
        self._under_way[branch_id] = turn

    async def _turn(self, branch_id: int) -> None:
        """Take in whatever waits, and begin another turn for what came meanwhile."""
        waiting = self._waiting[branch_id]
        parts: list[_Part] = []
        try:
            await _until_all_have_come(waiting)
            # Whoever brought something may have left by now.
            parts = _joining([one for one in waiting if not one.verdicts.done()])
            for one in parts:
                waiting.remove(one)
            if parts:
                await self._take_in_time(branch_id, parts)
        finally:
            # Nobody is left waiting by a turn that was broken off.
            for one in parts:
                one.fail(DeadlinePassed())
            del self._under_way[branch_id]
            if waiting:
                self._begin(branch_id)

    async def _take_in_time(self, branch_id: int, parts: Sequence[_Part]) -> None:
        """Take parts; give it up when nobody waits for any of them."""
        due = _latest(parts)
        with due_at(due), suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._take_together(branch_id, parts)

    async def _take_together(self, branch_id: int, parts: Sequence[_Part]) -> None:
        """Take parts in one transaction; when that fails for what one holds, each in its own."""
        try:
            await tried_again(lambda: self._take(branch_id, parts))
        except Exception as error:  # noqa: BLE001 - it goes to the requests whose parts these were
            if len(parts) == 1 or is_away(error):
                for part in parts:
                    part.fail(error)
                return
            for part in parts:
                if not part.verdicts.done():
                    await self._take_together(branch_id, [part])

    async def _take(self, branch_id: int, parts: Sequence[_Part]) -> None:
        """Take parts as events that come for the first time, or else with every look-up."""
        try:
            await self._commit(branch_id, parts, first_time=True)
        except (UniqueViolationError, CameBeforeError):
            await self._commit(branch_id, parts, first_time=False)

    async def _commit(self, branch_id: int, parts: Sequence[_Part], *, first_time: bool) -> None:
        async with self.database.write(Scope.of_branch(branch_id)) as connection:
            verdicts = await self._judge(connection, branch_id, parts, first_time=first_time)
            told = [
                _entry(part, part.origin, judged)
                for part, judged in zip(parts, verdicts, strict=True)
                if part.origin is not None
            ]
            await audit_log.append(connection, branch_id, told)
        for part, judged in zip(parts, verdicts, strict=True):
            part.judge(judged)

    async def _judge(
        self,
        connection: AsyncConnection,
        branch_id: int,
        parts: Sequence[_Part],
        *,
        first_time: bool,
    ) -> list[Sequence[Verdict]]:
        """Take parts in this transaction; return what became of the events of each."""
        now = max(part.now for part in parts)
        foreseen = await self._foresee(branch_id, parts) if first_time else None
        if foreseen is not None and await take_foreseen(
            connection, self.counties, branch_id, foreseen, now=now
        ):
            return [[BOOKED] * len(part.readings) for part in parts]
        unplaced = branch_id == UNPLACED
        arrivals = [
            [Arrival(one, part.posted_by, unplaced=unplaced) for one in part.readings]
            for part in parts
        ]
        await take(
            connection,
            self.counties,
            branch_id,
            [one for part in arrivals for one in part],
            now=now,
            first_time=first_time,
        )
        return [[one.judged for one in part] for part in arrivals]

    async def _foresee(self, branch_id: int, parts: Sequence[_Part]) -> Foreseen | None:
        """Book parts on the branch as it was last seen, unless that has been done; use it once."""
        foreseen = [part.foreseen for part in parts if part.foreseen is not None]
        for part in parts:
            part.foreseen = None
        if len(foreseen) == len(parts):
            return joined(foreseen)
        standing = self.counties.seen(branch_id)
        if standing is None:
            return None
        readings = [one for part in parts for one in part.readings]
        found = await foresee(standing, readings, now=max(part.now for part in parts))
        # Meanwhile somebody may have worked on what was seen, and failed.
        seen = self.counties.seen(branch_id)
        return found if seen is not None and seen.is_like(standing) else None


def _entry(part: _Part, origin: Origin, judged: Sequence[Verdict]) -> NewEntry:
    """Put on record what a request brought: how many events, what became of them, their digest."""
    digest = hashlib.sha256(b"".join([one.digest for one in part.readings])).hexdigest()
    outcomes = Counter(one.outcome for one in judged)
    told = {str(outcome): count for outcome, count in outcomes.items()}
    changes = [{"events": len(judged), "outcomes": told, "digest": digest}]
    return NewEntry(part.now, origin, _DONE, changes=changes)


async def _until_all_have_come(waiting: Sequence[_Part]) -> None:
    """Let the loop go round until it brings nobody: as long as it does, the processor is at work."""
    came, quiet = len(waiting), 0
    for _ in range(_MOST_ROUNDS):
        await asyncio.sleep(0)
        quiet = quiet + 1 if len(waiting) == came else 0
        came = len(waiting)
        if quiet == _QUIET_ROUNDS:
            return


def _latest(parts: Sequence[_Part]) -> float | None:
    """Return until when somebody waits for one of these parts; None where somebody has no deadline."""
    return None if any(one.due is None for one in parts) else max(one.due or 0.0 for one in parts)


def _joining(waiting: Sequence[_Part]) -> list[_Part]:
    """Return the parts that go into one transaction: the first that waits, and all that fit beside it."""
    if not waiting:
        return []
    own = waiting[0]
    most = TOGETHER if own.foreseen is None else FORESEEN_TOGETHER
    joining, events = [own], len(own.readings)
    for part in waiting[1:]:
        if (part.foreseen is None) != (own.foreseen is None):
            continue
        events += len(part.readings)
        if events <= most:
            joining.append(part)
    return joining
