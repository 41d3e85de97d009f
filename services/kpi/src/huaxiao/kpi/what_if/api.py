"""The route of what would be."""

from typing import Annotated

from fastapi import Request

from huaxiao.kpi.moments import KnownAt, MomentToCome
from huaxiao.kpi.readers import READERS, sees_county
from huaxiao.kpi.what_if import handlers
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.what_if import WhatIf, WhatIfIn

router = web.router(tags=["what-if"])


@router.post("/targets/what-if", responses=web.problem_responses(MomentToCome))
async def what_if(
    branch_id: BranchId,
    request: Request,
    given: WhatIfIn,
    connection: ReadTx,
    principal: Annotated[Principal, READERS],
    known_at: KnownAt,
) -> WhatIf:
    """Judge targets and units' targets as they are, and with other measures or goals; keep nothing."""
    return await handlers.compare(
        connection,
        branch_id,
        given,
        centre_ids=principal.centre_ids,
        with_county=sees_county(principal),
        known_at=known_at,
        now=request.app.state.clock(),
    )
