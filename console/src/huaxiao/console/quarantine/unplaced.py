"""Pages of a visitor's own events that belong to no branch, with the forms that place or dismiss them.

They lie in the quarantine of no branch, and are told to whoever posted them.
"""

import asyncio
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from huaxiao.console.operations.completeness import adds_up
from huaxiao.console.page import Page
from huaxiao.console.quarantine import views
from huaxiao.console.quarantine.pages import (
    LONGEST,
    QuarantinePage,
    ViewReason,
)
from huaxiao.console.quarantine.showing import Filters, show_event, show_list
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.periods import business_day
from huaxiao.shared.wire.attribution import Outcome, Reason
from huaxiao.shared.wire.personal import FullViewIn, Purpose

router = APIRouter(prefix="/branches/{branch_id}/unplaced")
_DAYS = 31


@router.get("")
async def unplaced(page: QuarantinePage, filters: Annotated[Filters, Depends()]) -> Response:
    """List the visitor's own events that belong to no branch, and how many came on which day."""
    since = business_day(page.now) - timedelta(days=_DAYS - 1)
    found, came = await asyncio.gather(
        page.peers.attribution.unplaced(
            **filters.asked,
        ),
        page.peers.attribution.unplaced_completeness(first=since),
    )
    return show_list(
        page,
        "quarantine/unplaced.html",
        filters,
        found,
        rows=sorted(came, key=lambda one: (one.day, one.source), reverse=True),
        days=_DAYS,
        adds_up=adds_up,
    )


@router.get("/{held_id}")
async def unplaced_event(
    page: QuarantinePage, held_id: Identifier, became: Outcome | None = None
) -> Response:
    """Show an event as it came, why it belongs to no branch, and what can be done."""
    return await _show(page, held_id, became=became)


@router.post("/{held_id}/full-view")
async def see_in_full(page: QuarantinePage, held_id: Identifier, reason: ViewReason) -> Response:
    """Show an event with the personal data in it, to be mended; the view goes on record."""
    given = FullViewIn(purpose=Purpose.MENDING, reason=reason)
    seen = await page.peers.attribution.see_unplaced_body(held_id, given)
    return await _show(page, held_id, whole=seen.body)


@router.post("/{held_id}/replay")
async def replay(page: QuarantinePage, held_id: Identifier) -> Response:
    """Try an event again as it came; it goes to the branch it names."""
    report = await page.peers.attribution.replay_unplaced(held_id)
    return page.back(f"unplaced/{held_id}", became=views.placed_as(report))


@router.post("/{held_id}/mending")
async def mend(
    page: QuarantinePage,
    held_id: Identifier,
    event: Annotated[str, Form(min_length=1, max_length=LONGEST)],
) -> Response:
    """Try an event again in a corrected form; it goes to the branch it names then."""
    report = await page.peers.attribution.replay_unplaced(held_id, views.mended(event))
    return page.back(f"unplaced/{held_id}", became=views.placed_as(report))


@router.post("/{held_id}/dismissal")
async def dismiss(
    page: QuarantinePage, held_id: Identifier, reason: Annotated[Reason, Form()]
) -> Response:
    """Say that an event is not to be waited for, and why."""
    await page.peers.attribution.dismiss_unplaced(held_id, reason)
    return page.back(f"unplaced/{held_id}")


async def _show(
    page: Page, held_id: str, *, became: Outcome | None = None, whole: str | None = None
) -> Response:
    event = await page.peers.attribution.unplaced_event(held_id)
    return show_event(page, event, where="unplaced", may_dismiss=True, became=became, whole=whole)
