from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.planning_days import days

from huaxiao.dispatch.domain.planning.checking import check
from huaxiao.dispatch.domain.planning.engine import plan
from huaxiao.dispatch.domain.planning.model import Engineer, Order, Problem, Window
from huaxiao.dispatch.domain.planning.prices import Prices
from huaxiao.dispatch.domain.planning.replanning import ChangeKind, Changes, replan
from huaxiao.dispatch.domain.planning.travel import Place, Table

WAYS = Table(("a", "b"), ((0, 10), (10, 0)))
DAY = Window(480, 1020)
PROBLEM = Problem(
    (Engineer("W1", Place("a"), DAY), Engineer("W2", Place("b"), DAY)),
    (
        Order("O1", Place("a"), 120),
        Order("O2", Place("a"), 120),
        Order("O3", Place("b"), 120),
    ),
    WAYS,
)
TODAY = plan(PROBLEM, seed=1, iterations=100)
FIRST, SECOND = TODAY.route["W1"].order_ids


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(days(), st.integers(500, 900), st.data())
def test_the_rest_of_a_day_is_a_right_plan_and_holds_what_has_started(
    problem: Problem, now: int, data: st.DataObject
) -> None:
    problem = replace(problem, now=0)
    before = plan(problem, seed=1, iterations=30)
    away = data.draw(st.sets(st.sampled_from([one.id for one in problem.engineers]), max_size=1))
    found = replan(problem, before, Changes(now, away=frozenset(away)), seed=2, iterations=30)
    assert check(found.problem, found.plan) == ()
    for name, visits in before.visits.items():
        if visits[0][1].start < now:
            kept = found.plan.visits[name]
            assert [(who, one.start) for who, one in kept] == [
                (who, one.start) for who, one in visits
            ]


def test_nothing_moves_where_nothing_happened() -> None:
    assert replan(PROBLEM, TODAY, Changes(500), seed=9, iterations=300).changes == ()


def test_an_urgent_order_is_taken_in_and_promises_are_kept_where_that_pays() -> None:
    urgent = Order("new", Place("a"), 60, priority=1, deadline=660, deadline_is_hard=True)
    found = replan(PROBLEM, TODAY, Changes(500, arrived=(urgent,)), seed=1, iterations=300)
    assert "new" in found.plan.visits
    assert [one.kind for one in found.changes] == [ChangeKind.ADDED]
    assert "新增" in found.changes[0].text_zh


def test_without_a_price_on_promises_visits_move_freely() -> None:
    late = Order("new", Place("b"), 300, priority=1, windows=(Window(480, 500),))
    free = replace(PROBLEM, prices=Prices(promise_broken=(0, 0, 0, 0), engineer_changed=0))
    changes = Changes(480, arrived=(late,))
    kinds = {
        one.order_id: one.kind
        for one in replan(free, TODAY, changes, seed=1, iterations=300).changes
    }
    assert kinds["O3"] in {ChangeKind.MOVED, ChangeKind.SHIFTED}


def test_who_is_away_loses_what_has_not_begun() -> None:
    found = replan(PROBLEM, TODAY, Changes(490, away=frozenset({"W1"})), seed=1, iterations=200)
    moved = [one for one in found.changes if one.kind is ChangeKind.MOVED]
    assert [one.order_id for one in moved] == [SECOND]
    assert "W1 10:00 -> W2" in moved[0].text


def test_a_cancelled_order_and_one_nobody_can_do_are_told() -> None:
    impossible = Order("new", Place("a"), 60, frozenset({"splice"}))
    changes = Changes(490, arrived=(impossible,), cancelled=frozenset({SECOND}))
    found = replan(PROBLEM, TODAY, changes, seed=1, iterations=100)
    assert {one.order_id: one.kind for one in found.changes} == {
        SECOND: ChangeKind.CANCELLED,
        "new": ChangeKind.LEFT_OUT,
    }
    assert any("nobody has the skills" in one.text for one in found.changes)


def test_work_that_began_otherwise_than_planned_is_held_as_it_began() -> None:
    changes = Changes(520, began={FIRST: 510})
    found = replan(PROBLEM, TODAY, changes, seed=1, iterations=100)
    assert found.plan.visits[FIRST][0][1].start == 510
    assert found.plan.visits[SECOND][0][1].start == 630
