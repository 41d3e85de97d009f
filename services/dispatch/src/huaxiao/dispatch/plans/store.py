"""SQL of plans and of the work on them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, and_, exists, func, literal, not_, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import order_steps, orders, plans
from huaxiao.shared.auth import Principal
from huaxiao.shared.queues import take_first
from huaxiao.shared.wire.dispatch import WORK_ENDED, StepName
from huaxiao.shared.wire.plans import PlanKind, PlanState

_UNFINISHED = [PlanState.QUEUED, PlanState.RUNNING]
_LEASE = text("now() + interval '30 seconds'")
MOST_ATTEMPTS = 3
_SHORT = [one for one in plans.c if one.name not in {"problem", "before", "result", "missing"}]


async def add(connection: AsyncConnection, plan: Mapping[str, Any]) -> None:
    """Store a plan that is asked for."""
    await connection.execute(insert(plans).values(**plan))


async def load(
    connection: AsyncConnection, branch_id: int, plan_id: str, *, lock: bool = False
) -> RowMapping | None:
    """Return a plan, locked for this transaction if asked."""
    query = select(plans).where(plans.c.branch_id == branch_id, plans.c.plan_id == plan_id)
    rows = await connection.execute(query.with_for_update() if lock else query)
    return rows.mappings().one_or_none()


async def save(
    connection: AsyncConnection, branch_id: int, plan_id: str, changes: Mapping[str, Any]
) -> None:
    """Update a plan."""
    await connection.execute(
        update(plans)
        .where(plans.c.branch_id == branch_id, plans.c.plan_id == plan_id)
        .values(**changes)
    )


async def of_round(
    connection: AsyncConnection, branch_id: int, round_id: str, *, with_routes: bool = False
) -> Sequence[RowMapping]:
    """Return the plans of a round, by id; without their routes, unless these are asked for."""
    columns = [*_SHORT, *([plans.c.before, plans.c.result] if with_routes else [])]
    rows = await connection.execute(
        select(*columns)
        .where(plans.c.branch_id == branch_id, plans.c.round_id == round_id)
        .order_by(plans.c.plan_id)
    )
    return rows.mappings().all()


async def page(
    connection: AsyncConnection,
    branch_id: int,
    principal: Principal,
    *,
    day: date | None,
    centre_id: str | None,
    after: str,
    limit: int,
) -> Sequence[RowMapping]:
    """Return plans behind an id, without their routes: a contractor those of its centre alone."""
    query = select(*_SHORT).where(plans.c.branch_id == branch_id, plans.c.plan_id > after)
    if principal.centre_ids is not None:
        query = query.where(plans.c.centre_ids.contained_by(sorted(principal.centre_ids)))
    if day is not None:
        query = query.where(plans.c.day == day)
    if centre_id is not None:
        query = query.where(plans.c.centre_ids.contains([centre_id]))
    rows = await connection.execute(query.order_by(plans.c.plan_id).limit(limit))
    return rows.mappings().all()


def reason_of(plan_id: str) -> str:
    """Return why an order is given to somebody by a plan, as its step says it."""
    return f"{_PLAN}{plan_id}"


_PLAN = "plan "


async def hold_orders(
    connection: AsyncConnection, branch_id: int, order_ids: Iterable[str]
) -> None:
    """Lock orders for this transaction, always in the same order."""
    await connection.execute(
        select(orders.c.order_id)
        .where(orders.c.branch_id == branch_id, orders.c.order_id.in_(sorted(order_ids)))
        .order_by(orders.c.order_id)
        .with_for_update()
    )


async def ended(
    connection: AsyncConnection, branch_id: int, order_ids: Iterable[str]
) -> frozenset[str]:
    """Return which of some orders are over."""
    found = await connection.scalars(
        select(orders.c.order_id).where(
            orders.c.branch_id == branch_id,
            orders.c.order_id.in_(sorted(order_ids)),
            orders.c.state.in_(WORK_ENDED),
        )
    )
    return frozenset(found)


async def given_by_hand(
    connection: AsyncConnection, branch_id: int, order_ids: Iterable[str], *, since: datetime
) -> frozenset[str]:
    """Return which of some orders were given to somebody after a moment, and not by a plan."""
    by_plan = exists().where(
        plans.c.branch_id == branch_id, order_steps.c.reason == literal(_PLAN) + plans.c.plan_id
    )
    found = await connection.scalars(
        select(order_steps.c.order_id).where(
            order_steps.c.branch_id == branch_id,
            order_steps.c.order_id.in_(sorted(order_ids)),
            order_steps.c.step == StepName.REASSIGN,
            order_steps.c.recorded_at > since,
            not_(by_plan),
        )
    )
    return frozenset(found)


async def claim(connection: AsyncConnection) -> RowMapping | None:
    """Take the plan that waits longest, of whichever branch; or one whose process is gone.

    The neighbours' plan of a round waits for those of all its centres. Nobody else takes what is
    taken here before the lease is over, which whoever works on it keeps renewing.
    """
    other = plans.alias("other")
    waits = (
        select(other.c.plan_id)
        .where(
            other.c.branch_id == plans.c.branch_id,
            other.c.round_id == plans.c.round_id,
            other.c.kind == PlanKind.DAY,
            other.c.state.in_(_UNFINISHED),
        )
        .exists()
    )
    free = or_(
        plans.c.state == PlanState.QUEUED,
        and_(plans.c.state == PlanState.RUNNING, plans.c.lease_until < func.now()),
    )
    ready = or_(plans.c.kind != PlanKind.NEIGHBOURS, ~waits)
    waiting = select(plans).where(free, ready).order_by(plans.c.asked_at, plans.c.plan_id)
    found = await take_first(connection, plans, waiting)
    if found is None:
        return None
    await save(
        connection,
        found["branch_id"],
        found["plan_id"],
        {
            "state": PlanState.RUNNING,
            "attempts": plans.c.attempts + 1,
            "started_at": func.coalesce(plans.c.started_at, func.now()),
            "lease_until": _LEASE,
        },
    )
    return await load(connection, found["branch_id"], found["plan_id"])


async def renew(
    connection: AsyncConnection, branch_id: int, plan_id: str, progress: Mapping[str, Any]
) -> bool:
    """Say how far a plan is and keep it; return whether somebody wants it stopped."""
    asked = await connection.scalar(
        update(plans)
        .where(
            plans.c.branch_id == branch_id,
            plans.c.plan_id == plan_id,
            plans.c.state == PlanState.RUNNING,
        )
        .values(lease_until=_LEASE, **progress)
        .returning(plans.c.stop_asked)
    )
    return bool(asked)


async def finish(
    connection: AsyncConnection, branch_id: int, plan_id: str, changes: Mapping[str, Any]
) -> None:
    """Record how the work on a plan ended, unless somebody else was faster."""
    await connection.execute(
        update(plans)
        .where(
            plans.c.branch_id == branch_id,
            plans.c.plan_id == plan_id,
            plans.c.state == PlanState.RUNNING,
        )
        .values(finished_at=func.now(), lease_until=None, **changes)
    )
