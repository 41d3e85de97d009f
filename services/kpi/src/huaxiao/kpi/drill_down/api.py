"""Routes of drill-down."""

from typing import Annotated

from fastapi import Path, Query, Request

from huaxiao.kpi.drill_down import handlers
from huaxiao.kpi.drill_down.owners import OwnerRefused
from huaxiao.kpi.moments import KnownAt, MomentToCome
from huaxiao.kpi.readers import READERS
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import PageOf
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Forbidden, Unavailable
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.figures import MeasureName
from huaxiao.shared.wire.kpi_entries import MeasureEntries

router = web.router(tags=["measures"])


@router.get(
    "/measures/{measure}/entries",
    responses=web.problem_responses(Forbidden, MomentToCome, OwnerRefused, Unavailable),
)
async def list_measure_entries(
    request: Request,
    branch_id: BranchId,
    measure: Annotated[MeasureName, Path()],
    connection: ReadTx,
    principal: Annotated[Principal, READERS],
    page: PageOf,
    known_at: KnownAt,
    period: Annotated[PeriodText, Query()],
    centre_id: Annotated[Identifier, Query()],
) -> MeasureEntries:
    """List what a measure sums, down to the entry, and hold the owner's sum against the figure."""
    principal.require_centre(centre_id)
    return await handlers.entries(
        connection,
        request.app.state.owners,
        branch_id,
        (centre_id, Period(period), measure),
        page=page,
        known_at=known_at,
        now=request.app.state.clock(),
    )
