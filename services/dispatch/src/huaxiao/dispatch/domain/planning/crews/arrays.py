"""A problem of crews as the arrays that the search works on, and the search's plan as crews."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, permutations

import numpy as np
from numpy.typing import NDArray

from huaxiao.dispatch.domain.planning.crews.model import (
    Crew,
    CrewProblem,
    Need,
    Task,
    WorkOrder,
)
from huaxiao.dispatch.domain.planning.crews.reasons import never_possible
from huaxiao.dispatch.domain.planning.crews.search import (
    BLINK,
    COUNT,
    CREW,
    DAY,
    NO_PRICE,
    NOBODYS,
    OFF,
    OUTSIDE,
    POSSIBLE,
    PRIORITY,
    START,
    Board,
    Facts,
    Flags,
    Integers,
    Kept,
    Numbers,
    Scratch,
)


@dataclass(frozen=True)
class Prepared:
    """A problem ready for the search."""

    problem: CrewProblem
    orders: tuple[WorkOrder, ...]
    """Each behind those that it waits for."""
    facts: Facts


def prepare(problem: CrewProblem) -> Prepared:
    """Turn a problem into arrays."""
    orders = problem.in_sequence
    skills = sorted({(need.domain, need.level) for one in orders for need in _needs(one)})
    number = {one.id: at for at, one in enumerate(orders)}
    need = np.zeros((len(orders), len(skills)), dtype=np.int64)
    for at, one in enumerate(orders):
        for wanted in _needs(one):
            need[at, skills.index((wanted.domain, wanted.level))] = wanted.people
    has = np.array(
        [
            [who.levels.get(domain, 0) >= level for domain, level in skills]
            for who in problem.people
        ],
        dtype=np.int64,
    ).reshape(len(problem.people), len(skills))
    waits = [sorted(number[other] for other in one.after) for one in orders]
    behind = [[at for at, them in enumerate(waits) if one in them] for one in range(len(orders))]
    ahead = _ahead(waits)
    prices = problem.prices
    weights = np.array([*prices.last_end, prices.last_of_all], dtype=np.int64)
    never = never_possible(problem)
    work = [
        (
            one.minutes,
            one.priority - 1,
            prices.left_out[one.priority - 1],
            NO_PRICE if one.contract is None else one.contract,
            one.id not in never,
        )
        for one in orders
    ]
    facts = Facts(
        work=np.array(work, dtype=np.int64).reshape(len(orders), POSSIBLE + 1),
        need=need,
        asked=_rows([np.flatnonzero(row) for row in need]),
        skills=has,
        able=_able(need, has),
        worth=_worth(need, has, np.array([one.minutes for one in orders], dtype=np.int64)),
        before=_rows(waits),
        behind=_rows(behind),
        ahead=ahead,
        weights=weights,
        guide=weights.astype(np.float64),
        urgency=np.ones(len(orders), dtype=np.float64),
        day_minutes=problem.day_minutes,
        budget=problem.budget,
    )
    return Prepared(problem, orders, facts)


def _needs(order: WorkOrder) -> list[Need]:
    """Return what an order needs, without what a higher level of the same domain asks for anyway."""
    return [
        one
        for one in order.needs
        if one.people > 0
        and not any(
            other.domain == one.domain
            and (other.people, other.level) > (one.people, one.level)
            and other.people >= one.people
            and other.level >= one.level
            for other in order.needs
        )
    ]


def _rows(lists: Sequence[Iterable[int]]) -> Integers:
    """Return lists as rows: how many there are, and then which."""
    given = [list(one) for one in lists]
    table = np.zeros((len(given), 1 + max([1, *map(len, given)])), dtype=np.int64)
    for at, one in enumerate(given):
        table[at, 0] = len(one)
        table[at, 1 : len(one) + 1] = one
    return table


def _able(need: Integers, has: Integers) -> Integers:
    able = np.zeros((len(need), len(has)), dtype=np.int64)
    for at, row in enumerate(need):
        for number, skill in enumerate(np.flatnonzero(row)):
            able[at] |= has[:, skill] << number
    return able


def _ahead(waits: Sequence[Sequence[int]]) -> Flags:
    ahead = np.zeros((len(waits), len(waits)), dtype=np.bool_)
    for at, them in enumerate(waits):
        for other in them:
            ahead[other, at] = True
            ahead[:, at] |= ahead[:, other]
    return ahead


def _worth(need: Integers, has: Integers, minutes: Integers) -> Numbers:
    """Return how much the skills of each person are asked for, by how few have them."""
    asked = (need * minutes[:, None]).sum(axis=0)
    rarity = asked / np.maximum(1, has.sum(axis=0))
    worth: Numbers = (has * rarity).sum(axis=1).astype(np.float64)
    mean = float(worth.mean()) if worth.size else 0.0
    return worth / mean if mean > 0 else np.ones(len(has), dtype=np.float64)


def _urgency(facts: Facts, own: Numbers) -> Numbers:
    """Return the highest weight of an order and of those that wait for it."""
    theirs = np.where(facts.ahead, own[None, :], 0.0).max(axis=1, initial=0.0)
    urgency: Numbers = np.maximum(np.maximum(own, theirs), 1.0)
    return urgency


def guides(prepared: Prepared, most: int) -> list[Facts]:
    """Return the facts with the weights in each sequence of the priorities that have orders once.

    The first is the one of the prices; at most so many, those that change the dearest last.
    """
    facts = prepared.facts
    weights = facts.weights.astype(np.float64)
    there = sorted({int(one) for one in facts.work[:, PRIORITY]}, key=lambda one: -weights[one])
    priced = [one for one in there if weights[one] > 0]
    found = []
    for sequence in islice(permutations(priced), most):
        guide = weights.copy()
        guide[list(sequence)] = weights[priced]
        found.append(guided_by(facts, guide))
    return found


def guided_by(facts: Facts, guide: Numbers) -> Facts:
    """Return the facts with weights that guide the search."""
    own = guide[facts.work[:, PRIORITY]] + guide[-1]
    return facts._replace(guide=guide, urgency=_urgency(facts, own))


def days_at_most(problem: CrewProblem) -> int:
    """Return a number of days within which everything that is possible can be done."""
    if problem.days is not None:
        return problem.days
    off = max((max(one.days_off, default=-1) for one in problem.people), default=-1)
    return off + 1 + len(problem.orders)


def empty_board(prepared: Prepared, days: int, seed: int) -> Board:
    """Return a board without crews."""
    facts, problem = prepared.facts, prepared.problem
    people, skills = facts.skills.shape
    orders = len(prepared.orders)
    longest = max(
        1,
        min(orders, problem.day_minutes // min([problem.day_minutes, *_minutes(prepared)])),
    )
    off = np.array(
        [[day in one.days_off for one in problem.people] for day in range(days)], dtype=np.bool_
    ).reshape(days, people)
    free = np.zeros((days, skills + 1), dtype=np.int64)
    free[:, :skills] = (~off).astype(np.int64) @ facts.skills
    free[:, skills] = (~off).sum(axis=1)
    crews = min(people, orders)
    mixed = (seed * 0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03) % (1 << 64) or 1
    return Board(
        orders=np.zeros((orders, START + 1), dtype=np.int64),
        crews=np.zeros((days, crews, COUNT + 1), dtype=np.int64),
        sequences=np.zeros((days, crews, longest + 1), dtype=np.int64),
        supply=np.zeros((days, crews, skills), dtype=np.int64),
        crew_of=np.where(off, OFF, NOBODYS).astype(np.int64),
        free=free,
        spent=np.zeros(1, dtype=np.int64),
        state=np.array([mixed], dtype=np.uint64),
    )


def _minutes(prepared: Prepared) -> list[int]:
    return [one.minutes for one in prepared.orders]


def empty_copy(board: Board) -> Kept:
    """Return room for a copy of a board."""
    return Kept(*(np.zeros_like(getattr(board, name)) for name in Kept._fields))


def empty_scratch(prepared: Prepared, board: Board) -> Scratch:
    """Return room for a search to work in."""
    orders, (days, people) = len(board.orders), board.crew_of.shape
    classes = len(prepared.facts.weights)

    def room(size: int) -> NDArray[np.int64]:
        return np.zeros(size, dtype=np.int64)

    return Scratch(
        touched=np.zeros(days, dtype=np.bool_),
        ruined=np.zeros(days, dtype=np.bool_),
        waiting=room(max(orders, people)),
        keys=np.zeros(orders, dtype=np.float64),
        wanting=room(prepared.facts.need.shape[1]),
        chosen=room(people + 1),
        best=room(people + 1),
        lasts=room(classes),
        sums=np.zeros(2 * classes, dtype=np.float64),
        day_orders=room(orders),
        prices=np.zeros(BLINK + 1, dtype=np.float64),
    )


def crews_of(prepared: Prepared, board: Board) -> tuple[tuple[Crew, ...], tuple[str, ...]]:
    """Return the crews that a board holds, and what contractors do."""
    people = prepared.problem.people
    found = []
    for day, crew in sorted({(int(row[DAY]), int(row[CREW])) for row in board.orders}):
        if day < 0:
            continue
        tasks = []
        for at in board.sequences[day, crew, : board.crews[day, crew, COUNT]]:
            start = int(board.orders[at, START])
            order = prepared.orders[int(at)]
            tasks.append(Task(order.id, start, start + order.minutes))
        who = tuple(people[int(one)].id for one in np.flatnonzero(board.crew_of[day] == crew))
        found.append(Crew(day, who, tuple(tasks)))
    outside = tuple(
        one.id
        for one, row in zip(prepared.orders, board.orders, strict=True)
        if row[DAY] == OUTSIDE
    )
    return tuple(found), outside
