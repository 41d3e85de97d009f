"""Routes of the ledger.

A period's books are held against each other as a whole: these find the whole branch.
"""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query, Request

from huaxiao.attribution.callers import BranchReader, Reader
from huaxiao.attribution.ledger import handlers, store
from huaxiao.attribution.ledger.handlers import MomentToCome
from huaxiao.shared import web
from huaxiao.shared.database import Database
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import BigInt, Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.rows import Scope
from huaxiao.shared.spans import BadSpan, span_of
from huaxiao.shared.unit_of_work import BranchReadTx, ReadTx
from huaxiao.shared.wire.attribution import (
    Balance,
    BilledLines,
    Entry,
    PeriodBooks,
    Reconciliation,
    Statement,
)
from huaxiao.shared.wire.base import Moment, PeriodText

router = web.router(tags=["ledger"])
OfCentre = Annotated[Identifier | None, Query(description="only this centre")]


KnownAt = Annotated[
    Moment | None, Query(description="as it was known at this moment, which has passed")
]


async def _settled_moment(
    request: Request, branch_id: BranchId, _: Reader, known_at: KnownAt = None
) -> datetime:
    """Settle a moment, the present one if none is named, in a transaction that ends here."""
    database: Database = request.app.state.database
    async with database.write(Scope.of_branch(branch_id)) as connection:
        return await handlers.settle(connection, branch_id, known_at, now=request.app.state.clock())


async def _past_moment(
    request: Request, branch_id: BranchId, principal: Reader, known_at: KnownAt = None
) -> datetime | None:
    """Settle a moment if one is named."""
    if known_at is None:
        return None
    return await _settled_moment(request, branch_id, principal, known_at)


@router.get("/balances", responses=web.problem_responses(Forbidden, MomentToCome))
async def list_balances(
    branch_id: BranchId,
    principal: Reader,
    known_at: Annotated[datetime | None, Depends(_past_moment)],
    connection: ReadTx,
    page: PageOf,
    period: PeriodText,
    centre_id: OfCentre = None,
) -> Page[Balance]:
    """List a period's balances by centre, field and account: now, or as known at a moment."""
    after = page.after(str, str, str) or ("", "", "")
    found = await store.balance_page(
        connection,
        branch_id,
        period=period,
        centre_id=centre_id,
        centre_ids=principal.centre_ids,
        known_at=known_at,
        after=(after[0], after[1], after[2]),
        limit=page.limit + 1,
    )
    return page.page(found, "centre_id", "field_key", "account")


@router.get("/entries", responses=web.problem_responses(Forbidden, MomentToCome))
async def list_entries(
    branch_id: BranchId,
    principal: Reader,
    known_at: Annotated[datetime | None, Depends(_past_moment)],
    connection: ReadTx,
    page: PageOf,
    period: PeriodText | None = None,
    centre_id: OfCentre = None,
    subscription_id: Annotated[Identifier | None, Query()] = None,
    account: Annotated[Identifier | None, Query(description="debited or credited")] = None,
) -> Page[Entry]:
    """List the ledger's lines in the order they were booked, down to the event each came from."""
    (after,) = page.after(BigInt) or (0,)
    found = await store.entry_page(
        connection,
        branch_id,
        period=period,
        centre_id=centre_id,
        subscription_id=subscription_id,
        account=account,
        known_at=known_at,
        centre_ids=principal.centre_ids,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "number")


@router.get("/billed-lines", responses=web.problem_responses(Forbidden, MomentToCome, BadSpan))
async def get_billed_lines(
    branch_id: BranchId,
    principal: Reader,
    known_at: Annotated[datetime, Depends(_settled_moment)],
    connection: ReadTx,
    period_from: PeriodText,
    period_to: PeriodText,
) -> BilledLines:
    """Count the lines that were billed in some months by field and product: a contractor its own."""
    found = await store.billed_lines(
        connection,
        branch_id,
        span_of(period_from, period_to),
        centre_ids=principal.centre_ids,
        known_at=known_at,
    )
    return BilledLines(known_at=known_at, lines=found)


@router.get("/reconciliations", responses=web.problem_responses(Forbidden))
async def list_reconciliations(
    branch_id: BranchId, connection: BranchReadTx, _: BranchReader, page: PageOf
) -> Page[PeriodBooks]:
    """Hold the books of every period against its documents, the newest first."""
    (before,) = page.after(int) or (None,)
    found = await store.books(connection, branch_id, before=before, limit=page.limit + 1)
    return page.page(found, "period")


@router.get("/reconciliation", responses=web.problem_responses(Forbidden))
async def get_reconciliation(
    branch_id: BranchId, connection: BranchReadTx, _: BranchReader, period: PeriodText
) -> Reconciliation:
    """Hold the books of a period against the events they came from."""
    return await handlers.reconcile(connection, branch_id, period)


@router.get("/statements/{centre_id}", responses=web.problem_responses(Forbidden, MomentToCome))
async def get_statement(
    branch_id: BranchId,
    centre_id: Identifier,
    principal: Reader,
    known_at: Annotated[datetime, Depends(_settled_moment)],
    connection: ReadTx,
    period: PeriodText,
) -> Statement:
    """Show a centre's period as it was known at a moment; later corrections never change it."""
    principal.require_centre(centre_id)
    return await handlers.statement(connection, branch_id, centre_id, period, known_at=known_at)
