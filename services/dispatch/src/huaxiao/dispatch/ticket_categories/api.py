"""Routes of ticket categories."""

from datetime import date
from typing import Annotated

from fastapi import Path, Query, Request, Response, status

from huaxiao.dispatch.ticket_categories import handlers
from huaxiao.dispatch.ticket_categories.handlers import CategoriesActive, CategoriesOutOfOrder
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Forbidden, StaleVersion, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.tickets import (
    CategoryActivationIn,
    CategorySet,
    CategorySetIn,
    CategorySetSummary,
)

router = web.router(tags=["ticket categories"])
_Reader = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
_Writer = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.PROVINCE, whole_branch=True)]
_Version = Annotated[int, Path(ge=1, lt=10_000)]


@router.get("/ticket-categories", responses=web.problem_responses(Forbidden))
async def get_ticket_categories(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    _: _Reader,
    on: Annotated[date | None, Query(description="in force on this day; today when absent")] = None,
) -> CategorySet:
    """Show the categories in force, and who owes what is asked for (R18)."""
    day = on or business_day(request.app.state.clock())
    return await handlers.in_force(connection, branch_id, day)


@router.get("/ticket-category-sets", responses=web.problem_responses(Forbidden))
async def list_category_sets(
    branch_id: BranchId, connection: ReadTx, _: _Reader, page: PageOf
) -> Page[CategorySetSummary]:
    """List the branch's own versions."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_versions(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page(found, "version")


@router.get(
    "/ticket-category-sets/{version}", responses=web.problem_responses(Forbidden) | {200: VERSIONED}
)
async def get_category_set(
    response: Response,
    branch_id: BranchId,
    version: Annotated[int, Path(ge=0, lt=10_000)],
    connection: ReadTx,
    _: _Reader,
) -> CategorySet:
    """Show a version; 0 is the suite's own, to begin from."""
    found = await handlers.show(connection, branch_id, version)
    name_version(response, found)
    return found


@router.put(
    "/ticket-category-sets/{version}",
    responses=web.problem_responses(Forbidden, CategoriesActive, StaleVersion)
    | {200: VERSIONED, 201: VERSIONED | {"model": CategorySet}},
)
async def put_category_set(
    request: Request,
    response: Response,
    branch_id: BranchId,
    version: _Version,
    given: CategorySetIn,
    connection: WriteTx,
    principal: _Writer,
    if_match: IfMatch = None,
) -> CategorySet:
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
    "/ticket-category-sets/{version}/activate",
    responses=web.problem_responses(Forbidden, CategoriesActive, CategoriesOutOfOrder, TwoPeople),
)
async def activate_category_set(
    request: Request,
    branch_id: BranchId,
    version: _Version,
    given: CategoryActivationIn,
    connection: WriteTx,
    principal: _Writer,
) -> CategorySet:
    """Let a version be in force from a day on, as a second person."""
    return await handlers.activate(
        connection,
        branch_id,
        version,
        given,
        activated_by=principal.subject,
        now=request.app.state.clock(),
    )
