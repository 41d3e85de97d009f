"""Apply a plan: first what it would change of the day as it stands, then do it."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.agenda import showing
from huaxiao.dispatch.agenda import store as agenda_store
from huaxiao.dispatch.agenda.arriving import route_rows
from huaxiao.dispatch.agenda.days import LoadedDay, load
from huaxiao.dispatch.agenda.giving import give_to
from huaxiao.dispatch.agenda.handlers import require_to_come
from huaxiao.dispatch.domain.planning.changing import Changed, without
from huaxiao.dispatch.domain.planning.replanning import difference
from huaxiao.dispatch.orders import store as order_store
from huaxiao.dispatch.plans import store
from huaxiao.dispatch.plans.handlers import load_plan, made
from huaxiao.dispatch.tables import feed
from huaxiao.shared.auth import Principal
from huaxiao.shared.feed import NewFact
from huaxiao.shared.problems import Problem
from huaxiao.shared.wire import plans as wire
from huaxiao.shared.wire.dispatch import OrderState
from huaxiao.shared.wire.plans import PLAN_APPLIED, PlanState

_ENDED = {OrderState.DONE, OrderState.CONFIRMED, OrderState.CANCELLED}


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
    return wire.PlanDifference(
        plan_id=plan_id,
        changes=[showing.change(one) for one in difference(loaded.day.planned, found.plan)],
        outdated=[
            showing.missing(name, reason)
            for name, reason in sorted(_outdated(found, loaded).items())
        ],
        cost_now=showing.cost(loaded.day.planned.cost),
        cost_then=showing.cost(found.plan.cost),
    )


def _outdated(found: Changed, loaded: LoadedDay) -> dict[str, str]:
    """Return which orders have gone on otherwise than a plan has them, and how."""
    reasons = {}
    for name, visits in found.plan.visits.items():
        order = found.problem.order[name]
        if order.started is not None:
            continue
        row = loaded.orders.get(name)
        reason = _gone_on(row, loaded, frozenset(who for who, _ in visits), name, order.centre)
        if reason is not None:
            reasons[name] = reason
    for name in loaded.day.planned.visits:
        if name not in found.problem.order:
            reasons[name] = "arrived_since"
    return reasons


def _gone_on(
    row: RowMapping | None,
    loaded: LoadedDay,
    planned: frozenset[str],
    name: str,
    centre_id: str | None,
) -> str | None:
    if row is None:
        return "another_centre"
    state = OrderState(row["state"])
    if state in _ENDED:
        return "ended"
    if state is OrderState.SUSPENDED:
        return "suspended_since"
    if row["performer_centre_id"] != centre_id:
        return "another_centre"
    now = loaded.day.problem.order.get(name)
    if now is not None and now.started is not None and set(now.started.engineers) != planned:
        return "begun_otherwise"
    return None


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
    loaded = await load(connection, branch_id, row["day"], row["centre_ids"], now=now)
    outdated = _outdated(found, loaded)
    left = [showing.missing(name, reason) for name, reason in sorted(outdated.items())]
    if left and not given.leave_outdated:
        raise PlanOutdated(outdated=[one.model_dump(mode="json") for one in left])
    plan = found.plan
    for name in sorted(outdated):
        plan = without(found.problem, plan, name) if name in plan.visits else plan
    given_out = []
    for name, visits in sorted(plan.visits.items()):
        if found.problem.order[name].started is not None:
            continue
        holders = [who for who, _ in visits]
        changed = await give_to(
            connection,
            branch_id,
            loaded.orders[name],
            holders,
            reason=f"plan {plan_id}",
            principal=principal,
            now=now,
            centre_id=found.problem.engineer[holders[0]].centre,
        )
        given_out += [name] if changed else []
    await _keep(connection, branch_id, row, Changed(found.problem, plan), now)
    changes = {"state": PlanState.APPLIED, "applied_by": principal.subject, "applied_at": now}
    await store.save(connection, branch_id, plan_id, changes)
    return wire.AppliedPlan(plan_id=plan_id, given_out=given_out, left_as_they_are=left)


async def _keep(
    connection: AsyncConnection,
    branch_id: int,
    row: RowMapping,
    applied: Changed,
    now: datetime,
) -> None:
    """Make a plan's days the centres' days, and tell whoever follows."""
    centre_of: Mapping[str, str] = {one.id: one.centre or "" for one in applied.problem.engineers}
    await agenda_store.clear_routes(connection, branch_id, row["day"], row["centre_ids"])
    await agenda_store.put_routes(
        connection,
        route_rows(
            branch_id,
            row["day"],
            applied.plan,
            centre_of=centre_of,
            holders=centre_of,
            plan_id_of=dict.fromkeys(centre_of, row["plan_id"]),
            changed_at=now,
        ),
    )
    fact = wire.PlanApplied(
        plan_id=row["plan_id"],
        day=row["day"],
        centre_ids=row["centre_ids"],
        visits=list(showing.visits(applied.plan, row["day"])),
    )
    await feed.append(connection, branch_id, [NewFact(PLAN_APPLIED, row["plan_id"], fact)], now=now)
