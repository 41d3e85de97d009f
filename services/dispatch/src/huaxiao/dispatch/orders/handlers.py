"""Orders: load, decide, record."""

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.dispatching import NO_ENGINEER, choose_engineer, performing_centre
from huaxiao.dispatch.domain.order_states import OrderProgress, Step, StepNotAllowed, take
from huaxiao.dispatch.domain.service_level import due_at
from huaxiao.dispatch.orders import store
from huaxiao.dispatch.tables import feed
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import period_of
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.attribution import WorkRequestedFact
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.dispatch import (
    ORDER_FINISHED,
    CustomerClass,
    OrderFinished,
    OrderKind,
    OrderState,
    OrderStepIn,
    OrderWithSteps,
    StepName,
)

_CLASSES = {"small_bizz": "small_business", "small_biz": "small_business"}
_NO_CENTRE = "no-centre"


def render(row: RowMapping) -> dict[str, Any]:
    """Return an order's fields as the wire has them."""
    progress = _progress(row)
    return dict(row) | {"on_time": progress.on_time}


def _progress(row: RowMapping) -> OrderProgress:
    return OrderProgress(
        state=OrderState(row["state"]),
        engineer_id=row["engineer_id"],
        dispatched_at=row["dispatched_at"],
        due_at=row["due_at"],
        last_step_at=row["last_step_at"],
        suspended_at=row["suspended_at"],
        finished_at=row["finished_at"],
        rejections=row["rejections"],
        flags=tuple(row["flags"]),
    )


async def create(
    connection: AsyncConnection, branch_id: int, asked: WorkRequestedFact, *, seen_at: datetime
) -> None:
    """Make an order of requested work and give it to an engineer; known ids change nothing.

    A kind or class nobody knows is kept and flagged: requested work is never dropped.
    """
    flags = []
    try:
        kind = OrderKind(asked.kind)
    except ValueError:
        kind = OrderKind.CHECK
        flags.append("unknown_kind")
    try:
        customer_class = CustomerClass(_CLASSES.get(asked.customer_class, asked.customer_class))
    except ValueError:
        customer_class = CustomerClass.PUBLIC
        flags.append("unknown_customer_class")
    requester = None
    if customer_class is not CustomerClass.PUBLIC:
        requester = await store.first_centre(connection, branch_id, CentreKind.ENTERPRISE)
    performer = performing_centre(
        asked.standard_address,
        await store.covering(
            connection, branch_id, asked.standard_address, period_of(asked.requested_at)
        ),
        build_maintain_id=await store.first_centre(
            connection, branch_id, CentreKind.BUILD_MAINTAIN
        ),
    )
    engineer, rural, reason = None, False, _NO_CENTRE
    if performer is not None:
        rural = await store.centre_kind(connection, branch_id, performer) == CentreKind.TOWNSHIP
        engineer = choose_engineer(kind, await store.engineers(connection, branch_id, performer))
        reason = NO_ENGINEER
    at = min(asked.requested_at, seen_at)
    state = OrderState.NEW if engineer is None else OrderState.DISPATCHED
    given = None if engineer is None else at
    due = given and due_at(kind, customer_class, rural=rural, dispatched_at=given)
    added = await store.add(
        connection,
        {
            "branch_id": branch_id,
            "order_id": asked.order_id,
            "kind": kind,
            "customer_class": customer_class,
            "customer_id": asked.customer_id,
            "subscription_id": asked.subscription_id,
            "standard_address": asked.standard_address,
            "requester_centre_id": requester,
            "performer_centre_id": performer,
            "rural": rural,
            "engineer_id": engineer,
            "state": state,
            "reason": reason if engineer is None else None,
            "requested_at": asked.requested_at,
            "dispatched_at": given,
            "due_at": due,
            "last_step_at": at,
            "steps": 1,
            "rejections": 0,
            "flags": flags,
            "evidence": {},
        },
    )
    if added:
        await store.record_step(
            connection,
            {
                "branch_id": branch_id,
                "order_id": asked.order_id,
                "number": 1,
                "step": "dispatch" if engineer else "receive",
                "state": state,
                "at": at,
                "by": "service:dispatch",
                "engineer_id": engineer,
                "reason": reason if engineer is None else None,
                "evidence": {},
            },
        )


