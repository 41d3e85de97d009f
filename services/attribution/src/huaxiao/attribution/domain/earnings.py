"""Booking what leads earn: on each event that collected something, to the people, in whole fen."""

from collections import defaultdict
from collections.abc import Mapping

from huaxiao.attribution.domain import postings
from huaxiao.attribution.domain.books import OWN_SOURCE, Books
from huaxiao.attribution.domain.commissions import (
    Collected,
    Commission,
    Earning,
    TermsBook,
    due,
    owed,
)
from huaxiao.attribution.domain.postings import Entry, booking_period
from huaxiao.shared.wire import attribution as accounts

COLLECTING = {accounts.CASH_IN: 1, accounts.REFUNDS: -1}
"""The accounts that events debit when they take money in, or give it back."""


def collected_by(entry: Entry) -> Collected | None:
    """Return what an event took in, or gave back, by the entry it made; None for any other."""
    if entry.source == OWN_SOURCE or entry.debit not in COLLECTING:
        return None
    amount_fen = COLLECTING[entry.debit] * entry.amount_fen
    return Collected(
        entry.owner_period, entry.origin_period, entry.source, entry.event_id, amount_fen
    )


def book_commissions(books: Books, terms: TermsBook) -> None:
    """Book what leads earn of what was collected on their lines, less what was booked before."""
    collected: dict[str, list[Collected]] = defaultdict(list)
    for entry in books.produced.entries:
        if entry.subscription_id in books.earning and (found := collected_by(entry)):
            collected[entry.subscription_id].append(found)
    known = books.known
    for subscription_id in sorted(books.earning & known.leads.keys() & known.lines.keys()):
        events_of_line = {
            one.key: one for one in (*known.collected[subscription_id], *collected[subscription_id])
        }
        due_now = due(
            known.leads[subscription_id],
            known.lines[subscription_id].opened_on,
            terms,
            events_of_line.values(),
        )
        for key, changed in _by_event(owed(due_now, known.commissions[subscription_id])).items():
            _book_commission(books, subscription_id, events_of_line[key], changed)
    books.earning.clear()


def _by_event(changes: Mapping[Earning, int]) -> dict[tuple[str, str], dict[Earning, int]]:
    grouped: dict[tuple[str, str], dict[Earning, int]] = defaultdict(dict)
    for one, amount_fen in changes.items():
        grouped[one.key][one] = amount_fen
    return grouped


def _book_commission(
    books: Books, subscription_id: str, event: Collected, changed: Mapping[Earning, int]
) -> None:
    """Book under the line's owner what an event changes of people's commissions."""
    period = booking_period(event.origin_period, books.closed_through)
    booked = books.known.commissions[subscription_id]
    for one, amount_fen in changed.items():
        booked[one] = booked.get(one, 0) + amount_fen
        books.produced.commissions.append(
            Commission(
                one.person_id,
                one.lead_id,
                subscription_id,
                period,
                event.origin_period,
                event.owner_period,
                *event.key,
                event.amount_fen,
                amount_fen,
            )
        )
    books.post(
        event.key,
        postings.commission(sum(changed.values())),
        owner=books.known.timelines[subscription_id].at(event.owner_period).place,
        origin=event.origin_period,
        owner_period=event.owner_period,
        subscription_id=subscription_id,
    )
