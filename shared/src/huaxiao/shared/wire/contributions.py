"""Why a figure moved: contributions by centre and component that add up to the change."""

from enum import StrEnum

from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.wire.base import Moment, PeriodNumber, Resource
from huaxiao.shared.wire.kpi import Quotient, Reason, Span, Whole


class ExplainedFigure(StrEnum):
    """A figure whose change can be split."""

    REVENUE = "revenue"
    GROSS_MARGIN = "gross_margin"
    """Revenue less market cost, in fen."""
    MARKET_GROSS_MARGIN = "market_gross_margin"
    """The same as a part of revenue (R2)."""
    NET_CASH = "net_cash"
    """What came in, less what was paid out and pay (R3)."""
    PAY = "pay"
    AVERAGE_WAGE = "average_wage"
    """Pay a head and month (R4)."""


class ContributionKind(StrEnum):
    """Components that are no ledger account of their own."""

    REVENUE = "revenue"
    MARKET_COST = "market_cost"
    CASH_IN = "cash_in"
    CASH_OUT = "cash_out"
    PAY = "pay"
    """Of pay and the wage: what pay a head did."""
    VOLUME = "volume"
    MIX = "mix"
    PRICE = "price"
    JOINERS = "joiners"
    LEAVERS = "leavers"
    OTHER_HEADS = "other_heads"
    """Heads more or fewer of which nobody's coming or going is known."""


class ShownIn(StrEnum):
    """What the whole numbers count that contributions are shown in."""

    FEN = "fen"
    BASIS_POINTS = "basis_points"
    """Hundredths of a percentage point."""


class Contribution(Resource):
    """What a centre's component did to the figure."""

    centre_id: Identifier | None
    """Null: what no single centre is known to stand for, such as the county's base of centres
    without a contract of their own."""
    component: str
    """A ledger account such as ``cost.commission``, or one of the named components."""
    exact: Quotient
    """In the figure's own unit: fen, fen a head and month, or a ratio."""
    shown: Whole
    """Rounded so that what is shown adds up to the change that is shown."""


class ContributionSum(Resource):
    """Contributions of one centre or one component, summed."""

    centre_id: Identifier | None
    component: str | None
    exact: Quotient
    shown: Whole


class Explanation(Resource):
    """A figure's change and what it is made of."""

    branch_id: BranchId
    figure: ExplainedFigure
    centre_id: Identifier | None
    """Null for the county."""
    span: Span
    known_at: Moment | None
    """The moment as of which both sides are told; null is now."""
    from_period: PeriodNumber
    to_period: PeriodNumber
    against_from: PeriodNumber
    against_to: PeriodNumber
    against_base: bool
    """Compared with the contract's base, which knows no kinds of cost and no persons; otherwise
    with what was booked in the months named."""
    volume: str | None
    """The measure that revenue was split by into volume, mix and price."""
    reasons: list[Reason]
    """Why there is nothing to split; empty when there is."""
    before: Quotient | None
    after: Quotient | None
    change: Quotient | None
    shown_in: ShownIn
    change_shown: Whole | None
    contributions: list[Contribution]
    """By centre and component; those that are zero are left out."""
    by_centre: list[ContributionSum]
    by_component: list[ContributionSum]
