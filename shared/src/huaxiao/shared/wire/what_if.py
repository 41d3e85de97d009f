"""What the three verdicts, and units' targets, would be with other measures or other goals."""

from typing import Annotated

from pydantic import Field

from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.wire.base import AmountFen, Given, Moment, PeriodNumber, Ratio, Resource, SumFen
from huaxiao.shared.wire.figures import Constant, FigureName, MeasureName
from huaxiao.shared.wire.forecasts import NeededState
from huaxiao.shared.wire.kpi import (
    Comparison,
    Quotient,
    Reason,
    Span,
    Standing,
    TargetName,
    Verdict,
    Whole,
)


class SupposedMeasure(Given):
    """A measure of a centre and month, as it is supposed to be or to change."""

    centre_id: Identifier
    period: PeriodNumber
    measure: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9_.]{0,119}$", examples=["revenue", "cost.commission"])
    ]
    amount: SumFen | None = None
    """What it is instead, as the ledger has it: revenue and payments are credits, so negative."""
    change: SumFen | None = None
    """What is added to it; one of both is given."""


class SupposedGoal(Given):
    """Another goal of a target."""

    target: TargetName
    goal: Annotated[Ratio, Field(ge=-10, le=10, max_digits=12, decimal_places=6)]
    comparison: Comparison | None = None
    """As it is, unless it is given."""


class SupposedUnitTarget(Given):
    """Another value of a unit's target that is in force in the period."""

    target_id: Identifier
    value: Annotated[AmountFen, Field(gt=0)] | None = None
    """Of an amount."""
    boundary: Constant | None = None
    """Of a figure's goal; one of both is given."""


class WhatIfIn(Given):
    """What is supposed."""

    period: PeriodNumber
    span: Span = Span.MONTH
    measures: Annotated[list[SupposedMeasure], Field(max_length=1000, default_factory=list)]
    goals: Annotated[list[SupposedGoal], Field(max_length=10, default_factory=list)]
    unit_targets: Annotated[list[SupposedUnitTarget], Field(max_length=1000, default_factory=list)]


class Judged(Resource):
    """A target's value and verdict."""

    verdict: Verdict
    value: Quotient | None
    display: str | None
    goal: Ratio
    comparison: Comparison
    reasons: list[Reason]


class WhatIfTarget(Resource):
    """A target as it is, and as it would be."""

    target: TargetName
    now: Judged
    then: Judged


class WhatIfUnit(Resource):
    """The three targets of the county or a centre, as they are and as they would be."""

    centre_id: Identifier | None
    """Null for the county."""
    name: str
    name_zh: str
    from_period: PeriodNumber
    to_period: PeriodNumber
    targets: list[WhatIfTarget]


class Completed(Resource):
    """How far an amount that a unit is to reach is, by the end of the period."""

    value: Whole
    amount: Whole | None
    """Null where it is not known."""
    reasons: list[Reason]
    completion: Quotient | None
    completion_display: str | None
    left: Whole | None
    """The value less the amount."""
    a_month: Whole | None
    """What each month that is left must bring, or may use up at most; null with none left."""
    state: NeededState | None
    on_schedule: bool | None
    """Held against the calendar."""


class WhatIfAmount(Resource):
    """An amount that a unit is to reach, as it is and as it would be."""

    target_id: Identifier
    measure: MeasureName
    centre_id: Identifier | None
    from_period: PeriodNumber
    to_period: PeriodNumber
    now: Completed
    then: Completed


class HeldGoal(Resource):
    """A figure held against a unit's own goal of it, over the goal's months so far."""

    goal: Ratio
    comparison: Comparison
    standing: Standing
    value: Quotient | None
    display: str | None
    reasons: list[Reason]


class WhatIfUnitGoal(Resource):
    """A unit's own goal of a figure, as it is and as it would be."""

    target_id: Identifier
    figure: FigureName
    centre_id: Identifier | None
    from_period: PeriodNumber
    to_period: PeriodNumber
    now: HeldGoal
    then: HeldGoal


class WhatIf(Resource):
    """What would be; nothing of it is kept."""

    branch_id: BranchId
    period: PeriodNumber
    span: Span
    known_at: Moment | None
    """The moment as of which all but what is supposed is told; null is now."""
    county: WhatIfUnit | None
    """Null for a caller who sees single centres only."""
    centres: list[WhatIfUnit]
    unit_targets: list[WhatIfAmount]
    """Amounts in force in the period, of the units shown."""
    unit_goals: list[WhatIfUnitGoal]
    """Goals in force in the period. Growth that only the year before as booked states is not
    computed here."""
