"""Orders: load, decide, record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.agenda.arriving import settle
from huaxiao.dispatch.agenda.store import take_out
from huaxiao.dispatch.appointments.store import give_back_from, live_of, release_of_order
from huaxiao.dispatch.appraisals.evidence import freeze_due
from huaxiao.dispatch.attachments import store as attachments_store
from huaxiao.dispatch.callers import acts_as_engineer
from huaxiao.dispatch.clocks import handlers as clocks
from huaxiao.dispatch.domain.order_parts import (
    require_photo,
    require_predecessors_done,
    require_tasks_done,
)
from huaxiao.dispatch.domain.order_states import (
    ENGINEERS_OWN,
    OrderProgress,
    Span,
    Step,
    StepNotAllowed,
    take,
)
from huaxiao.dispatch.earnings.handlers import record_workers
from huaxiao.dispatch.orders import store
from huaxiao.dispatch.orders.assigning import check_assignee, check_receiving_centre
from huaxiao.dispatch.orders.clocking import begun_for, follow_place, follow_step
from huaxiao.dispatch.orders.placing import Asked, Place, find_place, record_place
from huaxiao.dispatch.orders.showing import progress_of, show
from huaxiao.dispatch.orders.whereabouts import require_here
from huaxiao.dispatch.parts import store as parts_store
from huaxiao.dispatch.tables import feed
from huaxiao.dispatch.tickets.store import posts as posts_of
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.clock import system_clock
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import business_day, period_of
from huaxiao.shared.problems import Fault, Forbidden, Malformed, NotFound
from huaxiao.shared.versions import require_version
from huaxiao.shared.wire.appointments import AppointmentState
from huaxiao.shared.wire.attribution import WorkRequestedFact
from huaxiao.shared.wire.dispatch import (
    ORDER_FINISHED,
    ORDER_REOPENED,
    CustomerClass,
    OrderFinished,
    OrderKind,
    OrderReopened,
    OrderState,
    OrderStepIn,
    StepName,
)
from huaxiao.shared.wire.orders import AttachmentKind, OrderDetail
from huaxiao.shared.wire.service_levels import AssetKind, Line

_PLACING = {StepName.REASSIGN, StepName.HAND_OVER, StepName.CARRY_FORWARD, StepName.REWORK}
"""Steps that change whose day an order belongs to."""
_REQUESTERS = {StepName.CONFIRM, StepName.REWORK}
_HANDING_OVER = {Role.COUNTY_MANAGER, Role.CONTRACTOR}
_OF_RESULT = {"photo", "onu_online"}
"""Evidence of how the work was left; of a result that is not accepted it says nothing of the next."""


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
    place = await find_place(
        connection,
        branch_id,
        Asked(
            kind,
            customer_class,
            asked.standard_address,
            asked.requested_at,
            line=line,
            build_needed=asked.build_needed,
        ),
    )
    await add(
        connection,
        branch_id,
        {
            "order_id": asked.order_id,
            "customer_id": asked.customer_id,
            "subscription_id": asked.subscription_id,
            "flags": flags,
        },
        place,
        at=min(asked.requested_at, seen_at),
        now=system_clock(),
    )


async def add(
    connection: AsyncConnection,
    branch_id: int,
    order: Mapping[str, Any],
    place: Place,
    *,
    at: datetime,
    now: datetime,
    begun: clocks.Begun | None = None,
) -> bool:
    """Add an order where it belongs, with its first step; False when its id is known.

    ``begun`` is its clock where that runs whether somebody gets the order or not.
    """
    asked = place.asked
    begun = begun or await begun_for(connection, branch_id, place, at)
    row = {
        "branch_id": branch_id,
        "kind": asked.kind,
        "customer_class": asked.customer_class,
        "line": asked.line,
        "build_needed": asked.build_needed,
        "standard_address": asked.address,
        "requested_at": asked.requested_at,
        "last_step_at": at,
        "steps": 1,
        "rejections": 0,
        "evidence": {},
        "due_at": begun and begun.due_at,
    }
    given = place.given_out(at)
    added = await store.add(connection, row | dict(order) | given)
    if added:
        await clocks.begin(connection, branch_id, order["order_id"], begun)
        place = await _settled(connection, branch_id, order["order_id"], place, now)
        await record_place(
            connection, branch_id, order["order_id"], place, state=given["state"], number=1, at=at
        )
    return added


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
    asked = Asked(
        OrderKind.PATROL,
        customer_class,
        asset["standard_address"],
        begun.clock.started_at,
        owner=asset["centre_id"],
    )
    await add(
        connection,
        branch_id,
        {
            "order_id": order_id,
            "customer_id": asset["customer_id"] or asset["asset_id"],
            "asset_id": asset["asset_id"],
            "source": "rounds",
            "flags": [],
        },
        await find_place(connection, branch_id, asked),
        at=now,
        now=now,
        begun=begun,
    )


async def dispatch_again(
    connection: AsyncConnection, branch_id: int, *, now: datetime | None = None
) -> None:
    """Give out again what nobody has accepted, now that more is known of the county.

    Days that are planned are looked at as they are ``now``; by the system's clock, if not told.

    Feeds keep their own order only: work may be asked for before its field or engineer is known.
    The clock goes on from when the order came in; the customer did not ask us to wait.
    """
    await store.place_alone(connection, branch_id)
    for row in await store.unaccepted(connection, branch_id):
        place = await find_place(connection, branch_id, _asked(row, row["owner_centre_id"]))
        has_it = row["engineer_id"] is not None or row["crew_id"] is not None
        known = (row["performer_centre_id"], row["requester_centre_id"], row["reason"])
        if has_it and place.performer == row["performer_centre_id"]:
            continue
        if (place.performer, place.requester, place.reason) == known:
            if list(place.unmet_skills) != row["unmet_skills"]:
                changes = {"unmet_skills": list(place.unmet_skills)}
                await store.save(connection, branch_id, row["order_id"], changes)
            continue
        await _give_out(connection, branch_id, row, place, now or system_clock())


async def take_back(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
    """Give out again what those who have left had at hand, and what waits at a centre that has closed.

    Work that had begun stays with its centre, other work goes where its address belongs. Return how
    many orders were taken from people.
    """
    if not (
        await store.any_left_behind(connection, branch_id)
        or await store.any_at_closed_centre(connection, branch_id)
    ):
        return 0
    # Before any order is held: whoever gives one out takes this lock first, too.
    await store.place_alone(connection, branch_id)
    taken = await store.take_back(connection, branch_id)
    await dispatch_again(connection, branch_id, now=now)
    return taken


def _asked(row: RowMapping, owner: str | None = None) -> Asked:
    # Of BSS orders the enterprise centre is the requester, as soon as there is one.
    posted = row["request_digest"] is not None
    work = clocks.work_of(row)
    asked = Asked(
        work.kind,
        work.customer_class,
        row["standard_address"],
        row["requested_at"],
        needed_skills=tuple(row["needed_skills"]),
        requester=row["requester_centre_id"] if posted else None,
        held=row["held"],
        owner=owner,
        people=row["people_needed"],
        line=work.line,
        build_needed=work.build_needed,
    )
    if row["handovers"] or row["visits"]:
        return replace(asked, performer=row["performer_centre_id"], rural=row["rural"])
    return asked


async def _give_out(
    connection: AsyncConnection, branch_id: int, row: RowMapping, place: Place, now: datetime
) -> None:
    at, number = row["last_step_at"], row["steps"] + 1
    given = place.given_out(
        at, appointed=row["appointed_from"] is not None, begun_at=row["dispatched_at"]
    )
    followed = await follow_place(connection, row, place, at=at)
    changes = given | followed | {"steps": number}
    await store.save(connection, branch_id, row["order_id"], changes)
    place = await _settled(connection, branch_id, row["order_id"], place, now)
    left = row["reason"] == store.ENGINEER_LEFT
    await record_place(
        connection,
        branch_id,
        row["order_id"],
        place,
        state=given["state"],
        number=number,
        at=at,
        reason=store.ENGINEER_LEFT if left else None,
    )


async def _settled(
    connection: AsyncConnection, branch_id: int, order_id: str, place: Place, now: datetime
) -> Place:
    """Let an order that is given out go to whose day it fits into best, where days are planned."""
    settled = await settle(connection, branch_id, order_id, place, now=now)
    if settled != place:
        holders = {"engineer_id": settled.engineer, "crew_id": settled.crew}
        await store.save(connection, branch_id, order_id, holders)
    return settled


async def step(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    given: OrderStepIn,
    *,
    principal: Principal,
    if_match: str | None = None,
    now: datetime,
) -> OrderDetail:
    """Take a step of an order and record it; return the order after it."""
    await take_step(
        connection, branch_id, order_id, given, principal=principal, if_match=if_match, now=now
    )
    return await show(connection, branch_id, order_id)


async def take_step(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    given: OrderStepIn,
    *,
    principal: Principal,
    if_match: str | None = None,
    now: datetime,
    give_out: bool = True,
) -> None:
    """Take a step of an order and record it.

    With ``give_out`` an order that is handed over goes to somebody of the other centre at once;
    without, the caller says to whom.

    Raises:
        NotFound: there is no such order that the caller may see, or it is not of their side.
        NotYourOrder: it is with somebody else.
        StepNotAllowed: its state, its history or the moment forbids the step.
        Elsewhere: the engineer is at work at another address.
        StaleVersion: it is not what the caller read.

    """
    if given.step in _PLACING:
        await store.place_alone(connection, branch_id)
    # What is recorded from here on is too late for a month whose evidence is due to be frozen.
    await freeze_due(connection, branch_id, now)
    row = await store.load(connection, branch_id, order_id, lock=True)
    is_engineer = acts_as_engineer(principal)
    if row is None or not (
        is_engineer or await store.is_visible(connection, branch_id, order_id, principal)
    ):
        raise NotFound
    _check_side(row, given.step, principal)
    if given.step is StepName.CONFIRM:
        await _check_confirming(connection, row, principal)
    if if_match is not None:
        require_version(if_match, await show(connection, branch_id, order_id))
    taken = await _take(connection, row, given, principal=principal, now=now)
    await store.save(connection, branch_id, order_id, taken.changes)
    await store.record_step(connection, taken.step)
    facts = taken.facts + await _bring_about(
        connection, row, given, taken.before, taken.after, taken.step["engineer_id"]
    )
    if given.step is StepName.HAND_OVER and give_out:
        await _receive(connection, branch_id, order_id, now)
    await feed.append(connection, branch_id, facts, now=now)


async def reassign_all(
    connection: AsyncConnection,
    branch_id: int,
    wanted: Sequence[tuple[RowMapping, OrderStepIn]],
    *,
    principal: Principal,
    now: datetime,
) -> None:
    """Give many orders to engineers and crews of whom the caller knows that they can do them.

    The orders are locked by this transaction, and so is the placing of the branch's work.

    Raises:
        NotFound: the caller is bound to centres, and one of the orders is another's.
        StepNotAllowed: the state of one forbids it.

    """
    await freeze_due(connection, branch_id, now)
    taken = []
    for row, given in wanted:
        _check_side(row, given.step, principal)
        taken.append(
            await _take(connection, row, given, principal=principal, now=now, known_able=True)
        )
    await store.save_all(
        connection, branch_id, {one.step["order_id"]: one.changes for one in taken}
    )
    await store.record_steps(connection, [one.step for one in taken])
    facts = [fact for one in taken for fact in one.facts]
    await feed.append(connection, branch_id, facts, now=now)


@dataclass(frozen=True)
class _Taken:
    """A step that is taken, and not recorded yet."""

    before: OrderProgress
    after: OrderProgress
    changes: dict[str, Any]
    step: dict[str, Any]
    facts: list[NewFact]


async def _take(
    connection: AsyncConnection,
    row: RowMapping,
    given: OrderStepIn,
    *,
    principal: Principal,
    now: datetime,
    known_able: bool = False,
) -> _Taken:
    """Let an order's step follow from how far it is, and its clock from the step."""
    branch_id, order_id = row["branch_id"], row["order_id"]
    before = await progress_of(connection, branch_id, row)
    wanted = _wanted(row, given, principal, now)
    after = take(before, wanted, now=now)
    await require_here(connection, row, given.step, wanted.acting_engineer, at=wanted.at, now=now)
    _check_first_contact(row, given, now)
    if not known_able:
        await _check_what_it_says(connection, branch_id, row, given)
    facts = await clocks.warn_until(connection, row, until=wanted.at, now=now)
    evidence = given.evidence.model_dump(mode="json", exclude_none=True)
    if given.step is StepName.FINISH and given.shown_by is not None:
        evidence["photo"] = True
    number = row["steps"] + 1
    followed = await follow_step(connection, row, given, after, wanted.at)
    after = replace(after, **followed)
    known = row["evidence"]
    if given.step is StepName.REWORK:
        known = {name: value for name, value in known.items() if name not in _OF_RESULT}
    changes = _changes(row, after, given) | {"evidence": known | evidence, "steps": number}
    own = given.step in ENGINEERS_OWN
    step = {
        "branch_id": branch_id,
        "order_id": order_id,
        "number": number,
        "step": given.step,
        "state": after.state,
        "at": wanted.at,
        "by": principal.subject,
        "engineer_id": wanted.acting_engineer if own else after.engineer_id,
        "crew_id": after.crew_id,
        "centre_id": after.centre_id,
        "reason": given.reason,
        "cause": given.cause if given.step is StepName.SUSPEND else None,
        "opens_at": given.window and given.window.opens_at,
        "closes_at": given.window and given.window.closes_at,
        "latitude": given.where and given.where.latitude,
        "longitude": given.where and given.where.longitude,
        "evidence": evidence,
        "recorded_at": now,
        "due_at": after.due_at,
    }
    return _Taken(before, after, changes, step, facts)


