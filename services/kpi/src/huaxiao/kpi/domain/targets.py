"""The judgement: three targets from whole numbers (R2, R3, R4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from huaxiao.kpi.domain.definitions import TARGETS, TargetRule
from huaxiao.kpi.domain.figures import Base, Payroll
from huaxiao.kpi.domain.goals import percent
from huaxiao.shared.books import Books
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.kpi import ReasonCode, TargetName, Unit, Verdict

Now = TypeVar("Now", Books, Payroll)
_RULES = {rule.target: rule for rule in TARGETS}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a target cannot be computed, and in which months if it is not the whole span."""

    code: ReasonCode
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """An integer a target was computed from; None is not known."""

    name: str
    unit: Unit
    amount: int | None
    base_amount: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a county or centre over a span. None is not known, and a cause says why."""

    books: Books | None
    payroll: Payroll | None
    base: Base | None
    causes: tuple[Cause, ...] = field(default=())


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
    rule = _RULES[TargetName.MARKET_GROSS_MARGIN]
    held, base = known.books, known.base
    parts = (
        _part("revenue", _revenue, held, _revenue, base),
        _part("market_cost", _market_cost, held, _market_cost, base),
    )
    if held is None:
        return Judgement(rule, parts, causes=_of(known, ReasonCode.NO_BOOKS))
    if held.revenue_fen <= 0:
        return Judgement(rule, parts, causes=(Cause(ReasonCode.NO_REVENUE),))
    return Judgement(rule, parts, (held.revenue_fen - held.market_cost_fen, held.revenue_fen))


def cash_flow_growth(known: Known) -> Judgement:
    """Judge net cash against the year before, at least 10 % more (R3)."""
    rule = _RULES[TargetName.CASH_FLOW_GROWTH]
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
    if net is None or base_net is None:
        return Judgement(
            rule,
            parts,
            causes=_of(
                known,
                ReasonCode.NO_BOOKS,
                ReasonCode.PAYROLL_MISSING,
                ReasonCode.NO_BASE,
                ReasonCode.BASE_INCOMPLETE,
            ),
        )
    if base_net <= 0:
        return Judgement(rule, parts, causes=(Cause(ReasonCode.BASE_NOT_POSITIVE),))
    return Judgement(rule, parts, (net - base_net, base_net))


def average_wage_growth(known: Known) -> Judgement:
    """Judge pay a head against the year before, more than 10 % more (R4).

    With the same months on both sides their number cancels out: W1 / W0 is
    pay1 x heads0 over pay0 x heads1.
    """
    rule = _RULES[TargetName.AVERAGE_WAGE_GROWTH]
    paid, base = known.payroll, known.base
    heads = _part("headcount", _heads, paid, _heads, base, unit=Unit.HALF_PERSON_MONTHS)
    parts = (_part("pay", _pay, paid, _pay, base), heads)
    if paid is None or base is None:
        return Judgement(
            rule,
            parts,
            causes=_of(
                known, ReasonCode.PAYROLL_MISSING, ReasonCode.NO_BASE, ReasonCode.BASE_INCOMPLETE
            ),
        )
    causes = []
    if paid.half_person_months <= 0:
        causes.append(Cause(ReasonCode.NO_STAFF))
    if base.pay_fen <= 0 or base.half_person_months <= 0:
        causes.append(Cause(ReasonCode.BASE_NOT_POSITIVE))
    if causes:
        return Judgement(rule, parts, causes=tuple(causes))
    now = paid.pay_fen * base.half_person_months
    before = base.pay_fen * paid.half_person_months
    return Judgement(rule, parts, (now - before, before))


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


def _of(known: Known, *codes: ReasonCode) -> tuple[Cause, ...]:
    return tuple(cause for cause in known.causes if cause.code in codes)
