"""Routes of the service levels."""

from datetime import date
from typing import Annotated

from fastapi import Path, Query, Request, Response, status

from huaxiao.dispatch.service_levels import handlers
from huaxiao.dispatch.service_levels.handlers import LevelsInForce, LevelsOutOfOrder
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Forbidden, StaleVersion, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.service_levels import (
    InForceIn,
    ServiceLevels,
    ServiceLevelsIn,
    ServiceLevelsSummary,
)

router = web.router(tags=["service levels"])
_Reader = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
_Writer = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.SUPPORT_CENTRE, whole_branch=True)]
Version = Annotated[int, Path(ge=1, lt=10_000)]


@router.get("/service-levels", responses=web.problem_responses(Forbidden))
async def get_service_levels(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    _: _Reader,
    on: Annotated[date | None, Query(description="in force on this day; today when absent")] = None,
) -> ServiceLevels:
    """Show the service levels in force."""
    day = on or business_day(request.app.state.clock())
    return await handlers.in_force(connection, branch_id, day)


@router.get("/service-levels/versions", responses=web.problem_responses(Forbidden))
async def list_service_level_versions(
    branch_id: BranchId, connection: ReadTx, _: _Reader, page: PageOf
) -> Page[ServiceLevelsSummary]:
    """List the county's own versions."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_versions(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page(found, "version")


@router.get(
    "/service-levels/versions/{version}",
    responses=web.problem_responses(Forbidden) | {200: VERSIONED},
)
async def get_service_level_version(
    response: Response,
    branch_id: BranchId,
    version: Annotated[int, Path(ge=0, lt=10_000)],
    connection: ReadTx,
    _: _Reader,
) -> ServiceLevels:
    """Show a version; 0 is the suite's own, to begin from."""
    found = await handlers.show(connection, branch_id, version)
    name_version(response, found)
    return found


@router.put(
    "/service-levels/versions/{version}",
    responses=web.problem_responses(Forbidden, LevelsInForce, StaleVersion)
    | {200: VERSIONED, 201: VERSIONED | {"model": ServiceLevels}},
)
async def put_service_level_version(
    request: Request,
    response: Response,
    branch_id: BranchId,
    version: Version,
    given: ServiceLevelsIn,
    connection: WriteTx,
    principal: _Writer,
    if_match: IfMatch = None,
) -> ServiceLevels:
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
    "/service-levels/versions/{version}/put-in-force",
    responses=web.problem_responses(Forbidden, LevelsInForce, LevelsOutOfOrder, TwoPeople),
)
async def put_service_levels_in_force(
    request: Request,
    branch_id: BranchId,
    version: Version,
    given: InForceIn,
    connection: WriteTx,
    principal: _Writer,
) -> ServiceLevels:
    """Let a version be in force from a day on, as a second person."""
    return await handlers.put_in_force(
        connection,
        branch_id,
        version,
        given,
        by=principal.subject,
        now=request.app.state.clock(),
    )
