"""The judgement: three targets from whole numbers (R2, R3, R4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from huaxiao.kpi.domain.definitions import TARGETS, TargetRule
from huaxiao.kpi.domain.evaluating import Evaluation
from huaxiao.kpi.domain.figures import Base, Payroll
from huaxiao.kpi.domain.goals import percent
from huaxiao.kpi.domain.known import Cause, Known
from huaxiao.shared.books import Books
from huaxiao.shared.wire.kpi import Standing, TargetName, Unit, Verdict

Now = TypeVar("Now", Books, Payroll)
_RULES = {rule.target: rule for rule in TARGETS}


@dataclass(frozen=True, slots=True)
class Part:
    """An integer a target was computed from; None is not known."""

    name: str
    unit: Unit
    amount: int | None
    base_amount: int | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A target's outcome: an exact ratio, or why there is none."""

    rule: TargetRule
    parts: tuple[Part, ...]
    ratio: tuple[int, int] | None = None
    causes: tuple[Cause, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Decide on whole numbers."""
        if self.ratio is None:
            return Verdict.NOT_COMPUTABLE
        return Verdict.PASS if self.rule.goal.met_by(*self.ratio) else Verdict.FAIL

    @property
    def standing(self) -> Standing:
        """Return the verdict, with what is met by little told apart."""
        if self.ratio is None:
            return Standing.NOT_COMPARABLE
        return self.rule.goal.standing(*self.ratio)

    @property
    def display(self) -> str | None:
        """Return the ratio in percent."""
        return None if self.ratio is None else percent(*self.ratio, self.rule.goal)


def judge(known: Known) -> tuple[Judgement, ...]:
    """Judge the three targets, in the order of the plan."""
    return (market_gross_margin(known), cash_flow_growth(known), average_wage_growth(known))


def all_goals_met(judgements: Sequence[Judgement]) -> bool:
    """Say whether every target passes; the plan gives no weights."""
    return all(one.verdict is Verdict.PASS for one in judgements)


def market_gross_margin(known: Known) -> Judgement:
    """Judge (R - MC) / R, at least 82 % (R2)."""
    held, base = known.books, known.base
    parts = (
        _part("revenue", _revenue, held, _revenue, base),
        _part("market_cost", _market_cost, held, _market_cost, base),
    )
    return _judged(TargetName.MARKET_GROSS_MARGIN, known, parts)


def cash_flow_growth(known: Known) -> Judgement:
    """Judge net cash against the year before, at least 10 % more (R3)."""
    held, paid, base = known.books, known.payroll, known.base
    net = (
        None
        if held is None or paid is None
        else held.cash_in_fen - held.cash_out_fen - paid.pay_fen
    )
    base_net = None if base is None else base.cash_in_fen - base.cash_out_fen
    parts = (
        _part("cash_in", _cash_in, held, _cash_in, base),
        _part("cash_out", _cash_out, held, _base_cash_out_less_pay, base),
        _part("pay", _pay, paid, _pay, base),
        Part("net_cash", Unit.FEN, net, base_net),
    )
    return _judged(TargetName.CASH_FLOW_GROWTH, known, parts)


def average_wage_growth(known: Known) -> Judgement:
    """Judge pay a head against the year before, more than 10 % more (R4)."""
    paid, base = known.payroll, known.base
    heads = _part("headcount", _heads, paid, _heads, base, unit=Unit.HALF_PERSON_MONTHS)
    parts = (_part("pay", _pay, paid, _pay, base), heads)
    return _judged(TargetName.AVERAGE_WAGE_GROWTH, known, parts)


def _judged(target: TargetName, known: Known, parts: tuple[Part, ...]) -> Judgement:
    rule = _RULES[target]
    found = Evaluation(known, {}).value(rule.expression)
    if found.amount is None:
        return Judgement(rule, parts, causes=found.causes)
    return Judgement(rule, parts, (found.amount.numerator, found.amount.denominator))


def _revenue(one: Books | Base) -> int:
    return one.revenue_fen


def _market_cost(one: Books | Base) -> int:
    return one.market_cost_fen


def _cash_in(one: Books | Base) -> int:
    return one.cash_in_fen


def _cash_out(one: Books) -> int:
    return one.cash_out_fen


def _base_cash_out_less_pay(one: Base) -> int:
    return one.cash_out_fen - one.pay_fen


def _pay(one: Payroll | Base) -> int:
    return one.pay_fen


def _heads(one: Payroll | Base) -> int:
    return one.half_person_months


def _part(
    name: str,
    of_now: Callable[[Now], int],
    now: Now | None,
    of_base: Callable[[Base], int],
    base: Base | None,
    *,
    unit: Unit = Unit.FEN,
) -> Part:
    amount = None if now is None else of_now(now)
    return Part(name, unit, amount, None if base is None else of_base(base))
