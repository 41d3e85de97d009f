from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.kpi.domain.definitions import TARGETS
from huaxiao.kpi.domain.figures import Base, Payroll
from huaxiao.kpi.domain.targets import (
    Cause,
    Judgement,
    Known,
    all_goals_met,
    average_wage_growth,
    cash_flow_growth,
    judge,
    market_gross_margin,
)
from huaxiao.shared.books import Books
from huaxiao.shared.wire.kpi import Comparison, ReasonCode, Verdict

WAN = 1_000_000
"""Ten thousand yuan (万元) in fen."""


def base(**given: int) -> Base:
    zero = dict.fromkeys(Base.__dataclass_fields__, 0)
    return Base(**(zero | given))


def margin(revenue_fen: int, market_cost_fen: int) -> Judgement:
    held = Books(revenue_fen=revenue_fen, market_cost_fen=market_cost_fen)
    return market_gross_margin(Known(held, None, None))


def cash(before_fen: int, now_fen: int) -> Judgement:
    known = Known(
        Books(cash_in_fen=max(now_fen, 0), cash_out_fen=max(-now_fen, 0)),
        Payroll(0, 0),
        base(cash_in_fen=max(before_fen, 0), cash_out_fen=max(-before_fen, 0)),
    )
    return cash_flow_growth(known)


def wage(before_fen: int, now_fen: int, heads_before: int = 2, heads_now: int = 2) -> Judgement:
    known = Known(
        None,
        Payroll(now_fen, heads_now),
        base(pay_fen=before_fen, half_person_months=heads_before),
    )
    return average_wage_growth(known)


