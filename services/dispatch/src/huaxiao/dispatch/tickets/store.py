"""Support tickets in the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    RowMapping,
    Text,
    any_,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import (
    centres,
    concurrent_posts,
    listed_customers,
    orders,
    people,
    ticket_marks,
    ticket_steps,
    tickets,
)
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.periods import Period
from huaxiao.shared.queues import take_first
from huaxiao.shared.wire.tickets import TicketState

_OPEN = tickets.c.state != TicketState.CLOSED


def visible(principal: Principal) -> ColumnElement[bool]:
    """Return the condition that keeps a caller to what its centres raised or owe.

    The support centre sees all: it is the one point of entry.
    """
    if principal.centre_ids is None or Role.SUPPORT_CENTRE in principal.roles:
        return true()
    ids = sorted(principal.centre_ids)
    return or_(tickets.c.raiser_centre_id.in_(ids), tickets.c.owner_centre_id.in_(ids))


async def centre_kinds(connection: AsyncConnection, branch_id: int) -> dict[str, str]:
    """Return the branch's centres and their kinds, by id."""
    rows = await connection.execute(
        select(centres.c.centre_id, centres.c.kind)
        .where(centres.c.branch_id == branch_id)
        .order_by(centres.c.centre_id)
    )
    return {row.centre_id: row.kind for row in rows}


async def posts(connection: AsyncConnection, branch_id: int, person_id: str) -> set[str]:
    """Return the centres in which somebody has a post, concurrent ones among them."""
    primary = select(people.c.centre_id).where(
        people.c.branch_id == branch_id, people.c.person_id == person_id
    )
    concurrent = select(concurrent_posts.c.centre_id).where(
        concurrent_posts.c.branch_id == branch_id, concurrent_posts.c.person_id == person_id
    )
    return set(await connection.scalars(primary.union(concurrent)))


async def listing_centre(
    connection: AsyncConnection, branch_id: int, customer_id: str, period: Period
) -> str | None:
    """Return the centre on whose list a customer is in a period."""
    found: str | None = await connection.scalar(
        select(func.min(listed_customers.c.centre_id)).where(
            listed_customers.c.branch_id == branch_id,
            listed_customers.c.customer_id == customer_id,
            listed_customers.c.term_from <= period,
            listed_customers.c.term_to >= period,
        )
    )
    return found


async def newest_address(
    connection: AsyncConnection, branch_id: int, customer_id: str
) -> str | None:
    """Return where a customer last had work done."""
    found: str | None = await connection.scalar(
        select(orders.c.standard_address)
        .where(orders.c.branch_id == branch_id, orders.c.customer_id == customer_id)
        .order_by(orders.c.requested_at.desc(), orders.c.order_id.desc())
        .limit(1)
    )
    return found


async def add(connection: AsyncConnection, ticket: Mapping[str, Any]) -> None:
    """Insert a ticket."""
    await connection.execute(insert(tickets).values(**ticket))


async def load(
    connection: AsyncConnection, branch_id: int, ticket_id: str, principal: Principal, *, lock: bool
) -> RowMapping | None:
    """Return a ticket that the caller may see, locked for this transaction if asked."""
    query = select(tickets).where(
        tickets.c.branch_id == branch_id, tickets.c.ticket_id == ticket_id, visible(principal)
    )
    rows = await connection.execute(query.with_for_update() if lock else query)
    return rows.mappings().one_or_none()


async def save(
    connection: AsyncConnection, branch_id: int, ticket_id: str, changes: Mapping[str, Any]
) -> None:
    """Update a ticket."""
    await connection.execute(
        update(tickets)
        .where(tickets.c.branch_id == branch_id, tickets.c.ticket_id == ticket_id)
        .values(**changes)
    )


async def record_step(connection: AsyncConnection, step: Mapping[str, Any]) -> None:
    """Append a step to a ticket's history."""
    await connection.execute(insert(ticket_steps).values(**step))