async def _bring_about(
    connection: AsyncConnection,
    row: RowMapping,
    given: OrderStepIn,
    before: OrderProgress,
    after: OrderProgress,
    acting: str | None,
) -> list[NewFact]:
    """Do what a step means for what belongs to the order; return what others are to know of it."""
    branch_id, order_id = row["branch_id"], row["order_id"]
    match given.step:
        case StepName.FINISH:
            workers = [acting or ""] if after.crew_id is None else sorted(before.crew)
            await record_workers(
                connection,
                row,
                row["steps"] + 1,
                workers,
                given.worked_by,
                day=business_day(after.last_step_at),
            )
            await give_back_from(connection, branch_id, order_id, after.last_step_at)
            return [await _finished(connection, row, after, acting or "")]
        case StepName.CANCEL:
            await release_of_order(connection, branch_id, order_id, given.reason or "")
            await parts_store.release_planned_serials(connection, branch_id, order_id)
        case StepName.CONFIRM:
            await parts_store.release_planned_serials(connection, branch_id, order_id)
        case StepName.CARRY_FORWARD | StepName.REWORK:
            # The visit was made; another one needs a time of its own.
            await release_of_order(connection, branch_id, order_id, given.reason or "")
            made_on = business_day(after.last_step_at)
            await take_out(connection, branch_id, [order_id], since=made_on)
            if given.step is StepName.REWORK:
                return [await _reopened(connection, row, before)]
        case _:
            pass
    return []


