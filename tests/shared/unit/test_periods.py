from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.shared.periods import (
    FIRST_PERIOD,
    Period,
    as_period,
    business_day,
    ends_at,
    last_day,
    period_of,
    periods_from,
    shift,
    starts_at,
    year_before,
)

months = st.integers(0, 12 * 90).map(lambda count: shift(FIRST_PERIOD, count))


@given(months)
def test_a_period_holds_its_start_and_not_its_end(period: Period) -> None:
    assert period_of(starts_at(period)) == period
    assert period_of(ends_at(period)) == shift(period, 1)


@given(months, st.integers(-200, 200))
def test_shifting_there_and_back_changes_nothing(period: Period, count: int) -> None:
    assert shift(shift(period, count), -count) == period


def test_the_month_turns_at_midnight_in_shanghai() -> None:
    assert period_of(datetime(2017, 10, 31, 15, 59, 59, tzinfo=UTC)) == 201710
    assert period_of(datetime(2017, 10, 31, 16, 0, 0, tzinfo=UTC)) == 201711


def test_the_year_before_january_is_january() -> None:
    assert year_before(Period(201801)) == 201701


def test_a_range_of_periods_includes_both_ends() -> None:
    assert list(periods_from(Period(201711), Period(201802))) == [201711, 201712, 201801, 201802]


@pytest.mark.parametrize("bad", [201713, 201700, 0, 199912, 210001, -1])
def test_a_number_that_is_no_month_is_refused(bad: int) -> None:
    with pytest.raises(ValueError, match="not a period"):
        as_period(bad)


TURNS = [
    # Month ends of a common year, of a leap year, and of the years that are and are not one by century.
    *((year, month) for year in (2017, 2024) for month in range(1, 13)),
    *((year, month) for year in (2000, 2020, 2028, 2096) for month in (1, 2, 3, 12)),
    (2099, 12),
]
ZONES = ("UTC", "America/New_York", "Europe/London", "Pacific/Kiritimati", "Pacific/Pago_Pago")
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("year", "month"), TURNS)
def test_a_month_ends_with_its_last_day_in_shanghai_wherever_the_moment_is_written(
    year: int, month: int
) -> None:
    period = Period(year * 100 + month)
    last = last_day(period)
    end = datetime(year, month, last.day, 16, tzinfo=UTC)

    assert ends_at(period) == end
    assert (last + timedelta(days=1)).day == 1
    for zone in ZONES:
        before, after = ((end + by).astimezone(ZoneInfo(zone)) for by in (-SECOND, timedelta()))
        assert (period_of(before), business_day(before)) == (period, last)
        assert (period_of(after), business_day(after)) == (
            shift(period, 1),
            last + timedelta(days=1),
        )


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-02-28T15:59:59+00:00", date(2024, 2, 28)),
        ("2024-02-28T16:00:00+00:00", date(2024, 2, 29)),
        ("2024-02-29T16:00:00+00:00", date(2024, 3, 1)),
        ("2023-02-28T16:00:00+00:00", date(2023, 3, 1)),
        # Clocks of others are put forward and back; an hour there is twice the same or none.
        ("2024-03-10T02:59:59-05:00", date(2024, 3, 10)),
        ("2024-11-03T01:30:00-04:00", date(2024, 11, 3)),
        ("2024-11-03T01:30:00-05:00", date(2024, 11, 3)),
        ("2024-11-03T11:59:59-04:00", date(2024, 11, 3)),
        ("2024-11-03T11:00:00-05:00", date(2024, 11, 4)),
        ("2016-12-31T15:59:59.999999+00:00", date(2016, 12, 31)),
        ("2016-12-31T16:00:00+00:00", date(2017, 1, 1)),
        ("2017-01-01T00:00:00+14:00", date(2016, 12, 31)),
        ("2017-01-01T00:00:00-11:00", date(2017, 1, 1)),
    ],
)
def test_the_day_turns_in_shanghai(moment: str, day: date) -> None:
    assert business_day(datetime.fromisoformat(moment)) == day


def test_no_clock_of_the_business_zone_has_been_put_forward_or_back_since_the_first_period() -> (
    None
):
    offsets = {starts_at(shift(FIRST_PERIOD, count)).utcoffset() for count in range(12 * 100)}
    assert offsets == {timedelta(hours=8)}
