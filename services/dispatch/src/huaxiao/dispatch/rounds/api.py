"""Routes of assets and rounds."""

from typing import Annotated

from fastapi import Request, Response, status

from huaxiao.dispatch.rounds import handlers
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.assets import Asset, AssetIn, RoundCoverage
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.service_levels import AssetGrade, AssetKind

router = web.router(tags=["assets and rounds"])
_Reader = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
_Writer = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.CONTRACTOR, Role.SUPPORT_CENTRE)]


@router.put(
    "/assets/{asset_id}",
    responses=web.problem_responses(Forbidden) | {201: {"model": Asset}},
)
async def put_asset(
    response: Response,
    branch_id: BranchId,
    asset_id: Identifier,
    given: AssetIn,
    connection: WriteTx,
    principal: _Writer,
) -> Asset:
    """Register an asset that is patrolled, or change it from its next round on."""
    asset, is_new = await handlers.put(connection, branch_id, asset_id, given, principal=principal)
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return asset


@router.get("/assets", responses=web.problem_responses(Forbidden))
async def list_assets(
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    page: PageOf,
    kind: AssetKind | None = None,
    grade: AssetGrade | None = None,
    centre_id: Identifier | None = None,
) -> Page[Asset]:
    """List assets by id: a contractor its centre's."""
    (after,) = page.after(str) or ("",)
    found = await handlers.list_assets(
        connection,
        branch_id,
        principal.centre_ids,
        filters={"kind": kind, "grade": grade, "centre_id": centre_id},
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "asset_id")


@router.get("/assets/{asset_id}", responses=web.problem_responses(Forbidden))
async def get_asset(
    branch_id: BranchId, asset_id: Identifier, connection: ReadTx, principal: _Reader
) -> Asset:
    """Show an asset."""
    return await handlers.show(connection, branch_id, asset_id, principal.centre_ids)


@router.get("/rounds/coverage", responses=web.problem_responses(Forbidden))
async def get_round_coverage(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    period: PeriodText,
) -> RoundCoverage:
    """Show which rounds of a period were done, late or missed, by kind of asset."""
    return await handlers.coverage(
        connection, branch_id, period, principal.centre_ids, now=request.app.state.clock()
    )
