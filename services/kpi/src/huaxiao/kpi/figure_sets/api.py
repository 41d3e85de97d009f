"""Routes of the county's own figures."""

from typing import Annotated

from fastapi import Path, Query, Request, Response, status

from huaxiao.kpi.figure_sets import handlers
from huaxiao.kpi.figure_sets.handlers import FiguresInForce, FiguresOutOfOrder
from huaxiao.kpi.readers import READERS, WRITERS
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import period_of
from huaxiao.shared.problems import Forbidden, StaleVersion, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.figures import (
    FigureSet,
    FigureSetIn,
    FigureSetSummary,
    FiguresInForceIn,
    NamedMeasure,
)

router = web.router(tags=["figures"])
_Reader = Annotated[Principal, READERS]
_Writer = Annotated[Principal, WRITERS]
Version = Annotated[int, Path(ge=1, lt=10_000)]


@router.get("/figure-definitions", responses=web.problem_responses(Forbidden))
async def get_figure_definitions(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    _: _Reader,
    period: Annotated[
        PeriodText | None, Query(description="in force in this month; the present one when absent")
    ] = None,
) -> FigureSet:
    """Show the figures in force: the county's own, and the built-in ones."""
    month = period or period_of(request.app.state.clock())
    return await handlers.in_force(connection, branch_id, month)


@router.get("/figure-definitions/measures", responses=web.problem_responses(Forbidden))
async def list_named_measures(
    branch_id: BranchId, connection: ReadTx, _: _Reader
) -> list[NamedMeasure]:
    """List the measures that formulas may name."""
    return await handlers.named_measures(connection, branch_id)


@router.get("/figure-definitions/versions", responses=web.problem_responses(Forbidden))
async def list_figure_definition_versions(
    branch_id: BranchId, connection: ReadTx, _: _Reader, page: PageOf
) -> Page[FigureSetSummary]:
    """List the county's own versions."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_versions(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page(found, "version")


@router.get(
    "/figure-definitions/versions/{version}",
    responses=web.problem_responses(Forbidden) | {200: VERSIONED},
)
async def get_figure_definition_version(
    response: Response,
    branch_id: BranchId,
    version: Annotated[int, Path(ge=0, lt=10_000)],
    connection: ReadTx,
    _: _Reader,
) -> FigureSet:
    """Show a version; 0 has the built-in figures alone."""
    found = await handlers.show(connection, branch_id, version)
    name_version(response, found)
    return found


@router.put(
    "/figure-definitions/versions/{version}",
    responses=web.problem_responses(Forbidden, FiguresInForce, StaleVersion)
    | {200: VERSIONED, 201: VERSIONED | {"model": FigureSet}},
)
async def put_figure_definition_version(
    request: Request,
    response: Response,
    branch_id: BranchId,
    version: Version,
    given: FigureSetIn,
    connection: WriteTx,
    principal: _Writer,
    if_match: IfMatch = None,
) -> FigureSet:
    """Draft a version, or rewrite it while it is a draft; a formula that cannot be computed is refused."""
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
    "/figure-definitions/versions/{version}/put-in-force",
    responses=web.problem_responses(Forbidden, FiguresInForce, FiguresOutOfOrder, TwoPeople),
)
async def put_figure_definitions_in_force(
    request: Request,
    branch_id: BranchId,
    version: Version,
    given: FiguresInForceIn,
    connection: WriteTx,
    principal: _Writer,
) -> FigureSet:
    """Let a version judge from a month on, as a second person."""
    return await handlers.put_in_force(
        connection,
        branch_id,
        version,
        given,
        by=principal.subject,
        now=request.app.state.clock(),
    )
