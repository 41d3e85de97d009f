"""A restating ruling reaches the closed months of its term, and no other closed month."""

from collections import Counter
from datetime import UTC, date, datetime

from attribution.unit.county import RURAL, TOWN, message
from attribution.unit.test_books import books, nonzero, take, take_all
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.books import Books
from huaxiao.attribution.domain.histories import Ruling
from huaxiao.attribution.domain.messages import Message
from huaxiao.attribution.domain.postings import moves_of
from huaxiao.shared.periods import Period, periods_from
from huaxiao.shared.wire import events

AT = datetime(2018, 5, 1, tzinfo=UTC)
MONTHS = list(periods_from(Period(201710), Period(201803)))
LINES = ("S-1", "S-2")
OPENED = [
    message(
        events.SubscriptionOpened(
            subscription_id="S-1",
            customer_id="PER-1",
            product="broadband",
            opened_on=date(2016, 1, 1),
            standard_address=TOWN,
        ),
        event_id="E-1",
    ),
    message(
        events.SubscriptionOpened(
            subscription_id="S-2",
            customer_id="PER-1",
            product="mobile",
            opened_on=date(2016, 1, 1),
            main_subscription_id="S-1",
        ),
        event_id="E-2",
    ),
]


def bill(subscription_id: str, period: Period) -> Message:
    data = events.BillItemIssued(
        bill_item_id=f"BI-{subscription_id}-{period}",
        subscription_id=subscription_id,
        period=period,
        item_kind="monthly",
        amount_fen=period - 200_000,
        tax_fen=60,
    )
    return message(data, event_id=data.bill_item_id)


def move(effective_on: date) -> Message:
    data = events.SubscriptionMoved(
        subscription_id="S-1", effective_on=effective_on, standard_address=RURAL
    )
    return message(data, event_id=f"E-{effective_on}")


def approve(into: Books, ruling: Ruling, *, restate: bool) -> None:
    """Put a ruling on S-1 in force, as the service does, with all that was decided on record."""
    known = into.known
    known.rulings["S-1"].append(ruling)
    for one in into.produced.decided:
        known.on_record.setdefault(one.subscription_id, []).append(one)
    into.affect("S-1")
    into.decide_again(ruling if restate else None)
    known.on_record.clear()


def owned(into: Books) -> Counter[tuple[str, str | None, str]]:
    """Sum what every owner has of every account, in whatever month it was booked."""
    sums: Counter[tuple[str, str | None, str]] = Counter()
    for (_, centre_id, field_id, account), amount in nonzero(into).items():
        sums[centre_id, field_id, account] += amount
    return Counter({key: amount for key, amount in sums.items() if amount})


def owners(into: Books, subscription_id: str) -> dict[Period, str]:
    return {one: into.owner(subscription_id, one).centre_id for one in MONTHS}


terms = st.lists(st.sampled_from(MONTHS), min_size=2, max_size=2).map(sorted)
rulings = st.builds(
    lambda term, ends, centre_id: Ruling(
        "R-1", centre_id, None, term[0], term[1] if ends else None, AT
    ),
    terms,
    st.booleans(),
    st.sampled_from(["C2", "G1"]),
)
bills = st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(MONTHS)), unique=True)
moves = st.lists(st.dates(date(2017, 10, 1), date(2018, 3, 31)), unique=True, max_size=2)


@given(rulings, bills, moves, st.sampled_from(MONTHS))
def test_restating_after_closing_ends_with_the_owners_that_ruling_before_it_would_have_had(
    ruling: Ruling, billed: list[tuple[str, Period]], moved: list[date], closed: Period
) -> None:
    story = [*OPENED, *(move(one) for one in moved), *(bill(*one) for one in billed)]
    before, after = books(), books()
    take_all(before, story)
    approve(before, ruling, restate=False)
    take_all(after, story)
    after.closed_through = closed
    sealed = [one for one in after.produced.entries if one.period <= closed]
    approve(after, ruling, restate=True)

    assert owned(after) == owned(before)
    assert owners(after, "S-1") == owners(before, "S-1")
    assert [one for one in after.produced.entries if one.period <= closed] == sealed


@given(rulings, bills, moves, st.sampled_from(MONTHS))
def test_a_closed_month_outside_the_ruling_keeps_its_owner_whatever_is_heard_late(
    ruling: Ruling, billed: list[tuple[str, Period]], moved: list[date], closed: Period
) -> None:
    taken = books()
    take_all(taken, [*OPENED, *(bill(*one) for one in billed)])
    taken.closed_through = closed
    for one in moved:
        take(taken, move(one))
    before = {line: owners(taken, line) for line in LINES}
    approve(taken, ruling, restate=True)

    for line in LINES:
        fixed = max((period for name, period in billed if name == line), default=Period(0))
        for period, centre_id in owners(taken, line).items():
            ruled = ruling.from_period <= period <= (ruling.to_period or period)
            if ruled:
                assert centre_id == ruling.centre_id
            elif period <= min(fixed, closed):
                assert centre_id == before[line][period]
    revenue: Counter[str] = Counter()
    for line, period in billed:
        revenue[taken.owner(line, period).centre_id] += period - 200_000
    booked: Counter[str] = Counter()
    for (centre_id, _, account), amount in owned(taken).items():
        booked[centre_id] -= amount if account == "revenue" else 0
    assert booked == revenue
    assert sum(nonzero(taken).values()) == 0


def test_a_later_refund_follows_the_restated_owner_and_a_second_ruling_moves_all_again() -> None:
    taken = books()
    november = Period(201711)
    take_all(taken, [*OPENED, bill("S-1", november)])
    taken.closed_through = Period(201712)
    approve(taken, Ruling("R-1", "C2", None, november, november, AT), restate=True)
    refund = events.RefundIssued(refund_id="R-9", bill_item_id="BI-S-1-201711", amount_fen=100)
    take(taken, message(refund, event_id="E-9", at=AT))
    assert taken.produced.entries[-1].centre_id == "C2"

    seen = len(taken.produced.entries)
    later = Ruling("R-2", "G1", None, november, november, AT.replace(day=2))
    approve(taken, later, restate=True)
    moved = taken.produced.entries[seen:]
    assert {(one.centre_id, one.field_id) for one in moved} == {("C2", None), ("G1", None)}
    (billed, refunded) = moves_of(moved)
    assert (billed.period, billed.revenue_fen) == (201801, 1711)
    assert (refunded.period, refunded.revenue_fen) == (201805, -100)
    assert owned(taken)["C2", None, "revenue"] == 0
