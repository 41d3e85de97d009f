"""Booking what events say of money and work."""

from collections.abc import Callable
from typing import Any

from huaxiao.attribution.domain import postings
from huaxiao.attribution.domain.books import Books, Document, unknown_subscription
from huaxiao.attribution.domain.messages import Answer, Message, Refusal, Waiting
from huaxiao.attribution.domain.organisation import Organisation
from huaxiao.shared.periods import Period, first_day
from huaxiao.shared.wire import events

_EXCEEDS_CHARGE = "refund-exceeds-charge"


def _bill(books: Books, message: Message, item: events.BillItemIssued) -> Answer:
    period = Period(item.period)
    owner = books.owner(item.subscription_id, period)
    if owner is None:
        return unknown_subscription(item.subscription_id)
    document = Document(
        "bill_item", item.bill_item_id, item.subscription_id, period, item.amount_fen
    )
    if refusal := books.number(document):
        return refusal
    books.arrived.add(f"bill_item:{item.bill_item_id}")
    books.post(
        message.key,
        postings.charge(item.amount_fen, item.tax_fen),
        owner=owner.place,
        origin=period,
        owner_period=period,
        subscription_id=item.subscription_id,
    )
    return None


def _pay(books: Books, message: Message, paid: events.PaymentReceived) -> Answer:
    owner = books.owner(paid.subscription_id, message.period)
    if owner is None:
        return unknown_subscription(paid.subscription_id)
    document = Document(
        "payment",
        paid.payment_id,
        paid.subscription_id,
        message.period,
        paid.amount_fen,
        paid.channel_id,
        paid.remitted_fen,
    )
    if refusal := books.number(document):
        return refusal
    books.earning.add(paid.subscription_id)
    books.post(
        message.key,
        postings.payment(paid.amount_fen),
        owner=owner.place,
        origin=message.period,
        owner_period=message.period,
        subscription_id=paid.subscription_id,
    )
    return None


def _refund(books: Books, message: Message, refund: events.RefundIssued) -> Answer:
    document = ("refund", refund.refund_id)
    return _settle(books, message, document, refund, refund.amount_fen, postings.refund)


def _adjust(books: Books, message: Message, made: events.AdjustmentMade) -> Answer:
    document = ("adjustment", made.adjustment_id)
    if made.amount_fen > 0:
        books.arrived.add(_raised(made.bill_item_id))
    return _settle(books, message, document, made, -made.amount_fen, postings.adjustment)


def _write_off(books: Books, message: Message, lost: events.WriteOffMade) -> Answer:
    document = ("write_off", lost.write_off_id)
    return _settle(books, message, document, lost, lost.amount_fen, postings.write_off)


def _raised(bill_item_id: str) -> str:
    """Name what a refund of more than was charged waits for: an adjustment upward."""
    return f"bill_item_raised:{bill_item_id}"


def exceeds_charge(waiting: Waiting) -> bool:
    """Say of what waits whether it would take back too much: that may be what it has itself taken."""
    return waiting.code == _EXCEEDS_CHARGE


def _settle(
    books: Books,
    message: Message,
    named: tuple[str, str],
    data: events.RefundIssued | events.AdjustmentMade | events.WriteOffMade,
    taken_fen: int,
    post: Callable[[int], list[postings.Posting]],
) -> Answer:
    """Book what mirrors a charge: it follows the charge's owner (rule 005)."""
    item = books.known.documents.get(("bill_item", data.bill_item_id))
    if item is None or item.subscription_id is None:
        return Waiting(
            "unknown-item",
            f"bill_item:{data.bill_item_id}",
            f"Waits for bill item {data.bill_item_id}.",
            f"等待账单项 {data.bill_item_id}。",
        )
    owner = books.owner(item.subscription_id, item.period)
    if owner is None:
        return unknown_subscription(item.subscription_id)
    document = Document(*named, item.subscription_id, message.period, data.amount_fen)
    if refusal := books.repeated(document):
        return refusal
    settled = books.known.settled.get(data.bill_item_id, 0) + taken_fen
    if settled > item.amount_fen:
        return Waiting(
            _EXCEEDS_CHARGE,
            _raised(data.bill_item_id),
            f"Bill item {data.bill_item_id} was {item.amount_fen} fen; this would take back"
            f" {settled} in all. Waits for more to be charged.",
            f"账单项 {data.bill_item_id} 为 {item.amount_fen} 分，累计退减将达 {settled} 分；等待调增。",
        )
    books.number(document)
    books.earning.add(item.subscription_id)
    books.known.settled[data.bill_item_id] = settled
    books.produced.settled[data.bill_item_id] = settled
    books.post(
        message.key,
        post(data.amount_fen),
        owner=owner.place,
        origin=message.period,
        owner_period=item.period,
        subscription_id=item.subscription_id,
    )
    return None


