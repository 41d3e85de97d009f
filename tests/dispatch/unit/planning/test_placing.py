from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from support.planning_days import days

from huaxiao.dispatch.domain.planning.checking import check
from huaxiao.dispatch.domain.planning.costing import cost_of
from huaxiao.dispatch.domain.planning.engine import plan
from huaxiao.dispatch.domain.planning.model import (
    Engineer,
    LeftOut,
    Order,
    Plan,
    Problem,
    Reason,
    Route,
    Stop,
    Window,
)
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


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(days())
def test_every_choice_put_into_a_full_day_is_a_right_plan_at_its_price(problem: Problem) -> None:
    assume(problem.orders)
    simple = tuple(
        replace(one, crew=1, promise=None, started=None, deadline_is_hard=False)
        for one in problem.orders
    )
    people = tuple(replace(one, breaks=()) for one in problem.engineers)
    problem = replace(problem, engineers=people, orders=simple)
    *known, asked = simple
    before = plan(replace(problem, orders=tuple(known)), seed=1, iterations=20)
    before = walked(problem, {one.engineer_id: one.order_ids for one in before.routes})
    for choice in place(problem, before, asked).choices:
        sequences = {one.engineer_id: list(one.order_ids) for one in before.routes}
        sequences[choice.engineers[0]].insert(choice.position[0], asked.id)
        after = walked(problem, sequences)
        assert check(problem, after) == ()
        saved = problem.prices.left_out[asked.priority - 1]
        saved += problem.prices.pinned_left_out if asked.pinned_to else 0
        assert after.cost.total - before.cost.total == choice.price - saved
        assert after.visits[asked.id][0][1].start == choice.start


def walked(problem: Problem, sequences: Mapping[str, Sequence[str]]) -> Plan:
    """Return the plan that visits orders in given sequences, each as early as it can be."""
    routes = []
    for who in problem.engineers:
        at, here, stops = max(who.shift.opens, problem.now), who.start, []
        for name in sequences[who.id]:
            order = problem.order[name]
            way = problem.travel.minutes(here, order.place)
            start = min(
                (
                    max(at + way, one.opens)
                    for one in order.windows or (Window(0, 9999),)
                    if at + way <= one.closes
                ),
                default=99_999,
            )
            stops.append(Stop(name, way, at + way, start, start + order.minutes))
            at, here = start + order.minutes, order.place
        home = 0 if who.home is None else problem.travel.minutes(here, who.home)
        routes.append(Route(who.id, tuple(stops), home))
    done = {name for one in routes for name in one.order_ids}
    out = tuple(LeftOut(one.id, Reason.FULL, 0) for one in problem.orders if one.id not in done)
    return Plan(tuple(routes), out, cost_of(problem, routes))


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
