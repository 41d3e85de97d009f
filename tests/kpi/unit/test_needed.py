from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from huaxiao.kpi.domain.goals import Goal
from huaxiao.kpi.domain.needed import Need, cash_needed, margin_needed, wage_needed
from huaxiao.shared.wire.forecasts import NeededAmount, NeededState
from huaxiao.shared.wire.kpi import Comparison

MARGIN = Goal(Decimal("0.82"), Comparison.AT_LEAST)
CASH = Goal(Decimal("0.10"), Comparison.AT_LEAST)
WAGE = Goal(Decimal("0.10"), Comparison.MORE_THAN)
GOALS = st.builds(
    Goal,
    st.decimals("-0.5", "0.95", places=3, allow_nan=False),
    st.sampled_from([Comparison.AT_LEAST, Comparison.MORE_THAN]),
)
FEN = st.integers(0, 10**12)
MONTHS = st.integers(1, 11)


def by_amount(needs: tuple[Need, ...]) -> dict[NeededAmount, Need]:
    return {one.amount: one for one in needs}


@given(FEN, FEN, GOALS, MONTHS, MONTHS)
def test_the_revenue_and_cost_needed_are_the_very_boundary(
    revenue: int, cost: int, goal: Goal, done: int, left: int
) -> None:
    found = by_amount(margin_needed(revenue, cost, goal, done=done, left=left).needs)

    def met(more: int, spent: int) -> bool:
        # In parts of ``done``, so that all is whole.
        total = (revenue + more) * done
        return total > 0 and goal.met_by(total - spent, total)

    at_pace = cost * done + cost * left
    needed = found[NeededAmount.REVENUE].needed
    assert met(needed, at_pace)
    assert not met(needed - 1, at_pace)
    ahead = revenue * done + revenue * left
    most = found[NeededAmount.MARKET_COST].needed
    if ahead > 0:
        assert goal.met_by(ahead - (cost + most) * done, ahead)
        assert not goal.met_by(ahead - (cost + most + 1) * done, ahead)


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**12), GOALS, MONTHS, MONTHS)
def test_the_cash_needed_is_the_very_boundary(
    cash: int, base: int, goal: Goal, done: int, left: int
) -> None:
    (need,) = cash_needed(cash, base, goal, done=done, left=left).needs

    assert goal.met_by(cash + need.needed - base, base)
    assert not goal.met_by(cash + need.needed - 1 - base, base)


@given(FEN, st.integers(1, 900), st.integers(1, 10**12), st.integers(1, 900), GOALS, MONTHS, MONTHS)
def test_the_pay_needed_is_the_very_boundary(
    pay: int, halves: int, before: int, heads: int, goal: Goal, done: int, left: int
) -> None:
    outcome = wage_needed(pay, halves, before, heads, goal, done=done, left=left)

    def met(more: int) -> bool:
        year = before * halves * (done + left)
        return goal.met_by((pay + more) * heads * done - year, year)

    needed = by_amount(outcome.needs)[NeededAmount.PAY].needed
    assert met(needed)
    assert not met(needed - 1)
    assert outcome.state is (NeededState.SAFE if met(0) else NeededState.OPEN)


def test_what_is_safe_or_lost_already_is_told() -> None:
    def margin(revenue: int, cost: int, *, left: int = 2) -> NeededState:
        return margin_needed(revenue, cost, MARGIN, done=10, left=left).state

    assert margin(1000, 100) is NeededState.SAFE
    assert margin(1000, 170) is NeededState.OPEN
    # Of 1,200 at the end no more than 216 may be cost.
    assert margin(1000, 216) is NeededState.OPEN
    assert margin(1000, 217) is NeededState.LOST
    assert margin(1000, 180, left=0) is NeededState.MET
    assert margin(1000, 181, left=0) is NeededState.MISSED
    assert cash_needed(110, 100, CASH, done=6, left=6).state is NeededState.SAFE
    assert cash_needed(109, 100, CASH, done=12, left=0).state is NeededState.MISSED
    exact = wage_needed(792, 24, 720, 24, WAGE, done=12, left=0)
    assert exact.state is NeededState.MISSED


def test_ten_per_cent_more_pay_than_the_base_is_told_for_each_head_and_month() -> None:
    # 2 heads, 6 of 12 months at 100 a head; the base paid 100 a head all year.
    outcome = wage_needed(1200, 24, 2400, 48, WAGE, done=6, left=6)

    needs = by_amount(outcome.needs)
    assert needs[NeededAmount.PAY].needed == 2640 + 1 - 1200
    assert needs[NeededAmount.PAY_PER_HEAD].needed == 121
    assert needs[NeededAmount.PAY_PER_HEAD].present == 100
