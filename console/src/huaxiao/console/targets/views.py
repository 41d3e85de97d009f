"""What the pages of targets show, made from what kpi tells: nothing is judged here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from huaxiao.console import formats
from huaxiao.console.language import Words
from huaxiao.console.words import called
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.wire.contributions import Explanation, ShownIn
from huaxiao.shared.wire.forecasts import Forecast
from huaxiao.shared.wire.kpi import (
    Component,
    Definitions,
    Measure,
    Target,
    TargetName,
    TargetReport,
    TargetsOf,
    Unit,
)

_YEAR = 12
SHORT = {
    TargetName.MARKET_GROSS_MARGIN: ("市场毛利率", "Market gross margin"),
    TargetName.CASH_FLOW_GROWTH: ("现金流同比", "Cash flow, y/y"),
    TargetName.AVERAGE_WAGE_GROWTH: ("人均工资增幅", "Average wage, y/y"),
}
_REVENUE = ("revenue", "refunds", "adjustments")


def unit_of(report: TargetReport, centre_id: str | None) -> TargetsOf | None:
    """Return the county's targets, or a centre's; without either, the first that is told."""
    if centre_id is None:
        return report.county or next(iter(report.centres), None)
    return next((one for one in report.centres if one.centre_id == centre_id), None)


def says_something(unit: TargetsOf) -> bool:
    """Say whether any target of a unit can be computed; the county is always of interest."""
    return unit.centre_id is None or any(one.value is not None for one in unit.targets)


def why(words: Words, target: Target) -> str:
    """Say in a sentence what a target came from."""
    if target.value is None:
        return "；".join(words.of(one, "message") for one in target.reasons)
    amounts = {one.name: one for one in target.components}
    match target.target:
        case TargetName.MARKET_GROSS_MARGIN:
            revenue, cost = amounts["revenue"].amount, amounts["market_cost"].amount
            return words(
                f"收入 {formats.money(revenue)} 元，市场成本 {formats.money(cost)} 元",
                f"Revenue {formats.money(revenue)} yuan, market cost {formats.money(cost)} yuan",
            )
        case TargetName.CASH_FLOW_GROWTH:
            cash = amounts["net_cash"]
            return words(
                f"净现金流 {formats.money(cash.amount)} 元，基期 {formats.money(cash.base_amount)} 元",
                f"Net cash {formats.money(cash.amount)} yuan,"
                f" {formats.money(cash.base_amount)} in the base",
            )
        case _:
            now, before = wage(target.components)
            return words(
                f"人均 {formats.money(now)} 元，基期 {formats.money(before)} 元",
                f"{formats.money(now)} yuan a head, {formats.money(before)} in the base",
            )


def wage(components: Sequence[Component]) -> tuple[int | None, int | None]:
    """Return pay a head and month, now and in the base, in fen, for showing."""
    found = {one.name: one for one in components}
    pay, heads = found["pay"], found["headcount"]
    return _each(pay.amount, heads.amount), _each(pay.base_amount, heads.base_amount)


def _each(pay_fen: int | None, half_person_months: int | None) -> int | None:
    if pay_fen is None or not half_person_months:
        return None
    return round(Decimal(pay_fen * 2) / half_person_months)


def from_goal(target: Target) -> str | None:
    """Write by how many percentage points a target lies above or below its goal."""
    if target.value is None:
        return None
    apart = (formats.as_decimal(target.value) - target.goal) * 100
    return f"{apart:+.2f}".replace("-", "−")


def fill(target: Target) -> float:
    """Return how full a meter is: its goal lies at four fifths."""
    if target.value is None or not target.goal:
        return 0.0
    return float(
        min(
            Decimal(1),
            max(Decimal(0), formats.as_decimal(target.value) / target.goal * Decimal("0.8")),
        )
    )


# --- the months ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrendRow:
    """A month of a target's trend."""

    period: int
    value: Decimal | None
    """In percent, or an amount in fen."""
    base: Decimal | None
    standing: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A target month by month, this year beside the base."""

    target: TargetName
    title: str
    in_percent: bool
    rows: list[TrendRow]
    goal: Decimal | None

    def write(self, value: Decimal | None) -> str:
        """Write a value of the table."""
        if value is None:
            return formats.NOTHING
        return formats.percent(value / 100) if self.in_percent else formats.money(int(value))

    def chart(self, words: Words) -> dict[str, Any]:
        """Describe the chart."""
        return {
            "kind": "trend",
            "labels": [formats.period(one.period) for one in self.rows],
            "unit": "%" if self.in_percent else words("元", "yuan"),
            "bars": not self.in_percent,
            "series": [
                {
                    "name": words("本期", "this year"),
                    "values": [_plain(one.value, self.in_percent) for one in self.rows],
                },
                {
                    "name": words("基期（上年同月）", "base, the year before"),
                    "values": [_plain(one.base, self.in_percent) for one in self.rows],
                },
            ],
            "goal": None if self.goal is None else float(self.goal * 100),
            "goalName": words("目标", "goal"),
        }


def _plain(value: Decimal | None, in_percent: bool) -> float | None:  # noqa: FBT001
    if value is None:
        return None
    return float(round(value, 2)) if in_percent else float(round(value / 100, 2))


def months_shown(period: int, contract_from: int | None, today: int) -> list[int]:
    """Return the year a trend shows: the contract's if one covers the month, else the last twelve.

    Months that have not begun are left out, since nothing is told of them.
    """
    first = shift(Period(period), 1 - _YEAR) if contract_from is None else Period(contract_from)
    while shift(first, _YEAR) <= period:
        first = shift(first, _YEAR)
    return [month for at in range(_YEAR) if (month := shift(first, at)) <= today]


def trends(words: Words, reports: Mapping[int, TargetReport], centre_id: str | None) -> list[Trend]:
    """Put the months' targets in a row, one trend a target."""
    units = {month: unit_of(report, centre_id) for month, report in sorted(reports.items())}
    return [_trend(words, name, units) for name in TargetName]


