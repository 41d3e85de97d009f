"""When everybody is where, given whom they visit in which order.

Nobody waits on purpose: each visit begins as early as it may. What is late already is still made, and
so shows as late; whether that is good enough is for others to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from huaxiao.dispatch.domain.planning.costing import cost_of
from huaxiao.dispatch.domain.planning.model import (
    Break,
    Engineer,
    Order,
    Plan,
    Problem,
    Route,
    Stop,
    Window,
)
from huaxiao.dispatch.domain.planning.placing import why_left_out
from huaxiao.dispatch.domain.planning.windows import freedom_of, keeping_promise, windows_of

_PASSES = 10
"""So often a crew's minute is put off until the last of its members is there."""


Sequences = Mapping[str, Sequence[str | None]]
"""By engineer: the orders they visit, in order, and None where they take the next of their breaks."""


def sequences_of(plan: Plan) -> dict[str, list[str | None]]:
    """Return in which order everybody visits whom in a plan."""
    return {one.engineer_id: [stop.order_id for stop in one.stops] for one in plan.routes}


def begins_of(plan: Plan) -> dict[str, int]:
    """Return when each planned visit begins."""
    return {name: visits[0][1].start for name, visits in plan.visits.items()}


def plan_of(
    problem: Problem, sequences: Sequences, *, begins: Mapping[str, int], reasons: bool = True
) -> Plan:
    """Return the plan in which everybody visits these orders in this order.

    What has started comes first of itself. Where nobody said when breaks are taken, they are taken
    as soon as they may be. ``begins`` says when each visit was to begin: a crew begins no earlier, and
    others within what was promised, if that was so planned. Orders in no sequence are left out, with
    the reason. To find ``reasons`` every engineer is asked about each of these orders: whoever needs
    only the routes goes without.
    """
    routes = timed(problem, sequences, begins=begins)
    found = Plan(routes, (), cost_of(problem, routes))
    return explained(problem, found) if reasons else found


def explained(problem: Problem, plan: Plan) -> Plan:
    """Return a plan with the reason for each order that nobody does."""
    missing = (one for one in problem.orders if one.id not in plan.visits)
    return replace(plan, left_out=tuple(why_left_out(problem, plan, one) for one in missing))


def timed(
    problem: Problem, sequences: Sequences, *, begins: Mapping[str, int]
) -> tuple[Route, ...]:
    """Return everybody's day, each visit as early as it may begin."""
    together = dict(begins)
    routes: tuple[Route, ...] = ()
    for _ in range(_PASSES):
        routes = tuple(
            _timed(problem, one, sequences.get(one.id, ()), together) for one in problem.engineers
        )
        latest = _latest_of_crews(problem, routes)
        if all(together.get(name) == at for name, at in latest.items()):
            break
        together |= latest
    return routes


def _latest_of_crews(problem: Problem, routes: Sequence[Route]) -> dict[str, int]:
    latest: dict[str, int] = {}
    for route in routes:
        for stop in route.stops:
            name = stop.order_id
            if name is not None and problem.order[name].crew > 1:
                latest[name] = max(stop.start, latest.get(name, stop.start))
    return latest


def _timed(
    problem: Problem,
    engineer: Engineer,
    sequence: Sequence[str | None],
    together: Mapping[str, int],
) -> Route:
    freedom = freedom_of(problem, engineer)
    stops: list[Stop] = []
    place = engineer.start
    for began, order in freedom.started:
        way = problem.travel.minutes(place, order.place)
        stops.append(Stop(order.id, way, began, began, began + order.minutes))
        place = order.place
    at, place, pending = freedom.at, freedom.place, list(freedom.breaks)
    given = None in sequence
    started = {order.id for _, order in freedom.started}
    for name in sequence:
        if name is None:
            at = _rest(stops, pending.pop(0), at) if pending else at
            continue
        if name in started:
            continue
        order = problem.order[name]
        way = problem.travel.minutes(place, order.place)
        while pending and not given:
            end_of_next = _begin(order, at + way, together) + order.minutes
            if not _is_due(pending[0], at, end_of_next):
                break
            at = _rest(stops, pending.pop(0), at)
        arrival = at + way
        start = _begin(order, arrival, together)
        at, place = start + order.minutes, order.place
        stops.append(Stop(name, way, arrival, start, at))
    for one in pending:
        at = _rest(stops, one, at)
    home = 0 if engineer.home is None else problem.travel.minutes(place, engineer.home)
    return Route(engineer.id, tuple(stops), home)


def _is_due(rest: Break, at: int, end_of_next: int) -> bool:
    return at >= rest.window.opens or end_of_next > rest.window.closes


def _rest(stops: list[Stop], rest: Break, at: int) -> int:
    """Take a break, unless its time is over; return when the day goes on."""
    start = max(at, rest.window.opens)
    if start > rest.window.closes:
        return at
    stops.append(Stop(None, 0, at, start, start + rest.minutes))
    return start + rest.minutes


def _begin(order: Order, arrival: int, begins: Mapping[str, int]) -> int:
    """Return when work begins: within what was promised, where that was the plan and still can be."""
    told = begins.get(order.id)
    if order.crew > 1 and told is not None:
        arrival = max(arrival, told)
    windows = windows_of(order)
    promised = keeping_promise(order)
    if promised and arrival <= promised[-1].closes and (told is None or _within(promised, told)):
        windows = promised
    for one in windows:
        if arrival <= one.closes:
            return max(arrival, one.opens)
    return arrival


def _within(windows: Sequence[Window], minute: int) -> bool:
    return any(one.opens <= minute <= one.closes for one in windows)
