"""One order arrives: where it costs least in the days as they are planned, and why not elsewhere.

Nothing is searched. Each engineer's day is walked once from its end for the latest starts that leave
it feasible, then every gap is tried. What customers were told stays as it is planned: a promise that
the plan keeps is not broken here, and a crew's minute is not moved.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from huaxiao.dispatch.domain.planning.model import (
    Engineer,
    LeftOut,
    Obstacle,
    Order,
    Plan,
    Problem,
    Reason,
    Stop,
    Window,
)
from huaxiao.dispatch.domain.planning.travel import Place
from huaxiao.dispatch.domain.planning.windows import (
    EVER,
    freedom_of,
    keeping_promise,
    soft_deadline,
    windows_of,
)

CLOSENESS = tuple(Reason)
"""Reasons from the furthest from doing an order to the nearest."""
ALWAYS = Window(-EVER, EVER)
MINUTES_TRIED = 40
"""For a crew."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An engineer who can do an order, and what that costs."""

    engineers: tuple[str, ...]
    start: int
    position: tuple[int, ...]
    """For each engineer, before which stop of the route it comes."""
    price: int
    """What the whole plan costs more than if nobody did it, without the price of leaving it out."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an order goes: the cheapest choice first, then why the others do not do it."""

    order_id: str
    choices: tuple[Choice, ...]
    obstacles: tuple[Obstacle, ...]
    price_left_out: int

    @property
    def best(self) -> Choice | None:
        """Return the cheapest choice, unless leaving the order out costs less."""
        if self.choices and self.choices[0].price < self.price_left_out:
            return self.choices[0]
        return None


def place(problem: Problem, plan: Plan, order: Order) -> Placement:
    """Return every engineer's cheapest place for one order, the cheapest first, and all obstacles.

    ``order`` may be unknown to the problem. Prices are those of leaving the rest as it is.
    """
    days = [_day(problem, plan, one, order) for one in problem.engineers]
    choices, obstacles = _offers(problem, order, _with_ways(problem, order, days))
    return Placement(order.id, choices, obstacles, price_of_leaving_out(problem, order))


def price_of_leaving_out(problem: Problem, order: Order) -> int:
    """Return what it costs that nobody does an order."""
    prices = problem.prices
    return (
        prices.left_out[order.priority - 1]
        + (0 if order.pinned_to is None else prices.pinned_left_out)
        + (0 if order.promise is None else prices.promise_broken[order.priority - 1])
    )


def why_left_out(problem: Problem, plan: Plan, order: Order) -> LeftOut:
    """Say why nobody does an order: each engineer's obstacle, and that of who comes closest."""
    found = place(problem, plan, order)
    priced = [
        Obstacle(one, Reason.PRICE, price=choice.price)
        for choice in found.choices
        for one in choice.engineers
    ]
    obstacles = (*priced, *found.obstacles)
    closest = max((CLOSENESS.index(one.reason) for one in obstacles), default=0)
    reason = CLOSENESS[closest] if obstacles else Reason.SHIFT
    return LeftOut(order.id, reason, found.price_left_out, obstacles)


@dataclass(frozen=True, slots=True)
class _Day:
    """Somebody's day, ready to try an order in its gaps."""

    engineer: Engineer
    obstacle: Obstacle | None
    """What rules them out before any time is looked at."""
    stops: tuple[Stop, ...] = ()
    """Those that have not started."""
    skipped: int = 0
    """How many have."""
    places: tuple[Place, ...] = ()
    """Where the day goes on from, then where each stop leaves the engineer, then home, if any."""
    free: int = 0
    closes: int = 0
    latest: tuple[int, ...] = ()
    """By stop: the latest start that leaves the rest feasible."""
    load: int = 0
    soft: bool = False
    """A later start may cost something."""
    there: tuple[int, ...] = ()
    """By place: the way to the order."""
    on: tuple[int, ...] = ()
    """By place: the way from it."""


def _with_ways(problem: Problem, order: Order, days: Sequence[_Day]) -> list[_Day]:
    """Return the days with the ways between the order and every place, found all at once."""
    places = [one for day in days for one in day.places]
    there = problem.travel.ways_to(places, order.place)
    on = problem.travel.ways_from(order.place, places)
    found = []
    first = 0
    for day in days:
        last = first + len(day.places)
        found.append(replace(day, there=tuple(there[first:last]), on=tuple(on[first:last])))
        first = last
    return found


def _ruled_out(engineer: Engineer, order: Order) -> Obstacle | None:
    if order.pinned_to is not None and order.pinned_to != engineer.id:
        return Obstacle(engineer.id, Reason.PINNED)
    if engineer.id in order.forbidden:
        return Obstacle(engineer.id, Reason.FORBIDDEN)
    if not order.skills <= engineer.skills:
        return Obstacle(engineer.id, Reason.SKILL, tuple(sorted(order.skills - engineer.skills)))
    return None