def _trend(words: Words, name: TargetName, units: Mapping[int, TargetsOf | None]) -> Trend:
    rows, goal = [], None
    for month, unit in units.items():
        target = None if unit is None else next(t for t in unit.targets if t.target is name)
        if target is None:
            rows.append(TrendRow(month, None, None, "not_comparable"))
            continue
        goal = target.goal
        rows.append(TrendRow(month, *_sides(name, target), target.standing))
    in_percent = name is TargetName.MARKET_GROSS_MARGIN
    titles = {
        TargetName.MARKET_GROSS_MARGIN: ("市场毛利率", "Market gross margin"),
        TargetName.CASH_FLOW_GROWTH: ("净现金流", "Net cash"),
        TargetName.AVERAGE_WAGE_GROWTH: ("人均工资", "Pay a head"),
    }
    return Trend(name, words(*titles[name]), in_percent, rows, goal if in_percent else None)


def _sides(name: TargetName, target: Target) -> tuple[Decimal | None, Decimal | None]:
    amounts = {one.name: one for one in target.components}
    match name:
        case TargetName.MARKET_GROSS_MARGIN:
            revenue, cost = amounts["revenue"], amounts["market_cost"]
            return (
                _margin(revenue.amount, cost.amount),
                _margin(revenue.base_amount, cost.base_amount),
            )
        case TargetName.CASH_FLOW_GROWTH:
            cash = amounts["net_cash"]
            # Before a month has books, pay alone is no cash flow.
            known = amounts["cash_in"].amount is not None
            return _decimal(cash.amount if known else None), _decimal(cash.base_amount)
        case _:
            now, before = wage(target.components)
            return _decimal(now), _decimal(before)


def _margin(revenue_fen: int | None, cost_fen: int | None) -> Decimal | None:
    if not revenue_fen or cost_fen is None:
        return None
    return Decimal(revenue_fen - cost_fen) / revenue_fen * 100


def _decimal(amount: int | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)


# --- where it goes ------------------------------------------------------------------------------


def interval(words: Words, forecast: Forecast) -> str:
    """Write the interval of a forecast, or why none is told."""
    if forecast.low is None or forecast.high is None:
        return words("已知月份不足，不给区间", "too few months are known for an interval")
    return words("八成可能在 ", "eight of ten within ") + (
        f"{formats.percent(forecast.low)} … {formats.percent(forecast.high)}"
    )


# --- why it moved -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moves:
    """Contributions as a table: centres down, components across."""

    components: list[str]
    rows: list[tuple[str | None, list[int | None], int]]
    """A centre (None: what no centre stands for), its parts, and their sum."""
    totals: list[int]
    change: int
    in_points: bool

    def write(self, amount: int | None) -> str:
        """Write a part with its sign."""
        return formats.points(amount) if self.in_points else formats.signed_money(amount)


