"""What routes cost, term by term, as the search counts it."""

from collections.abc import Iterable, Mapping

from huaxiao.dispatch.domain.planning.model import Order, Problem, Route, Stop
from huaxiao.dispatch.domain.planning.prices import Cost
from huaxiao.dispatch.domain.planning.windows import soft_deadline


def cost_of(problem: Problem, routes: Iterable[Route]) -> Cost:
    """Return the cost of everybody's day, of an order that none of them has too."""
    prices = problem.prices
    travel = unfairness = 0
    visits: dict[str, list[tuple[str, Stop]]] = {}
    for route in routes:
        travel += route.travel_home
        worked = 0
        for stop in route.stops:
            travel += stop.travel
            if stop.order_id is not None:
                worked += stop.end - stop.start
                visits.setdefault(stop.order_id, []).append((route.engineer_id, stop))
        unfairness += prices.unfairness(worked)
    cost = Cost(travel=prices.travel * travel, unfairness=unfairness)
    for order in problem.orders:
        cost += _cost_of_order(problem, order, visits)
    return cost


def _cost_of_order(
    problem: Problem, order: Order, visits: Mapping[str, list[tuple[str, Stop]]]
) -> Cost:
    prices = problem.prices
    promise = order.promise
    broken = prices.promise_broken[order.priority - 1]
    if order.id not in visits:
        return Cost(
            left_out=prices.left_out[order.priority - 1]
            + (0 if order.pinned_to is None else prices.pinned_left_out),
            promises=0 if promise is None else broken,
        )
    start = visits[order.id][0][1].start
    people = [who for who, _ in visits[order.id]]
    promises = 0
    if promise is not None:
        kept = promise.window.opens <= start <= promise.window.closes
        changed = sum(one not in promise.engineers for one in people)
        promises = (0 if kept else broken) + prices.engineer_changed * changed
    foreign = 0
    if order.centre is not None:
        foreign = sum(problem.engineer[one].centre != order.centre for one in people)
    return Cost(
        late=prices.late * max(0, start - soft_deadline(order)),
        promises=promises,
        other_centre=prices.other_centre * foreign,
    )
