"""Plans of a day: what they are made by, what they propose, what became of them (R13, R17, R25)."""

from datetime import time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.appointments import TimeOfDay
from huaxiao.shared.wire.base import Count, Day, Fact, Given, Moment, Name, Resource
from huaxiao.shared.wire.visits import Point

PLAN_APPLIED = "dispatch.plan.applied"

Price = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
"""In minutes of travel: what a county would have somebody drive to avoid it."""
MOST_AREAS = 400
"""Every plan of a day takes the table of all of them with it."""
ByPriority = Annotated[list[Price], Field(min_length=4, max_length=4)]


class PlanPrices(Given):
    """What a plan weighs against what; the plan with the lowest sum is proposed."""

    travel: Price = 1
    """A minute on the road."""
    left_out: ByPriority = Field(default=[600, 300, 150, 80])
    """An order that nobody does that day, by priority from 1 on."""
    late: Price = 2
    """A minute that work begins after it should for its service level."""
    engineer_changed: Price = 30
    """Somebody else comes than was planned or has accepted."""
    promise_broken: ByPriority = Field(default=[240, 240, 240, 240])
    """Work begins further from the planned time than the tolerance, or is left out; by priority."""
    pinned_left_out: Price = 10_000
    """An order that a dispatcher gave to somebody is left out."""
    other_centre: Price = 20
    """Somebody of another centre does it."""
    unfair: Price = 0
    """For each engineer, times the square of their hours of work."""


class PlanRulesIn(Given):
    """How a county plans its days."""

    prices: PlanPrices = PlanPrices()
    tolerance_minutes: Annotated[int, Field(strict=True, ge=0, le=240)] = 30
    """So much earlier or later a planned visit is still as it was told."""
    break_opens: TimeOfDay = time(11, 30)
    break_closes: TimeOfDay = time(13)
    break_minutes: Annotated[int, Field(strict=True, ge=0, le=180)] = 60
    """A break that begins between the two, for whoever works from before until after; 0: none."""
    crew_opens: TimeOfDay = time(8)
    crew_closes: TimeOfDay = time(18)
    """When crews of outside companies work; of one's own people the shifts say it."""
    road_factor: Annotated[Decimal, Field(ge=1, le=5)] = Decimal("1.3")
    """So much longer than the straight line is the road, where no table and no router knows it."""
    kilometres_an_hour: Annotated[int, Field(strict=True, ge=5, le=120)] = 30
    urgent_priority: Annotated[int, Field(strict=True, ge=1, le=4)] = 2
    """Neighbouring centres help with what is at least so urgent."""

    @model_validator(mode="after")
    def _in_order(self) -> "PlanRulesIn":
        if self.break_closes < self.break_opens or self.crew_closes <= self.crew_opens:
            raise ValueError("a span ends before it begins")
        return self


class PlanRules(PlanRulesIn):
    """The rules in force, and who set them when; the suite's own have neither."""

    model_config = Resource.model_config

    number: Count
    set_by: str | None
    set_at: Moment | None


class StartOf(StrEnum):
    """Whose day begins at a place."""

    PERSON = "person"
    CREW = "crew"
    CENTRE = "centre"
    """Of everybody who has no place of their own."""


class StartPlaceIn(Given):
    """Where a day begins."""

    where: Point
    standard_address: AddressCode | None = None
    """By which a table of travel times knows it."""
    returns: bool = True
    """The day ends there too, within the shift."""


class StartPlace(StartPlaceIn):
    """Where somebody's day begins."""

    model_config = Resource.model_config

    of: StartOf
    id: Identifier


class AddressPlaceIn(Given):
    """Where the addresses under a code lie, for orders that do not say it themselves."""

    where: Point


class AddressPlace(AddressPlaceIn):
    """Where the addresses under a code lie."""

    model_config = Resource.model_config

    standard_address: AddressCode


class TravelTime(Given):
    """Minutes from one area to another."""

    from_area: AddressCode
    to_area: AddressCode
    minutes: Annotated[int, Field(strict=True, ge=0, le=1440)]


class TravelTimesIn(Given):
    """Times between areas, such as townships; what is not named goes by distance."""

    times: list[TravelTime] = Field(max_length=40_000)

    @model_validator(mode="after")
    def _not_too_many_areas(self) -> "TravelTimesIn":
        areas = {code for one in self.times for code in (one.from_area, one.to_area)}
        if len(areas) > MOST_AREAS:
            raise ValueError(f"times are kept between {MOST_AREAS} areas at most")
        return self


class TravelTimes(TravelTimesIn):
    """Times between areas, as they were told."""

    model_config = Resource.model_config


