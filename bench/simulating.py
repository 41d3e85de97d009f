"""A month of many counties, step by step, at the costs that were measured: pure, and the same each time."""

import random
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

STEP_SECONDS = 600
_DAY = 24 * 3600 // STEP_SECONDS
STEPS = 30 * _DAY
_EVENING = 22
_NIGHT_HOURS = 8
_OFFICE = range(8, 18)
_IN_THE_RUN = 0.9
_RUN_STEPS = 2 * 3600 // STEP_SECONDS


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of one piece of work: of the service, of the database; and what it leaves on disk."""

    service: float
    database: float
    bytes: float = 0.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What each kind of work costs."""

    item: Cost
    """A bill item: decided, explained, booked, followed by kpi and dispatch."""
    order: Cost
    """An order from its request to its confirmation."""
    look: Cost
    """A question of a dashboard."""


@dataclass(frozen=True, slots=True)
class County:
    """What a county asks of the suite in a month."""

    subscribers: int
    items: int
    orders: int
    looks: int


@dataclass(frozen=True, slots=True)
class Machines:
    """Where it runs: replicas of the services at work at once, a core each; cores of the database."""

    replicas: int
    database_cores: int


class Limit(StrEnum):
    """What holds a month up."""

    SERVICES = "services"
    DATABASE = "database"
    BRANCH = "one branch's bookings, one after another"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Month:
    """How a month went."""

    longest_run_seconds: int
    """From the first item of a county's bill run until the last of it was booked, of the slowest."""
    busiest_service: float
    """Share of the services' cores in the busiest ten minutes."""
    busiest_database: float
    mean_service: float
    mean_database: float
    bytes: float
    left: float
    """Items that the month's end finds unbooked."""
    limit: Limit
    """What was used up while items waited."""


def simulate(
    county: County, counties: int, costs: Costs, machines: Machines, *, seed: int = 1
) -> Month:
    """Let counties have their bill runs in the first night, and their people work by day.

    Nine items in ten come in two hours of that night, the rest evenly. People go before batches. A
    county's items are booked one batch after another: it uses one core at most, of services and
    database together.
    """
    chance = random.Random(seed)
    starts = np.array(
        [(_EVENING + chance.randrange(_NIGHT_HOURS)) * _DAY // 24 for _ in range(counties)]
    )
    even = county.items * (1 - _IN_THE_RUN) / STEPS
    in_a_run = county.items * _IN_THE_RUN / _RUN_STEPS
    one_at_most = STEP_SECONDS / (costs.item.service + costs.item.database)
    given_service = float(STEP_SECONDS * machines.replicas)
    given_database = float(STEP_SECONDS * machines.database_cores)
    waiting, ended = np.zeros(counties), starts.copy()
    used: list[tuple[float, float]] = []
    held_up: Counter[Limit] = Counter()
    for step in range(STEPS):
        waiting += even + np.where((starts <= step) & (step < starts + _RUN_STEPS), in_a_run, 0)
        by_people = _by_people(county, costs, step)
        left_service = max(0.0, given_service - counties * by_people.service) / costs.item.service
        left_database = (
            max(0.0, given_database - counties * by_people.database) / costs.item.database
        )
        wanted = np.minimum(waiting, one_at_most)
        booked = min(float(wanted.sum()), left_service, left_database)
        share = booked / float(wanted.sum())
        waiting -= wanted * share
        behind = waiting > even
        running = (starts <= step) & (step < starts + _RUN_STEPS)
        ended = np.where(behind | running, step + 1, ended)
        used.append(
            (
                (counties * by_people.service + booked * costs.item.service) / given_service,
                (counties * by_people.database + booked * costs.item.database) / given_database,
            )
        )
        if behind.any():
            held_up[_limit(share, left_service, left_database)] += 1
    return Month(
        longest_run_seconds=STEP_SECONDS * int((ended - starts).max()),
        busiest_service=max(service for service, _ in used),
        busiest_database=max(database for _, database in used),
        mean_service=sum(service for service, _ in used) / STEPS,
        mean_database=sum(database for _, database in used) / STEPS,
        bytes=counties * (county.items * costs.item.bytes + county.orders * costs.order.bytes),
        left=float(waiting.sum()),
        limit=held_up.most_common(1)[0][0] if held_up else Limit.NOTHING,
    )


def _by_people(county: County, costs: Costs, step: int) -> Cost:
    """Return what a county's people cost in a step: they work by day."""
    if step % _DAY * 24 // _DAY not in _OFFICE:
        return Cost(0.0, 0.0)
    steps = len(_OFFICE) * STEPS / 24
    orders, looks = county.orders / steps, county.looks / steps
    return Cost(
        orders * costs.order.service + looks * costs.look.service,
        orders * costs.order.database + looks * costs.look.database,
    )


def _limit(share: float, left_service: float, left_database: float) -> Limit:
    if share == 1:
        return Limit.BRANCH
    return Limit.SERVICES if left_service < left_database else Limit.DATABASE


def most_counties(
    county: County, costs: Costs, machines: Machines, *, within_seconds: int
) -> tuple[int, Month]:
    """Return how many counties the machines carry, every bill run booked in time, and the month of one more."""
    fits, stops = 0, 1
    while simulate(county, stops, costs, machines).longest_run_seconds <= within_seconds:
        fits, stops = stops, 2 * stops
    while stops - fits > 1:
        middle = (fits + stops) // 2
        if simulate(county, middle, costs, machines).longest_run_seconds <= within_seconds:
            fits = middle
        else:
            stops = middle
    return fits, simulate(county, stops, costs, machines)
