"""The books balance, follow their owner, and do not depend on the order events came in."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from attribution.unit.county import DECEMBER, NOVEMBER, NOW, ORGANISATION, RURAL, TOWN, message
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.booking import book
from huaxiao.attribution.domain.books import Books, Known
from huaxiao.attribution.domain.learning import learn
from huaxiao.attribution.domain.messages import Message, Refusal, Waiting
from huaxiao.attribution.domain.postings import Balances, balances_of, lines_of
from huaxiao.attribution.domain.rule_sets import RuleBook
from huaxiao.attribution.domain.totals import totals_of
from huaxiao.attribution.rule_sets.reading import default_rule_set
from huaxiao.shared.periods import Period
from huaxiao.shared.wire import events

RULES = RuleBook(default_rule_set())
LEARNED = (
    events.SubscriptionOpened,
    events.SubscriptionMoved,
    events.BundleMembers,
    events.SubscriptionChanged,
    events.SubscriptionStopped,
    events.BundleDissolved,
)


def books(closed_through: Period | None = None) -> Books:
    return Books(ORGANISATION, RULES, Known(), closed_through, NOW)


def take(into: Books, one: Message) -> Refusal | Waiting | None:
    """Take one event in as a batch of its own."""
    if isinstance(one.data, LEARNED):
        answer = learn(into, one)
        into.decide_again()
        return answer
    return book(into, one)


def take_all(into: Books, messages: Sequence[Message]) -> None:
    """Take events in one by one; what must wait comes again until nothing new is learned."""
    queue = list(messages)
    while queue:
        waiting = [one for one in queue if isinstance(take(into, one), Waiting)]
        if len(waiting) == len(queue):
            return
        queue = waiting


def nonzero(into: Books) -> Balances:
    return balances_of(into.produced.entries)


def net_revenue(balances: Balances, centre_id: str) -> int:
    accounts = ("revenue", "refunds", "adjustments")
    return -sum(
        amount
        for (_, centre, _, account), amount in balances.items()
        if centre == centre_id and account in accounts
    )


OPENED = message(
    events.SubscriptionOpened(
        subscription_id="S-1",
        customer_id="PER-1",
        product="broadband",
        opened_on=date(2016, 1, 1),
        standard_address=TOWN,
    ),
    event_id="E-1",
)
MOBILE = message(
    events.SubscriptionOpened(
        subscription_id="S-2",
        customer_id="PER-1",
        product="mobile",
        opened_on=date(2016, 1, 1),
        channel_id="AGENT",
    ),
    event_id="E-2",
)
CARD = message(
    events.SubscriptionOpened(
        subscription_id="S-3",
        customer_id="PER-1",
        product="mobile",
        opened_on=date(2016, 1, 1),
        main_subscription_id="S-2",
    ),
    event_id="E-3",
)
BUNDLE = message(
    events.BundleMembers(
        bundle_id="B-1", effective_on=date(2017, 10, 1), subscription_ids=["S-1", "S-2"]
    ),
    event_id="E-4",
)
MOVE = message(
    events.SubscriptionMoved(
        subscription_id="S-1", effective_on=date(2017, 10, 20), standard_address=RURAL
    ),
    event_id="E-5",
)
BILLS = [
    message(
        events.BillItemIssued(
            bill_item_id=f"BI-{number}",
            subscription_id=f"S-{number}",
            period=NOVEMBER,
            item_kind="monthly",
            amount_fen=1000 * number,
            tax_fen=60 * number,
        ),
        event_id=f"E-1{number}",
    )
    for number in (1, 2, 3)
]
REFUND = message(
    events.RefundIssued(refund_id="R-1", bill_item_id="BI-2", amount_fen=300), event_id="E-20"
)
ADJUSTMENT = message(
    events.AdjustmentMade(adjustment_id="A-1", bill_item_id="BI-3", amount_fen=-500),
    event_id="E-21",
)
PAYMENT = message(
    events.PaymentReceived(payment_id="PAY-1", subscription_id="S-3", amount_fen=700),
    event_id="E-22",
)
COST = message(
    events.Cost(
        cost_id="K-1",
        kind="commission",
        period=NOVEMBER,
        amount_fen=90,
        subscription_id="S-2",
    ),
    event_id="E-23",
)
DISSOLVED = message(
    events.BundleDissolved(bundle_id="B-2", effective_on=date(2017, 9, 1)), event_id="E-6"
)
FORMED = message(
    events.BundleMembers(
        bundle_id="B-2", effective_on=date(2017, 8, 1), subscription_ids=["S-2", "S-4"]
    ),
    event_id="E-7",
)
CLOSED, RESUMED = (
    message(
        events.SubscriptionStopped(subscription_id="S-3", effective_on=date(2017, 10, day)),
        event_id=f"E-8{day}",
        kind=kind,
    )
    for day, kind in ((3, "subscription.closed"), (9, "subscription.resumed"))
)
RAISED = message(
    events.AdjustmentMade(adjustment_id="A-2", bill_item_id="BI-1", amount_fen=400),
    event_id="E-24",
)
MORE_THAN_CHARGED = message(
    events.RefundIssued(refund_id="R-2", bill_item_id="BI-1", amount_fen=1_300), event_id="E-25"
)
LOST = message(
    events.WriteOffMade(write_off_id="W-1", bill_item_id="BI-1", amount_fen=100), event_id="E-26"
)
STORY = [
    *(OPENED, MOBILE, CARD, BUNDLE, MOVE, DISSOLVED, FORMED, CLOSED, RESUMED),
    *(*BILLS, REFUND, ADJUSTMENT, RAISED, MORE_THAN_CHARGED, LOST, PAYMENT, COST),
]


@given(st.permutations(STORY), st.sampled_from([None, Period(201710), NOVEMBER, DECEMBER]))
def test_the_same_events_in_any_order_end_in_the_same_books(
    order: list[Message], closed_through: Period | None
) -> None:
    straight, shuffled = books(closed_through), books(closed_through)
    take_all(straight, STORY)
    take_all(shuffled, order)
    assert nonzero(shuffled) == nonzero(straight)
    # The line moved in October, and the bundle and the card follow it: all is the township's.
    assert net_revenue(nonzero(straight), "C2") == 1000 + 2000 + 3000 - 300 - 500 + 400 - 1_300
    assert {centre for _, centre, _, _ in nonzero(shuffled)} == {"C2"}


@given(st.permutations(STORY), st.integers(0, len(STORY)))
def test_every_charge_is_counted_once_with_the_centre_its_revenue_belongs_to(
    order: list[Message], upto: int
) -> None:
    taken = books()
    for one in order[:upto]:
        take(taken, one)
    entries = taken.produced.entries
    charges = sum(kind == "bill_item" for kind, _ in taken.known.documents)
    assert sum(lines_of(entries).values()) == charges
    # What is billed and what is counted lie in the same places.
    billed = {
        (period, centre_id, field_id)
        for (period, centre_id, field_id, account) in nonzero(taken)
        if account == "revenue"
    }
    assert lines_of(entries).keys() == billed
    taken = books()
    take_all(taken, order)
    (counted,) = lines_of(taken.produced.entries).items()
    assert (counted[0][1], counted[1]) == ("C2", 3)


@given(st.permutations(STORY), st.integers(0, len(STORY)))
def test_the_ledger_sums_to_zero_at_every_moment(order: list[Message], upto: int) -> None:
    taken = books()
    for one in order[:upto]:
        take(taken, one)
    assert sum(nonzero(taken).values()) == 0
    assert all(entry.amount_fen > 0 for entry in taken.produced.entries)


@given(st.permutations(STORY), st.sampled_from([None, NOVEMBER]))
def test_what_documents_come_to_is_what_is_booked_in_every_period(
    order: list[Message], closed_through: Period | None
) -> None:
    taken = books(closed_through)
    take_all(taken, order)
    totals = totals_of(taken.produced, closed_through, first_entry=7)
    booked: dict[Period, int] = {}
    numbers: dict[Period, list[int]] = {}
    for number, entry in enumerate(taken.produced.entries, start=7):
        numbers.setdefault(entry.period, []).append(number)
        signed = balances_of([entry])
        booked[entry.period] = booked.get(entry.period, 0) + sum(
            net_revenue(signed, centre) for centre in ORGANISATION.centres
        )
    assert {period: one.billed_fen for period, one in totals.items()} == booked
    assert {period: (one.first_entry, one.last_entry) for period, one in totals.items()} == {
        period: (held[0], held[-1]) for period, held in numbers.items()
    }


def test_what_was_booked_is_never_changed_only_moved_by_a_minus_and_a_plus() -> None:
    taken = books()
    for one in (OPENED, BILLS[0]):
        take(taken, one)
    booked = list(taken.produced.entries)
    take(taken, MOVE)
    assert taken.produced.entries[: len(booked)] == booked
    moved = taken.produced.entries[len(booked) :]
    assert len(moved) == 2 * len(booked)
    assert {one.event_id for one in moved} == {f"decision:S-1:{NOVEMBER}:2"}
    assert net_revenue(nonzero(taken), "C1") == 0
    assert net_revenue(nonzero(taken), "C2") == 1000


def test_a_charge_before_its_subscription_waits_for_it_by_name() -> None:
    answer = take(books(), BILLS[0])
    assert isinstance(answer, Waiting)
    assert answer.waiting_for == "subscription:S-1"


def test_a_refund_before_its_charge_waits_for_it_by_name() -> None:
    answer = take(books(), REFUND)
    assert isinstance(answer, Waiting)
    assert answer.waiting_for == "bill_item:BI-2"


def refused(answer: Refusal | Waiting | None) -> str:
    assert isinstance(answer, Refusal)
    return answer.code


def test_refunds_never_exceed_their_charge_together() -> None:
    taken = books()
    take_all(taken, [MOBILE, BILLS[1], REFUND])
    second = message(
        events.RefundIssued(refund_id="R-2", bill_item_id="BI-2", amount_fen=1701), event_id="E-30"
    )
    answer = take(taken, second)
    assert isinstance(answer, Waiting)
    assert (answer.code, answer.waiting_for) == ("refund-exceeds-charge", "bill_item_raised:BI-2")
    fitting = message(
        events.RefundIssued(refund_id="R-3", bill_item_id="BI-2", amount_fen=1700), event_id="E-31"
    )
    assert take(taken, fitting) is None


def test_one_document_is_booked_once_whatever_event_brings_it() -> None:
    taken = books()
    take_all(taken, [OPENED, BILLS[0]])
    again = message(BILLS[0].data, event_id="E-99")
    assert refused(take(taken, again)) == "already-known"
    assert refused(take(taken, message(OPENED.data, event_id="E-98"))) == "already-known"


def test_a_closed_period_takes_nothing_and_the_line_says_where_it_belongs() -> None:
    taken = books(closed_through=NOVEMBER)
    take_all(taken, [OPENED, BILLS[0]])
    assert {(one.period, one.origin_period) for one in taken.produced.entries} == {
        (DECEMBER, NOVEMBER)
    }


def test_a_decision_on_a_closed_period_stands() -> None:
    taken = books()
    take_all(taken, [OPENED, BILLS[0]])
    taken.closed_through = NOVEMBER
    take(taken, MOVE)
    assert net_revenue(nonzero(taken), "C1") == 1000


def test_what_came_late_for_a_closed_period_follows_its_evidence_while_its_own_is_open() -> None:
    taken = books(closed_through=NOVEMBER)
    take_all(taken, [OPENED, BILLS[0]])
    take(taken, MOVE)
    assert (net_revenue(nonzero(taken), "C1"), net_revenue(nonzero(taken), "C2")) == (0, 1000)
    taken.closed_through = DECEMBER
    back = events.SubscriptionMoved(
        subscription_id="S-1", effective_on=date(2017, 10, 25), standard_address=TOWN
    )
    take(taken, message(back, event_id="E-90"))
    assert net_revenue(nonzero(taken), "C2") == 1000


def test_what_would_be_decided_as_it_is_needs_nothing_loaded() -> None:
    taken = books()
    take_all(taken, [OPENED, MOBILE, CARD, BUNDLE])
    taken.affected |= {"S-1", "S-2", "S-3", "S-404"}
    taken.pass_over_unchanged()
    assert taken.affected == set()
    learn(taken, MOVE)
    assert taken.affected == {"S-1", "S-2", "S-3"}
    taken.pass_over_unchanged()
    assert taken.affected == {"S-1", "S-2", "S-3"}
    decided = len(taken.produced.decided)
    taken.decide_again()
    assert len(taken.produced.decided) > decided


def test_a_refund_follows_the_owner_its_charge_had() -> None:
    taken = books()
    move = message(
        events.SubscriptionMoved(
            subscription_id="S-1", effective_on=date(2017, 11, 20), standard_address=RURAL
        ),
        event_id="E-40",
    )
    refund = message(
        events.RefundIssued(refund_id="R-9", bill_item_id="BI-1", amount_fen=100),
        event_id="E-41",
        at=datetime(2017, 12, 10, tzinfo=UTC),
    )
    take_all(taken, [OPENED, BILLS[0], move, refund])
    assert taken.known.timelines["S-1"].at(DECEMBER).centre_id == "C2"
    last = taken.produced.entries[-1]
    assert (last.debit, last.centre_id, last.period) == ("refunds", "C1", DECEMBER)


def test_a_cost_belongs_to_what_it_names_and_else_to_the_branch() -> None:
    def owner(**named: str) -> tuple[str, str | None] | str:
        taken = books()
        cost = events.Cost(cost_id="K-9", kind="hall_rent", period=NOVEMBER, amount_fen=5, **named)
        answer = take(taken, message(cost))
        if isinstance(answer, Refusal):
            return answer.code
        return taken.produced.entries[0].centre_id, taken.produced.entries[0].field_id

    assert owner(channel_id="HALL") == ("C3", "F-HALL")
    assert owner(channel_id="AGENT") == ("C2", None)
    assert owner(field_id="F-TOWN") == ("C1", "F-TOWN")
    assert owner(centre_id="G1") == ("G1", None)
    assert owner() == ("C0", None)
    for unknown in ({"channel_id": "X"}, {"field_id": "X"}, {"centre_id": "X"}):
        assert owner(**unknown) == "unknown-reference"
