import pickle
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from support.planning_crews import works

from huaxiao.dispatch.domain.planning.crews.checking import check_crews
from huaxiao.dispatch.domain.planning.crews.engine import plan_crews
from huaxiao.dispatch.domain.planning.crews.model import (
    Crew,
    CrewCost,
    CrewPlan,
    CrewPrices,
    CrewProblem,
    CrewReason,
    Need,
    Person,
    Task,
    WorkOrder,
)
from huaxiao.dispatch.domain.planning.engine import Progress

# numba compiles on the first call of a machine, which takes the time of many examples
unhurried = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

MASTER = Person("W1", {"splice": 3, "duct": 1})
MATE = Person("W2", {"splice": 1, "duct": 2}, frozenset({1}))
DIGGER = Person("W3", {"duct": 1})


def order(name: str, *needs: Need, **more: object) -> WorkOrder:
    made = WorkOrder(name, 60, needs or (Need("duct", 1, 1),))
    return replace(made, **more)  # type: ignore[arg-type]


PROJECT = CrewProblem(
    people=(MASTER, MATE, DIGGER),
    orders=(
        order("trench", Need("duct", 1, 2), minutes=120, priority=2),
        order("pull", Need("duct", 2, 1), after=frozenset({"trench"}), priority=1),
        order("join", Need("splice", 3, 1), after=frozenset({"pull"}), priority=1),
        order("test", Need("splice", 1, 2), after=frozenset({"join"}), priority=2),
    ),
    day_minutes=120,
)


@unhurried
@given(works())
def test_a_plan_of_crews_breaks_no_rule_and_costs_the_sum_of_its_terms(
    problem: CrewProblem,
) -> None:
    assert check_crews(problem, plan_crews(problem, seed=1, iterations=80)) == ()


@unhurried
@given(works())
def test_more_searching_never_costs_more_than_the_first_plan(problem: CrewProblem) -> None:
    first = plan_crews(problem, seed=3, iterations=0)
    assert plan_crews(problem, seed=3, iterations=60).cost.total <= first.cost.total


@unhurried
@given(works())
def test_with_days_enough_all_that_is_possible_is_planned(problem: CrewProblem) -> None:
    found = plan_crews(replace(problem, days=None), seed=1, iterations=20)
    lasting = {CrewReason.DAY, CrewReason.SKILL, CrewReason.WAITS}
    assert {one.reason for one in found.not_planned} <= lasting


def test_what_waits_for_an_order_that_found_no_place_is_not_planned_either() -> None:
    splicer = {"splice": 1}
    people = (Person("W0", splicer, frozenset({0})), Person("W3", splicer))
    three, one = Need("splice", 1, 3), Need("splice", 1, 1)
    problem = CrewProblem(
        people=(*people, Person("W4", splicer, frozenset({1}))),
        orders=(
            order("first", three, minutes=30, priority=2),
            *(order(f"O{number}", one, minutes=30, priority=1) for number in (1, 3, 6, 7)),
            order("O2", one, priority=1),
            order("second", one, after=frozenset({"first"}), priority=1),
            order("other", three, priority=1),
        ),
        days=3,
        day_minutes=120,
    )
    for iterations in range(0, 90, 5):
        assert check_crews(problem, plan_crews(problem, seed=1, iterations=iterations)) == ()


def test_a_project_is_planned_over_its_days() -> None:
    found = plan_crews(PROJECT, seed=1, iterations=200)
    starts = {name: task.start for name, task in found.task.items()}
    # whoever pulls on the second day is off, and the splicers are together again on the third
    assert starts == {"trench": 0, "pull": 240, "join": 300, "test": 360}
    assert found.cost.last_ends == (360, 420, 0, 0)
    assert found.cost.total == 28 * 360 + 14 * 420 + 420


def test_the_same_seed_and_iterations_give_the_same_crews() -> None:
    first, again = (plan_crews(PROJECT, seed=5, iterations=300) for _ in range(2))
    assert first == again


def test_projects_and_crews_go_to_another_process_and_back() -> None:
    found = plan_crews(PROJECT, seed=1, iterations=20)
    assert pickle.loads(pickle.dumps((PROJECT, found))) == (PROJECT, found)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (order("X", minutes=121), CrewReason.DAY),
        (order("X", Need("splice", 2, 2)), CrewReason.SKILL),
        (order("X", Need("duct", 2, 1)), CrewReason.DAYS_OFF),
        (order("X", minutes=90, priority=4), CrewReason.FULL),
        (order("X", after=frozenset({"A"})), CrewReason.WAITS),
    ],
)
def test_what_is_not_planned_says_why(asked: WorkOrder, reason: CrewReason) -> None:
    problem = CrewProblem(
        people=(MASTER, replace(MATE, days_off=frozenset({0}))),
        orders=(
            order("A", Need("pole", 1, 1)),
            order("B", Need("pole", 1, 1), contract=5),
            order("C", minutes=100, priority=1),
            asked,
        ),
        day_minutes=120,
        days=1,
        budget=5,
    )
    found = plan_crews(problem, seed=1, iterations=60)
    why = {one.order_id: one for one in found.not_planned}
    assert why["X"].reason is reason
    assert why["A"].wanting == (Need("pole", 1, 1),)
    assert found.outside == ("B",)
    assert found.cost.contracts == 5
    assert check_crews(problem, found) == ()