class WishIn(Given):
    """What a dispatcher decides of an order before it is planned."""

    pinned_to: Identifier | None = None
    """Nobody else does it: an engineer, or a crew."""
    forbidden: list[Identifier] = Field(default_factory=list, max_length=100)
    """Who does not do it."""
    reason: Name


class Wish(WishIn):
    """What a dispatcher decided of an order."""

    model_config = Resource.model_config

    order_id: Identifier
    by: str
    at: Moment


class PlanKind(StrEnum):
    """What a plan was made for."""

    DAY = "day"
    NEIGHBOURS = "neighbours"
    """What centres left undone, given to their neighbours."""
    OVERRIDE = "override"
    """A plan that a dispatcher changed by hand."""


class PlanState(StrEnum):
    """How far a plan is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    """Somebody stopped the search: the best plan until then."""
    FAILED = "failed"
    APPLIED = "applied"


class LongerWork(Given):
    """An order that takes longer than its kind does."""

    order_id: Identifier
    minutes: Annotated[int, Field(strict=True, ge=1, le=1440)]


class PlanIn(Given):
    """A day that is to be planned."""

    day: Day
    centre_id: Identifier
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**31)] = 1
    seconds: Annotated[int, Field(strict=True, ge=1, le=300)] | None = None
    """So long is searched, in seconds of CPU; ten where neither this nor iterations is given."""
    iterations: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] | None = None
    """Instead of seconds: then the same seed gives the same plan."""
    keep_promises: bool = True
    """Every visit planned before has its price; false plans the day from scratch."""
    away: list[Identifier] = Field(default_factory=list, max_length=100)
    """Who gets nothing more that day, though no leave says so."""
    longer: list[LongerWork] = Field(default_factory=list, max_length=200)

    @model_validator(mode="after")
    def _one_limit(self) -> "PlanIn":
        if self.seconds is not None and self.iterations is not None:
            raise ValueError("give seconds or iterations, not both")
        return self


class PlanRoundIn(Given):
    """A day of several centres: each for itself, then what is urgent and left over by neighbours."""

    day: Day
    centre_ids: list[Identifier] | None = Field(default=None, min_length=2, max_length=100)
    """All that have somebody working that day, when absent."""
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**31)] = 1
    seconds: Annotated[int, Field(strict=True, ge=1, le=300)] | None = None
    iterations: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> "PlanRoundIn":
        if self.seconds is not None and self.iterations is not None:
            raise ValueError("give seconds or iterations, not both")
        return self


class PlanProgress(Resource):
    """How far a search is, or was when it ended."""

    share: float
    """Of its time or its iterations, from 0 to 1."""
    iterations: Count
    cost: int | None
    """Of the best plan so far."""


class PlanCost(Resource):
    """What a plan costs, in minutes of travel, term by term."""

    travel: int
    left_out: int
    late: int
    promises: int
    other_centre: int
    unfairness: int
    total: int


class PlanStop(Resource):
    """A visit on somebody's way, or a break."""

    order_id: Identifier | None
    """null: a break."""
    travel_minutes: Count
    arrives_at: Moment
    starts_at: Moment
    ends_at: Moment


class PlanRoute(Resource):
    """Somebody's day; of a crew, the crew's."""

    engineer_id: Identifier | None
    crew_id: Identifier | None
    centre_id: Identifier
    stops: list[PlanStop]
    home_minutes: Count
    """The way home behind the last stop."""


class PlanObstacle(Resource):
    """Why one engineer, or crew, does not do an order."""

    engineer_id: Identifier | None
    crew_id: Identifier | None
    reason: str
    text: str
    text_zh: str
    missing_skills: list[str]
    price: int | None
    """What it would cost, where only that is in the way."""


class PlanLeftOut(Resource):
    """An order that nobody does that day."""

    order_id: Identifier
    reason: str
    text: str
    text_zh: str
    price: int
    """What leaving it out costs."""
    obstacles: list[PlanObstacle]


class PlanMissing(Resource):
    """An order, person or crew that the plan could not consider, and why."""

    id: Identifier
    reason: str
    text: str
    text_zh: str


class PlanSummary(Resource):
    """A plan without its routes."""

    plan_id: Identifier
    round_id: Identifier | None
    based_on: Identifier | None
    """The plan that was changed by hand."""
    kind: PlanKind
    day: Day
    centre_ids: list[Identifier]
    state: PlanState
    seed: int
    seconds: int | None
    iterations: int | None
    asked_by: str
    asked_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    applied_by: str | None
    applied_at: Moment | None
    progress: PlanProgress
    failure: str | None
    """Why there is no plan."""


