"""Resources and facts of the dispatch service: the work, and the appraisals that follow."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Fact, Given, Moment, PeriodNumber, Ratio, Resource

ORDER_FINISHED = "dispatch.order.finished"
APPRAISAL_PUBLISHED = "dispatch.appraisal.published"


class OrderKind(StrEnum):
    """Kinds of work (装、移、拆、修、查、巡)."""

    INSTALL = "install"
    MOVE = "move"
    DISMANTLE = "dismantle"
    REPAIR = "repair"
    CHECK = "check"
    PATROL = "patrol"


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
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    SUSPENDED = "suspended"
    DONE = "done"
    CONFIRMED = "confirmed"
    REASSIGNED = "reassigned"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class StepName(StrEnum):
    """What may be done to an order."""

    ACCEPT = "accept"
    START = "start"
    SUSPEND = "suspend"
    RESUME = "resume"
    FINISH = "finish"
    CONFIRM = "confirm"
    REJECT = "reject"
    CANCEL = "cancel"
    REASSIGN = "reassign"


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
    responsible_centre_id: Identifier | None = None
    """Of a suspension for lack of material: whose lack it is; the build-and-maintain centre's when
    absent."""
    worked_by: list[WorkShare] = Field(default_factory=list, max_length=20)
    """Of a finished order: who shares its fee; the engineer alone when nobody is named (R14)."""
    evidence: Evidence = Evidence()


class OrderStep(Resource):
    """A step as recorded: who, when, and why."""

    number: int
    step: str
    state: OrderState
    at: Moment
    by: str
    engineer_id: Identifier | None
    reason: str | None
    cause: SuspensionCause | None
    evidence: dict[str, Any]


class Order(Resource):
    """An order for an engineer."""

    order_id: Identifier
    kind: OrderKind
    customer_class: CustomerClass
    customer_id: Identifier
    standard_address: AddressCode
    requester_centre_id: Identifier | None
    performer_centre_id: Identifier | None
    engineer_id: Identifier | None
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


class HorizontalIn(Given):
    """An enterprise centre rates the regional centre that served its customers (R26)."""

    period: PeriodNumber
    rater_centre_id: Identifier
    ratee_centre_id: Identifier
    cooperation_stars: int = Field(ge=1, le=5, strict=True)
    reason: str | None = Field(default=None, min_length=1, max_length=500, pattern=r"^[^\x00]*$")


class FinalIn(Given):
    """A regional centre rates its engineer, bound to the horizontal result (R27)."""

    period: PeriodNumber
    person_id: Identifier
    own_score: PlainDecimal
    adjustment: PlainDecimal = "0"
    reason: str | None = Field(default=None, min_length=1, max_length=500, pattern=r"^[^\x00]*$")


class AppraisalKind(StrEnum):
    """Which appraisal it is."""

    HORIZONTAL = "horizontal"
    FINAL = "final"


class Appraisal(Resource):
    """An appraisal with everything its score was computed from."""

    appraisal_id: Identifier
    kind: AppraisalKind
    period: PeriodNumber
    rater_centre_id: Identifier
    ratee_centre_id: Identifier
    person_id: Identifier | None
    score: Ratio | None
    """0 to 100 at two decimals; null when the ratee is not rated (不参评)."""
    grade: str | None
    confirmed: bool
    explanation: dict[str, Any]


class FinishedWork(Resource):
    """How many orders of a kind a centre finished in a month."""

    period: PeriodNumber
    centre_id: Identifier
    kind: OrderKind
    area: Area
    count: int


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


class AppraisalPublished(Fact):
    """An appraisal's result stands: horizontal when confirmed, final when computed."""

    appraisal_id: Identifier
    kind: AppraisalKind
    period: PeriodNumber
    ratee_centre_id: Identifier
    person_id: Identifier | None
    score: Decimal | None
    grade: str | None
