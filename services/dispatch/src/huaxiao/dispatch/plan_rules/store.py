"""SQL of what days are planned by."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import RowMapping, delete, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import (
    address_places,
    centres,
    crews,
    people,
    start_places,
    travel_times,
)
from huaxiao.shared.database import within
from huaxiao.shared.wire.plans import StartOf

_CENTRE_OF = {
    StartOf.PERSON: (people.c.branch_id, people.c.person_id, people.c.centre_id),
    StartOf.CREW: (crews.c.branch_id, crews.c.crew_id, crews.c.centre_id),
    StartOf.CENTRE: (centres.c.branch_id, centres.c.centre_id, centres.c.centre_id),
}


async def centre_of(
    connection: AsyncConnection, branch_id: int, of: StartOf, name: str
) -> str | None:
    """Return the centre of a person, a crew or itself; None where there is no such one."""
    branch, key, centre = _CENTRE_OF[of]
    found: str | None = await connection.scalar(
        select(centre).where(branch == branch_id, key == name)
    )
    return found


async def put_start_place(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Store where days begin, in place of what was said before."""
    await connection.execute(
        insert(start_places)
        .values(**row)
        .on_conflict_do_update(index_elements=["branch_id", "of", "id"], set_=dict(row))
    )


async def start_places_of(
    connection: AsyncConnection, branch_id: int, centre_ids: AbstractSet[str] | None = None
) -> Sequence[RowMapping]:
    """Return where everybody's day begins that somebody told; of some centres, if they are named."""
    query = select(start_places).where(start_places.c.branch_id == branch_id)
    if centre_ids is not None:
        of_centres = (
            exists().where(
                start_places.c.of == of,
                key == start_places.c.id,
                branch == branch_id,
                within(centre, centre_ids),
            )
            for of, (branch, key, centre) in _CENTRE_OF.items()
        )
        query = query.where(or_(*of_centres))
    rows = await connection.execute(query.order_by(start_places.c.of, start_places.c.id))
    return rows.mappings().all()


async def put_address_place(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Store where the addresses under a code lie."""
    await connection.execute(
        insert(address_places)
        .values(**row)
        .on_conflict_do_update(index_elements=["branch_id", "standard_address"], set_=dict(row))
    )


async def address_places_of(
    connection: AsyncConnection, branch_id: int, *, after: str = "", limit: int | None = None
) -> Sequence[RowMapping]:
    """Return where addresses lie, by code, behind one."""
    rows = await connection.execute(
        select(address_places)
        .where(address_places.c.branch_id == branch_id, address_places.c.standard_address > after)
        .order_by(address_places.c.standard_address)
        .limit(limit)
    )
    return rows.mappings().all()


async def replace_travel_times(
    connection: AsyncConnection, branch_id: int, times: Sequence[Mapping[str, Any]]
) -> None:
    """Put a table of times in place of the one before."""
    await connection.execute(delete(travel_times).where(travel_times.c.branch_id == branch_id))
    if times:
        await connection.execute(
            insert(travel_times), [{"branch_id": branch_id, **one} for one in times]
        )


async def travel_times_of(connection: AsyncConnection, branch_id: int) -> Sequence[RowMapping]:
    """Return the table of times."""
    rows = await connection.execute(
        select(travel_times)
        .where(travel_times.c.branch_id == branch_id)
        .order_by(travel_times.c.from_area, travel_times.c.to_area)
    )
    return rows.mappings().all()
