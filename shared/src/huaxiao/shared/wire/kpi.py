"""Resources of the KPI service: the three targets, and everything they were computed from."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from huaxiao.shared.cost_kinds import CostClass
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.wire.base import PeriodNumber, Ratio, Resource

Whole = Annotated[int, Field(strict=True)]
"""A sum of whole fen, or of people; sums may pass the bound of a single amount."""


class Span(StrEnum):
    """Which months a figure covers."""

    MONTH = "month"
    YEAR_TO_DATE = "year_to_date"
    """From the first month of the contract, or from January where there is none."""
    ROLLING_TWELVE_MONTHS = "rolling_twelve_months"
    """The period and the eleven months before it."""


class TargetName(StrEnum):
    """The three targets of the plan."""

    MARKET_GROSS_MARGIN = "market_gross_margin"  # 市场毛利率完成值 (R2)
    CASH_FLOW_GROWTH = "cash_flow_growth"  # 现金流同比 (R3)
    AVERAGE_WAGE_GROWTH = "average_wage_growth"  # 员工人均工资增幅 (R4)


class Verdict(StrEnum):
    """Whether a target is met, decided on whole numbers before anything is rounded."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    NOT_COMPUTABLE = "not_computable"


class Standing(StrEnum):
    """How a figure stands: its verdict, with a goal that is met by little told apart."""

    MET = "met"  # 达成
    AT_RISK = "at_risk"  # 预警
    """Met by less than the definition calls safe."""
    NOT_MET = "not_met"  # 未达成
    NOT_COMPARABLE = "not_comparable"  # 不可比
    """It cannot be computed; the reasons say why."""
    NO_GOAL = "no_goal"  # 无目标
    """It is shown and held against nothing."""


class Comparison(StrEnum):
    """How a value must stand to its goal."""

    AT_LEAST = "at_least"
    MORE_THAN = "more_than"
    AT_MOST = "at_most"
    LESS_THAN = "less_than"


class ReasonCode(StrEnum):
    """Why a target cannot be computed."""

    NO_BOOKS = "no_books"
    NO_REVENUE = "no_revenue"
    PAYROLL_MISSING = "payroll_missing"
    NO_STAFF = "no_staff"
    NO_BASE = "no_base"
    BASE_INCOMPLETE = "base_incomplete"
    BASE_NOT_POSITIVE = "base_not_positive"
    CENTRE_NEW = "centre_new"
    """Nothing was booked to the centre a year before, when the branch had books."""
    CENTRE_REORGANISED = "centre_reorganised"
    """A plan was applied or the centre changed since the year before, and no contract says what it
    would have been: like would not be held against like."""
    NOT_POSITIVE = "not_positive"
    """What is divided by is zero or below."""


class Reason(Resource):
    """Why a target cannot be computed, and in which months."""

    code: ReasonCode
    message: str
    message_zh: str
    periods: list[PeriodNumber]
    """The months concerned; empty when it is the whole span."""


class Unit(StrEnum):
    """What an integer counts."""

    FEN = "fen"
    PEOPLE = "people"
    HALF_PERSON_MONTHS = "half_person_months"
    """Heads at a month's start plus heads at its end, summed: twice the average, kept whole."""
    ORDERS = "orders"
    TICKETS = "tickets"
    APPRAISALS = "appraisals"
    LINES = "lines"
    """Lines of bills: charges."""
    HUNDREDTHS = "hundredths"
    """Hundredths of a point of score."""


class Component(Resource):
    """An integer that a target was computed from; null is not known, which is not zero."""

    name: str
    unit: Unit
    amount: Whole | None
    base_amount: Whole | None
    """The same of the same months one year earlier, by the contract's base."""


class Quotient(Resource):
    """An exact ratio."""

    numerator: Whole
    denominator: Annotated[Whole, Field(gt=0)]


class OwnGoal(Resource):
    """A unit's own goal of a figure, told beside the goal that all are judged by."""

    target_id: Identifier
    """The unit's target that sets it."""
    goal: Ratio
    comparison: Comparison
    standing: Standing


