"""What the pages of a branch's held events and of those of no branch show alike."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Response

from huaxiao.console.filters import Chosen, ChosenText
from huaxiao.console.page import Page
from huaxiao.console.quarantine import views
from huaxiao.shared import pages
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.attribution import HeldEvent, Outcome

_SEES_BODIES = (Role.BSS_SOURCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
_PAGE = 100
_OUTCOMES = (Outcome.PARKED, Outcome.REFUSED, Outcome.CONFLICT)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events a list shows."""

    state: views.Shown = views.Shown.HELD
    outcome: Annotated[Outcome | None, Chosen] = None
    code: ChosenText = None
    source: ChosenText = None
    cursor: str | None = None

    @property
    def asked(self) -> dict[str, Any]:
        """What the service is asked for."""
        return {
            "state": self.state.state,
            "outcome": self.outcome,
            "code": self.code,
            "source": self.source,
            "cursor": self.cursor,
            "limit": _PAGE,
        }


def show_list(
    page: Page, template: str, filters: Filters, found: pages.Page[HeldEvent], **more: Any
) -> Response:
    """Show a list of events with the filters it was asked for by."""
    return page.show(
        template,
        section="quarantine",
        views=views,
        events=found.items,
        next_cursor=found.next_cursor,
        state=filters.state,
        states=list(views.Shown),
        outcome=filters.outcome,
        outcomes=_OUTCOMES,
        code=filters.code,
        codes=views.CODES,
        source=filters.source,
        **more,
    )


def show_event(
    page: Page,
    event: HeldEvent,
    *,
    where: str,
    may_dismiss: bool,
    became: Outcome | None = None,
    whole: str | None = None,
) -> Response:
    """Show an event as it came; ``whole`` is what it is with the personal data in it."""
    response = page.show(
        "quarantine/event.html",
        section="quarantine",
        where=where,
        views=views,
        event=event,
        turn=views.turn(event),
        to_mend=views.to_mend(event.body) if whole is None else views.indented(whole),
        whole=whole,
        became=became,
        may_see=page.bearer.may(*_SEES_BODIES),
        may_dismiss=may_dismiss,
    )
    if whole is not None:
        # What was seen once is not seen again by opening an address.
        response.headers["HX-Push-Url"] = "false"
    return response
