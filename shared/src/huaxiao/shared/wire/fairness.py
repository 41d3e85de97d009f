"""What the county is told of as worth a look in the marks that centres give (R26 to R28)."""

from enum import StrEnum

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Moment, PeriodNumber, Ratio, Resource


class FindingKind(StrEnum):
    """What kind of pattern it is."""

    RATER_BIAS = "rater_bias"
    MUTUAL_FAVOUR = "mutual_favour"
    RETALIATION = "retaliation"


class MarkShown(Resource):
    """A mark, beside what it may be held against."""

    source: str
    """``horizontal``, ``final``, ``reverse``, or ``decision``: a share of appeals upheld."""
    rater: Identifier
    ratee: Identifier
    period: PeriodNumber
    at: Moment
    points: Ratio
    """Of 100: a star is 20."""
    reference: Ratio | None
    """What was measured of the same pair and month, or what others gave."""
    deviation: Ratio | None


class Finding(Resource):
    """Marks that deserve a look, with the numbers that say so; it accuses nobody."""

    kind: FindingKind
    units: list[Identifier]
    marks: list[MarkShown]
    value: Ratio
    """What is held against the threshold: points, or days."""
    threshold: Ratio
    sample: int
    least_sample: int
    text: str
    text_zh: str


class FairnessReport(Resource):
    """The marks of some months against what was measured, and what deserves a look."""

    period_from: PeriodNumber
    period_to: PeriodNumber
    scorecard_version: int
    """Whose thresholds these are: the last month's."""
    marks: list[MarkShown]
    findings: list[Finding]