async def lift_appointment(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    reason: str,
    *,
    by: str,
    now: datetime,
) -> None:
    """Let an order have no visit agreed any more: the appointment that it had was given up."""
    # What is recorded from here on is too late for a month whose evidence is due to be frozen.
    await freeze_due(connection, branch_id, now)
    row = await store.load(connection, branch_id, order_id, lock=True)
    if row is None or row["appointed_from"] is None or row["finished_at"] is not None:
        return
    appointed = row["state"] == OrderState.APPOINTED
    state = OrderState.NEW if appointed else OrderState(row["state"])
    number, at = row["steps"] + 1, max(now, row["last_step_at"])
    changes = {
        "state": state,
        "appointed_from": None,
        "appointed_to": None,
        "steps": number,
        "last_step_at": at,
    }
    await store.save(connection, branch_id, order_id, changes)
    await store.record_step(
        connection,
        {
            "branch_id": branch_id,
            "order_id": order_id,
            "number": number,
            "step": "release",
            "state": state,
            "at": at,
            "by": by,
            "engineer_id": row["engineer_id"],
            "crew_id": row["crew_id"],
            "centre_id": row["performer_centre_id"],
            "reason": reason,
            "evidence": {},
        },
    )


def _wanted(row: RowMapping, given: OrderStepIn, principal: Principal, now: datetime) -> Step:
    is_engineer = acts_as_engineer(principal)
    acting, window = given.engineer_id, given.window
    if given.step is not StepName.REASSIGN:
        acting = principal.person_id if is_engineer else given.engineer_id or row["engineer_id"]
    return Step(
        given.step,
        given.at or now,
        acting,
        given.reason,
        onu_online=given.evidence.onu_online,
        by_engineer=is_engineer,
        crew_id=given.crew_id,
        centre_id=given.centre_id,
        window=None if window is None else Span(window.opens_at, window.closes_at),
    )


