"""Double entry: what each money event moves between which accounts.

One entry is one amount that leaves the credit account and reaches the debit account, so the ledger
sums to zero by construction. VAT is an entry of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from huaxiao.shared.cost_kinds import LEAD_COMMISSION
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.values import Value, changed
from huaxiao.shared.wire import attribution as accounts
from huaxiao.shared.wire.attribution import CASH_OUT_PREFIX, COST_PREFIX


class Posting(Value, frozen=True):
    """An amount from one account to another; negative amounts are never posted, sides swap."""

    debit: str
    credit: str
    amount_fen: int


class Entry(Value, frozen=True):
    """A line of the ledger, ready to be numbered."""

    period: Period
    origin_period: Period
    """The period the event belongs to; differs from ``period`` when that one was closed."""
    owner_period: Period
    """The period whose owner it follows: for a refund, that of the charge."""
    centre_id: str
    field_id: str | None
    debit: str
    credit: str
    amount_fen: int
    subscription_id: str | None
    source: str
    event_id: str

    @property
    def place(self) -> tuple[str, str | None]:
        """The centre and the field it is booked to."""
        return self.centre_id, self.field_id


NET_REVENUE = (accounts.REVENUE, accounts.REFUNDS, accounts.ADJUSTMENTS)
"""The accounts whose sum, with its sign turned, is net revenue."""
Balances = dict[tuple[Period, str, str | None, str], int]
"""Amounts by period, centre, field and account: debit positive, credit negative."""
Lines = dict[tuple[Period, str, str | None], int]
"""Charges by period, centre and field."""


def charge(amount_fen: int, tax_fen: int) -> list[Posting]:
    """Bill a charge: the customer owes it, with the VAT."""
    postings = [Posting(accounts.RECEIVABLE, accounts.REVENUE, amount_fen)]
    if tax_fen:
        postings.append(Posting(accounts.RECEIVABLE, accounts.TAX, tax_fen))
    return postings


def payment(amount_fen: int) -> list[Posting]:
    """Take money in: the customer owes less."""
    return [Posting(accounts.CASH_IN, accounts.RECEIVABLE, amount_fen)]


def refund(amount_fen: int) -> list[Posting]:
    """Give money back: revenue shrinks."""
    return [Posting(accounts.REFUNDS, f"{CASH_OUT_PREFIX}refund", amount_fen)]


def adjustment(amount_fen: int) -> list[Posting]:
    """Correct a charge, up or down."""
    if amount_fen < 0:
        return [Posting(accounts.ADJUSTMENTS, accounts.RECEIVABLE, -amount_fen)]
    return [Posting(accounts.RECEIVABLE, accounts.ADJUSTMENTS, amount_fen)]


def write_off(amount_fen: int) -> list[Posting]:
    """Give a debt up."""
    return [Posting(accounts.BAD_DEBT, accounts.RECEIVABLE, amount_fen)]


def cost_incurred(kind: str, amount_fen: int) -> list[Posting]:
    """Owe for a cost."""
    return [Posting(f"{COST_PREFIX}{kind}", accounts.PAYABLE, amount_fen)]


def cost_paid(kind: str, amount_fen: int) -> list[Posting]:
    """Pay for a cost."""
    return [Posting(accounts.PAYABLE, f"{CASH_OUT_PREFIX}{kind}", amount_fen)]


def commission(amount_fen: int) -> list[Posting]:
    """Owe people their commission of a lead; a negative one is taken back, nothing is no posting."""
    cost = f"{COST_PREFIX}{LEAD_COMMISSION}"
    if amount_fen < 0:
        return [Posting(accounts.PAYABLE, cost, -amount_fen)]
    return [Posting(cost, accounts.PAYABLE, amount_fen)] if amount_fen else []


def moved(
    entry: Entry, centre_id: str, field_id: str | None, period: Period
) -> tuple[Entry, Entry]:
    """Return the two entries that take an amount from its owner and give it to another.

    The first is the old line with its sides swapped; nothing that stands is changed (R23).
    """
    back = changed(entry, period=period, debit=entry.credit, credit=entry.debit)
    forth = changed(entry, period=period, centre_id=centre_id, field_id=field_id)
    return back, forth


@dataclass(frozen=True, slots=True)
class Move:
    """What a changed decision moves of one subscription's month."""

    subscription_id: str
    owner_period: Period
    """The month that has another owner."""
    period: Period
    """The month it is booked in: the first open one for a month that is closed."""
    before: tuple[str, str | None]
    after: tuple[str, str | None]
    revenue_fen: int


def moves_of(entries: Sequence[Entry]) -> list[Move]:
    """Sum the pairs of entries that ``moved`` made, by subscription and month, as they come."""
    sums: dict[Move, int] = {}
    for back, forth in zip(entries[::2], entries[1::2], strict=True):
        assert forth.subscription_id is not None  # noqa: S101 - only subscriptions' entries move
        key = Move(
            forth.subscription_id, forth.owner_period, forth.period, back.place, forth.place, 0
        )
        sums[key] = sums.get(key, 0) + _net_revenue(forth)
    return [replace(one, revenue_fen=amount) for one, amount in sums.items()]


def _net_revenue(entry: Entry) -> int:
    if entry.credit in NET_REVENUE:
        return entry.amount_fen
    return -entry.amount_fen if entry.debit in NET_REVENUE else 0


def balances_of(entries: Iterable[Entry]) -> Balances:
    """Sum entries by account; sums of zero are left out, and all sums add up to zero."""
    moves: dict[tuple[Period, str, str | None, str, str], int] = defaultdict(int)
    for entry in entries:
        key = (entry.period, entry.centre_id, entry.field_id, entry.debit, entry.credit)
        moves[key] += entry.amount_fen
    sums: Balances = defaultdict(int)
    for (period, centre_id, field_id, debit, credit), amount_fen in moves.items():
        sums[period, centre_id, field_id, debit] += amount_fen
        sums[period, centre_id, field_id, credit] -= amount_fen
    return {key: amount for key, amount in sums.items() if amount}


def lines_of(entries: Iterable[Entry]) -> Lines:
    """Count charges: each is one entry that credits revenue, and one that debits it takes it back."""
    counts: Lines = defaultdict(int)
    for entry in entries:
        if entry.credit == accounts.REVENUE:
            counts[entry.period, entry.centre_id, entry.field_id] += 1
        elif entry.debit == accounts.REVENUE:
            counts[entry.period, entry.centre_id, entry.field_id] -= 1
    return {key: count for key, count in counts.items() if count}


def booking_period(origin: Period, closed_through: Period | None) -> Period:
    """Return the period to book in: the event's own, or the first that is still open."""
    if closed_through is None or origin > closed_through:
        return origin
    return shift(closed_through, 1)
