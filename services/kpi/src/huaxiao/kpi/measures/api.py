"""Routes of measures."""

from typing import Annotated

from fastapi import Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.answers import Answers, asked
from huaxiao.kpi.county.store import require_branch
from huaxiao.kpi.domain.definitions import unit_of
from huaxiao.kpi.measures import store
from huaxiao.kpi.moments import KnownAt, MomentToCome
from huaxiao.kpi.readers import READERS
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.books import class_of
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.kpi import Measure
from huaxiao.shared.wire.kpi_history import FieldMeasure

router = web.router(tags=["measures"])


@router.get(
    "/measures",
    response_model=Page[Measure],
    responses=web.problem_responses(Forbidden, MomentToCome),
)
async def list_measures(
    request: Request,
    branch_id: BranchId,
    principal: Annotated[Principal, READERS],
    page: PageOf,
    known_at: KnownAt,
    period: Annotated[PeriodText | None, Query()] = None,
    centre_id: Annotated[Identifier | None, Query()] = None,
) -> Response:
    """List what the targets are computed from: a contractor that of its own centres."""
    after = page.after(str, int, str)

    async def measures(connection: AsyncConnection) -> Page[Measure]:
        await require_branch(connection, branch_id, known_at)
        rows = await store.page(
            connection,
            branch_id,
            centre_ids=principal.centre_ids,
            period=period,
            centre_id=centre_id,
            known_at=known_at,
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

    answers: Answers = request.app.state.answers
    return await answers.tell(branch_id, asked(request, principal), measures)


@router.get(
    "/field-measures",
    response_model=Page[FieldMeasure],
    responses=web.problem_responses(Forbidden, MomentToCome),
)
async def list_field_measures(
    request: Request,
    branch_id: BranchId,
    principal: Annotated[Principal, READERS],
    page: PageOf,
    known_at: KnownAt,
    period: Annotated[PeriodText, Query()],
    field_id: Annotated[Identifier | None, Query()] = None,
) -> Response:
    """List a month's measures by responsibility field: those of the ledger, which name theirs."""
    after = page.after(str, int, str, str)

    async def measures(connection: AsyncConnection) -> Page[FieldMeasure]:
        await require_branch(connection, branch_id, known_at)
        rows = await store.field_page(
            connection,
            branch_id,
            centre_ids=principal.centre_ids,
            period=period,
            field_id=field_id,
            known_at=known_at,
            after=None if after is None else (after[0], after[1], after[2], after[3]),
            limit=page.limit + 1,
        )
        found = [
            FieldMeasure(
                field_id=row["field_id"],
                period=row["period"],
                centre_id=row["centre_id"],
                measure=row["measure"],
                unit=unit_of(row["measure"]),
                amount=row["amount"],
                cost_class=class_of(row["measure"]),
            )
            for row in rows
        ]
        return page.page(found, "field_id", "period", "centre_id", "measure")

    answers: Answers = request.app.state.answers
    return await answers.tell(branch_id, asked(request, principal), measures)
