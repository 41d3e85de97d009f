"""Routes of branches and divisions."""

from typing import Annotated

from fastapi import Body, Request, Response, status

from huaxiao.contracts.branches import handlers, store
from huaxiao.contracts.callers import Reader, Writer
from huaxiao.contracts.domain.divisions import TwoParents
from huaxiao.contracts.domain.references import UnknownReference
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.contracts import (
    AddressUnit,
    AddressUnitIn,
    AddressUnitsAdded,
    Branch,
    BranchIn,
    BranchSummary,
    Division,
    DivisionIn,
    DivisionsAdded,
)

_MAX_DIVISIONS = 5000
listing = web.router(tags=["branches"], prefix="/v1")
router = web.router(tags=["branches"])


@listing.get("/branches", responses=web.problem_responses(Forbidden))
async def list_branches(connection: ReadTx, principal: Reader, page: PageOf) -> Page[BranchSummary]:
    """List the branches that the caller may enter, by code."""
    after = page.after(int)
    rows = await store.page_of_branches(
        connection,
        principal.branch_ids,
        after=after[0] if after else 0,
        limit=page.limit + 1,
    )
    return page.page([BranchSummary.model_validate(dict(row)) for row in rows], "branch_id")


@listing.put(
    "/branches/{branch_id}",
    responses=web.problem_responses(Forbidden, Conflict) | {201: {"model": Branch}},
)
async def put_branch(
    request: Request,
    response: Response,
    branch_id: BranchId,
    given: BranchIn,
    connection: WriteTx,
    _: Writer,
) -> Branch:
    """Register a county branch under its division code."""
    made, is_new = await handlers.register(
        connection, branch_id, given, now=request.app.state.clock()
    )
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return made


@router.post("/divisions", responses=web.problem_responses(Forbidden, Conflict))
async def add_divisions(
    branch_id: BranchId,
    given: Annotated[list[DivisionIn], Body(min_length=1, max_length=_MAX_DIVISIONS)],
    connection: WriteTx,
    _: Writer,
) -> DivisionsAdded:
    """Add divisions of the branch and those that contain it; known ones change nothing."""
    return await handlers.add_divisions(connection, branch_id, given)


@router.get("/divisions", responses=web.problem_responses(Forbidden))
async def list_divisions(
    branch_id: BranchId, connection: ReadTx, _: Reader, page: PageOf
) -> Page[Division]:
    """List the divisions by code."""
    after = page.after(str)
    rows = await store.page_of_divisions(
        connection, branch_id, after=after[0] if after else "", limit=page.limit + 1
    )
    return page.page([Division.model_validate(dict(row)) for row in rows], "code")


@router.post(
    "/address-units",
    responses=web.problem_responses(Forbidden, Conflict, UnknownReference, TwoParents),
)
async def add_address_units(
    branch_id: BranchId,
    given: Annotated[list[AddressUnitIn], Body(min_length=1, max_length=_MAX_DIVISIONS)],
    connection: WriteTx,
    _: Writer,
) -> AddressUnitsAdded:
    """Add compounds, buildings and units below villages, in a locked field too (R8, R21)."""
    return await handlers.add_units(connection, branch_id, given)


@router.get("/address-units", responses=web.problem_responses(Forbidden))
async def list_address_units(
    branch_id: BranchId, connection: ReadTx, _: Reader, page: PageOf
) -> Page[AddressUnit]:
    """List address units by code."""
    (after,) = page.after(str) or ("",)
    rows = await store.page_of_units(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page([AddressUnit.model_validate(dict(row)) for row in rows], "code")
