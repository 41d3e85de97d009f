"""Routes of payroll."""

from typing import Annotated

from fastapi import Body, Query, Request

from huaxiao.contracts.callers import PayrollWriter, Reader
from huaxiao.contracts.domain.headcount import NotPayable
from huaxiao.contracts.payroll import comparing, handlers, store
from huaxiao.contracts.settlements.handlers import NotInTerm
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.base import Moment, PeriodText
from huaxiao.shared.wire.contracts import CentrePay, PayComparison, PayIn, PersonPay

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


@router.get("/payroll", responses=web.problem_responses(Forbidden))
async def list_payroll(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Reader,
    page: PageOf,
    period: PeriodText,
    centre_id: Annotated[Identifier | None, Query()] = None,
    known_at: Annotated[
        Moment | None, Query(description="only what was recorded by this moment")
    ] = None,
) -> Page[PersonPay]:
    """List what people were paid in a period: a contractor those of its centre."""
    (after,) = page.after(str) or ("",)
    found = await store.page(
        connection,
        branch_id,
        period=period,
        centre_id=centre_id,
        centre_ids=principal.centre_ids,
        known_at=known_at,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "person_id")


@router.get(
    "/contracts/{contract_id}/pay-comparison", responses=web.problem_responses(Forbidden, NotInTerm)
)
async def compare_pay(
    branch_id: BranchId,
    contract_id: Identifier,
    connection: ReadTx,
    principal: Reader,
    period: PeriodText,
) -> PayComparison:
    """Hold the contractor's pay of the contract year so far against the team's, and the limit."""
    return await comparing.compare(
        connection, branch_id, contract_id, Period(period), principal.centre_ids
    )
