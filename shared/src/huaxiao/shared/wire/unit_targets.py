"""Targets as data: what a unit is to reach in some months, and how far it is.

A unit is the county or a centre. A target is an amount of a measure over all its months, or a goal of
the unit's own of a figure in force. The province's targets hold at once; the county's are confirmed
by a second person.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.wire.base import AmountFen, Given, Moment, Name, PeriodNumber, Resource
from huaxiao.shared.wire.figures import Basis, Direction, FigureName, GoalIn, MeasureName
from huaxiao.shared.wire.kpi import Quotient, Reason, Span, Standing, Unit, Whole


class UnitTargetIn(Given):
    """What a unit is to reach of a measure or a figure, in the months from the first to the last."""

    measure: MeasureName | None = None
    """Of which an amount is to be reached over all the months; or ``figure``."""
    figure: FigureName | None = None
    """Which is to meet a goal of the unit's own; or ``measure``."""
    centre_id: Identifier | None
    """Null for the county's."""
    from_period: PeriodNumber
    to_period: PeriodNumber
    value: Annotated[AmountFen, Field(gt=0)] | None = None
    """With ``measure``, in its unit."""
    goal: GoalIn | None = None
    """With ``figure``, in its unit: 0.85 is 85 %."""
    direction: Direction | None = None
    """``lower`` where the value is not to be passed, as of a cost; unless it is given, ``higher`` of
    a measure and a figure's own."""
    source: Name
    """Where it comes from: a letter of the province, a resolution of the county."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        given = [one is not None for one in (self.measure, self.value, self.figure, self.goal)]
        if given not in ([True, True, False, False], [False, False, True, True]):
            raise ValueError("give either measure and value, or figure and goal")
        return self


class UnitTargetState(StrEnum):
    """How far a target has come."""

    DRAFT = "draft"  # 草稿
    IN_FORCE = "in_force"  # 生效
    WITHDRAWN = "withdrawn"  # 撤销


class UnitTarget(Resource):
    """A target of a unit: who set it, and when."""

    target_id: Identifier
    measure: MeasureName | None
    """Null of a figure's goal."""
    figure: FigureName | None
    """Null of an amount."""
    centre_id: Identifier | None
    from_period: PeriodNumber
    to_period: PeriodNumber
    value: Whole | None
    """The amount to be reached over all the months; null of a figure's goal."""
    unit: Unit | None
    """What the value counts."""
    goal: GoalIn | None
    """What the figure is held against beside its built-in goal; null of an amount."""
    direction: Direction
    source: Name
    state: UnitTargetState
    drafted_by: str
    drafted_at: Moment
    confirmed_by: str | None
    confirmed_at: Moment | None
    withdrawn_by: str | None
    withdrawn_at: Moment | None
    withdrawn_because: str | None


class WithdrawTargetIn(Given):
    """Why a target holds no more."""

    reason: Name


class Progress(Resource):
    """How far a unit is with a target by the end of a month, held against the calendar (时序进度)."""

    target: UnitTarget
    name: str
    name_zh: str
    amount: Whole | None
    """Reached from the target's first month on; null where it is not known."""
    reasons: list[Reason]
    completion: Quotient | None
    """Reached over the value."""
    completion_display: str | None
    elapsed: Quotient
    """Days gone by over all days of the target's months."""
    elapsed_display: str
    on_schedule: bool | None
    """Completion is not behind the calendar; of a target not to be passed: not ahead of it."""
    provisional: bool
    broken_down: Whole | None
    """Of the county's: what centres' targets of the measure within the same months add up to."""
    not_broken_down: Whole | None
    """The value less that (未分解); below zero where centres were given more than the county has."""
    centre_targets: list[Identifier]
    """The targets it is broken down into."""


class GoalProgress(Resource):
    """How a figure that a unit has a goal of its own of stands, over the goal's months so far."""

    target: UnitTarget
    name: str
    name_zh: str
    value: Quotient | None
    """Exact, from the goal's first month on."""
    display: str | None
    standing: Standing
    reasons: list[Reason]
    """Why it is not comparable; empty when it is."""
    provisional: bool


class ProgressReport(Resource):
    """All targets in force in a month, and how far each is."""

    branch_id: BranchId
    period: PeriodNumber
    known_at: Moment | None
    targets: list[Progress]
    """Amounts of measures."""
    goals: list[GoalProgress]
    """Goals of figures; without those of figures that are no longer in force."""


class Compared(Resource):
    """A unit's value beside the year and the month before, and its place among the centres."""

    centre_id: Identifier | None
    name: str
    name_zh: str
    value: Quotient | None
    display: str | None
    reasons: list[Reason]
    year_before: Quotient | None
    year_before_reasons: list[Reason]
    """Why there is nothing to compare with, or why like would not be held against like."""
    basis: Basis | None
    year_on_year: Quotient | None
    """同比: (value - year before) / year before; null where that is zero or below."""
    year_on_year_display: str | None
    month_before: Quotient | None
    """The same span, ending a month earlier; null for a year to date."""
    month_on_month: Quotient | None
    """环比."""
    month_on_month_display: str | None
    rank: int | None
    """Among the centres shown, 1 is the best; equal values share a place. Null for the county."""
    rank_by_growth: int | None
    provisional: bool


class Comparison(Resource):
    """A measure or figure of the county and every centre, side by side."""

    branch_id: BranchId
    period: PeriodNumber
    span: Span
    known_at: Moment | None
    measure: MeasureName | None
    figure: FigureName | None
    unit: str
    direction: Direction
    county: Compared | None
    centres: list[Compared]
    """The best first; those without a value last."""


class BackCast(Resource):
    """A measure now, a year before like for like, and a year before as it was booked (年度回溯)."""

    measure: MeasureName
    unit: Unit
    amount: Whole | None
    like_for_like: Whole | None
    """The contract's base: the same months a year before, back-cast to today's fields."""
    booked: Whole | None
    """What was booked to the unit then; null where the branch has nothing of these months."""
    moved: Whole | None
    """Like for like less booked: what today's fields would have brought or taken."""


class BackCastOf(Resource):
    """The year before of the county or one centre, like for like and as booked."""

    centre_id: Identifier | None
    name: str
    name_zh: str
    contract_id: Identifier | None
    from_period: PeriodNumber
    to_period: PeriodNumber
    comparable: bool
    """The contract states the year before for all months, like for like."""
    reasons: list[Reason]
    measures: list[BackCast]


class BackCastReport(Resource):
    """The year before of a branch, as far as the caller may see it."""

    branch_id: BranchId
    period: PeriodNumber
    span: Span
    known_at: Moment | None
    county: BackCastOf | None
    centres: list[BackCastOf]
