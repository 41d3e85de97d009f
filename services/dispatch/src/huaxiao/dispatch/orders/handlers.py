"""Orders: load, decide, record."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appointments.store import release_of_order
from huaxiao.dispatch.clocks import handlers as clocks
from huaxiao.dispatch.domain.dispatching import NO_ENGINEER, choose_engineer, performing_centre
from huaxiao.dispatch.domain.level_table import Work
from huaxiao.dispatch.domain.order_states import OrderProgress, Step, StepNotAllowed, take
from huaxiao.dispatch.earnings.handlers import record_workers
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
from huaxiao.shared.wire.service_levels import AssetKind, Line

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
    await store.place_alone(connection, branch_id)
    flags = []
    try:
        kind = OrderKind(asked.kind)
    except ValueError:
        kind = OrderKind.CHECK
        flags.append("unknown_kind")
    try:
        customer_class = CustomerClass(asked.customer_class)
    except ValueError:
        customer_class = CustomerClass.PUBLIC
        flags.append("unknown_customer_class")
    try:
        line = Line(f"circuit_{asked.circuit_grade}" if asked.circuit_grade else Line.ORDINARY)
    except ValueError:
        line = Line.CIRCUIT_STANDARD
        flags.append("unknown_circuit_grade")
    place = await _place(
        connection,
        branch_id,
        kind,
        customer_class,
        address=asked.standard_address,
        requested_at=asked.requested_at,
    )
    at = min(asked.requested_at, seen_at)
    begun = await _clock(
        connection, branch_id, Work(kind, customer_class, line, asked.build_needed), place, at
    )
    added = await store.add(
        connection,
        {
            "branch_id": branch_id,
            "order_id": asked.order_id,
            "kind": kind,
            "customer_class": customer_class,
            "customer_id": asked.customer_id,
            "subscription_id": asked.subscription_id,
            "line": line,
            "build_needed": asked.build_needed,
            "standard_address": asked.standard_address,
            "requested_at": asked.requested_at,
            "last_step_at": at,
            "steps": 1,
            "rejections": 0,
            "flags": flags,
            "evidence": {},
        }
        | place.given_out(at, begun),
    )
    if added:
        await clocks.begin(connection, branch_id, asked.order_id, begun)
        await _record_dispatch(connection, branch_id, asked.order_id, place, number=1, at=at)


async def create_patrol(
    connection: AsyncConnection,
    asset: RowMapping,
    order_id: str,
    begun: clocks.Begun,
    *,
    now: datetime,
) -> None:
    """Make the order of an asset's round and give it to an engineer of the asset's centre (R17).

    Its clock runs from the round's first day, whenever the order was made and given out.
    """
    branch_id = asset["branch_id"]
    await store.place_alone(connection, branch_id)
    # The circuits of listed customers are patrolled for the enterprise centre, which rates it.
    is_circuit = asset["kind"] == AssetKind.CIRCUIT
    customer_class = CustomerClass.KEY if is_circuit else CustomerClass.PUBLIC
    requested_at = begun.clock.started_at
    place = await _place(
        connection,
        branch_id,
        OrderKind.PATROL,
        customer_class,
        address=asset["standard_address"],
        requested_at=requested_at,
        owner=asset["centre_id"],
    )
    order = {
        "branch_id": branch_id,
        "order_id": order_id,
        "kind": OrderKind.PATROL,
        "customer_class": customer_class,
        "customer_id": asset["customer_id"] or asset["asset_id"],
        "asset_id": asset["asset_id"],
        "standard_address": asset["standard_address"],
        "requested_at": requested_at,
        "last_step_at": now,
        "steps": 1,
        "rejections": 0,
        "flags": [],
        "evidence": {},
    }
    await store.add(connection, order | place.given_out(now, begun))
    await clocks.begin(connection, branch_id, order_id, begun)
    await _record_dispatch(connection, branch_id, order_id, place, number=1, at=now)


async def dispatch_again(connection: AsyncConnection, branch_id: int) -> None:
    """Give out again what nobody has accepted, now that more is known of the county.

    Feeds keep their own order only: work may be asked for before its field or engineer is known.
    The clock goes on from when the order came in; the customer did not ask us to wait.
    """
    await store.place_alone(connection, branch_id)
    for row in await store.unaccepted(connection, branch_id):
        kind, customer_class = OrderKind(row["kind"]), CustomerClass(row["customer_class"])
        place = await _place(
            connection,
            branch_id,
            kind,
            customer_class,
            address=row["standard_address"],
            requested_at=row["requested_at"],
            owner=row["owner_centre_id"],
        )
        known = (row["performer_centre_id"], row["requester_centre_id"], row["reason"])
        settled = row["engineer_id"] is not None and place.performer == known[0]
        if settled or (place.performer, place.requester, place.reason) == known:
            continue
        at, number = row["last_step_at"], row["steps"] + 1
        begun = await _clock(connection, branch_id, clocks.work_of(row), place, at)
        changes = place.given_out(at, begun) | {"steps": number}
        if row["asset_id"] is not None:
            # A round is due when its cycle ends, whoever does it.
            changes["due_at"] = row["due_at"]
        await store.save(connection, branch_id, row["order_id"], changes)
        await clocks.begin(connection, branch_id, row["order_id"], begun)
        await _record_dispatch(connection, branch_id, row["order_id"], place, number=number, at=at)


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose work it is, and for whom."""

    performer: str | None
    requester: str | None
    rural: bool
    engineer: str | None

    @property
    def reason(self) -> str | None:
        """Why nobody has it yet."""
        if self.engineer is not None:
            return None
        return _NO_CENTRE if self.performer is None else NO_ENGINEER

    @property
    def state(self) -> OrderState:
        return OrderState.NEW if self.engineer is None else OrderState.DISPATCHED

    def given_out(self, at: datetime, begun: clocks.Begun | None) -> dict[str, Any]:
        """Return what an order that is given out here has in its row."""
        return {
            "requester_centre_id": self.requester,
            "performer_centre_id": self.performer,
            "rural": self.rural,
            "engineer_id": self.engineer,
            "state": self.state,
            "reason": self.reason,
            "dispatched_at": None if self.engineer is None else at,
            "due_at": begun and begun.due_at,
        }


