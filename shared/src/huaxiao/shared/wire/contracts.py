"""Resources and facts of the contracts service: who is who, and what is bound."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.wire.base import (
    AmountFen,
    Count,
    Day,
    Fact,
    Given,
    Moment,
    Name,
    PeriodNumber,
    Resource,
    SumFen,
)
from huaxiao.shared.wire.terms import ContractTerms, OrderFee, Parties


class CentreKind(StrEnum):
    """Kinds of unit inside a branch (R10, R17, R18)."""

    TOWN = "town"  # 县城营服中心
    TOWNSHIP = "township"  # 乡镇营服中心
    OWN_HALL = "own_hall"  # 自有厅营服中心
    ENTERPRISE = "enterprise"  # 政企(商企)营服中心
    BUILD_MAINTAIN = "build_maintain"  # 建设维护服务中心
    SUPPORT = "support"  # 综合服务支撑中心
    MANAGEMENT = "management"  # 管理层
    DEFAULT = "default"  # 本部/游离
    DEPARTMENT = "department"  # 调整前的部门


class FieldKind(StrEnum):
    """Kinds of responsibility field (责任田, R9)."""

    REGIONAL = "regional"  # 地域型
    CUSTOMER = "customer"  # 特征型
    CHANNEL = "channel"  # 渠道型


class Segment(StrEnum):
    """Segments of listed customers (R15)."""

    KEY_ACCOUNT = "key_account"  # 清单大客
    CLUSTER = "cluster"  # 清单聚类市场
    HIGH_VALUE_SMB = "high_value_smb"  # 清单高值商客
    CAMPUS = "campus"  # 清单校园


class ChannelKind(StrEnum):
    """Kinds of sales channel (R11, R12)."""

    OWN_HALL = "own_hall"  # 自有厅
    AGENT = "agent"  # 代理商
    CHAIN_STORE = "chain_store"  # 大连锁店
    BUSINESS_DISTRICT = "business_district"  # 核心商圈
    DIRECT = "direct"  # 直销
    ONLINE = "online"  # 线上/2I2C


class ChannelMode(StrEnum):
    """How a channel field stands to the centres (R12)."""

    ISOLATED = "isolated"  # 隔离划小
    PUSHED_DOWN = "pushed_down"  # 下沉


class Engagement(StrEnum):
    """How a person works for the branch (R14)."""

    OWN = "own"  # 自有人员
    CENTRE_HIRED = "centre_hired"  # 营服中心自招
    OUTSOURCED = "outsourced"  # 代维


class Skill(StrEnum):
    """What a smart-home engineer can do (R13)."""

    SELL = "sell"
    INSTALL = "install"
    REPAIR = "repair"
    MAINTAIN = "maintain"
    DRIVE = "drive"


class BranchSummary(Resource):
    """A county branch, as a list of them shows it."""

    branch_id: BranchId
    name_zh: Name


class Centre(Resource):
    """A unit of the branch: a service centre, or one of those that serve them."""

    centre_id: Identifier
    kind: CentreKind
    name: Name
    name_zh: Name
    from_day: date | None = None
    """The day it is open from; null is: as long as the branch."""


class Person(Resource):
    """Somebody who works here, by code; personal names are not kept here."""

    person_id: Identifier
    engagement: Engagement
    skills: list[Skill]


class Assignment(Resource):
    """A person's place in a centre. Positions are not persons: a concurrent one counts no head."""

    person_id: Identifier
    centre_id: Identifier
    position: Name
    primary: bool
    from_day: date


class Channel(Resource):
    """A channel and the centre it belongs to (R11)."""

    channel_id: Identifier
    kind: ChannelKind
    centre_id: Identifier
    name_zh: Name


class ListedCustomer(Resource):
    """A customer on the list of a customer field (R15)."""

    customer_id: Identifier
    segment: Segment


class FieldScope(Resource):
    """What a field covers: addresses, or customers, or channels; which one its kind says."""

    address_prefixes: list[AddressCode] = Field(default_factory=list, max_length=5000)
    resource_prefixes: list[Identifier] = Field(default_factory=list, max_length=5000)
    customers: list[ListedCustomer] = Field(default_factory=list, max_length=50_000)
    channel_ids: list[Identifier] = Field(default_factory=list, max_length=5000)
    channel_mode: ChannelMode | None = None


