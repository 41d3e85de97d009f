"""Resources and facts of the contracts service: who is who, and what is bound."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.wire.base import (
    AmountFen,
    Count,
    Fact,
    Moment,
    Name,
    PeriodNumber,
    Resource,
)


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


# --- facts of the feed --------------------------------------------------------------------------

BRANCH_REGISTERED = "contracts.branch.registered"
CENTRE_REGISTERED = "contracts.centre.registered"
PERSON_ASSIGNED = "contracts.person.assigned"
CHANNEL_REGISTERED = "contracts.channel.registered"
FIELD_SEALED = "contracts.field.sealed"
CONTRACT_SIGNED = "contracts.contract.signed"
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


class PayrollRecorded(Fact):
    """A centre's pay of a period: own staff only, employer's insurance left out (R4)."""

    centre_id: Identifier
    period: PeriodNumber
    pay_fen: AmountFen
    headcount_start: Count
    headcount_end: Count
