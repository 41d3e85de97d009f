"""Routes of refused changes."""

from typing import Annotated

from fastapi import Path

from huaxiao.contracts.callers import Reader
from huaxiao.contracts.refusals import handlers, store
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.contracts import RefusedChange, RefusedChangeSummary

router = web.router(tags=["refused changes"])


@router.get("/refused-changes", responses=web.problem_responses(Forbidden))
async def list_refused_changes(
    branch_id: BranchId, connection: ReadTx, principal: Reader, page: PageOf
) -> Page[RefusedChangeSummary]:
    """List the attempts to change what is sealed, in their order: a contractor its centres' (R21)."""
    (after,) = page.after(int) or (0,)
    rows = await store.page(
        connection, branch_id, principal.centre_ids, after=after, limit=page.limit + 1
    )
    return page.page([RefusedChangeSummary.model_validate(dict(row)) for row in rows], "number")


@router.get("/refused-changes/{number}", responses=web.problem_responses(Forbidden))
async def get_refused_change(
    branch_id: BranchId,
    number: Annotated[int, Path(ge=1, lt=2**31)],
    connection: ReadTx,
    principal: Reader,
) -> RefusedChange:
    """Show an attempt, and all that it asked for."""
    return await handlers.show(connection, branch_id, number, principal.centre_ids)
