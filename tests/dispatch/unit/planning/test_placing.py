from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from support.planning_days import days

from huaxiao.dispatch.domain.planning.engine import plan
from huaxiao.dispatch.domain.planning.model import Engineer, Order, Problem, Reason, Window
from huaxiao.dispatch.domain.planning.placing import place
from huaxiao.dispatch.domain.planning.travel import Place, Table

WAYS = Table(("a", "b", "c"), ((0, 10, 30), (10, 0, 25), (30, 25, 0)))
DAY = Window(480, 1020)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(days())
def test_the_price_of_a_place_is_what_the_plan_costs_more(problem: Problem) -> None:
    """Put in alone, the order costs what the search says that one with it costs."""
    assume(problem.orders)
    last = problem.orders[-1]
    assume(last.started is None)
    people = tuple(replace(one, breaks=()) for one in problem.engineers)
    alone = replace(problem, engineers=people, orders=(last,))
    without = replace(alone, orders=())
    before, after = plan(without, seed=1, iterations=0), plan(alone, seed=1, iterations=200)
    found = place(without, before, last)
    best = found.best
    more = after.cost.total - before.cost.total
    assert more == (found.price_left_out if best is None else best.price)


def test_everybody_is_named_with_a_price_or_a_reason() -> None:
    people = (
        Engineer("near", Place("b"), DAY, frozenset({"repair"})),
        Engineer("far", Place("c"), DAY, frozenset({"repair"})),
        Engineer("unskilled", Place("b"), DAY),
        Engineer("early", Place("b"), Window(300, 400), frozenset({"repair"})),
        Engineer("full", Place("b"), DAY, frozenset({"repair", "all-day"})),
        Engineer("unwanted", Place("b"), DAY, frozenset({"repair"})),
    )
    long = Order("long", Place("b"), 500, frozenset({"all-day"}), priority=1)
    problem = Problem(people, (long,), WAYS)
    today = plan(problem, seed=1, iterations=20)
    asked = Order(
        "new",
        Place("a"),
        60,
        frozenset({"repair"}),
        windows=(Window(600, 700),),
        forbidden=frozenset({"unwanted"}),
    )

    found = place(problem, today, asked)

    assert [(one.engineers, one.price, one.start) for one in found.choices] == [
        (("near",), 10, 600),
        (("far",), 30, 600),
    ]
    assert found.best == found.choices[0]
    assert {one.engineer_id: one.reason for one in found.obstacles} == {
        "unskilled": Reason.SKILL,
        "early": Reason.SHIFT,
        "full": Reason.FULL,
        "unwanted": Reason.FORBIDDEN,
    }


def test_a_crew_is_found_for_one_minute() -> None:
    people = tuple(Engineer(name, Place(name), DAY) for name in ("a", "b", "c"))
    problem = Problem(people, (), WAYS)
    asked = Order("new", Place("a"), 60, crew=2)
    best = place(problem, plan(problem, seed=1, iterations=0), asked).best
    assert best is not None
    assert (best.engineers, best.start, best.price) == (("a", "b"), 490, 10)
