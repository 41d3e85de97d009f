"""Parts of orders: load, decide, record."""

from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.callers import acts_as_engineer
from huaxiao.dispatch.domain.order_parts import (
    require_at_work,
    require_no_cycle,
    require_not_begun,
    require_open,
    require_skill,
    require_unfinished,
    serial_taken,
)
from huaxiao.dispatch.domain.order_states import NotYourOrder, OrderProgress
from huaxiao.dispatch.orders import store as orders_store
from huaxiao.dispatch.orders.showing import progress_of, show
from huaxiao.dispatch.parts import store
from huaxiao.shared.auth import Principal
from huaxiao.shared.problems import Conflict, Fault, Forbidden, Malformed, NotFound
from huaxiao.shared.wire.dispatch import WORK_ENDED
from huaxiao.shared.wire.orders import (
    MaterialIn,
    NoteIn,
    OrderDetail,
    PredecessorsIn,
    SerialIn,
    SerialUse,
    TaskDoneIn,
    TaskIn,
)


async def order_at_hand(
    connection: AsyncConnection, branch_id: int, order_id: str, principal: Principal
) -> tuple[RowMapping, OrderProgress]:
    """Return an order that the caller may work on, locked: who has it, or who directs them.

    Raises:
        NotFound: there is none, or the caller is bound to centres that do not perform it.
        NotYourOrder: the caller is an engineer who was not given it.

    """
    row = await orders_store.load(connection, branch_id, order_id, lock=True)
    if row is None:
        raise NotFound
    progress = await progress_of(connection, branch_id, row)
    if acts_as_engineer(principal):
        if principal.person_id not in progress.has_it:
            raise NotYourOrder(order_id=order_id)
    elif principal.centre_ids is not None:
        principal.require_centre(row["performer_centre_id"])
    return row, progress


async def put_task(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    task_id: str,
    given: TaskIn,
    *,
    principal: Principal,
) -> OrderDetail:
    """Add a task to an order, or change one that is not done.

    Raises:
        PartsClosed: the order is done, or ended.
        Conflict: the task is done, and was another.
        Forbidden: whoever does the work would make a required task a matter of choice.

    """
    _, progress = await order_at_hand(connection, branch_id, order_id, principal)
    require_unfinished(order_id, progress.state)
    for one in await store.tasks(connection, branch_id, order_id):
        if one["task_id"] != task_id:
            continue
        if acts_as_engineer(principal) and one["required"] and not given.required:
            raise Forbidden
        if one["done_at"] is not None:
            if any(one[name] != value for name, value in given.model_dump().items()):
                raise Conflict(
                    f"Task {task_id} is done.", f"任务 {task_id} 已完成。", task_id=task_id
                )
            return await show(connection, branch_id, order_id)
    key = {"branch_id": branch_id, "order_id": order_id, "task_id": task_id}
    await store.put_task(connection, key | given.model_dump())
    return await show(connection, branch_id, order_id)


async def finish_task(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    task_id: str,
    given: TaskDoneIn,
    *,
    principal: Principal,
    now: datetime,
) -> OrderDetail:
    """Record that a task is done, and by whom; the same again changes nothing.

    Raises:
        NotYourOrder: whoever did it does not have the order.
        PartsClosed: nobody works on the order.
        SkillMissing: whoever did it lacks the skill.
        Conflict: somebody else has done it.

    """
    row, progress = await order_at_hand(connection, branch_id, order_id, principal)
    tasks = await store.tasks(connection, branch_id, order_id)
    task = next((one for one in tasks if one["task_id"] == task_id), None)
    if task is None:
        raise NotFound
    told = given.done_by or row["engineer_id"]
    if acts_as_engineer(principal):
        told = given.done_by or principal.person_id
    if told is None or told not in progress.has_it:
        raise NotYourOrder(
            f"Order {order_id} was not given to {told or 'anybody named in done_by'}.",
            f"工单 {order_id} 未派给 {told or '（请填写 done_by）'}。",
            order_id=order_id,
            person_id=told,
        )
    if task["done_at"] is not None:
        if task["done_by"] != told:
            raise Conflict(
                f"Task {task_id} was done by {task['done_by']}.",
                f"任务 {task_id} 已由 {task['done_by']} 完成。",
                task_id=task_id,
                done_by=task["done_by"],
            )
        return await show(connection, branch_id, order_id)
    require_at_work(order_id, progress.state)
    at = given.at or now
    if at > now:
        fault = Fault("/at", "to-come", "this has not come yet", "时间在将来")
        raise Malformed(faults=[fault])
    require_skill(told, task["needed_skill"], await _skills(connection, branch_id, row, told))
    await store.put_task(
        connection,
        dict(task) | {"done_by": told, "done_at": at, "recorded_by": principal.subject},
    )
    return await show(connection, branch_id, order_id)


