"""Orders that front ends and monitoring ask for: load, decide, record (R25)."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals.evidence import freeze_due
from huaxiao.dispatch.domain.dispatching import is_network_work
from huaxiao.dispatch.domain.order_parts import SHOWN_BY_PHOTO, serial_taken
from huaxiao.dispatch.domain.order_states import require_to_come
from huaxiao.dispatch.orders import handlers, store
from huaxiao.dispatch.orders.placing import Asked, find_place
from huaxiao.dispatch.orders.showing import show
from huaxiao.dispatch.parts import store as parts_store
from huaxiao.dispatch.parts.handlers import unknown_orders
from huaxiao.shared.auth import Principal
from huaxiao.shared.documents import digest
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.problems import Conflict, Fault, Malformed
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.dispatch import CustomerClass
from huaxiao.shared.wire.orders import OrderDetail, OrderIn, SerialUse

NO_PLACE = "no_place"
"""Flag of an order whose address has no place on the map."""


async def ask(
    connection: AsyncConnection,
    branch_id: int,
    given: OrderIn,
    *,
    principal: Principal,
    now: datetime,
) -> tuple[OrderDetail, bool]:
    """Make an order of what was asked for; return it, and whether it is new.

    The same source and reference again is the same order. What nobody can do yet is kept, and the
    order says why: no centre, no engineer, or skills that nobody has.

    Raises:
        Conflict: the source has asked for something else under this reference.
        WindowPassed: the window that is wished for was over.
        Malformed: something is missing, named twice, to come, or not there.
        NotFound: the caller is bound to centres, and asks in another's name.
        SerialTaken: another order has a device that this one is planned with.

    """
    await store.place_alone(connection, branch_id)
    # What is recorded from here on is too late for a month whose evidence is due to be frozen.
    await freeze_due(connection, branch_id, now)
    asked_digest = digest(given.model_dump(mode="json"))
    known = await store.of_reference(connection, branch_id, given.source, given.reference)
    if known is not None:
        order_id = known["order_id"]
        same = known["request_digest"] == asked_digest
        if not (same and await store.is_visible(connection, branch_id, order_id, principal)):
            raise Conflict(
                f"{given.source} {given.reference} is order {order_id}, and it was another request.",
                f"{given.source} 的 {given.reference} 已是工单 {order_id}，且内容不同。",
                order_id=order_id,
            )
        return await show(connection, branch_id, order_id), False
    requested_at = given.requested_at or now
    faults = list(_faults(given, requested_at, now))
    before = await parts_store.known_orders(connection, branch_id, given.predecessors)
    faults += unknown_orders("/predecessors", given.predecessors, before)
    if faults:
        raise Malformed(faults=faults)
    if given.wished is not None:
        require_to_come(given.wished.closes_at, at=requested_at)
    held = await parts_store.holders(connection, branch_id, given.serial_numbers)
    for serial_number, holder in sorted(held.items()):
        raise serial_taken(serial_number, holder["order_id"])
    asked = Asked(
        given.kind,
        given.customer_class,
        given.standard_address,
        requested_at,
        needed_skills=tuple(sorted(set(given.needed_skills))),
        requester=await _requester(connection, branch_id, given, principal),
        held=not given.give_out,
        people=given.people_needed,
    )
    order_id = str(new_id())
    await handlers.add(
        connection,
        branch_id,
        {
            "order_id": order_id,
            "source": given.source,
            "reference": given.reference,
            "request_digest": asked_digest,
            "priority": given.priority,
            "customer_id": given.customer_id,
            "subscription_id": given.subscription_id,
            "needed_skills": list(asked.needed_skills),
            "wished_from": given.wished and given.wished.opens_at,
            "wished_to": given.wished and given.wished.closes_at,
            "latitude": given.where and given.where.latitude,
            "longitude": given.where and given.where.longitude,
            "contact_note": given.contact_note,
            "held": asked.held,
            "people_needed": given.people_needed,
            "photo_needed": given.kind in SHOWN_BY_PHOTO,
            "flags": [] if given.where is not None else [NO_PLACE],
        },
        await find_place(connection, branch_id, asked),
        at=requested_at,
        now=now,
    )
    await _add_parts(connection, branch_id, order_id, given, principal=principal, now=now)
    return await show(connection, branch_id, order_id), True


def _faults(given: OrderIn, requested_at: datetime, now: datetime) -> Iterator[Fault]:
    if given.customer_id is None and not is_network_work(given.kind, given.customer_class):
        yield Fault(
            "/customer_id",
            "missing",
            f"{given.kind} is work for a customer: say for whom",
            f"{given.kind} 为客户工单，须填写客户编号",
        )
    if requested_at > now:
        yield Fault("/requested_at", "to-come", "this has not come yet", "时间在将来")
    named = {
        "tasks": [one.task_id for one in given.tasks],
        "materials": [one.material_id for one in given.materials],
        "serial_numbers": list(given.serial_numbers),
        "predecessors": list(given.predecessors),
    }
    for name, values in named.items():
        for index, one in enumerate(values):
            if one in values[:index]:
                yield Fault(
                    f"/{name}/{index}", "named-twice", f"{one} is named twice", f"{one} 重复"
                )


async def _requester(
    connection: AsyncConnection, branch_id: int, given: OrderIn, principal: Principal
) -> str | None:
    """Return in whose name an order is asked for (R25, R26).

    Of enterprise customers that is the enterprise centre, whoever writes it down: it rates the work.
    A caller bound to one centre asks in its name.
    """
    named = given.requester_centre_id
    if given.customer_class is not CustomerClass.PUBLIC:
        enterprise = await store.first_centre(connection, branch_id, CentreKind.ENTERPRISE)
        if named not in {None, enterprise}:
            said = f"the requester is {enterprise}", f"该类客户的需求方为 {enterprise}"
            raise Malformed(faults=[Fault("/requester_centre_id", "not-the-requester", *said)])
        named = enterprise
    elif named is None and principal.centre_ids is not None and len(principal.centre_ids) == 1:
        (named,) = principal.centre_ids
    if principal.centre_ids is not None:
        principal.require_centre(named or "")
    if named is not None and await store.centre_kind(connection, branch_id, named) is None:
        said = f"there is no centre {named}", f"没有中心 {named}"
        raise Malformed(faults=[Fault("/requester_centre_id", "unknown-centre", *said)])
    return named


async def _add_parts(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    given: OrderIn,
    *,
    principal: Principal,
    now: datetime,
) -> None:
    key = {"branch_id": branch_id, "order_id": order_id}
    for task in given.tasks:
        await parts_store.put_task(connection, key | task.model_dump())
    for one in given.materials:
        row = {"material_id": one.material_id, "unit": one.unit, "planned": one.quantity, "used": 0}
        await parts_store.put_material(connection, key | row)
    for serial_number in given.serial_numbers:
        row = {
            "serial_number": serial_number,
            "use": SerialUse.PLANNED,
            "by": principal.subject,
            "at": now,
            "holds": True,
        }
        await parts_store.put_serial(connection, key | row)
    if given.predecessors:
        await parts_store.replace_predecessors(connection, branch_id, order_id, given.predecessors)
