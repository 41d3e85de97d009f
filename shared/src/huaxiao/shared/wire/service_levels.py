"""Service levels (服务时限) as versioned data of a county, and the clock of an order.

A version says for each kind of work, class of customer and line by when the customer hears from us,
by when the work is done, and from when on it is a breach; and on which cycle assets are patrolled.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Day, Fact, Given, Moment, Name, Resource
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind

CLOCK_REACHED = "dispatch.order.clock_reached"


class TimeUnit(StrEnum):
    """How time is counted."""

    MINUTES = "minutes"
    HOURS = "hours"  # 自然小时
    WINDOW_HOURS = "window_hours"  # 08:00–20:00 内的小时
    WORKING_DAYS = "working_days"  # 工作日


class Line(StrEnum):
    """What the work is done on: an ordinary line, or a leased circuit of a grade."""

    ORDINARY = "ordinary"
    CIRCUIT_AAA = "circuit_aaa"
    CIRCUIT_AA = "circuit_aa"
    CIRCUIT_STANDARD = "circuit_standard"


class Span(Given):
    """A length of time in the unit it is counted in."""

    amount: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    unit: TimeUnit


class LevelOfArea(Given):
    """What is promised in town, or in the country."""

    first_contact: Span | None = None
    target: Span
    limit: Span
    """From here on the work is not late but a breach; in the target's own way of counting."""


class ServiceLevelRow(Given):
    """What one class of customers is promised for one kind of work on one kind of line."""

    kind: OrderKind
    customer_class: CustomerClass
    line: Line = Line.ORDINARY
    build_needed: bool = False
    """The circuit's resources are still to be built."""
    town: LevelOfArea
    rural: LevelOfArea


class AssetKind(StrEnum):
    """What is patrolled (R17)."""

    BASE_STATION = "base_station"  # 基站
    MACHINE_ROOM = "machine_room"  # 机房
    CIRCUIT = "circuit"  # 专线


class AssetGrade(StrEnum):
    """How much depends on an asset; each kind has two grades of its own."""

    KEY = "key"  # 重点基站
    ORDINARY = "ordinary"  # 普通基站
    CORE = "core"  # 核心机房
    ACCESS = "access"  # 接入机房
    AAA = "aaa"  # AAA 级专线
    OTHER = "other"  # 其他专线


GRADES: dict[AssetKind, frozenset[AssetGrade]] = {
    AssetKind.BASE_STATION: frozenset({AssetGrade.KEY, AssetGrade.ORDINARY}),
    AssetKind.MACHINE_ROOM: frozenset({AssetGrade.CORE, AssetGrade.ACCESS}),
    AssetKind.CIRCUIT: frozenset({AssetGrade.AAA, AssetGrade.OTHER}),
}
"""The grades that each kind of asset may have."""


class Cycle(Given):
    """How often an asset is patrolled: each calendar month or quarter, or every so many days."""

    every: Literal["month", "quarter", "days"]
    days: Annotated[int, Field(strict=True, ge=1, le=366)] | None = None
    """Of a cycle in days, and of no other."""


class PatrolLevel(Given):
    """On which cycle assets of a kind and grade are patrolled, and when that is a breach."""

    asset_kind: AssetKind
    grade: AssetGrade
    cycle: Cycle
    grace_days: Annotated[int, Field(strict=True, ge=0, le=92)] = 7
    """Days after the cycle's end up to which a patrol is late, and no breach."""


class ServiceLevelsIn(Given):
    """A version of the service levels as it is drafted."""

    name_zh: Name
    levels: list[ServiceLevelRow] = Field(min_length=1, max_length=500)
    patrols: list[PatrolLevel] = Field(min_length=1, max_length=20)


class ServiceLevelsSummary(Resource):
    """A version of the service levels, without its table."""

    version: Count
    """0 is the suite's own table, in force until a county puts one of its own in force."""
    name_zh: Name
    from_day: date | None
    """The day from which it is in force; null while it is a draft."""
    drafted_by: str | None
    put_in_force_by: str | None


class ServiceLevels(ServiceLevelsSummary):
    """A version of the service levels."""

    levels: list[ServiceLevelRow]
    patrols: list[PatrolLevel]


class InForceIn(Given):
    """From which day a drafted version is in force."""

    from_day: Day


# --- the clock of an order ----------------------------------------------------------------------


class Escalation(StrEnum):
    """Whom a warning goes to, the further the clock has run."""

    ENGINEER = "engineer"
    CONTRACTOR = "contractor"
    COUNTY_MANAGER = "county_manager"


class StopCause(StrEnum):
    """Why work waited: a cause of suspension, or the requester who looked at a result."""

    CUSTOMER = "customer"
    FORCE_MAJEURE = "force_majeure"
    RESOURCE = "resource"
    ACCEPTANCE = "acceptance"
    """From a finish to the step that did not accept it."""


class ClockStop(Resource):
    """A time during which work waited, and whether the clock stood still."""

    number: Count
    cause: StopCause
    reason: str
    since: Moment
    until: Moment | None
    stops_clock: bool
    """False for lack of material, and for the customer's sake beyond the second time."""
    responsible_centre_id: Identifier | None
    """Whose lack of material it is."""


class ClockWarning(Resource):
    """The clock of an order has reached a share of its target; each share is told of once."""

    order_id: Identifier
    percent: Count
    reached_at: Moment
    told_at: Moment
    centre_id: Identifier | None
    engineer_id: Identifier | None
    escalated_to: Escalation


class OrderClock(Resource):
    """The service clock of an order, as it stands at a moment."""

    order_id: Identifier
    at: Moment
    """The moment it is told for: when the work was finished, or now."""
    version: Count
    """The version of the service levels that judges the order."""
    unit: TimeUnit
    target_minutes: Count
    limit_minutes: Count
    """In the unit's own time: a working day has 1,440 minutes, a window hour 60."""
    started_at: Moment
    first_contact_due_at: Moment | None
    due_at: Moment | None
    """With what has stopped the clock; null while that has no end."""
    due_without_stops_at: Moment
    limit_at: Moment | None
    elapsed_minutes: Count
    """What counts: without the time during which the clock stood still."""
    elapsed_with_stops_minutes: Count
    """What the customer waited (含压单)."""
    stopped: bool
    reschedules: Count
    reschedules_left: Count
    postponed_minutes: Count
    """How long the clock has stood still for the customer's sake, of five days in all."""
    on_time: bool | None
    breach: bool
    late_because_of_centre_id: Identifier | None
    """The centre whose lack of material alone made the work late."""
    calendar_known: bool
    """False when a day was counted of a year whose public holidays are not published yet: then
    Monday to Friday are working days."""
    stops: list[ClockStop]
    warnings: list[ClockWarning]


class ClockReached(Fact):
    """The clock of an order has reached 80, 100 or 150 % of its target."""

    order_id: Identifier
    kind: OrderKind
    percent: Count
    reached_at: Moment
    due_at: Moment
    """When the clock reaches the target, as far as is known."""
    centre_id: Identifier | None
    engineer_id: Identifier | None
    escalated_to: Escalation