class BaseMonth(Resource):
    """A month of the base (承包基数): a year before the term, back-cast to today's fields."""

    period: PeriodNumber
    revenue_fen: AmountFen
    market_cost_fen: AmountFen
    cash_in_fen: AmountFen
    cash_out_fen: AmountFen
    pay_fen: AmountFen
    headcount: Count


# --- what callers send, and what they get back --------------------------------------------------


class DivisionLevel(StrEnum):
    """Levels of the statistical divisions; each has its own length of code."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


class LockState(StrEnum):
    """Whether a field may still be redrawn, or a contract rewritten."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"  # 审签中：撤回前不变
    SEALED = "sealed"


class DocumentFormat(StrEnum):
    """How a contract is written down."""

    DOCX = "docx"
    PDF = "pdf"


class BranchIn(Given):
    """A county branch as it is registered."""

    name: Name
    name_zh: Name
    default_centre_id: Identifier
    """The centre that holds what belongs to no field (本部/游离); it may be registered later."""


class Branch(BranchSummary):
    """A county branch."""

    name: Name
    default_centre_id: Identifier


DivisionCode = Annotated[str, Field(pattern=r"^[1-6][0-9]{1,11}$", examples=["130123100201"])]


class DivisionIn(Given):
    """A statistical division; ``parent_code`` is null for a province."""

    code: DivisionCode
    name: Name
    level: DivisionLevel
    parent_code: DivisionCode | None = None


class Division(Resource):
    """A statistical division of the branch, or one that contains it."""

    code: str
    name: str
    level: DivisionLevel
    parent_code: str | None


class DivisionsAdded(Resource):
    """How many divisions were new, and how many were there already, just the same."""

    added: int
    unchanged: int


class CentreIn(Given):
    """A unit of the branch as it is registered."""

    kind: CentreKind
    name: Name
    name_zh: Name
    from_day: Day | None = None
    """The day it is open from; without one it has been there from the branch's beginning."""


class ConcurrentPlace(Given):
    """A second position (兼任); it counts no head."""

    centre_id: Identifier
    position: Name


class PersonIn(Given):
    """A person's place from a day on; a later day moves the person, an earlier place stays known."""

    engagement: Engagement
    skills: list[Skill] = Field(default_factory=list, max_length=20)
    centre_id: Identifier
    position: Name
    from_day: Day
    concurrent: list[ConcurrentPlace] = Field(default_factory=list, max_length=20)


class PlacedPerson(Person):
    """A person at their latest place."""

    centre_id: Identifier
    position: Name
    from_day: date
    concurrent: list[ConcurrentPlace]
    here: bool = True
    """False from the day on which the person left; the rest is where they were."""


class ChannelIn(Given):
    """A channel as it is registered."""

    kind: ChannelKind
    centre_id: Identifier
    name_zh: Name


class ListedCustomerIn(ListedCustomer):
    """A customer on a list, as it is sent: no member may be unknown."""

    model_config = Given.model_config


class FieldScopeIn(FieldScope):
    """What a field is to cover, as it is sent: no member may be unknown."""

    model_config = Given.model_config

    customers: list[ListedCustomerIn] = Field(  # type: ignore[assignment]  # nothing writes to it
        default_factory=list, max_length=50_000
    )


class BaseMonthIn(BaseMonth):
    """A month of the base, as it is sent: no member may be unknown."""

    model_config = Given.model_config


class FieldIn(Given):
    """A responsibility field as it is drawn; both ends of the term belong to it."""

    kind: FieldKind
    centre_id: Identifier
    name_zh: Name
    term_from: PeriodNumber
    term_to: PeriodNumber
    scope: FieldScopeIn


class FieldSummary(Resource):
    """A field in a list: everything but the scope, which may be long."""

    field_id: Identifier
    kind: FieldKind
    centre_id: Identifier
    name_zh: Name
    term_from: PeriodNumber
    term_to: PeriodNumber
    state: LockState
    digest: str | None
    """SHA-256 of what was sealed, in hex; null while the field is a draft."""
    contract_id: Identifier | None
    """The contract that sealed it."""


class ResponsibilityField(FieldSummary):
    """A field and what it covers."""

    scope: FieldScope


