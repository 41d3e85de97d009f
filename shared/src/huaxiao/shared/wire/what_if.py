"""What the three verdicts would be with other measures or other goals."""

from typing import Annotated

from pydantic import Field

from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.wire.base import Given, Moment, PeriodNumber, Ratio, Resource, SumFen
from huaxiao.shared.wire.kpi import (
    Comparison,
    Quotient,
    Reason,
    Span,
    TargetName,
    Verdict,
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


class WhatIfIn(Given):
    """What is supposed."""

    period: PeriodNumber
    span: Span = Span.MONTH
    measures: Annotated[list[SupposedMeasure], Field(max_length=1000, default_factory=list)]
    goals: Annotated[list[SupposedGoal], Field(max_length=10, default_factory=list)]


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
