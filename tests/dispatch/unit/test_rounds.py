"""The rounds that a cycle asks for: without a gap, without a repetition."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.rounds import (
    Patrolled,
    PlannedRound,
    next_round,
    round_state,
    rounds_until,
)
from huaxiao.shared.wire.assets import RoundState
from huaxiao.shared.wire.service_levels import AssetGrade, AssetKind, Cycle, PatrolLevel

COUNTY = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
MONTH, QUARTER, TEN_DAYS = (
    Cycle(every="month"),
    Cycle(every="quarter"),
    Cycle(every="days", days=10),
)
cycles = st.sampled_from([MONTH, QUARTER, TEN_DAYS, Cycle(every="days", days=1)])
days = st.dates(date(2016, 1, 1), date(2019, 12, 31))


def level(cycle: Cycle) -> PatrolLevel:
    return PatrolLevel(asset_kind=AssetKind.BASE_STATION, grade=AssetGrade.KEY, cycle=cycle)


def planned(asset: Patrolled, until: date, cycle: Cycle = MONTH) -> list[tuple[str, str]]:
    rounds = rounds_until(asset, lambda _: level(cycle), until)
    return [(str(one.starts_on), str(one.ends_on)) for one in rounds]


def test_the_first_round_is_the_first_whole_cycle_and_the_others_follow_over_the_year() -> None:
    asset = Patrolled(date(2017, 11, 2), None)
    assert planned(asset, date(2018, 1, 31)) == [
        ("2017-12-01", "2017-12-31"),
        ("2018-01-01", "2018-01-31"),
    ]
    assert planned(asset, date(2018, 1, 31), QUARTER) == [("2018-01-01", "2018-03-31")]
    own = Patrolled(date(2017, 12, 25), TEN_DAYS)
    assert planned(own, date(2018, 1, 4)) == [
        ("2017-12-25", "2018-01-03"),
        ("2018-01-04", "2018-01-13"),
    ]


def test_another_cycle_goes_on_where_the_one_before_ended() -> None:
    asset = Patrolled(date(2017, 1, 1), None, covered_to=date(2017, 10, 31))
    assert planned(asset, date(2018, 1, 1), QUARTER) == [
        ("2017-11-01", "2017-12-31"),
        ("2018-01-01", "2018-03-31"),
    ]


def test_an_asset_out_of_use_has_no_rounds_and_begins_anew_when_it_is_used_again() -> None:
    retired = Patrolled(date(2017, 1, 1), MONTH, date(2017, 12, 1), date(2017, 10, 31))
    assert planned(retired, date(2018, 6, 1)) == [("2017-11-01", "2017-11-30")]
    again = Patrolled(date(2018, 3, 15), MONTH, None, date(2017, 11, 30))
    assert planned(again, date(2018, 4, 30)) == [("2018-04-01", "2018-04-30")]


def test_a_round_of_an_asset_without_a_cycle_is_never_asked_for() -> None:
    assert next_round(Patrolled(date(2017, 1, 1), None), lambda _: None) is None


@given(cycles, days, days)
def test_rounds_leave_no_day_out_and_none_twice_however_often_they_are_created(
    cycle: Cycle, from_day: date, until: date
) -> None:
    asset = Patrolled(from_day, cycle)
    at_once = list(rounds_until(asset, lambda _: None, until))
    for before, following in pairwise(at_once):
        assert before.ends_on + DAY == following.starts_on
    one_by_one: list[PlannedRound] = []
    while (one := next_round(asset, lambda _: None)) is not None and one.starts_on <= until:
        one_by_one.append(one)
        asset = Patrolled(from_day, cycle, None, one.ends_on)
    assert one_by_one == at_once
    for one in at_once:
        assert from_day <= one.starts_on <= one.ends_on


@pytest.mark.parametrize(
    ("finished", "now", "state"),
    [
        (None, "2017-12-01", RoundState.OPEN),
        (None, "2017-12-02", RoundState.OVERDUE),
        (None, "2017-12-08", RoundState.OVERDUE),
        (None, "2017-12-09", RoundState.MISSED),
        ("2017-12-01", "2018-01-01", RoundState.DONE),
        ("2017-12-20", "2018-01-01", RoundState.LATE),
    ],
)
def test_a_round_is_in_time_to_the_end_of_its_cycle_and_missed_after_the_days_of_grace(
    finished: str | None, now: str, state: RoundState
) -> None:
    def at(day: str) -> datetime:
        return datetime.fromisoformat(day).replace(tzinfo=COUNTY)

    one = PlannedRound(date(2017, 11, 1), date(2017, 11, 30), 7)
    assert one.due_at == at("2017-12-01")
    assert (
        round_state(
            due_at=one.due_at,
            limit_at=one.limit_at,
            finished_at=None if finished is None else at(finished),
            now=at(now),
        )
        is state
    )