class AddressUnitIn(Given):
    """A compound, building or unit that the carrier knows below a village."""

    code: Annotated[str, Field(pattern=r"^[1-6][0-9]{12,17}$", examples=["13012310020101"])]
    name: Name
    parent_code: AddressCode
    """The village, or another unit."""


class AddressUnit(AddressUnitIn):
    """An address unit of the branch."""

    model_config = Resource.model_config


class AddressUnitsAdded(DivisionsAdded):
    """How many units were new, and how many were there already, just the same."""


class CoverageOverlap(Resource):
    """Something that lies, at least in part, under more than one field."""

    code: Identifier
    """A village, a customer or a channel."""
    field_ids: list[Identifier]


class PrefixClash(Resource):
    """A field's prefix that begins with another field's, whether anything lies there or not."""

    prefix: Identifier
    field_id: Identifier
    other_prefix: Identifier
    other_field_id: Identifier


class DroppedCustomer(Resource):
    """A customer who was on a list of the term before and is on none now."""

    customer_id: Identifier
    segment: Segment
    field_id: Identifier
    """The field of the term before."""


class Coverage(Resource):
    """How the fields of a period cover villages, listed customers and channels (R8)."""

    period: PeriodNumber | None
    """The period looked at; null when there is no regional field to look at."""
    sealed_only: bool
    """Whether drafts were left out."""
    complete: bool
    """Every unit known and every customer of either term has exactly one field."""
    villages: int
    address_units: int
    customers: int
    """Customers on the lists of the period."""
    gaps: list[AddressCode]
    """Villages no address of which lies under a regional field; units so of villages in part."""
    partial: list[AddressCode]
    """Villages only parts of which, such as single compounds, lie under regional fields."""
    open_villages: list[AddressCode]
    """Those of them of which no units are known, so that nothing proves they are covered."""
    overlaps: list[CoverageOverlap]
    """Villages in which some address lies under more than one regional field."""
    prefix_clashes: list[PrefixClash]
    """Address prefixes and resource prefixes of two fields that meet."""
    customers_listed_twice: list[CoverageOverlap]
    customers_dropped: list[DroppedCustomer]
    channels_listed_twice: list[CoverageOverlap]
    names: dict[str, str]
    """What the villages, units and fields named here are called."""


class CoverageDeclaration(Resource):
    """The county's word, proved when it was given, that a term's division covers everything once (R8)."""

    period: PeriodNumber
    digest: str
    """SHA-256, in hex, over the coverage as it was then."""
    coverage: Coverage
    declared_by: str
    declared_at: Moment


class ContractIn(Given):
    """A contract as it is drafted (R7); ``centre_id`` is null for the county's own."""

    level: Literal["county", "centre"]
    centre_id: Identifier | None
    term_from: PeriodNumber
    term_to: PeriodNumber
    field_ids: list[Identifier] = Field(default_factory=list, max_length=1000)
    parties: Parties
    terms: ContractTerms
    base: list[BaseMonthIn] = Field(default_factory=list, max_length=120)


class RenewalIn(Given):
    """The next term of a signed contract: under which ids, and on which base."""

    contract_id: Identifier
    suffix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:]{1,16}$", examples=["2018"])]
    """Each field's new id is its old one, a hyphen and this."""
    base: list[BaseMonthIn] = Field(default_factory=list, max_length=120)


class ContractSummary(Resource):
    """A contract in a list: who, when, and whether it is in force."""

    contract_id: Identifier
    level: Literal["county", "centre"]
    centre_id: Identifier | None
    """The contracting centre; null for the county contract."""
    term_from: PeriodNumber
    term_to: PeriodNumber
    state: LockState
    digest: str | None
    """SHA-256 over the contract and its fields' digests, in hex; null until both sides signed."""
    signed_at: Moment | None
    signed_by: str | None
    """Subject of the token that signed last; ``…/review`` has both."""


class Contract(ContractSummary):
    """A contract and what was agreed."""

    field_ids: list[Identifier]
    parties: Parties
    terms: ContractTerms
    base: list[BaseMonth]


