"""The negative list (负面责任清单, R5): what a contractor may not do, and what it costs."""

from enum import StrEnum


class Severity(StrEnum):
    """How grave an entry of the negative list is."""

    A = "A"  # 红线
    B = "B"
    C = "C"
