"""Appointments: offered, held, booked, moved, released; never more than there is time for."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appointments import store
from huaxiao.dispatch.appointments.rules import RULES
from huaxiao.dispatch.clocks import handlers as clocks
from huaxiao.dispatch.domain.capacity import Place, Stretch, choose, places, quarters_of, slots_of
from huaxiao.dispatch.domain.dispatching import SKILL_FOR, skills_for
from huaxiao.dispatch.domain.service_clock import MOST_POSTPONED, MOST_RESCHEDULES, Stop
from huaxiao.dispatch.orders import handlers as orders
from huaxiao.dispatch.orders import store as order_store
from huaxiao.dispatch.shifts.store import book_alone, workers
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Conflict, Fault, Malformed, NotFound, Problem
from huaxiao.shared.wire.appointments import (
    Appointment,
    AppointmentIn,
    AppointmentRules,
    AppointmentRulesIn,
    AppointmentState,
    MoveIn,
    Slot,
)
from huaxiao.shared.wire.dispatch import WORK_ENDED, OrderKind, OrderState, OrderStepIn, StepName
from huaxiao.shared.wire.service_levels import StopCause
from huaxiao.shared.wire.visits import Window

_DAY = timedelta(days=1)
_NEXT_SLOTS = 3
_DAYS_AHEAD = 14


class SlotTaken(Problem):
    """Nobody has time in this slot any more; the next free ones are named."""

    code = "slot-taken"
    status = HTTPStatus.CONFLICT
    title = "This slot has just been taken"
    title_zh = "该时段刚被约满"


class HoldOver(Problem):
    """A slot is held for some minutes; this one has gone back to the others."""

    code = "hold-over"
    status = HTTPStatus.CONFLICT
    title = "The slot is no longer held"
    title_zh = "时段保留已过期"


class RescheduleLimit(Problem):
    """Work is put off at the customer's wish at most twice, and by five days in all."""

    code = "reschedule-limit"
    status = HTTPStatus.CONFLICT
    title = "This has been put off as often, or as long, as it may be"
    title_zh = "改约次数或天数已达上限"


async def set_rules(
    connection: AsyncConnection,
    branch_id: int,
    given: AppointmentRulesIn,
    *,
    set_by: str,
    now: datetime,
) -> AppointmentRules:
    """Set how the county makes appointments from now on; what is booked stays.

    Raises:
        Malformed: a visit does not fit into a slot, or a kind of work is missing.

    """
    await book_alone(connection, branch_id)
    faults = []
    if {one.kind for one in given.visits} != set(OrderKind):
        faults.append(Fault("/visits", "each-once", "each kind of work once", "每种工单各一项"))
    if any(one.minutes + given.travel_minutes > given.slot_minutes for one in given.visits):
        faults.append(
            Fault("/slot_minutes", "short", "a visit does not fit with its way", "时段容不下上门")
        )
    if given.closes <= given.opens:
        faults.append(Fault("/closes", "reversed", "closes before it opens", "结束早于开始"))
    if faults:
        raise Malformed(faults=faults)
    return await RULES.set(connection, branch_id, given, set_by=set_by, now=now)


def _quarters(held: AppointmentRules, kind: OrderKind) -> int:
    minutes = next(one.minutes for one in held.visits if one.kind == kind)
    return quarters_of(minutes + held.travel_minutes)


def _slots(held: AppointmentRules, day: date) -> list[Stretch]:
    return list(slots_of(day, held.opens, held.closes, timedelta(minutes=held.slot_minutes)))


async def free_slots(
    connection: AsyncConnection,
    branch_id: int,
    centre_id: str,
    kind: OrderKind,
    days: tuple[date, int],
    *,
    needed_skills: Sequence[str] = (),
    now: datetime,
) -> list[Slot]:
    """Return the slots to come in which a centre still has time for a kind of work."""
    held, (first, count) = await RULES.current(connection, branch_id), days
    skills = skills_for(kind, needed_skills)
    quarters, found = _quarters(held, kind), list[Slot]()
    for number in range(count):
        day = first + number * _DAY
        slots = [one for one in _slots(held, day) if one.since > now]
        if not slots:
            continue
        there = await workers(
            connection,
            branch_id,
            Stretch(slots[0].since, slots[-1].until),
            now=now,
            day=day,
            centre_id=centre_id,
            skills=skills,
        )
        for slot in slots:
            fitting = sum(places(one, slot, quarters) for one in there)
            if fitting:
                found.append(
                    Slot(
                        centre_id=centre_id,
                        skill=SKILL_FOR[kind],
                        starts_at=slot.since,
                        ends_at=slot.until,
                        places=fitting,
                    )
                )
    return found