def _changes(row: RowMapping, after: OrderProgress, given: OrderStepIn) -> dict[str, Any]:
    return {
        "state": after.state,
        "engineer_id": after.engineer_id,
        "crew_id": after.crew_id,
        "performer_centre_id": after.centre_id,
        "dispatched_at": after.dispatched_at,
        "due_at": after.due_at,
        "suspended_at": after.suspended_at,
        "suspended_in": after.suspended_in,
        "finished_at": after.finished_at,
        "last_step_at": after.last_step_at,
        "rejections": after.rejections,
        "visits": after.visits,
        "reworks": after.reworks,
        "handovers": after.handovers,
        "appointed_from": after.appointment and after.appointment.opens_at,
        "appointed_to": after.appointment and after.appointment.closes_at,
        "flags": list(after.flags),
        "shown_by": _shown_by(row, given),
        "reason": given.reason or row["reason"],
    }


def _check_first_contact(row: RowMapping, given: OrderStepIn, now: datetime) -> None:
    """Check that the customer heard from the engineer after asking, and has by now.

    Raises:
        Malformed: it is said to have been before, or is still to come.

    """
    heard_at = given.evidence.first_contact_at
    if heard_at is None or row["requested_at"] <= heard_at <= now:
        return
    fault = Fault(
        "/evidence/first_contact_at",
        "not-then",
        "neither before the order was asked for nor in the future",
        "不得早于工单提出时间或晚于当前时间",
    )
    raise Malformed(faults=[fault])


