from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.level_table import (
    DEFAULT_TABLE,
    Work,
    ends_at,
    first_contact_due,
    level_of,
)
from huaxiao.dispatch.domain.order_states import (
    FALSE_COMPLETION_SUSPECTED,
    TRANSITIONS,
    NotYourOrder,
    OrderProgress,
    Span,
    Step,
    StepNotAllowed,
    WindowPassed,
    allowed_steps,
    diagram,
    take,
)
from huaxiao.shared.wire.dispatch import (
    CustomerClass,
    OrderKind,
    OrderState,
    StepName,
)

START = datetime(2017, 11, 6, 1, tzinfo=UTC)
LATER = START + timedelta(days=100)
HOUR = timedelta(hours=1)


def dispatched(state: Any = OrderState.DISPATCHED) -> Any:
    return OrderProgress(state, "W01", START, START + 24 * HOUR, START)


def run(order: Any, *steps: Any) -> Any:
    for name, hours in steps:
        order = take(order, Step(name, START + hours * HOUR, "W01", "why"), now=LATER)
    return order


def test_finishing_exactly_when_due_is_on_time_and_a_moment_later_is_not() -> None:
    working = run(dispatched(), (StepName.ACCEPT, 0), (StepName.START, 0))
    assert run(working, (StepName.FINISH, 24)).on_time is True
    late = take(
        working,
        Step(StepName.FINISH, START + 24 * HOUR + timedelta(microseconds=1), "W01"),
        now=LATER,
    )
    assert late.on_time is False


def test_only_the_engineer_an_order_is_with_may_finish_it() -> None:
    order = dispatched(OrderState.IN_PROGRESS)
    with pytest.raises(NotYourOrder):
        take(order, Step(StepName.FINISH, START, "W02"), now=LATER)


def test_finishing_without_the_onu_online_is_flagged() -> None:
    order = dispatched(OrderState.IN_PROGRESS)
    done = take(order, Step(StepName.FINISH, START, "W01", onu_online=False), now=LATER)
    assert done.flags == (FALSE_COMPLETION_SUSPECTED,)


@pytest.mark.parametrize("moment", [START - HOUR, LATER + HOUR])
def test_a_step_neither_precedes_the_last_nor_lies_in_the_future(moment: Any) -> None:
    with pytest.raises(StepNotAllowed):
        take(dispatched(), Step(StepName.ACCEPT, moment, "W01"), now=LATER)


def test_an_order_is_rejected_once_at_most() -> None:
    rejected = run(dispatched(), (StepName.REJECT, 1))
    again = take(rejected, Step(StepName.REASSIGN, START + 2 * HOUR, "W02", "why"), now=LATER)
    with pytest.raises(StepNotAllowed):
        take(again, Step(StepName.REJECT, START + 3 * HOUR, "W02", "why"), now=LATER)


@given(st.sampled_from(StepName))
def test_nothing_moves_a_confirmed_or_cancelled_order(name: Any) -> None:
    for state in (OrderState.CONFIRMED, OrderState.CANCELLED):
        with pytest.raises(StepNotAllowed):
            take(dispatched(state), Step(name, START, "W01", "why"), now=LATER)


def test_rural_work_has_longer_and_kinds_without_a_level_have_no_due_moment() -> None:
    def hours(kind: Any, customer_class: Any, rural: Any) -> Any:
        level = level_of(DEFAULT_TABLE.levels, Work(kind, customer_class), rural=rural)
        return level and (ends_at(level.target, START) - START) / HOUR

    assert hours(OrderKind.INSTALL, CustomerClass.PUBLIC, False) == 24
    assert hours(OrderKind.INSTALL, CustomerClass.PUBLIC, True) == 48
    assert hours(OrderKind.REPAIR, CustomerClass.KEY, True) == 6
    assert hours(OrderKind.PATROL, CustomerClass.KEY, False) is None


def test_a_window_hour_begun_before_closing_ends_the_next_morning() -> None:
    at = datetime(2017, 11, 6, 11, 30, tzinfo=UTC)  # 19:30 in the county
    due = first_contact_due(Work(OrderKind.INSTALL, CustomerClass.SMALL_BUSINESS), at, rural=False)
    assert due == datetime(2017, 11, 7, 0, 30, tzinfo=UTC)
    assert first_contact_due(Work(OrderKind.PATROL, CustomerClass.KEY), at, rural=False) is None


def taking(name: Any, at: datetime, *, centre_id: Any = "C2") -> Step:
    """Return a step with all that any of them needs."""
    return Step(
        name,
        at,
        "W01",
        "why",
        centre_id=centre_id if name is StepName.HAND_OVER else None,
        window=Span(at + HOUR, at + 2 * HOUR) if name is StepName.APPOINT else None,
    )


_CHOICES = st.tuples(st.integers(0, 99), st.integers(0, 50))


def walk(choices: Any) -> Any:
    """Yield the orders before and after each of a row of allowed steps, and the step."""
    order, at = dispatched(), START
    for choice, hours in choices:
        allowed = [
            one
            for one in allowed_steps(order.state)
            if not (one is StepName.REJECT and order.rejections)
        ]
        if not allowed:
            return
        at += hours * HOUR
        other = "C1" if order.centre_id == "C2" else "C2"
        step = taking(allowed[choice % len(allowed)], at, centre_id=other)
        before, order = order, take(order, step, now=at)
        yield before, step, order


