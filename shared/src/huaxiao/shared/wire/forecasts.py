"""Where the targets are going until the year ends, and what is needed to still meet them."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.wire.base import Moment, PeriodNumber, Ratio, Resource
from huaxiao.shared.wire.kpi import Comparison, Quotient, Reason, TargetName, Whole
from huaxiao.shared.wire.unit_targets import GoalProgress, UnitTarget


class ForecastMethod(StrEnum):
    """How the months that are left were forecast."""

    EXPONENTIAL_SMOOTHING = "exponential_smoothing"
    """ETS models fitted to at least 24 months, the one with the least AICc; paths of resampled
    residuals."""
    BASE_YEAR_SHAPE = "base_year_shape"
    """The same months of the base year, scaled by the year so far; interval from how far the
    months so far lie from that."""
    RUN_RATE = "run_rate"
    """The mean of the year's months so far; with fewer than three of them no interval is told."""


class ForecastMonth(Resource):
    """A target of the year so far, at the end of a month that is left: an estimate."""

    period: PeriodNumber
    value: Ratio | None
    """Null where it has none: no revenue, nobody, or a base that is not positive by then."""
    low: Ratio | None
    high: Ratio | None
    """Eight of ten of the paths are between them then; null where no interval is told."""


class Forecast(Resource):
    """A target at the year's end: an estimate, never a verdict."""

    method: ForecastMethod
    months_known: Annotated[int, Field(ge=1)]
    """How many months it rests on."""
    value: Ratio | None
    """Null where no revenue or nobody is expected."""
    low: Ratio | None
    """Eight of ten of the paths end between low and high; null where no interval is told."""
    high: Ratio | None
    probability: Ratio | None
    """The part of the paths that end with the goal met."""
    expected_met: bool
    """Whether the value meets the goal."""
    months: list[ForecastMonth]
    """The way there, by the end of each month that is left; the last one is the year's end."""


class NeededState(StrEnum):
    """How a target stands for the rest of the year."""

    OPEN = "open"
    SAFE = "safe"
    """It is met whatever comes of the amount that is asked for, be it nothing at all."""
    LOST = "lost"
    """No amount that could come about meets it, at the pace of the rest."""
    MET = "met"
    """The year is over, and it is met."""
    MISSED = "missed"
    """The year is over, and it is not."""


class NeededAmount(StrEnum):
    """What is asked for in the months that are left."""

    REVENUE = "revenue"
    """At least this much, at the present cost a month."""
    MARKET_COST = "market_cost"
    """At most this much, at the present revenue a month."""
    NET_CASH = "net_cash"
    """At least this much."""
    PAY = "pay"
    """At least this much, at the present heads."""
    PAY_PER_HEAD = "pay_per_head"
    """The same for each head and month."""


class Needed(Resource):
    """An amount that the months that are left must come to, exactly at the goal's boundary."""

    amount: NeededAmount
    needed_fen: Whole
    present_fen: Whole
    """What they come to at the year's pace so far, rounded."""


class TargetForecast(Resource):
    """A target of the year: what is expected, and what is needed."""

    target: TargetName
    goal: Ratio
    comparison: Comparison
    reasons: list[Reason]
    """Why nothing can be said; empty when something can."""
    so_far: Quotient | None
    """The year's value so far, against the same months of the base."""
    forecast: Forecast | None
    state: NeededState | None
    needed: list[Needed]


class AmountForecast(Resource):
    """A measure over all months of a unit's target: an estimate."""

    method: ForecastMethod
    months_known: Annotated[int, Field(ge=1)]
    amount: Whole
    """In the measure's unit, with what is reached already."""
    low: Whole | None
    """Eight of ten of the paths end between low and high; null where no interval is told."""
    high: Whole | None
    probability: Ratio | None
    """The part of the paths that meet the target."""
    expected_met: bool
    """Whether the amount meets the target."""


class UnitTargetForecast(Resource):
    """An amount that a unit is to reach: what is reached, what is left, and whether it is expected."""

    target: UnitTarget
    months_left: Annotated[int, Field(ge=0)]
    reasons: list[Reason]
    """Why what is reached is not known; empty when it is."""
    reached: Whole | None
    left: Whole | None
    """The value less what is reached; below zero when it is passed."""
    a_month: Whole | None
    """What each month that is left must bring, or may use up at most; null with none left."""
    present_a_month: Whole | None
    """What the months so far brought each, rounded."""
    state: NeededState | None
    forecast: AmountForecast | None
    """Null with no month left."""


class UnitGoalForecast(Resource):
    """A figure that a unit has a goal of its own of: how it stands, and where it is going."""

    progress: GoalProgress
    months_left: Annotated[int, Field(ge=0)]
    outlook: TargetForecast | None
    """By the unit's own goal, over the goal's months; of the three built-in figures only."""


class ForecastReport(Resource):
    """Where one unit's three targets are going, and all that it was set as targets of its own."""

    branch_id: BranchId
    centre_id: Identifier | None
    """Null for the county."""
    contract_id: Identifier | None
    period: PeriodNumber
    """The last month that is known."""
    known_at: Moment | None
    """The moment as of which it is told; null is now."""
    from_period: PeriodNumber
    to_period: PeriodNumber
    """The year's end: the contract's last month, December where there is none."""
    months_left: Annotated[int, Field(ge=0)]
    targets: list[TargetForecast]
    unit_targets: list[UnitTargetForecast]
    """Of the unit, in force in the period: each to the end of its own months."""
    unit_goals: list[UnitGoalForecast]
