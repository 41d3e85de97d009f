"""A problem as the arrays that the search works on, and the search's plan as routes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huaxiao.dispatch.domain.planning.model import Order, Plan, Problem, Route, Stop, Window
from huaxiao.dispatch.domain.planning.placing import price_of_leaving_out
from huaxiao.dispatch.domain.planning.search import (
    ALIKE,
    AT_ROW,
    BREAKS,
    CALM,
    CAPACITY,
    CLOSES_AT,
    DEPARTS,
    FAR,
    FIRST_BREAK,
    FREE,
    HELD,
    HOME,
    LENGTH,
    MINUTES,
    NODE,
    REMOTENESS,
    ROUTE,
    STAMP,
    START,
    STOP,
    Board,
    Facts,
    Integers,
    Kept,
    Scratch,
)
from huaxiao.dispatch.domain.planning.travel import Place
from huaxiao.dispatch.domain.planning.windows import (
    Freedom,
    freedom_of,
    keeping_promise,
    soft_deadline,
    windows_of,
)

NEIGHBOURS = 100
"""How many of an order's nearest ones may lose their engineer with it."""
MOMENTS = 12
"""How many minutes are tried for a crew at once."""
NOWHERE = -1


@dataclass(frozen=True)
class Prepared:
    """A problem ready for the search."""

    problem: Problem
    orders: tuple[Order, ...]
    """Those that have not started."""
    freedoms: tuple[Freedom, ...]
    facts: Facts
    longest_route: int
    typical_leg: float
    """The price of a way between neighbours: what temperatures are measured in."""


def prepare(problem: Problem) -> Prepared:
    """Turn a problem into arrays."""
    orders = tuple(one for one in problem.orders if one.started is None)
    freedoms = tuple(freedom_of(problem, one) for one in problem.engineers)
    places, starts, homes = _nodes(problem, orders, freedoms)
    travel = np.zeros((len(places) + 1, len(places) + 1), dtype=np.int32)
    travel[:-1, :-1] = problem.travel.matrix(places)
    homes = [len(places) if one == NOWHERE else one for one in homes]
    assignment = _assignments(problem, orders)
    engineers = problem.engineers
    work = [
        *(_work_of(problem, one) for one in orders),
        *((rest.minutes, FAR, 0, 1, 0, 0, 0, 1, 0) for one in freedoms for rest in one.breaks),
    ]
    facts = Facts(
        travel=travel,
        travel_to=np.ascontiguousarray(travel.T),
        work=np.array(work, dtype=np.int64).reshape(len(work), REMOTENESS + 1),
        windows=_window_rows(orders, freedoms),
        engineers=np.zeros((len(engineers), ALIKE + 1), dtype=np.int64),
        assignment=assignment,
        neighbours=_neighbours(travel[: len(orders), : len(orders)]),
        price_travel=problem.prices.travel,
        price_unfair=problem.prices.unfair,
        has_crews=any(one.crew > 1 for one in orders),
    )
    table = facts.engineers
    table[:, START], table[:, HOME] = starts, homes
    table[:, FREE] = [one.at for one in freedoms]
    table[:, CLOSES_AT] = [one.closes for one in freedoms]
    table[:, CAPACITY] = [
        FAR
        if one.capacity is None
        else one.capacity - sum(order.units for _, order in free.started)
        for one, free in zip(engineers, freedoms, strict=True)
    ]
    table[:, HELD] = [sum(order.minutes for _, order in one.started) for one in freedoms]
    table[:, BREAKS] = [len(one.breaks) for one in freedoms]
    table[:, FIRST_BREAK] = np.cumsum(table[:, BREAKS]) - table[:, BREAKS]
    table[:, ALIKE] = _alike(facts, freedoms)
    facts.work[: len(orders), REMOTENESS] = _remoteness(facts, len(orders))
    return Prepared(
        problem,
        orders,
        freedoms,
        facts,
        _longest_route(facts, len(orders)),
        _typical_leg(facts),
    )