async def _find_place(
    connection: AsyncConnection,
    branch_id: int,
    order: RowMapping,
    starts_at: datetime,
    now: datetime,
) -> tuple[Stretch, Place]:
    """Return the slot that begins at a moment, and who has time for the order's visit in it.

    Raises:
        Malformed: no slot begins then, or it has begun already.
        SlotTaken: nobody has; the next free slots are named.

    """
    held, kind = await RULES.current(connection, branch_id), OrderKind(order["kind"])
    skills = skills_for(kind, order["needed_skills"])
    day, centre_id = business_day(starts_at), order["performer_centre_id"]
    slot = next((one for one in _slots(held, day) if one.since == starts_at > now), None)
    if slot is None:
        fault = Fault("/starts_at", "no-slot", "no slot to come begins then", "此时没有可约时段")
        raise Malformed(faults=[fault])
    there = await workers(
        connection,
        branch_id,
        slot,
        now=now,
        day=day,
        centre_id=centre_id,
        skills=skills,
    )
    place = choose(there, slot, _quarters(held, kind))
    if place is None:
        following = await free_slots(
            connection,
            branch_id,
            centre_id,
            kind,
            (day, _DAYS_AHEAD),
            needed_skills=order["needed_skills"],
            now=max(now, starts_at),
        )
        raise SlotTaken(
            next_free_slots=[one.model_dump(mode="json") for one in following[:_NEXT_SLOTS]]
        )
    return slot, place


async def hold(
    connection: AsyncConnection,
    branch_id: int,
    given: AppointmentIn,
    *,
    principal: Principal,
    now: datetime,
) -> Appointment:
    """Keep a slot for an order for some minutes.

    Raises:
        Conflict: the order has an appointment, or is not to be worked on.
        SlotTaken: nobody has time in the slot.

    """
    await book_alone(connection, branch_id)
    order = await _order(connection, branch_id, given.order_id, principal, lock=True)
    await store.expire(connection, branch_id, now)
    _require_workable(order)
    if await store.live_of(connection, branch_id, given.order_id) is not None:
        raise Conflict("This order has an appointment; move it.", "该工单已有预约，请改约。")
    slot, place = await _find_place(connection, branch_id, order, given.starts_at, now)
    held = await RULES.current(connection, branch_id)
    appointment_id = str(new_id())
    await store.add(
        connection,
        {
            "branch_id": branch_id,
            "appointment_id": appointment_id,
            "order_id": given.order_id,
            "centre_id": order["performer_centre_id"],
            "skill": SKILL_FOR[OrderKind(order["kind"])],
            "state": AppointmentState.HELD,
            "held_until": now + timedelta(minutes=held.hold_minutes),
        }
        | _times(slot, place),
    )
    await store.take(connection, branch_id, appointment_id, place)
    return await _shown(connection, branch_id, appointment_id)


def _require_workable(order: RowMapping) -> None:
    if order["state"] in WORK_ENDED or order["performer_centre_id"] is None:
        raise Conflict("Nobody is going to work on this order.", "该工单不再或尚未派往任何中心。")


def _times(slot: Stretch, place: Place) -> dict[str, Any]:
    return {
        "person_id": place.person_id,
        "starts_at": slot.since,
        "ends_at": slot.until,
        "visit_from": place.since,
        "visit_to": place.until,
    }


async def book(
    connection: AsyncConnection,
    branch_id: int,
    appointment_id: str,
    *,
    principal: Principal,
    now: datetime,
) -> Appointment:
    """Promise a held slot to the customer, which the order notes as its step; again changes nothing.

    Raises:
        HoldOver: it has gone back to the others, or nobody can make the visit any more.
        StepNotAllowed: the order is where no visit is agreed.

    """
    await book_alone(connection, branch_id)
    await _mine(connection, branch_id, appointment_id, principal, lock=True)
    await store.expire(connection, branch_id, now)
    row = await _mine(connection, branch_id, appointment_id, principal)
    if row["state"] == AppointmentState.BOOKED:
        return Appointment.model_validate(dict(row))
    if row["state"] != AppointmentState.HELD or not row["staffed"]:
        raise HoldOver
    await clocks.wait_no_longer(connection, branch_id, row["order_id"], row["starts_at"])
    changes = {"state": AppointmentState.BOOKED, "held_until": None}
    await store.save(connection, branch_id, appointment_id, changes)
    return await _agreed(connection, branch_id, appointment_id, principal=principal, now=now)


async def _agreed(
    connection: AsyncConnection,
    branch_id: int,
    appointment_id: str,
    *,
    principal: Principal,
    now: datetime,
    reason: str | None = None,
) -> Appointment:
    """Note with the order what has been agreed, and return it."""
    made = await _shown(connection, branch_id, appointment_id)
    window = Window(opens_at=made.starts_at, closes_at=made.ends_at)
    step = OrderStepIn(step=StepName.APPOINT, window=window, reason=reason)
    await orders.step(connection, branch_id, made.order_id, step, principal=principal, now=now)
    return made


