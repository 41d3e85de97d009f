"""Resources and facts of support tickets (需求单): what centres ask of the support centre (R18, R19)."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Day, Fact, Given, Moment, Name, PeriodNumber, Resource
from huaxiao.shared.wire.personal import ShownAddress

TICKET_RAISED = "dispatch.ticket.raised"
TICKET_ESCALATED = "dispatch.ticket.escalated"
TICKET_CLOSED = "dispatch.ticket.closed"
TICKET_REOPENED = "dispatch.ticket.reopened"

Text = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
CategoryCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", examples=["complaint"])]


class Urgency(StrEnum):
    """How soon an answer is needed; the clocks depend on it."""

    NORMAL = "normal"  # 普通
    URGENT = "urgent"  # 紧急


class Boundary(StrEnum):
    """Whose a complaint is (投诉界面): the company's customer service, or the centre's."""

    COMPANY_SERVICE = "company_service"  # 公司客服
    CENTRE = "centre"  # 营服中心


class UnitKind(StrEnum):
    """What may owe a ticket. Only centres are units of the branch."""

    CENTRE = "centre"
    SUPPORT_MANAGER = "support_manager"  # 综合服务支撑中心经理
    CITY_COMPANY = "city_company"  # 市公司
    COMPANY_SERVICE = "company_service"  # 公司客服


class OwnerRule(StrEnum):
    """How the owing unit is found."""

    SUPPORT_CENTRE = "support_centre"
    BUILD_MAINTAIN_CENTRE = "build_maintain_centre"
    CUSTOMERS_CENTRE = "customers_centre"
    """The centre on whose list the customer is; else whose field covers their address."""
    ORDERS_CENTRE = "orders_centre"
    """The centre that does the order's work."""
    NAMED_CENTRE = "named_centre"
    CITY_COMPANY = "city_company"
    COMPANY_SERVICE = "company_service"


class Circumstance(StrEnum):
    """When a clause of an ownership rule applies."""

    ALWAYS = "always"
    CUSTOMER_IS_VIP = "customer_is_vip"
    COMPANY_SERVICE_DECIDED = "company_service_decided"
    """The complaint was found to be the company's customer service's."""
    CENTRE_DECIDED = "centre_decided"
    """The complaint was found to be the centre's."""


class OwnerClause(Given):
    """A clause of an ownership rule; the first that applies names the owing unit."""

    when: Circumstance = Circumstance.ALWAYS
    owner: OwnerRule
    centre_id: Identifier | None = None
    """The centre named, with ``named_centre`` only."""


class TicketCategory(Given):
    """A category of tickets and who owes them."""

    code: CategoryCode
    name: Name
    name_zh: Name
    clauses: list[OwnerClause] = Field(min_length=1, max_length=20)
    needs_boundary: bool = False
    """No answer before it is decided whose complaint it is."""
    needs_vip: bool = False
    """The raiser says whether the customer is a VIP."""


class CategorySetIn(Given):
    """A version of a branch's categories as it is drafted."""

    name_zh: Name
    categories: list[TicketCategory] = Field(min_length=1, max_length=100)


class CategoryActivationIn(Given):
    """From which day a drafted version is in force."""

    from_day: Day


class CategorySetSummary(Resource):
    """A version of the categories, without them."""

    version: Count
    """0 is the suite's own, in force until a branch activates one of its own."""
    name_zh: Name
    from_day: date | None
    """The day from which it is in force; null while it is a draft."""
    drafted_by: str | None
    activated_by: str | None


class CategorySet(CategorySetSummary):
    """A version of the categories."""

    categories: list[TicketCategory]


class TicketState(StrEnum):
    """Where a ticket stands."""

    RAISED = "raised"  # 已提出
    ACCEPTED = "accepted"  # 已受理
    RETURNED = "returned"  # 退回补充
    HANDED_OVER = "handed_over"  # 已转派
    ANSWERED = "answered"  # 已答复
    CLOSED = "closed"  # 已闭环
    REOPENED = "reopened"  # 已重启


class TicketStepName(StrEnum):
    """What may be done to a ticket."""

    ACCEPT = "accept"
    RETURN = "return"
    RESUBMIT = "resubmit"
    HAND_OVER = "hand_over"
    DECIDE_BOUNDARY = "decide_boundary"
    ANSWER = "answer"
    CLOSE = "close"
    REOPEN = "reopen"


class ClosedHow(StrEnum):
    """Who closed a ticket."""

    RAISER = "raiser"
    FORCED = "forced"
    """The system, the raiser having been silent after the answer."""
    COUNTY_MANAGER = "county_manager"


class Supervisor(StrEnum):
    """Who sees to it that an overdue ticket is done (嵌入式督办)."""

    SUPPORT_MANAGER = "support_manager"  # 综合服务支撑中心经理
    GENERAL_MANAGER = "general_manager"  # 总经理


class TimerName(StrEnum):
    """A clock of a ticket."""

    FIRST_REPLY = "first_reply"
    TARGET = "target"
    LIMIT = "limit"
    RAISER = "raiser"
    """How long the raiser may be silent after an answer, or after being asked for more."""


