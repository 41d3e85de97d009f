"""Shifts, leave, and appointments with customers, which take of what people really have time for."""

from datetime import time
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Day, Given, Moment, Name, Resource
from huaxiao.shared.wire.contracts import Skill
from huaxiao.shared.wire.dispatch import OrderKind
from huaxiao.shared.wire.visits import CalendarMoment

QUARTER_MINUTES = 15


def _of_quarters(minutes: int) -> int:
    if minutes % QUARTER_MINUTES:
        raise PydanticCustomError("not_quarters", "time is planned in quarters of an hour")
    return minutes


def _on_quarter(moment: time) -> time:
    if moment.tzinfo is not None or moment.second or moment.microsecond:
        raise PydanticCustomError("not_quarters", "time is planned in quarters of an hour")
    _of_quarters(moment.minute)
    return moment


TimeOfDay = Annotated[
    time,
    AfterValidator(_on_quarter),
    # JSON Schema's own "time" would have an offset from UTC.
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^([01][0-9]|2[0-3]):(00|15|30|45)(:00)?$",
            "examples": ["08:30"],
            "description": "在县里的钟点，以刻钟为单位",
        }
    ),
]
Minutes = Annotated[int, AfterValidator(_of_quarters), Field(strict=True, ge=0, le=24 * 60)]


class Shift(Given):
    """A stretch of a day that a person works."""

    day: Day
    begins: TimeOfDay
    ends: TimeOfDay
    """00:00 is the end of the day; who works on has another shift from there."""


class ShiftsIn(Given):
    """What a person works from one day to another, both included; nothing where no shift is named."""

    from_day: Day
    to_day: Day
    shifts: list[Shift] = Field(max_length=400)


class Shifts(ShiftsIn):
    """What a person works."""

    model_config = Resource.model_config

    person_id: Identifier


class LeaveIn(Given):
    """A time that a person is away."""

    since: Moment
    until: Moment
    reason: Name


class Leave(LeaveIn):
    """A leave, as it was entered."""

    model_config = Resource.model_config

    person_id: Identifier
    leave_id: Identifier
    cancelled: bool


class VisitLength(Given):
    """How long a visit for a kind of work takes."""

    kind: OrderKind
    minutes: Annotated[Minutes, Field(ge=QUARTER_MINUTES)]


class AppointmentRulesIn(Given):
    """How a county makes appointments."""

    opens: TimeOfDay = time(8)
    closes: TimeOfDay = time(20)
    slot_minutes: Annotated[Minutes, Field(ge=QUARTER_MINUTES)] = 120
    travel_minutes: Minutes = 30
    """Allowed for the way to each visit, on top of the visit itself."""
    hold_minutes: Annotated[int, Field(strict=True, ge=1, le=24 * 60)] = 15
    """How long a slot is kept for somebody who has not booked it yet."""
    visits: list[VisitLength] = Field(
        default=[
            VisitLength(kind=kind, minutes=minutes)
            for kind, minutes in (
                (OrderKind.INSTALL, 90),
                (OrderKind.MOVE, 90),
                (OrderKind.DISMANTLE, 30),
                (OrderKind.REPAIR, 60),
                (OrderKind.CHECK, 45),
                (OrderKind.PATROL, 60),
                (OrderKind.CONSTRUCTION, 90),
                (OrderKind.COMMISSIONING, 90),
            )
        ],
        min_length=len(OrderKind),
        max_length=len(OrderKind),
    )


class AppointmentRules(AppointmentRulesIn):
    """The rules in force, and who set them when; the suite's own have neither."""

    model_config = Resource.model_config

    number: Count
    set_by: str | None
    set_at: Moment | None


class Slot(Resource):
    """A stretch of a day that can be offered to a customer, and how many visits still fit."""

    centre_id: Identifier
    skill: Skill
    starts_at: Moment
    ends_at: Moment
    places: Count


class AppointmentState(StrEnum):
    """Where an appointment stands."""

    HELD = "held"
    BOOKED = "booked"
    RELEASED = "released"
    EXPIRED = "expired"


class AppointmentIn(Given):
    """A slot that is to be kept for an order."""

    order_id: Identifier
    starts_at: CalendarMoment


class MoveIn(Given):
    """Another slot for an appointment."""

    starts_at: CalendarMoment
    reason: Name
    for_customer: bool = True
    """At the customer's wish: then it counts as a reschedule, and the clock waits for the new slot."""


class ReleaseIn(Given):
    """Why an appointment is given up."""

    reason: Name


class Appointment(Resource):
    """An appointment, and whose time it takes."""

    appointment_id: Identifier
    order_id: Identifier
    centre_id: Identifier
    person_id: Identifier
    skill: Skill
    starts_at: Moment
    ends_at: Moment
    """The slot that the customer was told."""
    visit_from: Moment
    visit_to: Moment
    """The time set aside within the slot, the way included."""
    state: AppointmentState
    held_until: Moment | None
    moves: Count
    reason: str | None
    staffed: bool
    """False when the person has left or works elsewhere by now, or another centre has the order: then
    it is moved, to the same slot if somebody else has time."""
