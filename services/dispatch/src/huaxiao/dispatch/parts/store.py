"""What orders are made of, in the database."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.order_parts import Predecessor
from huaxiao.dispatch.tables import (
    order_materials,
    order_notes,
    order_predecessors,
    order_serials,
    order_tasks,
    orders,
)
from huaxiao.shared.wire.dispatch import OrderState
from huaxiao.shared.wire.orders import SerialUse

_DEVICES = 27
"""Class of the advisory locks under which a branch's devices change hands."""


async def tasks(connection: AsyncConnection, branch_id: int, order_id: str) -> Sequence[RowMapping]:
    """Return an order's tasks by id."""
    rows = await connection.execute(
        select(order_tasks)
        .where(order_tasks.c.branch_id == branch_id, order_tasks.c.order_id == order_id)
        .order_by(order_tasks.c.task_id)
    )
    return rows.mappings().all()


async def put_task(connection: AsyncConnection, task: Mapping[str, Any]) -> None:
    """Add a task, or change it."""
    await connection.execute(
        insert(order_tasks)
        .values(**task)
        .on_conflict_do_update(index_elements=["branch_id", "order_id", "task_id"], set_=dict(task))
    )


async def materials(
    connection: AsyncConnection, branch_id: int, order_id: str
) -> Sequence[RowMapping]:
    """Return an order's materials by id."""
    rows = await connection.execute(
        select(order_materials)
        .where(order_materials.c.branch_id == branch_id, order_materials.c.order_id == order_id)
        .order_by(order_materials.c.material_id)
    )
    return rows.mappings().all()


async def put_material(connection: AsyncConnection, material: Mapping[str, Any]) -> None:
    """Add a material, or change its quantities."""
    await connection.execute(
        insert(order_materials)
        .values(**material)
        .on_conflict_do_update(
            index_elements=["branch_id", "order_id", "material_id"], set_=dict(material)
        )
    )


async def serials(
    connection: AsyncConnection, branch_id: int, order_id: str
) -> Sequence[RowMapping]:
    """Return an order's devices by serial number."""
    rows = await connection.execute(
        select(order_serials)
        .where(order_serials.c.branch_id == branch_id, order_serials.c.order_id == order_id)
        .order_by(order_serials.c.serial_number)
    )
    return rows.mappings().all()


async def holders(
    connection: AsyncConnection, branch_id: int, serial_numbers: Iterable[str]
) -> dict[str, RowMapping]:
    """Return which order has each device, and how far it is; nobody else may change it until the end."""
    await connection.execute(select(func.pg_advisory_xact_lock(_DEVICES, branch_id)))
    rows = await connection.execute(
        select(order_serials, orders.c.state)
        .join(
            orders,
            and_(
                orders.c.branch_id == order_serials.c.branch_id,
                orders.c.order_id == order_serials.c.order_id,
            ),
        )
        .where(
            order_serials.c.branch_id == branch_id,
            order_serials.c.serial_number.in_(list(serial_numbers)),
            order_serials.c.holds,
        )
    )
    return {row["serial_number"]: row for row in rows.mappings()}


async def put_serial(connection: AsyncConnection, serial: Mapping[str, Any]) -> None:
    """Say what an order does with a device."""
    await connection.execute(
        insert(order_serials)
        .values(**serial)
        .on_conflict_do_update(
            index_elements=["branch_id", "serial_number", "order_id"], set_=dict(serial)
        )
    )


async def release_serial(
    connection: AsyncConnection, branch_id: int, serial_number: str, order_id: str
) -> None:
    """Free a device of the order that has it."""
    await connection.execute(
        update(order_serials)
        .where(
            order_serials.c.branch_id == branch_id,
            order_serials.c.serial_number == serial_number,
            order_serials.c.order_id == order_id,
        )
        .values(holds=False)
    )


async def release_planned_serials(
    connection: AsyncConnection, branch_id: int, order_id: str
) -> None:
    """Free the devices that an order was planned with and did not use."""
    await connection.execute(
        update(order_serials)
        .where(
            order_serials.c.branch_id == branch_id,
            order_serials.c.order_id == order_id,
            order_serials.c.use == SerialUse.PLANNED,
        )
        .values(holds=False)
    )


async def predecessors(
    connection: AsyncConnection, branch_id: int, order_id: str
) -> list[Predecessor]:
    """Return the orders that come before an order, by id."""
    rows = await connection.execute(
        select(orders.c.order_id, orders.c.state)
        .join(
            order_predecessors,
            and_(
                order_predecessors.c.branch_id == orders.c.branch_id,
                order_predecessors.c.predecessor_id == orders.c.order_id,
            ),
        )
        .where(
            order_predecessors.c.branch_id == branch_id,
            order_predecessors.c.order_id == order_id,
        )
        .order_by(orders.c.order_id)
    )
    return [Predecessor(row.order_id, OrderState(row.state)) for row in rows]


async def waits_for(
    connection: AsyncConnection, branch_id: int, order_ids: Iterable[str]
) -> dict[str, list[str]]:
    """Return for which orders some orders wait, and these, and so on."""
    edge = order_predecessors
    reached = (
        select(edge.c.order_id, edge.c.predecessor_id)
        .where(edge.c.branch_id == branch_id, edge.c.order_id.in_(list(order_ids)))
        .cte("reached", recursive=True)
    )
    reached = reached.union(
        select(edge.c.order_id, edge.c.predecessor_id).where(
            edge.c.branch_id == branch_id, edge.c.order_id == reached.c.predecessor_id
        )
    )
    found: dict[str, list[str]] = {}
    for row in await connection.execute(select(reached)):
        found.setdefault(row.order_id, []).append(row.predecessor_id)
    return found


async def known_orders(
    connection: AsyncConnection, branch_id: int, order_ids: Iterable[str]
) -> set[str]:
    """Return which of some orders there are."""
    rows = await connection.scalars(
        select(orders.c.order_id).where(
            orders.c.branch_id == branch_id, orders.c.order_id.in_(list(order_ids))
        )
    )
    return set(rows)


async def replace_predecessors(
    connection: AsyncConnection, branch_id: int, order_id: str, before: Iterable[str]
) -> None:
    """Set the orders that come before an order."""
    await connection.execute(
        delete(order_predecessors).where(
            order_predecessors.c.branch_id == branch_id,
            order_predecessors.c.order_id == order_id,
        )
    )
    rows = [
        {"branch_id": branch_id, "order_id": order_id, "predecessor_id": one}
        for one in sorted(set(before))
    ]
    if rows:
        await connection.execute(insert(order_predecessors), rows)


async def notes(connection: AsyncConnection, branch_id: int, order_id: str) -> Sequence[RowMapping]:
    """Return an order's notes, oldest first."""
    rows = await connection.execute(
        select(order_notes)
        .where(order_notes.c.branch_id == branch_id, order_notes.c.order_id == order_id)
        .order_by(order_notes.c.number)
    )
    return rows.mappings().all()


async def add_note(connection: AsyncConnection, note: Mapping[str, Any]) -> None:
    """Append a note."""
    await connection.execute(insert(order_notes).values(**note))
