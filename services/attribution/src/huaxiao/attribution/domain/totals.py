"""What lies in each period, counted as it is booked.

What is billed is summed from the documents themselves, not from the entries that they made: whoever
loses or doubles an entry on its way into the books does not change it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from huaxiao.attribution.domain.books import Document, Produced
from huaxiao.attribution.domain.postings import booking_period
from huaxiao.shared.periods import Period

_BILLS = {"bill_item": 1, "adjustment": 1, "refund": -1}
"""How documents enter net revenue; no other kind does."""


@dataclass(slots=True)
class Total:
    """What one transaction adds to a period."""

    first_entry: int
    last_entry: int
    billed_fen: int = 0


def totals_of(
    produced: Produced, closed_through: Period | None, *, first_entry: int
) -> dict[Period, Total]:
    """Return what is added to each period, with its entries numbered from one on."""
    totals: dict[Period, Total] = {}
    for number, entry in enumerate(produced.entries, start=first_entry):
        total = totals.get(entry.period)
        if total is None:
            totals[entry.period] = Total(number, number)
        else:
            total.last_entry = number
    for period, billed_fen in _billed(produced.documents, closed_through):
        totals[period].billed_fen += billed_fen
    return totals


def _billed(
    documents: Iterable[Document], closed_through: Period | None
) -> Iterable[tuple[Period, int]]:
    sums: dict[tuple[str, Period], int] = defaultdict(int)
    for one in documents:
        sums[one.kind, one.period] += one.amount_fen
    for (kind, period), amount_fen in sums.items():
        sign = _BILLS.get(kind)
        if sign is not None:
            yield booking_period(period, closed_through), sign * amount_fen
