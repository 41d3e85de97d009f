"""What crews are planned from, and what a plan of crews is: frozen values that pickle.

Days count from 0. Times are minutes of working time: with days of 480 minutes, 500 is twenty minutes
into the second day. Nothing is begun on one day and ended on another.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

NEEDS_AT_MOST = 60


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is sent with a crew (R13, R14)."""

    id: str
    levels: Mapping[str, int]
    """By domain of skill, from 1 on; whoever has a level has the lower ones too."""
    days_off: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """So many people of a crew have a domain's level, or a higher one; one person may meet several."""

    domain: str
    level: int
    people: int


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """Work that one crew does in one go."""

    id: str
    minutes: int
    needs: tuple[Need, ...]
    priority: int = 4
    """1 is the most urgent."""
    after: frozenset[str] = frozenset()
    """It begins when these have ended."""
    contract: int | None = None
    """What an outside contractor asks for it; None: no contractor can be given it."""


@dataclass(frozen=True, slots=True)
class CrewPrices:
    """What a minute costs by which the last order ends later."""

    last_end: tuple[int, ...] = (28, 14, 4, 0)
    """Of a priority, from 1 on."""
    last_of_all: int = 1
    left_out: tuple[int, ...] = (1_000_000, 500_000, 200_000, 100_000)
    """For an order that nobody does, by priority."""

    def __post_init__(self) -> None:
        if len(self.last_end) != len(self.left_out):
            raise ValueError("last_end and left_out need a price for each priority.")


@dataclass(frozen=True)
class CrewProblem:
    """Work to be planned over several days."""

    people: tuple[Person, ...]
    orders: tuple[WorkOrder, ...]
    day_minutes: int = 480
    days: int | None = None
    """How many there are; None: as many as it takes."""
    budget: int = 0
    """For outside contractors. Who waits for an order of theirs is theirs as well."""
    prices: CrewPrices = field(default_factory=CrewPrices)

    def __post_init__(self) -> None:
        _refuse_twice(one.id for one in self.people)
        _refuse_twice(one.id for one in self.orders)
        for one in self.orders:
            if not 1 <= one.priority <= len(self.prices.last_end):
                raise ValueError(f"{one.id}: its priority has no price.")
            if one.minutes < 1 or not any(need.people > 0 for need in one.needs):
                raise ValueError(f"{one.id} takes no time, or nobody.")
            if len(one.needs) > NEEDS_AT_MOST:
                raise ValueError(f"{one.id} needs more than can be kept.")
            if not one.after <= self.order.keys():
                raise ValueError(f"{one.id} waits for an order that is not given.")
        try:
            _ = self.in_sequence
        except CycleError as error:
            raise ValueError("Orders wait for each other.") from error

    @cached_property
    def order(self) -> Mapping[str, WorkOrder]:
        """Return the orders by id."""
        return {one.id: one for one in self.orders}

    @cached_property
    def person(self) -> Mapping[str, Person]:
        """Return the people by id."""
        return {one.id: one for one in self.people}

    @cached_property
    def in_sequence(self) -> tuple[WorkOrder, ...]:
        """Return the orders, each behind those that it waits for."""
        graph = {one.id: sorted(one.after) for one in self.orders}
        return tuple(self.order[one] for one in TopologicalSorter(graph).static_order())


def _refuse_twice(ids: Iterable[str]) -> None:
    given = list(ids)
    if len(set(given)) < len(given):
        raise ValueError("An id is given twice.")


@dataclass(frozen=True, slots=True)
class Task:
    """An order as it is planned, in minutes from the first day's beginning."""

    order_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Crew:
    """People who stay together for a day, and what they do one after another."""

    day: int
    people: tuple[str, ...]
    tasks: tuple[Task, ...]


class CrewReason(StrEnum):
    """Why an order is not planned; the first that holds."""

    DAY = "day"
    """It takes longer than a day."""
    SKILL = "skill"
    """All people together have not the skills."""
    DAYS_OFF = "days_off"
    """Those who have the skills are not at work on one day."""
    WAITS = "waits"
    """It waits for an order that is not planned."""
    FULL = "full"
    """The days leave no room."""


@dataclass(frozen=True, slots=True)
class NotPlanned:
    """An order that nobody does, and why."""

    order_id: str
    reason: CrewReason
    price: int
    """What leaving it out costs."""
    wanting: tuple[Need, ...] = ()
    """Skills, and how many people are wanting: of all, or on the day that comes closest."""
    waits_for: tuple[str, ...] = ()
    """Orders that are in its way."""


@dataclass(frozen=True, slots=True)
class CrewCost:
    """A plan's cost, and what it is made of."""

    last_ends: tuple[int, ...] = ()
    """By priority, in minutes; 0 where there is none."""
    last_of_all: int = 0
    time: int = 0
    """All last ends by their prices."""
    left_out: int = 0
    contracts: int = 0
    """What contractors get, out of the budget and beside the cost."""

    @property
    def total(self) -> int:
        """Return what the search makes small."""
        return self.time + self.left_out


@dataclass(frozen=True)
class CrewPlan:
    """The crews of every day."""

    crews: tuple[Crew, ...]
    outside: tuple[str, ...]
    """Orders that contractors do."""
    not_planned: tuple[NotPlanned, ...]
    cost: CrewCost
    iterations: int = 0
    """How long was searched."""

    @cached_property
    def task(self) -> Mapping[str, Task]:
        """Return what is planned, by order."""
        return {task.order_id: task for crew in self.crews for task in crew.tasks}