@given(st.lists(_CHOICES, max_size=40))
def test_no_sequence_of_allowed_steps_reaches_confirmed_without_done(choices: Any) -> None:
    states = [OrderState.DISPATCHED]
    for before, step, after in walk(choices):
        states.append(after.state)
        if after.state is OrderState.CONFIRMED:
            assert states[-2] is OrderState.DONE
            assert after.finished_at is not None
        if after.state is OrderState.DONE:
            assert before.state is OrderState.IN_PROGRESS
            assert step.acting_engineer in before.has_it
        assert (after.finished_at is None) == (
            after.state not in {OrderState.DONE, OrderState.CONFIRMED}
        )


@given(st.lists(_CHOICES, max_size=40))
def test_no_step_moves_what_the_service_clock_says(choices: Any) -> None:
    for before, _, after in walk(choices):
        assert after.due_at == before.due_at == START + 24 * HOUR
        assert after.suspended_at is None


def test_every_state_is_walked_through_by_some_sequence_of_allowed_steps() -> None:
    ways = [dispatched(OrderState.NEW)]
    seen: dict[Any, Any] = {}
    while ways:
        order = ways.pop()
        if order.state in seen:
            continue
        seen[order.state] = order
        ways += [take(order, taking(one, START), now=START) for one in allowed_steps(order.state)]
    assert set(seen) == set(OrderState)


def test_a_refused_step_says_which_are_allowed_in_both_languages() -> None:
    with pytest.raises(StepNotAllowed) as refused:
        take(dispatched(OrderState.SUSPENDED), taking(StepName.FINISH, START), now=LATER)
    problem = refused.value
    assert problem.extensions["allowed"] == ["resume", "cancel"]
    assert "resume, cancel" in problem.detail
    assert "恢复、撤销" in problem.detail_zh


def test_every_state_but_the_last_two_leads_on() -> None:
    assert set(TRANSITIONS) == set(OrderState)
    assert [one for one in OrderState if not allowed_steps(one)] == [
        OrderState.CONFIRMED,
        OrderState.CANCELLED,
    ]


def test_a_suspended_order_goes_on_where_it_stood() -> None:
    for steps in ([], [(StepName.TRAVEL, 1)], [(StepName.TRAVEL, 1), (StepName.START, 2)]):
        before = run(dispatched(), (StepName.ACCEPT, 0), *steps)
        after = run(before, (StepName.SUSPEND, 3), (StepName.RESUME, 5))
        assert (after.state, after.suspended_in) == (before.state, None)


def test_work_that_is_not_accepted_is_done_again_and_counted() -> None:
    done = run(dispatched(), (StepName.ACCEPT, 0), (StepName.START, 1), (StepName.FINISH, 2))
    again = run(done, (StepName.REWORK, 12))
    assert (again.state, again.reworks, again.finished_at) == (OrderState.DISPATCHED, 1, None)
    assert again.engineer_id == "W01"
    with pytest.raises(StepNotAllowed):
        take(again, taking(StepName.CONFIRM, START + 13 * HOUR), now=LATER)
    second = run(again, (StepName.ACCEPT, 13), (StepName.START, 14), (StepName.FINISH, 24))
    assert (second.on_time, second.visits) == (True, 2)


def test_an_order_handed_over_is_nobodys_and_its_clock_goes_on() -> None:
    working = run(dispatched(), (StepName.ACCEPT, 0), (StepName.START, 1))
    after = take(working, taking(StepName.HAND_OVER, START + 5 * HOUR), now=LATER)
    assert (after.state, after.engineer_id, after.centre_id) == (OrderState.NEW, None, "C2")
    assert (after.due_at, after.handovers) == (working.due_at, 1)
    with pytest.raises(StepNotAllowed) as refused:
        take(after, taking(StepName.HAND_OVER, START + 6 * HOUR), now=LATER)
    assert "another centre than C2" in refused.value.detail


def test_a_window_that_is_over_is_not_promised() -> None:
    step = Step(StepName.APPOINT, START + HOUR, window=Span(START - HOUR, START + HOUR))
    with pytest.raises(WindowPassed):
        take(dispatched(OrderState.NEW), step, now=LATER)


def test_a_crews_order_is_finished_by_one_of_the_crew_who_is_named() -> None:
    order = OrderProgress(
        OrderState.IN_PROGRESS,
        None,
        START,
        None,
        START,
        crew_id="K1",
        crew=frozenset({"W05", "W06"}),
    )
    for stranger in ("W01", None):
        with pytest.raises(NotYourOrder) as refused:
            take(order, Step(StepName.FINISH, START, stranger), now=LATER)
        assert "K1" in refused.value.detail
        assert "K1" in refused.value.detail_zh
    done = take(order, Step(StepName.FINISH, START, "W06"), now=LATER)
    assert done.state is OrderState.DONE


def test_the_documents_show_the_table_as_it_is(project: Path) -> None:
    assert f"```mermaid\n{diagram()}```" in (project / "docs" / "dispatch.md").read_text()
