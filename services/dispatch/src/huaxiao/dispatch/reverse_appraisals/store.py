"""SQL of the reverse appraisal."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, Table, exists, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals.store import MEASURED
from huaxiao.dispatch.tables import (
    concurrent_posts,
    orders,
    people,
    reverse_answers,
    reverse_decisions,
    reverse_votes,
)


async def centre_of_person(
    connection: AsyncConnection, branch_id: int, person_id: str, day: date
) -> str | None:
    """Return the centre of somebody who works there on a day."""
    found: str | None = await connection.scalar(
        select(people.c.centre_id).where(
            people.c.branch_id == branch_id,
            people.c.person_id == person_id,
            or_(people.c.left_on.is_(None), people.c.left_on > day),
        )
    )
    return found


async def is_posted(
    connection: AsyncConnection, branch_id: int, person_id: str, centre_id: str
) -> bool:
    """Say whether a person has a place in a centre, be it a concurrent one."""
    primary = select(people.c.person_id).where(
        people.c.branch_id == branch_id,
        people.c.person_id == person_id,
        people.c.centre_id == centre_id,
    )
    concurrent = select(concurrent_posts.c.person_id).where(
        concurrent_posts.c.branch_id == branch_id,
        concurrent_posts.c.person_id == person_id,
        concurrent_posts.c.centre_id == centre_id,
    )
    return bool(await connection.scalar(select(exists(primary) | exists(concurrent))))


async def add_vote(connection: AsyncConnection, vote: Mapping[str, Any]) -> bool:
    """Append a vote; False when the seat is taken or the person has voted."""
    added = await connection.execute(
        insert(reverse_votes)
        .values(**vote)
        .on_conflict_do_nothing()
        .returning(reverse_votes.c.person_id)
    )
    return added.one_or_none() is not None


async def votes(
    connection: AsyncConnection,
    branch_id: int,
    ratee_centre_id: str,
    period: int,
    *,
    person_id: str | None = None,
) -> Sequence[RowMapping]:
    """Return the votes on a centre, of one person if asked."""
    rows = await connection.execute(
        select(reverse_votes)
        .where(
            reverse_votes.c.branch_id == branch_id,
            reverse_votes.c.ratee_centre_id == ratee_centre_id,
            reverse_votes.c.period == period,
            true() if person_id is None else reverse_votes.c.person_id == person_id,
        )
        .order_by(reverse_votes.c.centre_id, reverse_votes.c.seat)
    )
    return rows.mappings().all()


async def _one(
    connection: AsyncConnection, table: Table, branch_id: int, ratee_centre_id: str, period: int
) -> RowMapping | None:
    rows = await connection.execute(
        select(table).where(
            table.c.branch_id == branch_id,
            table.c.ratee_centre_id == ratee_centre_id,
            table.c.period == period,
        )
    )
    return rows.mappings().one_or_none()


async def answer(
    connection: AsyncConnection, branch_id: int, ratee_centre_id: str, period: int
) -> RowMapping | None:
    """Return what the ratee said to its card."""
    return await _one(connection, reverse_answers, branch_id, ratee_centre_id, period)


async def decision(
    connection: AsyncConnection, branch_id: int, ratee_centre_id: str, period: int
) -> RowMapping | None:
    """Return what was decided of a card."""
    return await _one(connection, reverse_decisions, branch_id, ratee_centre_id, period)


async def add_answer(connection: AsyncConnection, row: Mapping[str, Any]) -> bool:
    """Append what the ratee says; False when it has said something before."""
    added = await connection.execute(
        insert(reverse_answers)
        .values(**row)
        .on_conflict_do_nothing()
        .returning(reverse_answers.c.period)
    )
    return added.one_or_none() is not None


async def add_decision(connection: AsyncConnection, row: Mapping[str, Any]) -> bool:
    """Append a decision; False when there is one."""
    added = await connection.execute(
        insert(reverse_decisions)
        .values(**row)
        .on_conflict_do_nothing()
        .returning(reverse_decisions.c.period)
    )
    return added.one_or_none() is not None


async def performed_orders(
    connection: AsyncConnection,
    branch_id: int,
    centre_id: str,
    *,
    since: datetime,
    until: datetime,
) -> Sequence[RowMapping]:
    """Return the orders of a centre that bear on a time span, whoever asked for them."""
    rows = await connection.execute(
        MEASURED.where(
            orders.c.branch_id == branch_id,
            orders.c.performer_centre_id == centre_id,
            orders.c.requested_at < until,
            or_(orders.c.finished_at.is_(None), orders.c.finished_at >= since),
        ).order_by(orders.c.order_id)
    )
    return rows.mappings().all()
