"""The clock of an order under any sequence of stops, through nights, holidays and year ends."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.business_time import Counting
from huaxiao.dispatch.domain.service_clock import (
    MOST_POSTPONED,
    ServiceClock,
    Stop,
    late_for_material,
    next_moment,
    warnings,
)
from huaxiao.shared.wire.service_levels import StopCause

COUNTY = ZoneInfo("Asia/Shanghai")
START = datetime(2017, 11, 6, 9, tzinfo=COUNTY)  # a Monday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CUSTOMER, MAJEURE, RESOURCE = (
    StopCause.CUSTOMER,
    StopCause.FORCE_MAJEURE,
    StopCause.RESOURCE,
)
minutes = st.integers(0, 60 * 24 * 20).map(lambda one: one * MINUTE)


@st.composite
def clocks(draw: st.DrawFn) -> ServiceClock:
    counting = draw(st.sampled_from(Counting))
    target = draw(st.integers(1, 60 * 24 * 8)) * MINUTE
    stops, at = [], START
    for _ in range(draw(st.integers(0, 5))):
        at += draw(minutes) // 4
        until = at + draw(minutes) // 2
        stops.append(Stop(draw(st.sampled_from(StopCause)), at, until))
        at = draw(st.sampled_from([at, until]))
    if draw(st.booleans()):
        stops.append(Stop(draw(st.sampled_from(StopCause)), at + draw(minutes) // 4))
    return ServiceClock(START, counting, target, 2 * target, tuple(stops))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=COUNTY)


@given(clocks())
def test_the_clock_has_run_its_target_when_it_is_due_and_not_a_moment_before(
    clock: ServiceClock,
) -> None:
    due = clock.due_at
    if due is None:
        assert clock.stops[-1].until is None
        return
    assert clock.elapsed(due) == clock.target
    assert clock.elapsed(due - MINUTE) < clock.target


@given(clocks(), minutes)
def test_time_without_stops_never_exceeds_time_with_them(
    clock: ServiceClock, length: timedelta
) -> None:
    bare = ServiceClock(clock.started_at, clock.counting, clock.target, clock.limit)
    moment = START + length
    assert timedelta(0) <= clock.elapsed(moment) <= bare.elapsed(moment)
    assert bare.due_at is not None
    assert clock.due_at is None or clock.due_at >= bare.due_at
    assert clock.postponed(moment) <= MOST_POSTPONED


@given(clocks(), st.randoms())
def test_the_order_in_which_stops_are_told_does_not_matter(
    clock: ServiceClock, random: object
) -> None:
    shuffled = list(clock.stops)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = ServiceClock(START, clock.counting, clock.target, clock.limit, tuple(shuffled))
    assert (again.due_at, again.pauses) == (clock.due_at, clock.pauses)


@given(clocks(), st.integers(-12, 14), minutes)
def test_a_moment_is_the_same_in_whatever_zone_it_is_told(
    clock: ServiceClock, hours: int, length: timedelta
) -> None:
    zone = timezone(timedelta(hours=hours))
    moved = ServiceClock(
        clock.started_at.astimezone(zone),
        clock.counting,
        clock.target,
        clock.limit,
        tuple(
            Stop(one.cause, one.since.astimezone(zone), one.until and one.until.astimezone(UTC))
            for one in clock.stops
        ),
    )
    moment = START + length
    assert moved.due_at == clock.due_at
    assert moved.elapsed(moment.astimezone(UTC)) == clock.elapsed(moment)


@given(clocks(), st.lists(minutes, min_size=1, max_size=6))
def test_however_often_it_is_asked_each_warning_is_due_once_and_at_its_own_moment(
    clock: ServiceClock, looks: list[timedelta]
) -> None:
    told: dict[int, datetime] = {}
    for length in sorted(looks):
        for percent, moment in warnings(clock, until=START + length):
            assert told.setdefault(percent, moment) == moment
    assert told == dict(warnings(clock, until=START + max(looks)))
    for percent, moment in told.items():
        assert clock.elapsed(moment) == clock.target * percent // 100


@given(clocks(), minutes)
def test_nothing_is_due_before_the_moment_at_which_the_clock_is_looked_at_next(
    clock: ServiceClock, length: timedelta
) -> None:
    now = START + length
    told = [percent for percent, _ in warnings(clock, until=now)]
    upcoming = next_moment(clock, told, now=now)
    assert upcoming is None or upcoming > now
    if upcoming is not None:
        before = upcoming - timedelta(microseconds=1)
        assert [percent for percent, _ in warnings(clock, until=before)] == told


def test_the_customers_stops_hold_the_clock_for_five_days_in_all() -> None:
    stops = (
        Stop(CUSTOMER, START + HOUR, START + HOUR + 3 * DAY),
        Stop(CUSTOMER, START + 4 * DAY),
    )
    clock = ServiceClock(START, Counting.NATURAL, 25 * HOUR, 48 * HOUR, stops)
    assert clock.due_at == START + 6 * DAY + HOUR
    assert clock.stopped_since(START + 5 * DAY) == START + 4 * DAY
    assert clock.runs_again_at(START + 5 * DAY) == START + 6 * DAY
    assert clock.stopped_since(START + 6 * DAY) is None


def test_force_majeure_holds_the_clock_as_long_as_it_lasts() -> None:
    clock = ServiceClock(
        START, Counting.NATURAL, 24 * HOUR, 48 * HOUR, (Stop(MAJEURE, START + HOUR),)
    )
    assert clock.due_at is None
    assert clock.stopped_since(START + 90 * DAY) == START + HOUR
    assert list(warnings(clock, until=START + 90 * DAY)) == []
    assert next_moment(clock, (), now=START + 90 * DAY) is None


@pytest.mark.parametrize(
    ("cause", "hours"),
    [
        (CUSTOMER, 34),
        (MAJEURE, 34),
        (StopCause.ACCEPTANCE, 34),
        (RESOURCE, 24),
    ],
)
def test_all_but_lack_of_material_stop_the_clock(cause: StopCause, hours: int) -> None:
    stop = Stop(cause, START + 2 * HOUR, START + 12 * HOUR)
    clock = ServiceClock(START, Counting.NATURAL, 24 * HOUR, 48 * HOUR, (stop,))
    assert clock.due_at == START + hours * HOUR


def test_what_the_requester_looked_is_left_out_however_often_and_long() -> None:
    looks = tuple(
        Stop(StopCause.ACCEPTANCE, START + number * 3 * DAY, START + (number * 3 + 2) * DAY)
        for number in range(1, 5)
    )
    clock = ServiceClock(START, Counting.NATURAL, 7 * DAY, 14 * DAY, looks)
    assert clock.due_at == START + 15 * DAY
    assert clock.postponed(START + 30 * DAY) == timedelta(0)


def test_lack_of_material_does_not_stop_the_clock_and_says_why_work_is_late() -> None:
    clock = ServiceClock(
        START,
        Counting.NATURAL,
        24 * HOUR,
        48 * HOUR,
        (Stop(RESOURCE, START + HOUR, START + 11 * HOUR),),
    )
    assert clock.due_at == START + 24 * HOUR
    assert not late_for_material(clock, START + 24 * HOUR)
    assert late_for_material(clock, START + 34 * HOUR)
    assert not late_for_material(clock, START + 34 * HOUR + MINUTE)


def test_a_year_whose_holidays_are_not_published_has_its_weekdays_and_says_so() -> None:
    clock = ServiceClock(at("2026-12-30T09:00"), Counting.WORKING, 2 * DAY, 4 * DAY)
    assert clock.knows_its_calendar(at("2026-12-31T23:59"))
    assert not clock.knows_its_calendar(at("2027-01-04T09:00"))
    assert ServiceClock(START, Counting.NATURAL, DAY, 2 * DAY).knows_its_calendar(at("2090-01-01"))
