"""Change a plan by hand: put an order to somebody, or take it out, and say what that costs."""

from dataclasses import dataclass, replace

from huaxiao.dispatch.domain.planning.model import Order, Plan, Problem
from huaxiao.dispatch.domain.planning.placing import Choice, Placement, place
from huaxiao.dispatch.domain.planning.timing import begins_of, plan_of, sequences_of


@dataclass(frozen=True)
class Changed:
    """A plan that somebody changed, and the problem that it is a plan of by now."""

    problem: Problem
    plan: Plan


def with_choice(
    problem: Problem, plan: Plan, order: Order, choice: Choice, *, reasons: bool = True
) -> Plan:
    """Return the plan with an order put where a choice says; the order is one of the problem."""
    sequences = sequences_of(plan)
    for who, position in zip(choice.engineers, choice.position, strict=True):
        sequences.setdefault(who, []).insert(position, order.id)
    begins = begins_of(plan) | {order.id: choice.start}
    return plan_of(problem, sequences, begins=begins, reasons=reasons)


def without(problem: Problem, plan: Plan, order_id: str, *, reasons: bool = True) -> Plan:
    """Return the plan with nobody doing an order."""
    sequences = {
        who: [name for name in sequence if name != order_id]
        for who, sequence in sequences_of(plan).items()
    }
    return plan_of(problem, sequences, begins=begins_of(plan), reasons=reasons)


def put_to(problem: Problem, plan: Plan, order_id: str, engineer_id: str) -> Changed | Placement:
    """Return the plan with an order put to somebody, and pinned to them from now on.

    Where it does not fit into their day, the placement says what is in the way.
    """
    pinned = replace(problem.order[order_id], pinned_to=engineer_id)
    wanted = _with_order(problem, pinned)
    rest = without(wanted, plan, order_id, reasons=False)
    found = place(wanted, rest, pinned)
    if not found.choices:
        return found
    return Changed(wanted, with_choice(wanted, rest, pinned, found.choices[0]))


def leave_out(problem: Problem, plan: Plan, order_id: str) -> Changed:
    """Return the plan with nobody doing an order, whoever was to."""
    order = problem.order[order_id]
    nobody = replace(
        order, pinned_to=None, forbidden=frozenset(one.id for one in problem.engineers)
    )
    wanted = _with_order(problem, nobody)
    return Changed(wanted, without(wanted, plan, order_id))


def _with_order(problem: Problem, order: Order) -> Problem:
    orders = tuple(order if one.id == order.id else one for one in problem.orders)
    return replace(problem, orders=orders)
