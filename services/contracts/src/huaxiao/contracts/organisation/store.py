"""SQL of centres, people and channels."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, Table, func, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.domain.organisation import (
    Belonging,
    CentreLife,
    ChannelLife,
    ChannelSeal,
    Home,
    State,
)
from huaxiao.contracts.tables import (
    centre_changes,
    centres,
    channel_moves,
    channels,
    exit_approvals,
    exits,
    fields,
    placements,
    sealed_channels,
    sealed_fields,
    signatures,
)
from huaxiao.contracts.tables import contracts as contract_rows
from huaxiao.shared.database import within
from huaxiao.shared.wire.contracts import CentreKind, ChannelKind


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
    connection: AsyncConnection, branch_id: int, row: Mapping[str, Any], *, now: datetime
) -> None:
    """Append a person's place."""
    await connection.execute(insert(placements).values(branch_id=branch_id, recorded_at=now, **row))


async def centre(
    connection: AsyncConnection, branch_id: int, centre_id: str
) -> dict[str, Any] | None:
    """Return a centre as it was registered."""
    rows = await connection.execute(
        select(centres).where(centres.c.branch_id == branch_id, centres.c.centre_id == centre_id)
    )
    found = rows.mappings().one_or_none()
    return None if found is None else dict(found)


async def channel(
    connection: AsyncConnection, branch_id: int, channel_id: str
) -> dict[str, Any] | None:
    """Return a channel as it was registered."""
    rows = await connection.execute(
        select(channels).where(
            channels.c.branch_id == branch_id, channels.c.channel_id == channel_id
        )
    )
    found = rows.mappings().one_or_none()
    return None if found is None else dict(found)


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
    *,
    known_at: datetime | None = None,
) -> Sequence[RowMapping]:
    """Return everybody's place on a day, in the order of their codes: now, or as known at a moment."""
    recorded_at = placements.c.recorded_at
    known = true() if known_at is None else or_(recorded_at.is_(None), recorded_at <= known_at)
    latest = (
        select(placements)
        .where(placements.c.branch_id == branch_id, placements.c.from_day <= day, known)
        .ext(distinct_on(placements.c.person_id))
        .order_by(placements.c.person_id, placements.c.from_day.desc())
        .subquery()
    )
    rows = await connection.execute(
        select(latest).where(latest.c.here).order_by(latest.c.person_id)
    )
    return rows.mappings().all()


async def channel_names(connection: AsyncConnection, branch_id: int) -> dict[str, str]:
    """Return what channels are called, by code."""
    rows = await connection.execute(
        select(channels.c.channel_id, channels.c.name_zh).where(channels.c.branch_id == branch_id)
    )
    return {row.channel_id: row.name_zh for row in rows}


