"""Routes of measures."""

from typing import Annotated

from fastapi import Query

from huaxiao.kpi.county.store import require_branch
from huaxiao.kpi.domain.definitions import unit_of
from huaxiao.kpi.measures import store
from huaxiao.kpi.readers import READERS
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.books import class_of
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.kpi import Measure

router = web.router(tags=["measures"])


@router.get("/measures")
async def list_measures(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[Principal, READERS],
    page: PageOf,
    period: Annotated[PeriodText | None, Query()] = None,
    centre_id: Annotated[Identifier | None, Query()] = None,
) -> Page[Measure]:
    """List what the targets are computed from: a contractor that of its own centres."""
    await require_branch(connection, branch_id)
    after = page.after(str, int, str)
    rows = await store.page(
        connection,
        branch_id,
        centre_ids=principal.centre_ids,
        period=period,
        centre_id=centre_id,
        after=None if after is None else (after[0], after[1], after[2]),
        limit=page.limit + 1,
    )
    found = [
        Measure(
            centre_id=row["centre_id"],
            period=row["period"],
            measure=row["measure"],
            unit=unit_of(row["measure"]),
            amount=row["amount"],
            cost_class=class_of(row["measure"]),
        )
        for row in rows
    ]
    return page.page(found, "centre_id", "period", "measure")
