"""The route that says why.

A line's story names its owners before and who contests it: it is found in the whole branch.
"""

from fastapi import Request

from huaxiao.attribution.callers import Reader
from huaxiao.attribution.explanations import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import BranchReadTx
from huaxiao.shared.wire.attribution import Explanation
from huaxiao.shared.wire.base import PeriodText

router = web.router(tags=["explanations"])


@router.get(
    "/subscriptions/{subscription_id}/explanation", responses=web.problem_responses(Forbidden)
)
async def get_explanation(
    request: Request,
    branch_id: BranchId,
    subscription_id: Identifier,
    connection: BranchReadTx,
    principal: Reader,
    period: PeriodText | None = None,
) -> Explanation:
    """Say why a subscription's revenue belongs where it does: the rule, the evidence, the rest."""
    return await handlers.explain(
        connection,
        request.app.state.counties,
        branch_id,
        subscription_id,
        period,
        principal,
        now=request.app.state.clock(),
    )
