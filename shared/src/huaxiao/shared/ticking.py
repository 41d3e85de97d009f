"""What becomes due while a service runs: jobs that are asked again and again what there is to do.

A job finds what is due in what is stored, does it and records that it did, in one transaction. So
nothing is missed while the service is down, and nothing is done twice after it, or by two replicas.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared.audit.log import by_itself
from huaxiao.shared.background import beside
from huaxiao.shared.clock import Clock
from huaxiao.shared.database import Database
from huaxiao.shared.rows import Scope
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.web import Lifespan

Job = Callable[[AsyncConnection, int, datetime], Awaitable[int]]
"""Do some of what is due in a branch by a moment; return how much, zero when nothing is left."""
_EVERY_SECONDS = 5.0
_log = logging.getLogger(__name__)


async def catch_up(
    database: Database, jobs: Mapping[str, Job], branch_id: int, *, clock: Clock
) -> None:
    """Do everything that is due in a branch, each portion in a transaction of its own."""
    for name, job in jobs.items():
        while True:
            async with (
                database.write(Scope.of_branch(branch_id)) as connection,
                by_itself(connection, branch_id, what=name, clock=clock),
            ):
                done = await job(connection, branch_id, clock())
            if not done:
                break


def ticking(
    settings: ServiceSettings,
    database: Database,
    *,
    jobs: Mapping[str, Job],
    branches: Callable[[Database], Awaitable[Sequence[int]]],
) -> Lifespan:
    """Return a life of the app during which jobs are done when they are due, by the app's clock."""

    async def run(app: FastAPI) -> None:
        while True:
            try:
                for branch_id in await branches(database):
                    await _try_each(database, jobs, branch_id, clock=app.state.clock)
            except Exception as error:  # noqa: BLE001 - the database may be down; keep asking
                _log.warning("cannot list branches to look after: %r", error)
            await asyncio.sleep(_EVERY_SECONDS)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        if not settings.follow:
            yield
            return
        async with beside(run(app)):
            yield

    return life


async def _try_each(
    database: Database, jobs: Mapping[str, Job], branch_id: int, *, clock: Clock
) -> None:
    """Do what is due; a job that fails keeps no other from being done."""
    for name, job in jobs.items():
        try:
            await catch_up(database, {name: job}, branch_id, clock=clock)
        except Exception as error:  # noqa: BLE001 - what was not done is still due, and tried again
            _log.warning("%s in %s: %r", name, branch_id, error)
