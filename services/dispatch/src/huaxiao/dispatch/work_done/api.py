"""Routes of work done."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Query, Request

from huaxiao.dispatch.work_done import handlers, store
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Forbidden, Problem
from huaxiao.shared.spans import BadSpan
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.base import Moment, PeriodText
from huaxiao.shared.wire.dispatch import AppraisalKind, FinishedOrder, PublishedScore, WorkDone

router = web.router(tags=["work done"])
_Reader = Annotated[Principal, allow(*COUNTY_READERS, Role.CONTRACTOR)]
_ScoreReader = Annotated[
    Principal,
    allow(Role.COUNTY_MANAGER, Role.CONTRACTOR, Role.AUDITOR, Role.PROVINCE, Role.SERVICE),
]
"""Who reads the cards of all people of a centre: scores say of each person how they were rated."""


class NotYet(Problem):
    """What will be known at a moment to come, nobody can say."""

    code = "moment-to-come"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This moment has not come yet"
    title_zh = "该时刻尚未到来"


async def _known_at(
    request: Request,
    known_at: Annotated[
        Moment | None, Query(description="as it was known at this moment, which has passed")
    ] = None,
) -> datetime:
    now: datetime = request.app.state.clock()
    if known_at is not None and known_at > now:
        raise NotYet
    return known_at or now


_KnownAt = Annotated[datetime, Depends(_known_at)]


@router.get("/work-done", responses=web.problem_responses(Forbidden, BadSpan, NotYet))
async def get_work_done(
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    known_at: _KnownAt,
    period_from: PeriodText,
    period_to: PeriodText,
) -> WorkDone:
    """Show finished orders and confirmed scores by month and centre: a contractor its centres'."""
    return await handlers.show(
        connection,
        branch_id,
        (period_from, period_to),
        principal.centre_ids,
        known_at=known_at,
    )


@router.get("/finished-orders", responses=web.problem_responses(Forbidden, NotYet))
async def list_finished_orders(
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    known_at: _KnownAt,
    page: PageOf,
    period: PeriodText,
    centre_id: Annotated[Identifier | None, Query()] = None,
) -> Page[FinishedOrder]:
    """List the orders finished in a month, one by one: a contractor its centres'."""
    (after,) = page.after(str) or ("",)
    found = await store.finished_page(
        connection,
        branch_id,
        Period(period),
        centre_id=centre_id,
        centre_ids=principal.centre_ids,
        known_at=known_at,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "order_id")


@router.get("/published-scores", responses=web.problem_responses(Forbidden, NotYet))
async def list_published_scores(
    branch_id: BranchId,
    connection: ReadTx,
    principal: _ScoreReader,
    known_at: _KnownAt,
    page: PageOf,
    period: PeriodText,
    kind: Annotated[AppraisalKind | None, Query(description="only cards of this kind")] = None,
) -> Page[PublishedScore]:
    """List the scores of a month's published cards as was told of them: a contractor its centres'."""
    (after,) = page.after(str) or ("",)
    found = await store.published_page(
        connection,
        branch_id,
        Period(period),
        kind=kind,
        centre_ids=principal.centre_ids,
        known_at=known_at,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "appraisal_id")
