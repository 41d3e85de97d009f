"""What centres left undone, given to neighbours who have room: a second pass over a county's day.

Each centre plans its own day first. What is urgent and found nobody is then tried in the days of all
centres as they are planned; nothing that is planned goes to somebody else.
"""

from collections.abc import Iterable

from huaxiao.dispatch.domain.planning.changing import with_cheapest
from huaxiao.dispatch.domain.planning.model import Plan, Problem
from huaxiao.dispatch.domain.planning.timing import begins_of, explained, plan_of, sequences_of


def together(problem: Problem, plans: Iterable[Plan]) -> Plan:
    """Return several centres' plans as one of the problem that has all their people and orders."""
    sequences: dict[str, list[str | None]] = {}
    begins: dict[str, int] = {}
    for one in plans:
        sequences |= {
            who: [name for name in sequence if name is None or name in problem.order]
            for who, sequence in sequences_of(one).items()
        }
        begins |= begins_of(one)
    return plan_of(problem, sequences, begins=begins)


def help_out(problem: Problem, plan: Plan, urgent: frozenset[str]) -> Plan:
    """Return the plan with urgent orders that were left out put where they cost least, if anywhere.

    The dearest to leave out come first.
    """
    waiting = [one.id for one in problem.orders if one.id in urgent and one.id not in plan.visits]
    return explained(problem, with_cheapest(problem, plan, waiting))
