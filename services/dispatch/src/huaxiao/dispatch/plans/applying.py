"""Apply a plan: first what it would change of the day as it stands, then do it."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.agenda import showing
from huaxiao.dispatch.agenda import store as agenda_store
from huaxiao.dispatch.agenda.arriving import route_row
from huaxiao.dispatch.agenda.days import LoadedDay, load
from huaxiao.dispatch.agenda.giving import give_all
from huaxiao.dispatch.agenda.handlers import require_to_come
from huaxiao.dispatch.domain.planning.changing import Changed, without
from huaxiao.dispatch.domain.planning.model import Stop
from huaxiao.dispatch.domain.planning.replanning import ChangeKind, difference
from huaxiao.dispatch.orders import store as order_store
from huaxiao.dispatch.plans import store
from huaxiao.dispatch.plans.handlers import load_plan, made
from huaxiao.dispatch.plans.outdating import Visits, outdated_orders
from huaxiao.dispatch.tables import feed
from huaxiao.shared.auth import Principal
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Problem
from huaxiao.shared.wire import plans as wire
from huaxiao.shared.wire.plans import PLAN_APPLIED, PlanState


class PlanOutdated(Problem):
    """Orders have gone on meanwhile otherwise than the plan has them; they are named."""

    code = "plan-outdated"
    status = HTTPStatus.CONFLICT
    title = "Orders have gone on meanwhile otherwise than this plan has them"
    title_zh = "方案生成后工单已有变化"


async def show_difference(
    connection: AsyncConnection,
    branch_id: int,
    plan_id: str,
    *,
    principal: Principal,
    now: datetime,
) -> wire.PlanDifference:
    """Return what applying a plan would change of the day as it stands.

    Raises:
        NotFound: there is no such plan among the caller's.
        NoPlanYet: the search is not over, or failed.

    """
    row = await load_plan(connection, branch_id, plan_id, principal=principal)
    found = made(row)
    loaded = await load(connection, branch_id, row["day"], row["centre_ids"], now=now)
    outdated = await outdated_orders(connection, row, found, loaded)
    return wire.PlanDifference(
        plan_id=plan_id,
        changes=[
            showing.change(one)
            for one in difference(loaded.day.planned, found.plan)
            # What nobody does now and nobody would do then is no change.
            if one.kind is not ChangeKind.LEFT_OUT or one.order_id not in loaded.day.problem.order
        ],
        outdated=[showing.missing(name, reason) for name, reason in sorted(outdated.items())],
        cost_now=showing.cost(loaded.day.planned.cost),
        cost_then=showing.cost(found.plan.cost),
    )


async def apply(
    connection: AsyncConnection,
    branch_id: int,
    plan_id: str,
    given: wire.ApplyIn,
    *,
    principal: Principal,
    now: datetime,
) -> wire.AppliedPlan:
    """Give every order of a plan to whom it is planned for, and make its days the centres' days.

    Applied again, it does what is left to do of it.

    Raises:
        NotFound: there is no such plan among the caller's.
        Malformed: the day is over.
        NoPlanYet: the search is not over, or failed.
        PlanOutdated: orders have gone on meanwhile, and are not to be left as they are.

    """
    await order_store.place_alone(connection, branch_id)
    row = await load_plan(connection, branch_id, plan_id, principal=principal, lock=True)
    require_to_come(row["day"], now)
    found = made(row)
    # Before anything is told to others: whoever takes a step holds its order first, too.
    await store.hold_orders(connection, branch_id, found.problem.order)
    loaded = await load(connection, branch_id, row["day"], row["centre_ids"], now=now)
    outdated = await outdated_orders(connection, row, found, loaded)
    left = [showing.missing(name, reason) for name, reason in sorted(outdated.items())]
    if left and not given.leave_outdated:
        raise PlanOutdated(outdated=[one.model_dump(mode="json") for one in left])
    plan = found.plan
    for name in sorted(outdated):
        if name in plan.visits:
            plan = without(found.problem, plan, name, reasons=False)
    given_out = await give_all(
        connection,
        branch_id,
        {
            name: [who for who, _ in visits]
            for name, visits in plan.visits.items()
            if found.problem.order[name].started is None and not _is_begun(loaded, name)
        },
        loaded,
        reason=store.reason_of(plan_id),
        principal=principal,
        now=now,
    )
    await agenda_store.take_out(
        connection, branch_id, plan.visits, since=business_day(now), but_on=row["day"]
    )
    # What is left as it is stays in the day as it stands, and so does what has begun meanwhile.
    stays = {
        name: visits
        for name, visits in loaded.day.planned.visits.items()
        if name not in plan.visits and (name in outdated or _is_begun(loaded, name))
    }
    await _keep(connection, row, Changed(found.problem, plan), loaded, stays, now)
    changes = {"state": PlanState.APPLIED, "applied_by": principal.subject, "applied_at": now}
    await store.save(connection, branch_id, plan_id, changes)
    return wire.AppliedPlan(plan_id=plan_id, given_out=given_out, left_as_they_are=left)


def _is_begun(loaded: LoadedDay, name: str) -> bool:
    order = loaded.day.problem.order.get(name)
    return order is not None and order.started is not None


async def _keep(
    connection: AsyncConnection,
    row: RowMapping,
    applied: Changed,
    loaded: LoadedDay,
    stays: Mapping[str, Visits],
    now: datetime,
) -> None:
    """Make a plan's days the centres' days, and tell whoever follows."""
    branch_id, day, plan_id = row["branch_id"], row["day"], row["plan_id"]
    everybody = (*loaded.day.problem.engineers, *applied.problem.engineers)
    centre_of = {one.id: one.centre or "" for one in everybody}
    planned: dict[str, list[Stop]] = {
        one.engineer_id: list(one.stops) for one in applied.plan.routes
    }
    for visits in stays.values():
        for who, stop in visits:
            planned.setdefault(who, []).append(stop)
    rows = [
        route_row(branch_id, day, who, stops, centre_of[who], plan_id=plan_id, changed_at=now)
        for who, stops in sorted(planned.items())
    ]
    await agenda_store.clear_routes(connection, branch_id, day, row["centre_ids"])
    await agenda_store.put_routes(connection, rows)
    visits_told = showing.visits({**applied.plan.visits, **stays}, day)
    fact = wire.PlanApplied(
        plan_id=plan_id, day=day, centre_ids=row["centre_ids"], visits=list(visits_told)
    )
    await feed.append(connection, branch_id, [NewFact(PLAN_APPLIED, plan_id, fact)], now=now)