@pytest.mark.parametrize(
    ("judgement", "verdict", "display"),
    [
        (margin(3000 * WAN, 540 * WAN), Verdict.PASS, "82.00 %"),
        (margin(3000 * WAN, 54001 * WAN // 100), Verdict.FAIL, "81.9997 %"),
        (cash(1150 * WAN, 1265 * WAN), Verdict.PASS, "10.00 %"),
        (cash(1150 * WAN, 126_499 * WAN // 100), Verdict.FAIL, "9.999 %"),
        (wage(72_000, 79_200), Verdict.FAIL, "10.00 %"),
        (wage(72_000, 79_201), Verdict.PASS, "10.001 %"),
    ],
)
def test_the_vectors_of_the_domain(judgement: Judgement, verdict: Verdict, display: str) -> None:
    assert (judgement.verdict, judgement.display) == (verdict, display)


def test_the_margin_of_the_planned_year_is_met_while_two_centres_miss_theirs() -> None:
    year = {
        "C1": (98_000, 17_150),
        "C2": (76_000, 14_440),
        "C3": (59_000, 12_980),
        "G1": (62_000, 7_440),
        "C0": (5_000, 790),
    }
    shown = {one: margin(*figures).display for one, figures in year.items()}
    assert shown == {
        "C1": "82.50 %", "C2": "81.00 %", "C3": "78.00 %", "G1": "88.00 %", "C0": "84.20 %",
    }  # fmt: skip
    revenue, cost = (sum(column) for column in zip(*year.values(), strict=True))
    assert (margin(revenue, cost).verdict, margin(revenue, cost).display) == ("pass", "82.40 %")


@pytest.mark.parametrize(
    ("judgement", "code"),
    [
        (margin(0, 0), ReasonCode.NO_REVENUE),
        (margin(-1, 5), ReasonCode.NO_REVENUE),
        (cash(0, 100), ReasonCode.BASE_NOT_POSITIVE),
        (cash(-100, 100), ReasonCode.BASE_NOT_POSITIVE),
        (wage(0, 100), ReasonCode.BASE_NOT_POSITIVE),
        (wage(100, 100, heads_before=0), ReasonCode.BASE_NOT_POSITIVE),
        (wage(100, 100, heads_now=0), ReasonCode.NO_STAFF),
    ],
)
def test_a_ratio_that_has_no_meaning_is_not_computed(
    judgement: Judgement, code: ReasonCode
) -> None:
    assert (judgement.verdict, judgement.display) == (Verdict.NOT_COMPUTABLE, None)
    assert [one.code for one in judgement.causes] == [code]


def test_what_is_not_known_is_never_taken_for_zero() -> None:
    causes = tuple(
        Cause(code)
        for code in (ReasonCode.NO_BOOKS, ReasonCode.PAYROLL_MISSING, ReasonCode.NO_BASE)
    )
    judgements = judge(Known(None, None, None, causes))

    assert {one.verdict for one in judgements} == {Verdict.NOT_COMPUTABLE}
    assert [[cause.code for cause in one.causes] for one in judgements] == [
        [ReasonCode.NO_BOOKS],
        [ReasonCode.NO_BOOKS, ReasonCode.PAYROLL_MISSING, ReasonCode.NO_BASE],
        [ReasonCode.PAYROLL_MISSING, ReasonCode.NO_BASE],
    ]
    assert {part.amount for one in judgements for part in one.parts} == {None}
    assert not all_goals_met(judgements)


def test_all_goals_are_met_by_three_passes_and_nothing_less() -> None:
    held = Books(revenue_fen=1000, market_cost_fen=100, cash_in_fen=1250)
    before = base(cash_in_fen=1000, pay_fen=100, half_person_months=2)
    met = judge(Known(held, Payroll(150, 2), before))
    missed = judge(Known(held, Payroll(110, 2), before))

    assert [one.verdict for one in met] == ["pass", "pass", "pass"]
    assert all_goals_met(met)
    assert [one.verdict for one in missed] == ["pass", "pass", "fail"]
    assert not all_goals_met(missed)


def test_pay_leaves_the_net_cash_and_the_bases_net_holds_it_already() -> None:
    held = Books(cash_in_fen=3000, cash_out_fen=400)
    before = base(cash_in_fen=2000, cash_out_fen=900, pay_fen=500, half_person_months=2)
    judgement = cash_flow_growth(Known(held, Payroll(600, 2), before))

    parts = {part.name: (part.amount, part.base_amount) for part in judgement.parts}
    assert parts["net_cash"] == (2000, 1100)
    assert parts["cash_out"] == (400, 400)
    assert parts["pay"] == (600, 500)
    assert judgement.ratio == (900, 1100)


AMOUNT = st.integers(-(10**15), 10**15)
POSITIVE = st.integers(1, 10**15)


def near_goal(draw: st.DrawFn) -> tuple[int, int]:
    """Draw a pair that stands within a few fen of a goal, where rounding misleads."""
    before = draw(st.integers(1, 10**13))
    return before, before * 11 // 10 + draw(st.integers(-3, 3))


pairs = st.one_of(st.tuples(POSITIVE, AMOUNT), st.composite(near_goal)())


@given(POSITIVE, AMOUNT)
def test_the_margins_verdict_is_that_of_exact_fractions(revenue: int, cost: int) -> None:
    judgement = margin(revenue, cost)
    assert judgement.verdict == (
        "pass" if Fraction(revenue - cost, revenue) >= Fraction(82, 100) else "fail"
    )


@given(pairs)
def test_the_cash_flows_verdict_is_that_of_exact_fractions(pair: tuple[int, int]) -> None:
    before, now = pair
    growth = Fraction(now, before) - 1
    assert cash(before, now).verdict == ("pass" if growth >= Fraction(1, 10) else "fail")


@given(pairs, st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_wages_verdict_is_that_of_exact_fractions(
    pair: tuple[int, int], heads_before: int, heads_now: int
) -> None:
    before, now = pair
    growth = Fraction(now, heads_now) / Fraction(before, heads_before) - 1
    judgement = wage(before, now, heads_before, heads_now)
    assert judgement.verdict == ("pass" if growth > Fraction(1, 10) else "fail")


@given(st.sampled_from(["margin", "cash", "wage"]), pairs, POSITIVE)
def test_what_is_shown_never_contradicts_the_verdict(
    which: str, pair: tuple[int, int], heads: int
) -> None:
    before, now = pair
    judgement = {
        "margin": margin(before, now),
        "cash": cash(before, now),
        "wage": wage(before, now, heads, heads),
    }[which]
    assert judgement.display is not None
    assert judgement.ratio is not None
    number = judgement.display.removesuffix(" %")
    shown, decimals = Fraction(number), len(number.partition(".")[2])
    goal = Fraction(judgement.rule.goal.ratio) * 100
    at_least = judgement.rule.goal.comparison is Comparison.AT_LEAST
    reads_as = shown >= goal if at_least else shown > goal
    assert reads_as == (judgement.verdict is Verdict.PASS)
    assert decimals >= 2
    assert abs(shown - Fraction(*judgement.ratio) * 100) <= Fraction(1, 2 * 10**decimals)


def test_the_goals_are_those_of_the_plan() -> None:
    assert [(str(one.goal.ratio), one.goal.comparison, one.source) for one in TARGETS] == [
        ("0.82", "at_least", "R2"),
        ("0.10", "at_least", "R3"),
        ("0.10", "more_than", "R4"),
    ]
