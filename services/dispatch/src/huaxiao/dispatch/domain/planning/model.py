"""What a day is planned from, and what a plan is: frozen values that pickle.

All times are whole minutes since 00:00 of the planned day and may run past 1440. Prices are whole
numbers of one unit, a minute of travel by default, so that equal input gives an equal plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from huaxiao.dispatch.domain.planning.prices import Cost, Prices
from huaxiao.dispatch.domain.planning.travel import GreatCircle, Place, Travel


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Minutes within which a visit, or a break, may begin; both ends belong to it."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if self.closes < self.opens:
            raise ValueError(f"A window closes before it opens: {self.opens}-{self.closes}")


@dataclass(frozen=True, slots=True)
class Break:
    """Time off within a shift, taken wherever the engineer is; it begins within its window."""

    window: Window
    minutes: int


@dataclass(frozen=True, slots=True)
class Engineer:
    """Somebody who is sent out for a day (R13, R14)."""

    id: str
    start: Place
    shift: Window
    """The engineer leaves ``start`` no earlier, and ends the last visit (or is home) no later."""
    skills: frozenset[str] = frozenset()
    home: Place | None = None
    """Where the day ends; None: the way back is nobody's concern."""
    breaks: tuple[Break, ...] = ()
    centre: str | None = None
    capacity: int | None = None
    """Units of material that go into the vehicle; None: no limit."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a customer was told: who comes, and when the work begins."""

    engineers: frozenset[str]
    window: Window


@dataclass(frozen=True, slots=True)
class Started:
    """Work under way or done: who began it, and at which minute."""

    engineers: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Order:
    """A visit that somebody asked for."""

    id: str
    place: Place
    minutes: int
    skills: frozenset[str] = frozenset()
    """Every member of the crew has all of them."""
    windows: tuple[Window, ...] = ()
    """When the work may begin; none: at any time."""
    deadline: int | None = None
    """By when it begins, by its service level."""
    deadline_is_hard: bool = False
    """Later is not possible; otherwise every minute later has its price."""
    priority: int = 4
    """1 is the most urgent; ``Prices.left_out`` has a price for each."""
    crew: int = 1
    """How many engineers work on it, all at once."""
    pinned_to: str | None = None
    """Nobody else does it: somebody decided so."""
    forbidden: frozenset[str] = frozenset()
    promise: Promise | None = None
    started: Started | None = None
    centre: str | None = None
    """The centre whose work it is; others do it at a price."""
    units: int = 0
    """Material that it takes of the vehicle's capacity."""


@dataclass(frozen=True)
class Problem:
    """A day to be planned."""

    engineers: tuple[Engineer, ...]
    orders: tuple[Order, ...]
    travel: Travel = field(default_factory=GreatCircle)
    prices: Prices = field(default_factory=Prices)
    now: int = 0
    """Nobody can be sent earlier. Breaks that should have begun before are taken as had."""

    def __post_init__(self) -> None:
        for what in (self.engineers, self.orders):
            if len({one.id for one in what}) < len(what):
                raise ValueError("An id is given twice.")
        if any(not 1 <= one.priority <= len(self.prices.left_out) for one in self.orders):
            raise ValueError("A priority has no price.")

    @cached_property
    def engineer(self) -> Mapping[str, Engineer]:
        """Return the engineers by id."""
        return {one.id: one for one in self.engineers}

    @cached_property
    def order(self) -> Mapping[str, Order]:
        """Return the orders by id."""
        return {one.id: one for one in self.orders}


@dataclass(frozen=True, slots=True)
class Stop:
    """A visit on somebody's way, or a break."""

    order_id: str | None
    """None: a break."""
    travel: int
    """Minutes from the place before."""
    arrival: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Route:
    """Somebody's day."""

    engineer_id: str
    stops: tuple[Stop, ...] = ()
    travel_home: int = 0

    @property
    def order_ids(self) -> tuple[str, ...]:
        """Return what is visited, in order."""
        return tuple(one.order_id for one in self.stops if one.order_id is not None)


class Reason(StrEnum):
    """Why somebody does not get an order; the worst that holds comes first."""

    STARTED = "started"
    PINNED = "pinned"
    FORBIDDEN = "forbidden"
    SKILL = "skill"
    CAPACITY = "capacity"
    SHIFT = "shift"
    """The shift leaves no room for it, even with nothing else to do."""
    WINDOW = "window"
    """Nobody could be there within its windows, even with nothing else to do."""
    FULL = "full"
    """What is already planned leaves no room."""
    PRICE = "price"
    """It fits, and costs more than to leave it out."""
    CREW = "crew"
    """Not enough engineers are free at the same time."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why one engineer does not do an order; with its price where it is only that."""

    engineer_id: str
    reason: Reason
    missing: tuple[str, ...] = ()
    """Skills that are wanting."""
    price: int | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An order that nobody does today, and why."""

    order_id: str
    reason: Reason
    """What holds for the engineer who comes closest to doing it."""
    price: int
    """What leaving it out costs."""
    obstacles: tuple[Obstacle, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Everybody's day."""

    routes: tuple[Route, ...]
    left_out: tuple[LeftOut, ...]
    cost: Cost
    iterations: int = 0
    """How long was searched."""

    @cached_property
    def route(self) -> Mapping[str, Route]:
        """Return the routes by engineer."""
        return {one.engineer_id: one for one in self.routes}

    @cached_property
    def visits(self) -> Mapping[str, tuple[tuple[str, Stop], ...]]:
        """Return who does each planned order, and when."""
        found: dict[str, list[tuple[str, Stop]]] = {}
        for route in self.routes:
            for stop in route.stops:
                if stop.order_id is not None:
                    found.setdefault(stop.order_id, []).append((route.engineer_id, stop))
        return {one: tuple(who) for one, who in found.items()}