def _day(problem: Problem, plan: Plan, engineer: Engineer, order: Order) -> _Day:
    obstacle = _ruled_out(engineer, order)
    if obstacle is not None:
        return _Day(engineer, obstacle)
    stops = plan.route[engineer.id].stops if engineer.id in plan.route else ()
    known = problem.order
    visited = [known[one.order_id] for one in stops if one.order_id is not None]
    if engineer.capacity is not None:
        carried = sum(one.units for one in visited)
        if carried + order.units > engineer.capacity:
            return _Day(engineer, Obstacle(engineer.id, Reason.CAPACITY))
    started = sum(one.started is not None for one in visited)
    here, free, closes = engineer.start, max(engineer.shift.opens, problem.now), 0
    if started or engineer.breaks:
        freedom = freedom_of(problem, engineer)
        here, free, closes = freedom.place, freedom.at, freedom.closes
    else:
        way = 0 if engineer.home is None else problem.travel.minutes(here, engineer.home)
        closes = max(engineer.shift.closes, free + way)
    places = [here]
    for stop in stops[started:]:
        places.append(places[-1] if stop.order_id is None else known[stop.order_id].place)
    if engineer.home is not None:
        places.append(engineer.home)
    home = plan.route[engineer.id].travel_home if engineer.id in plan.route else 0
    return _Day(
        engineer,
        None,
        stops[started:],
        started,
        tuple(places),
        free,
        closes,
        _latest(problem, engineer, stops[started:], closes - home),
        sum(one.minutes for one in visited),
        any(one.deadline is not None and not one.deadline_is_hard for one in visited),
    )


def _latest(
    problem: Problem, engineer: Engineer, stops: Sequence[Stop], bound: int
) -> tuple[int, ...]:
    """Return by stop the latest start from which all that follows is still in time."""
    found = []
    for stop in reversed(stops):
        here = min(bound - (stop.end - stop.start), _as_planned(problem, engineer, stop).closes)
        found.append(here)
        bound = here - stop.travel
    return tuple(reversed(found))


def _as_planned(problem: Problem, engineer: Engineer, stop: Stop) -> Window:
    """Return when a planned stop may begin without another promise or crew being upset."""
    at = stop.start
    if stop.order_id is None:
        return next(
            one.window
            for one in engineer.breaks
            if one.minutes == stop.end - at and one.window.opens <= at <= one.window.closes
        )
    order = problem.order[stop.order_id]
    if order.crew > 1:
        return Window(at, at)
    limits = [one for one in order.windows if one.opens <= at <= one.closes][:1]
    promise = order.promise
    if promise is not None and promise.window.opens <= at <= promise.window.closes:
        limits.append(promise.window)
    if order.deadline is not None and order.deadline_is_hard:
        limits.append(Window(min(at, 0), order.deadline))
    if not limits:
        return ALWAYS
    return Window(max(one.opens for one in limits), min(one.closes for one in limits))


def _offers(
    problem: Problem, order: Order, days: Sequence[_Day]
) -> tuple[tuple[Choice, ...], tuple[Obstacle, ...]]:
    choices: list[Choice] = []
    obstacles: list[Obstacle] = []
    own = windows_of(order)
    variants = (own,) if order.promise is None else (keeping_promise(order), own)
    for day in days:
        if day.obstacle is not None:
            obstacles.append(day.obstacle)
            continue
        found = _cheapest(problem, order, day, variants)
        if found is None:
            obstacles.append(Obstacle(day.engineer.id, _why_not(problem, order, day)))
        else:
            choices.append(found)
    choices.sort(key=lambda one: (one.price, one.engineers))
    if order.crew == 1:
        return tuple(choices), tuple(obstacles)
    return _crews(problem, order, days, choices, obstacles)


