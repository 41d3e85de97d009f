"""The measures that a formula may name: what each counts, and what it comes to in a span."""

from collections.abc import Callable
from dataclasses import dataclass

from huaxiao.kpi.domain.definitions import (
    BALANCES,
    LINES_BILLED,
    MEASURES,
    PAYROLL_MEASURES,
    MeasureRule,
    rule_of,
    unit_of,
)
from huaxiao.kpi.domain.figures import Base, Payroll
from huaxiao.kpi.domain.known import Cause, Known
from huaxiao.kpi.domain.units import Dimension
from huaxiao.shared.books import Books, books
from huaxiao.shared.wire.kpi import ReasonCode, Unit

_NOT_NAMED = {*PAYROLL_MEASURES, LINES_BILLED}
_BASE_CAUSES = (ReasonCode.NO_BASE, ReasonCode.BASE_INCOMPLETE, ReasonCode.CENTRE_NEW)


@dataclass(frozen=True, slots=True)
class Amount:
    """A whole number over another above zero, not reduced: its parts can still be recognised."""

    numerator: int
    denominator: int = 1


@dataclass(frozen=True, slots=True)
class Found:
    """What something comes to; None is not known, and the causes say why."""

    amount: Amount | None
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class SpokenMeasure:
    """A sum as people speak of it, costs and revenue both positive."""

    name: str
    unit: Unit
    meaning: str
    meaning_zh: str
    of_books: Callable[[Books], int] | None = None
    of_payroll: Callable[[Payroll], int] | None = None
    of_base: Callable[[Base], int] | None = None
    by_month: bool = False
    """It is a mean over the span: half person-months over twice its months."""
    when_zero: ReasonCode = ReasonCode.NOT_POSITIVE
    """Why nothing is divided by it when it is zero or below."""


SPOKEN = {
    one.name: one
    for one in (
        SpokenMeasure(
            "net_revenue",
            Unit.FEN,
            "Billed less refunds, with corrections, VAT excluded",
            "净收入：出账减退费，计调账，不含税",
            of_books=lambda held: held.revenue_fen,
            of_base=lambda base: base.revenue_fen,
            when_zero=ReasonCode.NO_REVENUE,
        ),
        SpokenMeasure(
            "market_cost",
            Unit.FEN,
            "Cost of the kinds on the closed list of market cost",
            "市场成本：封闭清单内各种类之和",
            of_books=lambda held: held.market_cost_fen,
            of_base=lambda base: base.market_cost_fen,
        ),
        SpokenMeasure(
            "network_line_cost",
            Unit.FEN,
            "Cost of the kinds on the list of network line cost",
            "网络线成本",
            of_books=lambda held: held.network_line_cost_fen,
        ),
        SpokenMeasure(
            "other_cost",
            Unit.FEN,
            "Cost of the known kinds that are neither",
            "其他成本",
            of_books=lambda held: held.other_cost_fen,
        ),
        SpokenMeasure(
            "unclassified_cost",
            Unit.FEN,
            "Cost of kinds on no list",
            "未归类成本",
            of_books=lambda held: held.unclassified_cost_fen,
        ),
        SpokenMeasure(
            "cash_in",
            Unit.FEN,
            "Money received, VAT included",
            "收到的现金，含税",
            of_books=lambda held: held.cash_in_fen,
            of_base=lambda base: base.cash_in_fen,
        ),
        SpokenMeasure(
            "cash_out",
            Unit.FEN,
            "Money paid out, pay of own staff left out",
            "付出的现金，不含自有人员工资",
            of_books=lambda held: held.cash_out_fen,
            of_base=lambda base: base.cash_out_fen - base.pay_fen,
        ),
        SpokenMeasure(
            "pay",
            Unit.FEN,
            "Pay of own staff, employer's insurance left out",
            "自有人员应发工资，不含单位缴纳的保险",
            of_payroll=lambda paid: paid.pay_fen,
            of_base=lambda base: base.pay_fen,
        ),
        SpokenMeasure(
            "headcount",
            Unit.HALF_PERSON_MONTHS,
            "Own staff at each month's start and end, summed",
            "各月月初与月末自有人数之和",
            of_payroll=lambda paid: paid.half_person_months,
            of_base=lambda base: base.half_person_months,
            when_zero=ReasonCode.NO_STAFF,
        ),
        SpokenMeasure(
            "average_headcount",
            Unit.PEOPLE,
            "Own staff, the mean over the months of (start + end) / 2",
            "平均自有人数：各月（月初 + 月末）/ 2 的均值",
            of_payroll=lambda paid: paid.half_person_months,
            of_base=lambda base: base.half_person_months,
            by_month=True,
            when_zero=ReasonCode.NO_STAFF,
        ),
    )
}
"""Their base is the contract's where it states them."""


