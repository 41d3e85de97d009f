"""Routes of commissions and of their terms."""

from typing import Annotated

from fastapi import Query, Request

from huaxiao.attribution.callers import BranchReader, Closer, Earner
from huaxiao.attribution.commissions import handlers, store
from huaxiao.attribution.rule_sets.handlers import PeriodIsClosed
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import BigInt, Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.attribution import (
    Commission,
    CommissionTerms,
    CommissionTermsIn,
    CommissionTotal,
)
from huaxiao.shared.wire.base import PeriodText

router = web.router(tags=["commissions"])


@router.get("/commissions", responses=web.problem_responses(Forbidden))
async def list_commissions(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Earner,
    page: PageOf,
    period: PeriodText,
    person_id: Annotated[Identifier | None, Query(description="only this person's")] = None,
) -> Page[Commission]:
    """List a month's commissions of leads, down to the payments and refunds behind them (R16)."""
    (after,) = page.after(BigInt) or (0,)
    found = await store.page(
        connection,
        branch_id,
        period=period,
        person_id=person_id,
        centre_ids=handlers.centres_of(principal),
        own_id=principal.person_id,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "number")


@router.get("/commission-totals", responses=web.problem_responses(Forbidden))
async def list_commission_totals(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Earner,
    page: PageOf,
    period: PeriodText,
) -> Page[CommissionTotal]:
    """List what each person has of a month's commissions."""
    (after,) = page.after(str) or ("",)
    found = await store.totals(
        connection,
        branch_id,
        period=period,
        centre_ids=handlers.centres_of(principal),
        own_id=principal.person_id,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "person_id")


@router.get("/commission-terms", responses=web.problem_responses(Forbidden))
async def list_commission_terms(
    branch_id: BranchId, connection: ReadTx, _: BranchReader, page: PageOf
) -> Page[CommissionTerms]:
    """List the branch's terms of commissions, proposed and in force."""
    (after,) = page.after(str) or ("",)
    found = await store.terms_page(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page(found, "terms_id")


@router.get("/commission-terms/{terms_id}", responses=web.problem_responses(Forbidden))
async def get_commission_terms(
    branch_id: BranchId, terms_id: Identifier, connection: ReadTx, _: BranchReader
) -> CommissionTerms:
    """Show terms of commissions."""
    return await handlers.show(connection, branch_id, terms_id)


@router.put("/commission-terms/{terms_id}", responses=web.problem_responses(Forbidden, Conflict))
async def put_commission_terms(
    request: Request,
    branch_id: BranchId,
    terms_id: Identifier,
    given: CommissionTermsIn,
    connection: WriteTx,
    principal: Closer,
) -> CommissionTerms:
    """Propose what leads approved from a month on earn, when they do not say it themselves."""
    return await handlers.draft(
        connection,
        branch_id,
        terms_id,
        given,
        by=principal.subject,
        now=request.app.state.clock(),
    )


@router.post(
    "/commission-terms/{terms_id}/approve",
    responses=web.problem_responses(Forbidden, TwoPeople, PeriodIsClosed),
)
async def approve_commission_terms(
    request: Request,
    branch_id: BranchId,
    terms_id: Identifier,
    connection: WriteTx,
    principal: Closer,
) -> CommissionTerms:
    """Put terms in force that somebody else has proposed."""
    return await handlers.approve(
        connection,
        request.app.state.counties,
        branch_id,
        terms_id,
        by=principal.subject,
        now=request.app.state.clock(),
    )
