"""What the pages of orders show: a day by engineer and hour, a week of appointments, the next steps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.wire.appointments import Appointment, AppointmentState
from huaxiao.shared.wire.dispatch import Order, OrderState, StepName
from huaxiao.shared.wire.plans import Agenda, AgendaVisit

_FIRST_HOUR, _LAST_HOUR = 8, 19
"""Hours every board shows; others are added when somebody works in them."""
_WEEK = 7
OPEN = (
    *(OrderState.NEW, OrderState.APPOINTED, OrderState.DISPATCHED, OrderState.REASSIGNED),
    *(OrderState.ACCEPTED, OrderState.TRAVELLING, OrderState.IN_PROGRESS),
    *(OrderState.SUSPENDED, OrderState.REJECTED, OrderState.DONE),
)
"""States in which somebody has yet to do something."""
_NEXT: Mapping[OrderState, tuple[StepName, ...]] = {
    OrderState.DISPATCHED: (StepName.ACCEPT,),
    OrderState.REASSIGNED: (StepName.ACCEPT,),
    OrderState.ACCEPTED: (StepName.TRAVEL, StepName.START),
    OrderState.TRAVELLING: (StepName.START,),
    OrderState.IN_PROGRESS: (StepName.FINISH,),
    OrderState.SUSPENDED: (StepName.RESUME,),
}
"""What an engineer does next; the service decides whether it may be."""
SUSPENDABLE = {OrderState.ACCEPTED, OrderState.TRAVELLING, OrderState.IN_PROGRESS}


def next_steps(order: Order) -> tuple[StepName, ...]:
    """Return the steps that an order's engineer is offered."""
    return _NEXT.get(order.state, ())


@dataclass(frozen=True, slots=True)
class BoardVisit:
    """A visit in the hour in which it begins."""

    visit: AgendaVisit
    order: Order | None
    """Null: a break, or an order that is not the visitor's to see."""

    @property
    def mark(self) -> str:
        """How the visit stands: late, done, or nothing to tell."""
        if self.visit.warnings:
            return "bad"
        return "good" if self.visit.state in {"done", "confirmed"} else ""


@dataclass(frozen=True, slots=True)
class BoardRow:
    """Somebody's day."""

    who: str
    crew: bool
    centre_id: str
    hours: dict[int, list[BoardVisit]]

    @property
    def visits(self) -> list[BoardVisit]:
        """The day in order, without breaks."""
        return [one for held in self.hours.values() for one in held if one.visit.order_id]


@dataclass(frozen=True, slots=True)
class Board:
    """A day by engineer and hour."""

    hours: list[int]
    rows: list[BoardRow]

    @property
    def planned(self) -> set[str]:
        """The orders that are on it."""
        return {str(one.visit.order_id) for row in self.rows for one in row.visits}


def board(agenda: Agenda, orders: Mapping[str, Order]) -> Board:
    """Arrange a day."""
    rows = []
    for route in agenda.routes:
        hours: dict[int, list[BoardVisit]] = {}
        for visit in sorted(route.visits, key=lambda one: one.expected_from):
            held = BoardVisit(visit, orders.get(visit.order_id or ""))
            hours.setdefault(_hour(visit.expected_from), []).append(held)
        who = route.engineer_id or route.crew_id or ""
        rows.append(BoardRow(who, route.engineer_id is None, route.centre_id, hours))
    used = {hour for row in rows for hour in row.hours}
    shown = sorted(used | set(range(_FIRST_HOUR, _LAST_HOUR + 1)))
    return Board(shown, sorted(rows, key=lambda row: (row.centre_id, row.crew, row.who)))


def _hour(at: datetime) -> int:
    return at.astimezone(BUSINESS_ZONE).hour


@dataclass(frozen=True, slots=True)
class Week:
    """Appointments by slot and day."""

    days: list[date]
    slots: list[tuple[str, list[list[Appointment]]]]
    """A slot's hours, and its appointments on each of the days."""


def week_of(first: date, appointments: Iterable[Appointment]) -> Week:
    """Arrange the appointments that stand, of the week that begins on a day."""
    days = [first + timedelta(days=at) for at in range(_WEEK)]
    found: dict[tuple[str, date], list[Appointment]] = {}
    for one in appointments:
        begins, ends = (at.astimezone(BUSINESS_ZONE) for at in (one.starts_at, one.ends_at))
        if one.state in {AppointmentState.HELD, AppointmentState.BOOKED}:
            slot = f"{begins:%H:%M}–{ends:%H:%M}"
            found.setdefault((slot, begins.date()), []).append(one)
    slots = sorted({slot for slot, day in found if day in days})
    return Week(days, [(slot, [found.get((slot, day), []) for day in days]) for slot in slots])


def urgent_first(orders: Sequence[Order], now: datetime) -> list[Order]:
    """Order by what is late, then by when it is due, then by priority."""
    return sorted(
        orders,
        key=lambda one: (
            not is_late(one, now),
            one.due_at is None,
            one.due_at or one.requested_at,
            one.priority,
        ),
    )


def is_late(order: Order, now: datetime) -> bool:
    """Say whether an order that is not finished is past its due time."""
    return order.finished_at is None and order.due_at is not None and order.due_at < now
