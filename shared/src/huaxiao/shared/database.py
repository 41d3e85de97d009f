"""The database as a service sees it: one role, one schema, two kinds of transaction."""

from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Column, ColumnElement, Integer, MetaData, text, true
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

_SESSION = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
    # A plan made while a table was empty would be kept for the connection's life, and scan for ever.
    "plan_cache_mode": "force_custom_plan",
    # Rows looked up by key lie in memory or on flash; PostgreSQL's default is a spinning disk's.
    "random_page_cost": "1.1",
}
_NAMES = {
    "ix": "%(table_name)s_%(column_0_N_name)s_index",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


def service_metadata(service: str) -> MetaData:
    """Return the metadata of a service's schema, with the suite's constraint names."""
    return MetaData(schema=service, naming_convention=_NAMES)


def branch_column() -> Column[int]:
    """Return the column that leads every key: a branch's rows lie together, and on one node."""
    return Column("branch_id", Integer, primary_key=True, autoincrement=False)


def within(column: ColumnElement[Any], centre_ids: AbstractSet[str] | None) -> ColumnElement[bool]:
    """Return the condition that a row belongs to one of the caller's centres; None is all of them."""
    return true() if centre_ids is None else column.in_(sorted(centre_ids))


class Database:
    """A pool of connections as the service's own role."""

    def __init__(self, url: str, *, service: str, pool_size: int = 10) -> None:
        """Prepare the pool; nothing connects until the first use."""
        self.url = make_url(url).set(drivername="postgresql+asyncpg")
        self.service = service
        settings = _SESSION | {"application_name": f"huaxiao-{service}", "search_path": service}
        self.engine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=True,
            # The connection used last has prepared what is asked most; one seldom used begins anew.
            pool_use_lifo=True,
            connect_args={"server_settings": settings, "timeout": 5},
        )

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that commits when the block ends and rolls back when it raises."""
        async with self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a read-only transaction: one snapshot for everything read in the block."""
        async with self.engine.connect() as connection:
            reader = await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            yield reader

    async def check(self) -> None:
        """Answer a trivial query and refuse settings under which a commit may be lost.

        Raises:
            UnsafeDatabaseError: the server may forget what it has acknowledged.

        """
        async with self.read() as connection:
            rows = await connection.execute(
                text(
                    "SELECT name, setting FROM pg_settings WHERE name IN"
                    " ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'"
                )
            )
            unsafe = [row.name for row in rows]
        if unsafe:
            raise UnsafeDatabaseError(unsafe)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class UnsafeDatabaseError(RuntimeError):
    """The server runs with settings that can lose acknowledged commits."""

    def __init__(self, settings: list[str]) -> None:
        """Name the settings that are off."""
        super().__init__(f"PostgreSQL runs with {', '.join(settings)} = off; refusing to start")
        self.settings = settings
