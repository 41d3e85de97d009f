"""How good a plan is, and how soon it is there, beside other planners with as much of the processor.

``plan_days``, ``replan_day`` and ``place_one`` make up their days; ``plan_vrptw`` measures public
instances in the folder named by ``VRPTW``, each as ``NAME.txt`` beside ``NAME.sol`` with a line
``Cost`` for the best known value, each in ``VRPTW_SECONDS`` of CPU time, 10 otherwise. Without the
folder that figure is left out. PyVRP and VROOM are
development dependencies; where one is absent it is not held against.
"""

import asyncio
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, median

from bench.county_days import PRICES, county_day
from bench.measuring import Figure, Size, figure, is_full, tell
from bench.solvers import HAS_PYVRP, HAS_VROOM, by_pyvrp, by_vroom, nearest_free
from huaxiao.dispatch.domain.planning.checking import check
from huaxiao.dispatch.domain.planning.engine import plan
from huaxiao.dispatch.domain.planning.model import Engineer, Order, Plan, Problem, Window
from huaxiao.dispatch.domain.planning.placing import place
from huaxiao.dispatch.domain.planning.prices import Prices
from huaxiao.dispatch.domain.planning.replanning import ChangeKind, Changes, replan
from huaxiao.dispatch.domain.planning.travel import GreatCircle, Place, Table

DAYS = ((10, 100), (25, 300), (40, 500))
SMALL_DAYS = ((3, 20),)
TUNED_SEEDS = (1, 2)
"""Of days that the search was tuned on; the figure is that of other seeds, in ``PLAN_DAYS_SEEDS``."""


def _warm() -> None:
    """Have everything compiled before a clock runs."""
    plan(county_day(2, 4, seed=0), seed=0, iterations=2)


async def plan_days(size: Size) -> Figure:
    """Plan county days: ours at 2 CPU seconds against the best of the others at 10."""
    return await asyncio.to_thread(_plan_days, size)


def _plan_days(size: Size) -> Figure:
    _warm()
    if not is_full(size):
        return _plan_days_of((1,), SMALL_DAYS, 0.05, 0.1)
    tell(f"plan_days: seeds {TUNED_SEEDS}, on which the search was tuned")
    _plan_days_of(TUNED_SEEDS, DAYS, 2.0, 10.0)
    seeds = tuple(int(one) for one in os.environ.get("PLAN_DAYS_SEEDS", "31,32").split(","))
    tell(f"plan_days: seeds {seeds}")
    return _plan_days_of(seeds, DAYS, 2.0, 10.0)


def _plan_days_of(
    seeds: Sequence[int], sizes: Sequence[tuple[int, int]], short: float, long: float
) -> Figure:
    days = [county_day(*one, seed=seed) for one in sizes for seed in seeds]
    methods: dict[str, Callable[[Problem], Plan]] = {
        "nearest free": lambda day: nearest_free(
            day, sorted(day.orders, key=lambda one: one.priority)
        ),
        f"own {short:g} s": lambda day: plan(day, seed=1, seconds=short),
        f"own {long:g} s": lambda day: plan(day, seed=1, seconds=long),
    }
    if HAS_PYVRP:
        methods[f"PyVRP {short:g} s"] = lambda day: by_pyvrp(day, short, seed=1)
        methods[f"PyVRP {long:g} s"] = lambda day: by_pyvrp(day, long, seed=1)
    if HAS_VROOM:
        methods[f"VROOM {long:g} s"] = lambda day: by_vroom(day, long)
    costs = {name: [_right(day, method(day)) for day in days] for name, method in methods.items()}
    best = [min(one) for one in zip(*costs.values(), strict=True)]
    for name, values in costs.items():
        gap = mean(one / least - 1 for one, least in zip(values, best, strict=True))
        tell(f"plan_days: {name}: {100 * gap:.1f} % above the best found")
    others = [values for name, values in costs.items() if name in _rivals(long)]
    rival = [min(one) for one in zip(*others, strict=True)] if others else costs["nearest free"]
    against = "the better of PyVRP and VROOM in five times the time" if others else "nearest free"
    own = costs[f"own {short:g} s"]
    ratios = [one / other for one, other in zip(own, rival, strict=True)]
    told = ", ".join(f"{one:.3f}" for one in ratios)
    tell(f"plan_days: own {short:g} s against {against}, by day: {told}")
    return figure("plan_days", own, "minutes", against=against, ratios=ratios)


