"""What orders' own records say of a centre."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from huaxiao.dispatch.domain.business_time import Counting
from huaxiao.dispatch.domain.calendar import deadlines, settled_at, silence_confirms_at
from huaxiao.dispatch.domain.level_table import (
    DEFAULT_TABLE,
    Work,
    counting_of,
    first_contact_due,
    length_of,
    level_of,
)
from huaxiao.dispatch.domain.measuring import Record, measure
from huaxiao.dispatch.domain.scorecard import Measure
from huaxiao.dispatch.domain.service_level import SERVICE_LEVELS
from huaxiao.shared.periods import Period, ends_at, starts_at
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind, OrderState

NOVEMBER = Period(201711)
SINCE, UNTIL = starts_at(NOVEMBER), ends_at(NOVEMBER)
START = datetime(2017, 11, 6, 1, tzinfo=UTC)  # 09:00 in the county
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REPAIR = Record(
    kind=OrderKind.REPAIR,
    customer_class=CustomerClass.KEY,
    line="S-1",
    state=OrderState.CONFIRMED,
    engineer_id="W01",
    requested_at=START,
    dispatched_at=START,
    due_at=START + 4 * HOUR,
    finished_at=START + 4 * HOUR,
)


def of(*records: Record) -> dict[str, Measure]:
    return measure(records, since=SINCE, until=UNTIL)


def test_work_finished_at_the_very_moment_it_is_due_is_on_time() -> None:
    late = replace(REPAIR, line="S-2", finished_at=START + 4 * HOUR + timedelta(seconds=1))
    assert of(REPAIR, late)["repair_on_time"] == Measure(100, 2)


def test_open_work_counts_as_late_only_once_it_is_overdue() -> None:
    waiting = replace(REPAIR, finished_at=None, state=OrderState.ACCEPTED)
    assert of(waiting)["repair_on_time"] == Measure(0, 1)
    assert of(replace(waiting, due_at=UNTIL))["repair_on_time"] == Measure(0, 0)


def test_work_that_waits_for_the_customer_is_not_overdue_once_its_clock_has_stopped() -> None:
    waiting = replace(REPAIR, finished_at=None, state=OrderState.SUSPENDED)
    for after, late in ((3 * HOUR, 0), (4 * HOUR, 0), (5 * HOUR, 1)):
        stopped = replace(waiting, suspended_at=START + after)
        assert of(stopped)["repair_on_time"] == Measure(0, late), after


def test_cancelled_work_counts_neither_way() -> None:
    cancelled = replace(REPAIR, state=OrderState.CANCELLED, finished_at=None)
    assert of(cancelled)["repair_on_time"] == Measure(0, 0)


def test_work_of_another_month_does_not_count() -> None:
    before = replace(REPAIR, finished_at=SINCE - HOUR)
    after = replace(REPAIR, finished_at=UNTIL, due_at=UNTIL + DAY)
    assert of(before, after)["repair_on_time"] == Measure(0, 0)


def test_what_is_unknown_is_neither_good_nor_bad() -> None:
    measured = of(REPAIR)
    for item in ("first_contact", "appointment_kept", "satisfaction"):
        assert measured[item] == Measure(0, 0), item


def test_a_first_contact_is_in_time_up_to_its_limit() -> None:
    in_time = replace(REPAIR, first_contact_at=START + timedelta(minutes=15))
    late = replace(REPAIR, line="S-2", first_contact_at=START + timedelta(minutes=16))
    assert of(in_time, late)["first_contact"] == Measure(100, 2)


def test_a_first_contact_in_the_country_has_the_countrys_limit() -> None:
    install = replace(
        REPAIR,
        kind=OrderKind.INSTALL,
        customer_class=CustomerClass.PUBLIC,
        first_contact_at=START + 4 * HOUR,
    )
    assert of(install)["first_contact"] == Measure(0, 1)
    assert of(replace(install, rural=True))["first_contact"] == Measure(100, 1)


def test_a_fault_on_the_same_line_within_thirty_days_is_a_repeated_one() -> None:
    def again(after: timedelta, line: str = "S-1") -> Record:
        asked = START + 4 * HOUR + after
        return replace(
            REPAIR, line=line, requested_at=asked, finished_at=min(asked + HOUR, UNTIL - HOUR)
        )

    assert of(REPAIR, again(20 * DAY))["repeat_fault"] == Measure(100, 2)
    assert of(REPAIR, again(20 * DAY, "S-2"))["repeat_fault"] == Measure(0, 2)
    long_ago = replace(
        REPAIR, requested_at=START - 31 * DAY, finished_at=START - 30 * DAY - timedelta(seconds=1)
    )
    assert of(long_ago, REPAIR)["repeat_fault"] == Measure(0, 1)


def test_a_record_without_a_photo_or_with_the_line_dead_is_of_poor_quality() -> None:
    good = replace(REPAIR, photo=True, onu_online=True)
    no_photo = replace(good, line="S-2", photo=None)
    dead = replace(good, line="S-3", onu_online=False)
    assert of(good, no_photo, dead)["record_quality"] == Measure(100, 3)


def test_a_person_is_measured_by_their_own_work() -> None:
    others = replace(REPAIR, line="S-2", engineer_id="W02", finished_at=START + DAY)
    mine = measure(
        [REPAIR, others], since=SINCE, until=UNTIL, mine=lambda one: one.engineer_id == "W01"
    )
    assert mine["repair_on_time"] == Measure(100, 1)


@pytest.mark.parametrize(
    ("kind", "customer_class", "town", "country"),
    [
        (OrderKind.INSTALL, CustomerClass.PUBLIC, 24, 48),
        (OrderKind.MOVE, CustomerClass.SMALL_BUSINESS, 24, 36),
        (OrderKind.INSTALL, CustomerClass.KEY, 24, 24),
        (OrderKind.REPAIR, CustomerClass.PUBLIC, 24, 36),
        (OrderKind.REPAIR, CustomerClass.SMALL_BUSINESS, 12, 24),
        (OrderKind.REPAIR, CustomerClass.KEY, 4, 6),
        (OrderKind.DISMANTLE, CustomerClass.KEY, 72, 120),
        (OrderKind.CHECK, CustomerClass.PUBLIC, 24, 48),
        (OrderKind.CHECK, CustomerClass.KEY, 8, 24),
        (OrderKind.COMMISSIONING, CustomerClass.PUBLIC, 7 * 24, 10 * 24),
        (OrderKind.CONSTRUCTION, CustomerClass.KEY, 21 * 24, 28 * 24),
    ],
)
def test_every_kind_of_work_has_its_hours_in_town_and_country(
    kind: OrderKind, customer_class: CustomerClass, town: int, country: int
) -> None:
    for rural, hours in ((False, town), (True, country)):
        level = level_of(DEFAULT_TABLE.levels, Work(kind, customer_class), rural=rural)
        assert level is not None
        assert length_of(level.target) == hours * HOUR
        assert counting_of(level.target.unit) is Counting.NATURAL


def test_every_requested_kind_and_class_has_one_level_and_its_limit_lies_behind_its_target() -> (
    None
):
    keys = [(one.kind, one.customer_class) for one in SERVICE_LEVELS]
    wanted = {
        (kind, customer_class)
        for kind in OrderKind
        for customer_class in CustomerClass
        if kind is not OrderKind.PATROL
    }
    assert len(keys) == len(set(keys))
    assert set(keys) == wanted
    for one in SERVICE_LEVELS:
        assert one.hours_in_town < one.limit_in_town
        assert one.hours_in_country < one.limit_in_country


def test_window_hours_do_not_run_at_night() -> None:
    evening = datetime(2017, 11, 6, 11, tzinfo=UTC)  # 19:00 in the county
    due = first_contact_due(Work(OrderKind.INSTALL, CustomerClass.PUBLIC), evening, rural=False)
    assert due == datetime(2017, 11, 7, 1, tzinfo=UTC)  # 09:00 the next morning
    night = datetime(2017, 11, 6, 16, tzinfo=UTC)  # midnight
    due = first_contact_due(Work(OrderKind.DISMANTLE, CustomerClass.PUBLIC), night, rural=False)
    assert due == datetime(2017, 11, 7, 8, tzinfo=UTC)  # 16:00


def test_silence_confirms_on_the_eighth_day_and_three_days_after_a_late_card() -> None:
    assert silence_confirms_at(NOVEMBER, UNTIL + DAY) == UNTIL + 8 * DAY
    assert silence_confirms_at(NOVEMBER, UNTIL + 20 * DAY) == UNTIL + 23 * DAY


def test_a_card_stands_when_its_ratee_agrees_or_says_nothing_in_time() -> None:
    deadline, moment = UNTIL + 8 * DAY, timedelta(microseconds=1)

    def stands(now: datetime, confirmed_at: datetime | None = None) -> bool:
        due = deadlines(NOVEMBER, submitted_at=UNTIL + DAY)
        return settled_at(due, confirmed_at=confirmed_at, appeals=[], now=now) is not None

    assert not stands(deadline - moment)
    assert stands(deadline)
    assert stands(UNTIL + 2 * DAY, confirmed_at=UNTIL + 2 * DAY)
