"""The route of the fairness views.

Centres are held against one another: what they gave and got is found in the whole branch.
"""

from typing import Annotated

from huaxiao.dispatch.fairness import handlers
from huaxiao.shared import web
from huaxiao.shared.auth import Principal, Role, allow
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.spans import BadSpan
from huaxiao.shared.unit_of_work import BranchReadTx
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.fairness import FairnessReport

router = web.router(tags=["appraisals"])


@router.get("/appraisal-fairness", responses=web.problem_responses(Forbidden, BadSpan))
async def get_fairness(
    branch_id: BranchId,
    connection: BranchReadTx,
    principal: Annotated[
        Principal, allow(Role.COUNTY_MANAGER, Role.AUDITOR, Role.PROVINCE, whole_branch=True)
    ],
    period_from: PeriodText,
    period_to: PeriodText,
) -> FairnessReport:
    """Hold the marks of some months against what was measured, and name what deserves a look."""
    return await handlers.report(
        connection, branch_id, (period_from, period_to), principal=principal
    )
