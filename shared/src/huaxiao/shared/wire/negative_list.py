"""The negative list (负面责任清单, R5): whatever is not on it, a contractor may do.

An entry names the kinds of action it concerns and, where a machine can check, the conditions under
which they are forbidden: typed comparisons of stated attributes, no code.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Day, Fact, Given, Moment, Name, PeriodNumber, Resource
from huaxiao.shared.wire.terms import NotNegativeFen

Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class Severity(StrEnum):
    """How grave an entry of the negative list is."""

    A = "A"  # 红线
    B = "B"
    C = "C"


class ActionKind(StrEnum):
    """What somebody may propose to do; the closed vocabulary of *May I?*."""

    OPEN_LINE = "open_line"  # 入网开户
    USE_CUSTOMER_DATA = "use_customer_data"  # 使用用户信息
    TAKE_PAYMENT = "take_payment"  # 收款
    CHANGE_FIELD = "change_field"  # 变更责任田、清单
    TRANSFER_CONTRACT = "transfer_contract"  # 转包、让渡
    SET_PRICE = "set_price"  # 定价、折扣
    ADVERTISE = "advertise"  # 宣传、承诺
    GIVE_REFUND = "give_refund"  # 退费、赠费、返销
    CLAIM_COST = "claim_cost"  # 列支成本
    PAY_OUT = "pay_out"  # 支付佣金、装维费
    MOVE_ASSETS = "move_assets"  # 调拨终端、物资、卡号
    REPORT_WORK_DONE = "report_work_done"  # 回单
    CHARGE_CUSTOMER = "charge_customer"  # 向客户收费
    REFUSE_ORDER = "refuse_order"  # 拒单
    SELL_TO_LISTED_CUSTOMER = "sell_to_listed_customer"  # 向清单客户销售
    CONNECT_LINE = "connect_line"  # 接线、占用端口
    WORK_AT_HEIGHT = "work_at_height"  # 登高、带电作业
    ENGAGE_PERSON = "engage_person"  # 用工
    SIGN_OUTSIDE = "sign_outside"  # 对外签约、担保、借款
    APPRAISE = "appraise"  # 考核打分
    CHANGE_DATA = "change_data"  # 修改数据、账期
    AGREE_TERMS = "agree_terms"  # 签订承包条款
    REORGANISE = "reorganise"  # 组织人员调整


AttributeKind = Literal["boolean", "number", "text"]
ATTRIBUTES: dict[ActionKind, dict[str, AttributeKind]] = {
    ActionKind.OPEN_LINE: {
        "real_name_verified": "boolean",
        "customer_present": "boolean",
        "days_since_customer_left": "number",
        "for_real_use": "boolean",
    },
    ActionKind.USE_CUSTOMER_DATA: {"given_outside": "boolean"},
    ActionKind.TAKE_PAYMENT: {"into_company_account": "boolean"},
    ActionKind.CHANGE_FIELD: {"sealed": "boolean"},
    ActionKind.TRANSFER_CONTRACT: {},
    ActionKind.SET_PRICE: {"price_fen": "number", "floor_fen": "number", "approved": "boolean"},
    ActionKind.ADVERTISE: {"truthful": "boolean", "bundles_by_force": "boolean"},
    ActionKind.GIVE_REFUND: {"amount_fen": "number", "approved": "boolean"},
    ActionKind.CLAIM_COST: {"incurred": "boolean", "invoice_genuine": "boolean"},
    ActionKind.PAY_OUT: {"due_fen": "number", "paid_fen": "number", "to_contractor": "boolean"},
    ActionKind.MOVE_ASSETS: {"within_own_area": "boolean", "approved": "boolean"},
    ActionKind.REPORT_WORK_DONE: {"line_online": "boolean", "signed_by_customer": "boolean"},
    ActionKind.CHARGE_CUSTOMER: {"on_tariff": "boolean"},
    ActionKind.REFUSE_ORDER: {"reason_given": "boolean"},
    ActionKind.SELL_TO_LISTED_CUSTOMER: {"of_own_field": "boolean"},
    ActionKind.CONNECT_LINE: {"port_assigned": "boolean"},
    ActionKind.WORK_AT_HEIGHT: {"certified": "boolean"},
    ActionKind.ENGAGE_PERSON: {"contract_signed": "boolean", "insured": "boolean"},
    ActionKind.SIGN_OUTSIDE: {"approved": "boolean"},
    ActionKind.APPRAISE: {"evidence_given": "boolean"},
    ActionKind.CHANGE_DATA: {"authorised": "boolean"},
    ActionKind.AGREE_TERMS: {"free_scope": "text"},
    ActionKind.REORGANISE: {"touches_sealed_field": "boolean", "people_without_place": "number"},
}
"""What can be said of each kind of action, and of what kind it is."""

Value = StrictBool | StrictInt | Annotated[str, Field(max_length=5000, pattern=r"^[^\x00]*$")]


class Operator(StrEnum):
    """How an attribute is compared; ``mentions`` looks for any of several words in a text."""

    IS = "is"
    BELOW = "below"
    ABOVE = "above"
    MENTIONS = "mentions"


class Condition(Given):
    """A comparison of an attribute: with a value, with another attribute, or with words."""

    attribute: Identifier
    operator: Operator
    value: Value | None = None
    other: Identifier | None = None
    words: list[Name] = Field(default_factory=list, max_length=50)


class Ban(Given):
    """A kind of action an entry forbids: outright, or where all the conditions hold."""

    action: ActionKind
    conditions: list[Condition] = Field(default_factory=list, max_length=10)


class NegativeEntry(Given):
    """An entry of the negative list."""

    code: Identifier
    name: Name
    name_zh: Name
    severity: Severity
    evidence_zh: Name
    """What shows that it happened."""
    bans: list[Ban] = Field(default_factory=list, max_length=20)
    """What of it a machine can check before it happens; the rest people judge."""


class PointRange(Given):
    """The points that a violation of a severity costs."""

    severity: Severity
    least: Annotated[int, Field(strict=True, ge=0, le=100)]
    most: Annotated[int, Field(strict=True, ge=0, le=100)]


class NegativeListIn(Given):
    """A version of the negative list as it is drafted."""

    name_zh: Name
    entries: list[NegativeEntry] = Field(min_length=1, max_length=500)
    points: list[PointRange] = Field(min_length=3, max_length=3)
    answer_days: Annotated[int, Field(strict=True, ge=0, le=60)] = 5
    """How long a reported centre has to be heard."""
    appeal_days: Annotated[int, Field(strict=True, ge=0, le=60)] = 10
    """How long after the decision it may appeal."""


class NegativeListSummary(Resource):
    """A version of the negative list, without its entries."""

    version: Count
    """0 is the suite's own list, in force until a branch activates one of its own."""
    name_zh: Name
    from_day: date | None
    """The day from which it is in force; null while it is a draft."""
    drafted_by: str | None
    activated_by: str | None


