"""What leads earn depends on what was collected, never on the order it was heard of in (R16)."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attribution.unit.county import NOW, ORGANISATION, RURAL, TOWN, message
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.booking import book
from huaxiao.attribution.domain.books import Books, Known
from huaxiao.attribution.domain.commissions import (
    Collected,
    Earning,
    Terms,
    TermsBook,
    due,
    owed,
)
from huaxiao.attribution.domain.earnings import book_commissions
from huaxiao.attribution.domain.histories import Lead
from huaxiao.attribution.domain.learning import learn, says_of_lines
from huaxiao.attribution.domain.messages import Message, Waiting
from huaxiao.attribution.domain.organisation import Organisation
from huaxiao.attribution.domain.postings import Balances, balances_of
from huaxiao.attribution.domain.rule_sets import RuleBook
from huaxiao.attribution.rule_sets.reading import default_rule_set
from huaxiao.shared.periods import Period
from huaxiao.shared.wire import events

OPENED_ON = date(2017, 11, 30)
COMMON = TermsBook()


def lead(lead_id: str = "L-1", day: int = 20, **given: Any) -> Lead:
    facts = {"person_ids": ("P1", "P2", "P3"), "shares": (5_000, 2_500, 2_500)}
    return Lead(lead_id, date(2017, 11, day), "G1", "P9", **(facts | given))


def paid(amount_fen: int, period: int = 201711, event_id: str = "E-1") -> Collected:
    return Collected(Period(period), Period(period), "/bss", event_id, amount_fen)


def parts(found: dict[Earning, int]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for one, amount_fen in found.items():
        sums[one.person_id] += amount_fen
    return dict(sums)


@pytest.mark.parametrize(
    ("amount_fen", "expected"),
    [
        (10_000, {"P1": 100, "P2": 50, "P3": 50}),
        (25, {"P1": 1}),
        (24, {}),
        (125, {"P1": 1, "P2": 1, "P3": 1}),
    ],
    ids=["whole", "half a fen up", "less than half", "the largest remainder"],
)
def test_an_event_earns_two_percent_shared_to_the_fen(
    amount_fen: int, expected: dict[str, int]
) -> None:
    assert parts(due([lead()], OPENED_ON, COMMON, [paid(amount_fen)])) == expected


@pytest.mark.parametrize(
    ("period", "earns"), [(201710, False), (201711, True), (201810, True), (201811, False)]
)
def test_twelve_accounting_months_earn_the_one_of_the_opening_first(
    period: int, earns: bool
) -> None:
    assert bool(due([lead()], OPENED_ON, COMMON, [paid(10_000, period)])) is earns


def test_a_refund_takes_back_by_the_month_whose_bill_it_takes_back() -> None:
    late = Collected(Period(201711), Period(201901), "/bss", "E-9", -10_000)
    beyond = late._replace(event_id="E-8", owner_period=Period(201811))
    found = due([lead()], OPENED_ON, COMMON, [late, beyond, paid(10_000)])
    assert {one.event_id for one in found} == {"E-1", "E-9"}
    assert parts(found) == {"P1": 0, "P2": 0, "P3": 0}


def test_a_refund_of_a_bill_that_was_paid_after_the_months_takes_nothing_back() -> None:
    paid_late = paid(10_000, 201811)
    refund = Collected(Period(201810), Period(201812), "/bss", "E-9", -10_000)
    assert due([lead()], OPENED_ON, COMMON, [paid_late, refund]) == {}
    earned = paid(4_000, 201810, "E-2")
    assert parts(due([lead()], OPENED_ON, COMMON, [refund, earned])) == {"P1": 0, "P2": 0, "P3": 0}


def given_back(amount_fen: int, number: int) -> Collected:
    return Collected(Period(201712), Period(201801), "/bss", f"R-{number}", -amount_fen)


amounts = st.lists(st.integers(1, 10**6), max_size=5)


@given(amounts, amounts, st.randoms(use_true_random=False))
def test_a_line_never_earns_less_than_nothing_and_refunds_of_all_leave_nothing(
    taken_in: list[int], gone: list[int], chance: random.Random
) -> None:
    collected = [paid(one, 201712, f"E-{n}") for n, one in enumerate(taken_in)]
    refunds = [given_back(one, n) for n, one in enumerate(gone)]
    found = due([lead()], OPENED_ON, COMMON, [*collected, *refunds])
    assert all(part >= 0 for part in parts(found).values())
    mixed = chance.sample([*collected, *refunds], len(collected) + len(refunds))
    assert due([lead()], OPENED_ON, COMMON, mixed) == found
    mirrored = [given_back(one, n) for n, one in enumerate(taken_in)]
    assert not any(parts(due([lead()], OPENED_ON, COMMON, [*collected, *mirrored])).values())


def test_who_brought_it_alone_has_all_of_it_and_nobody_nothing() -> None:
    alone = lead(person_ids=(), shares=())
    assert parts(due([alone], OPENED_ON, COMMON, [paid(10_000)])) == {"P9": 200}
    nobody = Lead("L-1", date(2017, 11, 20), "G1", None)
    assert due([nobody], OPENED_ON, COMMON, [paid(10_000)]) == {}
    late = lead(day=30)
    assert due([late], OPENED_ON, COMMON, [paid(10_000)]) == {}


def test_a_leads_own_rate_and_months_come_before_the_branchs() -> None:
    branch = TermsBook(
        (
            (201710, Terms(100, 1)),
            (201711, Terms(300, 2)),
            (201711, Terms(400, 2)),
            (201712, Terms(500, 2)),
        )
    )
    collected = [paid(10_000, period, str(period)) for period in (201711, 201712, 201801)]
    assert sum(due([lead()], OPENED_ON, branch, collected).values()) == 2 * 400
    own = lead(rate_basis_points=100, months=3)
    assert sum(due([own], OPENED_ON, branch, collected).values()) == 3 * 100
    half = lead(rate_basis_points=100)
    assert sum(due([half], OPENED_ON, branch, collected).values()) == 2 * 100


shares = st.lists(st.integers(1, 99), min_size=1, max_size=6)


@given(st.lists(st.integers(0, 10**12), max_size=6), shares, st.integers(0, 10_000))
def test_the_parts_of_an_event_are_the_whole_of_it(
    amounts: list[int], weights: list[int], rate: int
) -> None:
    people = tuple(f"P{number}" for number in range(len(weights)))
    one = lead(person_ids=people, shares=tuple(weights), rate_basis_points=rate)
    for number, amount_fen in enumerate(amounts):
        whole = sum(
            due([one], OPENED_ON, COMMON, [paid(amount_fen, event_id=str(number))]).values()
        )
        assert abs(whole * 10_000 - amount_fen * rate) <= 5_000


earnings = st.dictionaries(
    st.builds(
        Earning, st.just("/bss"), st.sampled_from("ABC"), st.sampled_from("LM"), st.just("P")
    ),
    st.integers(-5, 5),
)


@given(earnings, earnings)
def test_what_is_booked_and_what_is_owed_are_what_is_due(
    due_now: dict[Earning, int], booked: dict[Earning, int]
) -> None:
    after = Counter(booked)
    after.update(owed(due_now, booked))
    assert {one: amount for one, amount in after.items() if amount} == {
        one: amount for one, amount in due_now.items() if amount
    }


# --- in the books -------------------------------------------------------------------------------

LINES = ("S-1", "S-2")
MOMENTS = st.integers(0, 120).map(lambda days: datetime(2017, 10, 1, tzinfo=UTC) + timedelta(days))


def converted(number: int, line: str, day: int, people: list[str]) -> events.LeadConverted:
    share, rest = divmod(10_000, len(people))
    return events.LeadConverted(
        lead_id=f"L-{number}",
        subscription_id=line,
        approved_on=date(2017, 11, day),
        owner_centre_id="G1",
        people=[
            events.LeadPerson(person_id=one, share_basis_points=share + (rest if index == 0 else 0))
            for index, one in enumerate(people)
        ],
    )


@st.composite
def stories(draw: st.DrawFn) -> list[Message]:
    """Return two lines with leads that compete, a move, bills, payments and refunds."""
    said: list[events.EventData] = [
        *(
            events.SubscriptionOpened(
                subscription_id=one,
                customer_id="PER-1",
                product="broadband",
                opened_on=date(2017, draw(st.integers(10, 12)), 25),
                standard_address=TOWN,
            )
            for one in LINES
        ),
        events.SubscriptionMoved(
            subscription_id="S-1", effective_on=date(2017, 11, 5), standard_address=RURAL
        ),
    ]
    for number in range(draw(st.integers(0, 3))):
        people = draw(st.lists(st.sampled_from("ABC"), min_size=1, unique=True))
        day = draw(st.integers(1, 28))
        said.append(converted(number, draw(st.sampled_from(LINES)), day, people))
    for number in range(4):
        line, amount_fen = draw(st.sampled_from(LINES)), draw(st.integers(1, 9_999))
        said += [
            events.BillItemIssued(
                bill_item_id=f"BI-{number}",
                subscription_id=line,
                period=draw(st.sampled_from([201711, 201712])),
                item_kind="monthly",
                amount_fen=amount_fen,
            ),
            events.RefundIssued(
                refund_id=f"R-{number}",
                bill_item_id=f"BI-{number}",
                amount_fen=draw(st.integers(1, amount_fen)),
            ),
            events.PaymentReceived(
                payment_id=f"PAY-{number}",
                subscription_id=draw(st.sampled_from(LINES)),
                amount_fen=draw(st.integers(1, 99_999)),
            ),
        ]
    return [
        message(data, event_id=f"E-{number}", at=draw(MOMENTS)) for number, data in enumerate(said)
    ]


def taken(told: list[Message], organisation: Organisation = ORGANISATION) -> Books:
    """Take events in one by one; what must wait comes again until nothing new is learned."""
    into = Books(organisation, RuleBook(default_rule_set()), Known(), None, NOW)
    queue = told
    while queue:
        waiting = []
        for one in queue:
            if says_of_lines(one):
                answer = learn(into, one)
                into.decide_again()
            else:
                answer = book(into, one)
            book_commissions(into, COMMON)
            if isinstance(answer, Waiting):
                waiting.append(one)
        assert len(waiting) < len(queue)
        queue = waiting
    return into


def by_person(into: Books) -> dict[tuple[str, str, Period], int]:
    sums: Counter[tuple[str, str, Period]] = Counter()
    for one in into.produced.commissions:
        sums[one.person_id, one.lead_id, one.period] += one.amount_fen
    return {key: amount for key, amount in sums.items() if amount}


@given(stories(), st.randoms(use_true_random=False))
def test_any_order_ends_in_the_same_commissions_and_the_same_books(
    story: list[Message], chance: random.Random
) -> None:
    straight, mixed = taken(story), taken(chance.sample(story, len(story)))
    assert by_person(mixed) == by_person(straight)
    balances = balances_of(mixed.produced.entries)
    assert balances == balances_of(straight.produced.entries)
    assert sum(costs(balances).values()) == sum(by_person(mixed).values())


def test_a_commission_lies_where_what_was_collected_lies() -> None:
    said: list[events.EventData] = [
        events.SubscriptionOpened(
            subscription_id="S-1",
            customer_id="PER-1",
            product="broadband",
            opened_on=date(2017, 11, 3),
            standard_address=TOWN,
        ),
        events.BillItemIssued(
            bill_item_id="BI-1",
            subscription_id="S-1",
            period=201711,
            item_kind="monthly",
            amount_fen=10_000,
        ),
        events.PaymentReceived(payment_id="PAY-1", subscription_id="S-1", amount_fen=20_000),
        events.RefundIssued(refund_id="R-1", bill_item_id="BI-1", amount_fen=5_000),
        converted(1, "S-1", 1, ["A"]),
        events.SubscriptionMoved(
            subscription_id="S-1", effective_on=date(2017, 11, 5), standard_address=RURAL
        ),
    ]
    december = datetime(2017, 12, 20, tzinfo=UTC)
    told = [message(data, event_id=f"E-{n}", at=december) for n, data in enumerate(said)]
    # By the lead the line is G1's; without it, C1's in November and C2's in December.
    with_lead = balances_of(taken(told).produced.entries)
    assert costs(with_lead) == {("G1", None, 201712): 400 - 100}
    listed = replace(ORGANISATION, centres={"C0": ORGANISATION.centres["C0"]})
    unknown = balances_of(taken(told, listed).produced.entries)
    assert costs(unknown) == {("C2", "F-RURAL", 201712): 400, ("C1", "F-TOWN", 201712): -100}


def costs(balances: Balances) -> dict[tuple[str, str | None, Period], int]:
    return {
        (centre_id, field_id, period): amount
        for (period, centre_id, field_id, account), amount in balances.items()
        if account == "cost.lead_commission"
    }
