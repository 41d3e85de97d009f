"""Change a plan by hand: put an order to somebody, or take it out, and say what that costs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from huaxiao.dispatch.domain.planning.model import Order, Plan, Problem, Route
from huaxiao.dispatch.domain.planning.placing import (
    Choice,
    Placement,
    place,
    price_of_leaving_out,
)
from huaxiao.dispatch.domain.planning.timing import begins_of, explained, plan_of, sequences_of
from huaxiao.dispatch.domain.planning.windows import freedom_of, windows_of


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
    rest, late = _in_time(wanted, without(wanted, plan, order_id, reasons=False))
    found = place(wanted, rest, pinned)
    if not found.choices:
        return found
    made = with_choice(wanted, rest, pinned, found.choices[0], reasons=False)
    return Changed(wanted, explained(wanted, with_cheapest(wanted, made, late)))


def leave_out(problem: Problem, plan: Plan, order_id: str) -> Changed:
    """Return the plan with nobody doing an order, whoever was to."""
    order = problem.order[order_id]
    nobody = replace(
        order, pinned_to=None, forbidden=frozenset(one.id for one in problem.engineers)
    )
    wanted = _with_order(problem, nobody)
    rest, late = _in_time(wanted, without(wanted, plan, order_id, reasons=False))
    return Changed(wanted, explained(wanted, with_cheapest(wanted, rest, late)))


def with_cheapest(problem: Problem, plan: Plan, order_ids: Iterable[str]) -> Plan:
    """Return the plan with orders that nobody does put where they cost least, if they are worth it.

    The dearest to leave out come first. Reasons for those still left out are not looked for.
    """
    orders = [problem.order[one] for one in order_ids]
    for order in sorted(orders, key=lambda one: (-price_of_leaving_out(problem, one), one.id)):
        choice = place(problem, plan, order).best
        if choice is not None:
            plan = with_choice(problem, plan, order, choice, reasons=False)
    return plan


def _in_time(problem: Problem, plan: Plan) -> tuple[Plan, list[str]]:
    """Return the plan without the visits that come too late, and which those were.

    A visit less can make the next ones late: where the way past it was shorter than the direct one,
    or where a break was waited for at its place, from which the rest was near.
    """
    gone: list[str] = []
    while late := next(filter(None, (_late(problem, one) for one in plan.routes)), None):
        gone.append(late)
        plan = without(problem, plan, late, reasons=False)
    return plan, gone


def _late(problem: Problem, route: Route) -> str | None:
    """Return the first visit that begins too late, or the last of a day too long or short of a break."""
    ahead = [
        (stop, problem.order[stop.order_id])
        for stop in route.stops
        if stop.order_id is not None and problem.order[stop.order_id].started is None
    ]
    for stop, order in ahead:
        if not any(one.opens <= stop.start <= one.closes for one in windows_of(order)):
            return order.id
    freedom = freedom_of(problem, problem.engineer[route.engineer_id])
    rests = sum(stop.order_id is None for stop in route.stops)
    ends = route.stops[-1].end + route.travel_home if route.stops else freedom.at
    too_much = ends > freedom.closes or rests < len(freedom.breaks)
    return ahead[-1][1].id if ahead and too_much else None


def _with_order(problem: Problem, order: Order) -> Problem:
    orders = tuple(order if one.id == order.id else one for one in problem.orders)
    return replace(problem, orders=orders)
