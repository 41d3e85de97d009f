"""Whether a plan may be carried out, and costs what it says: worked out apart from the search.

This shares nothing with the engine but the values of ``model``. It walks every route as an engineer
would, and says in words what is wrong.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields

from huaxiao.dispatch.domain.planning.model import (
    Engineer,
    Order,
    Plan,
    Problem,
    Route,
    Started,
    Stop,
)
from huaxiao.dispatch.domain.planning.travel import Place


def check(problem: Problem, plan: Plan) -> tuple[str, ...]:
    """Return everything that is wrong with a plan; nothing, if it is right."""
    return tuple(_complaints(problem, plan))


def _complaints(problem: Problem, plan: Plan) -> Iterator[str]:
    if sorted(one.engineer_id for one in plan.routes) != sorted(
        one.id for one in problem.engineers
    ):
        yield "not one route for each engineer"
        return
    yield from _shared_out(problem, plan)
    for route in plan.routes:
        yield from _day(problem, problem.engineer[route.engineer_id], route)
    yield from _sums(problem, plan)


def _who_and_when(plan: Plan, order: Order) -> list[tuple[str, Stop]]:
    return [
        (route.engineer_id, stop)
        for route in plan.routes
        for stop in route.stops
        if stop.order_id == order.id
    ]


def _shared_out(problem: Problem, plan: Plan) -> Iterator[str]:
    """Every order once, by the right number of the right people at the right time."""
    names = {one.id for one in problem.orders}
    for route in plan.routes:
        for stop in route.stops:
            if stop.order_id is not None and stop.order_id not in names:
                yield f"{stop.order_id} is no order"
    out = [one.order_id for one in plan.left_out]
    for order in problem.orders:
        visits = _who_and_when(plan, order)
        if bool(visits) == (order.id in out):
            yield f"{order.id} is both planned and left out, or neither"
        if order.started is not None:
            yield from _as_begun(problem, order, order.started, visits)
        elif visits:
            yield from _done_well(problem, order, visits)


def _as_begun(
    problem: Problem, order: Order, started: Started, visits: list[tuple[str, Stop]]
) -> Iterator[str]:
    told = set(started.engineers) & {one.id for one in problem.engineers}
    if {who for who, _ in visits} != told or any(stop.start != started.at for _, stop in visits):
        yield f"{order.id} has started otherwise"


def _done_well(problem: Problem, order: Order, visits: list[tuple[str, Stop]]) -> Iterator[str]:
    people = {who for who, _ in visits}
    if len(visits) != order.crew or len(people) != order.crew:
        yield f"{order.id} has not its crew of {order.crew}"
    if len({stop.start for _, stop in visits}) > 1:
        yield f"{order.id}: the crew does not begin together"
    for who in people:
        yield from _may_do(problem.engineer[who], order)
    for _, stop in visits:
        yield from _at_the_right_time(problem, order, stop)


def _may_do(engineer: Engineer, order: Order) -> Iterator[str]:
    if order.skills - engineer.skills:
        yield f"{engineer.id} has not the skills for {order.id}"
    if engineer.id in order.forbidden:
        yield f"{engineer.id} may not do {order.id}"
    if order.pinned_to is not None and order.pinned_to != engineer.id:
        yield f"{order.id} is pinned to {order.pinned_to}"


def _at_the_right_time(problem: Problem, order: Order, stop: Stop) -> Iterator[str]:
    if stop.end - stop.start != order.minutes:
        yield f"{order.id} does not take its time"
    if stop.start < problem.now:
        yield f"{order.id} begins in the past"
    if order.windows and not any(one.opens <= stop.start <= one.closes for one in order.windows):
        yield f"{order.id} begins outside its windows"
    if order.deadline is not None and order.deadline_is_hard and stop.start > order.deadline:
        yield f"{order.id} begins after its deadline"


def _day(problem: Problem, engineer: Engineer, route: Route) -> Iterator[str]:
    """From start to home: what has started, then ways, waiting, work and breaks, then the vehicle."""
    place, free = engineer.start, max(engineer.shift.opens, problem.now)
    begun = [one for one in route.stops if _began(problem, one)]
    if list(route.stops[: len(begun)]) != begun:
        yield f"{engineer.id}: what has started does not come first"
    for stop in begun:
        yield from _way(problem, engineer, place, stop)
        place, free = _place_of(problem, stop, place), max(free, stop.end)
    first_place, first_free = place, free
    for stop in route.stops[len(begun) :]:
        yield from _way(problem, engineer, place, stop)
        if stop.arrival < free + stop.travel or stop.start < max(stop.arrival, free):
            yield f"{engineer.id} cannot begin at {stop.start}"
        place, free = _place_of(problem, stop, place), stop.end
    back = _way_home(problem, engineer, place)
    if route.travel_home != back:
        yield f"{engineer.id}: the way home is not what it takes"
    owed = _breaks_owed(engineer, first_free)
    rests = [one for one in route.stops if one.order_id is None]
    if len(rests) != len(owed) or not _matches(rests, owed):
        yield f"{engineer.id}: breaks are not as they should be"
    least = _after(owed, first_free) + _way_home(problem, engineer, first_place)
    if free + back > max(engineer.shift.closes, least):
        yield f"{engineer.id} works beyond the shift"
    carried = sum(problem.order[one].units for one in route.order_ids)
    too_much = engineer.capacity is not None and carried > engineer.capacity
    if too_much and len(begun) < len(route.order_ids):
        yield f"{engineer.id} has no room for the material"


def _way(problem: Problem, engineer: Engineer, place: Place, stop: Stop) -> Iterator[str]:
    if stop.travel != problem.travel.minutes(place, _place_of(problem, stop, place)):
        yield f"{engineer.id}: the way to {stop.order_id} is not what it takes"


def _place_of(problem: Problem, stop: Stop, place: Place) -> Place:
    """Return where a stop is; a break is where the engineer is anyway."""
    return place if stop.order_id is None else problem.order[stop.order_id].place


def _way_home(problem: Problem, engineer: Engineer, place: Place) -> int:
    return 0 if engineer.home is None else problem.travel.minutes(place, engineer.home)


def _began(problem: Problem, stop: Stop) -> bool:
    return stop.order_id is not None and problem.order[stop.order_id].started is not None


def _breaks_owed(engineer: Engineer, free: int) -> list[tuple[int, int, int]]:
    """Return the breaks ahead that can be had one after another before the shift ends."""
    owed = []
    for one in sorted(engineer.breaks, key=lambda rest: (rest.window, rest.minutes)):
        begins = max(free, one.window.opens)
        if one.window.closes >= begins and begins + one.minutes <= engineer.shift.closes:
            owed.append((one.window.opens, one.window.closes, one.minutes))
            free = begins + one.minutes
    return owed


def _after(owed: list[tuple[int, int, int]], free: int) -> int:
    for opens, _, minutes in owed:
        free = max(free, opens) + minutes
    return free


def _matches(rests: list[Stop], owed: list[tuple[int, int, int]]) -> bool:
    """Say whether every break owed is one of those had; there are few."""
    if not owed:
        return True
    opens, closes, minutes = owed[0]
    return any(
        opens <= one.start <= closes
        and one.end - one.start == minutes
        and _matches([*rests[:at], *rests[at + 1 :]], owed[1:])
        for at, one in enumerate(rests)
    )


def _sums(problem: Problem, plan: Plan) -> Iterator[str]:
    """Add the cost up again from the prices."""
    prices = problem.prices
    ways = sum(sum(stop.travel for stop in one.stops) + one.travel_home for one in plan.routes)
    unfair = 0
    for route in plan.routes:
        minutes = sum(one.end - one.start for one in route.stops if one.order_id is not None)
        unfair += prices.unfair * minutes**2 // 3600
    found = Counter(travel=prices.travel * ways, unfairness=unfair)
    for order in problem.orders:
        visits = _who_and_when(plan, order)
        found.update(_terms(problem, order, visits) if visits else _terms_left_out(problem, order))
    for term in fields(plan.cost):
        if getattr(plan.cost, term.name) != found[term.name]:
            yield f"{term.name} is {found[term.name]}, not {getattr(plan.cost, term.name)}"
    if plan.cost.total != found.total():
        yield f"the cost is {found.total()}, not {plan.cost.total}"


def _terms_left_out(problem: Problem, order: Order) -> dict[str, int]:
    prices = problem.prices
    return {
        "left_out": prices.left_out[order.priority - 1]
        + (prices.pinned_left_out if order.pinned_to else 0),
        "promises": prices.promise_broken[order.priority - 1] if order.promise else 0,
    }


def _terms(problem: Problem, order: Order, visits: list[tuple[str, Stop]]) -> dict[str, int]:
    prices, start = problem.prices, visits[0][1].start
    late = promises = foreign = 0
    if order.deadline is not None and not order.deadline_is_hard and start > order.deadline:
        late = prices.late * (start - order.deadline)
    if order.promise is not None:
        others = [who for who, _ in visits if who not in order.promise.engineers]
        promises = prices.engineer_changed * len(others)
        if not order.promise.window.opens <= start <= order.promise.window.closes:
            promises += prices.promise_broken[order.priority - 1]
    if order.centre is not None:
        strangers = [who for who, _ in visits if problem.engineer[who].centre != order.centre]
        foreign = prices.other_centre * len(strangers)
    return {"late": late, "promises": promises, "other_centre": foreign}
