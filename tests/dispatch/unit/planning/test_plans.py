import pickle
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from support.planning_days import days

from huaxiao.dispatch.domain.planning.checking import check
from huaxiao.dispatch.domain.planning.engine import Progress, plan
from huaxiao.dispatch.domain.planning.model import (
    Break,
    Engineer,
    Order,
    Problem,
    Promise,
    Reason,
    Started,
    Window,
)
from huaxiao.dispatch.domain.planning.prices import Cost, Prices
from huaxiao.dispatch.domain.planning.travel import GreatCircle, Place
from huaxiao.dispatch.domain.planning.warming import warm

# numba compiles on the first call of a machine, which takes the time of many examples
unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

HERE = Place("here", 38.15, 114.57)
NEAR = Place("near", 38.16, 114.58)
DAY = Window(480, 1020)


def engineer(name: str, *skills: str, **more: object) -> Engineer:
    return replace(Engineer(name, HERE, DAY, frozenset(skills)), **more)  # type: ignore[arg-type]


def order(name: str, *skills: str, **more: object) -> Order:
    return replace(Order(name, NEAR, 60, frozenset(skills)), **more)  # type: ignore[arg-type]


EVERYTHING = Problem(
    engineers=(
        engineer("W1", "repair", breaks=(Break(Window(690, 780), 60),), home=HERE),
        engineer("W2", "repair", "install", centre="C2"),
        engineer("W3", "install", capacity=2, centre="C1"),
    ),
    orders=(
        order("A", "repair", crew=2, windows=(Window(540, 600), Window(840, 900))),
        order("B", "install", promise=Promise(frozenset({"W3"}), Window(600, 660))),
        order("C", started=Started(("W1",), 500)),
        order("D", pinned_to="W1", deadline=700),
        order("E", forbidden=frozenset({"W1", "W2"}), units=1, centre="C1"),
        order("F", "splice"),
    ),
    prices=Prices(unfair=10),
    now=510,
)


@unhurried
@example(EVERYTHING)
@given(days())
def test_a_plan_breaks_no_rule_and_costs_the_sum_of_its_terms(problem: Problem) -> None:
    assert check(problem, plan(problem, seed=1, iterations=60)) == ()


@unhurried
@given(days())
def test_more_searching_never_costs_more_than_the_first_plan(problem: Problem) -> None:
    first = plan(problem, seed=3, iterations=0)
    assert plan(problem, seed=3, iterations=40).cost.total <= first.cost.total


def test_the_same_seed_and_iterations_give_the_same_plan() -> None:
    first, again = (plan(EVERYTHING, seed=5, iterations=300) for _ in range(2))
    assert first == again


def test_the_search_can_be_compiled_before_anybody_asks() -> None:
    assert warm() == 2


def test_problems_and_plans_go_to_another_process_and_back() -> None:
    found = plan(EVERYTHING, seed=1, iterations=20)
    assert pickle.loads(pickle.dumps((EVERYTHING, found))) == (EVERYTHING, found)


def test_a_day_with_everything_in_it_is_planned_as_somebody_would() -> None:
    found = plan(EVERYTHING, seed=1, iterations=500)
    who = {one: sorted(name for name, _ in visits) for one, visits in found.visits.items()}
    assert who["A"] == ["W1", "W2"]
    assert who["B"] == ["W3"]
    assert who["C"] == ["W1"]
    assert who["D"] == ["W1"]
    assert who["E"] == ["W3"]
    (out,) = found.left_out
    assert (out.order_id, out.reason) == ("F", Reason.SKILL)
    assert {one.missing for one in out.obstacles} == {("splice",)}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (order("X", "splice"), Reason.SKILL),
        (order("X", forbidden=frozenset({"W1"})), Reason.FORBIDDEN),
        (order("X", minutes=600), Reason.SHIFT),
        (order("X", windows=(Window(300, 400),)), Reason.WINDOW),
        (order("X", crew=2), Reason.CREW),
        (order("X", units=9), Reason.CAPACITY),
        (order("X", place=Place("far", 38.9, 114.57), priority=1), Reason.PRICE),
    ],
)
def test_what_is_left_out_says_why(asked: Order, reason: Reason) -> None:
    prices = Prices(left_out=(100, 80, 80, 80))
    problem = Problem((engineer("W1", home=HERE, capacity=5),), (asked,), prices=prices)
    found = plan(problem, seed=1, iterations=20)
    (out,) = found.left_out
    assert out.reason is reason
    assert out.price == 100 if asked.priority == 1 else out.price == 80
    if reason is Reason.PRICE:
        assert out.obstacles[0].price is not None
        assert out.obstacles[0].price > out.price


