"""Orders in the database."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Date,
    RowMapping,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    cast,
    exists,
    func,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.callers import reads_as_engineer
from huaxiao.dispatch.domain.dispatching import Crew, Engineer, Territory
from huaxiao.dispatch.tables import (
    assets,
    centres,
    crews,
    order_steps,
    orders,
    people,
    territories,
)
from huaxiao.shared.addresses import CODE_DIGITS
from huaxiao.shared.auth import Principal
from huaxiao.shared.wire.dispatch import OrderState, StepName

_ENDED = [OrderState.DONE, OrderState.CONFIRMED, OrderState.CANCELLED, OrderState.REJECTED]
_UNACCEPTED = [OrderState.NEW, OrderState.APPOINTED, OrderState.DISPATCHED]
_AT_HAND = [
    OrderState.DISPATCHED,
    OrderState.REASSIGNED,
    OrderState.ACCEPTED,
    OrderState.TRAVELLING,
    OrderState.IN_PROGRESS,
]
"""Where somebody is to act next. Suspended work waits for what it was suspended for, whoever has it."""

ENGINEER_LEFT = "engineer_left"
"""Why an order is given out again whose engineer has left, or of whose crew nobody is left."""
_PLACING = 25
"""Class of the advisory locks under which a branch's work is placed, one transaction at a time."""


async def place_alone(connection: AsyncConnection, branch_id: int) -> None:
    """Wait until nobody else places this branch's work, and keep others waiting until the end.

    Of an order and its field that come at the same moment, from two feeds, each would otherwise be
    placed and given out before it could see the other.
    """
    await connection.execute(select(func.pg_advisory_xact_lock(_PLACING, branch_id)))


def today() -> ColumnElement[date]:
    """Return the business day on which the database is asked."""
    return cast(func.timezone("Asia/Shanghai", func.now()), Date)


def visible(principal: Principal) -> ColumnElement[bool]:
    """Return the condition that keeps a caller to its centres, an engineer to its own orders."""
    if reads_as_engineer(principal):
        person_id = principal.person_id or ""
        return or_(orders.c.engineer_id == person_id, orders.c.crew_id.in_(_crews_with(person_id)))
    if principal.centre_ids is None:
        return true()
    ids = sorted(principal.centre_ids)
    return or_(orders.c.performer_centre_id.in_(ids), orders.c.requester_centre_id.in_(ids))


def _crews_with(person_id: str) -> Select[tuple[str]]:
    return select(crews.c.crew_id).where(
        crews.c.branch_id == orders.c.branch_id, crews.c.members.contains([person_id])
    )


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
    """Return the branch's centre of a kind that is not closed; the smallest id of several."""
    found: str | None = await connection.scalar(
        select(func.min(centres.c.centre_id)).where(
            centres.c.branch_id == branch_id,
            centres.c.kind == kind,
            _is_open(),
        )
    )
    return found


async def is_open(connection: AsyncConnection, branch_id: int, centre_id: str) -> bool:
    """Say whether a centre is there and not closed."""
    found = await connection.scalar(
        select(centres.c.centre_id).where(
            centres.c.branch_id == branch_id, centres.c.centre_id == centre_id, _is_open()
        )
    )
    return found is not None


def _is_open() -> ColumnElement[bool]:
    return or_(centres.c.closed_from.is_(None), centres.c.closed_from > today())


async def centre_kind(connection: AsyncConnection, branch_id: int, centre_id: str) -> str | None:
    """Return what kind of centre it is."""
    found: str | None = await connection.scalar(
        select(centres.c.kind).where(
            centres.c.branch_id == branch_id, centres.c.centre_id == centre_id
        )
    )
    return found


def _works_here() -> ColumnElement[bool]:
    return or_(people.c.left_on.is_(None), people.c.left_on > today())


def _open_orders(branch_id: int, holder: ColumnElement[bool]) -> ScalarSelect[int]:
    return (
        select(func.count())
        .where(orders.c.branch_id == branch_id, holder, orders.c.state.not_in(_ENDED))
        .scalar_subquery()
    )


async def engineers(connection: AsyncConnection, branch_id: int, centre_id: str) -> list[Engineer]:
    """Return a centre's people with their open orders."""
    open_orders = _open_orders(branch_id, orders.c.engineer_id == people.c.person_id)
    rows = await connection.execute(
        select(people.c.person_id, people.c.skills, open_orders.label("open_orders")).where(
            people.c.branch_id == branch_id, people.c.centre_id == centre_id, _works_here()
        )
    )
    return [Engineer(row.person_id, frozenset(row.skills), row.open_orders) for row in rows]