def _work_of(problem: Problem, order: Order) -> tuple[int, ...]:
    prices = problem.prices
    return (
        order.minutes,
        soft_deadline(order),
        prices.late,
        order.crew,
        order.units,
        price_of_leaving_out(problem, order),
        prices.promise_broken[order.priority - 1],
        1 if order.promise is None else 2,
        0,
    )


def _nodes(
    problem: Problem, orders: Sequence[Order], freedoms: Sequence[Freedom]
) -> tuple[list[Place], list[int], list[int]]:
    """Return the places of the travel matrix: the orders', then where engineers start and end."""
    places = [one.place for one in orders]
    known: dict[Place, int] = {}

    def node(place: Place) -> int:
        if place not in known:
            known[place] = len(places)
            places.append(place)
        return known[place]

    starts = [node(one.place) for one in freedoms]
    homes = [NOWHERE if one.home is None else node(one.home) for one in problem.engineers]
    return places, starts, homes


def _window_rows(orders: Sequence[Order], freedoms: Sequence[Freedom]) -> Integers:
    rows: list[tuple[Window, ...]] = [
        *(keeping_promise(one) for one in orders),
        *(windows_of(one) for one in orders),
        *(() for _ in orders),
        *((rest.window,) for one in freedoms for rest in one.breaks),
    ]
    most = max([1, *(len(one) for one in rows)])
    table = np.zeros((len(rows), 1 + 2 * most), dtype=np.int64)
    for number, row in enumerate(rows):
        table[number, 0] = len(row)
        for at, one in enumerate(row):
            table[number, 2 * at + 1 : 2 * at + 3] = one.opens, one.closes
    return table


def _assignments(problem: Problem, orders: Sequence[Order]) -> Integers:
    prices = problem.prices
    table = np.zeros((len(orders), len(problem.engineers)), dtype=np.int64)
    for o, order in enumerate(orders):
        for e, engineer in enumerate(problem.engineers):
            if (
                not order.skills <= engineer.skills
                or engineer.id in order.forbidden
                or order.pinned_to not in {None, engineer.id}
            ):
                table[o, e] = FAR
                continue
            if order.centre is not None and engineer.centre != order.centre:
                table[o, e] += prices.other_centre
            if order.promise is not None and engineer.id not in order.promise.engineers:
                table[o, e] += prices.engineer_changed
    return table


def _alike(facts: Facts, freedoms: Sequence[Freedom]) -> list[int]:
    first: dict[object, int] = {}
    same = [START, HOME, FREE, CLOSES_AT, CAPACITY, HELD, BREAKS]
    return [
        first.setdefault(
            (facts.engineers[e, same].tobytes(), free.breaks, facts.assignment[:, e].tobytes()), e
        )
        for e, free in enumerate(freedoms)
    ]


def _neighbours(travel: NDArray[np.int32]) -> Integers:
    """Return the nearest other orders of each, nearest first."""
    size = len(travel)
    count = min(NEIGHBOURS, max(0, size - 1))
    both = (travel + travel.T).astype(np.int64)
    np.fill_diagonal(both, -1)
    nearest = np.argsort(both, axis=1, kind="stable")[:, 1 : count + 1]
    return np.ascontiguousarray(nearest.reshape(size, count), dtype=np.int64)


def _remoteness(facts: Facts, orders: int) -> Integers:
    """Return how far each order is from the nearest engineer who may do it."""
    if not len(facts.engineers):
        return np.zeros(orders, dtype=np.int64)
    ways = facts.travel[facts.engineers[:, START]][:, :orders].T.astype(np.int64)
    nearest: Integers = np.where(facts.assignment < FAR, ways, FAR).min(axis=1)
    return np.where(nearest == FAR, 0, nearest)


