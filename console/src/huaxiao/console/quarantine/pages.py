"""Pages of events that could not be booked, with the forms that try them again or dismiss them."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from huaxiao.console.filters import Chosen, ChosenText
from huaxiao.console.page import Page, in_section
from huaxiao.console.quarantine import views
from huaxiao.shared.auth import Role
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.attribution import Outcome, Reason
from huaxiao.shared.wire.personal import FullViewIn, Purpose

router = APIRouter(prefix="/branches/{branch_id}/quarantine")
QuarantinePage = Annotated[Page, in_section("quarantine")]
_DISMISSES = (Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
SEES_BODIES = (Role.BSS_SOURCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
_PAGE = 100
LONGEST = 2 * 1024 * 1024
"""Characters of an event in a form; a service takes less."""
ViewReason = Annotated[str, Form(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


@router.get("")
async def quarantine(
    page: QuarantinePage,
    state: views.Shown = views.Shown.HELD,
    outcome: Annotated[Outcome | None, Chosen] = None,
    code: ChosenText = None,
    source: ChosenText = None,
    cursor: str | None = None,
) -> Response:
    """List the events that could not be booked, the oldest first."""
    found = await page.peers.attribution.quarantine(
        page.branch,
        state=state.state,
        outcome=outcome,
        code=code,
        source=source,
        cursor=cursor,
        limit=_PAGE,
    )
    return page.show(
        "quarantine/list.html",
        section="quarantine",
        views=views,
        events=found.items,
        next_cursor=found.next_cursor,
        state=state,
        states=list(views.Shown),
        outcome=outcome,
        outcomes=(Outcome.PARKED, Outcome.REFUSED, Outcome.CONFLICT),
        code=code,
        codes=views.CODES,
        source=source,
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
    response = await _show(page, held_id, whole=seen.body)
    # What was seen once is not seen again by opening an address.
    response.headers["HX-Push-Url"] = "false"
    return response


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
    return page.show(
        "quarantine/event.html",
        section="quarantine",
        where="quarantine",
        views=views,
        event=event,
        turn=views.turn(event),
        to_mend=views.to_mend(event.body) if whole is None else views.indented(whole),
        whole=whole,
        became=became,
        may_see=page.bearer.may(*SEES_BODIES),
        may_dismiss=page.bearer.decides_for_county(*_DISMISSES),
    )