def moves(found: Explanation) -> Moves | None:
    """Arrange an explanation; None where there is nothing to split."""
    if found.change_shown is None:
        return None
    parts: dict[tuple[str | None, str], int] = {
        (one.centre_id, one.component): one.shown for one in found.contributions
    }
    components = list(dict.fromkeys(one.component for one in found.contributions))
    rows = [
        (
            one.centre_id,
            [parts.get((one.centre_id, component)) for component in components],
            one.shown,
        )
        for one in sorted(found.by_centre, key=lambda one: (one.centre_id is None, one.centre_id))
    ]
    sums = [sum(parts.get((row[0], component), 0) for row in rows) for component in components]
    return Moves(components, rows, sums, found.change_shown, found.shown_in is ShownIn.BASIS_POINTS)


def moves_chart(words: Words, shown: Moves, name_of: Any) -> dict[str, Any]:
    """Describe the chart of contributions: a bar a centre, a colour a component."""
    scale = 100
    return {
        "kind": "contributions",
        "labels": [
            words("其他", "no single centre") if centre is None else name_of(centre)
            for centre, _, _ in shown.rows
        ],
        "unit": words("百分点", "points") if shown.in_points else words("元", "yuan"),
        "series": [
            {
                "name": component_title(words, component),
                "values": [(parts[at] or 0) / scale for _, parts, _ in shown.rows],
            }
            for at, component in enumerate(shown.components)
        ],
    }


def component_title(words: Words, component: str) -> str:
    """Return what a component of a change is called."""
    return called(words, component)


# --- measures -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """A measure over the centres of a month."""

    measure: str
    title: str
    unit: Unit
    amounts: dict[str, int]
    total: int


@dataclass(frozen=True, slots=True)
class MeasureGroup:
    """Measures that belong together."""

    title: str
    rows: list[MeasureRow]

    @property
    def centres(self) -> list[str]:
        """The centres that have any of it."""
        return sorted({centre for row in self.rows for centre in row.amounts})

    @property
    def sum_fen(self) -> int | None:
        """The sum of the group; None where units differ."""
        units = {one.unit for one in self.rows}
        return sum(one.total for one in self.rows) if units == {Unit.FEN} else None


def measure_title(words: Words, definitions: Definitions, measure: str) -> str:
    """Return what a measure is called: its kind of cost by name, else its meaning."""
    kinds = {one.kind: words.of(one, "title") for one in definitions.cost_kinds}
    for prefix, said in (
        ("cost.", words("成本：", "Cost: ")),
        ("cash.out.", words("付出：", "Paid: ")),
    ):
        if measure.startswith(prefix):
            kind = measure.removeprefix(prefix)
            return said + kinds.get(kind, words("退费", "refunds") if kind == "refund" else kind)
    for one in definitions.measures:
        stem, star, end = one.measure.partition("*")
        if measure == one.measure or (star and measure.startswith(stem) and measure.endswith(end)):
            return words.of(one, "meaning")
    return measure


def measure_groups(
    words: Words, definitions: Definitions, measures: Sequence[Measure], about: TargetName | None
) -> list[MeasureGroup]:
    """Group a month's measures, those of one target or all."""
    titles = {
        "revenue": words("收入（贷方为负）", "Revenue (credits are negative)"),
        "market": words("市场成本", "Market cost"),
        "network_line": words("网络线路成本", "Network line cost"),
        "other": words("其他成本", "Other cost"),
        "cash": words("现金", "Cash"),
        "people": words("人员与工资", "People and pay"),
        "rest": words("其他数据", "Other measures"),
    }
    wanted = {
        None: tuple(titles),
        TargetName.MARKET_GROSS_MARGIN: ("revenue", "market"),
        TargetName.CASH_FLOW_GROWTH: ("cash", "people"),
        TargetName.AVERAGE_WAGE_GROWTH: ("people",),
    }[about]
    grouped: dict[str, dict[str, list[Measure]]] = {}
    for one in measures:
        grouped.setdefault(_group(one), {}).setdefault(one.measure, []).append(one)
    return [
        MeasureGroup(
            titles[group],
            [
                MeasureRow(
                    name,
                    measure_title(words, definitions, name),
                    held[0].unit,
                    {one.centre_id: one.amount for one in held},
                    sum(one.amount for one in held),
                )
                for name, held in grouped[group].items()
            ],
        )
        for group in wanted
        if group in grouped
    ]


def _group(measure: Measure) -> str:
    if measure.measure in _REVENUE:
        return "revenue"
    if measure.cost_class is not None:
        return (
            str(measure.cost_class) if measure.cost_class in {"market", "network_line"} else "other"
        )
    if measure.measure.startswith("cash."):
        return "cash"
    if measure.measure == "pay" or measure.measure.startswith("headcount."):
        return "people"
    return "other" if measure.measure.startswith("cost.") else "rest"
