"""Resources and facts of the dispatch service: the work, and the appraisals that follow."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Fact, Given, Moment, PeriodNumber, Ratio, Resource
from huaxiao.shared.wire.personal import HiddenNote, ShownAddress
from huaxiao.shared.wire.visits import Point, Window

ORDER_FINISHED = "dispatch.order.finished"
ORDER_REOPENED = "dispatch.order.reopened"
APPRAISAL_PUBLISHED = "dispatch.appraisal.published"


class OrderKind(StrEnum):
    """Kinds of work (装、移、拆、修、查、巡、施工、调试)."""

    INSTALL = "install"
    MOVE = "move"
    DISMANTLE = "dismantle"
    REPAIR = "repair"
    CHECK = "check"
    PATROL = "patrol"
    CONSTRUCTION = "construction"
    COMMISSIONING = "commissioning"


class Area(StrEnum):
    """Where work is done: in the county town or in the country; fees and clocks differ."""

    TOWN = "town"  # 县城
    RURAL = "rural"  # 农村


class CustomerClass(StrEnum):
    """Whose work it is: the service clock and the requester depend on it."""

    PUBLIC = "public"
    SMALL_BUSINESS = "small_business"
    KEY = "key"


class OrderState(StrEnum):
    """Where an order stands."""

    NEW = "new"
    APPOINTED = "appointed"
    """A window is agreed with the customer; nobody has the order yet."""
    DISPATCHED = "dispatched"
    """Somebody has it: assigned (已派单)."""
    ACCEPTED = "accepted"
    TRAVELLING = "travelling"
    IN_PROGRESS = "in_progress"
    SUSPENDED = "suspended"
    DONE = "done"
    CONFIRMED = "confirmed"
    REASSIGNED = "reassigned"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


WORK_ENDED = frozenset({OrderState.DONE, OrderState.CONFIRMED, OrderState.CANCELLED})
"""States of an order from which its work does not go on, unless it is reopened."""


class StepName(StrEnum):
    """What may be done to an order."""

    APPOINT = "appoint"
    ACCEPT = "accept"
    TRAVEL = "travel"
    START = "start"
    SUSPEND = "suspend"
    RESUME = "resume"
    FINISH = "finish"
    CONFIRM = "confirm"
    REJECT = "reject"
    CANCEL = "cancel"
    REASSIGN = "reassign"
    """Assign an order to an engineer or a crew, the first time too."""
    HAND_OVER = "hand_over"
    """Give an order to another centre; its clock goes on."""
    CARRY_FORWARD = "carry_forward"
    """Part of the work is done; another visit follows."""
    REWORK = "rework"
    """The requester does not accept the result."""


class SuspensionCause(StrEnum):
    """Why work waits; lack of material does not stop the service clock."""

    CUSTOMER = "customer"
    FORCE_MAJEURE = "force_majeure"
    RESOURCE = "resource"


class Evidence(Given):
    """What shows how the work went; a missing item is unknown, never good or bad."""

    onu_online: bool | None = None
    photo: bool | None = None
    first_contact_at: Moment | None = None
    appointment_kept: bool | None = None
    satisfaction: int | None = Field(default=None, ge=0, le=100, strict=True)


class WorkShare(Given):
    """Somebody who did the work, and their part of it."""

    person_id: Identifier
    parts: Annotated[int, Field(strict=True, ge=1, le=100)] = 1


class OrderStepIn(Given):
    """One step of an order."""

    step: StepName
    at: Moment | None = None
    """When it happened; now when absent. Neither before the last step nor in the future."""
    reason: str | None = Field(default=None, min_length=1, max_length=500, pattern=r"^[^\x00]*$")
    cause: SuspensionCause = SuspensionCause.CUSTOMER
    engineer_id: Identifier | None = None
    """To whom an order is assigned; or who did what is told on their behalf."""
    crew_id: Identifier | None = None
    """The crew to which an order is assigned."""
    centre_id: Identifier | None = None
    """The centre to which an order is handed over."""
    window: Window | None = None
    """When the customer expects the visit: of an appointment, or of the next visit."""
    where: Point | None = None
    shown_by: str | None = Field(default=None, min_length=1, max_length=100, pattern=r"^[^\x00]*$")
    """Name of the attachment that shows the finished work."""
    responsible_centre_id: Identifier | None = None
    """Of a suspension for lack of material: whose lack it is; the build-and-maintain centre's when
    absent."""
    worked_by: list[WorkShare] = Field(default_factory=list, max_length=20)
    """Of a finished order: who shares its fee; the engineer alone when nobody is named (R14)."""
    evidence: Evidence = Evidence()


class OrderStep(Resource):
    """A step as recorded: who, when, where, and why."""

    number: int
    step: str
    state: OrderState
    at: Moment
    by: str
    engineer_id: Identifier | None
    """Who has the order then; of a crew's order, who took the step."""
    crew_id: Identifier | None = None
    centre_id: Identifier | None = None
    """Whose work it is then; unknown of steps that were recorded before this was kept."""
    reason: str | None
    cause: SuspensionCause | None
    window: Window | None = None
    where: Point | None = None
    evidence: dict[str, Any]