async def move(
    connection: AsyncConnection,
    branch_id: int,
    appointment_id: str,
    given: MoveIn,
    *,
    principal: Principal,
    now: datetime,
) -> Appointment:
    """Promise another slot in place of the one that was booked.

    At the customer's wish it counts as a reschedule, and the clock waits from the old slot to the
    new one.

    Raises:
        HoldOver: the appointment is not booked.
        RescheduleLimit: it would be put off too often, or for too long.
        StepNotAllowed: the order is where no visit is agreed.
        SlotTaken: nobody has time in the new slot, and the old one stays booked.

    """
    await book_alone(connection, branch_id)
    await _mine(connection, branch_id, appointment_id, principal, lock=True)
    await store.expire(connection, branch_id, now)
    row = await _mine(connection, branch_id, appointment_id, principal)
    if row["state"] != AppointmentState.BOOKED:
        raise HoldOver
    order = await _order(connection, branch_id, row["order_id"], principal)
    _require_workable(order)
    if given.starts_at == row["starts_at"] and row["staffed"]:
        return Appointment.model_validate(dict(row))
    await clocks.wait_no_longer(connection, branch_id, row["order_id"], given.starts_at)
    if given.for_customer and given.starts_at != row["starts_at"]:
        await _put_off(connection, order, row["starts_at"], given, now)
    await store.give_back(connection, branch_id, [appointment_id])
    slot, place = await _find_place(connection, branch_id, order, given.starts_at, now)
    await store.save(
        connection,
        branch_id,
        appointment_id,
        _times(slot, place)
        | {
            "centre_id": order["performer_centre_id"],
            "moves": row["moves"] + 1,
            "reason": given.reason,
        },
    )
    await store.take(connection, branch_id, appointment_id, place)
    return await _agreed(
        connection, branch_id, appointment_id, principal=principal, now=now, reason=given.reason
    )


async def _put_off(
    connection: AsyncConnection, order: RowMapping, before: datetime, given: MoveIn, now: datetime
) -> None:
    branch_id, order_id = order["branch_id"], order["order_id"]
    waits = Stop(StopCause.CUSTOMER, before, max(given.starts_at, before))
    counted = await clocks.reschedules(connection, branch_id, order_id)
    postponed = await clocks.postponed_with(connection, order, waits)
    if counted >= MOST_RESCHEDULES or postponed > MOST_POSTPONED:
        raise RescheduleLimit(
            reschedules=counted, postponed_minutes=postponed // timedelta(minutes=1)
        )
    await clocks.add_stop(connection, branch_id, order_id, waits, reason=given.reason)
    state = OrderState(order["state"])
    changes = await clocks.changes_after(connection, order, state=state, at=now)
    if changes:
        await order_store.save(connection, branch_id, order_id, changes)


async def release(
    connection: AsyncConnection,
    branch_id: int,
    appointment_id: str,
    reason: str,
    *,
    principal: Principal,
    now: datetime,
) -> Appointment:
    """Give an appointment up, so that others have the time; again changes nothing."""
    await book_alone(connection, branch_id)
    row = await _mine(connection, branch_id, appointment_id, principal, lock=True)
    if row["state"] in {AppointmentState.HELD, AppointmentState.BOOKED}:
        changes = {"state": AppointmentState.RELEASED, "reason": reason}
        await store.save(connection, branch_id, appointment_id, changes)
        await store.give_back(connection, branch_id, [appointment_id])
    if row["state"] == AppointmentState.BOOKED:
        await orders.lift_appointment(
            connection, branch_id, row["order_id"], reason, by=principal.subject, now=now
        )
    return await _shown(connection, branch_id, appointment_id)


async def expire(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
    """End the holds whose time is over; return how many there were."""
    return await store.expire(connection, branch_id, now)


async def list_appointments(
    connection: AsyncConnection,
    branch_id: int,
    principal: Principal,
    *,
    filters: dict[str, str | None],
    staffed: bool | None,
    after: str,
    limit: int,
) -> list[Appointment]:
    """Return appointments that the caller may see."""
    rows = await store.page(
        connection,
        branch_id,
        principal,
        filters=filters,
        staffed=staffed,
        after=after,
        limit=limit,
    )
    return [Appointment.model_validate(dict(row)) for row in rows]


async def _order(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    principal: Principal,
    *,
    lock: bool = False,
) -> RowMapping:
    """Return an order that the caller may see: its performer and its requester make appointments."""
    order = await order_store.load(connection, branch_id, order_id, lock=lock)
    if order is None or not await order_store.is_visible(
        connection, branch_id, order_id, principal
    ):
        raise NotFound
    return order


async def _mine(
    connection: AsyncConnection,
    branch_id: int,
    appointment_id: str,
    principal: Principal,
    *,
    lock: bool = False,
) -> RowMapping:
    """Return an appointment of an order that the caller may see, the order locked if asked."""
    row = await store.load(connection, branch_id, appointment_id)
    if row is None:
        raise NotFound
    await _order(connection, branch_id, row["order_id"], principal, lock=lock)
    return row


async def _shown(connection: AsyncConnection, branch_id: int, appointment_id: str) -> Appointment:
    row = await store.load(connection, branch_id, appointment_id)
    assert row is not None  # noqa: S101 - it was written in this transaction
    return Appointment.model_validate(dict(row))