async def centre_crews(
    connection: AsyncConnection, branch_id: int, centre_id: str, *, of_order: str | None = None
) -> list[Crew]:
    """Return a centre's crews with all that their people can do, and their open orders.

    Several engineers who are a crew for one order only are one for that order, if it is named.
    """
    open_orders = _open_orders(branch_id, orders.c.crew_id == crews.c.crew_id)
    rows = await connection.execute(
        select(crews, open_orders.label("open_orders")).where(
            crews.c.branch_id == branch_id,
            crews.c.centre_id == centre_id,
            or_(crews.c.order_id.is_(None), crews.c.order_id == of_order),
        )
    )
    there = rows.all()
    skills = await skills_of_people(connection, branch_id) if there else {}
    return [
        Crew(
            row.crew_id,
            frozenset(row.skills).union(*(skills.get(one, ()) for one in row.members)),
            row.open_orders,
        )
        for row in there
    ]


async def skills_of_people(
    connection: AsyncConnection, branch_id: int
) -> dict[str, frozenset[str]]:
    """Return what everybody who works in the branch can do."""
    rows = await connection.execute(
        select(people.c.person_id, people.c.skills).where(
            people.c.branch_id == branch_id, _works_here()
        )
    )
    return {row.person_id: frozenset(row.skills) for row in rows}


async def homes(connection: AsyncConnection, branch_id: int) -> dict[str, str]:
    """Return the centre of everybody who works in the branch."""
    rows = await connection.execute(
        select(people.c.person_id, people.c.centre_id).where(
            people.c.branch_id == branch_id, _works_here()
        )
    )
    return {row.person_id: row.centre_id for row in rows}


async def crew(connection: AsyncConnection, branch_id: int, crew_id: str) -> RowMapping | None:
    """Return a crew as registered."""
    rows = await connection.execute(
        select(crews).where(crews.c.branch_id == branch_id, crews.c.crew_id == crew_id)
    )
    return rows.mappings().one_or_none()


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
    """Return the orders that nobody has accepted yet and that are given out by rule.

    They come locked, the oldest request first. ``owner_centre_id`` is the centre whose asset is
    patrolled; None of other work.
    """
    rows = await connection.execute(
        select(orders, assets.c.centre_id.label("owner_centre_id"))
        .outerjoin(
            assets,
            (assets.c.branch_id == orders.c.branch_id) & (assets.c.asset_id == orders.c.asset_id),
        )
        .where(
            orders.c.branch_id == branch_id,
            orders.c.state.in_(_UNACCEPTED),
            or_(orders.c.held.is_(False), orders.c.reason == ENGINEER_LEFT),
        )
        .order_by(orders.c.requested_at, orders.c.order_id)
        .with_for_update(of=orders)
    )
    return rows.mappings().all()


def _left_behind(branch_id: int) -> CompoundSelect[str]:
    """Return the orders at hand of those who do not work here any more.

    It begins with who has left, and so looks at few orders.
    """
    at_hand = select(orders.c.order_id).where(
        orders.c.branch_id == branch_id, orders.c.state.in_(_AT_HAND)
    )
    engineers_left = at_hand.join(
        people,
        and_(
            people.c.branch_id == orders.c.branch_id,
            people.c.person_id == orders.c.engineer_id,
            not_(_works_here()),
        ),
    )
    still_there = exists().where(
        people.c.branch_id == branch_id,
        crews.c.members.contains(func.jsonb_build_array(people.c.person_id)),
        _works_here(),
    )
    crews_left = at_hand.join(
        crews,
        and_(
            crews.c.branch_id == orders.c.branch_id,
            crews.c.crew_id == orders.c.crew_id,
            # An outside company names its own people; whether they are there is its business.
            crews.c.company.is_(None),
            not_(still_there),
        ),
    )
    return engineers_left.union(crews_left)


async def any_left_behind(connection: AsyncConnection, branch_id: int) -> bool:
    """Say whether somebody who has left still has an order at hand."""
    found = await connection.scalar(_left_behind(branch_id).limit(1))
    return found is not None


