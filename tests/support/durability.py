"""Rows that were acknowledged before PostgreSQL was killed, and whether they are there afterwards.

The negative control of a chaos run: with ``synchronous_commit`` off it has to find losses, or else it
would not have seen them.
"""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg
from sqlalchemy import insert
from support.chaos import OwnPostgres

from huaxiao.cli import embedded
from huaxiao.dispatch.tables import start_places
from huaxiao.shared import database
from huaxiao.shared.rows import Scope

_BRANCH = 130123
_WRITERS = 8
_BETWEEN_CRASHES = 1.0


@dataclass
class Kept:
    """What came of it."""

    acknowledged: int = 0
    lost: int = 0
    crashes: int = 0


async def rows_after_crashes(
    postgres: embedded.EmbeddedPostgres, *, synchronous_commit: bool, crashes: int
) -> Kept:
    """Write as a service does, kill PostgreSQL again and again, and count what is not there."""
    session = dict(database._SESSION)  # noqa: SLF001 - what the product's own check refuses
    database._SESSION["synchronous_commit"] = "on" if synchronous_commit else "off"  # noqa: SLF001
    own = database.Database(
        postgres.url("dispatch").render_as_string(hide_password=False), service="dispatch"
    )
    killer, kept = OwnPostgres(postgres), Kept()
    numbers = itertools.count()
    try:
        for _ in range(crashes):
            told: set[str] = set()
            over = asyncio.Event()
            writing = [
                asyncio.create_task(_write(own, numbers, told, over)) for _ in range(_WRITERS)
            ]
            await asyncio.sleep(_BETWEEN_CRASHES)
            family = await asyncio.to_thread(killer.family)
            await asyncio.to_thread(killer.kill, family)
            over.set()
            await asyncio.gather(*writing)
            await asyncio.to_thread(killer.start)
            kept.acknowledged += len(told)
            kept.lost += len(told - await _there(postgres))
            kept.crashes += 1
    finally:
        await own.close()
        database._SESSION.clear()  # noqa: SLF001
        database._SESSION.update(session)  # noqa: SLF001
    return kept


async def _write(
    own: database.Database, numbers: Iterator[int], told: set[str], over: asyncio.Event
) -> None:
    """Add rows, a transaction each, until the database is away."""
    while not over.is_set():
        name = f"R{next(numbers)}"
        row = {"branch_id": _BRANCH, "of": "durability", "id": name, "returns": False}
        try:
            async with own.write(Scope.of_branch(_BRANCH)) as connection:
                await connection.execute(
                    insert(start_places).values(**row, latitude=0, longitude=0)
                )
        except Exception:  # noqa: BLE001 - whatever is said now, it was not acknowledged
            await asyncio.sleep(0.01)
        else:
            told.add(name)


async def _there(postgres: embedded.EmbeddedPostgres) -> set[str]:
    connection = await asyncpg.connect(
        postgres.url("postgres").render_as_string(hide_password=False)
    )
    try:
        rows = await connection.fetch("SELECT id FROM dispatch.start_places")
    finally:
        await connection.close()
    return {row["id"] for row in rows}
