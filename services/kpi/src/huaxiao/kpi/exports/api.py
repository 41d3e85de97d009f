"""Routes of sheets."""

import asyncio
from typing import Annotated

from fastapi import Query, Response

from huaxiao.kpi.county.store import require_branch
from huaxiao.kpi.exports.rows import measure_rows, target_rows
from huaxiao.kpi.measures.monthly import by_month
from huaxiao.kpi.moments import KnownAt, MomentToCome
from huaxiao.kpi.readers import READERS, sees_county
from huaxiao.kpi.targets.handlers import report
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.problems import Fault, Malformed
from huaxiao.shared.sheets import SHEET, Format, as_file
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.kpi import Span
from huaxiao.shared.wire.sheets import SheetFormat

router = web.router(tags=["exports"])
_MOST_MONTHS = 60
_TO_COME = web.problem_responses(MomentToCome)


@router.get("/targets/sheet", response_class=Response, responses=SHEET | _TO_COME)
async def export_targets(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[Principal, READERS],
    known_at: KnownAt,
    period: Annotated[PeriodText, Query()],
    span: Annotated[Span, Query()] = Span.MONTH,
    wanted: Format = SheetFormat.CSV,
) -> Response:
    """Return the targets as a sheet, a row for each target of the county and of each centre."""
    found = await report(
        connection,
        branch_id,
        period=Period(period),
        span=span,
        centre_ids=principal.centre_ids,
        with_county=sees_county(principal),
        known_at=known_at,
    )
    name = f"targets-{branch_id}-{period}-{span}"
    return await asyncio.to_thread(as_file, name, target_rows(found), wanted)


@router.get("/measures/sheet", response_class=Response, responses=SHEET | _TO_COME)
async def export_measures(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[Principal, READERS],
    known_at: KnownAt,
    from_period: Annotated[PeriodText, Query()],
    to_period: Annotated[PeriodText, Query(description="at most five years later")],
    wanted: Format = SheetFormat.CSV,
) -> Response:
    """Return measures as a sheet, by centre, month and name."""
    await require_branch(connection, branch_id, known_at)
    if not from_period <= to_period < shift(Period(from_period), _MOST_MONTHS):
        fault = Fault("/query/to_period", "bad-span", "1 to 60 months", "账期须为 1 至 60 个月")
        raise Malformed(faults=[fault])
    found = await by_month(
        connection, branch_id, first=from_period, last=to_period, known_at=known_at
    )
    seen = {key: amounts for key, amounts in found.items() if principal.may_see(key[0])}
    name = f"measures-{branch_id}-{from_period}-{to_period}"
    rows = measure_rows(seen)
    return await asyncio.to_thread(as_file, name, rows, wanted)