def _crews(
    problem: Problem,
    order: Order,
    days: Sequence[_Day],
    singly: Sequence[Choice],
    obstacles: Sequence[Obstacle],
) -> tuple[tuple[Choice, ...], tuple[Obstacle, ...]]:
    """Return the crews of the minutes at which one of its members could first begin."""
    free = [one for one in days if one.obstacle is None]
    minutes = sorted({start for one in free for start in _starts(order, one)})
    step = max(1, len(minutes) // MINUTES_TRIED)
    found = []
    for minute in minutes[::step]:
        windows = ((Window(minute, minute),),)
        alone = replace(order, promise=None)
        offers = [one for day in free if (one := _cheapest(problem, alone, day, windows))]
        if len(offers) >= order.crew:
            offers.sort(key=lambda one: (one.price, one.engineers))
            found.append(_together(problem, order, minute, offers[: order.crew]))
    found.sort(key=lambda one: (one.price, one.start))
    if found:
        return tuple(found[:10]), tuple(obstacles)
    too_few = tuple(Obstacle(who, Reason.CREW) for one in singly for who in one.engineers)
    return (), (*too_few, *obstacles)


def _together(problem: Problem, order: Order, minute: int, members: Sequence[Choice]) -> Choice:
    """Return a crew's choice: lateness and a broken time are paid once, other people each."""
    once = _late(problem, order, minute)
    price = sum(one.price - once for one in members) + once
    names = tuple(who for one in members for who in one.engineers)
    price += _of_promise(problem, order, names, minute)
    return Choice(names, minute, tuple(one.position[0] for one in members), price)


def _starts(order: Order, day: _Day) -> Iterable[int]:
    """Return the minutes at which an engineer could first begin, gap by gap."""
    for number in range(len(day.stops) + 1):
        arrival = _leaves(day, number) + day.there[number]
        for windows in (keeping_promise(order), windows_of(order)):
            start = _first(windows, arrival)
            if start is not None:
                yield start


def _leaves(day: _Day, number: int) -> int:
    """Return when the engineer is free before a stop."""
    return day.stops[number - 1].end if number else day.free


def _first(windows: Sequence[Window], at: int) -> int | None:
    for one in windows:
        if at <= one.closes:
            return max(at, one.opens)
    return None


def _cheapest(
    problem: Problem, order: Order, day: _Day, variants: Sequence[Sequence[Window]]
) -> Choice | None:
    """Return an engineer's cheapest gap, the order beginning in one of the variants' windows."""
    prices = problem.prices
    who = day.engineer
    base = prices.unfairness(day.load + order.minutes) - prices.unfairness(day.load)
    if order.centre is not None and who.centre != order.centre:
        base += prices.other_centre
    if not variants[-1]:
        return None
    last = variants[-1][-1].closes
    best: tuple[int, int, int] | None = None
    for number in range(len(day.stops) + 1):
        leaves = _leaves(day, number)
        if leaves > last:
            break
        there = day.there[number]
        for windows in variants:
            start = _first(windows, leaves + there)
            if start is None:
                continue
            added = _put(problem, day, number, start + order.minutes)
            if added is None:
                continue
            price = base + prices.travel * there + added + _late(problem, order, start)
            price += _of_promise(problem, order, (who.id,), start)
            if best is None or price < best[0]:
                best = price, start, number
    if best is None:
        return None
    price, start, number = best
    return Choice((who.id,), start, (day.skipped + number,), price)


def _put(problem: Problem, day: _Day, number: int, leaves: int) -> int | None:
    """Return what the rest of a day costs more when it goes on from the order; None: it cannot."""
    prices = problem.prices
    stops = day.stops
    before = number
    while number < len(stops) and stops[number].order_id is None:
        rest = stops[number]
        window = _as_planned(problem, day.engineer, rest)
        if leaves > window.closes:
            return None
        leaves = max(leaves, window.opens) + rest.end - rest.start
        number += 1
    if number < len(stops):
        arrival = leaves + day.on[number + 1]
        if arrival > day.latest[number]:
            return None
        pushed = _pushed(problem, day, number, arrival) if day.soft else 0
        return prices.travel * (day.on[number + 1] - stops[number].travel) + pushed
    home = day.engineer.home
    on = 0 if home is None else day.on[-1]
    if leaves + on > day.closes:
        return None
    direct = 0 if home is None else problem.travel.minutes(day.places[before], home)
    return prices.travel * (on - direct)


def _pushed(problem: Problem, day: _Day, number: int, arrival: int) -> int:
    """Return what it costs that a stop, and so others behind it, are reached at another time."""
    added = 0
    for at in range(number, len(day.stops)):
        stop = day.stops[at]
        start = max(arrival, _as_planned(problem, day.engineer, stop).opens)
        if start == stop.start:
            break
        if stop.order_id is not None:
            order = problem.order[stop.order_id]
            added += _late(problem, order, start) - _late(problem, order, stop.start)
        if at + 1 < len(day.stops):
            arrival = start + stop.end - stop.start + day.stops[at + 1].travel
    return added


def _late(problem: Problem, order: Order, start: int) -> int:
    return problem.prices.late * max(0, start - soft_deadline(order))


def _of_promise(problem: Problem, order: Order, people: Sequence[str], start: int) -> int:
    promise = order.promise
    if promise is None:
        return 0
    prices = problem.prices
    kept = promise.window.opens <= start <= promise.window.closes
    changed = sum(one not in promise.engineers for one in people)
    broken = prices.promise_broken[order.priority - 1]
    return (0 if kept else broken) + prices.engineer_changed * changed


def _why_not(problem: Problem, order: Order, day: _Day) -> Reason:
    """Say what keeps an order out of a day: its own times, the shift, or what is planned."""
    start = _first(windows_of(order), day.free + day.there[0])
    if start is None:
        return Reason.WINDOW
    home = day.engineer.home
    back = 0 if home is None else problem.travel.minutes(order.place, home)
    return Reason.SHIFT if start + order.minutes + back > day.closes else Reason.FULL
