from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.shared.periods import (
    FIRST_PERIOD,
    Period,
    as_period,
    ends_at,
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
