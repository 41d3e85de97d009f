"""Migrations of databases that hold something: up and down, and no row is lost on the way."""

import asyncio
import os
from typing import Any

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url
from support.postgres import PreparedDatabase

from huaxiao.cli import embedded
from huaxiao.shared import migrations
from huaxiao.shared.migrations import alembic_config
from huaxiao.shared.provision import SERVICES, owner_role

STEPS = int(os.environ.get("MIGRATION_STEPS", "1"))
"""How many of the newest migrations are gone through; ``MIGRATION_STEPS=99`` for all of them."""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename <> 'alembic_version'"
COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = $1 AND table_name = $2 AND is_nullable = 'NO' AND column_default IS NULL
      AND is_generated = 'NEVER'
"""
A_VALUE = {
    "integer": "1",
    "bigint": "1",
    "smallint": "1",
    "numeric": "1",
    "double precision": "1",
    "boolean": "true",
    "text": "'x'",
    "date": "'2017-11-06'",
    "timestamp with time zone": "'2017-11-06T08:00Z'",
    "jsonb": "'{}'",
    "json": "'{}'",
    "bytea": "'x'",
    "int4range": "'[1,2)'",
    "int8range": "'[1,2)'",
    "ARRAY": "'{}'",
}
MADE_ANEW = {
    "kpi 0003": "Figures that were kept without their history are followed again from the beginning.",
}
"""Migrations that take rows away, and why no fact is lost by it."""
FILLED_AT_LEAST = 0.8
"""Of the tables; what a value of no meaning does not fit stays empty."""


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def scratch(prepared: PreparedDatabase, worker: str, service: str) -> PreparedDatabase:
    name = f"filled_{service}_{worker}"
    asyncio.run(embedded.create_database(prepared.postgres, name))
    return PreparedDatabase(prepared.postgres, name)


def revisions(service: str, scratch: PreparedDatabase) -> list[str]:
    """Return the revisions from the oldest to the newest."""
    config = alembic_config(service, make_url(scratch.url(owner_role(service))))
    found = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    return found[::-1]


async def _in(scratch: PreparedDatabase, work: Any) -> Any:
    # No triggers, so that a row needs no other one; and no policy holds this role.
    connection = await asyncpg.connect(
        scratch.url("postgres"), server_settings={"session_replication_role": "replica"}
    )
    try:
        return await work(connection)
    finally:
        await connection.close()


def fill(scratch: PreparedDatabase, service: str) -> float:
    """Put a row into every empty table that takes one; return how many of all hold any."""

    async def work(connection: asyncpg.Connection) -> float:
        tables = [row[0] for row in await connection.fetch(TABLES, service)]
        filled = 0
        for table in tables:
            columns = await connection.fetch(COLUMNS, service, table)
            names = ", ".join(f'"{row[0]}"' for row in columns)
            values = ", ".join(A_VALUE[row[1]] for row in columns)
            try:
                if not await connection.fetchval(f"SELECT 1 FROM {service}.{table} LIMIT 1"):
                    await connection.execute(
                        f"INSERT INTO {service}.{table} ({names}) VALUES ({values})"
                    )
                filled += 1
            except asyncpg.IntegrityConstraintViolationError:
                continue
        return filled / len(tables)

    share: float = asyncio.run(_in(scratch, work))
    return share


def counts(scratch: PreparedDatabase, service: str) -> dict[str, int]:
    async def work(connection: asyncpg.Connection) -> dict[str, int]:
        tables = [row[0] for row in await connection.fetch(TABLES, service)]
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM {service}.{table}")
            for table in tables
        }

    found: dict[str, int] = asyncio.run(_in(scratch, work))
    return found


def lost(before: dict[str, int], after: dict[str, int]) -> list[str]:
    return [table for table in before.keys() & after.keys() if after[table] < before[table]]


def test_no_row_is_lost_on_the_way_up_and_none_of_older_tables_on_the_way_down(
    scratch: PreparedDatabase, service: str
) -> None:
    url = make_url(scratch.url(owner_role(service)))
    every = revisions(service, scratch)
    first = max(len(every) - 1 - STEPS, 0)
    migrations.upgrade(service, url, revision=every[first])
    shares, gone = [fill(scratch, service)], []

    for newer in every[first + 1 :]:
        before = counts(scratch, service)
        migrations.upgrade(service, url, revision=newer)
        if f"{service} {newer}" not in MADE_ANEW:
            gone += [f"{newer} up: {one}" for one in lost(before, counts(scratch, service))]
        shares.append(fill(scratch, service))
    for newer, older in zip(every[:first:-1], every[first:-1][::-1], strict=True):
        before = counts(scratch, service)
        migrations.downgrade(service, url, revision=older)
        after = counts(scratch, service)
        if f"{service} {newer}" not in MADE_ANEW:
            gone += [f"{newer} down: {one}" for one in lost(before, after)]
    migrations.upgrade(service, url)

    assert gone == []
    assert min(shares) >= FILLED_AT_LEAST