class RefusedChangeSummary(Resource):
    """An attempt to change what is sealed, in a list: everything but what it asked for (R21)."""

    number: int
    """Counts the branch's refused changes from 1 without gaps: a missing one shows."""
    subject_kind: Literal["field", "contract"]
    subject_id: Identifier
    centre_id: Identifier | None
    """The centre whose it is; null for the county contract."""
    asked_by: str
    """Subject of the token that asked."""
    asked_at: Moment
    code: str
    """Why: code of the problem the caller was answered with."""
    digest: str
    """Digest of the seal that the attempt met, in hex."""


class RefusedChange(RefusedChangeSummary):
    """An attempt to change what is sealed, and all that it asked for."""

    asked: dict[str, Any]
    """The request's body as it was understood."""


class PayIn(Given):
    """A person's pay of a period, employer's insurance left out; own staff only (R4)."""

    person_id: Identifier
    centre_id: Identifier
    period: PeriodNumber
    pay_fen: Annotated[AmountFen, Field(ge=0)]


class PersonPay(Resource):
    """What a person of a centre was paid in a period, as it was recorded."""

    person_id: Identifier
    centre_id: Identifier
    period: PeriodNumber
    pay_fen: AmountFen
    recorded_at: Moment


class CentrePay(Resource):
    """A centre's pay of a period so far, and its own staff at the period's two ends."""

    centre_id: Identifier
    period: PeriodNumber
    pay_fen: AmountFen
    headcount_start: Count
    headcount_end: Count


class PayComparison(Resource):
    """A contractor's pay against that of the team, over the contract year so far (R1).

    ``contractor_months`` and ``member_months`` count person-months of which pay is recorded.
    """

    contract_id: Identifier
    period_from: PeriodNumber
    period_to: PeriodNumber
    contractor_id: Identifier | None
    """In the last of these months."""
    contractor_fen: SumFen
    contractor_months: Count
    members_fen: SumFen
    member_months: Count
    most_times: Decimal | None
    """Of the members' mean, as agreed for the last month; null where no limit is."""
    most_fen: SumFen | None
    """What the contractor may have been paid at most; null where that is not known."""
    within: bool | None
    """Whether the limit is kept; null where none is agreed, or somebody's pay is not recorded yet."""


# --- facts of the feed --------------------------------------------------------------------------

BRANCH_REGISTERED = "contracts.branch.registered"
CENTRE_REGISTERED = "contracts.centre.registered"
PERSON_ASSIGNED = "contracts.person.assigned"
CHANNEL_REGISTERED = "contracts.channel.registered"
FIELD_SEALED = "contracts.field.sealed"
CONTRACT_SIGNED = "contracts.contract.signed"
COVERAGE_DECLARED = "contracts.coverage.declared"
PAYROLL_RECORDED = "contracts.payroll.recorded"


class BranchRegistered(Fact):
    """A county branch exists."""

    branch_id: BranchId
    name_zh: Name
    default_centre_id: Identifier


class CentreRegistered(Fact):
    """A centre exists."""

    centre: Centre


class PersonAssigned(Fact):
    """A person has a place in a centre from a day."""

    person: Person
    assignment: Assignment


class ChannelRegistered(Fact):
    """A channel exists and belongs to a centre."""

    channel: Channel


class FieldSealed(Fact):
    """A field is locked for the contract's term (R21)."""

    field_id: Identifier
    kind: FieldKind
    centre_id: Identifier
    name_zh: Name
    term_from: PeriodNumber
    term_to: PeriodNumber
    scope: FieldScope
    digest: str


class ContractSigned(Fact):
    """A contract is in force: its fields are sealed, its base agreed (R7)."""

    contract_id: Identifier
    level: Literal["county", "centre"]
    centre_id: Identifier | None
    """The contracting centre; null for the county contract."""
    term_from: PeriodNumber
    term_to: PeriodNumber
    field_ids: list[Identifier]
    base: list[BaseMonth]
    digest: str
    signed_at: Moment
    order_fees: list[OrderFee] = Field(default_factory=list)
    """What the company pays for finished orders (R14)."""


class CoverageDeclared(Fact):
    """The sealed fields of a period cover every village, unit and listed customer exactly once (R8)."""

    period: PeriodNumber
    digest: str
    declared_at: Moment


class PayrollRecorded(Fact):
    """A centre's pay of a period: own staff only, employer's insurance left out (R4)."""

    centre_id: Identifier
    period: PeriodNumber
    pay_fen: AmountFen
    headcount_start: Count
    headcount_end: Count