async def steps(
    connection: AsyncConnection, branch_id: int, ticket_ids: Collection[str]
) -> Sequence[RowMapping]:
    """Return some tickets' histories, each oldest first."""
    # One array and not a parameter each, of which a statement takes only so many.
    wanted = literal(list(ticket_ids), ARRAY(Text))
    rows = await connection.execute(
        select(ticket_steps)
        .where(ticket_steps.c.branch_id == branch_id, ticket_steps.c.ticket_id == any_(wanted))
        .order_by(ticket_steps.c.ticket_id, ticket_steps.c.number)
    )
    return rows.mappings().all()


async def record_marks(connection: AsyncConnection, marks: Sequence[Mapping[str, Any]]) -> None:
    """Append marks that clocks have passed; the key refuses one that was told before."""
    if marks:
        await connection.execute(insert(ticket_marks), list(marks))


async def marks(
    connection: AsyncConnection, branch_id: int, ticket_id: str
) -> Sequence[RowMapping]:
    """Return the marks that a ticket's clocks have passed, earliest first."""
    rows = await connection.execute(
        select(ticket_marks)
        .where(ticket_marks.c.branch_id == branch_id, ticket_marks.c.ticket_id == ticket_id)
        .order_by(ticket_marks.c.at, ticket_marks.c.timer, ticket_marks.c.percent)
    )
    return rows.mappings().all()


async def next_due(
    connection: AsyncConnection,
    *,
    before: datetime,
    unless_by: str | None,
    passing_over: Collection[tuple[int, str]],
) -> RowMapping | None:
    """Return the ticket of any branch to which something has happened by itself, locked.

    One that another holds is left to it. With ``unless_by``, an open ticket that another calendar
    was asked for is due as well.
    """
    due = tickets.c.next_at < before
    if unless_by is not None:
        due = or_(due, (tickets.c.calendar != unless_by) & _OPEN)
    if passing_over:
        due &= tuple_(tickets.c.branch_id, tickets.c.ticket_id).not_in(sorted(passing_over))
    order = (tickets.c.next_at, tickets.c.branch_id, tickets.c.ticket_id)
    return await take_first(connection, tickets, select(tickets).where(due).order_by(*order))


async def next_moment(connection: AsyncConnection) -> datetime | None:
    """Return when something next happens to any ticket by itself."""
    found: datetime | None = await connection.scalar(select(func.min(tickets.c.next_at)))
    return found


async def page(
    connection: AsyncConnection,
    branch_id: int,
    principal: Principal,
    *,
    filters: Mapping[str, str | None],
    overdue: bool | None,
    now: datetime,
    after: str,
    limit: int,
) -> Sequence[RowMapping]:
    """Return tickets behind an id that the caller may see."""
    query = select(tickets).where(
        tickets.c.branch_id == branch_id, tickets.c.ticket_id > after, visible(principal)
    )
    for name, value in filters.items():
        if value is not None:
            query = query.where(tickets.c[name] == value)
    if overdue is not None:
        late = _OPEN & func.coalesce(tickets.c.due_at < now, false())
        query = query.where(late if overdue else ~late)
    rows = await connection.execute(query.order_by(tickets.c.ticket_id).limit(limit))
    return rows.mappings().all()


async def bearing_on(
    connection: AsyncConnection,
    branch_id: int,
    *,
    since: datetime,
    until: datetime,
    principal: Principal | None = None,
) -> Sequence[RowMapping]:
    """Return the tickets that were there in a time span and not closed for good before it."""
    rows = await connection.execute(
        select(tickets)
        .where(
            tickets.c.branch_id == branch_id,
            tickets.c.raised_at < until,
            or_(tickets.c.closed_at.is_(None), tickets.c.closed_at >= since),
            true() if principal is None else visible(principal),
        )
        .order_by(tickets.c.ticket_id)
    )
    return rows.mappings().all()