def _longest_route(facts: Facts, orders: int) -> int:
    """Return how many stops a route can have at most, with its start and end."""
    if not len(facts.engineers):
        return 2
    shortest = max(1, int(facts.work[:orders, MINUTES].min(initial=FAR)))
    if not int(facts.work[:orders, MINUTES].min(initial=FAR)):
        return orders + int(facts.engineers[:, BREAKS].max()) + 3
    span = int((facts.engineers[:, CLOSES_AT] - facts.engineers[:, FREE]).max())
    return min(orders, max(0, span) // shortest + 1) + int(facts.engineers[:, BREAKS].max()) + 3


def _typical_leg(facts: Facts) -> float:
    near = facts.neighbours[:, :10]
    if near.size == 0:
        return 1.0
    ways = facts.travel[np.arange(len(near))[:, None], near]
    return max(1.0, float(ways.mean())) * max(1, facts.price_travel)


def empty_board(prepared: Prepared, seed: int) -> Board:
    """Return a board without routes."""
    engineers, orders = len(prepared.freedoms), len(prepared.orders)
    mixed = (seed * 0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03) % (1 << 64) or 1
    return Board(
        stops=np.zeros((engineers, prepared.longest_route, CALM + 1), dtype=np.int64),
        routes=np.zeros((engineers, STAMP + 1), dtype=np.int64),
        orders=np.zeros((orders, ROUTE + 1), dtype=np.int64),
        known=np.zeros((orders, engineers, AT_ROW + 1), dtype=np.int64),
        state=np.array([mixed, 0], dtype=np.uint64),
    )


def empty_copy(board: Board) -> Kept:
    """Return room for a copy of a board."""
    return Kept(*(np.zeros_like(getattr(board, name)) for name in Kept._fields))


def empty_scratch(board: Board) -> Scratch:
    """Return room for a search to work in."""
    engineers, orders = len(board.routes), len(board.orders)
    return Scratch(
        touched=np.zeros(engineers, dtype=np.bool_),
        ruined=np.zeros(engineers, dtype=np.bool_),
        waiting=np.zeros(orders, dtype=np.int64),
        keys=np.zeros(orders, dtype=np.float64),
        costs=np.zeros(engineers, dtype=np.int64),
        minutes=np.zeros(MOMENTS, dtype=np.int64),
        idle=np.zeros(engineers, dtype=np.int64),
    )


def wanted_sequences(prepared: Prepared, plan: Plan | None) -> Integers:
    """Return the orders of a plan by engineer as numbers, filled up with -1."""
    number = {one.id: at for at, one in enumerate(prepared.orders)}
    routes: Mapping[str, Route] = {} if plan is None else plan.route
    sequences = [
        [number[one] for one in routes[who.id].order_ids if one in number]
        if who.id in routes
        else []
        for who in prepared.problem.engineers
    ]
    wanted: Integers = np.full((len(sequences), max([1, *map(len, sequences)])), -1, dtype=np.int64)
    for e, sequence in enumerate(sequences):
        wanted[e, : len(sequence)] = sequence
    return wanted


def routes_of(prepared: Prepared, board: Board) -> tuple[Route, ...]:
    """Return what a board holds, behind what has started."""
    problem, facts = prepared.problem, prepared.facts
    orders = len(prepared.orders)
    found = []
    for e, engineer in enumerate(problem.engineers):
        stops = list(_started_stops(problem, engineer.start, prepared.freedoms[e]))
        end = int(board.routes[e, LENGTH]) + 1
        for p in range(1, end):
            stop = int(board.stops[e, p, STOP])
            before, here = int(board.stops[e, p - 1, NODE]), int(board.stops[e, p, NODE])
            way = int(facts.travel[before, here]) if stop < orders else 0
            leaves = int(board.stops[e, p - 1, DEPARTS])
            done = int(board.stops[e, p, DEPARTS])
            stops.append(
                Stop(
                    order_id=prepared.orders[stop].id if stop < orders else None,
                    travel=way,
                    arrival=leaves + way,
                    start=done - int(facts.work[stop, MINUTES]),
                    end=done,
                )
            )
        home = int(facts.travel[int(board.stops[e, end - 1, NODE]), int(facts.engineers[e, HOME])])
        found.append(Route(engineer.id, tuple(stops), home))
    return tuple(found)


def _started_stops(problem: Problem, place: Place, freedom: Freedom) -> list[Stop]:
    """Return what has started, at the times that were told."""
    stops = []
    for at, order in freedom.started:
        way = problem.travel.minutes(place, order.place)
        stops.append(Stop(order.id, way, at, at, at + order.minutes))
        place = order.place
    return stops
