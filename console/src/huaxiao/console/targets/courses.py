"""The course of a target's year: as it was by the end of each month, and as it is expected to go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from huaxiao.console import formats
from huaxiao.console.language import Words
from huaxiao.console.targets.views import unit_of
from huaxiao.shared.wire.forecasts import ForecastReport, TargetForecast
from huaxiao.shared.wire.kpi import TargetName, TargetReport


@dataclass(frozen=True, slots=True)
class Mark:
    """A target of the year so far, by the end of a month."""

    period: int
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None
    """Where eight of ten paths lie; None of a month that is known, or where no interval is told."""
    expected: bool


@dataclass(frozen=True, slots=True)
class Course:
    """A target's marks through the year: months that are known, then those that are left."""

    target: TargetForecast
    marks: list[Mark]

    def chart(self, words: Words) -> dict[str, Any]:
        """Describe the chart: a line as far as is known, a dashed one and a band from there on."""
        last = max((at for at, one in enumerate(self.marks) if not one.expected), default=None)

        def expected(of: Mark, value: Decimal | None, at: int) -> float | None:
            return _percent(value if of.expected else of.value if at == last else None)

        banded = any(one.low is not None for one in self.marks)
        return {
            "kind": "course",
            "labels": [formats.period(one.period) for one in self.marks],
            "unit": "%",
            "known": {
                "name": words("累计实绩", "so far"),
                "values": [None if one.expected else _percent(one.value) for one in self.marks],
            },
            "expected": {
                "name": words("预测", "expected"),
                "values": [expected(one, one.value, at) for at, one in enumerate(self.marks)],
            },
            "band": {
                "name": words("八成可能", "eight of ten"),
                "low": [expected(one, one.low, at) for at, one in enumerate(self.marks)],
                "high": [expected(one, one.high, at) for at, one in enumerate(self.marks)],
            }
            if banded
            else None,
            "goal": float(self.target.goal * 100),
            "goalName": words("目标", "goal"),
        }


def courses(found: ForecastReport, known: Mapping[int, TargetReport]) -> list[Course]:
    """Put what was known by the end of each month before what is expected by each that is left."""
    made = []
    for target in found.targets:
        so_far = [
            Mark(month, _known(report, found.centre_id, target.target), None, None, expected=False)
            for month, report in sorted(known.items())
        ]
        ahead = [
            Mark(one.period, one.value, one.low, one.high, expected=True)
            for one in (target.forecast.months if target.forecast else ())
        ]
        made.append(Course(target, [*so_far, *ahead]))
    return made


def _known(report: TargetReport, centre_id: str | None, name: TargetName) -> Decimal | None:
    unit = unit_of(report, centre_id)
    if unit is None:
        return None
    value = next(one.value for one in unit.targets if one.target is name)
    return None if value is None else formats.as_decimal(value)


def _percent(value: Decimal | None) -> float | None:
    return None if value is None else float(round(value * 100, 2))
