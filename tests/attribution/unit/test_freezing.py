"""A frozen line stays with its owner; when it thaws, the books are what they would have been."""

from datetime import date

from attribution.unit.county import NOVEMBER, message
from attribution.unit.test_books import books, take, take_all
from attribution.unit.test_restating import LINES, MONTHS, OPENED, bill, move, owned, owners
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.books import Books
from huaxiao.attribution.domain.messages import Message
from huaxiao.attribution.domain.postings import Entry
from huaxiao.shared.periods import Period
from huaxiao.shared.wire import events

FROZEN = "S-1"


def thaw(into: Books) -> None:
    """End the dispute, as the service does: with all that was decided or deferred on record."""
    known = into.known
    known.frozen.clear()
    for one in (*into.produced.decided, *into.produced.deferred):
        known.on_record.setdefault(one.subscription_id, []).append(one)
    into.affect(FROZEN)
    into.decide_again()
    known.on_record.clear()


def transfer(day: date) -> Message:
    data = events.SubscriptionChanged(subscription_id=FROZEN, effective_on=day, customer_id="ENT-1")
    return message(data, event_id=f"T-{day}")


days = st.dates(date(2017, 10, 1), date(2018, 3, 31))
heard = st.one_of(
    days.map(move),
    days.map(transfer),
    st.builds(bill, st.sampled_from(LINES), st.sampled_from(MONTHS)),
)
lives = st.lists(heard, max_size=9, unique_by=lambda one: one.event_id)
places = st.integers(0, 9)


@given(lives, st.lists(places, min_size=2, max_size=2).map(sorted), st.lists(places, max_size=4))
def test_a_dispute_that_ends_undecided_leaves_the_books_as_they_would_be_without_it(
    life: list[Message], dispute: list[int], closings: list[int]
) -> None:
    free, disputed = books(), books()
    for into in (free, disputed):
        take_all(into, [*OPENED, bill(FROZEN, NOVEMBER)])
    frozen_with = all_owners(disputed)
    sealed_through, sealed = Period(0), list[Entry]()
    for place in range(11):
        if place == dispute[0]:
            disputed.known.frozen.add(FROZEN)
            frozen_with = all_owners(disputed)
        if place == dispute[1]:
            thaw(disputed)
        for into in (free, disputed):
            if place < len(life):
                take(into, life[place])
            for _ in range(closings.count(place)):
                latest = into.closed_through
                into.closed_through = MONTHS[0] if latest is None else following(latest)
        if disputed.known.frozen:
            assert all_owners(disputed) == frozen_with
        assert entries_through(disputed, sealed_through) == sealed
        sealed_through = disputed.closed_through or Period(0)
        sealed = entries_through(disputed, sealed_through)

    for line in LINES:
        assert owners(disputed, line) == owners(free, line)
    assert owned(disputed) == owned(free)
    assert not disputed.known.deferred


def all_owners(into: Books) -> list[dict[Period, str]]:
    return [owners(into, one) for one in LINES]


def following(period: Period) -> Period:
    return MONTHS[min(MONTHS.index(period) + 1, len(MONTHS) - 1)]


def entries_through(into: Books, period: Period) -> list[Entry]:
    return [one for one in into.produced.entries if one.period <= period]


def test_what_was_deferred_on_a_month_that_closed_meanwhile_is_made_up_for_in_the_open_one() -> (
    None
):
    taken = books()
    take_all(taken, [*OPENED, bill(FROZEN, NOVEMBER)])
    taken.known.frozen.add(FROZEN)
    take(taken, move(date(2017, 10, 20)))
    assert taken.known.timelines[FROZEN].at(NOVEMBER).centre_id == "C1"
    assert taken.known.deferred[FROZEN].at(NOVEMBER).centre_id == "C2"
    taken.closed_through = NOVEMBER
    # Heard after the closing, it would not have reached November without the dispute, either.
    take(taken, transfer(date(2017, 10, 10)))
    thaw(taken)
    assert taken.known.timelines[FROZEN].at(NOVEMBER).centre_id == "C2"
    moved = taken.produced.entries[2:]
    assert {(one.period, one.origin_period) for one in moved} == {(201712, 201711)}
    assert owned(taken)["C2", "F-RURAL", "revenue"] == -1711
