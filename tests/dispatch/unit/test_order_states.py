from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.order_states import (
    FALSE_COMPLETION_SUSPECTED,
    NotYourOrder,
    OrderProgress,
    Step,
    StepNotAllowed,
    take,
)
from huaxiao.dispatch.domain.service_level import due_at, first_contact_due
from huaxiao.shared.wire.dispatch import (
    CustomerClass,
    OrderKind,
    OrderState,
    StepName,
    SuspensionCause,
)

START = datetime(2017, 11, 6, 1, tzinfo=UTC)
LATER = START + timedelta(days=100)
HOUR = timedelta(hours=1)


def dispatched(state: Any = OrderState.DISPATCHED) -> Any:
    return OrderProgress(state, "W01", START, START + 24 * HOUR, START)


def run(order: Any, *steps: Any) -> Any:
    for name, hours, *rest in steps:
        cause = rest[0] if rest else SuspensionCause.CUSTOMER
        order = take(order, Step(name, START + hours * HOUR, "W01", "why", cause), now=LATER)
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


@pytest.mark.parametrize(
    ("cause", "on_time"),
    [
        (SuspensionCause.CUSTOMER, True),
        (SuspensionCause.FORCE_MAJEURE, True),
        (SuspensionCause.RESOURCE, False),
    ],
)
def test_only_the_customers_cause_and_force_majeure_stop_the_clock(
    cause: Any, on_time: Any
) -> None:
    order = run(
        dispatched(),
        (StepName.ACCEPT, 0),
        (StepName.START, 1),
        (StepName.SUSPEND, 2, cause),
        (StepName.RESUME, 12),
        (StepName.FINISH, 34),
    )
    assert order.on_time is on_time


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
        due = due_at(kind, customer_class, rural=rural, dispatched_at=START)
        return due and (due - START) / HOUR

    assert hours(OrderKind.INSTALL, CustomerClass.PUBLIC, False) == 24
    assert hours(OrderKind.INSTALL, CustomerClass.PUBLIC, True) == 48
    assert hours(OrderKind.REPAIR, CustomerClass.KEY, True) == 6
    assert hours(OrderKind.PATROL, CustomerClass.KEY, False) is None


def test_a_window_hour_begun_before_closing_ends_the_next_morning() -> None:
    at = datetime(2017, 11, 6, 11, 30, tzinfo=UTC)  # 19:30 in the county
    due = first_contact_due(OrderKind.INSTALL, CustomerClass.SMALL_BUSINESS, at)
    assert due == datetime(2017, 11, 7, 0, 30, tzinfo=UTC)