class Order(Resource):
    """An order for an engineer or a crew."""

    order_id: Identifier
    source: str
    """Where it comes from: ``attribution`` of a BSS order, ``rounds`` of a patrol on its cycle, else
    what sent it."""
    reference: str | None
    """The source's own name of it."""
    kind: OrderKind
    priority: int
    """1 is the most urgent of 4."""
    customer_class: CustomerClass
    customer_id: Identifier | None
    """Null of network work."""
    standard_address: ShownAddress
    requester_centre_id: Identifier | None
    performer_centre_id: Identifier | None
    engineer_id: Identifier | None
    crew_id: Identifier | None
    needed_skills: list[str]
    people_needed: int = 1
    """So many work on it at once."""
    """Beyond the skill of the kind."""
    unmet_skills: list[str]
    """Needed, and nobody of the performing centre has them."""
    wished: Window | None
    appointment: Window | None
    where: Point | None
    contact_note: HiddenNote | None
    """Hidden; ``POST …/full-views`` shows it to those who need it."""
    visits: int
    """Begun so far; each after the first carries on what the one before left."""
    reworks: int
    """How often the requester did not accept the result."""
    handovers: int
    shown_by: str | None
    """Name of the attachment that shows the finished work."""
    state: OrderState
    reason: str | None
    """The last reason given, or why nobody has it yet; every step keeps its own."""
    requested_at: Moment
    due_at: Moment | None
    finished_at: Moment | None
    on_time: bool | None
    flags: list[str]


class OrderWithSteps(Order):
    """An order and everything that happened to it, oldest first."""

    steps: list[OrderStep]


PlainDecimal = Annotated[str, Field(pattern=r"^-?[0-9]{1,3}(\.[0-9]{1,6})?$")]
"""A decimal number as a string of digits, such as ``87.5``."""


_GivenStars = dict[
    Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")],
    Annotated[int, Field(ge=1, le=5, strict=True)],
]


class HorizontalIn(Given):
    """An enterprise centre rates the regional centre that served its customers (R26)."""

    period: PeriodNumber
    rater_centre_id: Identifier
    ratee_centre_id: Identifier
    cooperation_stars: int | None = Field(default=None, ge=1, le=5, strict=True)
    """Needed, unless the county's form has no such item."""
    stars: _GivenStars = Field(default_factory=dict, max_length=50)
    """What else a county's form judges in stars, one to five each."""
    reason: str | None = Field(default=None, min_length=1, max_length=500, pattern=r"^[^\x00]*$")


class FinalIn(Given):
    """A regional centre rates its engineer, bound to the horizontal result (R27)."""

    period: PeriodNumber
    person_id: Identifier
    own_score: PlainDecimal | None = None
    """The own part as the centre states it; else it is measured, and ``stars`` are needed."""
    stars: _GivenStars = Field(default_factory=dict, max_length=50)
    """The items of the own part that the centre judges, one to five each."""
    adjustment: PlainDecimal = "0"
    reason: str | None = Field(default=None, min_length=1, max_length=500, pattern=r"^[^\x00]*$")


