"""How every service's Alembic history runs: under its owner role, one at a time, with time-outs.

A history makes tables. What every table of a kind is held to (no row of an append-only one changes,
no row beyond the scope is seen) is said once, by ``tables.py``, and made so after each run, for
tables that came with it as for those that were there.

``python -m huaxiao.shared.migrations upgrade kpi`` reads ``KPI_MIGRATION_DATABASE_URL``;
``revision kpi slug`` writes the next version from what ``tables.py`` says and the database lacks.
"""

import asyncio
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import MetaData, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from huaxiao.shared import rows
from huaxiao.shared.distributing import distributed_tables
from huaxiao.shared.provision import OWNER_LOCK_TIMEOUT, append_only_statements, copied_statements

_ADVISORY_LOCK = 7_201_711


def alembic_config(service: str, url: URL) -> Config:
    """Return the configuration of a service's history; the versions ship inside its package."""
    package = importlib.import_module(f"huaxiao.{service}")
    config = Config()
    location = Path(package.__path__[0]) / "migrations"
    config.set_main_option("script_location", str(location))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url.set(drivername="postgresql+asyncpg")
    return config


def upgrade(service: str, url: URL, *, revision: str = "head") -> None:
    """Bring a service's schema up to a revision. Do not call it from a running event loop."""
    command.upgrade(alembic_config(service, url), revision)


def downgrade(service: str, url: URL, *, revision: str = "base") -> None:
    """Take a service's schema back to a revision, and the data of what goes with it."""
    command.downgrade(alembic_config(service, url), revision)


def run_migrations(service: str, metadata: MetaData) -> None:
    """Run from a history's ``env.py``: connect, take the lock, migrate, close grants and rows."""
    asyncio.run(_run(service, metadata, context.config.attributes["url"]))


async def _run(service: str, metadata: MetaData, url: URL) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_migrate, service, metadata)
            await connection.commit()
    finally:
        await engine.dispose()


def _migrate(connection: Connection, service: str, metadata: MetaData) -> None:
    connection.execute(text(f"SET lock_timeout = '{OWNER_LOCK_TIMEOUT}'"))
    # The owner is held to a scope as well, and a migration may have to rewrite what is there.
    for setting, opened in rows.OPENED.items():
        connection.execute(text(f"SET LOCAL {setting} = '{opened}'"))
    if distributed_tables(connection):
        # One connection to a node, so that what was changed first is seen by what comes after.
        connection.execute(text("SET LOCAL citus.multi_shard_modify_mode = 'sequential'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=service,
        include_schemas=True,
        include_name=lambda name, kind, _: kind != "schema" or name == service,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    _close(connection, service, metadata)


def _close(connection: Connection, service: str, metadata: MetaData) -> None:
    """Hold the tables there are to what is said of them: grants, and the scope of rows."""
    existing = set(
        connection.scalars(
            text("SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = :schema"),
            {"schema": service},
        )
    )
    held = {row[0]: row[1] for row in connection.execute(text(rows.HELD), {"schema": service})}
    there = [table for table in metadata.sorted_tables if table.fullname in existing]
    distributed = distributed_tables(connection)
    statements = [
        *append_only_statements(service, there),
        *copied_statements(service, there),
        *(
            statement
            for table in there
            for apart in [table.fullname in distributed]
            if held.get(table.fullname) != rows.policy_of(table, distributed=apart)
            for statement in rows.row_security_statements(table, distributed=apart)
        ),
    ]
    for statement in statements:
        connection.exec_driver_sql(statement)


def main(arguments: Sequence[str]) -> None:
    """Run ``upgrade SERVICE`` or ``revision SERVICE SLUG``, the owner's URL in the environment."""
    verb, service, *slug = arguments
    url = make_url(os.environ[f"{service.upper()}_MIGRATION_DATABASE_URL"])
    if verb == "upgrade":
        upgrade(service, url)
    elif verb == "revision" and slug:
        config = alembic_config(service, url)
        number = len(
            list(Path(config.get_main_option("script_location") or "").glob("versions/*.py"))
        )
        command.upgrade(config, "head")
        command.revision(config, slug[0], autogenerate=True, rev_id=f"{number + 1:04d}")
    else:
        raise SystemExit("use: upgrade SERVICE | revision SERVICE SLUG")


if __name__ == "__main__":
    main(sys.argv[1:])
