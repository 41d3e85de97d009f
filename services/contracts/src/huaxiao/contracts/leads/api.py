"""Routes of the register of leads."""

from typing import Annotated

from fastapi import Query, Request

from huaxiao.contracts.callers import LeadDecider, Reporter, Settler
from huaxiao.contracts.domain.leads import (
    LeadNotApproved,
    LeadTaken,
    ListedCustomer,
)
from huaxiao.contracts.domain.references import NotWorkingHere, UnknownReference
from huaxiao.contracts.leads import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Conflict, Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.leads import (
    Lead,
    LeadConversionIn,
    LeadDecisionIn,
    LeadIn,
    LeadState,
    LeadSummary,
)

router = web.router(tags=["leads"])


@router.post(
    "/leads",
    status_code=201,
    responses=web.problem_responses(Forbidden, UnknownReference, NotWorkingHere),
)
async def bring_lead(
    request: Request, branch_id: BranchId, given: LeadIn, connection: WriteTx, principal: Reporter
) -> Lead:
    """Bring a lead; anybody who works here may (R16)."""
    return await handlers.bring(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )


@router.get("/leads", responses=web.problem_responses(Forbidden))
async def list_leads(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: Reporter,
    page: PageOf,
    state: Annotated[LeadState | None, Query(description="only in this state today")] = None,
    centre_id: Annotated[
        Identifier | None, Query(description="only those this centre or its people have a part in")
    ] = None,
) -> Page[LeadSummary]:
    """List leads by number: a contractor its centre's, an engineer their own."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_leads(
        connection,
        branch_id,
        principal=principal,
        state=state,
        centre_id=centre_id,
        today=business_day(request.app.state.clock()),
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "number")


@router.get("/leads/{lead_id}", responses=web.problem_responses(Forbidden))
async def get_lead(
    request: Request,
    branch_id: BranchId,
    lead_id: Identifier,
    connection: ReadTx,
    principal: Reporter,
) -> Lead:
    """Show a lead and everything that was done with it."""
    return await handlers.show_one(
        connection,
        branch_id,
        lead_id,
        principal=principal,
        today=business_day(request.app.state.clock()),
    )


@router.put(
    "/leads/{lead_id}/decision",
    responses=web.problem_responses(
        Forbidden, TwoPeople, Conflict, UnknownReference, ListedCustomer, LeadTaken
    ),
)
async def decide_lead(
    request: Request,
    branch_id: BranchId,
    lead_id: Identifier,
    given: LeadDecisionIn,
    connection: WriteTx,
    principal: LeadDecider,
) -> Lead:
    """Approve or reject, as somebody who neither brought the lead nor has a part in it."""
    return await handlers.decide(
        connection, branch_id, lead_id, given, principal=principal, now=request.app.state.clock()
    )


@router.post(
    "/leads/{lead_id}/conversion",
    responses=web.problem_responses(Forbidden, Conflict, LeadNotApproved),
)
async def convert_lead(
    request: Request,
    branch_id: BranchId,
    lead_id: Identifier,
    given: LeadConversionIn,
    connection: WriteTx,
    principal: Settler,
) -> Lead:
    """Say once which subscriptions an approved lead became, and publish it (R16)."""
    return await handlers.convert(
        connection, branch_id, lead_id, given, principal=principal, now=request.app.state.clock()
    )
