"""SQL of days: who works, what is to be done, and who was to visit whom."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    RowMapping,
    and_,
    cast,
    column,
    delete,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import (
    crews,
    day_routes,
    order_placements,
    order_predecessors,
    order_steps,
    order_wishes,
    orders,
    people,
    shifts,
)
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.wire.dispatch import WORK_ENDED, OrderState, StepName

_ROWS_AT_ONCE = 1000
_OVER = [OrderState.DONE, OrderState.CONFIRMED]
_OPEN = [one for one in OrderState if one not in WORK_ENDED]


async def somebody_works(
    connection: AsyncConnection, branch_id: int, centre_id: str, since: datetime, until: datetime
) -> bool:
    """Say whether anybody of a centre has a shift in a span."""
    found = await connection.scalar(
        select(
            exists().where(
                shifts.c.branch_id == branch_id,
                shifts.c.begins_at < until,
                shifts.c.ends_at > since,
                people.c.branch_id == branch_id,
                people.c.person_id == shifts.c.person_id,
                people.c.centre_id == centre_id,
            )
        )
    )
    return bool(found)


async def working_centres(
    connection: AsyncConnection, branch_id: int, since: datetime, until: datetime
) -> list[str]:
    """Return the centres of which somebody has a shift in a span, by id."""
    rows = await connection.scalars(
        select(people.c.centre_id)
        .join(
            shifts,
            and_(
                shifts.c.branch_id == people.c.branch_id, shifts.c.person_id == people.c.person_id
            ),
        )
        .where(
            people.c.branch_id == branch_id, shifts.c.begins_at < until, shifts.c.ends_at > since
        )
        .distinct()
        .order_by(people.c.centre_id)
    )
    return list(rows)


async def people_of(
    connection: AsyncConnection, branch_id: int, centre_ids: Iterable[str]
) -> dict[str, RowMapping]:
    """Return the people of centres, by id."""
    rows = await connection.execute(
        select(people).where(
            people.c.branch_id == branch_id, people.c.centre_id.in_(sorted(centre_ids))
        )
    )
    return {row["person_id"]: row for row in rows.mappings()}


async def crews_of(
    connection: AsyncConnection, branch_id: int, centre_ids: Iterable[str]
) -> Sequence[RowMapping]:
    """Return the crews of centres, those for one order only included, by id."""
    rows = await connection.execute(
        select(crews)
        .where(crews.c.branch_id == branch_id, crews.c.centre_id.in_(sorted(centre_ids)))
        .order_by(crews.c.crew_id)
    )
    return rows.mappings().all()


async def work_of(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: Iterable[str],
    since: datetime,
    until: datetime,
) -> Sequence[RowMapping]:
    """Return the open orders of centres, and those finished in a span, with when they began."""
    began = (
        select(func.max(order_steps.c.at))
        .where(
            order_steps.c.branch_id == orders.c.branch_id,
            order_steps.c.order_id == orders.c.order_id,
            order_steps.c.step == StepName.START,
        )
        .scalar_subquery()
    )
    waits = exists().where(
        order_predecessors.c.branch_id == orders.c.branch_id,
        order_predecessors.c.order_id == orders.c.order_id,
        order_predecessors.c.predecessor_id == _before.c.order_id,
        _before.c.branch_id == orders.c.branch_id,
        _before.c.state.in_(_OPEN),
    )
    rows = await connection.execute(
        select(orders, began.label("began_at"), waits.label("waits"))
        .where(
            orders.c.branch_id == branch_id,
            orders.c.performer_centre_id.in_(sorted(centre_ids)),
            or_(
                orders.c.state.in_(_OPEN),
                and_(
                    orders.c.state.in_(_OVER),
                    orders.c.finished_at >= since,
                    orders.c.finished_at < until,
                ),
            ),
        )
        .order_by(orders.c.order_id)
    )
    return rows.mappings().all()


_before = orders.alias("before")


async def wishes_of(
    connection: AsyncConnection, branch_id: int, order_ids: Iterable[str]
) -> dict[str, RowMapping]:
    """Return what dispatchers decided last of orders, by order."""
    rows = await connection.execute(
        select(order_wishes)
        .where(
            order_wishes.c.branch_id == branch_id,
            order_wishes.c.order_id.in_(sorted(order_ids)),
        )
        .ext(distinct_on(order_wishes.c.order_id))
        .order_by(order_wishes.c.order_id, order_wishes.c.number.desc())
    )
    return {row["order_id"]: row for row in rows.mappings()}


async def add_wish(connection: AsyncConnection, wish: Mapping[str, Any]) -> None:
    """Append what a dispatcher decided of an order."""
    await connection.execute(insert(order_wishes).values(**wish))


async def add_placement(
    connection: AsyncConnection, branch_id: int, order_id: str, given: Mapping[str, Any]
) -> None:
    """Keep why an order was put where it was."""
    number = select(func.count() + 1).where(
        order_placements.c.branch_id == branch_id, order_placements.c.order_id == order_id
    )
    await connection.execute(
        insert(order_placements).values(
            branch_id=branch_id,
            order_id=order_id,
            number=number.scalar_subquery(),
            given=dict(given),
        )
    )


async def placements_of(
    connection: AsyncConnection, branch_id: int, order_id: str
) -> list[Mapping[str, Any]]:
    """Return why an order was put where it was, each time."""
    rows = await connection.scalars(
        select(order_placements.c.given)
        .where(order_placements.c.branch_id == branch_id, order_placements.c.order_id == order_id)
        .order_by(order_placements.c.number)
    )
    return list(rows)


async def routes_from(
    connection: AsyncConnection, branch_id: int, day: date, centre_ids: Iterable[str]
) -> Sequence[RowMapping]:
    """Return who visits whom of centres on a day and later, as it was planned."""
    rows = await connection.execute(
        select(day_routes)
        .where(
            day_routes.c.branch_id == branch_id,
            day_routes.c.day >= day,
            day_routes.c.centre_id.in_(sorted(centre_ids)),
        )
        .order_by(day_routes.c.day, day_routes.c.holder)
    )
    return rows.mappings().all()


async def centres_planned(connection: AsyncConnection, branch_id: int, day: date) -> list[str]:
    """Return the centres of which something is planned on a day, by id."""
    rows = await connection.scalars(
        select(day_routes.c.centre_id)
        .where(day_routes.c.branch_id == branch_id, day_routes.c.day == day)
        .distinct()
        .order_by(day_routes.c.centre_id)
    )
    return list(rows)


async def put_routes(connection: AsyncConnection, routes: Sequence[Mapping[str, Any]]) -> None:
    """Store people's days, in place of what they were."""
    for first in range(0, len(routes), _ROWS_AT_ONCE):
        some = routes[first : first + _ROWS_AT_ONCE]
        given = insert(day_routes).values([dict(one) for one in some])
        await connection.execute(
            given.on_conflict_do_update(
                index_elements=["branch_id", "day", "holder"],
                set_={name: given.excluded[name] for name in some[0]},
            )
        )


