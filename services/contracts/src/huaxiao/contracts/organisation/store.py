"""SQL of centres, people and channels."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, Table, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import centres, channels, placements
from huaxiao.shared.database import within


async def _add(
    connection: AsyncConnection, table: Table, branch_id: int, row: Mapping[str, Any]
) -> bool:
    added = await connection.execute(
        insert(table)
        .values(branch_id=branch_id, **row)
        .on_conflict_do_nothing()
        .returning(table.c.branch_id)
    )
    return added.one_or_none() is not None


async def add_centre(connection: AsyncConnection, branch_id: int, row: Mapping[str, Any]) -> bool:
    """Insert a centre; False when its code is taken."""
    return await _add(connection, centres, branch_id, row)


async def add_channel(connection: AsyncConnection, branch_id: int, row: Mapping[str, Any]) -> bool:
    """Insert a channel; False when its code is taken."""
    return await _add(connection, channels, branch_id, row)


async def add_placement(
    connection: AsyncConnection, branch_id: int, row: Mapping[str, Any]
) -> None:
    """Append a person's place."""
    await connection.execute(insert(placements).values(branch_id=branch_id, **row))


async def centre(
    connection: AsyncConnection,
    branch_id: int,
    centre_id: str,
    centre_ids: AbstractSet[str] | None,
) -> RowMapping | None:
    """Return a centre within the scope."""
    rows = await connection.execute(
        select(centres).where(
            centres.c.branch_id == branch_id,
            centres.c.centre_id == centre_id,
            within(centres.c.centre_id, centre_ids),
        )
    )
    return rows.mappings().one_or_none()


async def channel(
    connection: AsyncConnection,
    branch_id: int,
    channel_id: str,
    centre_ids: AbstractSet[str] | None,
) -> RowMapping | None:
    """Return a channel within the scope."""
    rows = await connection.execute(
        select(channels).where(
            channels.c.branch_id == branch_id,
            channels.c.channel_id == channel_id,
            within(channels.c.centre_id, centre_ids),
        )
    )
    return rows.mappings().one_or_none()


async def latest_placement(
    connection: AsyncConnection,
    branch_id: int,
    person_id: str,
    centre_ids: AbstractSet[str] | None,
) -> RowMapping | None:
    """Return a person's latest place if it lies within the scope."""
    latest = (
        select(placements)
        .where(placements.c.branch_id == branch_id, placements.c.person_id == person_id)
        .order_by(placements.c.from_day.desc())
        .limit(1)
        .subquery()
    )
    rows = await connection.execute(select(latest).where(within(latest.c.centre_id, centre_ids)))
    return rows.mappings().one_or_none()


async def known_centres(
    connection: AsyncConnection, branch_id: int, centre_ids: AbstractSet[str]
) -> frozenset[str]:
    """Return those of some centres that are registered."""
    rows = await connection.scalars(
        select(centres.c.centre_id).where(
            centres.c.branch_id == branch_id, centres.c.centre_id.in_(sorted(centre_ids))
        )
    )
    return frozenset(rows)


async def known_channels(
    connection: AsyncConnection, branch_id: int, channel_ids: Sequence[str]
) -> frozenset[str]:
    """Return those of some channels that are registered."""
    rows = await connection.scalars(
        select(channels.c.channel_id).where(
            channels.c.branch_id == branch_id, channels.c.channel_id.in_(channel_ids)
        )
    )
    return frozenset(rows)


async def known_people(
    connection: AsyncConnection, branch_id: int, person_ids: AbstractSet[str]
) -> frozenset[str]:
    """Return those of some people who have, or had, a place here."""
    rows = await connection.scalars(
        select(placements.c.person_id)
        .where(placements.c.branch_id == branch_id, placements.c.person_id.in_(sorted(person_ids)))
        .distinct()
    )
    return frozenset(rows)


async def placed_on(
    connection: AsyncConnection,
    branch_id: int,
    day: date,
) -> Sequence[RowMapping]:
    """Return everybody's place on a day, in the order of their codes."""
    latest = (
        select(placements)
        .where(placements.c.branch_id == branch_id, placements.c.from_day <= day)
        .ext(distinct_on(placements.c.person_id))
        .order_by(placements.c.person_id, placements.c.from_day.desc())
        .subquery()
    )
    rows = await connection.execute(
        select(latest).where(latest.c.here).order_by(latest.c.person_id)
    )
    return rows.mappings().all()


async def all_centres(
    connection: AsyncConnection, branch_id: int, centre_ids: AbstractSet[str] | None
) -> Sequence[RowMapping]:
    """Return the centres within the scope."""
    rows = await connection.execute(
        select(centres)
        .where(centres.c.branch_id == branch_id, within(centres.c.centre_id, centre_ids))
        .order_by(centres.c.centre_id)
    )
    return rows.mappings().all()


async def all_channels(
    connection: AsyncConnection, branch_id: int, centre_ids: AbstractSet[str] | None
) -> Sequence[RowMapping]:
    """Return the channels of the centres within the scope."""
    rows = await connection.execute(
        select(channels)
        .where(channels.c.branch_id == branch_id, within(channels.c.centre_id, centre_ids))
        .order_by(channels.c.channel_id)
    )
    return rows.mappings().all()


async def people_page(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    after: str,
    limit: int,
) -> Sequence[RowMapping]:
    """Return people whose latest place lies within the scope, behind a code."""
    latest = (
        select(placements)
        .where(placements.c.branch_id == branch_id, placements.c.person_id > after)
        .ext(distinct_on(placements.c.person_id))
        .order_by(placements.c.person_id, placements.c.from_day.desc())
        .subquery()
    )
    rows = await connection.execute(
        select(latest)
        .where(within(latest.c.centre_id, centre_ids))
        .order_by(latest.c.person_id)
        .limit(limit)
    )
    return rows.mappings().all()