class NegativeList(NegativeListSummary):
    """A version of the negative list."""

    entries: list[NegativeEntry]
    points: list[PointRange]
    answer_days: int
    appeal_days: int


class ActivationIn(Given):
    """From which day a drafted version is in force."""

    from_day: Day


class ProposalIn(Given):
    """An action somebody proposes, to be told whether they may."""

    action: ActionKind
    centre_id: Identifier
    attributes: dict[Identifier, Value] = Field(default_factory=dict, max_length=20)
    on: Day | None = None
    """The day it is to be done; today when absent."""


class Hit(Resource):
    """An entry that forbids the action, and the conditions that hold."""

    code: Identifier
    name: Name
    name_zh: Name
    severity: Severity
    conditions: list[Condition]


class OpenQuestion(Resource):
    """An entry that may forbid the action, for what was not said of it."""

    code: Identifier
    name: Name
    name_zh: Name
    severity: Severity
    attributes: list[Identifier]


class MayIAnswer(Resource):
    """Yes, or no with the entries it hits; kept, so that one can show what one was told."""

    number: Count
    action: ActionKind
    centre_id: Identifier
    attributes: dict[str, Value]
    on: date
    version: Count
    allowed: bool
    """Nothing on the list forbids it; false too while something that decides it was not said."""
    hits: list[Hit]
    open_questions: list[OpenQuestion]
    reason: str
    reason_zh: str
    asked_by: str
    asked_at: Moment


# --- violations ---------------------------------------------------------------------------------


class ViolationState(StrEnum):
    """Where a violation stands."""

    REPORTED = "reported"
    HEARD = "heard"
    DECIDED = "decided"
    APPEALED = "appealed"
    FINAL = "final"


class ViolationIn(Given):
    """A report: who is said to have broken which entry, when, and what shows it."""

    entry: Identifier
    centre_id: Identifier
    person_ids: list[Identifier] = Field(default_factory=list, max_length=50)
    day: Day
    evidence: Text
    references: list[Name] = Field(default_factory=list, max_length=50)
    """Orders, receipts, events that show it."""
    recover_fen: NotNegativeFen = 0
    """Money to be recovered."""


class StatementIn(Given):
    """What a side says: heard on a report, or in an appeal."""

    text: Text


class DecisionIn(Given):
    """A decision: upheld with points and money to recover, or dismissed."""

    upheld: bool
    points: Annotated[int, Field(strict=True, ge=0, le=100)] = 0
    recover_fen: NotNegativeFen = 0
    reason: Text


class ViolationStep(Resource):
    """Something that was said or decided of a violation."""

    number: Count
    step: Literal["hear", "decide", "appeal", "decide_appeal"]
    by: str
    at: Moment
    text: str
    upheld: bool | None
    points: int | None
    recover_fen: int | None
    counted_as: Severity | None
    """The severity it counts as, with what the centre did before."""


class ViolationSummary(Resource):
    """A violation in a list."""

    number: Count
    entry: Identifier
    list_version: Count
    severity: Severity
    """Of the entry."""
    centre_id: Identifier
    day: date
    period: PeriodNumber
    state: ViolationState
    upheld: bool | None
    """Whether the latest decision upholds it; null while there is none."""
    counted_as: Severity | None
    points: int
    recover_fen: int
    """As decided last; nothing while it is not upheld."""


class Violation(ViolationSummary):
    """A violation and everything said of it."""

    person_ids: list[Identifier]
    evidence: str
    references: list[str]
    asked_recover_fen: int
    reported_by: str | None
    """Kept from the centre concerned: whoever reports need not fear for it."""
    reported_at: Moment
    steps: list[ViolationStep]


VIOLATION_DECIDED = "contracts.violation.decided"


class ViolationDecided(Fact):
    """A violation was decided, or its appeal."""

    number: Count
    entry: Identifier
    centre_id: Identifier
    person_ids: list[Identifier]
    period: PeriodNumber
    upheld: bool
    counted_as: Severity | None
    points: int
    recover_fen: int
