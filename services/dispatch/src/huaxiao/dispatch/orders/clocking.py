"""How the service clock of an order follows what happens to it (R25)."""

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.clocks import handlers as clocks
from huaxiao.dispatch.domain.order_states import OrderProgress
from huaxiao.dispatch.orders.placing import Place
from huaxiao.shared.wire.dispatch import OrderState, OrderStepIn, StepName


async def begun_for(
    connection: AsyncConnection, branch_id: int, place: Place, at: datetime
) -> clocks.Begun | None:
    """Return the clock of work that is given out, or None of work that waits for somebody."""
    if not place.is_given_out:
        return None
    return await clocks.judge(connection, branch_id, place.asked.work, rural=place.rural, at=at)


async def follow_place(
    connection: AsyncConnection, row: RowMapping, place: Place, *, at: datetime
) -> dict[str, Any]:
    """Let the clock begin when an order is given out first, and go on wherever it belongs later.

    What is learnt of where the address lies changes how long it may take, from when it began. A
    round is due when its cycle ends, whoever does it.
    """
    begun_at = row["dispatched_at"] or (at if place.is_given_out else None)
    known = row["dispatched_at"] is not None and row["rural"] == place.rural
    if row["asset_id"] is not None or begun_at is None or known:
        return {}
    branch_id, order_id = row["branch_id"], row["order_id"]
    begun = await clocks.judge(
        connection, branch_id, place.asked.work, rural=place.rural, at=begun_at
    )
    if begun is None:
        return {}
    await clocks.begin(connection, branch_id, order_id, begun)
    state = OrderState(row["state"])
    return {"due_at": begun.due_at} | await clocks.changes_after(
        connection, row, state=state, at=at
    )


async def follow_step(
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
    if given.step is StepName.REWORK:
        await clocks.look_again(connection, row, reason=given.reason or "", at=at)
    return await clocks.changes_after(connection, row, state=after.state, at=at)
