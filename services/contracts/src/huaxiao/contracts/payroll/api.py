"""The route of payroll."""

from typing import Annotated

from fastapi import Body, Request

from huaxiao.contracts.callers import PayrollWriter
from huaxiao.contracts.domain.headcount import NotPayable
from huaxiao.contracts.payroll import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import WriteTx
from huaxiao.shared.wire.contracts import CentrePay, PayIn

_MAX_PAYS = 2000
router = web.router(tags=["payroll"])


@router.post("/payroll", responses=web.problem_responses(Forbidden, Conflict, NotPayable))
async def record_payroll(
    request: Request,
    branch_id: BranchId,
    given: Annotated[list[PayIn], Body(min_length=1, max_length=_MAX_PAYS)],
    connection: WriteTx,
    _: PayrollWriter,
) -> list[CentrePay]:
    """Record own staff's pay, once a person and period (R4); answer what each centre stands at."""
    return await handlers.record(connection, branch_id, given, now=request.app.state.clock())
