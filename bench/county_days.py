"""Days of a county that are made up: towns, engineers with homes and skills, more orders than fit."""

import math
from random import Random

from huaxiao.dispatch.domain.planning.model import Engineer, Order, Problem, Window
from huaxiao.dispatch.domain.planning.prices import Prices
from huaxiao.dispatch.domain.planning.travel import Place, Table

SIDE_KM = 40.0
TOWNS = 10
MINUTES_A_KM = 2.0
SKILLS = ("install", "repair", "maintain", "leased-line", "iptv", "cable")
SHIFTS = (Window(8 * 60, 17 * 60), Window(10 * 60, 19 * 60))
PRICES = Prices(left_out=(600, 300, 150, 80))

_Point = tuple[float, float]


def county_day(engineers: int, orders: int, seed: int) -> Problem:
    """Return a day: four fifths of the orders lie around towns, some have an appointment.

    A third have an appointment of two hours, a quarter a deadline of their service level, which is
    hard so that solvers that know no price of lateness can be held against. Every engineer starts
    and ends at home, in one of two shifts, with two to four of six skills; an order needs one.
    """
    chance = Random(seed)
    towns = [(chance.uniform(0, SIDE_KM), chance.uniform(0, SIDE_KM)) for _ in range(TOWNS)]
    points: dict[str, _Point] = {}

    def place(name: str) -> Place:
        if chance.random() < 0.8:
            town = chance.choice(towns)
            x, y = (chance.gauss(one, 1.5) for one in town)
        else:
            x, y = chance.uniform(0, SIDE_KM), chance.uniform(0, SIDE_KM)
        points[name] = (x, y)
        return Place(name)

    people = []
    for number in range(engineers):
        home = place(f"home-{number}")
        people.append(
            Engineer(
                id=f"W{number:03}",
                start=home,
                home=home,
                shift=chance.choice(SHIFTS),
                skills=frozenset(chance.sample(SKILLS, chance.randint(2, 4))),
            )
        )
    work = [_order(chance, f"O{number:04}", place(f"at-{number}")) for number in range(orders)]
    ids = tuple(points)
    rows = tuple(tuple(_minutes(points[one], points[other]) for other in ids) for one in ids)
    return Problem(tuple(people), tuple(work), Table(ids, rows), PRICES)


def _order(chance: Random, name: str, place: Place) -> Order:
    windows: tuple[Window, ...] = ()
    deadline = None
    if chance.random() < 1 / 3:
        opens = 60 * chance.randint(8, 16)
        windows = (Window(opens, opens + 120),)
    elif chance.random() < 3 / 8:
        deadline = 60 * chance.randint(10, 17)
    return Order(
        id=name,
        place=place,
        minutes=chance.choice((20, 30, 30, 40, 45, 60, 90)),
        skills=frozenset({chance.choice(SKILLS)}),
        windows=windows,
        deadline=deadline,
        deadline_is_hard=True,
        priority=chance.choices((1, 2, 3, 4), (10, 20, 40, 30))[0],
    )


def _minutes(one: _Point, other: _Point) -> int:
    return math.ceil(MINUTES_A_KM * math.dist(one, other))
