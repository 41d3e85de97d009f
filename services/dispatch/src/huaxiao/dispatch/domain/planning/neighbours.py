"""What centres left undone, given to neighbours who have room: a second pass over a county's day.

Each centre plans its own day first. What is urgent and found nobody is then tried in the days of all
centres as they are planned; nothing that is planned moves to somebody else.
"""

from collections.abc import Sequence
from dataclasses import replace

from huaxiao.dispatch.domain.planning.changing import Changed, with_choice
from huaxiao.dispatch.domain.planning.model import Plan, Problem
from huaxiao.dispatch.domain.planning.placing import place, price_of_leaving_out
from huaxiao.dispatch.domain.planning.timing import begins_of, plan_of, sequences_of


def joined(days: Sequence[Changed]) -> Changed:
    """Return several centres' days as one; prices, travel times and the hour are the first's."""
    first = days[0].problem
    prices = replace(
        first.prices,
        left_out=tuple(price for one in days for price in one.problem.prices.left_out),
        promise_broken=tuple(price for one in days for price in one.problem.prices.promise_broken),
    )
    orders = []
    behind = 0
    for one in days:
        orders += [replace(order, priority=order.priority + behind) for order in one.problem.orders]
        behind += len(one.problem.prices.left_out)
    problem = replace(
        first,
        engineers=tuple(who for one in days for who in one.problem.engineers),
        orders=tuple(orders),
        prices=prices,
    )
    sequences: dict[str, list[str | None]] = {}
    begins: dict[str, int] = {}
    for one in days:
        sequences |= sequences_of(one.plan)
        begins |= begins_of(one.plan)
    return Changed(problem, plan_of(problem, sequences, begins=begins))


def help_out(problem: Problem, plan: Plan, urgent: frozenset[str]) -> Plan:
    """Return the plan with urgent orders that were left out put where they cost least, if anywhere.

    The dearest to leave out come first.
    """
    waiting = [one for one in problem.orders if one.id in urgent and one.id not in plan.visits]
    waiting.sort(key=lambda one: (-price_of_leaving_out(problem, one), one.id))
    for order in waiting:
        choice = place(problem, plan, order).best
        if choice is not None:
            plan = with_choice(problem, plan, order, choice)
    return plan
