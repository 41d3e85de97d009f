"""What pages of tickets show, and the steps a visitor is offered."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from huaxiao.console.visitors import Visitor
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.tickets import Ticket, TicketState, TicketStepName

_S, _N = TicketState, TicketStepName
STEPPERS = (Role.COUNTY_MANAGER, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
RAISERS = (Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
_STEPS: Mapping[TicketState, tuple[TicketStepName, ...]] = {
    _S.RAISED: (_N.ACCEPT, _N.ANSWER, _N.RETURN, _N.DECIDE_BOUNDARY),
    _S.REOPENED: (_N.ACCEPT, _N.ANSWER, _N.RETURN, _N.DECIDE_BOUNDARY),
    _S.HANDED_OVER: (_N.ACCEPT, _N.ANSWER, _N.RETURN),
    _S.ACCEPTED: (_N.ANSWER, _N.RETURN, _N.DECIDE_BOUNDARY),
    _S.RETURNED: (_N.RESUBMIT,),
    _S.ANSWERED: (_N.CLOSE, _N.REOPEN),
    _S.CLOSED: (_N.REOPEN,),
}
_RAISERS_OWN = {_N.RESUBMIT, _N.CLOSE, _N.REOPEN}
NEEDS_TEXT = {_N.ANSWER, _N.RESUBMIT}
NEEDS_REASON = {_N.RETURN, _N.REOPEN, _N.DECIDE_BOUNDARY}


def steps(ticket: Ticket, visitor: Visitor) -> list[TicketStepName]:
    """Return the steps that a visitor is offered; the service decides whether they may be taken."""
    if not visitor.may(*STEPPERS):
        return []
    raised_it = ticket.raiser_centre_id in (visitor.centre_ids or ())
    return [one for one in _STEPS[ticket.state] if (one in _RAISERS_OWN) == raised_it]


def seconds_left(ticket: Ticket, now: datetime) -> int | None:
    """Return how long a ticket's unit has left, below zero when it is late; None: no clock runs."""
    return None if ticket.due_at is None else int((ticket.due_at - now).total_seconds())


def urgent_first(tickets: Sequence[Ticket]) -> list[Ticket]:
    """Order by whether they are open, then by when they are due."""
    return sorted(
        tickets,
        key=lambda one: (
            one.state is TicketState.CLOSED,
            one.due_at is None,
            one.due_at or one.raised_at,
        ),
    )
