"""The checker finds what is wrong: each plan here was right before it was spoilt."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from huaxiao.dispatch.domain.planning.checking import check
from huaxiao.dispatch.domain.planning.engine import plan
from huaxiao.dispatch.domain.planning.model import (
    Break,
    Engineer,
    Order,
    Plan,
    Problem,
    Promise,
    Window,
)
from huaxiao.dispatch.domain.planning.travel import Place, Table

PLACES = Table(("a", "b"), ((0, 10), (10, 0)))
DAY = Window(480, 1020)
NOON = Break(Window(700, 760), 30)
PROBLEM = Problem(
    (
        Engineer("W1", Place("a"), DAY, frozenset({"repair"}), home=Place("a"), breaks=(NOON,)),
        Engineer("W2", Place("a"), DAY, frozenset({"repair"}), capacity=1),
    ),
    (
        Order("O1", Place("b"), 60, frozenset({"repair"}), crew=2),
        Order("O2", Place("b"), 60, windows=(Window(600, 660),), pinned_to="W1", units=1),
    ),
    PLACES,
)
GOOD = plan(PROBLEM, seed=1, iterations=100)


def changed(**of_problem: object) -> Problem:
    return replace(PROBLEM, **of_problem)  # type: ignore[arg-type]


def orders(**more: object) -> Problem:
    return changed(orders=tuple(replace(one, **more) for one in PROBLEM.orders))  # type: ignore[arg-type]


def people(**more: object) -> Problem:
    return changed(engineers=tuple(replace(one, **more) for one in PROBLEM.engineers))  # type: ignore[arg-type]


def later(minutes: int) -> Callable[[Plan], Plan]:
    def move(good: Plan) -> Plan:
        first, *others = good.routes
        stops = tuple(
            replace(one, start=one.start + minutes, end=one.end + minutes) for one in first.stops
        )
        return replace(good, routes=(replace(first, stops=stops), *others))

    return move


def test_the_plan_is_right_before() -> None:
    assert check(PROBLEM, GOOD) == ()
    assert set(GOOD.visits) == {"O1", "O2"}


@pytest.mark.parametrize(
    ("problem", "complaint"),
    [
        (orders(skills=frozenset({"splice"})), "not the skills"),
        (orders(forbidden=frozenset({"W1"})), "may not do"),
        (orders(pinned_to="W2"), "is pinned to"),
        (orders(windows=(Window(0, 1),)), "outside its windows"),
        (orders(deadline=10, deadline_is_hard=True), "after its deadline"),
        (orders(deadline=10), "late is"),
        (orders(promise=Promise(frozenset({"W9"}), DAY)), "promises is"),
        (orders(centre="C1"), "other_centre is"),
        (orders(minutes=59), "does not take its time"),
        (orders(crew=1), "has not its crew"),
        (orders(units=2), "no room"),
        (people(shift=Window(480, 500)), "beyond the shift"),
        (people(shift=Window(900, 1000)), "cannot begin"),
        (people(breaks=()), "breaks are not"),
        (people(breaks=(Break(Window(900, 905), 30),)), "breaks are not"),
        (people(start=Place("b")), "the way to"),
        (people(home=Place("b")), "the way home"),
        (changed(now=1000), "begins in the past"),
        (changed(travel=Table(("a", "b"), ((0, 9), (9, 0)))), "the way to"),
    ],
)
def test_a_problem_that_the_plan_was_not_made_for_is_seen(problem: Problem, complaint: str) -> None:
    assert complaint in "; ".join(check(problem, GOOD))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (later(3), "does not begin together"),
        (later(-200), "cannot begin"),
        (lambda good: replace(good, routes=good.routes[:1]), "one route for each"),
        (lambda good: replace(good, cost=replace(good.cost, travel=1)), "travel is"),
        (
            lambda good: replace(good, routes=tuple(replace(r, stops=()) for r in good.routes)),
            "both planned and left out, or neither",
        ),
    ],
)
def test_a_spoilt_plan_is_seen(spoil: Callable[[Plan], Plan], complaint: str) -> None:
    assert complaint in "; ".join(check(PROBLEM, spoil(GOOD)))
