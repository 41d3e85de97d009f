"""Rows of sheets, the first one their header."""

from collections.abc import Iterator, Mapping

from huaxiao.kpi.domain.definitions import unit_of
from huaxiao.shared.books import class_of
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.kpi import Target, TargetReport, TargetsOf

_COUNTY = "全县 County"
_TARGETS = (
    "中心 Centre",
    "名称 Name (zh)",
    "名称 Name",
    "合同 Contract",
    "起始账期 From",
    "截止账期 To",
    "指标代码 Target",
    "指标 Title (zh)",
    "结论 Verdict",
    "完成值 Value",
    "目标 Goal",
    "比较 Comparison",
    "暂定 Provisional",
    "分子 Numerator",
    "分母 Denominator",
    "构成 Components",
    "原因 Reasons (zh)",
    "原因 Reasons",
)
_MEASURES = (
    "中心 Centre",
    "账期 Period",
    "指标 Measure",
    "数量 Amount",
    "单位 Unit",
    "成本类别 Cost class",
)


def target_rows(report: TargetReport) -> Iterator[list[str]]:
    """Yield a row for each target of the county and of each centre."""
    yield list(_TARGETS)
    units = [] if report.county is None else [report.county]
    for unit in [*units, *report.centres]:
        for target in unit.targets:
            yield _target(unit, target)


def _target(unit: TargetsOf, target: Target) -> list[str]:
    value = target.value
    components = (
        f"{one.name}: {_whole(one.amount)} ({_whole(one.base_amount)}) {one.unit}"
        for one in target.components
    )
    return [
        _COUNTY if unit.centre_id is None else unit.centre_id,
        unit.name_zh,
        unit.name,
        unit.contract_id or "",
        str(unit.from_period),
        str(unit.to_period),
        target.target,
        target.title_zh,
        target.verdict,
        target.display or "",
        str(target.goal),
        target.comparison,
        "是 yes" if target.provisional else "否 no",
        "" if value is None else str(value.numerator),
        "" if value is None else str(value.denominator),
        "; ".join(components),
        "；".join(one.message_zh for one in target.reasons),
        "; ".join(one.message for one in target.reasons),
    ]


def _whole(amount: int | None) -> str:
    return "–" if amount is None else str(amount)


def measure_rows(
    measures: Mapping[tuple[str, Period], Mapping[str, int]],
) -> Iterator[list[str]]:
    """Yield a row for each measure, by centre and month."""
    yield list(_MEASURES)
    for centre_id, period in sorted(measures):
        for measure, amount in sorted(measures[centre_id, period].items()):
            yield [
                centre_id,
                str(period),
                measure,
                str(amount),
                unit_of(measure),
                class_of(measure) or "",
            ]
