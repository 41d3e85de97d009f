"""The route that tries other rules or fields.

Other rules would move lines between any centres: these find the whole branch.
"""

from fastapi import Request

from huaxiao.attribution.callers import BranchReader
from huaxiao.attribution.rule_sets.handlers import RulesNotValid
from huaxiao.attribution.what_if import handlers
from huaxiao.attribution.what_if.handlers import FieldsNotPossible
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import BranchReadTx
from huaxiao.shared.wire.attribution import WhatIf, WhatIfIn

router = web.router(tags=["rules"])


@router.post(
    "/what-if", responses=web.problem_responses(Forbidden, RulesNotValid, FieldsNotPossible)
)
async def ask_what_if(
    request: Request,
    branch_id: BranchId,
    given: WhatIfIn,
    connection: BranchReadTx,
    _: BranchReader,
) -> WhatIf:
    """Show how other rules or fields would have divided past months; nothing is changed."""
    return await handlers.what_if(connection, request.app.state.counties, branch_id, given)