async def step(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    given: OrderStepIn,
    *,
    principal: Principal,
    now: datetime,
) -> OrderWithSteps:
    """Take a step of an order and record it."""
    row = await store.load(connection, branch_id, order_id, lock=True)
    is_engineer = principal.roles == {Role.ENGINEER}
    if row is None or not (
        is_engineer or await store.is_visible(connection, branch_id, order_id, principal)
    ):
        raise NotFound
    _check_side(row, given.step, principal)
    acting = given.engineer_id
    if given.step is not StepName.REASSIGN:
        acting = principal.person_id if is_engineer else given.engineer_id or row["engineer_id"]
    elif acting is not None:
        await _check_new_engineer(connection, branch_id, row, acting)
    wanted = Step(
        given.step, given.at or now, acting, given.reason, given.cause, given.evidence.onu_online
    )
    after = take(_progress(row), wanted, now=now)
    dispatched, due = after.dispatched_at, after.due_at
    if dispatched is None and after.state is OrderState.DISPATCHED:
        dispatched = wanted.at
        due = due_at(
            OrderKind(row["kind"]),
            CustomerClass(row["customer_class"]),
            rural=row["rural"],
            dispatched_at=dispatched,
        )
    evidence = given.evidence.model_dump(mode="json", exclude_none=True)
    number = row["steps"] + 1
    await store.save(
        connection,
        branch_id,
        order_id,
        {
            "state": after.state,
            "engineer_id": after.engineer_id,
            "dispatched_at": dispatched,
            "due_at": due,
            "suspended_at": after.suspended_at,
            "finished_at": after.finished_at,
            "last_step_at": after.last_step_at,
            "rejections": after.rejections,
            "flags": list(after.flags),
            "reason": given.reason,
            "steps": number,
            "evidence": row["evidence"] | evidence,
        },
    )
    await store.record_step(
        connection,
        {
            "branch_id": branch_id,
            "order_id": order_id,
            "number": number,
            "step": given.step,
            "state": after.state,
            "at": wanted.at,
            "by": principal.subject,
            "engineer_id": after.engineer_id,
            "reason": given.reason,
            "cause": given.cause if given.step is StepName.SUSPEND else None,
            "evidence": evidence,
        },
    )
    if given.step is StepName.FINISH:
        fact = OrderFinished(
            order_id=order_id,
            kind=row["kind"],
            centre_id=row["performer_centre_id"],
            engineer_id=after.engineer_id or "",
            period=period_of(wanted.at),
            on_time=after.on_time,
        )
        await feed.append(connection, branch_id, [NewFact(ORDER_FINISHED, order_id, fact)], now=now)
    return await show(connection, branch_id, order_id)


def _check_side(row: RowMapping, name: StepName, principal: Principal) -> None:
    """Keep a contractor to its side: the requester confirms, the performer works."""
    if principal.centre_ids is None or principal.roles == {Role.ENGINEER}:
        return
    performer, requester = row["performer_centre_id"], row["requester_centre_id"]
    if name is StepName.CONFIRM:
        principal.require_centre(requester or performer)
    elif name is not StepName.CANCEL:
        principal.require_centre(performer)


async def _check_new_engineer(
    connection: AsyncConnection, branch_id: int, row: RowMapping, engineer_id: str
) -> None:
    there = await store.engineers(connection, branch_id, row["performer_centre_id"] or "")
    if choose_engineer(row["kind"], [one for one in there if one.person_id == engineer_id]) is None:
        raise StepNotAllowed("That person cannot do this work for this centre.")


async def show(connection: AsyncConnection, branch_id: int, order_id: str) -> OrderWithSteps:
    """Return an order with its steps."""
    row = await store.load(connection, branch_id, order_id)
    if row is None:
        raise NotFound
    history = await store.steps(connection, branch_id, order_id)
    return OrderWithSteps.model_validate(render(row) | {"steps": [dict(one) for one in history]})
