"""A database that takes itself for a coordinator of Citus, where none can be had: see `extension/`."""

import asyncio
import shutil
from pathlib import Path

import asyncpg
from support.postgres import PreparedDatabase, database_like_a_new_one

_EXTENSION = Path(__file__).parent / "extension"
_LACKING = """
    SELECT conrelid::regclass::text AS "table", conname AS name FROM pg_constraint
    WHERE contype = 'x' AND connamespace = 'contracts'::regnamespace
"""


def stand_in_database(
    prepared: PreparedDatabase, name: str, folder: Path, *, excluding: bool = False
) -> PreparedDatabase:
    """Make a prepared database with the stand-in, whose files go into a folder that the server reads.

    The embedded PostgreSQL has no btree_gist, by which Citus compares the branch in an exclusion:
    unless ``excluding``, those constraints are taken away first.
    """
    database = database_like_a_new_one(prepared.postgres, name)
    shutil.copytree(_EXTENSION, folder / "extension")
    asyncio.run(_stand_in(database.url("postgres"), folder, excluding=excluding))
    return database


async def _stand_in(url: str, folder: Path, *, excluding: bool) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"SET extension_control_path = '{folder}:$system'")
        await connection.execute("CREATE EXTENSION citus")
        if not excluding:
            for one in await connection.fetch(_LACKING):
                await connection.execute(
                    f"ALTER TABLE {one['table']} DROP CONSTRAINT {one['name']}"
                )
    finally:
        await connection.close()
