"""Figures as data: formulas over named measures, put in force from a month on, and what they come to.

A unit is a product of what is counted, as text: ``fen``, ``fen/people``; ``ratio`` counts nothing.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.wire.base import (
    Count,
    Given,
    Moment,
    Name,
    PeriodNumber,
    Ratio,
    Resource,
)
from huaxiao.shared.wire.kpi import (
    Comparison,
    Component,
    OwnGoal,
    Quotient,
    Reason,
    Span,
    Standing,
)

_SLUG = r"^[a-z][a-z0-9_]{0,59}$"
FigureName = Annotated[str, Field(pattern=_SLUG, examples=["complaint_rate"])]
MeasureName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_.]{0,119}$", examples=["net_revenue", "orders.done"])
]
UnitText = Annotated[
    str,
    Field(pattern=r"^[a-z_]{1,40}([*/][a-z_]{1,40}){0,5}$", examples=["ratio", "fen/people"]),
]
_Words = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
_TermsMost = 50
Constant = Annotated[Ratio, Field(max_digits=24, decimal_places=12, allow_inf_nan=False)]


class MeasureTerm(Given):
    """A measure by its name, summed over the span."""

    op: Literal["measure"]
    measure: MeasureName


class FigureTerm(Given):
    """Another figure of the same version, or a built-in one."""

    op: Literal["figure"]
    figure: FigureName


class ConstantTerm(Given):
    """A number that is always the same."""

    op: Literal["constant"]
    value: Constant
    unit: UnitText = "ratio"


class SumTerm(Given):
    """The sum of terms of one unit."""

    op: Literal["sum"]
    terms: Annotated[list["Expression"], Field(min_length=1, max_length=_TermsMost)]


class DifferenceTerm(Given):
    """One term less another of the same unit."""

    op: Literal["difference"]
    minuend: "Expression"
    subtrahend: "Expression"


class RatioTerm(Given):
    """One term over another, which must come out above zero to be computed."""

    op: Literal["ratio"]
    numerator: "Expression"
    denominator: "Expression"


class GrowthTerm(Given):
    """What a term grew by over its base, a year before: (now - base) / base."""

    op: Literal["growth"]
    of: "Expression"


Expression = Annotated[
    MeasureTerm | FigureTerm | ConstantTerm | SumTerm | DifferenceTerm | RatioTerm | GrowthTerm,
    Field(discriminator="op"),
]


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"


class ShownAs(StrEnum):
    """How a value is written for people."""

    PERCENT = "percent"
    NUMBER = "number"
    YUAN = "yuan"
    """A hundredth of the value: fen, or fen for each of something, in yuan."""


class GoalIn(Given):
    """The boundary a figure is held against; judged on the exact value, never on the rounded one."""

    boundary: Constant
    comparison: Comparison
    at_risk_within: Annotated[Constant, Field(ge=0)] = Decimal(0)
    """Met by less than this is at risk; in the figure's unit."""


class FigureIn(Given):
    """A figure: its formula, how it is shown, what it is held against, in both languages."""

    figure: FigureName
    title: Name
    title_zh: Name
    text: _Words
    """The formula in words."""
    text_zh: _Words
    source: Name
    """Where it comes from: a requirement, a rule of the county or the province."""
    unit: UnitText
    formula: Expression
    direction: Direction
    shown_as: ShownAs
    decimals: Annotated[int, Field(strict=True, ge=0, le=6)] = 2
    goal: GoalIn | None = None


class FigureSetIn(Given):
    """The county's own figures, all of one version; the built-in ones are always beside them."""

    figures: Annotated[list[FigureIn], Field(max_length=100)]


class FiguresInForceIn(Given):
    """The first month of which a version judges."""

    from_period: PeriodNumber


class FigureSetSummary(Resource):
    """A version of the county's figures."""

    version: Count
    from_period: PeriodNumber | None
    """Null while it is a draft; version 0 is the suite's own, the built-in figures alone."""
    drafted_by: str | None
    put_in_force_by: str | None


class FigureSet(FigureSetSummary):
    """A version of the county's figures, and the built-in ones."""

    figures: list[FigureIn]
    """The county's own."""
    built_in: list[FigureIn]


class NamedMeasure(Resource):
    """A measure that formulas may name. A name that ends in ``*`` stands for all that begin so."""

    measure: str
    unit: str
    meaning: str
    meaning_zh: str
    base: Literal["contract", "booked"]
    """Where its base comes from: the contract's base, which is like-for-like, or the year before
    as it was booked."""


class Basis(StrEnum):
    """What growth is compared with."""

    CONTRACT = "contract"
    """The contract's base: a year before, back-cast to today's fields."""
    BOOKED = "booked"
    """The year before as it was booked."""


class Figure(Resource):
    """What a figure comes to for the county or one centre over a span."""

    figure: FigureName
    title: str
    title_zh: str
    unit: str
    standing: Standing
    reasons: list[Reason]
    """Why it is not comparable; empty when it is."""
    value: Quotient | None
    """Exact."""
    display: str | None
    goal: Ratio | None
    comparison: Comparison | None
    direction: Direction
    provisional: bool
    basis: Basis | None
    """Null where nothing is compared with a year before."""
    components: list[Component]
    own_goal: OwnGoal | None
    """The unit's own goal in the period, if it has one; the standing is by the figure's goal."""


class FiguresOf(Resource):
    """The figures of the county, or of one centre."""

    centre_id: Identifier | None
    name: str
    name_zh: str
    contract_id: Identifier | None
    from_period: PeriodNumber
    to_period: PeriodNumber
    figures: list[Figure]


class FigureReport(Resource):
    """All figures in force for a branch at a period, as far as the caller may see them."""

    branch_id: BranchId
    period: PeriodNumber
    span: Span
    known_at: Moment | None
    """The moment as of which it is told; null is now."""
    version: Count
    """The version of the county's figures that is in force in the period."""
    county: FiguresOf | None
    centres: list[FiguresOf]
    open_periods: list[PeriodNumber]