class Plan(PlanSummary):
    """A plan: a proposal until somebody applies it."""

    now: Moment
    """The hour it plans from; what had begun by then stays."""
    travel_source: str | None
    """Where the travel times are from: `router`, `table` or `distance`."""
    orders: Count
    cost: PlanCost | None
    routes: list[PlanRoute]
    left_out: list[PlanLeftOut]
    orders_not_planned: list[PlanMissing]
    people_not_sent: list[PlanMissing]


class PlanRound(Resource):
    """The plans of several centres' day, and that of the neighbours, which applies to all."""

    round_id: Identifier
    plans: list[PlanSummary]
    together: PlanSummary


class PlanChange(Resource):
    """One order that would be done otherwise than is planned now."""

    kind: str
    order_id: Identifier
    text: str
    text_zh: str


class PlanDifference(Resource):
    """What applying a plan changes of the day as it stands."""

    plan_id: Identifier
    changes: list[PlanChange]
    outdated: list[PlanMissing]
    """Orders that have gone on meanwhile otherwise than the plan has them."""
    cost_now: PlanCost | None
    """What the day as it stood when this was asked for costs."""
    cost_then: PlanCost | None


class ApplyIn(Given):
    """How a plan is applied."""

    leave_outdated: bool = False
    """Apply the rest where orders have gone on meanwhile; else nothing is applied."""


class AppliedPlan(Resource):
    """What applying a plan did."""

    plan_id: Identifier
    given_out: list[Identifier]
    """Orders that somebody else has now than before."""
    left_as_they_are: list[PlanMissing]


class OverrideIn(Given):
    """A dispatcher's own decision about one order of a plan."""

    order_id: Identifier
    engineer_id: Identifier | None = None
    crew_id: Identifier | None = None
    """Neither: nobody does it."""
    reason: Name
    preview: bool = False
    """Only tell what it costs."""

    @model_validator(mode="after")
    def _one_of_them(self) -> "OverrideIn":
        if self.engineer_id is not None and self.crew_id is not None:
            raise ValueError("give an engineer or a crew, not both")
        return self


class Override(Resource):
    """What a dispatcher's decision costs; the plan that has it, unless it was a preview."""

    plan_id: Identifier | None
    cost_before: PlanCost
    cost_after: PlanCost
    dearer_by: int
    changes: list[PlanChange]


class PlacementChoice(Resource):
    """Who can do an order, when, and what that costs."""

    engineer_ids: list[Identifier]
    crew_id: Identifier | None
    starts_at: Moment
    price: int


class Placement(Resource):
    """Where one order goes in a day as it is planned: the best, the runners-up, and why nobody else."""

    order_id: Identifier
    day: Day
    at: Moment
    best: PlacementChoice | None
    """null: nobody can, or leaving it out costs less."""
    choices: list[PlacementChoice]
    """All who can, the cheapest first."""
    price_left_out: int
    obstacles: list[PlanObstacle]
    not_planned: PlanMissing | None
    """Why the order cannot be planned at all."""


class PlaceIn(Given):
    """Where one order is to go; the best place when nobody is named."""

    day: Day
    engineer_id: Identifier | None = None
    crew_id: Identifier | None = None
    reason: Name

    @model_validator(mode="after")
    def _one_of_them(self) -> "PlaceIn":
        if self.engineer_id is not None and self.crew_id is not None:
            raise ValueError("give an engineer or a crew, not both")
        return self


class AgendaVisit(Resource):
    """A visit of a day as it was planned, and as it stands."""

    order_id: Identifier | None
    """null: a break."""
    planned_from: Moment
    expected_from: Moment
    expected_to: Moment
    travel_minutes: Count
    state: str | None
    """The order's."""
    warnings: list[str]
    """`late`: later than was told; `running_over`: takes longer than planned."""


class AgendaRoute(Resource):
    """Somebody's day as it stands."""

    engineer_id: Identifier | None
    crew_id: Identifier | None
    centre_id: Identifier
    plan_id: Identifier | None
    visits: list[AgendaVisit]


class Agenda(Resource):
    """A day as it was planned and stands now."""

    day: Day
    at: Moment
    routes: list[AgendaRoute]
    without_anybody: list[PlanMissing]
    """Orders that were planned and that nobody can do as planned: who was to is away, or has them no
    more."""


class PlannedVisit(Fact):
    """Who visits an order, and when."""

    order_id: Identifier
    engineer_ids: list[Identifier]
    crew_id: Identifier | None
    starts_at: Moment


class PlanApplied(Fact):
    """A plan was applied: these are the visits of its centres' day from now on."""

    plan_id: Identifier
    day: Day
    centre_ids: list[Identifier]
    visits: list[PlannedVisit]