def test_a_full_day_is_called_full() -> None:
    orders = tuple(order(f"O{number}", minutes=250, priority=1) for number in range(3))
    found = plan(Problem((engineer("W1"),), orders), seed=1, iterations=50)
    assert [one.reason for one in found.left_out] == [Reason.FULL]


def test_the_dearer_order_is_done_where_both_do_not_fit() -> None:
    orders = (order("low", minutes=500, priority=4), order("high", minutes=500, priority=1))
    found = plan(Problem((engineer("W1"),), orders), seed=1, iterations=50)
    assert set(found.visits) == {"high"}
    assert found.cost.left_out == 80


def test_work_is_shared_out_where_unfairness_has_a_price() -> None:
    orders = tuple(order(f"O{number}") for number in range(6))
    people = (engineer("W1"), engineer("W2"))
    alone = plan(Problem(people, orders), seed=1, iterations=200)
    shared = plan(Problem(people, orders, prices=Prices(unfair=5)), seed=1, iterations=200)
    assert sorted(len(one.stops) for one in alone.routes) == [0, 6]
    assert sorted(len(one.stops) for one in shared.routes) == [3, 3]


def test_a_soft_deadline_is_missed_at_its_price_and_a_hard_one_never() -> None:
    late = order("X", windows=(Window(600, 700),), deadline=590)
    soft = plan(Problem((engineer("W1"),), (late,)), seed=1, iterations=10)
    assert soft.cost.late == 2 * 10
    hard = replace(late, deadline_is_hard=True)
    assert plan(Problem((engineer("W1"),), (hard,)), seed=1, iterations=10).visits == {}


def test_a_search_tells_how_far_it_is_and_stops_when_it_is_told_to() -> None:
    heard: list[Progress] = []
    found = plan(
        EVERYTHING,
        seed=1,
        iterations=1_000_000,
        listener=heard.append,
        stop=lambda: len(heard) == 3,
    )
    assert found.iterations == heard[-1].iterations < 1_000_000
    assert [one.share for one in heard] == sorted(one.share for one in heard)
    assert heard[-1].cost > 0


def test_a_search_ends_with_its_seconds() -> None:
    heard: list[Progress] = []
    assert plan(EVERYTHING, seed=1, seconds=0.2, listener=heard.append).iterations > 10
    assert heard[-1].share == 1.0


def test_either_iterations_or_seconds_are_given() -> None:
    with pytest.raises(ValueError, match="either"):
        plan(EVERYTHING, seed=1)


def test_the_way_over_the_globe_is_the_same_alone_and_in_a_table() -> None:
    travel = GreatCircle(road_factor=1.0, kilometres_an_hour=60.0)
    south = Place("south", 37.0, 114.57)
    assert travel.minutes(HERE, south) == 128  # a degree is 111.2 km
    assert travel.matrix([HERE, south]).tolist() == [[0, 128], [128, 0]]


def test_costs_add_up_and_are_taken_off() -> None:
    assert (Cost(travel=3) + Cost(late=4)).total == 7
    assert Cost(travel=3) - Cost(travel=1) == Cost(travel=2)
