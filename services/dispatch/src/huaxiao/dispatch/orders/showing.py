"""Orders as they are shown: their fields, who has them, and all that belongs to them."""

from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.attachments import store as attachments_store
from huaxiao.dispatch.domain.order_states import OrderProgress, Span
from huaxiao.dispatch.orders import store
from huaxiao.dispatch.parts import store as parts_store
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.dispatch import OrderState
from huaxiao.shared.wire.orders import OrderDetail


def render(row: RowMapping) -> dict[str, Any]:
    """Return an order's fields as the wire has them."""
    return dict(row) | {
        "on_time": progress(row).on_time,
        "wished": _window(row, "wished_from", "wished_to"),
        "appointment": _window(row, "appointed_from", "appointed_to"),
        "where": _point(row),
    }


def _render_step(row: RowMapping) -> dict[str, Any]:
    window = _window(row, "opens_at", "closes_at")
    return dict(row) | {"window": window, "where": _point(row)}


def _window(row: RowMapping, opens: str, closes: str) -> dict[str, Any] | None:
    if row[opens] is None:
        return None
    return {"opens_at": row[opens], "closes_at": row[closes]}


def _point(row: RowMapping) -> dict[str, Any] | None:
    if row["latitude"] is None:
        return None
    return {"latitude": row["latitude"], "longitude": row["longitude"]}


def progress(row: RowMapping, crew: frozenset[str] = frozenset()) -> OrderProgress:
    """Return how far an order is that a crew of these people has, or nobody or one engineer."""
    appointed = row["appointed_from"]
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
        suspended_in=row["suspended_in"] and OrderState(row["suspended_in"]),
        crew_id=row["crew_id"],
        crew=crew,
        centre_id=row["performer_centre_id"],
        appointment=appointed and Span(appointed, row["appointed_to"]),
        visits=row["visits"],
        reworks=row["reworks"],
        handovers=row["handovers"],
    )


async def progress_of(
    connection: AsyncConnection, branch_id: int, row: RowMapping
) -> OrderProgress:
    """Return how far an order is, and who has it."""
    if row["crew_id"] is None:
        return progress(row)
    crew = await store.crew(connection, branch_id, row["crew_id"])
    return progress(row, frozenset() if crew is None else frozenset(crew["members"]))


async def show(connection: AsyncConnection, branch_id: int, order_id: str) -> OrderDetail:
    """Return an order with everything that happened to it and belongs to it."""
    row = await store.load(connection, branch_id, order_id)
    if row is None:
        raise NotFound
    key = (connection, branch_id, order_id)
    return OrderDetail.model_validate(
        render(row)
        | {
            "steps": [_render_step(one) for one in await store.steps(*key)],
            "tasks": [dict(one) for one in await parts_store.tasks(*key)],
            "materials": [dict(one) for one in await parts_store.materials(*key)],
            "serials": [dict(one) for one in await parts_store.serials(*key)],
            "predecessors": [one.order_id for one in await parts_store.predecessors(*key)],
            "notes": [dict(one) for one in await parts_store.notes(*key)],
            "attachments": [dict(one) for one in await attachments_store.listed(*key)],
        }
    )
