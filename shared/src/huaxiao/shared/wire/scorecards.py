"""Scorecards (考核评分表) as versioned data of a branch (R26 to R28).

A version says what each form weighs and from which value on an item earns what, how the final
appraisal is bound to the horizontal one, by which day what is done, which coefficient a score
becomes, and what the county is told of as worth a look.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import ConfigDict, Field

from huaxiao.shared.wire.base import Count, Given, Name, PeriodNumber, Ratio, Resource
from huaxiao.shared.wire.reverse import Item

Weight = Annotated[int, Field(strict=True, ge=1, le=100)]
Bound = Annotated[int, Field(strict=True, ge=0, le=1000)]
Points = Annotated[Ratio, Field(ge=0, le=100, decimal_places=2)]


class ScaleRow(Given):
    """A measured item: nothing below ``floor``, 60 % at ``base``, all at ``challenge``.

    Where less is better, the three run downwards.
    """

    item: Item
    weight: Weight
    floor: Bound
    base: Bound
    challenge: Bound
    least: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 5
    """Fewer orders than this, and the item is not applicable: its weight goes to the others."""


class StarsRow(Given):
    """An item that somebody judges, in one to five whole stars."""

    item: Item
    weight: Weight


class FormRows(Given):
    """The items of a form; their weights add up to 100."""

    scales: list[ScaleRow] = Field(min_length=1, max_length=50)
    stars: list[StarsRow] = Field(default_factory=list, max_length=50)


class CoefficientStep(Given):
    """From this score on, the coefficient."""

    score_from: Points
    coefficient: Annotated[Ratio, Field(ge=0, le=2, decimal_places=4)]


class CalendarDays(Given):
    """After how many days from the month's end each step of the appraisal is over."""

    freeze: Annotated[int, Field(strict=True, ge=0, le=60)] = 3
    """Evidence is frozen: what is recorded later does not change a card."""
    submit: Annotated[int, Field(strict=True, ge=0, le=60)] = 5
    answer: Annotated[int, Field(strict=True, ge=0, le=60)] = 8
    decide: Annotated[int, Field(strict=True, ge=0, le=60)] = 10
    publish: Annotated[int, Field(strict=True, ge=0, le=60)] = 12
    close: Annotated[int, Field(strict=True, ge=0, le=60)] = 15


class FairnessRules(Given):
    """From where on the county is told that marks deserve a look; a finding accuses nobody."""

    bias_points: Points = Decimal(25)
    """How far stars lie from what was measured of the same pair, in points of 100."""
    bias_months: Annotated[int, Field(strict=True, ge=2, le=24)] = 3
    """In so many months at least, all to the same side."""
    favour_points: Points = Decimal(20)
    """How far two centres' marks of each other lie above what others' or the measures say."""
    favour_marks: Annotated[int, Field(strict=True, ge=1, le=100)] = 2
    """So many marks at least from each of the two."""
    low_points: Points = Decimal(40)
    """A mark is low from here down: two stars are 40 points."""
    retaliation_days: Annotated[int, Field(strict=True, ge=1, le=366)] = 60


class ScorecardIn(Given):
    """A version of the scorecards as it is drafted."""

    name_zh: Name
    horizontal: FormRows
    """F1: an enterprise centre rates the regional centre that serves its customers."""
    own: FormRows
    """The own part of F2: a regional centre rates its engineer."""
    reverse_support: FormRows
    """R1: those who are served rate the support centre."""
    reverse_build: FormRows
    """R2: those who are served rate the build-and-maintain centre."""
    horizontal_weight: Annotated[Ratio, Field(ge=Decimal("0.20"), le=Decimal("0.40"))] = Decimal(
        "0.30"
    )
    """The weight of the horizontal result in the final one: never nothing."""
    own_score_may_be_stated: Annotated[bool, Field(strict=True)] = True
    """The centre may state its own part as one score, by its full right of appraisal (绝对考核权)."""
    most_adjustment: Annotated[Ratio, Field(ge=0, le=10, decimal_places=2)] = Decimal(10)
    missing_share: Annotated[Ratio, Field(ge=0, le=1, decimal_places=2)] = Decimal("0.60")
    """What an item in stars earns that nobody judged in time."""
    late_rater_points: Annotated[int, Field(strict=True, ge=0, le=10)] = 1
    """What a rater who did not submit in time loses on its own card."""
    pay_steps: list[CoefficientStep] = Field(min_length=1, max_length=20)
    """The pay coefficient of own and centre-hired staff."""
    supplier_steps: list[CoefficientStep] = Field(min_length=1, max_length=20)
    """The settlement coefficient of whoever supplied outsourced staff: 0.8 to 1.1."""
    calendar: CalendarDays = CalendarDays()
    fairness: FairnessRules = FairnessRules()


class ScorecardSummary(Resource):
    """A version of the scorecards, without its tables."""

    version: Count
    """0 is the suite's own, in force until a county puts one of its own in force."""
    name_zh: Name
    from_day: date | None
    """The first day of the month from which it is in force; null while it is a draft."""
    drafted_by: str | None
    put_in_force_by: str | None


class Scorecard(ScorecardSummary, ScorecardIn):
    """A version of the scorecards."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ScorecardInForceIn(Given):
    """From which month on a drafted version is in force."""

    from_period: PeriodNumber
