"""Other ways to plan a day, to hold ours against: the nearest free engineer, PyVRP, VROOM.

PyVRP and VROOM are development dependencies; without one of them nothing is held against it. Both
get the same travel times, hard windows and prices. PyVRP knows skills as a travel profile for each
set of them, on which the way to an order that asks for more is too long for any shift. VROOM weighs
priorities before travel and so gets the prices, scaled, as priorities.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from importlib.util import find_spec
from typing import Any

import numpy as np

from huaxiao.dispatch.domain.planning.costing import cost_of
from huaxiao.dispatch.domain.planning.model import Order, Plan, Problem, Route, Stop
from huaxiao.dispatch.domain.planning.windows import windows_of

TOO_LONG = 100_000
HAS_PYVRP = find_spec("pyvrp") is not None
HAS_VROOM = find_spec("vroom") is not None

Sequences = Mapping[str, Sequence[str]]


def planned(problem: Problem, sequences: Sequences) -> Plan:
    """Return the plan that visits orders in given sequences, each as early as it can be."""
    routes = []
    for engineer in problem.engineers:
        at, place = engineer.shift.opens, engineer.start
        stops = []
        for name in sequences.get(engineer.id, ()):
            order = problem.order[name]
            way = problem.travel.minutes(place, order.place)
            start = next(
                max(at + way, one.opens) for one in windows_of(order) if at + way <= one.closes
            )
            stops.append(Stop(name, way, at + way, start, start + order.minutes))
            at, place = start + order.minutes, order.place
        home = 0 if engineer.home is None else problem.travel.minutes(place, engineer.home)
        routes.append(Route(engineer.id, tuple(stops), home))
    return Plan(tuple(routes), (), cost_of(problem, routes))


def nearest_free(problem: Problem, orders: Iterable[Order]) -> Plan:
    """Give each order, in the given sequence, to the nearest engineer who can still take it.

    Where an engineer is, is where the last order given left them: what a dispatcher does by hand.
    """
    minutes = problem.travel.minutes
    at = {one.id: one.shift.opens for one in problem.engineers}
    place = {one.id: one.start for one in problem.engineers}
    sequences: dict[str, list[str]] = {one.id: [] for one in problem.engineers}
    for order in orders:
        last = windows_of(order)[0]
        found = []
        for engineer in problem.engineers:
            way = minutes(place[engineer.id], order.place)
            start = max(at[engineer.id] + way, last.opens)
            back = 0 if engineer.home is None else minutes(order.place, engineer.home)
            fits = start <= last.closes and start + order.minutes + back <= engineer.shift.closes
            if fits and order.skills <= engineer.skills:
                found.append((way, engineer.id, start))
        if found:
            _, who, start = min(found)
            sequences[who].append(order.id)
            at[who], place[who] = start + order.minutes, order.place
    return planned(problem, sequences)


def by_pyvrp(problem: Problem, seconds: float, *, seed: int) -> Plan:
    """Return PyVRP's plan after so many CPU seconds."""
    import pyvrp  # noqa: PLC0415 - a development dependency

    skill_sets = sorted({one.skills for one in problem.engineers}, key=sorted)
    places = [*(one.place for one in problem.orders), *(one.start for one in problem.engineers)]
    way = problem.travel.matrix(places)
    matrices: list[Any] = []
    for skills in skill_sets:
        matrix = way.copy()
        for number, order in enumerate(problem.orders):
            if not order.skills <= skills:
                matrix[:, number] = TOO_LONG
        np.fill_diagonal(matrix, 0)
        matrices.append(matrix)
    count = len(problem.orders)
    data = pyvrp.ProblemData(
        [pyvrp.Location(0, 0) for _ in places],
        [
            pyvrp.Client(
                location=number,
                service_duration=order.minutes,
                tw_early=max(0, windows_of(order)[0].opens),
                tw_late=min(TOO_LONG, windows_of(order)[0].closes),
                prize=problem.prices.left_out[order.priority - 1],
                required=False,
                delivery=[order.units],
            )
            for number, order in enumerate(problem.orders)
        ],
        [pyvrp.Depot(count + number) for number in range(len(problem.engineers))],
        [
            pyvrp.VehicleType(
                capacity=[TOO_LONG if one.capacity is None else one.capacity],
                start_depot=number,
                end_depot=number,
                tw_early=one.shift.opens,
                tw_late=one.shift.closes,
                profile=skill_sets.index(one.skills),
            )
            for number, one in enumerate(problem.engineers)
        ],
        matrices,
        matrices,
    )
    ends = time.process_time() + seconds
    found = pyvrp.solve(data, stop=lambda _: time.process_time() >= ends, seed=seed)
    sequences = {
        problem.engineers[route.vehicle_type()].id: [
            problem.orders[one.idx].id for one in route if one.is_client()
        ]
        for route in found.best.routes()
    }
    return planned(problem, sequences)


def by_vroom(problem: Problem, seconds: float) -> Plan:
    """Return VROOM's plan at its highest level of exploration, within so many seconds."""
    import vroom  # noqa: PLC0415 - a development dependency

    skills = sorted({one for who in problem.engineers for one in who.skills})
    places = [*(one.place for one in problem.orders), *(one.start for one in problem.engineers)]
    given = vroom.Input()
    given.set_durations_matrix(
        profile="car", matrix_input=problem.travel.matrix(places).astype(np.uint32)
    )
    dearest = max(problem.prices.left_out)
    count = len(problem.orders)
    for number, one in enumerate(problem.engineers):
        given.add_vehicle(
            vroom.Vehicle(
                number,
                start=count + number,
                end=count + number,
                skills={skills.index(skill) for skill in one.skills},
                time_window=(one.shift.opens, one.shift.closes),
            )
        )
    for number, order in enumerate(problem.orders):
        window = windows_of(order)[0]
        given.add_job(
            vroom.Job(
                number,
                location=number,
                default_service=order.minutes,
                skills={skills.index(skill) for skill in order.skills},
                priority=100 * problem.prices.left_out[order.priority - 1] // dearest,
                time_windows=[vroom.TimeWindow(max(0, window.opens), min(window.closes, TOO_LONG))],
            )
        )
    found = given.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=seconds))
    sequences: dict[str, list[str]] = {}
    visits = found.routes[found.routes["type"] == "job"]
    for who, what in zip(visits["vehicle_id"], visits["id"], strict=True):
        sequences.setdefault(problem.engineers[int(who)].id, []).append(
            problem.orders[int(what)].id
        )
    return planned(problem, sequences)