async def any_at_closed_centre(connection: AsyncConnection, branch_id: int) -> bool:
    """Say whether a centre that has closed still has work that nobody has accepted.

    What is its own wherever the address lies, or was handed over to it, is left to people.
    """
    found = await connection.scalar(
        select(orders.c.order_id)
        .join(
            centres,
            and_(
                centres.c.branch_id == orders.c.branch_id,
                centres.c.centre_id == orders.c.performer_centre_id,
            ),
        )
        .where(
            orders.c.branch_id == branch_id,
            not_(_is_open()),
            orders.c.finished_at.is_(None),
            orders.c.state.in_(_UNACCEPTED),
            orders.c.held.is_(False),
            orders.c.asset_id.is_(None),
            orders.c.handovers == 0,
            orders.c.visits == 0,
        )
        .limit(1)
    )
    return found is not None


async def take_back(connection: AsyncConnection, branch_id: int) -> int:
    """Take their orders from all who have left; return how many there were."""
    taken = await connection.execute(
        update(orders)
        .where(
            orders.c.branch_id == branch_id,
            orders.c.order_id.in_(_left_behind(branch_id)),
            # Somebody may have taken its next step while this waited for it.
            orders.c.state.in_(_AT_HAND),
        )
        .values(engineer_id=None, crew_id=None, state=OrderState.NEW, reason=ENGINEER_LEFT)
        .returning(orders.c.order_id)
    )
    return len(taken.all())


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


async def save_all(
    connection: AsyncConnection, branch_id: int, changes: Mapping[str, Mapping[str, Any]]
) -> None:
    """Update many orders by id, each in the same columns."""
    if not changes:
        return
    names = next(iter(changes.values())).keys()
    await connection.execute(
        update(orders)
        .where(orders.c.branch_id == branch_id, orders.c.order_id == bindparam("of_order"))
        .values({name: bindparam(f"new_{name}") for name in names}),
        [
            {"of_order": order_id, **{f"new_{name}": value for name, value in one.items()}}
            for order_id, one in changes.items()
        ],
    )


async def record_step(connection: AsyncConnection, step: Mapping[str, Any]) -> None:
    """Append a step to an order's history."""
    await connection.execute(insert(order_steps).values(**step))


async def record_steps(connection: AsyncConnection, steps: Sequence[Mapping[str, Any]]) -> None:
    """Append steps to the histories of many orders."""
    if steps:
        await connection.execute(insert(order_steps), [dict(one) for one in steps])


async def steps(connection: AsyncConnection, branch_id: int, order_id: str) -> Sequence[RowMapping]:
    """Return an order's history, oldest first."""
    rows = await connection.execute(
        select(order_steps)
        .where(order_steps.c.branch_id == branch_id, order_steps.c.order_id == order_id)
        .order_by(order_steps.c.number)
    )
    return rows.mappings().all()


async def last_step(
    connection: AsyncConnection, branch_id: int, order_id: str, name: StepName
) -> RowMapping | None:
    """Return the step of a name that an order last took."""
    rows = await connection.execute(
        select(order_steps)
        .where(
            order_steps.c.branch_id == branch_id,
            order_steps.c.order_id == order_id,
            order_steps.c.step == name,
        )
        .order_by(order_steps.c.number.desc())
        .limit(1)
    )
    return rows.mappings().one_or_none()


async def of_reference(
    connection: AsyncConnection, branch_id: int, source: str, reference: str
) -> RowMapping | None:
    """Return the order that a source knows by a reference."""
    rows = await connection.execute(
        select(orders).where(
            orders.c.branch_id == branch_id,
            orders.c.source == source,
            orders.c.reference == reference,
        )
    )
    return rows.mappings().one_or_none()


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


async def at_work_elsewhere(
    connection: AsyncConnection, branch_id: int, person_id: str, *, address: str
) -> RowMapping | None:
    """Return an order that a person has begun at another address and that is under way."""
    begun_by = (
        select(order_steps.c.engineer_id)
        .where(
            order_steps.c.branch_id == orders.c.branch_id,
            order_steps.c.order_id == orders.c.order_id,
            order_steps.c.step == StepName.START,
        )
        .order_by(order_steps.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(orders.c.order_id, orders.c.standard_address)
        .where(
            orders.c.branch_id == branch_id,
            orders.c.state == OrderState.IN_PROGRESS,
            orders.c.standard_address != address,
            or_(orders.c.engineer_id == person_id, orders.c.crew_id.in_(_crews_with(person_id))),
            begun_by == person_id,
        )
        .order_by(orders.c.order_id)
        .limit(1)
    )
    return rows.mappings().one_or_none()
