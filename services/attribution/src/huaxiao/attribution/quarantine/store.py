"""Rows of quarantine."""

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.tables import held_events
from huaxiao.shared.wire.attribution import HeldEvent, HeldState, Outcome

_PREFIX = "H-"


def number_of(held_id: str) -> int | None:
    """Return the number a held event's identifier stands for; None when it stands for none."""
    digits = held_id.removeprefix(_PREFIX)
    known = held_id.startswith(_PREFIX) and digits.isdecimal() and digits.isascii()
    return int(digits) if known and len(digits) <= len(str(2**62)) - 1 else None


def _seen_by(
    query: Select[tuple[object, ...]], posted_by: str | None
) -> Select[tuple[object, ...]]:
    return query if posted_by is None else query.where(held_events.c.posted_by == posted_by)


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    posted_by: str | None,
    state: HeldState | None,
    code: str | None,
    after: int,
    limit: int,
) -> list[HeldEvent]:
    """Return held events in the order they came; those of one sender when it is named."""
    table = held_events
    query = select(table).where(table.c.branch_id == branch_id, table.c.number > after)
    if state is HeldState.HELD:
        query = query.where(table.c.resolved_at.is_(None))
    elif state is HeldState.RESOLVED:
        query = query.where(table.c.resolved_at.is_not(None))
    if code is not None:
        query = query.where(table.c.code == code)
    rows = await connection.execute(
        _seen_by(query, posted_by).order_by(table.c.number).limit(limit)
    )
    return [_held(row) for row in rows]


async def one(
    connection: AsyncConnection,
    branch_id: int,
    number: int,
    *,
    posted_by: str | None,
) -> tuple[HeldEvent, bytes] | None:
    """Return a held event and its bytes as they came."""
    table = held_events
    query = select(table).where(table.c.branch_id == branch_id, table.c.number == number)
    row = (await connection.execute(_seen_by(query, posted_by))).one_or_none()
    return None if row is None else (_held(row), row.body)


def _held(row: Row[tuple[object, ...]]) -> HeldEvent:
    return HeldEvent(
        number=row.number,
        held_id=f"{_PREFIX}{row.number}",
        source=row.source,
        event_id=row.event_id,
        type=row.type,
        outcome=Outcome(row.outcome),
        code=row.code,
        message=row.message,
        message_zh=row.message_zh,
        state=HeldState.HELD if row.resolved_at is None else HeldState.RESOLVED,
        received_at=row.received_at,
        resolved_at=row.resolved_at,
        body=row.body.decode("utf-8", errors="replace"),
    )