class Target(Resource):
    """A target of one county or centre: its value, its verdict, and what both came from."""

    target: TargetName
    title: str
    title_zh: str
    verdict: Verdict
    standing: Standing
    """The verdict, with what is met by little told apart (``at_risk``)."""
    reasons: list[Reason]
    """Why it cannot be computed; empty when it can."""
    value: Quotient | None
    """Exact: 0.824 is a margin of 82.4 %, 0.1 a growth of 10 %. Null when not computable."""
    display: str | None
    """In percent, two decimals half up; more where two would contradict the verdict."""
    goal: Ratio
    comparison: Comparison
    provisional: bool
    """Some month is still open, so that the figures may change."""
    components: list[Component]
    own_goal: OwnGoal | None = None
    """The unit's own goal, if it has one; it changes no verdict."""


class TargetsOf(Resource):
    """The three targets of the county, or of one centre."""

    centre_id: Identifier | None
    """Null for the county: the sums over all its centres, the default centre included."""
    name: str
    name_zh: str
    contract_id: Identifier | None
    """The contract whose base is compared with; null where none covers the period."""
    from_period: PeriodNumber
    to_period: PeriodNumber
    targets: list[Target]
    """One for each target, in the order of the plan."""
    all_goals_met: bool
    """All three pass. There is no weighting and no total score."""
    network_line_cost_fen: Whole
    other_cost_fen: Whole
    """Cost of the known kinds that are neither market nor network line cost."""
    unclassified_cost_fen: Whole
    """Cost of kinds on no list: in no target, and to be looked into when it is not zero."""
    centre_margin_fen: Whole
    """Revenue less market cost and network line cost (营服毛利); it has no target."""


class TargetReport(Resource):
    """The targets of a branch at a period, as far as the caller may see them."""

    branch_id: BranchId
    period: PeriodNumber
    span: Span
    definitions_version: str
    county: TargetsOf | None
    """Null for a caller who sees single centres only."""
    centres: list[TargetsOf]
    """By centre."""
    open_periods: list[PeriodNumber]
    """Months of the span, of the county or any centre shown, that are not closed."""


class Measure(Resource):
    """A figure of a centre and month, as the feeds of the other services add up to."""

    centre_id: Identifier
    period: PeriodNumber
    measure: str
    """A ledger account such as ``cost.commission`` (debit positive), or ``pay`` and the like."""
    unit: Unit
    amount: Whole
    cost_class: CostClass | None
    """The list a cost stands on; null when it is no cost."""


class TargetDefinition(Resource):
    """How a target is computed, in words."""

    target: TargetName
    title: str
    title_zh: str
    formula: str
    formula_zh: str
    goal: Ratio
    comparison: Comparison
    source: str
    """The requirement of the plan it comes from."""


class Absence(StrEnum):
    """What it means that a centre has no such figure in a month."""

    ZERO = "zero"
    UNKNOWN = "unknown"


class MeasureDefinition(Resource):
    """What a measure means. A name that ends in ``*`` stands for all that begin so."""

    measure: str
    unit: Unit
    meaning: str
    meaning_zh: str
    absent: Absence
    source: str
    """The fact it is fed by."""


class CostKindDefinition(Resource):
    """A kind of cost on one of the closed lists."""

    kind: str
    cost_class: CostClass
    title: str
    title_zh: str


class Rule(Resource):
    """A rule that holds for all targets."""

    code: str
    text: str
    text_zh: str


class ReasonDefinition(Resource):
    """Why a target may not be computable."""

    code: ReasonCode
    message: str
    message_zh: str


class Definitions(Resource):
    """Everything that decides what the figures mean, under one version."""

    version: str
    targets: list[TargetDefinition]
    measures: list[MeasureDefinition]
    cost_kinds_version: str
    cost_kinds: list[CostKindDefinition]
    rules: list[Rule]
    reasons: list[ReasonDefinition]
