"""Routes of the operating company and its share register."""

from datetime import date
from typing import Annotated

from fastapi import Query, Request, Response, status

from huaxiao.contracts.callers import BranchReader, Settler, Writer
from huaxiao.contracts.domain.references import NotWorkingHere, UnknownReference
from huaxiao.contracts.domain.shares import MirrorsNothing, NotEnoughShares
from huaxiao.contracts.shares import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.base import WRITTEN_OUT
from huaxiao.shared.wire.shares import (
    CapTable,
    Company,
    CompanyIn,
    ShareMovement,
    ShareMovementIn,
)

router = web.router(tags=["shares"])


@router.put(
    "/company", responses=web.problem_responses(Forbidden, Conflict) | {201: {"model": Company}}
)
async def put_company(
    response: Response, branch_id: BranchId, given: CompanyIn, connection: WriteTx, _: Writer
) -> Company:
    """Register the operating company of the branch (R6)."""
    made, is_new = await handlers.register(connection, branch_id, given)
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return made


@router.get("/company", responses=web.problem_responses(Forbidden))
async def get_company(branch_id: BranchId, connection: ReadTx, _: BranchReader) -> Company:
    """Show the operating company."""
    return await handlers.company(connection, branch_id)


@router.post(
    "/share-movements",
    status_code=201,
    responses=web.problem_responses(
        Forbidden, UnknownReference, NotWorkingHere, NotEnoughShares, MirrorsNothing
    ),
)
async def move_shares(
    request: Request,
    branch_id: BranchId,
    given: ShareMovementIn,
    connection: WriteTx,
    principal: Settler,
) -> ShareMovement:
    """Issue, transfer or buy back shares, or mirror a movement that was wrong (R6)."""
    return await handlers.move(
        connection,
        branch_id,
        given,
        recorded_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get("/share-movements", responses=web.problem_responses(Forbidden))
async def list_share_movements(
    branch_id: BranchId,
    connection: ReadTx,
    _: BranchReader,
    page: PageOf,
    person_id: Annotated[Identifier | None, Query(description="only this person's")] = None,
) -> Page[ShareMovement]:
    """List the register by number."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_movements(
        connection, branch_id, person_id, after=after, limit=page.limit + 1
    )
    return page.page(found, "number")


@router.get("/cap-table", responses=web.problem_responses(Forbidden))
async def get_cap_table(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    _: BranchReader,
    on: Annotated[
        date | None, WRITTEN_OUT, Query(description="on this day; today when absent")
    ] = None,
) -> CapTable:
    """Show who holds the company on a day, and whether every own employee does (R6)."""
    return await handlers.cap_table(
        connection, branch_id, on or business_day(request.app.state.clock())
    )
