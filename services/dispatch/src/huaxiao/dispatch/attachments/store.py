"""Attachments in the database: all but their contents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    RowMapping,
    Select,
    and_,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import attachments_erased, order_attachments

_CONTENTS = 33
"""Class of the advisory locks under which a content is put into the store, or taken out."""
_PORTION = 100


def _erased_of(attachments: FromClause) -> ColumnElement[bool]:
    return and_(
        attachments_erased.c.branch_id == attachments.c.branch_id,
        attachments_erased.c.order_id == attachments.c.order_id,
        attachments_erased.c.name == attachments.c.name,
    )


def _known() -> Select[Any]:
    return select(order_attachments, attachments_erased.c.erased_at).select_from(
        order_attachments.outerjoin(attachments_erased, _erased_of(order_attachments))
    )


async def listed(
    connection: AsyncConnection, branch_id: int, order_id: str
) -> Sequence[RowMapping]:
    """Return an order's attachments by name."""
    rows = await connection.execute(
        _known()
        .where(order_attachments.c.branch_id == branch_id, order_attachments.c.order_id == order_id)
        .order_by(order_attachments.c.name)
    )
    found: Sequence[RowMapping] = rows.mappings().all()
    return found


async def load(
    connection: AsyncConnection, branch_id: int, order_id: str, name: str
) -> RowMapping | None:
    """Return an attachment."""
    rows = await connection.execute(
        _known().where(
            order_attachments.c.branch_id == branch_id,
            order_attachments.c.order_id == order_id,
            order_attachments.c.name == name,
        )
    )
    found: RowMapping | None = rows.mappings().one_or_none()
    return found


async def add(connection: AsyncConnection, attachment: Mapping[str, Any]) -> None:
    """Record an attachment."""
    await connection.execute(insert(order_attachments).values(**attachment))


async def hold_content(connection: AsyncConnection, branch_id: int, sha256: str) -> None:
    """Let nobody else put a content or take it out until this transaction ends."""
    await connection.execute(
        select(func.pg_advisory_xact_lock(_CONTENTS, func.hashtext(f"{branch_id}/{sha256}")))
    )


async def erase(
    connection: AsyncConnection, branch_id: int, order_ids: Select[Any], *, now: datetime
) -> int:
    """Note that what some orders' attachments show is to be erased; return how many there were."""
    kept = (
        select(
            order_attachments.c.branch_id,
            order_attachments.c.order_id,
            order_attachments.c.name,
            order_attachments.c.sha256,
            literal(now, DateTime(timezone=True)),
        )
        .where(order_attachments.c.branch_id == branch_id)
        .where(order_attachments.c.order_id.in_(order_ids))
        .where(~exists().where(_erased_of(order_attachments)))
    )
    columns = ["branch_id", "order_id", "name", "sha256", "erased_at"]
    erased = await connection.execute(
        insert(attachments_erased)
        .from_select(columns, kept)
        .on_conflict_do_nothing()
        .returning(attachments_erased.c.name)
    )
    return len(erased.all())


async def still_kept(connection: AsyncConnection, branch_id: int, order_ids: Select[Any]) -> int:
    """Return how many attachments of some orders are not erased."""
    found: int | None = await connection.scalar(
        select(func.count())
        .select_from(order_attachments)
        .where(order_attachments.c.branch_id == branch_id)
        .where(order_attachments.c.order_id.in_(order_ids))
        .where(~exists().where(_erased_of(order_attachments)))
    )
    return found or 0


async def to_remove(connection: AsyncConnection, branch_id: int) -> Sequence[str]:
    """Return some contents of which an attachment is erased and that may lie in the store yet."""
    rows = await connection.scalars(
        select(attachments_erased.c.sha256)
        .where(attachments_erased.c.branch_id == branch_id)
        .where(attachments_erased.c.removed_at.is_(None))
        .distinct()
        .order_by(attachments_erased.c.sha256)
        .limit(_PORTION)
    )
    return rows.all()


async def is_shown(connection: AsyncConnection, branch_id: int, sha256: str) -> bool:
    """Say whether an attachment that is not erased has this content."""
    return bool(
        await connection.scalar(
            select(
                exists().where(
                    order_attachments.c.branch_id == branch_id,
                    order_attachments.c.sha256 == sha256,
                    ~exists().where(_erased_of(order_attachments)),
                )
            )
        )
    )


async def removed(
    connection: AsyncConnection, branch_id: int, sha256: str, *, now: datetime
) -> None:
    """Note that a content lies in the store no more, or is there for another attachment only."""
    await connection.execute(
        update(attachments_erased)
        .where(
            attachments_erased.c.branch_id == branch_id,
            attachments_erased.c.sha256 == sha256,
            attachments_erased.c.removed_at.is_(None),
        )
        .values(removed_at=now)
    )
