from collections.abc import Sequence
from dataclasses import replace

import pytest

from huaxiao.dispatch.domain.planning.checking import check
from huaxiao.dispatch.domain.planning.day import (
    Assignable,
    Day,
    NotPlanned,
    Policy,
    Visit,
    Work,
    day_of,
)
from huaxiao.dispatch.domain.planning.engine import plan
from huaxiao.dispatch.domain.planning.model import Break, Started, Window
from huaxiao.dispatch.domain.planning.prices import Prices
from huaxiao.dispatch.domain.planning.timing import Sequences
from huaxiao.dispatch.domain.planning.travel import GreatCircle, Place

HERE = Place("130123001001", 38.15, 114.57)
NEAR = Place("130123001002", 38.16, 114.58)
LUNCH = Break(Window(690, 780), 60)
POLICY = Policy(Prices(), tolerance=30, rest=LUNCH)
W1 = Assignable("W1", "C1", frozenset({"repair"}), (Window(480, 1020),), HERE)
A = Work("A", "C1", NEAR, 60, frozenset({"repair"}), 3)


def day(
    *work: Work,
    people: Sequence[Assignable] = (W1,),
    sequences: Sequences | None = None,
    now: int = 0,
    keep_promises: bool = True,
) -> Day:
    return day_of(
        people,
        work,
        sequences or {},
        policy=POLICY,
        travel=GreatCircle(),
        now=now,
        keep_promises=keep_promises,
    )


@pytest.mark.parametrize(
    ("worked", "away", "shift", "breaks"),
    [
        ([(480, 1020)], [], (480, 1020), [(690, 780, 60)]),
        ([(480, 700)], [], (480, 700), []),
        ([(480, 720), (840, 1080)], [], (480, 1080), [(720, 720, 120)]),
        ([(480, 1020)], [(0, 600)], (600, 1020), [(690, 780, 60)]),
        ([(480, 1020)], [(540, 600)], (480, 1020), [(540, 540, 60), (690, 780, 60)]),
        ([(480, 1020)], [(900, 2000)], (480, 900), [(690, 780, 60)]),
    ],
)
def test_a_shift_has_its_break_and_what_somebody_is_away(
    worked: list[tuple[int, int]],
    away: list[tuple[int, int]],
    shift: tuple[int, int],
    breaks: list[tuple[int, int, int]],
) -> None:
    somebody = replace(
        W1,
        worked=tuple(Window(*one) for one in worked),
        away=tuple(Window(*one) for one in away),
    )
    (engineer,) = day(people=[somebody]).problem.engineers
    assert (engineer.shift.opens, engineer.shift.closes) == shift
    assert [(one.window.opens, one.window.closes, one.minutes) for one in engineer.breaks] == breaks


def test_who_cannot_be_sent_and_what_cannot_be_planned_is_named() -> None:
    people = [
        W1,
        replace(W1, id="W2", away=(Window(0, 1440),)),
        replace(W1, id="W3", place=None),
        replace(W1, id="W4", worked=()),
    ]
    made = day(
        A,
        replace(A, id="B", place=None),
        replace(A, id="C", obstacle=NotPlanned.SUSPENDED),
        people=people,
    )
    assert made.not_sent == (
        ("W2", NotPlanned.AWAY),
        ("W3", NotPlanned.NO_PLACE),
        ("W4", NotPlanned.AWAY),
    )
    assert made.not_planned == (("B", NotPlanned.NO_PLACE), ("C", NotPlanned.SUSPENDED))
    assert [one.id for one in made.problem.orders] == ["A"]


def test_what_was_planned_and_accepted_is_a_promise_unless_the_day_is_planned_from_scratch() -> (
    None
):
    planned = replace(A, visit=Visit(frozenset({"W1"}), 600))
    accepted = replace(A, id="B", accepted_by=frozenset({"W1"}))
    first, second = day(planned, accepted, sequences={"W1": ["A"]}).problem.orders
    assert first.promise is not None
    assert (first.promise.engineers, first.promise.window) == (frozenset({"W1"}), Window(570, 630))
    assert second.promise is not None
    assert second.promise.window == Window(0, 1439)
    scratch = day(planned, accepted, sequences={"W1": ["A"]}, keep_promises=False)
    assert [one.promise for one in scratch.problem.orders] == [None, None]


def test_work_under_way_holds_its_engineer_until_it_is_likely_over() -> None:
    begun = replace(A, place=None, begun=Started(("W1",), 500))
    other = replace(A, id="B")
    (one, _) = day(begun, other, now=700).problem.orders
    assert (one.started, one.minutes, one.place) == (Started(("W1",), 500), 215, HERE)
    (one, _) = day(replace(begun, ended=540), other, now=700).problem.orders
    assert one.minutes == 40
    assert [one.id for one in day(replace(begun, begun=Started(("W9",), 500))).problem.orders] == []


def test_what_is_due_is_dearer_to_leave_out_yet_never_dearer_than_what_is_urgent() -> None:
    problem = day(
        replace(A, id="later"),
        replace(A, id="overdue", due=-5000),
        replace(A, id="today", due=900),
        replace(A, id="urgent", priority=1),
    ).problem
    price = {one.id: problem.prices.left_out[one.priority - 1] for one in problem.orders}
    assert price == {"later": 150, "overdue": 300, "today": 300, "urgent": 600}
    deadline = {one.id: one.deadline for one in problem.orders}
    assert deadline == {"later": None, "overdue": 945, "today": 945, "urgent": None}


def test_what_is_late_is_done_rather_than_dropped() -> None:
    overdue = [replace(A, id=f"O{number}", due=-900, priority=4) for number in range(6)]
    made = day(*overdue)
    found = plan(made.problem, seed=1, iterations=200)
    assert check(made.problem, found) == ()
    assert not found.left_out


def test_the_day_as_it_stands_shows_what_runs_late() -> None:
    first = replace(A, begun=Started(("W1",), 480), visit=Visit(frozenset({"W1"}), 480))
    second = replace(A, id="B", windows=(Window(540, 599),), visit=Visit(frozenset({"W1"}), 560))
    made = day(first, second, sequences={"W1": ["A", "B"]}, now=640)
    ((_, stop),) = made.planned.visits["B"]
    assert stop.start == 640 + 15 + stop.travel > 599
