"""The clocks of tickets while the service runs: what happens by itself is recorded when it does.

Each ticket keeps the moment at which something next happens to it, worked out from its history. The
loop sleeps until the earliest of them. What it records carries the moment worked out and not that of
its own waking, so that a service which was down records the same as one that was not, once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI

from huaxiao.dispatch.domain.business_time import CALENDAR_VERSION
from huaxiao.dispatch.tickets import histories, store
from huaxiao.shared.background import beside
from huaxiao.shared.database import Database
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.web import Lifespan

_LONGEST_NAP_SECONDS = 5.0
"""Tickets raised meanwhile may be due sooner than all that were there."""
_BEHIND_SECONDS = 0.01
"""A mark is passed behind its moment: equal is on time."""
_RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


async def catch_up(database: Database, *, now: datetime, starting: bool = False) -> int:
    """Record all that has happened by itself before a moment; return of how many tickets.

    One ticket a transaction. One that fails is left for the next time and keeps no other waiting. A
    service that starts may know holidays that the one before it did not, and works out again what
    rests on an older calendar.
    """
    unless_by = CALENDAR_VERSION if starting else None
    count, failed = 0, set[tuple[int, str]]()
    while True:
        try:
            found = await _settle_one(database, now, unless_by, failed)
        except _UnsettledError as error:
            _log.warning("ticket %s of %s: %r", error.ticket[1], error.ticket[0], error.__cause__)
            failed.add(error.ticket)
            continue
        if not found:
            return count
        count += 1


class _UnsettledError(Exception):
    """A ticket could not be settled; the cause says why."""

    def __init__(self, ticket: tuple[int, str]) -> None:
        super().__init__(ticket)
        self.ticket = ticket


async def _settle_one(
    database: Database,
    now: datetime,
    unless_by: str | None,
    passing_over: Collection[tuple[int, str]],
) -> bool:
    async with database.write(EVERYTHING) as connection:
        row = await store.next_due(
            connection, before=now, unless_by=unless_by, passing_over=passing_over
        )
        if row is None:
            return False
        try:
            await histories.settle(connection, row["branch_id"], row, now=now)
        except Exception as error:
            raise _UnsettledError((row["branch_id"], row["ticket_id"])) from error
        return True


def keeping_time(settings: ServiceSettings, database: Database) -> Lifespan:
    """Return a life of the app during which the clocks of tickets are looked after."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        if not settings.follow:
            yield
            return
        async with beside(_keep(database, app)):
            yield

    return life


async def _keep(database: Database, app: FastAPI) -> None:
    starting, told = True, False
    while True:
        nap = _LONGEST_NAP_SECONDS
        try:
            await catch_up(database, now=app.state.clock(), starting=starting)
            starting = told = False
            async with database.read(EVERYTHING) as connection:
                coming = await store.next_moment(connection)
            if coming is not None:
                ahead = (coming - app.state.clock()).total_seconds()
                # What is due and was not done is held by another for a moment, or failed.
                nap = min(nap, ahead + _BEHIND_SECONDS) if ahead > 0 else _RETRY_SECONDS
        except Exception as error:  # noqa: BLE001 - the database may be away; nothing is lost
            if not told:
                _log.warning("cannot look after tickets: %r", error)
            told = True
        await asyncio.sleep(nap)
