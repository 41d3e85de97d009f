"""A search in a process of its own: what it tells, and that nobody changes for nothing."""

from huaxiao.dispatch.domain.planning.model import Engineer, Order, Problem, Window
from huaxiao.dispatch.domain.planning.timing import plan_of
from huaxiao.dispatch.domain.planning.travel import Place
from huaxiao.dispatch.plans.searching import Search, _that_saves

HERE = Place("here", 38.15, 114.57)
DAY = Window(480, 1020)


def test_a_plan_that_costs_no_less_is_the_day_as_it_was() -> None:
    orders = tuple(Order(name, Place(name, 38.16, 114.57), 60) for name in ("A", "B"))
    problem = Problem((Engineer("W1", HERE, DAY), Engineer("W2", HERE, DAY)), orders)
    before = plan_of(problem, {"W1": ["A", "B"]}, begins={})
    other = plan_of(problem, {"W2": ["B", "A"]}, begins={})
    worse = plan_of(problem, {"W1": ["A"]}, begins={})
    wanted = Search(problem, before, seed=1, seconds=None, iterations=1)
    assert other.cost == before.cost
    assert _that_saves(wanted, other).routes == before.routes
    better = Search(problem, worse, seed=1, seconds=None, iterations=1)
    assert _that_saves(better, other) == other


def test_a_day_that_cannot_be_kept_is_not_kept() -> None:
    late = Order("A", HERE, 60, windows=(Window(0, 479),))
    problem = Problem((Engineer("W1", HERE, DAY),), (late,))
    before = plan_of(problem, {"W1": ["A"]}, begins={})
    nothing = plan_of(problem, {}, begins={})
    wanted = Search(problem, before, seed=1, seconds=None, iterations=1)
    assert before.cost.total < nothing.cost.total
    assert _that_saves(wanted, nothing) == nothing
