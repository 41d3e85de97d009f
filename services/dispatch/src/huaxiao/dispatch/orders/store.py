"""Orders in the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Date, RowMapping, cast, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.dispatching import Engineer, Territory
from huaxiao.dispatch.tables import assets, centres, order_steps, orders, people, territories
from huaxiao.shared.addresses import CODE_DIGITS
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.wire.dispatch import OrderState

_ENDED = [OrderState.DONE, OrderState.CONFIRMED, OrderState.CANCELLED, OrderState.REJECTED]

_PLACING = 25
"""Class of the advisory locks under which a branch's work is placed, one transaction at a time."""


async def place_alone(connection: AsyncConnection, branch_id: int) -> None:
    """Wait until nobody else places this branch's work, and keep others waiting until the end.

    Of an order and its field that come at the same moment, from two feeds, each would otherwise be
    placed and given out before it could see the other.
    """
    await connection.execute(select(func.pg_advisory_xact_lock(_PLACING, branch_id)))


def visible(principal: Principal) -> ColumnElement[bool]:
    """Return the condition that keeps a caller to its centres, an engineer to its own orders."""
    if principal.roles == {Role.ENGINEER}:
        return orders.c.engineer_id == (principal.person_id or "")
    if principal.centre_ids is None:
        return true()
    ids = sorted(principal.centre_ids)
    return or_(orders.c.performer_centre_id.in_(ids), orders.c.requester_centre_id.in_(ids))


async def covering(
    connection: AsyncConnection, branch_id: int, address: str, period: int
) -> list[Territory]:
    """Return the regional fields of a period that cover an address."""
    prefixes = [address[:digits] for digits in range(6, min(len(address), CODE_DIGITS) + 1)]
    rows = await connection.execute(
        select(territories.c.prefix, territories.c.centre_id).where(
            territories.c.branch_id == branch_id,
            territories.c.prefix.in_(prefixes),
            territories.c.term_from <= period,
            territories.c.term_to >= period,
        )
    )
    return [Territory(row.prefix, row.centre_id) for row in rows]


async def first_centre(connection: AsyncConnection, branch_id: int, kind: str) -> str | None:
    """Return the branch's centre of a kind; the smallest id of several."""
    found: str | None = await connection.scalar(
        select(func.min(centres.c.centre_id)).where(
            centres.c.branch_id == branch_id, centres.c.kind == kind
        )
    )
    return found


async def centre_kind(connection: AsyncConnection, branch_id: int, centre_id: str) -> str | None:
    """Return what kind of centre it is."""
    found: str | None = await connection.scalar(
        select(centres.c.kind).where(
            centres.c.branch_id == branch_id, centres.c.centre_id == centre_id
        )
    )
    return found


async def engineers(connection: AsyncConnection, branch_id: int, centre_id: str) -> list[Engineer]:
    """Return a centre's people with their open orders."""
    open_orders = (
        select(func.count())
        .where(
            orders.c.branch_id == branch_id,
            orders.c.engineer_id == people.c.person_id,
            orders.c.state.not_in(_ENDED),
        )
        .scalar_subquery()
    )
    today = cast(func.timezone("Asia/Shanghai", func.now()), Date)
    rows = await connection.execute(
        select(people.c.person_id, people.c.skills, open_orders.label("open_orders")).where(
            people.c.branch_id == branch_id,
            people.c.centre_id == centre_id,
            or_(people.c.left_on.is_(None), people.c.left_on > today),
        )
    )
    return [Engineer(row.person_id, frozenset(row.skills), row.open_orders) for row in rows]


async def add(connection: AsyncConnection, order: Mapping[str, Any]) -> bool:
    """Insert an order; False when it is already there."""
    added = await connection.execute(
        insert(orders).values(**order).on_conflict_do_nothing().returning(orders.c.order_id)
    )
    return added.one_or_none() is not None


async def load(
    connection: AsyncConnection, branch_id: int, order_id: str, *, lock: bool = False
) -> RowMapping | None:
    """Return an order, locked for this transaction if asked."""
    query = select(orders).where(orders.c.branch_id == branch_id, orders.c.order_id == order_id)
    rows = await connection.execute(query.with_for_update() if lock else query)
    return rows.mappings().one_or_none()


async def unaccepted(connection: AsyncConnection, branch_id: int) -> Sequence[RowMapping]:
    """Return the orders that no engineer has accepted yet, locked, oldest request first.

    ``owner_centre_id`` is the centre whose asset is patrolled; None of other work.
    """
    rows = await connection.execute(
        select(orders, assets.c.centre_id.label("owner_centre_id"))
        .outerjoin(
            assets,
            (assets.c.branch_id == orders.c.branch_id) & (assets.c.asset_id == orders.c.asset_id),
        )
        .where(
            orders.c.branch_id == branch_id,
            orders.c.state.in_([OrderState.NEW, OrderState.DISPATCHED]),
        )
        .order_by(orders.c.requested_at, orders.c.order_id)
        .with_for_update(of=orders)
    )
    return rows.mappings().all()


async def is_visible(
    connection: AsyncConnection, branch_id: int, order_id: str, principal: Principal
) -> bool:
    """Say whether the caller may see an order."""
    found = await connection.scalar(
        select(orders.c.order_id).where(
            orders.c.branch_id == branch_id, orders.c.order_id == order_id, visible(principal)
        )
    )
    return found is not None


async def save(
    connection: AsyncConnection, branch_id: int, order_id: str, changes: Mapping[str, Any]
) -> None:
    """Update an order."""
    await connection.execute(
        update(orders)
        .where(orders.c.branch_id == branch_id, orders.c.order_id == order_id)
        .values(**changes)
    )


async def record_step(connection: AsyncConnection, step: Mapping[str, Any]) -> None:
    """Append a step to an order's history."""
    await connection.execute(insert(order_steps).values(**step))


async def steps(connection: AsyncConnection, branch_id: int, order_id: str) -> Sequence[RowMapping]:
    """Return an order's history, oldest first."""
    rows = await connection.execute(
        select(order_steps)
        .where(order_steps.c.branch_id == branch_id, order_steps.c.order_id == order_id)
        .order_by(order_steps.c.number)
    )
    return rows.mappings().all()


async def page(
    connection: AsyncConnection,
    branch_id: int,
    principal: Principal,
    *,
    filters: Mapping[str, str | None],
    after: str,
    limit: int,
) -> Sequence[RowMapping]:
    """Return orders behind an id that the caller may see."""
    query = select(orders).where(
        orders.c.branch_id == branch_id, orders.c.order_id > after, visible(principal)
    )
    for name, value in filters.items():
        if value is not None:
            query = query.where(orders.c[name] == value)
    rows = await connection.execute(query.order_by(orders.c.order_id).limit(limit))
    return rows.mappings().all()
