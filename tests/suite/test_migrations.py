import asyncio
from typing import Any

import asyncpg
import pytest
from alembic import command
from sqlalchemy.engine import URL, make_url
from support.postgres import PreparedDatabase

from huaxiao.cli import embedded
from huaxiao.shared import migrations
from huaxiao.shared.migrations import alembic_config
from huaxiao.shared.provision import SERVICES, owner_role

COLUMNS = """
    SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' ||
           coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = $1 AND table_name <> 'alembic_version'
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = $1 AND indexname !~ '^alembic'"
CONSTRAINTS = """
    SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = $1::regnamespace AND conname !~ '^alembic'
"""
GRANTS = """
    SELECT table_name || ' ' || grantee || ' ' || privilege_type
    FROM information_schema.role_table_grants
    WHERE table_schema = $1 AND table_name <> 'alembic_version'
"""
TYPES = """
    SELECT typname || '' FROM pg_type WHERE typnamespace = $1::regnamespace AND typtype IN ('e', 'd')
"""


@pytest.fixture(scope="module")
def scratch(prepared: PreparedDatabase, worker: str) -> PreparedDatabase:
    """Return a provisioned database that no migration has run in."""
    name = f"migrations_{worker}"
    asyncio.run(embedded.create_database(prepared.postgres, name))
    return PreparedDatabase(prepared.postgres, name)


def schema(url: URL, service: str) -> dict[str, list[Any]]:
    """Return what a schema is made of, as PostgreSQL tells it."""

    async def ask() -> dict[str, list[Any]]:
        connection = await asyncpg.connect(url.render_as_string(hide_password=False))
        try:
            return {
                query: sorted(row[0] for row in await connection.fetch(query, service))
                for query in (COLUMNS, INDEXES, CONSTRAINTS, GRANTS, TYPES)
            }
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("service", SERVICES)
def test_the_migrated_schema_is_what_the_tables_say(
    service: str, prepared: PreparedDatabase
) -> None:
    config = alembic_config(service, make_url(prepared.url(owner_role(service))))

    command.check(config)


@pytest.mark.parametrize("service", SERVICES)
def test_a_history_goes_up_from_nothing_and_back_and_comes_to_the_same_schema(
    service: str, scratch: PreparedDatabase
) -> None:
    url = make_url(scratch.url(owner_role(service)))

    empty = schema(url, service)
    migrations.upgrade(service, url)
    first = schema(url, service)
    migrations.downgrade(service, url)
    emptied = schema(url, service)
    migrations.upgrade(service, url)
    again = schema(url, service)

    assert first[COLUMNS]
    assert emptied == empty
    assert again == first
