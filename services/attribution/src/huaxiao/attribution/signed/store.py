"""Rows of senders that sign."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.tables import signed_messages, signed_secrets, signed_sources

_PORTION = 1_000


async def sources(connection: AsyncConnection, branch_id: int) -> Sequence[RowMapping]:
    """Return the senders of a branch."""
    rows = await connection.execute(
        select(signed_sources)
        .where(signed_sources.c.branch_id == branch_id)
        .order_by(signed_sources.c.source_id)
    )
    return rows.mappings().all()


async def source(
    connection: AsyncConnection, branch_id: int, source_id: str, *, lock: bool
) -> RowMapping | None:
    """Return a sender."""
    query = select(signed_sources).filter_by(branch_id=branch_id, source_id=source_id)
    rows = await connection.execute(query.with_for_update() if lock else query)
    return rows.mappings().one_or_none()


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> bool:
    """Insert a sender; return False if it is there."""
    added = await connection.execute(
        upsert(signed_sources)
        .values(**row)
        .on_conflict_do_nothing()
        .returning(signed_sources.c.source_id)
    )
    return added.one_or_none() is not None


async def secrets(connection: AsyncConnection, branch_id: int) -> Sequence[RowMapping]:
    """Return when the secrets of a branch's senders are good, but not the secrets."""
    table = signed_secrets
    rows = await connection.execute(
        select(
            table.c.source_id,
            table.c.number,
            table.c.made_by,
            table.c.valid_from,
            table.c.valid_until,
        )
        .where(table.c.branch_id == branch_id)
        .order_by(table.c.source_id, table.c.number)
    )
    return rows.mappings().all()


async def last_number(connection: AsyncConnection, branch_id: int, source_id: str) -> int:
    """Return the number of a sender's newest secret."""
    newest = select(func.max(signed_secrets.c.number)).filter_by(
        branch_id=branch_id, source_id=source_id
    )
    number: int = (await connection.execute(newest)).scalar_one()
    return number


async def add_secret(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert a secret."""
    await connection.execute(insert(signed_secrets).values(**row))


async def end_secrets(
    connection: AsyncConnection, branch_id: int, source_id: str, until: datetime
) -> None:
    """Let a sender's secrets be good until a moment, if they would be longer."""
    table = signed_secrets
    await connection.execute(
        update(table)
        .where(
            table.c.branch_id == branch_id,
            table.c.source_id == source_id,
            or_(table.c.valid_until.is_(None), table.c.valid_until > until),
        )
        .values(valid_until=until)
    )


async def keys(
    connection: AsyncConnection, branch_id: int, source_id: str, now: datetime
) -> Sequence[RowMapping]:
    """Return a sender's secrets that are good now, each beside what it sends as."""
    table = signed_secrets
    rows = await connection.execute(
        select(table.c.secret, signed_sources.c.source)
        .join(
            signed_sources,
            and_(
                signed_sources.c.branch_id == table.c.branch_id,
                signed_sources.c.source_id == table.c.source_id,
            ),
        )
        .where(
            table.c.branch_id == branch_id,
            table.c.source_id == source_id,
            or_(table.c.valid_until.is_(None), table.c.valid_until > now),
        )
    )
    return rows.mappings().all()


async def delivery(
    connection: AsyncConnection, branch_id: int, source_id: str, message_id: str
) -> RowMapping | None:
    """Return a message that was taken."""
    rows = await connection.execute(
        select(signed_messages).filter_by(
            branch_id=branch_id, source_id=source_id, message_id=message_id
        )
    )
    return rows.mappings().one_or_none()


async def add_delivery(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Remember a message that was taken; the first answer stays."""
    await connection.execute(upsert(signed_messages).values(**row).on_conflict_do_nothing())


async def forget(connection: AsyncConnection, branch_id: int, before: datetime) -> int:
    """Delete some messages that came before a moment; return how many."""
    table = signed_messages
    old = (
        select(table.c.source_id, table.c.message_id)
        .where(table.c.branch_id == branch_id, table.c.received_at < before)
        .limit(_PORTION)
    )
    found = (await connection.execute(old)).all()
    for one in found:
        await connection.execute(
            delete(table).where(
                table.c.branch_id == branch_id,
                table.c.source_id == one.source_id,
                table.c.message_id == one.message_id,
            )
        )
    return len(found)