async def take_out(
    connection: AsyncConnection,
    branch_id: int,
    order_ids: Iterable[str],
    *,
    since: date,
    but_on: date | None = None,
) -> None:
    """Take visits of orders out of the days from one on, but for one of these days."""
    stop = (
        func.jsonb_array_elements(day_routes.c.stops)
        .table_valued(column("value", JSONB), with_ordinality="number")
        .render_derived()
    )
    is_one = func.coalesce(stop.c.value["order_id"].astext.in_(sorted(order_ids)), false())
    rest = select(func.jsonb_agg(aggregate_order_by(stop.c.value, stop.c.number))).where(
        not_(is_one)
    )
    query = update(day_routes).where(
        day_routes.c.branch_id == branch_id,
        day_routes.c.day >= since,
        select(stop.c.number).where(is_one).exists(),
    )
    if but_on is not None:
        query = query.where(day_routes.c.day != but_on)
    await connection.execute(
        query.values(stops=func.coalesce(rest.scalar_subquery(), cast([], JSONB)))
    )


async def clear_routes(
    connection: AsyncConnection, branch_id: int, day: date, centre_ids: Iterable[str]
) -> None:
    """Take away what was planned of centres' day."""
    await connection.execute(
        delete(day_routes).where(
            day_routes.c.branch_id == branch_id,
            day_routes.c.day == day,
            day_routes.c.centre_id.in_(sorted(centre_ids)),
        )
    )


async def put_crew_of_order(
    connection: AsyncConnection, branch_id: int, order: RowMapping, members: Iterable[str]
) -> str:
    """Make several engineers the crew of one order; return the crew's id."""
    known: str | None = await connection.scalar(
        select(crews.c.crew_id).where(
            crews.c.branch_id == branch_id, crews.c.order_id == order["order_id"]
        )
    )
    crew = {
        "branch_id": branch_id,
        "crew_id": known or str(new_id()),
        "centre_id": order["performer_centre_id"],
        "members": sorted(members),
        "skills": [],
        "order_id": order["order_id"],
    }
    await connection.execute(
        insert(crews)
        .values(**crew)
        .on_conflict_do_update(index_elements=["branch_id", "crew_id"], set_=dict(crew))
    )
    return str(crew["crew_id"])
