"""Routes of earnings."""

from typing import Annotated

from huaxiao.dispatch.earnings import handlers
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.earnings import Earnings

router = web.router(tags=["earnings"])


@router.get("/earnings", responses=web.problem_responses(Forbidden))
async def get_earnings(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER)],
    period: PeriodText,
) -> Earnings:
    """Show what people earned of finished orders, with the orders behind each figure (R14).

    An engineer is shown their own, a contractor its centre's.
    """
    return await handlers.show(connection, branch_id, Period(period), principal)
