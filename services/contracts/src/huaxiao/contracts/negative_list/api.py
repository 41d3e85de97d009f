"""Routes of the negative list."""

from datetime import date
from typing import Annotated

from fastapi import Path, Query, Request, Response, status

from huaxiao.contracts.callers import ListWriter, Reader, Reporter
from huaxiao.contracts.domain.references import UnknownReference
from huaxiao.contracts.negative_list import handlers
from huaxiao.contracts.negative_list.handlers import ListIsActive, OutOfOrder
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Forbidden, StaleVersion, TwoPeople
from huaxiao.shared.unit_of_work import BranchWriteTx, ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.negative_list import (
    ActivationIn,
    MayIAnswer,
    NegativeList,
    NegativeListIn,
    NegativeListSummary,
    ProposalIn,
)

router = web.router(tags=["negative list"])
Version = Annotated[int, Path(ge=1, lt=10_000)]


@router.get("/negative-list", responses=web.problem_responses(Forbidden))
async def get_negative_list(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    _: Reporter,
    on: Annotated[date | None, Query(description="in force on this day; today when absent")] = None,
) -> NegativeList:
    """Show the negative list in force (R5)."""
    day = on or business_day(request.app.state.clock())
    return await handlers.in_force(connection, branch_id, day)


@router.get("/negative-lists", responses=web.problem_responses(Forbidden))
async def list_negative_lists(
    branch_id: BranchId, connection: ReadTx, _: Reporter, page: PageOf
) -> Page[NegativeListSummary]:
    """List the branch's own versions."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_versions(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page(found, "version")


@router.get(
    "/negative-lists/{version}", responses=web.problem_responses(Forbidden) | {200: VERSIONED}
)
async def get_version(
    response: Response,
    branch_id: BranchId,
    version: Annotated[int, Path(ge=0, lt=10_000)],
    connection: ReadTx,
    _: Reporter,
) -> NegativeList:
    """Show a version; 0 is the suite's own, to begin from."""
    found = await handlers.show(connection, branch_id, version)
    name_version(response, found)
    return found


@router.put(
    "/negative-lists/{version}",
    responses=web.problem_responses(Forbidden, ListIsActive, StaleVersion)
    | {200: VERSIONED, 201: VERSIONED | {"model": NegativeList}},
)
async def put_version(
    request: Request,
    response: Response,
    branch_id: BranchId,
    version: Version,
    given: NegativeListIn,
    connection: WriteTx,
    principal: ListWriter,
    if_match: IfMatch = None,
) -> NegativeList:
    """Draft a version, or rewrite it while it is a draft."""
    drafted, is_new = await handlers.draft(
        connection,
        branch_id,
        version,
        given,
        if_match=if_match,
        drafted_by=principal.subject,
        now=request.app.state.clock(),
    )
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    name_version(response, drafted)
    return drafted


@router.post(
    "/negative-lists/{version}/activate",
    responses=web.problem_responses(Forbidden, ListIsActive, OutOfOrder, TwoPeople),
)
async def activate_version(
    request: Request,
    branch_id: BranchId,
    version: Version,
    given: ActivationIn,
    connection: WriteTx,
    principal: ListWriter,
) -> NegativeList:
    """Let a version be in force from a day on, as a second person."""
    return await handlers.activate(
        connection,
        branch_id,
        version,
        given,
        activated_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.post(
    "/may-i", status_code=201, responses=web.problem_responses(Forbidden, UnknownReference)
)
async def may_i(
    request: Request,
    branch_id: BranchId,
    given: ProposalIn,
    connection: BranchWriteTx,
    principal: Reporter,
) -> MayIAnswer:
    """Ask whether an action is allowed; the answer is kept (R5)."""
    principal.require_centre(given.centre_id)
    return await handlers.may_i(
        connection,
        branch_id,
        given,
        asked_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get("/may-i", responses=web.problem_responses(Forbidden))
async def list_answers(
    branch_id: BranchId, connection: ReadTx, principal: Reader, page: PageOf
) -> Page[MayIAnswer]:
    """List what was asked and answered: a contractor its centre's."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_inquiries(
        connection, branch_id, principal.centre_ids, after=after, limit=page.limit + 1
    )
    return page.page(found, "number")
