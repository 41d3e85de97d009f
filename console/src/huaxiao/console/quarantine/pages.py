"""Pages of events that could not be booked, with the forms that try them again or dismiss them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from huaxiao.console.page import Page, in_section
from huaxiao.console.quarantine import views
from huaxiao.console.quarantine.showing import Filters, show_event, show_list
from huaxiao.shared.auth import Role
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.attribution import Outcome, Reason
from huaxiao.shared.wire.personal import FullViewIn, Purpose

router = APIRouter(prefix="/branches/{branch_id}/quarantine")
QuarantinePage = Annotated[Page, in_section("quarantine")]
_DISMISSES = (Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
LONGEST = 2 * 1024 * 1024
"""Characters of an event in a form; a service takes less."""
ViewReason = Annotated[str, Form(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


@router.get("")
async def quarantine(page: QuarantinePage, filters: Annotated[Filters, Depends()]) -> Response:
    """List the events that could not be booked, the oldest first."""
    found = await page.peers.attribution.quarantine(
        page.branch,
        **filters.asked,
    )
    return show_list(
        page,
        "quarantine/list.html",
        filters,
        found,
        only_own=page.bearer.roles <= {Role.BSS_SOURCE},
    )


@router.get("/{held_id}")
async def held_event(
    page: QuarantinePage, held_id: Identifier, became: Outcome | None = None
) -> Response:
    """Show an event as it came, why it is not booked, and what can be done."""
    return await _show(page, held_id, became=became)


@router.post("/{held_id}/full-view")
async def see_in_full(page: QuarantinePage, held_id: Identifier, reason: ViewReason) -> Response:
    """Show an event with the personal data in it, to be mended; the view goes on record."""
    given = FullViewIn(purpose=Purpose.MENDING, reason=reason)
    seen = await page.peers.attribution.see_held_body(page.branch, held_id, given)
    return await _show(page, held_id, whole=seen.body)


@router.post("/{held_id}/replay")
async def replay(page: QuarantinePage, held_id: Identifier) -> Response:
    """Try an event again as it came."""
    report = await page.peers.attribution.replay(page.branch, held_id)
    return page.back(f"quarantine/{held_id}", became=views.outcome_of(report))


@router.post("/{held_id}/mending")
async def mend(
    page: QuarantinePage,
    held_id: Identifier,
    event: Annotated[str, Form(min_length=1, max_length=LONGEST)],
) -> Response:
    """Try an event again in a corrected form."""
    given = views.mended(event)
    report = await page.peers.attribution.replay(page.branch, held_id, given)
    return page.back(f"quarantine/{held_id}", became=views.outcome_of(report))


@router.post("/{held_id}/dismissal")
async def dismiss(
    page: QuarantinePage, held_id: Identifier, reason: Annotated[Reason, Form()]
) -> Response:
    """Say that an event is not to be waited for, and why."""
    await page.peers.attribution.dismiss(page.branch, held_id, reason)
    return page.back(f"quarantine/{held_id}")


async def _show(
    page: Page, held_id: str, *, became: Outcome | None = None, whole: str | None = None
) -> Response:
    event = await page.peers.attribution.held_event(page.branch, held_id)
    return show_event(
        page,
        event,
        where="quarantine",
        may_dismiss=page.bearer.decides_for_county(*_DISMISSES),
        became=became,
        whole=whole,
    )
