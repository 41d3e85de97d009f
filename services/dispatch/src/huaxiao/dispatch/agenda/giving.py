"""Give an order to whom a plan names, by the order's own steps."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.agenda import store
from huaxiao.dispatch.agenda.holders import holders_of, people_of
from huaxiao.dispatch.orders import handlers as orders
from huaxiao.dispatch.orders import store as order_store
from huaxiao.shared.auth import Principal
from huaxiao.shared.wire.dispatch import OrderStepIn, StepName


async def give_to(
    connection: AsyncConnection,
    branch_id: int,
    row: RowMapping,
    holders: Iterable[str],
    *,
    reason: str,
    principal: Principal,
    now: datetime,
    centre_id: str | None = None,
) -> bool:
    """Give an order to engineers or a crew; say whether that changed anything.

    With ``centre_id`` it is handed over to that centre first, if another one has it.

    Raises:
        StepNotAllowed: the order's state, or who they are, does not permit it.

    """
    engineers, crew_id = people_of(holders)
    has_it = holders_of(row, await _members(connection, branch_id, row))
    if has_it == frozenset(holders):
        return False
    order_id = row["order_id"]
    if centre_id is not None and centre_id != row["performer_centre_id"]:
        hand_over = OrderStepIn(step=StepName.HAND_OVER, reason=reason, centre_id=centre_id)
        await orders.take_step(
            connection,
            branch_id,
            order_id,
            hand_over,
            principal=principal,
            now=now,
            give_out=False,
        )
        loaded = await order_store.load(connection, branch_id, order_id)
        assert loaded is not None  # noqa: S101 - it was handed over just now
        row = loaded
    if len(engineers) > 1:
        crew_id = await store.put_crew_of_order(connection, branch_id, row, engineers)
    step = OrderStepIn(
        step=StepName.REASSIGN,
        reason=reason,
        engineer_id=engineers[0] if crew_id is None else None,
        crew_id=crew_id,
    )
    await orders.take_step(connection, branch_id, order_id, step, principal=principal, now=now)
    return True


async def _members(
    connection: AsyncConnection, branch_id: int, row: RowMapping
) -> dict[str, list[str]]:
    if row["crew_id"] is None:
        return {}
    crew = await order_store.crew(connection, branch_id, row["crew_id"])
    if crew is None or crew["order_id"] is None:
        return {}
    return {crew["crew_id"]: crew["members"]}
