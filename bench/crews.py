"""How good a plan of crews is, on the public instances of the ROADEF/EURO challenge of 2007.

The folder named by ``ROADEF`` holds ``setA`` with a folder for each instance, of three tables:
``instance``, ``interv_list`` and ``tech_list``. Who owns them is told nowhere, so the project ships
none. ``ROADEF_SECONDS`` is the CPU time of each plan, a minute otherwise. Without the folder, work
that is made up is planned in a short and in a longer time instead.
"""

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import mean

from bench.measuring import Figure, Size, figure, is_full, tell
from huaxiao.dispatch.domain.planning.crews.checking import check_crews
from huaxiao.dispatch.domain.planning.crews.engine import plan_crews as plan
from huaxiao.dispatch.domain.planning.crews.model import (
    CrewPlan,
    CrewProblem,
    Need,
    Person,
    WorkOrder,
)

DAY_MINUTES = 120
BEST_KNOWN = {
    "data1": 2340,
    "data2": 4755,
    "data3": 11880,
    "data4": 13452,
    "data5": 28845,
    "data6": 18795,
    "data7": 30540,
    "data8": 16920,
    "data9": 27348,
    "data10": 38296,
}


async def plan_crews(size: Size) -> Figure:
    """Plan crews over several days, against the best known or against three times the time."""
    return await asyncio.to_thread(_plan_crews, size)


def _plan_crews(size: Size) -> Figure:
    plan(made_up_work(4, 6, seed=0), seed=0, iterations=2)
    seconds = float(os.environ.get("ROADEF_SECONDS", "60")) if is_full(size) else 0.1
    folder = os.environ.get("ROADEF")
    if not folder:
        tell("plan_crews: no folder is named in ROADEF")
        return _made_up(min(seconds, 5.0), 2 if is_full(size) else 1)
    costs, ratios = [], []
    paths = [Path(folder) / "setA" / name for name in BEST_KNOWN]
    for path in [one for one in paths if one.is_dir()]:
        problem = roadef(path)
        costs.append(_right(problem, plan(problem, seed=1, seconds=seconds)))
        known = BEST_KNOWN[path.name]
        ratios.append(costs[-1] / known)
        gap = 100 * (ratios[-1] - 1)
        tell(f"plan_crews: {path.name}: {costs[-1]} beside {known}, {gap:.2f} % above")
    tell(f"plan_crews: mean {100 * (mean(ratios) - 1):.2f} % in {seconds:g} s")
    return figure("plan_crews", costs, "cost", against="best known", ratios=ratios)


def _made_up(seconds: float, runs: int) -> Figure:
    costs, ratios = [], []
    for seed in range(1, runs + 1):
        problem = made_up_work(20, 60, seed=seed)
        long = _right(problem, plan(problem, seed=1, seconds=3 * seconds))
        costs.append(_right(problem, plan(problem, seed=1, seconds=seconds)))
        ratios.append(costs[-1] / long)
    return figure("plan_crews", costs, "cost", against="three times the time", ratios=ratios)


def _right(problem: CrewProblem, found: CrewPlan) -> int:
    """Return what a plan costs, if it may be carried out and leaves nothing out."""
    if wrong := check_crews(problem, found):
        raise RuntimeError("; ".join(wrong[:3]))
    if found.not_planned:
        raise RuntimeError(f"{found.not_planned[0].order_id} is not planned")
    return found.cost.total


def made_up_work(people: int, orders: int, seed: int) -> CrewProblem:
    """Return work with three domains of three levels; a third of it waits for other work."""
    chance = Random(seed)
    domains = ("splice", "duct", "pole")
    crew = [
        Person(
            f"W{number}",
            {one: chance.randint(1, 3) for one in domains},
            frozenset(chance.sample(range(10), 2)),
        )
        for number in range(people)
    ]
    work: list[WorkOrder] = []
    for number in range(orders):
        waits = [chance.choice(work).id] if work and chance.random() < 1 / 3 else []
        needs = tuple(
            Need(one, chance.randint(1, 3), 1)
            for one in chance.sample(domains, chance.randint(1, 2))
        )
        minutes = chance.choice((60, 120, 240, 480))
        priority = chance.choice((1, 1, 2, 3))
        work.append(WorkOrder(f"O{number}", minutes, needs, priority, frozenset(waits)))
    return CrewProblem((*crew, Person("master", dict.fromkeys(domains, 3))), tuple(work))


def roadef(folder: Path) -> CrewProblem:
    """Read an instance; its days are counted from 1, ours from 0."""
    domains, levels, _, _, budget = (
        int(one) for one in (folder / "instance").read_text().splitlines()[1].split()[1:6]
    )
    people = []
    for row in _rows(folder / "tech_list"):
        has = {f"d{at + 1}": int(level) for at, level in enumerate(row[1 : domains + 1])}
        off = frozenset(int(one) - 1 for one in row[domains + 1].split())
        people.append(Person(row[0], has, off))
    orders = []
    for name, minutes, after, priority, price, *counts in _rows(folder / "interv_list"):
        needs = tuple(
            Need(f"d{at // levels + 1}", at % levels + 1, int(count))
            for at, count in enumerate(counts)
            if int(count)
        )
        orders.append(
            WorkOrder(
                id=name,
                minutes=int(minutes),
                needs=needs,
                priority=int(priority),
                after=frozenset(after.split()),
                contract=int(price),
            )
        )
    return CrewProblem(tuple(people), tuple(orders), DAY_MINUTES, budget=budget)


def _rows(path: Path) -> Iterator[list[str]]:
    """Give the fields of each row but the first; a list in brackets is one field."""
    for line in path.read_text().splitlines()[1:]:
        fields = re.findall(r"\[([^\]]*)\]|(\S+)", line)
        if fields:
            yield [bracketed.strip() or plain for bracketed, plain in fields]
