"""Rows of quarantine."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.intake.store import advance
from huaxiao.attribution.tables import dismissals, held_events
from huaxiao.shared.wire.attribution import Dismissal, HeldEvent, HeldState, Outcome

_PREFIX = "H-"


def number_of(held_id: str) -> int | None:
    """Return the number a held event's identifier stands for; None when it stands for none."""
    digits = held_id.removeprefix(_PREFIX)
    known = held_id.startswith(_PREFIX) and digits.isdecimal() and digits.isascii()
    return int(digits) if known and len(digits) <= len(str(2**62)) - 1 else None


_LATEST = (
    select(dismissals)
    .where(
        dismissals.c.branch_id == held_events.c.branch_id,
        dismissals.c.number == held_events.c.number,
    )
    .order_by(dismissals.c.time.desc())
    .limit(1)
    .lateral("latest")
)
_SHOWN = select(
    held_events,
    _LATEST.c.reason.label("dismissal_reason"),
    _LATEST.c.by.label("dismissed_by"),
    _LATEST.c.at.label("dismissed_at"),
).select_from(held_events.outerjoin(_LATEST, true()))


def _seen_by(query: Select[Any], posted_by: str | None) -> Select[Any]:
    return query if posted_by is None else query.where(held_events.c.posted_by == posted_by)


class Wanted(NamedTuple):
    """Which held events a list is to show; None leaves all of them."""

    state: HeldState | None
    code: str | None
    outcome: Outcome | None
    source: str | None
    """Empty for events that did not say who sent them."""


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    posted_by: str | None,
    wanted: Wanted,
    after: int,
    limit: int,
) -> list[HeldEvent]:
    """Return held events in the order they came; those of one sender when it is named."""
    table = held_events
    query = _SHOWN.where(table.c.branch_id == branch_id, table.c.number > after)
    if wanted.state is HeldState.HELD:
        query = query.where(table.c.resolved_at.is_(None))
    elif wanted.state is HeldState.RESOLVED:
        query = query.where(table.c.resolved_at.is_not(None), ~table.c.dismissed)
    elif wanted.state is HeldState.DISMISSED:
        query = query.where(table.c.dismissed)
    if wanted.code is not None:
        query = query.where(table.c.code == wanted.code)
    if wanted.outcome is not None:
        query = query.where(table.c.outcome == wanted.outcome)
    if wanted.outcome is Outcome.CONFLICT:
        # They are few among many, and found by the one code they have.
        query = query.where(table.c.code == Outcome.CONFLICT)
    if wanted.source is not None:
        named = table.c.source == wanted.source
        query = query.where(named if wanted.source else or_(named, table.c.source.is_(None)))
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
    query = _SHOWN.where(table.c.branch_id == branch_id, table.c.number == number)
    row = (await connection.execute(_seen_by(query, posted_by))).one_or_none()
    return None if row is None else (_held(row), row.body)


async def dismiss(
    connection: AsyncConnection,
    branch_id: int,
    number: int,
    *,
    reason: str,
    by: str,
    now: datetime,
) -> None:
    """Take a held event out of what waits, and remember who has and why."""
    table = dismissals
    before = await connection.scalar(
        select(func.count()).where(table.c.branch_id == branch_id, table.c.number == number)
    )
    await connection.execute(
        insert(table).values(
            branch_id=branch_id,
            number=number,
            time=(before or 0) + 1,
            reason=reason,
            by=by,
            at=now,
        )
    )
    await lay_down(connection, branch_id, number, now=now)


async def lay_down(
    connection: AsyncConnection, branch_id: int, number: int, *, now: datetime
) -> None:
    """Take an event out of what waits; nothing happens to one that is not held."""
    laid = await connection.execute(
        update(held_events)
        .where(_is(branch_id, number), held_events.c.resolved_at.is_(None))
        .values(resolved_at=now, dismissed=True)
    )
    await advance(connection, branch_id, resolved=laid.rowcount)


async def take_up(connection: AsyncConnection, branch_id: int, number: int) -> bool:
    """Put a dismissed event among those that wait; false if its very bytes wait there already."""
    again = await connection.scalar(
        select(func.count())
        .select_from(held_events)
        .where(
            held_events.c.branch_id == branch_id,
            held_events.c.resolved_at.is_(None),
            held_events.c.digest
            == select(held_events.c.digest).where(_is(branch_id, number)).scalar_subquery(),
        )
    )
    if again:
        return False
    taken = await connection.execute(
        update(held_events)
        .where(_is(branch_id, number), held_events.c.dismissed)
        .values(resolved_at=None, dismissed=False)
    )
    await advance(connection, branch_id, resolved=-taken.rowcount)
    return True


def _is(branch_id: int, number: int) -> ColumnElement[bool]:
    return and_(held_events.c.branch_id == branch_id, held_events.c.number == number)


def _state(row: Row[Any]) -> HeldState:
    if row.dismissed:
        return HeldState.DISMISSED
    return HeldState.HELD if row.resolved_at is None else HeldState.RESOLVED


def _held(row: Row[Any]) -> HeldEvent:
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
        waiting_for=row.waiting_for,
        posted_by=row.posted_by,
        state=_state(row),
        received_at=row.received_at,
        resolved_at=None if row.dismissed else row.resolved_at,
        dismissal=None
        if row.dismissed_at is None
        else Dismissal(
            reason=row.dismissal_reason,
            dismissed_by=row.dismissed_by,
            dismissed_at=row.dismissed_at,
        ),
        body=row.body.decode("utf-8", errors="replace"),
    )
