"""When a card stands: never while it can still move, and by nothing but its calendar."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.calendar import Appealed, deadlines, settled_at
from huaxiao.shared.periods import BUSINESS_ZONE, Period, ends_at
from huaxiao.shared.wire.scorecards import CalendarDays

NOVEMBER = Period(201711)
END = datetime(2017, 12, 1, tzinfo=BUSINESS_ZONE)
DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)
DUE = deadlines(NOVEMBER)


def test_the_days_are_natural_days_after_the_months_end_where_the_county_is() -> None:
    assert ends_at(NOVEMBER) == END
    assert [
        DUE.freeze_at,
        DUE.submit_until,
        DUE.answer_until,
        DUE.decide_until,
        DUE.publish_at,
        DUE.close_at,
    ] == [END + days * DAY for days in (3, 5, 8, 10, 12, 15)]


def test_a_county_may_have_other_days() -> None:
    days = CalendarDays(freeze=1, submit=2, answer=4, decide=7, publish=8, close=9)
    due = deadlines(NOVEMBER, days)
    assert (due.freeze_at, due.close_at) == (END + DAY, END + 9 * DAY)
    late = deadlines(NOVEMBER, days, submitted_at=END + 30 * DAY)
    assert late.answer_until == END + 32 * DAY
    assert late.decide_until - late.answer_until == 3 * DAY


def stands(now: datetime, *appeals: Appealed, confirmed_at: datetime | None = None) -> Any:
    return settled_at(DUE, confirmed_at=confirmed_at, appeals=appeals, now=now)


def test_a_card_stands_when_nobody_answers_when_all_is_decided_or_when_deciding_is_over() -> None:
    day6, day7, day9 = (END + days * DAY for days in (6, 7, 9))
    assert stands(DUE.answer_until - MOMENT) is None
    assert stands(DUE.answer_until) == DUE.answer_until
    assert stands(day7, confirmed_at=day6) == day6
    assert stands(day6 - MOMENT, confirmed_at=day6) is None
    # Decided early, yet another item may still be appealed against.
    assert stands(DUE.answer_until - MOMENT, Appealed(day6, day7)) is None
    assert stands(DUE.answer_until, Appealed(day6, day7)) == DUE.answer_until
    assert stands(day9, Appealed(day6, day9)) == day9
    assert stands(day9 - MOMENT, Appealed(day6, day9)) is None
    assert stands(DUE.decide_until - MOMENT, Appealed(day6, None)) is None
    assert stands(DUE.decide_until, Appealed(day6, None)) == DUE.decide_until


MOMENTS = st.integers(0, 12 * 24).map(lambda hours: END + timedelta(hours=hours))


@st.composite
def appealed(draw: Any) -> Appealed:
    at = draw(MOMENTS.filter(lambda one: one < DUE.answer_until))
    decided = draw(st.none() | MOMENTS.filter(lambda one: at <= one < DUE.decide_until))
    return Appealed(at, decided)


@given(st.lists(appealed(), max_size=4), MOMENTS, MOMENTS)
def test_what_stands_goes_on_standing_from_the_same_moment(
    appeals: list[Appealed], one: datetime, other: datetime
) -> None:
    earlier, later = sorted((one, other))
    settled = stands(earlier, *appeals)
    if settled is not None:
        assert settled <= earlier
        assert stands(later, *appeals) == settled


@given(st.lists(appealed(), max_size=4), MOMENTS)
def test_nothing_stands_while_an_item_may_still_be_appealed_against_or_decided(
    appeals: list[Appealed], now: datetime
) -> None:
    open_appeals = [
        one
        for one in appeals
        if one.at <= now < DUE.decide_until and (one.decided_at is None or one.decided_at > now)
    ]
    may_move = now < DUE.answer_until or bool(open_appeals)
    assert (stands(now, *appeals) is None) == may_move


@given(st.lists(appealed(), max_size=4))
def test_every_card_stands_before_final_ones_are_published(appeals: list[Appealed]) -> None:
    assert stands(DUE.publish_at, *appeals) is not None
