"""Deliver what webhooks are told, while the service runs: beside everything else, at least once.

A delivery is taken with a lease, sent outside any transaction, and settled. A service that dies in
between has told the receiver or not; it is sent again under the same id.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import RowMapping

from huaxiao.kpi.alerts import store
from huaxiao.kpi.alerts.outgoing import ForbiddenUrl, outgoing_client, send
from huaxiao.kpi.settings import Settings
from huaxiao.shared.background import beside
from huaxiao.shared.clock import Clock
from huaxiao.shared.database import Database
from huaxiao.shared.rows import EVERYTHING, Scope
from huaxiao.shared.web import Lifespan
from huaxiao.shared.wire.alerts import DeliveryState

MOST_TRIES = 12
_FIRST_WAIT = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(hours=6)
_LEASE = timedelta(minutes=2)
_AT_ONCE = 20
_IDLE_SECONDS = 2.0
_log = logging.getLogger(__name__)


def wait_after(tries: int) -> timedelta:
    """Return how long to wait after so many tries: twice as long each time, up to six hours."""
    return min(_FIRST_WAIT * (1 << (tries - 1)), _LONGEST_WAIT)


async def deliver_due(
    database: Database, client: httpx.AsyncClient, *, allowed: Collection[str], clock: Clock
) -> int:
    """Send what is due, side by side; return how much there was."""
    async with database.read(EVERYTHING) as connection:
        branch_ids = await store.branches_with_deliveries(connection, now=clock())
    done = 0
    for branch_id in branch_ids:
        async with database.write(Scope.of_branch(branch_id)) as connection:
            taken = await store.claim(
                connection, branch_id, now=clock(), lease=_LEASE, limit=_AT_ONCE
            )
        await asyncio.gather(
            *(_deliver(database, client, row, allowed=allowed, clock=clock) for row in taken)
        )
        done += len(taken)
    return done


async def _deliver(
    database: Database,
    client: httpx.AsyncClient,
    row: RowMapping,
    *,
    allowed: Collection[str],
    clock: Clock,
) -> None:
    failure = await _failure(client, row, allowed=allowed, now=clock())
    async with database.write(Scope.of_branch(row["branch_id"])) as connection:
        await store.settle(connection, row, outcome(failure, row["tries"], clock()))


async def _failure(
    client: httpx.AsyncClient, row: RowMapping, *, allowed: Collection[str], now: datetime
) -> str | None:
    if not row["enabled"]:
        return "the webhook is not enabled"
    try:
        status = await send(
            client,
            row["url"],
            row["secret"],
            row["delivery_id"],
            row["body"].encode(),
            allowed=allowed,
            now=now,
        )
    except (httpx.HTTPError, OSError, ForbiddenUrl) as error:
        return repr(error)[:500]
    return None if httpx.codes.is_success(status) else f"answered {status}"


def outcome(failure: str | None, tries: int, now: datetime) -> dict[str, Any]:
    """Return what a try came to, and when there is another."""
    if failure is None:
        return {"state": DeliveryState.DELIVERED, "next_at": None, "failure": None}
    if tries >= MOST_TRIES:
        return {"state": DeliveryState.DEAD, "next_at": None, "failure": failure}
    return {"next_at": now + wait_after(tries), "failure": failure}


def delivering(settings: Settings, database: Database) -> Lifespan:
    """Return a life of the app during which webhooks are told."""

    async def run(app: FastAPI) -> None:
        async with outgoing_client() as client:
            while True:
                done = 0
                try:
                    done = await deliver_due(
                        database,
                        client,
                        allowed=settings.webhook_hosts,
                        clock=app.state.clock,
                    )
                except Exception as error:  # noqa: BLE001 - the database may be down; keep asking
                    _log.warning("cannot deliver to webhooks: %r", error)
                if not done:
                    await asyncio.sleep(_IDLE_SECONDS)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        if not settings.follow:
            yield
            return
        async with beside(run(app)):
            yield

    return life