def raw_rule(name: str) -> MeasureRule | None:
    """Return the rule of a measure as the feeds tell it, if a formula may name it.

    Pay and heads are named as spoken of: only that way it is known whether all of them are there.
    Of charges a span does not say whether all were told, so no formula may take them for all.
    """
    return None if name in _NOT_NAMED else rule_of(name)


def source_of(name: str) -> str:
    """Return the fact that a measure is fed by; sums as spoken of are the ledger's."""
    rule = raw_rule(name)
    return BALANCES if rule is None else rule.source


def unit_named(name: str) -> Dimension | None:
    """Return what a named measure counts; None where there is no such measure."""
    if name in SPOKEN:
        return Dimension.of(SPOKEN[name].unit)
    rule = raw_rule(name)
    return None if rule is None else Dimension.of(rule.unit)


def unit_counted(name: str) -> Unit:
    """Return what a measure's whole number counts: of a mean of heads, half person-months."""
    spoken = SPOKEN.get(name)
    if spoken is None:
        return unit_of(name)
    return Unit.HALF_PERSON_MONTHS if spoken.by_month else spoken.unit


def adds_up(name: str) -> bool:
    """Say whether centres' amounts add up to the county's, and months' to a span's."""
    spoken = SPOKEN.get(name)
    return spoken is None or not spoken.by_month


def base_from_contract(name: str) -> bool:
    """Say whether a measure's base is the contract's, and not the year before as booked."""
    spoken = SPOKEN.get(name)
    return spoken is not None and spoken.of_base is not None


def now(known: Known, name: str) -> Found:
    """Return what a named measure comes to in the span."""
    spoken = SPOKEN.get(name)
    if spoken is None:
        if known.books is None and source_of(name) == BALANCES:
            return Found(None, known.why(ReasonCode.NO_BOOKS))
        return Found(Amount(known.accounts.get(name, 0)))
    if spoken.of_books is not None:
        if known.books is None:
            return Found(None, known.why(ReasonCode.NO_BOOKS))
        return Found(Amount(spoken.of_books(known.books)))
    if spoken.of_payroll is None or known.payroll is None:
        return Found(None, known.why(ReasonCode.PAYROLL_MISSING))
    return Found(Amount(spoken.of_payroll(known.payroll), _over(spoken, known)))


def before(known: Known, name: str) -> Found:
    """Return what a named measure came to in the same months a year before."""
    spoken = SPOKEN.get(name)
    if spoken is not None and spoken.of_base is not None:
        if known.base is None:
            return Found(None, known.why(*_BASE_CAUSES))
        return Found(Amount(spoken.of_base(known.base), _over(spoken, known)))
    held = known.year_before.accounts.get(source_of(name))
    if held is None:
        return Found(None, known.year_before.causes)
    if spoken is not None and spoken.of_books is not None:
        return Found(Amount(spoken.of_books(books(held.items()))))
    return Found(Amount(held.get(name, 0)))


def _over(spoken: SpokenMeasure, known: Known) -> int:
    return 2 * known.months if spoken.by_month else 1


def all_named() -> list[tuple[str, Unit, str, str]]:
    """Return name, unit and meaning of everything a formula may name."""
    spoken = [(one.name, one.unit, one.meaning, one.meaning_zh) for one in SPOKEN.values()]
    told = [
        (one.measure, one.unit, one.meaning, one.meaning_zh)
        for one in MEASURES
        if one.measure not in _NOT_NAMED
    ]
    return spoken + told