async def placed_since(
    connection: AsyncConnection, branch_id: int, day: date
) -> Sequence[RowMapping]:
    """Return the places that begin, and the departures, on a day or later."""
    rows = await connection.execute(
        select(placements)
        .where(placements.c.branch_id == branch_id, placements.c.from_day >= day)
        .order_by(placements.c.person_id, placements.c.from_day)
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


# --- through time -------------------------------------------------------------------------------


async def add_centre_change(
    connection: AsyncConnection, branch_id: int, centre_id: str, state: State
) -> None:
    """Append what a centre is called from a day on, or that it is closed."""
    await connection.execute(
        insert(centre_changes).values(
            branch_id=branch_id,
            centre_id=centre_id,
            from_day=state.from_day,
            name=state.name,
            name_zh=state.name_zh,
            open=state.open,
            reason=state.reason,
        )
    )


async def add_channel_move(
    connection: AsyncConnection, branch_id: int, channel_id: str, home: Home
) -> None:
    """Append where a channel belongs from a day on, or that it is closed."""
    await connection.execute(
        insert(channel_moves).values(
            branch_id=branch_id,
            channel_id=channel_id,
            from_day=home.from_day,
            centre_id=home.centre_id,
            open=home.open,
            reason=home.reason,
        )
    )


async def centre_lives(
    connection: AsyncConnection, branch_id: int, centre_ids: AbstractSet[str] | None = None
) -> dict[str, CentreLife]:
    """Return centres with everything they are called, by code and in its order; None is all."""
    registered = await connection.execute(
        select(centres)
        .where(centres.c.branch_id == branch_id, within(centres.c.centre_id, centre_ids))
        .order_by(centres.c.centre_id)
    )
    changed: dict[str, list[State]] = {}
    for row in await connection.execute(
        select(centre_changes)
        .where(
            centre_changes.c.branch_id == branch_id, within(centre_changes.c.centre_id, centre_ids)
        )
        .order_by(centre_changes.c.centre_id, centre_changes.c.from_day)
    ):
        changed.setdefault(row.centre_id, []).append(
            State(row.from_day, row.name, row.name_zh, row.open, row.reason)
        )
    return {
        row.centre_id: CentreLife(
            row.centre_id,
            CentreKind(row.kind),
            (State(row.from_day, row.name, row.name_zh), *changed.get(row.centre_id, ())),
        )
        for row in registered
    }


async def channel_lives(
    connection: AsyncConnection, branch_id: int, channel_ids: AbstractSet[str] | None = None
) -> dict[str, ChannelLife]:
    """Return channels with every centre they belong to, by code and in its order; None is all."""
    registered = await connection.execute(
        select(channels)
        .where(channels.c.branch_id == branch_id, within(channels.c.channel_id, channel_ids))
        .order_by(channels.c.channel_id)
    )
    moved: dict[str, list[Home]] = {}
    for row in await connection.execute(
        select(channel_moves)
        .where(
            channel_moves.c.branch_id == branch_id, within(channel_moves.c.channel_id, channel_ids)
        )
        .order_by(channel_moves.c.channel_id, channel_moves.c.from_day)
    ):
        home = Home(row.from_day, row.centre_id, row.open, row.reason)
        moved.setdefault(row.channel_id, []).append(home)
    return {
        row.channel_id: ChannelLife(
            row.channel_id,
            ChannelKind(row.kind),
            row.name_zh,
            (Home(None, row.centre_id), *moved.get(row.channel_id, ())),
        )
        for row in registered
    }


async def channel_seals(
    connection: AsyncConnection, branch_id: int, period: int
) -> tuple[ChannelSeal, ...]:
    """Return the channels in sealed fields whose term is not over in a period, or comes later."""
    rows = await connection.execute(
        select(
            sealed_channels.c.channel_id,
            sealed_channels.c.field_id,
            fields.c.centre_id,
            sealed_fields.c.contract_id,
            sealed_fields.c.digest,
        )
        .join(
            sealed_fields,
            (sealed_fields.c.branch_id == sealed_channels.c.branch_id)
            & (sealed_fields.c.field_id == sealed_channels.c.field_id),
        )
        .join(
            fields,
            (fields.c.branch_id == sealed_channels.c.branch_id)
            & (fields.c.field_id == sealed_channels.c.field_id),
        )
        .where(sealed_channels.c.branch_id == branch_id, sealed_channels.c.term_to >= period)
        .order_by(sealed_channels.c.channel_id, sealed_channels.c.term_from)
    )
    return tuple(ChannelSeal(*row) for row in rows)


async def people_from(connection: AsyncConnection, branch_id: int, day: date) -> Belonging:
    """Return who works in which centre on a day or later, concurrent positions too."""
    following = func.lead(placements.c.from_day).over(
        partition_by=placements.c.person_id, order_by=placements.c.from_day
    )
    held = (
        select(placements, following.label("next_day"))
        .where(placements.c.branch_id == branch_id)
        .subquery()
    )
    rows = await connection.execute(
        select(held.c.person_id, held.c.centre_id, held.c.concurrent).where(
            held.c.here, (held.c.next_day.is_(None)) | (held.c.next_day > day)
        )
    )
    found: set[tuple[str, str]] = set()
    for row in rows:
        found.add((row.centre_id, row.person_id))
        found |= {(one["centre_id"], row.person_id) for one in row.concurrent}
    return frozenset(found)


async def contracts_from(connection: AsyncConnection, branch_id: int, period: int) -> Belonging:
    """Return the signed contracts of centres whose term, or early end, is not before a period."""
    rows = await connection.execute(
        select(contract_rows.c.centre_id, contract_rows.c.contract_id)
        .join(
            signatures,
            (signatures.c.branch_id == contract_rows.c.branch_id)
            & (signatures.c.contract_id == contract_rows.c.contract_id),
        )
        .outerjoin(
            exit_approvals,
            (exit_approvals.c.branch_id == contract_rows.c.branch_id)
            & (exit_approvals.c.contract_id == contract_rows.c.contract_id),
        )
        .outerjoin(
            exits,
            (exits.c.branch_id == exit_approvals.c.branch_id)
            & (exits.c.contract_id == exit_approvals.c.contract_id),
        )
        .where(
            contract_rows.c.branch_id == branch_id,
            contract_rows.c.centre_id.is_not(None),
            func.coalesce(exits.c.last_period, contract_rows.c.term_to) >= period,
        )
    )
    return frozenset((row.centre_id, row.contract_id) for row in rows)


async def sealed_from(connection: AsyncConnection, branch_id: int, period: int) -> Belonging:
    """Return the sealed fields whose term is not over in a period, or comes later."""
    rows = await connection.execute(
        select(fields.c.centre_id, fields.c.field_id)
        .join(
            sealed_fields,
            (sealed_fields.c.branch_id == fields.c.branch_id)
            & (sealed_fields.c.field_id == fields.c.field_id),
        )
        .where(fields.c.branch_id == branch_id, fields.c.term_to >= period)
    )
    return frozenset((row.centre_id, row.field_id) for row in rows)
