"""Routes of the scorecards."""

from typing import Annotated

from fastapi import Path, Query, Request, Response, status

from huaxiao.dispatch.scorecards import handlers
from huaxiao.dispatch.scorecards.handlers import ScorecardInForce, ScorecardOutOfOrder
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import period_of
from huaxiao.shared.problems import Forbidden, StaleVersion, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.scorecards import (
    Scorecard,
    ScorecardIn,
    ScorecardInForceIn,
    ScorecardSummary,
)

router = web.router(tags=["scorecards"])
_Reader = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
_Writer = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.PROVINCE, whole_branch=True)]
Version = Annotated[int, Path(ge=1, lt=10_000)]


@router.get("/scorecards", responses=web.problem_responses(Forbidden))
async def get_scorecards(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    _: _Reader,
    period: Annotated[
        PeriodText | None, Query(description="in force in this month; the current when absent")
    ] = None,
) -> Scorecard:
    """Show the scorecards in force."""
    of = period or period_of(request.app.state.clock())
    return await handlers.of_period(connection, branch_id, of)


@router.get("/scorecards/versions", responses=web.problem_responses(Forbidden))
async def list_scorecard_versions(
    branch_id: BranchId, connection: ReadTx, _: _Reader, page: PageOf
) -> Page[ScorecardSummary]:
    """List the county's own versions."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_versions(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page(found, "version")


@router.get(
    "/scorecards/versions/{version}",
    responses=web.problem_responses(Forbidden) | {200: VERSIONED},
)
async def get_scorecard_version(
    response: Response,
    branch_id: BranchId,
    version: Annotated[int, Path(ge=0, lt=10_000)],
    connection: ReadTx,
    _: _Reader,
) -> Scorecard:
    """Show a version; 0 is the suite's own, to begin from."""
    found = await handlers.show(connection, branch_id, version)
    name_version(response, found)
    return found


@router.put(
    "/scorecards/versions/{version}",
    responses=web.problem_responses(Forbidden, ScorecardInForce, StaleVersion)
    | {200: VERSIONED, 201: VERSIONED | {"model": Scorecard}},
)
async def put_scorecard_version(
    request: Request,
    response: Response,
    branch_id: BranchId,
    version: Version,
    given: ScorecardIn,
    connection: WriteTx,
    principal: _Writer,
    if_match: IfMatch = None,
) -> Scorecard:
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
    "/scorecards/versions/{version}/put-in-force",
    responses=web.problem_responses(Forbidden, ScorecardInForce, ScorecardOutOfOrder, TwoPeople),
)
async def put_scorecards_in_force(
    request: Request,
    branch_id: BranchId,
    version: Version,
    given: ScorecardInForceIn,
    connection: WriteTx,
    principal: _Writer,
) -> Scorecard:
    """Let a version be in force from a month on, as a second person."""
    return await handlers.put_in_force(
        connection,
        branch_id,
        version,
        given,
        by=principal.subject,
        now=request.app.state.clock(),
    )