def _rivals(seconds: float) -> tuple[str, str]:
    return f"PyVRP {seconds:g} s", f"VROOM {seconds:g} s"


def _right(day: Problem, found: Plan) -> int:
    """Return what a plan costs, if it may be carried out."""
    wrong = [one for one in check(day, found) if "left out" not in one]
    if wrong:
        raise RuntimeError("; ".join(wrong[:3]))
    return found.cost.total


async def plan_vrptw(size: Size) -> Figure | None:
    """Route vehicles over public instances, against the best known."""
    folder = os.environ.get("VRPTW")
    if not folder:
        tell("plan_vrptw: no folder is named in VRPTW")
        return None
    return await asyncio.to_thread(_plan_vrptw, Path(folder), size)


def _plan_vrptw(folder: Path, size: Size) -> Figure:
    _warm()
    seconds = float(os.environ.get("VRPTW_SECONDS", "10")) if is_full(size) else 0.1
    lengths, ratios = [], []
    for path in sorted(folder.glob("*.txt")):
        day = vrptw(path)
        found = plan(day, seed=1, seconds=seconds)
        known = float(
            next(
                line.split()[1]
                for line in path.with_suffix(".sol").read_text().splitlines()
                if line.startswith("Cost")
            )
        )
        length = _right(day, found) / 10
        lengths.append(length)
        ratios.append(length / known)
        tell(f"plan_vrptw: {path.stem}: {100 * (length / known - 1):.2f} % above the best known")
    tell(f"plan_vrptw: mean {100 * (mean(ratios) - 1):.2f} %")
    return figure("plan_vrptw", lengths, "length", against="best known", ratios=ratios)


def vrptw(path: Path) -> Problem:
    """Read an instance in Solomon's form; distances are truncated to tenths."""
    rows = [[int(one) for one in line.split()] for line in path.read_text().splitlines()[9:]]
    rows = [one for one in rows if one]
    vehicles, capacity = (int(one) for one in path.read_text().splitlines()[4].split())
    ways = tuple(
        tuple(int(10 * math.hypot(one[1] - to[1], one[2] - to[2])) for to in rows) for one in rows
    )
    depot = Place("0")
    engineers = tuple(
        Engineer(str(number), depot, Window(0, 10 * rows[0][5]), home=depot, capacity=capacity)
        for number in range(vehicles)
    )
    orders = tuple(
        Order(
            id=str(number),
            place=Place(str(number)),
            minutes=10 * service,
            windows=(Window(10 * opens, 10 * closes),),
            priority=1,
            units=demand,
        )
        for number, _x, _y, demand, opens, closes, service in rows[1:]
    )
    table = Table(tuple(str(one[0]) for one in rows), ways)
    return Problem(engineers, orders, table, replace(PRICES, left_out=(100_000, 1, 1, 1)))


async def replan_day(size: Size) -> Figure:
    """At eleven, urgent repairs come in: the share of promises that is broken, with their price."""
    return await asyncio.to_thread(_replan_day, size)


