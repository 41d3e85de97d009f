"""What the months that are left must come to so that a target is still met: exact arithmetic."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from huaxiao.kpi.domain.goals import Goal
from huaxiao.shared.wire.forecasts import NeededAmount, NeededState
from huaxiao.shared.wire.kpi import Comparison

_HALVES = 2


@dataclass(frozen=True, slots=True)
class Need:
    """An amount needed in the months that are left, and what it would be at the present pace."""

    amount: NeededAmount
    needed: int
    present: Fraction


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a target stands for the rest of the year, and what it needs."""

    state: NeededState
    needs: tuple[Need, ...] = ()


def margin_needed(
    revenue_fen: int, market_cost_fen: int, goal: Goal, *, done: int, left: int
) -> Outcome:
    """Return what revenue and market cost the months that are left must come to.

    ``(R - C) / R`` meets the goal ``g`` when C is no more than ``(1 - g) R``: safe when no more
    revenue is needed at the present cost, lost when at the present revenue no cost at all is left.
    """
    if left == 0:
        met = revenue_fen > 0 and goal.met_by(revenue_fen - market_cost_fen, revenue_fen)
        return _over(met=met)
    rest = 1 - Fraction(goal.ratio)
    revenue_ahead, cost_ahead = (
        Fraction(one * left, done) for one in (revenue_fen, market_cost_fen)
    )
    cost = _most(rest * (revenue_fen + revenue_ahead) - market_cost_fen, goal)
    needs = [Need(NeededAmount.MARKET_COST, cost, cost_ahead)]
    revenue = 0
    if rest > 0:
        # A margin is of some revenue: one fen there must be, whatever the cost.
        wanted = (market_cost_fen + cost_ahead) / rest
        revenue = max(_least(wanted, goal), 1) - revenue_fen
        needs.insert(0, Need(NeededAmount.REVENUE, revenue, revenue_ahead))
    if cost < 0:
        return Outcome(NeededState.LOST, tuple(needs))
    safe = rest > 0 and revenue <= 0
    return Outcome(NeededState.SAFE if safe else NeededState.OPEN, tuple(needs))


def cash_needed(net_cash_fen: int, base_fen: int, goal: Goal, *, done: int, left: int) -> Outcome:
    """Return what net cash the months that are left must bring; the year's base is above zero."""
    if left == 0:
        return _over(met=goal.met_by(net_cash_fen - base_fen, base_fen))
    needed = _least((1 + Fraction(goal.ratio)) * base_fen, goal) - net_cash_fen
    need = Need(NeededAmount.NET_CASH, needed, Fraction(net_cash_fen * left, done))
    return Outcome(NeededState.SAFE if needed <= 0 else NeededState.OPEN, (need,))


def wage_needed(
    pay_fen: int,
    halves: int,
    base_pay_fen: int,
    base_halves: int,
    goal: Goal,
    *,
    done: int,
    left: int,
) -> Outcome:
    """Return what pay the months that are left must bring at the present heads.

    Heads are counted at months' starts and ends, above zero now and in the base, as is its pay.
    """
    if left == 0:
        now, before = pay_fen * base_halves, base_pay_fen * halves
        return _over(met=goal.met_by(now - before, before))
    ahead = Fraction(halves * left, done)
    wanted = (1 + Fraction(goal.ratio)) * base_pay_fen * (halves + ahead) / base_halves
    needed = _least(wanted, goal) - pay_fen
    present = Fraction(pay_fen * left, done)
    heads = ahead / _HALVES
    return Outcome(
        NeededState.SAFE if needed <= 0 else NeededState.OPEN,
        (
            Need(NeededAmount.PAY, needed, present),
            Need(NeededAmount.PAY_PER_HEAD, math.ceil(needed / heads), present / heads),
        ),
    )


def _over(*, met: bool) -> Outcome:
    return Outcome(NeededState.MET if met else NeededState.MISSED)


def _least(bound: Fraction, goal: Goal) -> int:
    """Return the least whole number that is at least, or more than, the bound."""
    return _by(goal, bound, math.ceil, lambda one: math.floor(one) + 1)


def _most(bound: Fraction, goal: Goal) -> int:
    """Return the greatest whole number that is at most, or less than, the bound."""
    return _by(goal, bound, math.floor, lambda one: math.ceil(one) - 1)


def _by(
    goal: Goal,
    bound: Fraction,
    included: Callable[[Fraction], int],
    excluded: Callable[[Fraction], int],
) -> int:
    return (included if goal.comparison is Comparison.AT_LEAST else excluded)(bound)
