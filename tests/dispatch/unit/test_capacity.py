"""The time people have: never more visits than fit, and none lost by where a visit is put."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.capacity import (
    QUARTER,
    Stretch,
    Worker,
    choose,
    places,
    quarters_of,
    slots_of,
    uncovered,
)

COUNTY = ZoneInfo("Asia/Shanghai")
DAY = datetime(2017, 11, 6, tzinfo=COUNTY)
SLOT = Stretch(DAY + timedelta(hours=8), DAY + timedelta(hours=10))
quarters = st.integers(4 * 6, 4 * 12).map(lambda number: DAY + number * QUARTER)


@st.composite
def stretches(draw: st.DrawFn) -> Stretch:
    since = draw(quarters)
    return Stretch(since, since + draw(st.integers(1, 12)) * QUARTER)


@st.composite
def workers(draw: st.DrawFn) -> Worker:
    return Worker(
        draw(st.sampled_from(["W1", "W2", "W3"])),
        tuple(draw(st.lists(stretches(), max_size=2))),
        tuple(draw(st.lists(stretches(), max_size=2))),
        frozenset(draw(st.lists(quarters, max_size=6))),
    )


def test_a_shift_has_room_for_whole_visits_with_their_way() -> None:
    one = Worker("W1", (SLOT,))
    assert quarters_of(45 + 30) == 5
    assert (places(one, SLOT, 4), places(one, SLOT, 5), places(one, SLOT, 9)) == (2, 1, 0)
    away = Worker("W1", (SLOT,), (Stretch(SLOT.since + QUARTER, SLOT.since + 2 * QUARTER),))
    assert places(away, SLOT, 4) == 1


def test_two_shifts_that_meet_are_worked_as_one() -> None:
    middle = SLOT.since + 4 * QUARTER
    one = Worker("W1", (Stretch(SLOT.since, middle), Stretch(middle, SLOT.until)))
    assert places(one, SLOT, 8) == 1


def test_the_visit_goes_to_who_has_the_fewest() -> None:
    busy = Worker("W1", (SLOT,), taken=frozenset({SLOT.since}))
    free = Worker("W2", (SLOT,))
    chosen = choose([busy, free], SLOT, 4)
    assert chosen is not None
    assert (chosen.person_id, chosen.since) == ("W2", SLOT.since)


def test_a_day_has_slots_from_opening_to_closing() -> None:
    slots = list(slots_of(date(2017, 11, 6), time(8), time(13), timedelta(hours=2)))
    assert [one.since.hour for one in slots] == [8, 10]


@given(st.lists(workers(), max_size=3, unique_by=lambda one: one.person_id), st.integers(1, 8))
def test_as_many_visits_are_placed_as_were_offered_and_nobody_makes_two_at_once(
    there: list[Worker], length: int
) -> None:
    offered = sum(places(one, SLOT, length) for one in there)
    made = 0
    while (place := choose(there, SLOT, length)) is not None:
        before = next(one for one in there if one.person_id == place.person_id)
        assert SLOT.covers(place.since, place.until)
        assert before.taken.isdisjoint(place.each_quarter)
        after = Worker(
            before.person_id, before.shifts, before.leave, before.taken | {*place.each_quarter}
        )
        assert set(uncovered(after)) == set(uncovered(before))
        there = [after if one is before else one for one in there]
        made += 1
        assert sum(places(one, SLOT, length) for one in there) == offered - made
    assert made == offered
