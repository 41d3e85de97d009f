from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from support.planning_days import days

from huaxiao.dispatch.domain.planning.changing import leave_out, put_to, with_choice
from huaxiao.dispatch.domain.planning.checking import check
from huaxiao.dispatch.domain.planning.engine import plan
from huaxiao.dispatch.domain.planning.model import (
    Break,
    Engineer,
    Order,
    Plan,
    Problem,
    Reason,
    Window,
)
from huaxiao.dispatch.domain.planning.neighbours import help_out, together
from huaxiao.dispatch.domain.planning.placing import Placement, place
from huaxiao.dispatch.domain.planning.timing import begins_of, plan_of, sequences_of
from huaxiao.dispatch.domain.planning.travel import Areas, GreatCircle, Place, Table

unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

HERE = Place("130123001001", 38.15, 114.57)
NEAR = Place("130123001002", 38.16, 114.58)
FAR = Place("130123002001", 38.40, 114.90)
DAY = Window(480, 1020)


def engineer(name: str, centre: str = "C1") -> Engineer:
    return Engineer(name, HERE, DAY, frozenset({"repair"}), HERE, centre=centre)


def order(name: str, *, priority: int = 1, minutes: int = 60, centre: str = "C1") -> Order:
    return Order(name, NEAR, minutes, frozenset({"repair"}), priority=priority, centre=centre)


@unhurried
@given(days())
def test_a_plan_timed_again_is_the_plan(problem: Problem) -> None:
    found = plan(problem, seed=1, iterations=40)
    again = plan_of(problem, sequences_of(found), begins=begins_of(found))
    assert (again.routes, again.cost) == (found.routes, found.cost)
    assert [one.order_id for one in again.left_out] == [one.order_id for one in found.left_out]


@unhurried
@given(days())
def test_an_order_put_where_a_choice_says_breaks_no_rule_and_costs_its_price(
    problem: Problem,
) -> None:
    found = plan(problem, seed=1, iterations=40)
    for out in found.left_out:
        placement = place(problem, found, problem.order[out.order_id])
        for choice in placement.choices[:1]:
            made = with_choice(problem, found, problem.order[out.order_id], choice)
            assert check(problem, made) == ()
            price = placement.price_left_out
            assert made.cost.total == found.cost.total + choice.price - price


@unhurried
@given(days())
def test_what_somebody_decides_holds_and_breaks_no_rule(problem: Problem) -> None:
    found = plan(problem, seed=1, iterations=40)
    assert check(problem, found) == ()
    for one in problem.orders[:2]:
        if one.started is not None or one.crew > 1:
            continue
        nobody = leave_out(problem, found, one.id)
        assert check(nobody.problem, nobody.plan) == ()
        assert one.id not in nobody.plan.visits
        who = problem.engineers[0].id
        changed = put_to(problem, found, one.id, who)
        if isinstance(changed, Placement):
            assert who in {obstacle.engineer_id for obstacle in changed.obstacles}
        else:
            assert check(changed.problem, changed.plan) == ()
            assert [name for name, _ in changed.plan.visits[one.id]] == [who]


def test_a_visit_less_never_makes_the_next_one_late() -> None:
    """The break was waited for at a place near to the next order: without it the way is too far."""
    at = [Place(name) for name in ("start", "near", "last")]
    travel = Table(tuple(one.id for one in at), ((0, 55, 60), (55, 0, 5), (60, 5, 0)))
    rest = Break(Window(600, 600), 45)
    worker = Engineer("W1", at[0], Window(480, 700), frozenset(), breaks=(rest,))
    near, last = Order("A", at[1], 30, frozenset()), Order("B", at[2], 30, frozenset())
    problem = Problem((worker,), (near, replace(last, windows=(Window(640, 660),))), travel)
    found = plan_of(problem, {"W1": ["A", None, "B"]}, begins={})
    assert check(problem, found) == ()
    alone = leave_out(problem, found, "A")
    assert check(alone.problem, alone.plan) == ()
    assert [one.order_id for one in alone.plan.left_out] == ["A", "B"]


def _planned(problem: Problem) -> Plan:
    return plan(problem, seed=1, iterations=20)


def test_what_one_centre_cannot_do_its_neighbour_does_if_it_is_urgent() -> None:
    orders = (
        order("A", minutes=300),
        order("B", minutes=300),
        order("C", minutes=300, priority=4),
        order("D", centre="C2"),
    )
    busy = Problem((engineer("W1"),), orders[:3])
    free = Problem((engineer("W2", "C2"),), orders[3:])
    both = Problem(busy.engineers + free.engineers, orders)
    before = together(both, [_planned(busy), _planned(free)])
    assert {one.order_id for one in before.left_out} in ({"C", "B"}, {"C", "A"})
    helped = help_out(both, before, frozenset({"A", "B"}))
    assert {one.order_id for one in helped.left_out} == {"C"}
    assert check(both, helped) == ()
    assert helped.cost.other_centre == both.prices.other_centre
    for name, visits in before.visits.items():
        assert [who for who, _ in helped.visits[name]] == [who for who, _ in visits]


def test_an_override_that_does_not_fit_says_why() -> None:
    problem = Problem((engineer("W1"),), (replace(order("A"), skills=frozenset({"splice"})),))
    found = put_to(problem, Plan((), (), _planned(problem).cost), "A", "W1")
    assert isinstance(found, Placement)
    assert [(one.reason, one.missing) for one in found.obstacles] == [(Reason.SKILL, ("splice",))]


def test_times_between_areas_are_those_that_were_told() -> None:
    by_distance = GreatCircle()
    travel = Areas(by_distance, ("130123001", "130123002"), ((-1, 50), (70, -1)))
    assert travel.minutes(HERE, FAR) == 50
    assert travel.minutes(FAR, HERE) == 70
    assert travel.minutes(HERE, NEAR) == by_distance.minutes(HERE, NEAR)
    elsewhere = Place("410225", 38.2, 114.6)
    assert travel.minutes(HERE, elsewhere) == by_distance.minutes(HERE, elsewhere)
    every = [HERE, NEAR, FAR, elsewhere]
    told = travel.matrix(every).tolist()
    assert told == [[travel.minutes(a, b) for b in every] for a in every]
    assert travel.ways_to(every, FAR) == [row[2] for row in told]
    assert travel.ways_from(FAR, every) == told[2]
