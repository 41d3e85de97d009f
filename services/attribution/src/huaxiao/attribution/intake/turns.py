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
from dataclasses import dataclass, field
from datetime import datetime

from asyncpg import UniqueViolationError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.intake.arrivals import BOOKED, Arrival, Verdict
from huaxiao.attribution.intake.foreseeing import Foreseen, foresee, joined
from huaxiao.attribution.intake.reading import Reading
from huaxiao.attribution.intake.taking import CameBeforeError, take, take_foreseen
from huaxiao.attribution.tables import audit_log
from huaxiao.shared.audit.log import NewEntry
from huaxiao.shared.audit.origins import Origin
from huaxiao.shared.database import Database
from huaxiao.shared.rows import Scope

_DONE = 200
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
    verdicts: Sequence[Verdict] | None = None
    failed: Exception | None = None

    @property
    def done(self) -> bool:
        return self.verdicts is not None or self.failed is not None


@dataclass
class Turns:
    """The turns at every branch's books, as this process takes them."""

    database: Database
    counties: Counties
    _waiting: dict[int, list[_Part]] = field(default_factory=lambda: defaultdict(list))
    _locks: dict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

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
        try:
            async with self._locks[branch_id]:
                if not own.done:
                    await self._take_together(branch_id, _joining(own, waiting))
        finally:
            waiting.remove(own)
        if own.failed is not None:
            raise own.failed
        assert own.verdicts is not None  # noqa: S101 - it is done, and has not failed
        return own.verdicts

    async def _take_together(self, branch_id: int, parts: Sequence[_Part]) -> None:
        """Take parts in one transaction; when that fails for what one holds, each in its own."""
        try:
            await self._take(branch_id, parts)
        except (PoolTimeoutError, OSError) as error:
            for part in parts:
                part.failed = error
        except Exception as error:  # noqa: BLE001 - it goes to the request whose part it was
            if len(parts) == 1:
                parts[0].failed = error
                return
            for part in parts:
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
            part.verdicts = judged

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
        arrivals = [[Arrival(one, part.posted_by) for one in part.readings] for part in parts]
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


def _joining(own: _Part, waiting: Sequence[_Part]) -> list[_Part]:
    """Return a part, and the others that wait as far as they fit into its transaction."""
    most = TOGETHER if own.foreseen is None else FORESEEN_TOGETHER
    joining, events = [own], len(own.readings)
    for part in waiting:
        alike = (part.foreseen is None) == (own.foreseen is None)
        if part is own or part.done or not alike:
            continue
        events += len(part.readings)
        if events <= most:
            joining.append(part)
    return joining
