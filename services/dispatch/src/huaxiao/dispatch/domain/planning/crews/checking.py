"""Whether a plan of crews may be carried out, and costs what it says: apart from the search.

This shares nothing with the engine but the values of ``model``. It says in words what is wrong.
"""

from collections import Counter
from collections.abc import Iterator

from huaxiao.dispatch.domain.planning.crews.model import Crew, CrewPlan, CrewProblem, WorkOrder


def check_crews(problem: CrewProblem, plan: CrewPlan) -> tuple[str, ...]:
    """Return everything that is wrong with a plan; nothing, if it is right."""
    return tuple(_complaints(problem, plan))


def _complaints(problem: CrewProblem, plan: CrewPlan) -> Iterator[str]:
    known = {one.id for one in problem.orders}
    told = Counter(
        [
            *(task.order_id for crew in plan.crews for task in crew.tasks),
            *plan.outside,
            *(one.order_id for one in plan.not_planned),
        ]
    )
    for name in sorted(told.keys() | known):
        if name not in known:
            yield f"{name} is no order"
        elif told[name] != 1:
            yield f"{name} is told {told[name]} times"
    if not told.keys() <= known:
        return
    seen: set[tuple[int, str]] = set()
    for crew in plan.crews:
        yield from _crew(problem, crew)
        for name in crew.people:
            if (crew.day, name) in seen:
                yield f"{name} is in two crews on day {crew.day}"
            seen.add((crew.day, name))
    yield from _waiting(problem, plan)
    yield from _contracts(problem, plan)
    yield from _sums(problem, plan)


def _crew(problem: CrewProblem, crew: Crew) -> Iterator[str]:
    """Its people are at work, have the skills, and do one thing after another within the day."""
    if crew.day < 0 or (problem.days is not None and crew.day >= problem.days):
        yield f"there is no day {crew.day}"
    people = {one.id: one for one in problem.people}
    if not set(crew.people) <= people.keys() or len(set(crew.people)) < len(crew.people):
        yield f"a crew of day {crew.day} has somebody unknown, or twice"
        return
    for name in crew.people:
        if crew.day in people[name].days_off:
            yield f"{name} has day {crew.day} off"
    yield from _one_after_another(problem, crew)
    for task in crew.tasks:
        for need in _order(problem, task.order_id).needs:
            levels = [people[one].levels.get(need.domain, 0) for one in crew.people]
            if len([one for one in levels if one >= need.level]) < need.people:
                yield f"{task.order_id}: its crew has not the skills in {need.domain}"


def _one_after_another(problem: CrewProblem, crew: Crew) -> Iterator[str]:
    free = crew.day * problem.day_minutes
    for task in crew.tasks:
        if task.end - task.start != _order(problem, task.order_id).minutes:
            yield f"{task.order_id} does not take its time"
        if task.start < free:
            yield f"{task.order_id} begins before its crew is free"
        free = task.end
    if free > (crew.day + 1) * problem.day_minutes:
        yield f"a crew of day {crew.day} works beyond the day"


def _order(problem: CrewProblem, name: str) -> WorkOrder:
    return next(one for one in problem.orders if one.id == name)


def _waiting(problem: CrewProblem, plan: CrewPlan) -> Iterator[str]:
    times = {task.order_id: (task.start, task.end) for crew in plan.crews for task in crew.tasks}
    given = set(plan.outside)
    for order in problem.orders:
        for first in order.after:
            if first in given and order.id in times:
                yield f"{order.id} waits for a contractor"
            if order.id in times and first not in given:
                if first not in times:
                    yield f"{order.id} is planned, and {first} is not"
                elif times[first][1] > times[order.id][0]:
                    yield f"{order.id} begins before {first} has ended"
            if order.id in given and first not in times and first not in given:
                yield f"{order.id} is a contractor's, and {first} is not planned"


def _contracts(problem: CrewProblem, plan: CrewPlan) -> Iterator[str]:
    asked = 0
    for name in plan.outside:
        price = _order(problem, name).contract
        if price is None:
            yield f"no contractor can be given {name}"
        asked += price or 0
    if asked > problem.budget:
        yield "contractors get more than the budget"
    if asked != plan.cost.contracts:
        yield f"contractors get {asked}, not {plan.cost.contracts}"


def _sums(problem: CrewProblem, plan: CrewPlan) -> Iterator[str]:
    """Add the cost up again from the prices."""
    prices = problem.prices
    ends = [[0] for _ in prices.last_end]
    for crew in plan.crews:
        for task in crew.tasks:
            ends[_order(problem, task.order_id).priority - 1].append(task.end)
    lasts = tuple(max(one) for one in ends)
    time = prices.last_of_all * max(lasts)
    for price, last in zip(prices.last_end, lasts, strict=True):
        time += price * last
    left_out = 0
    for one in plan.not_planned:
        price = prices.left_out[_order(problem, one.order_id).priority - 1]
        if one.price != price:
            yield f"leaving {one.order_id} out costs {price}"
        left_out += price
    cost = plan.cost
    if (cost.last_ends, cost.last_of_all) != (lasts, max(lasts)):
        yield f"the last ends are {lasts}"
    if (cost.time, cost.left_out) != (time, left_out):
        yield f"the cost is {time} and {left_out}, not {cost.time} and {cost.left_out}"
    if cost.total != time + left_out:
        yield f"the cost is {time + left_out}, not {cost.total}"
