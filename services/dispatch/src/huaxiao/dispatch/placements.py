"""Where people work: from the day on that was told, and until the day on which they leave."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.orders import handlers
from huaxiao.dispatch.orders.store import place_alone, today
from huaxiao.dispatch.tables import concurrent_posts, people, places_to_come
from huaxiao.shared.wire import contracts, organisation


async def place(
    connection: AsyncConnection, branch_id: int, fact: contracts.PersonAssigned
) -> None:
    """Keep where somebody works, now or from a day to come on."""
    person_id, assignment = fact.person.person_id, fact.assignment
    row = {
        "branch_id": branch_id,
        "person_id": person_id,
        "from_day": assignment.from_day,
        "centre_id": assignment.centre_id,
        "is_primary": assignment.primary,
        "skills": list(fact.person.skills),
        "engagement": fact.person.engagement,
        "left_on": None,
    }
    day = await connection.scalar(select(today()))
    assert day is not None  # noqa: S101 - there is always a day
    if assignment.from_day > day:
        await connection.execute(insert(places_to_come).values(**row).on_conflict_do_nothing())
        return
    # Places follow one another: what has come and was not taken up yet was before this one.
    await _take_up(connection, _come(branch_id) & (places_to_come.c.person_id == person_id))
    await _work_there(connection, row)


async def leave(connection: AsyncConnection, branch_id: int, fact: organisation.PersonLeft) -> None:
    """Keep from when somebody does not work here any more: of the place that they have last."""
    for table in (places_to_come, people):
        found = await connection.execute(
            update(table)
            .where(table.c.branch_id == branch_id, table.c.person_id == fact.person_id)
            .values(left_on=fact.from_day)
            .returning(table.c.person_id)
        )
        if found.first() is not None:
            return


async def take_up(connection: AsyncConnection, branch_id: int, _: datetime) -> int:
    """Let people work where they do from today on, and give out what waits; return how many did."""
    if not await connection.scalar(select(exists().where(_come(branch_id)))):
        return 0
    await place_alone(connection, branch_id)
    taken_up = await _take_up(connection, _come(branch_id))
    await handlers.dispatch_again(connection, branch_id)
    return taken_up


def _come(branch_id: int) -> ColumnElement[bool]:
    return (places_to_come.c.branch_id == branch_id) & (places_to_come.c.from_day <= today())


async def _take_up(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    found = await connection.execute(delete(places_to_come).where(which).returning(places_to_come))
    rows = sorted(found.mappings(), key=lambda one: (one["from_day"], not one["is_primary"]))
    for row in rows:
        await _work_there(connection, dict(row))
    return len(rows)


async def _work_there(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    key = {"branch_id": row["branch_id"], "person_id": row["person_id"]}
    if not row["is_primary"]:
        post = key | {"centre_id": row["centre_id"]}
        await connection.execute(insert(concurrent_posts).values(**post).on_conflict_do_nothing())
        return
    # A person's places are told together, the primary one first: they replace those before.
    await connection.execute(delete(concurrent_posts).filter_by(**key))
    held = {name: row[name] for name in ("centre_id", "skills", "engagement", "left_on")}
    await connection.execute(
        insert(people)
        .values(**key, **held)
        .on_conflict_do_update(index_elements=["branch_id", "person_id"], set_=held)
    )
