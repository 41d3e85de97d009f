"""Routes of the history of measures."""

from typing import Annotated

from fastapi import Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.answers import Answers, asked
from huaxiao.kpi.history import handlers
from huaxiao.kpi.moments import MomentToCome
from huaxiao.kpi.readers import READERS
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.wire.base import Moment, PeriodText
from huaxiao.shared.wire.kpi_history import Restatement

router = web.router(tags=["history"])


@router.get(
    "/restatements",
    response_model=Page[Restatement],
    responses=web.problem_responses(Forbidden, MomentToCome, handlers.MomentsOutOfOrder),
)
async def list_restatements(
    request: Request,
    branch_id: BranchId,
    principal: Annotated[Principal, READERS],
    page: PageOf,
    since: Annotated[Moment, Query(description="what was known at this moment is compared")],
    until: Annotated[Moment | None, Query(description="with what was then; now if absent")] = None,
    period: Annotated[PeriodText | None, Query()] = None,
    centre_id: Annotated[Identifier | None, Query()] = None,
    measure: Annotated[Identifier | None, Query()] = None,
) -> Response:
    """List the measures that changed after a moment, by how much, and the entries that changed them."""
    after = page.after(str, int, str)
    now = request.app.state.clock()

    async def restatements(connection: AsyncConnection) -> Page[Restatement]:
        found = await handlers.restatements(
            connection,
            branch_id,
            handlers.Asked(since, until, period, principal.centre_ids, centre_id, measure),
            after=None if after is None else (after[0], after[1], after[2]),
            limit=page.limit + 1,
            now=now,
        )
        return page.page(found, "centre_id", "period", "measure")

    answers: Answers = request.app.state.answers
    return await answers.tell(branch_id, asked(request, principal), restatements)
