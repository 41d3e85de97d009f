"""Nobody is in two places: who works at one address does not begin at another."""

from datetime import datetime, timedelta
from http import HTTPStatus

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.orders import store
from huaxiao.shared.masking import masked_address
from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.dispatch import StepName

_AS_IT_HAPPENS = timedelta(minutes=15)
"""A step told within so long is told as it happens; later ones come in no certain order."""
_GOING = {StepName.TRAVEL, StepName.START}


class Elsewhere(Problem):
    """The engineer is at work at another address: that order is finished or suspended first."""

    code = "engineer-elsewhere"
    status = HTTPStatus.CONFLICT
    title = "The engineer is at work at another address"
    title_zh = "该人员正在其他地址作业，请先完工或挂起"


async def require_here(
    connection: AsyncConnection,
    row: RowMapping,
    step: StepName,
    engineer_id: str | None,
    *,
    at: datetime,
    now: datetime,
) -> None:
    """Check that whoever goes to an order, or begins it, is not at work elsewhere.

    Raises:
        Elsewhere: they are; the order there is named.

    """
    if step not in _GOING or engineer_id is None or now - at > _AS_IT_HAPPENS:
        return
    other = await store.at_work_elsewhere(
        connection, row["branch_id"], engineer_id, address=row["standard_address"]
    )
    if other is not None:
        place = masked_address(other["standard_address"])
        raise Elsewhere(
            f"{engineer_id} is at work on order {other['order_id']} at {place}.",
            f"{engineer_id} 正在 {place} 办理工单 {other['order_id']}。",
            order_id=other["order_id"],
            engineer_id=engineer_id,
        )
