"""What a contract agrees: its parties, a term for each of the four principles, fees, targets (R1).

Every figure is data of the contract; the defaults are those of the template contract.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import AmountFen, Given, Name, PeriodNumber, Ratio
from huaxiao.shared.wire.dispatch import Area, OrderKind
from huaxiao.shared.wire.products import Product


def _share(value: Decimal) -> Decimal:
    if not 0 <= value <= 1:
        raise PydanticCustomError(
            "share_out_of_range", "a share lies between 0 and 1, not at {share}", {"share": value}
        )
    return value


ShareRatio = Annotated[Ratio, Field(decimal_places=6), AfterValidator(_share)]
"""A share of something: 0 to 1, so that 101 % is refused where it is written."""
Factor = Annotated[Ratio, Field(ge=0, le=2, decimal_places=6)]
NotNegativeFen = Annotated[AmountFen, Field(ge=0)]


class ContractMode(StrEnum):
    """How a unit is run under its contract (承包方式)."""

    INTERNAL_RESPONSIBILITY = "internal_responsibility"
    """内包，经营责任制: it answers for its result."""
    INTERNAL_PERFORMANCE = "internal_performance"
    """内包，绩效制: it is paid by its performance."""
    STAFF_STARTUP = "staff_startup"
    """员工创业: its staff run it as their own."""
    OUTSIDE = "outside"
    """外包: people from outside run it."""


class Party(Given):
    """One side of a contract."""

    name_zh: Name
    represented_by: Identifier | None = None
    """The person who signs for it, by code: the contractor (承包人) on a centre's side."""


class Parties(Given):
    """Both sides of a contract (R7), and who works under it (承包组员)."""

    granting: Party
    contracting: Party
    member_ids: list[Identifier] = Field(default_factory=list, max_length=1000)


class RiskDeposit(Given):
    """共担风险: what is deposited, and how much of a shortfall it bears (R1)."""

    contractor_fen: Annotated[AmountFen, Field(gt=0)]
    member_fen: NotNegativeFen = 0
    """Of each member."""
    clawback_share: ShareRatio = Decimal("0.10")
    """The share of the gross profit that is missing under the base, taken out of the deposit when
    a contract year ends."""
    refund_days: Annotated[int, Field(ge=0, le=366, strict=True)] = 30
    """Days after the final settlement within which the rest goes back."""


class ProfitShareTier(Given):
    """From this growth of the gross profit on, the contractor's share of what lies above."""

    growth_from: ShareRatio
    share: ShareRatio


class ProfitShare(Given):
    """共享利益: shares of the gross profit above the base, tier by tier (R1)."""

    tiers: list[ProfitShareTier] = Field(min_length=1, max_length=20)
    margin_floor: ShareRatio = Decimal("0.82")
    below_floor_factor: ShareRatio = Decimal("0.50")
    """The share is multiplied by it while the margin lies under the floor."""
    advance_share: ShareRatio = Decimal("0.80")
    """What is paid of the share until the quarter's true-up."""
    true_up_months: Literal[1, 3, 6, 12] = 3
    """Every so many months of the contract year the whole share to date is paid."""


class ExcessProfit(Given):
    """超额利润: the contractor's share of the gross profit above a contract year's budget (R1).

    It is due when the year ends, beside the tiers, which count over the base.
    """

    budget_fen: Annotated[AmountFen, Field(gt=0)]
    """The gross profit of twelve months; of a year that ends early, its part by months."""
    share: ShareRatio = Decimal("0.50")


class Investment(Given):
    """共投资源: what one side puts in (R1)."""

    by: Literal["company", "centre"]
    what_zh: Name
    amount_fen: NotNegativeFen


class OrderFee(Given):
    """What the company pays for a finished order (R14)."""

    kind: OrderKind
    area: Area
    fee_fen: NotNegativeFen


class LineFee(Given):
    """What the company pays a month for the care of each line that is billed (用户月, R14)."""

    product: Product
    fee_fen: NotNegativeFen


class PayLimit(Given):
    """承包人薪酬限额: the contractor's pay against that of the team."""

    most_times: Annotated[Ratio, Field(ge=1, le=100, decimal_places=2)] = Decimal(3)
    """Of the members' mean pay."""


class AppraisalStep(Given):
    """From this horizontal score on, the factor on the fees for orders and lines."""

    score_from: Annotated[Ratio, Field(ge=0, le=100, decimal_places=2)]
    factor: Factor


class SupportPerformance(Given):
    """The performance pay of a unit that supports others, part of it by their appraisal (R28)."""

    amount_fen: NotNegativeFen
    """A month's, at a reverse score of 100."""
    appraised_share: ShareRatio = Decimal("0.40")
    """The part that follows the reverse score; the rest is fixed."""


class Deductions(Given):
    """What a point of the negative list costs (R5), and where that ends."""

    point_price_fen: NotNegativeFen = 10_000
    cap_share: ShareRatio = Decimal("0.30")
    """Of the period's share and fees; a violation of severity A knows no cap."""


class TargetMeasure(StrEnum):
    """What a target is set for."""

    REVENUE = "revenue"
    GROSS_PROFIT = "gross_profit"
    CASH_IN = "cash_in"


class PeriodTarget(Given):
    """A target for a month, a quarter, a year: from one period to another, both included."""

    measure: TargetMeasure
    period_from: PeriodNumber
    period_to: PeriodNumber
    amount_fen: AmountFen


class ExitTerms(Given):
    """When a contract may end before its term."""

    notice_days: Annotated[int, Field(ge=0, le=366, strict=True)] = 30
    shortfall_below: ShareRatio = Decimal("0.80")
    """Gross profit under this share of its target …"""
    shortfall_quarters: Annotated[int, Field(ge=1, le=12, strict=True)] = 2
    """… for so many quarters running lets the company end the contract."""


_APPRAISAL_STEPS = [
    AppraisalStep.model_validate({"score_from": score, "factor": factor})
    for score, factor in (("0", "0.80"), ("70", "0.90"), ("85", "1.00"), ("95", "1.10"))
]


class ContractTerms(Given):
    """A term for each of the four principles (四大原则, R1), and what follows from them."""

    risk_deposit: RiskDeposit
    profit_share: ProfitShare
    free_scope_zh: Annotated[str, Field(min_length=1, max_length=5000, pattern=r"^[^\x00]*$")]
    """自主经营: what the contractor decides alone."""
    investments: list[Investment] = Field(min_length=1, max_length=100)
    order_fees: list[OrderFee] = Field(default_factory=list, max_length=100)
    line_fees: list[LineFee] = Field(default_factory=list, max_length=20)
    appraisal_steps: list[AppraisalStep] = Field(
        default=_APPRAISAL_STEPS, min_length=1, max_length=20
    )
    support_performance: SupportPerformance | None = None
    """Of a support or build-and-maintain centre, where it is agreed."""
    mode: ContractMode | None = None
    excess_profit: ExcessProfit | None = None
    pay_limit: PayLimit | None = None
    deductions: Deductions = Deductions()
    targets: list[PeriodTarget] = Field(default_factory=list, max_length=1000)
    exit: ExitTerms = ExitTerms()