def _shown_by(row: RowMapping, given: OrderStepIn) -> str | None:
    match given.step:
        case StepName.FINISH:
            return given.shown_by
        case StepName.REWORK:
            return None
        case _:
            shown: str | None = row["shown_by"]
            return shown


async def _check_what_it_says(
    connection: AsyncConnection, branch_id: int, row: RowMapping, given: OrderStepIn
) -> None:
    order_id = row["order_id"]
    match given.step:
        case StepName.REASSIGN:
            await check_assignee(
                connection,
                branch_id,
                row,
                engineer_id=given.engineer_id,
                crew_id=given.crew_id,
            )
        case StepName.HAND_OVER:
            await check_receiving_centre(connection, branch_id, given.centre_id or "")
        case StepName.APPOINT:
            await _check_appointment(connection, branch_id, order_id, given)
        case StepName.START:
            before = await parts_store.predecessors(connection, branch_id, order_id)
            require_predecessors_done(before)
        case StepName.FINISH:
            tasks = await parts_store.tasks(connection, branch_id, order_id)
            require_tasks_done(
                (one["task_id"], one["name"])
                for one in tasks
                if one["required"] and one["done_at"] is None
            )
            photos = await _photos_of_result(connection, branch_id, order_id)
            require_photo(given.shown_by, photos, needed=row["photo_needed"])
        case _:
            pass


async def _check_appointment(
    connection: AsyncConnection, branch_id: int, order_id: str, given: OrderStepIn
) -> None:
    """Keep the window of an order that has somebody's time booked to what was booked."""
    live = await live_of(connection, branch_id, order_id)
    if live is None or live["state"] != AppointmentState.BOOKED or given.window is None:
        return
    if (given.window.opens_at, given.window.closes_at) != (live["starts_at"], live["ends_at"]):
        raise StepNotAllowed(
            f"Appointment {live['appointment_id']} is booked for this order; move it.",
            f"该工单已有预约 {live['appointment_id']}，请改约。",
            appointment_id=live["appointment_id"],
        )


