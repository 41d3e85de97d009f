"""To whom an order may be given: an engineer or a crew of its centre, or another centre."""

from collections.abc import Iterable

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.dispatching import skills_for
from huaxiao.dispatch.domain.order_states import StepNotAllowed
from huaxiao.dispatch.orders import store
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.dispatch import OrderKind

_PERFORMING = frozenset(
    {CentreKind.TOWN, CentreKind.TOWNSHIP, CentreKind.OWN_HALL, CentreKind.BUILD_MAINTAIN}
)
"""Kinds of centre that do the work of orders."""


async def check_assignee(
    connection: AsyncConnection,
    branch_id: int,
    row: RowMapping,
    *,
    engineer_id: str | None,
    crew_id: str | None,
) -> None:
    """Check that an engineer or a crew is of the order's centre and can do the work.

    Raises:
        StepNotAllowed: it is not, or lacks skills, which are named.

    """
    centre_id = row["performer_centre_id"] or ""
    able: dict[str, frozenset[str]]
    if crew_id is not None:
        chosen, what, what_zh = crew_id, "Crew", "施工队"
        there = await store.centre_crews(connection, branch_id, centre_id, of_order=row["order_id"])
        able = {one.crew_id: one.skills for one in there}
    else:
        chosen, what, what_zh = engineer_id or "", "Engineer", "装维人员"
        people = await store.engineers(connection, branch_id, centre_id)
        able = {one.person_id: one.skills for one in people}
    if chosen not in able:
        raise StepNotAllowed(
            f"{what} {chosen} is not of {centre_id or 'any centre that has this order'}.",
            f"{what_zh} {chosen} 不属于承办中心 {centre_id or '（未定）'}。",
            assignee=chosen,
            centre_id=centre_id or None,
        )
    lacking = skills_for(OrderKind(row["kind"]), row["needed_skills"]) - able[chosen]
    if lacking:
        raise StepNotAllowed(
            f"{what} {chosen} cannot do this work: {_listed(lacking)} is missing.",
            f"{what_zh} {chosen} 缺少技能：{_listed(lacking)}。",
            assignee=chosen,
            missing_skills=sorted(lacking),
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


async def check_receiving_centre(
    connection: AsyncConnection, branch_id: int, centre_id: str
) -> None:
    """Check that a centre is there, not closed, and does the work of orders.

    Raises:
        StepNotAllowed: it is not.

    """
    kind = await store.centre_kind(connection, branch_id, centre_id)
    if kind not in _PERFORMING or not await store.is_open(connection, branch_id, centre_id):
        raise StepNotAllowed(
            f"{centre_id} is no centre that performs orders.",
            f"{centre_id} 不是承办工单的中心。",
            centre_id=centre_id,
        )