def test_contractors_get_all_that_waits_for_an_order_or_nothing() -> None:
    first = order("A", Need("pole", 1, 1), contract=5)
    waiting = order("B", after=frozenset({"A"}), contract=5)
    problem = CrewProblem((DIGGER,), (first, waiting), budget=10)
    assert plan_crews(problem, seed=1, iterations=60).outside == ("A", "B")
    found = plan_crews(replace(problem, budget=9), seed=1, iterations=60)
    assert found.outside == ()
    why = {one.order_id: one for one in found.not_planned}
    assert why["B"].waits_for == ("A",)


def test_contractors_get_what_shortens_the_work_within_the_budget() -> None:
    orders = tuple(order(f"O{number}", contract=10, priority=1) for number in range(4))
    problem = CrewProblem((DIGGER,), orders, day_minutes=120, budget=20)
    found = plan_crews(problem, seed=1, iterations=300)
    assert len(found.outside) == 2
    assert found.cost.last_of_all == 120


@pytest.mark.parametrize(
    "orders",
    [
        (order("A", after=frozenset({"B"})), order("B", after=frozenset({"A"}))),
        (order("A", after=frozenset({"elsewhere"})),),
        (order("A"), order("A")),
        (order("A", minutes=0),),
        (order("A", Need("duct", 1, 0)),),
        (order("A", priority=5),),
    ],
)
def test_work_that_makes_no_sense_is_refused(orders: tuple[WorkOrder, ...]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        CrewProblem((DIGGER,), orders)


def test_prices_are_one_for_each_priority() -> None:
    with pytest.raises(ValueError, match="for each priority"):
        CrewPrices(last_end=(1,))


def test_a_listener_hears_of_progress_and_a_flag_stops_the_search() -> None:
    heard: list[Progress] = []
    found = plan_crews(
        PROJECT, seed=1, iterations=100_000, listener=heard.append, stop=lambda: len(heard) > 1
    )
    assert len(heard) == 2
    assert found.iterations == heard[-1].iterations
    assert check_crews(PROJECT, found) == ()


RIGHT = CrewPlan(
    crews=(
        Crew(0, ("W1", "W3"), (Task("trench", 0, 120),)),
        Crew(2, ("W1", "W2"), (Task("pull", 240, 300), Task("join", 300, 360))),
        Crew(3, ("W1", "W2"), (Task("test", 360, 420),)),
    ),
    outside=(),
    not_planned=(),
    cost=CrewCost((360, 420, 0, 0), 420, 28 * 360 + 15 * 420),
)


def test_a_plan_made_by_hand_is_right() -> None:
    assert check_crews(PROJECT, RIGHT) == ()


@pytest.mark.parametrize(
    ("at", "crew", "wrong"),
    [
        (0, Crew(0, ("W1",), (Task("trench", 0, 120),)), "has not the skills"),
        (0, Crew(0, ("W1", "W9"), (Task("trench", 0, 120),)), "unknown"),
        (0, Crew(0, ("W1", "W3"), (Task("trench", 10, 130),)), "beyond the day"),
        (0, Crew(0, ("W1", "W3"), (Task("trench", 0, 90),)), "its time"),
        (1, Crew(1, ("W1", "W2"), (Task("pull", 120, 180), Task("join", 180, 240))), "off"),
        (
            1,
            Crew(2, ("W1", "W2"), (Task("join", 240, 300), Task("pull", 300, 360))),
            "join begins before pull",
        ),
        (1, Crew(2, ("W1", "W2"), (Task("pull", 240, 300), Task("join", 290, 350))), "is free"),
        (2, Crew(2, ("W1", "W2"), (Task("test", 360, 420),)), "in two crews"),
        (2, Crew(3, ("W1", "W2"), (Task("test", 400, 460),)), "the last ends are"),
        (2, Crew(3, (), ()), "test is told 0 times"),
        (2, Crew(3, (), (Task("rest", 360, 420),)), "rest is no order"),
    ],
)
def test_the_check_finds_what_is_wrong(at: int, crew: Crew, wrong: str) -> None:
    crews = (*RIGHT.crews[:at], crew, *RIGHT.crews[at + 1 :])
    found = check_crews(PROJECT, replace(RIGHT, crews=crews))
    assert any(wrong in one for one in found), found


def test_the_check_adds_up_again() -> None:
    cheaper = replace(RIGHT, cost=replace(RIGHT.cost, time=1))
    assert any("the cost is" in one for one in check_crews(PROJECT, cheaper))
    wrong = replace(RIGHT, crews=RIGHT.crews[:2], outside=("test",))
    assert any("no contractor can be given test" in one for one in check_crews(PROJECT, wrong))
