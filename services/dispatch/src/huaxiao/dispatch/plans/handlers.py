"""Plans: asked for, shown, changed by hand, applied."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.agenda import showing
from huaxiao.dispatch.agenda import store as agenda_store
from huaxiao.dispatch.agenda.days import LoadedDay, Supposed, load
from huaxiao.dispatch.agenda.handlers import NobodyCan, require_to_come
from huaxiao.dispatch.agenda.holders import crew_key
from huaxiao.dispatch.agenda.minutes import midnight
from huaxiao.dispatch.domain.planning.changing import Changed, leave_out, put_to
from huaxiao.dispatch.domain.planning.placing import Placement
from huaxiao.dispatch.domain.planning.replanning import difference
from huaxiao.dispatch.orders import store as order_store
from huaxiao.dispatch.plans import store
from huaxiao.dispatch.plans.documents import (
    changed_of,
    plan_document,
    problem_document,
    travel_source,
)
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.problems import Fault, Malformed, NotFound, Problem
from huaxiao.shared.wire import plans as wire
from huaxiao.shared.wire.plans import PlanKind, PlanState

_DEFAULT_SECONDS = 10
HAS_A_PLAN = {PlanState.DONE, PlanState.STOPPED, PlanState.APPLIED}


class NoPlanYet(Problem):
    """The search is not over, or it failed."""

    code = "no-plan-yet"
    status = HTTPStatus.CONFLICT
    title = "There is no plan here (yet)"
    title_zh = "方案尚未生成或生成失败"


async def ask(
    connection: AsyncConnection,
    branch_id: int,
    given: wire.PlanIn,
    *,
    principal: Principal,
    now: datetime,
) -> wire.Plan:
    """Ask for a plan of a centre's day, from what is known now.

    Raises:
        NotFound: the caller is bound to centres, and this is another.
        Malformed: the day is over, the centre is not there, or somebody or an order is unknown.

    """
    require_to_come(given.day, now)
    principal.require_centre(given.centre_id)
    await _require_centre(connection, branch_id, "/centre_id", given.centre_id)
    supposed = Supposed(
        away=frozenset(given.away),
        longer={one.order_id: one.minutes for one in given.longer},
        keep_promises=given.keep_promises,
    )
    loaded = await load(
        connection, branch_id, given.day, [given.centre_id], now=now, supposed=supposed
    )
    known = {
        *await agenda_store.people_of(connection, branch_id, [given.centre_id]),
        *(
            one["crew_id"]
            for one in await agenda_store.crews_of(connection, branch_id, [given.centre_id])
        ),
    }
    for index, name in enumerate(given.away):
        if name not in known:
            said = (
                f"nobody of {given.centre_id} is {name}",
                f"{given.centre_id} 无此人员或施工队 {name}",
            )
            raise Malformed(faults=[Fault(f"/away/{index}", "unknown-person", *said)])
    for index, one in enumerate(given.longer):
        if one.order_id not in loaded.orders:
            said = f"no open order {one.order_id}", f"没有未完工单 {one.order_id}"
            raise Malformed(faults=[Fault(f"/longer/{index}/order_id", "unknown-order", *said)])
    row = _new(loaded, [given.centre_id], given, principal=principal, now=now)
    await store.add(connection, {"branch_id": branch_id, **row})
    return await show(connection, branch_id, row["plan_id"], principal=principal)


async def _require_centre(
    connection: AsyncConnection, branch_id: int, pointer: str, centre_id: str
) -> None:
    if await order_store.centre_kind(connection, branch_id, centre_id) is None:
        said = f"there is no centre {centre_id}", f"没有中心 {centre_id}"
        raise Malformed(faults=[Fault(pointer, "unknown-centre", *said)])


def _new(
    loaded: LoadedDay,
    centre_ids: Sequence[str],
    given: wire.PlanIn | wire.PlanRoundIn,
    *,
    principal: Principal,
    now: datetime,
) -> dict[str, Any]:
    unlimited = given.seconds is None and given.iterations is None
    return {
        "plan_id": str(new_id()),
        "kind": PlanKind.DAY,
        "day": given.day,
        "centre_ids": list(centre_ids),
        "state": PlanState.QUEUED,
        "seed": given.seed,
        "seconds": _DEFAULT_SECONDS if unlimited else given.seconds,
        "iterations": given.iterations,
        "asked_by": principal.subject,
        "asked_at": now,
        "now": max(now, midnight(given.day)),
        "problem": problem_document(loaded.day.problem),
        "before": plan_document(loaded.day.planned),
        "missing": {
            "orders": [list(one) for one in loaded.day.not_planned],
            "people": [list(one) for one in loaded.day.not_sent],
        },
        "travel_source": travel_source(loaded.day.problem.travel),
    }


async def ask_round(
    connection: AsyncConnection,
    branch_id: int,
    given: wire.PlanRoundIn,
    *,
    principal: Principal,
    now: datetime,
) -> wire.PlanRound:
    """Ask for plans of several centres' day, and one more in which neighbours help out.

    Raises:
        NotFound: the caller is bound to centres, and these are others.
        Malformed: the day is over, a centre is not there, or nobody works that day.

    """
    require_to_come(given.day, now)
    end = midnight(date.fromordinal(given.day.toordinal() + 1))
    centre_ids = given.centre_ids or await agenda_store.working_centres(
        connection, branch_id, midnight(given.day), end
    )
    if not centre_ids:
        said = "nobody works on this day", "该日无人排班"
        raise Malformed(faults=[Fault("/day", "nobody-works", *said)])
    for index, one in enumerate(centre_ids):
        principal.require_centre(one)
        await _require_centre(connection, branch_id, f"/centre_ids/{index}", one)
    centre_ids = sorted(set(centre_ids))
    round_id = str(new_id())
    for one in centre_ids:
        loaded = await load(connection, branch_id, given.day, [one], now=now)
        row = _new(loaded, [one], given, principal=principal, now=now)
        await store.add(connection, {"branch_id": branch_id, "round_id": round_id, **row})
    everybody = await load(connection, branch_id, given.day, centre_ids, now=now)
    row = _new(everybody, centre_ids, given, principal=principal, now=now)
    urgent = [
        name
        for name, order in everybody.orders.items()
        if order["priority"] <= everybody.rules.urgent_priority
    ]
    row["kind"] = PlanKind.NEIGHBOURS
    row["missing"] |= {"urgent": urgent}
    await store.add(connection, {"branch_id": branch_id, "round_id": round_id, **row})
    return await show_round(connection, branch_id, round_id, principal=principal)


async def show_round(
    connection: AsyncConnection, branch_id: int, round_id: str, *, principal: Principal
) -> wire.PlanRound:
    """Return the plans of a round.

    Raises:
        NotFound: there is no such round, or it has plans of others than the caller's centres.

    """
    rows = await store.of_round(connection, branch_id, round_id)
    if not rows:
        raise NotFound
    for row in rows:
        _require_mine(row, principal)
    return wire.PlanRound(
        round_id=round_id,
        plans=[_summary(row) for row in rows if row["kind"] == PlanKind.DAY],
        together=next(_summary(row) for row in rows if row["kind"] == PlanKind.NEIGHBOURS),
    )


def _require_mine(row: RowMapping, principal: Principal) -> None:
    for one in row["centre_ids"]:
        principal.require_centre(one)


def _summary(row: RowMapping) -> wire.PlanSummary:
    return wire.PlanSummary.model_validate(dict(row) | {"progress": _progress(row)})


def _progress(row: RowMapping) -> wire.PlanProgress:
    return wire.PlanProgress(share=row["share"], iterations=row["searched"], cost=row["cost"])


async def load_plan(
    connection: AsyncConnection,
    branch_id: int,
    plan_id: str,
    *,
    principal: Principal,
    lock: bool = False,
) -> RowMapping:
    """Return a plan of the caller's centres.

    Raises:
        NotFound: there is no such plan among them.

    """
    row = await store.load(connection, branch_id, plan_id, lock=lock)
    if row is None:
        raise NotFound
    _require_mine(row, principal)
    return row


def made(row: RowMapping) -> Changed:
    """Return the problem and the plan of a row.

    Raises:
        NoPlanYet: it has none.

    """
    if PlanState(row["state"]) not in HAS_A_PLAN:
        raise NoPlanYet(state=row["state"], failure=row["failure"])
    return changed_of(dict(row))


async def show(
    connection: AsyncConnection, branch_id: int, plan_id: str, *, principal: Principal
) -> wire.Plan:
    """Return a plan, as far as it is."""
    row = await load_plan(connection, branch_id, plan_id, principal=principal)
    day: date = row["day"]
    routes: list[wire.PlanRoute] = []
    left_out: list[wire.PlanLeftOut] = []
    cost = None
    if PlanState(row["state"]) in HAS_A_PLAN:
        found = changed_of(dict(row))
        routes = [showing.route(found.problem, one, day) for one in found.plan.routes]
        left_out = [showing.left_out(one) for one in found.plan.left_out]
        cost = showing.cost(found.plan.cost)
    return wire.Plan(
        **_summary(row).model_dump(),
        now=row["now"],
        travel_source=row["travel_source"],
        orders=len(row["problem"]["orders"]),
        cost=cost,
        routes=routes,
        left_out=left_out,
        orders_not_planned=[showing.missing(*one) for one in row["missing"]["orders"]],
        people_not_sent=[showing.missing(*one) for one in row["missing"]["people"]],
    )


async def listed(
    connection: AsyncConnection,
    branch_id: int,
    *,
    principal: Principal,
    day: date | None,
    centre_id: str | None,
    after: str,
    limit: int,
) -> list[wire.PlanSummary]:
    """Return plans without their routes."""
    rows = await store.page(
        connection,
        branch_id,
        principal,
        day=day,
        centre_id=centre_id,
        after=after,
        limit=limit,
    )
    return [_summary(row) for row in rows]


async def stop(
    connection: AsyncConnection,
    branch_id: int,
    plan_id: str,
    *,
    principal: Principal,
    now: datetime,
) -> wire.Plan:
    """Let a search end with the best plan so far; one that has not begun does not begin.

    What is over stays as it is.
    """
    row = await load_plan(connection, branch_id, plan_id, principal=principal, lock=True)
    state = PlanState(row["state"])
    if state is PlanState.QUEUED:
        changes: Mapping[str, Any] = {
            "state": PlanState.FAILED,
            "failure": "stopped before it began",
            "finished_at": now,
        }
        await store.save(connection, branch_id, plan_id, changes)
    elif state is PlanState.RUNNING:
        await store.save(connection, branch_id, plan_id, {"stop_asked": True})
    return await show(connection, branch_id, plan_id, principal=principal)


async def override(
    connection: AsyncConnection,
    branch_id: int,
    plan_id: str,
    given: wire.OverrideIn,
    *,
    principal: Principal,
    now: datetime,
) -> wire.Override:
    """Put an order of a plan to somebody, or to nobody, and say what that costs.

    It makes a plan of its own, of which the order is pinned; the first stays as it is.

    Raises:
        NotFound: there is no such plan among the caller's.
        NoPlanYet: the search is not over, or failed.
        Malformed: the order is none of the plan's, has begun, or takes several people; or the
            engineer is none of the plan's.
        NobodyCan: it does not fit into the day of whom it was to go to.

    """
    row = await load_plan(connection, branch_id, plan_id, principal=principal)
    before = made(row)
    changed = _changed(before, given)
    cost_before, cost_after = before.plan.cost, changed.plan.cost
    made_id = None
    if not given.preview:
        made_id = str(new_id())
        await store.add(
            connection,
            {
                **{name: row[name] for name in _INHERITED},
                "plan_id": made_id,
                "based_on": plan_id,
                "kind": PlanKind.OVERRIDE,
                "state": PlanState.DONE,
                "asked_by": principal.subject,
                "asked_at": now,
                "finished_at": now,
                "problem": problem_document(changed.problem),
                "result": plan_document(changed.plan),
                "share": 1.0,
                "cost": cost_after.total,
            },
        )
    return wire.Override(
        plan_id=made_id,
        cost_before=showing.cost(cost_before),
        cost_after=showing.cost(cost_after),
        dearer_by=cost_after.total - cost_before.total,
        changes=[showing.change(one) for one in difference(before.plan, changed.plan)],
    )


_INHERITED = (
    "branch_id",
    "day",
    "centre_ids",
    "seed",
    "seconds",
    "iterations",
    "now",
    "before",
    "missing",
    "travel_source",
)


def _changed(before: Changed, given: wire.OverrideIn) -> Changed:
    order = before.problem.order.get(given.order_id)
    if order is None or order.started is not None or order.crew > 1:
        said = (
            "no order of this plan that one engineer or crew could still be given",
            "不是本方案中可改派的工单",
        )
        raise Malformed(faults=[Fault("/order_id", "not-to-be-moved", *said)])
    holder = given.engineer_id if given.crew_id is None else crew_key(given.crew_id)
    if holder is None:
        return leave_out(before.problem, before.plan, given.order_id)
    if holder not in before.problem.engineer:
        said = "nobody of this plan", "不在本方案人员之内"
        pointer = "/crew_id" if given.crew_id else "/engineer_id"
        raise Malformed(faults=[Fault(pointer, "unknown-person", *said)])
    found = put_to(before.problem, before.plan, given.order_id, holder)
    if isinstance(found, Placement):
        obstacles = [
            showing.obstacle(one).model_dump(mode="json")
            for one in found.obstacles
            if one.engineer_id == holder
        ]
        raise NobodyCan(order_id=given.order_id, obstacles=obstacles)
    return found