def _cost(books: Books, message: Message, cost: events.Cost) -> Answer:
    period = Period(cost.period)
    owner = _owner_of_cost(books, cost, period)
    if not isinstance(owner, tuple):
        return owner
    document = Document(message.type, cost.cost_id, cost.subscription_id, period, cost.amount_fen)
    if refusal := books.number(document):
        return refusal
    post = postings.cost_paid if message.type == "cost.paid" else postings.cost_incurred
    books.post(
        message.key,
        post(cost.kind, cost.amount_fen),
        owner=owner,
        origin=period,
        owner_period=period,
        subscription_id=cost.subscription_id,
    )
    return None


def _ask_for_work(books: Books, message: Message, work: events.WorkRequested) -> Answer:
    document = Document("work", work.order_id, work.subscription_id, message.period, 0)
    if refusal := books.number(document):
        return refusal
    books.produced.work.append(work)
    return None


def _owner_of_cost(
    books: Books, cost: events.Cost, period: Period
) -> tuple[str, str | None] | Refusal | Waiting:
    if cost.subscription_id is not None:
        owner = books.owner(cost.subscription_id, period)
        return unknown_subscription(cost.subscription_id) if owner is None else owner.place
    if cost.channel_id is not None:
        return _owner_of_channel(books.organisation, cost.channel_id, period)
    if cost.field_id is not None:
        named = books.organisation.field(cost.field_id)
        return (named.centre_id, named.field_id) if named else _unknown("field", cost.field_id)
    if cost.centre_id is not None and cost.centre_id not in books.organisation.centres:
        return _unknown("centre", cost.centre_id)
    return cost.centre_id or books.organisation.default_centre_id, None


def _owner_of_channel(
    organisation: Organisation, channel_id: str, period: Period
) -> tuple[str, str | None] | Refusal:
    placed = organisation.ground(period).by_channel.get(channel_id)
    if placed is not None:
        return placed.centre_id, placed.field_id
    channel = organisation.channels.get(channel_id)
    if channel is None:
        return _unknown("channel", channel_id)
    return channel.centre_on(first_day(period)), None


def _unknown(kind: str, code: str) -> Refusal:
    return Refusal("unknown-reference", f"No {kind} {code} is known.", f"未知的编号 {code}。")


_BOOKED_BY: dict[type[events.EventData], Callable[[Books, Message, Any], Answer]] = {
    events.BillItemIssued: _bill,
    events.PaymentReceived: _pay,
    events.RefundIssued: _refund,
    events.AdjustmentMade: _adjust,
    events.WriteOffMade: _write_off,
    events.Cost: _cost,
    events.WorkRequested: _ask_for_work,
}


def book(books: Books, message: Message) -> Answer:
    """Book an event about money or work; None is success."""
    return _BOOKED_BY[type(message.data)](books, message, message.data)


_NUMBERS = {
    events.BillItemIssued: ("bill_item", "bill_item_id"),
    events.PaymentReceived: ("payment", "payment_id"),
    events.RefundIssued: ("refund", "refund_id"),
    events.AdjustmentMade: ("adjustment", "adjustment_id"),
    events.WriteOffMade: ("write_off", "write_off_id"),
    events.WorkRequested: ("work", "order_id"),
    events.LeadConverted: ("lead", "lead_id"),
}


_MIRRORS = (events.RefundIssued, events.AdjustmentMade, events.WriteOffMade)


def document_brought(message: Message) -> tuple[str, str] | None:
    """Name the document that an event brings, by kind and number."""
    data = message.data
    if isinstance(data, events.Cost):
        return message.type, data.cost_id
    named = _NUMBERS.get(type(data))
    return None if named is None else (named[0], getattr(data, named[1]))


def document_settled(message: Message) -> tuple[str, str] | None:
    """Name the bill item that a refund, adjustment or write-off takes back from."""
    data = message.data
    return ("bill_item", data.bill_item_id) if isinstance(data, _MIRRORS) else None