async def _photos_of_result(
    connection: AsyncConnection, branch_id: int, order_id: str
) -> list[str]:
    """Name the photos that may show the result: none of one that was not accepted, by any name."""
    refused = await store.last_step(connection, branch_id, order_id, StepName.REWORK)
    uploaded = await attachments_store.listed(connection, branch_id, order_id)
    old = {
        one["sha256"]
        for one in uploaded
        if refused is not None and one["at"] <= refused["recorded_at"]
    }
    return [
        one["name"]
        for one in uploaded
        if one["kind"] == AttachmentKind.AFTER and one["sha256"] not in old
    ]


async def _receive(
    connection: AsyncConnection, branch_id: int, order_id: str, now: datetime
) -> None:
    """Let the centre that an order was handed over to give it to somebody."""
    row = await store.load(connection, branch_id, order_id)
    if row is None or row["held"]:
        return
    place = await find_place(connection, branch_id, _asked(row))
    if place.is_given_out:
        await _give_out(connection, branch_id, row, place, now)


async def _finished(
    connection: AsyncConnection, row: RowMapping, after: OrderProgress, engineer_id: str
) -> NewFact:
    fact = OrderFinished(
        order_id=row["order_id"],
        kind=row["kind"],
        centre_id=row["performer_centre_id"],
        engineer_id=engineer_id,
        period=period_of(after.last_step_at),
        on_time=after.on_time,
        late_because_of_centre_id=await clocks.blame(
            connection, row["branch_id"], row["order_id"], finished_at=after.last_step_at
        ),
    )
    return NewFact(ORDER_FINISHED, row["order_id"], fact)


async def _reopened(connection: AsyncConnection, row: RowMapping, before: OrderProgress) -> NewFact:
    branch_id = row["branch_id"]
    finish = await store.last_step(connection, branch_id, row["order_id"], StepName.FINISH)
    assert finish is not None  # noqa: S101 - it is done
    due_at = finish["due_at"] or before.due_at
    fact = OrderReopened(
        order_id=row["order_id"],
        kind=row["kind"],
        centre_id=row["performer_centre_id"],
        engineer_id=finish["engineer_id"],
        period=period_of(finish["at"]),
        on_time=None if due_at is None else finish["at"] <= due_at,
        late_because_of_centre_id=await clocks.take_blame_back(
            connection, branch_id, row["order_id"]
        ),
    )
    return NewFact(ORDER_REOPENED, row["order_id"], fact)


async def _check_confirming(
    connection: AsyncConnection, row: RowMapping, principal: Principal
) -> None:
    """Keep those who did the work from confirming it for the centre that asked for it.

    Raises:
        Forbidden: the caller speaks for the performer as well, or has a post there.

    """
    performer, requester = row["performer_centre_id"], row["requester_centre_id"]
    if requester in {None, performer}:
        return
    speaking = principal.centre_ids or ()
    posts = await posts_of(connection, row["branch_id"], principal.person_id or "")
    if performer in posts.union(speaking):
        raise Forbidden


def _check_side(row: RowMapping, name: StepName, principal: Principal) -> None:
    """Keep a caller to its side: the requester confirms or cancels, the performer does the rest.

    What is cancelled counts neither for nor against who was to do it: so the performer cancels only
    what nobody asked it for, and no round, which its cycle asks for.

    Raises:
        Forbidden: only the county's manager and the performing centre hand an order over, and the
            performer cancels no round and nothing that another centre asked for.
        NotFound: the caller is bound to centres, and they are not of that side.

    """
    if name is StepName.HAND_OVER and not principal.roles & _HANDING_OVER:
        raise Forbidden
    if principal.centre_ids is None or acts_as_engineer(principal):
        return
    performer, requester = row["performer_centre_id"], row["requester_centre_id"]
    if name in _REQUESTERS:
        principal.require_centre(requester or performer)
    elif name is StepName.CANCEL:
        asked_for = requester is not None or row["asset_id"] is not None
        if asked_for and not (requester and principal.may_see(requester)):
            raise Forbidden
    elif name is not StepName.APPOINT:
        principal.require_centre(performer)
