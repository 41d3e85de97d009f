"""The page that proves that nothing was lost: what each source sent, day by day, and what became of it."""

import asyncio
from datetime import timedelta

from fastapi import APIRouter, Response

from huaxiao.console.filters import ChosenText
from huaxiao.console.operations.pages import OperationsPage
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.wire.attribution import Completeness
from huaxiao.shared.wire.base import Day

router = APIRouter(prefix="/branches/{branch_id}/completeness")
_DAYS = 31
_PAGE = 200


@router.get("")
async def completeness(
    page: OperationsPage,
    first: Day | None = None,
    last: Day | None = None,
    source: ChosenText = None,
    cursor: str | None = None,
) -> Response:
    """Show by source and day what came, what became of it, and which numbers are missing."""
    if not page.sees_completeness:
        raise Forbidden
    until = last or business_day(page.now)
    since = first or until - timedelta(days=_DAYS - 1)
    asked = page.peers.attribution
    found, sequences = await asyncio.gather(
        asked.completeness_page(
            page.branch, first=since, last=until, source=source, cursor=cursor, limit=_PAGE
        ),
        asked.sequences(page.branch),
    )
    return page.show(
        "operations/completeness.html",
        section="operations",
        rows=found.items,
        next_cursor=found.next_cursor,
        sequences=[one for one in sequences if source in {None, one.source}],
        adds_up=adds_up,
        first=since,
        last=until,
        source=source,
    )


def adds_up(one: Completeness) -> bool:
    """Say whether every event that came is among what they came to."""
    became = (one.booked, one.duplicates, one.parked, one.refused, one.conflicts)
    return one.received == sum(became)
