"""Routes of rulings.

A ruling moves lines from any centre to any other: these find the whole branch.
"""

from fastapi import Request

from huaxiao.attribution.callers import Closer, RulingReader
from huaxiao.attribution.rule_sets.handlers import PeriodIsClosed
from huaxiao.attribution.rulings import handlers, store
from huaxiao.attribution.rulings.handlers import (
    AmendmentNeeded,
    AmendmentUnknown,
    RulingNotPossible,
)
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import BranchReadTx, BranchWriteTx
from huaxiao.shared.wire.attribution import Ruling, RulingIn, RulingPreview

router = web.router(tags=["rulings"])


@router.get("/rulings", responses=web.problem_responses(Forbidden))
async def list_rulings(
    branch_id: BranchId, connection: BranchReadTx, _: RulingReader, page: PageOf
) -> Page[Ruling]:
    """List rulings, proposed and in force."""
    (after,) = page.after(str) or ("",)
    found = await store.page(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page(found, "ruling_id")


@router.get("/rulings/{ruling_id}", responses=web.problem_responses(Forbidden))
async def get_ruling(
    branch_id: BranchId, ruling_id: Identifier, connection: BranchReadTx, _: RulingReader
) -> Ruling:
    """Show a ruling."""
    return await handlers.show(connection, branch_id, ruling_id)


@router.get("/rulings/{ruling_id}/preview", responses=web.problem_responses(Forbidden))
async def preview_ruling(
    request: Request,
    branch_id: BranchId,
    ruling_id: Identifier,
    connection: BranchReadTx,
    _: RulingReader,
) -> RulingPreview:
    """Show what approving a ruling would move, and what each centre gains or loses by it."""
    return await handlers.preview(
        connection,
        request.app.state.counties,
        branch_id,
        ruling_id,
        now=request.app.state.clock(),
    )


@router.put(
    "/rulings/{ruling_id}",
    responses=web.problem_responses(
        Forbidden, Conflict, PeriodIsClosed, RulingNotPossible, AmendmentNeeded, AmendmentUnknown
    ),
)
async def put_ruling(
    request: Request,
    branch_id: BranchId,
    ruling_id: Identifier,
    given: RulingIn,
    connection: BranchWriteTx,
    principal: Closer,
) -> Ruling:
    """Propose whose subscriptions are to be (rule 010); it moves nothing before its approval."""
    return await handlers.draft(
        connection,
        request.app.state.counties,
        branch_id,
        ruling_id,
        given,
        by=principal.subject,
        now=request.app.state.clock(),
    )


@router.post(
    "/rulings/{ruling_id}/approve",
    responses=web.problem_responses(
        Forbidden,
        Conflict,
        TwoPeople,
        PeriodIsClosed,
        RulingNotPossible,
        AmendmentNeeded,
        AmendmentUnknown,
    ),
)
async def approve_ruling(
    request: Request,
    branch_id: BranchId,
    ruling_id: Identifier,
    connection: BranchWriteTx,
    principal: Closer,
) -> Ruling:
    """Put a ruling in force that somebody else has proposed."""
    return await handlers.approve(
        connection,
        request.app.state.counties,
        branch_id,
        ruling_id,
        by=principal.subject,
        now=request.app.state.clock(),
    )