class TicketAbout(Given):
    """What a ticket is about."""

    order_id: Identifier | None = None
    customer_id: Identifier | None = None
    field_id: Identifier | None = None
    standard_address: AddressCode | None = None
    customer_is_vip: bool | None = Field(default=None, strict=True)


class TicketAboutShown(TicketAbout):
    """What a ticket is about, as it is shown."""

    standard_address: ShownAddress | None = None


class TicketIn(Given):
    """What a centre asks for, at the one point of entry."""

    raiser_centre_id: Identifier
    category: CategoryCode
    title: Name
    text: Text
    urgency: Urgency = Urgency.NORMAL
    about: TicketAbout = TicketAbout()


class Unit(Given):
    """A unit that owes a ticket; ``centre_id`` of the support centre's manager is its centre."""

    kind: UnitKind = UnitKind.CENTRE
    centre_id: Identifier | None = None


class TicketStepIn(Given):
    """One step of a ticket, taken now."""

    step: TicketStepName
    reason: Reason | None = None
    """Why; needed to return, hand over, decide, reopen, and to close what is not answered."""
    text: Text | None = None
    """The answer, or what the raiser adds."""
    to: Unit | None = None
    """Whom to hand over to."""
    boundary: Boundary | None = None


class TicketStep(Resource):
    """A step as recorded: who, when, and why; ``step`` is also ``raise`` and ``force_close``."""

    number: int
    step: str
    state: TicketState
    at: Moment
    by: str
    reason: str | None
    text: str | None
    owner: Unit
    """Who owes the ticket from this step on."""
    boundary: Boundary | None


class Timer(Resource):
    """A clock of a ticket."""

    timer: TimerName
    measure: str
    """``working_hours`` (08:00 to 20:00) or ``working_days`` (of twelve such hours)."""
    allowed_seconds: int
    used_seconds: int
    running: bool
    due_at: Moment | None
    """Null while the clock is stopped before it."""
    in_time: bool | None
    """Null while it may still turn out either way; equal is in time."""
    stopped_because: str | None


class Escalation(Resource):
    """A mark that a clock has passed, once and for ever."""

    timer: TimerName
    percent: int
    at: Moment
    """When the clock stood there, however much later it was recorded."""
    owner: Unit
    supervisor: Supervisor | None


class Ticket(Resource):
    """What a centre asks for."""

    ticket_id: Identifier
    category: CategoryCode
    category_version: int
    title: str
    urgency: Urgency
    about: TicketAboutShown
    raiser_centre_id: Identifier
    raised_by: str
    raised_at: Moment
    state: TicketState
    owner: Unit
    owner_found: bool
    """False when the category's rule found nobody, so that the support centre's manager has it."""
    boundary: Boundary | None
    boundary_decided_by: str | None
    boundary_decided_at: Moment | None
    first_reply_at: Moment | None
    answered_at: Moment | None
    closed_at: Moment | None
    closed_how: ClosedHow | None
    due_at: Moment | None
    """When the target is, or was, reached; null while the clock is stopped before it."""
    overdue: bool
    """Past its target and not closed."""
    on_time: bool | None
    """Null until it is closed."""
    supervisor: Supervisor | None
    supervised_at: Moment | None


class TicketDetail(Ticket):
    """A ticket with its text, its clocks and everything that happened to it, oldest first."""

    text: str
    timers: list[Timer]
    assumed_years: list[int]
    """Years of which the calendar knows no holidays yet: Monday to Friday are taken for working days."""
    escalations: list[Escalation]
    steps: list[TicketStep]


class TicketReportLine(Resource):
    """What became of a category's tickets that a unit owes."""

    category: CategoryCode
    owner: Unit
    raised: Count
    closed: Count
    closed_on_time: Count
    overdue_open: Count
    """Not closed at the end of the period, or now, and past the target by then."""
    median_first_reply_seconds: int | None
    """The median of first replies given in the period, in working hours; null without any."""
    forced_closures: Count


class TicketReport(Resource):
    """A period's tickets by category and owing unit."""

    period: PeriodNumber
    as_of: Moment
    lines: list[TicketReportLine]


# --- facts of the feed --------------------------------------------------------------------------


class TicketRaised(Fact):
    """A centre asks for something."""

    ticket_id: Identifier
    category: CategoryCode
    urgency: Urgency
    raiser_centre_id: Identifier
    owner: Unit
    at: Moment


class TicketEscalated(Fact):
    """A clock of a ticket has passed a mark; each is told once."""

    ticket_id: Identifier
    timer: TimerName
    percent: int
    at: Moment
    owner: Unit
    supervisor: Supervisor | None


class TicketClosed(Fact):
    """A ticket is closed."""

    ticket_id: Identifier
    category: CategoryCode
    owner: Unit
    at: Moment
    how: ClosedHow
    on_time: bool


class TicketReopened(Fact):
    """The raiser of a closed ticket has opened it again."""

    ticket_id: Identifier
    owner: Unit
    at: Moment
    reason: str
