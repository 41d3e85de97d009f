"""Give an order to whom a plan names, by the order's own steps."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.agenda import store
from huaxiao.dispatch.agenda.days import LoadedDay
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
    holders = frozenset(holders)
    has_it = holders_of(row, await _members(connection, branch_id, row))
    if has_it == holders:
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
    step = await _reassign(connection, branch_id, row, holders, reason)
    await orders.take_step(connection, branch_id, order_id, step, principal=principal, now=now)
    return True


async def give_all(
    connection: AsyncConnection,
    branch_id: int,
    wanted: Mapping[str, Sequence[str]],
    loaded: LoadedDay,
    *,
    reason: str,
    principal: Principal,
    now: datetime,
) -> list[str]:
    """Give orders of a day to whom a plan has them with; return those for which that is a change.

    The orders are locked by this transaction, and whom they are given to can do them.

    Raises:
        StepNotAllowed: the state of one does not permit it.

    """
    changed = [
        name
        for name, holders in sorted(wanted.items())
        if holders_of(loaded.orders[name], loaded.members) != frozenset(holders)
    ]
    at_once = []
    for name in changed:
        row, holders = loaded.orders[name], wanted[name]
        centre_id = loaded.day.problem.engineer[holders[0]].centre
        if centre_id != row["performer_centre_id"]:
            await give_to(
                connection,
                branch_id,
                row,
                holders,
                reason=reason,
                principal=principal,
                now=now,
                centre_id=centre_id,
            )
        else:
            step = await _reassign(connection, branch_id, row, holders, reason)
            at_once.append((row, step))
    await orders.reassign_all(connection, branch_id, at_once, principal=principal, now=now)
    return changed


async def _reassign(
    connection: AsyncConnection,
    branch_id: int,
    row: RowMapping,
    holders: Iterable[str],
    reason: str,
) -> OrderStepIn:
    engineers, crew_id = people_of(holders)
    if len(engineers) > 1:
        crew_id = await store.put_crew_of_order(connection, branch_id, row, engineers)
    return OrderStepIn(
        step=StepName.REASSIGN,
        reason=reason,
        engineer_id=engineers[0] if crew_id is None else None,
        crew_id=crew_id,
    )


async def _members(
    connection: AsyncConnection, branch_id: int, row: RowMapping
) -> dict[str, list[str]]:
    if row["crew_id"] is None:
        return {}
    crew = await order_store.crew(connection, branch_id, row["crew_id"])
    if crew is None or crew["order_id"] is None:
        return {}
    return {crew["crew_id"]: crew["members"]}