class CoefficientKind(StrEnum):
    """What a final score is used for."""

    PAY = "pay"
    """Of own and centre-hired staff."""
    SUPPLIER = "supplier"
    """Of outsourced staff: what their supplier is settled by, 0.8 to 1.1."""


class AppraisalKind(StrEnum):
    """Which appraisal it is."""

    HORIZONTAL = "horizontal"
    FINAL = "final"
    REVERSE = "reverse"


class AppraisalState(StrEnum):
    """Where an appraisal stands in its calendar."""

    ANSWERING = "answering"
    """The ratee may confirm or appeal."""
    APPEALED = "appealed"
    SETTLED = "settled"
    """Its score stands; a final card waits to be published."""
    PUBLISHED = "published"
    CLOSED = "closed"
    """Only a dated correction changes it."""


class Appraisal(Resource):
    """An appraisal with everything its score was computed from."""

    appraisal_id: Identifier
    kind: AppraisalKind
    period: PeriodNumber
    rater_centre_id: Identifier | None
    """Null where those who rate are many and not named: a reverse appraisal."""
    ratee_centre_id: Identifier
    person_id: Identifier | None
    score: Ratio | None
    """0 to 100 at two decimals; null when the ratee is not rated (不参评)."""
    grade: str | None
    confirmed: bool
    explanation: dict[str, Any]
    state: AppraisalState = AppraisalState.PUBLISHED
    scorecard_version: Count = 0
    revision: Count = 1
    evidence_only: bool = False
    """Nobody submitted it in time: what was measured stands alone."""
    coefficient_kind: CoefficientKind | None = None
    coefficient: Ratio | None = None
    answer_until: Moment | None = None
    decide_until: Moment | None = None


class FinishedWork(Resource):
    """How many orders of a kind a centre finished in a month."""

    period: PeriodNumber
    centre_id: Identifier
    kind: OrderKind
    area: Area
    count: int


class FinishedOrder(Resource):
    """An order that a centre finished in a month, by the last result that was known."""

    order_id: Identifier
    kind: OrderKind
    centre_id: Identifier
    engineer_id: Identifier | None
    period: PeriodNumber
    finished_at: Moment
    recorded_at: Moment
    due_at: Moment | None
    on_time: bool | None
    """Null where no service level is set."""


class PublishedScore(Resource):
    """A card's score as everybody had been told of it by a moment."""

    appraisal_id: Identifier
    kind: AppraisalKind
    period: PeriodNumber
    ratee_centre_id: Identifier
    person_id: Identifier | None
    revision: Count
    score: Ratio
    """0 to 100 at two decimals."""


class CentreScore(Resource):
    """A centre's horizontal score of a month: the mean of its confirmed cards."""

    period: PeriodNumber
    centre_id: Identifier
    score: Ratio
    """0 to 100 at two decimals."""
    appraisal_ids: list[Identifier]


class WorkDone(Resource):
    """What settlements need of the work of some months, as it was known at a moment."""

    known_at: Moment
    orders: list[FinishedWork]
    scores: list[CentreScore]
    reverse_scores: list[CentreScore] = Field(default_factory=list)
    """What those who are served give the units that support them (R28)."""


# --- facts of the feed --------------------------------------------------------------------------


class OrderFinished(Fact):
    """Work is done; ``on_time`` is null where no service level is set."""

    order_id: Identifier
    kind: OrderKind
    centre_id: Identifier
    engineer_id: Identifier
    period: PeriodNumber
    on_time: bool | None
    late_because_of_centre_id: Identifier | None = None
    """The centre whose lack of material alone made it late."""


class OrderReopened(OrderFinished):
    """A result was not accepted: what the finish counted, in its period, counts no more."""


class AppraisalPublished(Fact):
    """An appraisal stands: horizontal when confirmed, final when computed, reverse when decided."""

    appraisal_id: Identifier
    kind: AppraisalKind
    period: PeriodNumber
    ratee_centre_id: Identifier
    person_id: Identifier | None
    score: Decimal | None
    grade: str | None
    revision: Count = 1
    coefficient_kind: CoefficientKind | None = None
    coefficient: Ratio | None = None
    """Of a final card; a centre's fees follow its horizontal score by the terms of its contract."""
