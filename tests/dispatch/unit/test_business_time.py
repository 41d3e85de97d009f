"""Counted time: windows of days, the Chinese calendar, and clocks that stop and go on."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.business_time import (
    KNOWN_YEARS,
    WINDOW_DAY,
    Counting,
    Stretch,
    after,
    assumed_years,
    is_working_day,
    passed,
    reached_at,
    running_time,
)
from huaxiao.shared.periods import BUSINESS_ZONE

HOURS, DAYS, WHOLE_DAYS = Counting.WINDOW, Counting.WORKING_WINDOW, Counting.WORKING
MINUTE = timedelta(minutes=1)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BUSINESS_ZONE)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2017, 10, 2), False),  # National Day holiday, a Monday
        (date(2017, 9, 30), True),  # a Saturday worked instead
        (date(2018, 2, 24), True),  # a Saturday after the Spring Festival
        (date(2018, 2, 19), False),
        (date(2017, 11, 4), False),  # a Saturday
        (date(2017, 11, 6), True),
        (date(2099, 1, 1), True),  # nobody knows the holidays of 2099: a Thursday
        (date(2099, 1, 3), False),
        (date(2026, 10, 1), False),  # National Day, a Thursday
    ],
)
def test_working_days_are_the_calendars_and_weekdays_where_it_knows_none(
    day: Any, works: Any
) -> None:
    assert is_working_day(day) is works


def test_years_without_an_announced_calendar_are_named() -> None:
    last = KNOWN_YEARS[-1]
    assert assumed_years(local(last, 12, 1), local(last, 12, 31, 23)) == []
    assert assumed_years(local(last, 12, 31), local(last + 2, 1, 1)) == [last + 1, last + 2]
    # In Shanghai the new year has begun when London still has the old one.
    assert assumed_years(local(last, 12, 31), datetime(last, 12, 31, 16, tzinfo=UTC)) == [last + 1]


@pytest.mark.parametrize(
    ("measure", "since", "amount", "due"),
    [
        (HOURS, local(2017, 11, 6, 9), timedelta(hours=2), local(2017, 11, 6, 11)),
        (HOURS, local(2017, 11, 6, 18), timedelta(hours=2), local(2017, 11, 6, 20)),
        (HOURS, local(2017, 11, 6, 19), timedelta(hours=2), local(2017, 11, 7, 9)),
        (HOURS, local(2017, 11, 6, 3), timedelta(hours=2), local(2017, 11, 6, 10)),
        (HOURS, local(2017, 11, 3, 22), timedelta(hours=2), local(2017, 11, 4, 10)),
        (DAYS, local(2017, 11, 6, 10), 2 * WINDOW_DAY, local(2017, 11, 8, 10)),
        (DAYS, local(2017, 11, 3, 10), 2 * WINDOW_DAY, local(2017, 11, 7, 10)),
        (DAYS, local(2017, 11, 4, 10), 2 * WINDOW_DAY, local(2017, 11, 7, 20)),
        # Saturday the 30th is worked; then eight days of holiday.
        (DAYS, local(2017, 9, 30, 10), 2 * WINDOW_DAY, local(2017, 10, 10, 10)),
    ],
)
def test_a_due_moment_is_the_first_at_which_enough_has_run(
    measure: Any, since: Any, amount: Any, due: Any
) -> None:
    assert reached_at(measure, [Stretch(since)], amount) == due


def test_a_clock_that_stopped_before_is_never_due() -> None:
    stopped = [Stretch(local(2017, 11, 6, 9), local(2017, 11, 6, 10))]
    assert reached_at(HOURS, stopped, timedelta(hours=2)) is None
    again = [*stopped, Stretch(local(2017, 11, 8, 21))]
    assert reached_at(HOURS, again, timedelta(hours=2)) == local(2017, 11, 9, 9)


moments = st.integers(0, 210 * 24 * 60).map(lambda minutes: local(2017, 9, 1) + minutes * MINUTE)
cuts = st.lists(moments, min_size=2, max_size=9, unique=True).map(sorted)
measures = st.sampled_from(Counting)


def counts(counting: Counting, at: datetime) -> bool:
    in_window = time(8) <= at.time() < time(20)
    works = is_working_day(at.date())
    return {
        Counting.NATURAL: True,
        HOURS: in_window,
        WHOLE_DAYS: works,
        DAYS: in_window and works,
    }[counting]


def by_minutes(measure: Counting, stretches: list[Stretch], until: datetime) -> timedelta:
    """Count every minute that runs, one by one: what a patient clerk would do."""
    run = timedelta(0)
    for one in stretches:
        at = one.since
        while at < min(one.until or until, until):
            if counts(measure, at):
                run += MINUTE
            at += MINUTE
    return run


@given(
    measures,
    moments,
    st.lists(st.integers(1, 3000), min_size=1, max_size=5),
)
def test_running_time_is_what_a_clerk_counts_minute_by_minute(
    measure: Any, start: Any, lengths: Any
) -> None:
    at, stretches = start, []
    for index, minutes in enumerate(lengths):
        until = at + minutes * MINUTE
        if index % 2 == 0:
            stretches.append(Stretch(at, until))
        at = until
    assert running_time(measure, stretches, until=at) == by_minutes(measure, stretches, at)


@given(measures, cuts)
def test_cutting_a_time_into_pieces_loses_nothing(measure: Any, moments: Any) -> None:
    pieces = [Stretch(since, until) for since, until in pairwise(moments)]
    whole = [Stretch(moments[0], moments[-1])]
    end = moments[-1]
    assert running_time(measure, pieces, until=end) == running_time(measure, whole, until=end)
    # What runs and what is paused make up the clock without pauses.
    running, paused = pieces[::2], pieces[1::2]
    assert running_time(measure, running, until=end) + running_time(
        measure, paused, until=end
    ) == running_time(measure, whole, until=end)


@given(measures, cuts, st.integers(1, 6000), st.booleans())
def test_a_due_moment_is_where_exactly_so_much_has_run_and_not_a_moment_before(
    measure: Any, moments: Any, minutes: Any, goes_on: Any
) -> None:
    running = [
        Stretch(since, until)
        for index, (since, until) in enumerate(pairwise(moments))
        if index % 2 == 0
    ]
    if goes_on:
        running.append(Stretch(moments[-1] + MINUTE))
    amount = minutes * MINUTE
    due = reached_at(measure, running, amount)
    if due is None:
        assert not goes_on
        assert running_time(measure, running, until=moments[-1]) < amount
        return
    assert running_time(measure, running, until=due) == amount
    assert running_time(measure, running, until=due - timedelta(microseconds=1)) < amount


@given(measures, moments, st.integers(1, 6000), st.integers(-12 * 60, 14 * 60))
def test_no_zone_in_which_a_moment_is_written_changes_when_it_is_due(
    measure: Any, start: Any, minutes: Any, offset: Any
) -> None:
    amount = minutes * MINUTE
    elsewhere = start.astimezone(timezone(offset * MINUTE))
    new_york = start.astimezone(ZoneInfo("America/New_York"))
    due = reached_at(measure, [Stretch(start)], amount)
    assert due == reached_at(measure, [Stretch(elsewhere)], amount)
    assert due == reached_at(measure, [Stretch(new_york)], amount)
    assert running_time(measure, [Stretch(new_york)], until=due) == amount


@pytest.mark.parametrize(
    ("begins", "days", "ends"),
    [
        ("2017-11-06T10:00", 5, "2017-11-13T10:00"),  # over a weekend
        ("2017-11-04T10:00", 1, "2017-11-07T00:00"),  # begun on a Saturday
        ("2017-09-29T12:00", 1, "2017-09-30T12:00"),  # a Saturday worked for the holiday week
        ("2017-09-30T12:00", 1, "2017-10-09T12:00"),  # National Day and Mid-Autumn
        ("2017-12-29T09:00", 1, "2018-01-02T09:00"),  # New Year's Day is a Monday
        ("2026-09-19T09:00", 2, "2026-09-22T00:00"),  # the Sunday is worked for Mid-Autumn
    ],
)
def test_whole_working_days_follow_the_official_calendar(begins: str, days: int, ends: str) -> None:
    since, until = (
        datetime.fromisoformat(one).replace(tzinfo=BUSINESS_ZONE) for one in (begins, ends)
    )
    assert after(WHOLE_DAYS, since, days * timedelta(days=1)) == until


def test_the_window_opens_on_holidays_too_and_closes_at_night() -> None:
    evening, night, morning = (
        local(2017, 12, 31, 19),
        local(2017, 12, 31, 20),
        local(2018, 1, 1, 8),
    )
    assert after(HOURS, evening, timedelta(hours=2)) == local(2018, 1, 1, 9)
    assert passed(HOURS, night, morning) == timedelta(0)


@given(measures, moments, moments)
def test_no_time_passes_backwards_and_none_is_waited_for(
    measure: Any, since: Any, until: Any
) -> None:
    first, last = sorted((since, until))
    assert passed(measure, last, first) == timedelta(0)
    assert after(measure, since, timedelta(0)) == since
    assert after(measure, since, -MINUTE) == since
