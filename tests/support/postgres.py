"""One real PostgreSQL for the whole test run, one prepared database for each worker."""

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import fasteners

from huaxiao.cli import embedded

_CONNECTIONS = 200
_TEMPLATE = "huaxiao_template"
"""Nobody connects to it once it is there, or it could not be copied."""


@dataclass(frozen=True)
class PreparedDatabase:
    """A worker's own database with every service's schema in it."""

    postgres: embedded.EmbeddedPostgres
    name: str

    def url(self, role: str) -> str:
        return self.postgres.url(role, self.name).render_as_string(hide_password=False)


def prepare_worker_database(worker: str, run: str) -> PreparedDatabase:
    home = Path(tempfile.gettempdir()) / f"huaxiao-tests-{os.getuid()}-{run}"
    home.mkdir(mode=0o755, exist_ok=True)
    with fasteners.InterProcessLock(home / "preparing.lock"):
        postgres = embedded.start(home)
        if asyncio.run(_made_room(postgres)):
            postgres.server.stop()
            postgres.server.start()
        embedded.prepare(postgres, _TEMPLATE)
    return database_like_a_new_one(postgres, f"tests_{worker}")


def prepared_on(postgres: embedded.EmbeddedPostgres) -> PreparedDatabase:
    """Prepare a server that is not shared: roles belong to a whole server, not to a database."""
    embedded.prepare(postgres, _TEMPLATE)
    return PreparedDatabase(postgres, _TEMPLATE)


def database_like_a_new_one(postgres: embedded.EmbeddedPostgres, name: str) -> PreparedDatabase:
    """Make a database as every schema's migrations would, by copying one that they made."""
    asyncio.run(_copy(postgres, name))
    return PreparedDatabase(postgres, name)


async def _made_room(postgres: embedded.EmbeddedPostgres) -> bool:
    """Let all that workers ever opened stay open; say whether the server has to start again for it."""
    url = postgres.url("postgres", "postgres").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    try:
        if int(await connection.fetchval("SHOW max_connections")) >= _CONNECTIONS:
            return False
        await connection.execute(f"ALTER SYSTEM SET max_connections = {_CONNECTIONS}")
    finally:
        await connection.close()
    return True


async def _copy(postgres: embedded.EmbeddedPostgres, name: str) -> None:
    url = postgres.url("postgres", "postgres").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_TEMPLATE}"')
    finally:
        await connection.close()


async def until_waiting(holder: asyncpg.Connection, count: int, *, seconds: float) -> None:
    """Wait until so many transactions of contracts wait for a lock, for so many seconds at most."""
    waiting = 0
    async with asyncio.timeout(seconds):
        while waiting < count:
            # Who is in a transaction goes on seeing the backends there were when it looked first.
            await holder.execute("SELECT pg_stat_clear_snapshot()")
            waiting = await holder.fetchval(
                "SELECT count(*), pg_sleep(0.02) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                " AND application_name = 'huaxiao-contracts'"
            )