def _replan_day(size: Size) -> Figure:
    _warm()
    full = is_full(size)
    engineers, orders, urgent = (25, 250, 30) if full else (4, 20, 3)
    seconds = 2.0 if full else 0.1
    with_price, ratios = [], []
    for seed in range(1, 4 if full else 2):
        day = county_day(engineers, orders + urgent, seed=seed)
        known, new = day.orders[:orders], day.orders[orders:]
        morning = replace(day, orders=known)
        before = plan(morning, seed=1, seconds=seconds)
        arrived = tuple(replace(one, priority=1, windows=(), deadline=900) for one in new)
        broken = {}
        for priced in (True, False):
            prices = PRICES if priced else _no_price_on_promises()
            rest = replace(morning, prices=prices)
            found = replan(rest, before, Changes(660, arrived), seed=1, seconds=seconds)
            _right(found.problem, found.plan)
            ahead = [name for name, who in before.visits.items() if who[0][1].start >= 660]
            moved = [one for one in found.changes if one.kind is not ChangeKind.ADDED]
            lost = {one.order_id for one in moved if _breaks(before, found.plan, one.order_id)}
            served = sum(one.id in found.plan.visits for one in arrived)
            broken[priced] = len(lost) / len(ahead)
            tell(
                f"replan_day: {'with' if priced else 'without'} a price on promises"
                f" {100 * (1 - broken[priced]):.0f} % are kept, {served} of {urgent} urgent served"
            )
        with_price.append(max(100 * broken[True], 0.01))
        ratios.append(max(broken[True], 1e-3) / max(broken[False], 1e-3))
    return figure(
        "replan_day", with_price, "% broken", against="no price on promises", ratios=ratios
    )


def _no_price_on_promises() -> Prices:
    return replace(PRICES, promise_broken=(0, 0, 0, 0), engineer_changed=0)


def _breaks(before: Plan, after: Plan, name: str) -> bool:
    """Say whether somebody else comes, or more than half an hour earlier or later, or nobody."""
    old, new = before.visits.get(name), after.visits.get(name)
    if not old:
        return False
    if not new or {who for who, _ in old} != {who for who, _ in new}:
        return True
    return abs(new[0][1].start - old[0][1].start) > 30


async def place_one(size: Size) -> Figure:
    """Find the place of one order among 100 engineers with ten stops each."""
    return await asyncio.to_thread(_place_one, size)


def _place_one(size: Size) -> Figure:
    engineers = 100 if is_full(size) else 5
    day = _full_board(engineers)
    today = plan(day, seed=1, iterations=0)
    stops = sum(len(one.stops) for one in today.routes)
    took, ratios = [], []
    for number in range(10 * size.runs):
        asked = replace(day.orders[number % len(day.orders)], id=f"new-{number}")
        started = time.thread_time()
        place(day, today, asked)
        took.append(1000 * (time.thread_time() - started))
        started = time.thread_time()
        _ways(day, asked)
        ratios.append(took[-1] / (1000 * (time.thread_time() - started)))
    tell(f"place_one: {engineers} engineers, {stops} stops: median {median(took):.2f} ms")
    against = "the ways from the order to every planned one"
    return figure("place_one", took, "ms", against=against, ratios=ratios)


def _ways(day: Problem, asked: Order) -> Sequence[int]:
    return [day.travel.minutes(asked.place, one.place) for one in day.orders]


def _full_board(engineers: int) -> Problem:
    """Return a day on which everybody has about ten short visits, by coordinates."""
    made = county_day(engineers, 10 * engineers, seed=1)
    where = {
        one.id: Place(one.id, 38.0 + (number * 37 % 101) / 400, 114.0 + (number * 53 % 103) / 400)
        for number, one in enumerate(
            [*(one.start for one in made.engineers), *(one.place for one in made.orders)]
        )
    }
    return Problem(
        tuple(
            replace(one, start=where[one.start.id], home=where[one.start.id], skills=frozenset())
            for one in made.engineers
        ),
        tuple(
            replace(
                one,
                place=where[one.place.id],
                minutes=20,
                skills=frozenset(),
                windows=(),
                deadline=None,
                promise=None,
            )
            for one in made.orders
        ),
        GreatCircle(kilometres_an_hour=60.0),
    )