async def _clock(
    connection: AsyncConnection, branch_id: int, work: Work, place: _Place, at: datetime
) -> clocks.Begun | None:
    """Return the clock of work that is given out, or None of work that waits for somebody."""
    if place.engineer is None:
        return None
    return await clocks.judge(connection, branch_id, work, rural=place.rural, at=at)


async def _place(
    connection: AsyncConnection,
    branch_id: int,
    kind: OrderKind,
    customer_class: CustomerClass,
    *,
    address: str,
    requested_at: datetime,
    owner: str | None = None,
) -> _Place:
    """Find the centre where the address lies, or that owns the asset, and its engineer (R25)."""
    requester = None
    if customer_class is not CustomerClass.PUBLIC:
        requester = await store.first_centre(connection, branch_id, CentreKind.ENTERPRISE)
    performer = owner or performing_centre(
        address,
        await store.covering(connection, branch_id, address, period_of(requested_at)),
        build_maintain_id=await store.first_centre(
            connection, branch_id, CentreKind.BUILD_MAINTAIN
        ),
    )
    if performer is None:
        return _Place(None, requester, rural=False, engineer=None)
    rural = await store.centre_kind(connection, branch_id, performer) == CentreKind.TOWNSHIP
    engineer = choose_engineer(kind, await store.engineers(connection, branch_id, performer))
    return _Place(performer, requester, rural, engineer)


async def _record_dispatch(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    place: _Place,
    *,
    number: int,
    at: datetime,
) -> None:
    await store.record_step(
        connection,
        {
            "branch_id": branch_id,
            "order_id": order_id,
            "number": number,
            "step": "receive" if place.engineer is None else "dispatch",
            "state": place.state,
            "at": at,
            "by": "service:dispatch",
            "engineer_id": place.engineer,
            "reason": place.reason,
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
    facts = await clocks.warn_until(connection, row, until=wanted.at, now=now)
    followed = await _follow_clock(connection, row, given, after, wanted.at)
    after = replace(after, **followed)
    evidence = given.evidence.model_dump(mode="json", exclude_none=True)
    number = row["steps"] + 1
    await store.save(
        connection,
        branch_id,
        order_id,
        {
            "state": after.state,
            "engineer_id": after.engineer_id,
            "dispatched_at": after.dispatched_at,
            "due_at": after.due_at,
            "suspended_at": after.suspended_at,
            "finished_at": after.finished_at,
            "last_step_at": after.last_step_at,
            "rejections": after.rejections,
            "flags": list(after.flags),
            "reason": given.reason or row["reason"],
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
            "recorded_at": now,
        },
    )
    if given.step is StepName.CANCEL:
        await release_of_order(connection, branch_id, order_id, given.reason or "")
    if given.step is StepName.FINISH:
        await record_workers(connection, row, number, after.engineer_id or "", given.worked_by)
        fact = OrderFinished(
            order_id=order_id,
            kind=row["kind"],
            centre_id=row["performer_centre_id"],
            engineer_id=after.engineer_id or "",
            period=period_of(wanted.at),
            on_time=after.on_time,
            late_because_of_centre_id=await clocks.blame(
                connection, branch_id, order_id, finished_at=wanted.at
            ),
        )
        facts.append(NewFact(ORDER_FINISHED, order_id, fact))
    await feed.append(connection, branch_id, facts, now=now)
    return await show(connection, branch_id, order_id)


async def _follow_clock(
    connection: AsyncConnection,
    row: RowMapping,
    given: OrderStepIn,
    after: OrderProgress,
    at: datetime,
) -> dict[str, Any]:
    """Start, stop or go on with the clock of an order; return what follows for the order."""
    branch_id, order_id = row["branch_id"], row["order_id"]
    if after.dispatched_at is None and after.state is OrderState.DISPATCHED:
        if row["asset_id"] is not None:
            return {"dispatched_at": at}
        begun = await clocks.judge(
            connection, branch_id, clocks.work_of(row), rural=row["rural"], at=at
        )
        await clocks.begin(connection, branch_id, order_id, begun)
        return {"dispatched_at": at, "due_at": begun and begun.due_at}
    if row["state"] == OrderState.SUSPENDED or after.state is OrderState.SUSPENDED:
        await clocks.stop_or_go_on(
            connection,
            row,
            given.step,
            cause=given.cause,
            reason=given.reason,
            responsible_centre_id=given.responsible_centre_id,
            at=at,
        )
    # The state machine knows of the present pause only; the clock, of its unit and every stop.
    return await clocks.changes_after(connection, row, state=after.state, at=at)


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
