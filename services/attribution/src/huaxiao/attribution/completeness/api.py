"""Routes that prove that nothing was lost.

What is missing is missing in the whole branch.
"""

from datetime import date
from typing import Annotated

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.callers import BranchReader, Mender
from huaxiao.attribution.completeness import store
from huaxiao.attribution.tables import UNPLACED
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf, PageQuery
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import BranchReadTx
from huaxiao.shared.wire.attribution import Completeness, SenderSequence
from huaxiao.shared.wire.base import WRITTEN_OUT

router = web.router(tags=["completeness"])
unplaced = web.router(tags=["completeness"], prefix="/v1")

First = Annotated[date, WRITTEN_OUT, Query(alias="from", description="business day of receipt")]
Last = Annotated[date, WRITTEN_OUT, Query(alias="to", description="business day of receipt")]
OfSource = Annotated[
    str | None, Query(max_length=1000, pattern=r"^[^\x00]*$", description="only of this source")
]


async def _page(
    connection: AsyncConnection,
    branch_id: int,
    posted_by: str | None,
    page: PageQuery,
    first: date,
    last: date,
    source: str | None,
) -> Page[Completeness]:
    after = page.after(str, str) or ("", "")
    found = await store.page(
        connection,
        branch_id,
        first=first,
        last=last,
        source=source,
        after=(after[0], after[1]),
        limit=page.limit + 1,
        posted_by=posted_by,
    )
    return page.page(found, "day_key", "source")


@router.get("/completeness", responses=web.problem_responses(Forbidden))
async def list_completeness(
    branch_id: BranchId,
    connection: BranchReadTx,
    _: BranchReader,
    page: PageOf,
    first: First = date.min,
    last: Last = date.max,
    source: OfSource = None,
) -> Page[Completeness]:
    """List by day and sender: received = booked + duplicates + parked + refused + conflicts."""
    return await _page(connection, branch_id, None, page, first, last, source)


@unplaced.get("/completeness", responses=web.problem_responses(Forbidden))
async def list_unplaced_completeness(
    connection: BranchReadTx,
    principal: Mender,
    page: PageOf,
    first: First = date.min,
    last: Last = date.max,
    source: OfSource = None,
) -> Page[Completeness]:
    """List the same of the caller's own events that belong to no branch it may write to."""
    return await _page(connection, UNPLACED, principal.subject, page, first, last, source)


@router.get("/sequences", responses=web.problem_responses(Forbidden))
async def list_sequences(
    branch_id: BranchId, connection: BranchReadTx, _: BranchReader, page: PageOf
) -> Page[SenderSequence]:
    """List, for senders that number their events, which numbers have not come."""
    (after,) = page.after(str) or ("",)
    found = await store.sequences(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page(found, "source")