async def _skills(
    connection: AsyncConnection, branch_id: int, row: RowMapping, person_id: str
) -> frozenset[str]:
    """Return what somebody can do: as registered, or as their outside crew can."""
    known = await orders_store.skills_of_people(connection, branch_id)
    skills = known.get(person_id, frozenset())
    if row["crew_id"] is not None:
        crew = await orders_store.crew(connection, branch_id, row["crew_id"])
        if crew is not None:
            skills |= frozenset(crew["skills"])
    return skills


async def put_material(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    material_id: str,
    given: MaterialIn,
    *,
    principal: Principal,
) -> OrderDetail:
    """Say what is planned or was used of a material.

    Raises:
        PartsClosed: the order has ended.
        Malformed: a new material without a unit, or a known one in another.

    """
    _, progress = await order_at_hand(connection, branch_id, order_id, principal)
    require_open(order_id, progress.state)
    held = {
        one["material_id"]: one for one in await store.materials(connection, branch_id, order_id)
    }.get(material_id)
    unit = given.unit if held is None else held["unit"]
    if unit is None or given.unit not in {None, unit}:
        fault = Fault(
            "/unit",
            "wrong-unit",
            f"{material_id} needs a unit" if unit is None else f"{material_id} counts in {unit}",
            f"{material_id} 须填写计量单位" if unit is None else f"{material_id} 以{unit}计",
        )
        raise Malformed(faults=[fault])
    quantities = {
        "planned": given.planned if given.planned is not None else held["planned"] if held else 0,
        "used": given.used if given.used is not None else held["used"] if held else 0,
    }
    key = {"branch_id": branch_id, "order_id": order_id, "material_id": material_id}
    await store.put_material(connection, key | {"unit": unit} | quantities)
    return await show(connection, branch_id, order_id)


async def put_serial(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    serial_number: str,
    given: SerialIn,
    *,
    principal: Principal,
    now: datetime,
) -> OrderDetail:
    """Say what an order does with a device.

    Raises:
        PartsClosed: the order has ended.
        SerialTaken: another order has the device, and it is not one that is over and had used it.

    """
    _, progress = await order_at_hand(connection, branch_id, order_id, principal)
    require_open(order_id, progress.state)
    holder = (await store.holders(connection, branch_id, [serial_number])).get(serial_number)
    if holder is not None and holder["order_id"] != order_id:
        in_place = holder["use"] == SerialUse.USED and holder["state"] in WORK_ENDED
        if given.use is not SerialUse.RETURNED or not in_place:
            raise serial_taken(serial_number, holder["order_id"])
        await store.release_serial(connection, branch_id, serial_number, holder["order_id"])
    await store.put_serial(
        connection,
        {
            "branch_id": branch_id,
            "order_id": order_id,
            "serial_number": serial_number,
            "use": given.use,
            "material_id": given.material_id,
            "by": principal.subject,
            "at": now,
            "holds": given.use is not SerialUse.RETURNED,
        },
    )
    return await show(connection, branch_id, order_id)


async def put_predecessors(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    given: PredecessorsIn,
    *,
    principal: Principal,
) -> OrderDetail:
    """Say which orders come before an order.

    Raises:
        PartsClosed: work on the order has begun.
        Malformed: an order that is named is not there.
        PredecessorCycle: they would wait for each other.
        Forbidden: whoever does the work does not say what it waits for.

    """
    if acts_as_engineer(principal):
        raise Forbidden
    # One at a time: two changes could each be without a cycle, and not both together.
    await orders_store.place_alone(connection, branch_id)
    _, progress = await order_at_hand(connection, branch_id, order_id, principal)
    require_not_begun(order_id, progress.state)
    known = await store.known_orders(connection, branch_id, given.order_ids)
    faults = unknown_orders("/order_ids", given.order_ids, known)
    if faults:
        raise Malformed(faults=faults)
    waiting = await store.waits_for(connection, branch_id, given.order_ids)
    require_no_cycle(order_id, given.order_ids, waiting)
    await store.replace_predecessors(connection, branch_id, order_id, given.order_ids)
    return await show(connection, branch_id, order_id)


def unknown_orders(pointer: str, named: list[str], known: set[str]) -> list[Fault]:
    """Return a fault for each order that is named and not there."""
    return [
        Fault(f"{pointer}/{index}", "unknown-order", f"there is no order {one}", f"没有工单 {one}")
        for index, one in enumerate(named)
        if one not in known
    ]


async def add_note(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    given: NoteIn,
    *,
    principal: Principal,
    now: datetime,
) -> OrderDetail:
    """Add a note to an order that the caller may see."""
    row = await orders_store.load(connection, branch_id, order_id, lock=True)
    if row is None or not await orders_store.is_visible(connection, branch_id, order_id, principal):
        raise NotFound
    number = len(await store.notes(connection, branch_id, order_id)) + 1
    await store.add_note(
        connection,
        {
            "branch_id": branch_id,
            "order_id": order_id,
            "number": number,
            "text": given.text,
            "by": principal.subject,
            "at": now,
        },
    )
    return await show(connection, branch_id, order_id)
