"""Taking in what events say of lines and bundles."""

from collections.abc import Callable
from typing import Any

from huaxiao.attribution.domain.books import Books, Document, already_known, unknown_subscription
from huaxiao.attribution.domain.histories import Baseline, BundleStatement, Change, Lead, Line
from huaxiao.attribution.domain.messages import Answer, Message, Waiting
from huaxiao.shared.wire import events


def _open(books: Books, message: Message, opened: events.SubscriptionOpened) -> Answer:
    subscription_id = opened.subscription_id
    if subscription_id in books.known.lines:
        return already_known(f"subscription {subscription_id}", f"用户 {subscription_id}")
    line = Line(
        subscription_id=subscription_id,
        customer_id=opened.customer_id,
        product=opened.product,
        opened_on=opened.opened_on,
        customer_kind=opened.customer_kind,
        standard_address=opened.standard_address,
        resource_address=opened.resource_address,
        main_subscription_id=opened.main_subscription_id,
        channel_id=opened.channel_id,
        developer_id=opened.developer_id,
        account_manager_id=opened.account_manager_id,
        campus_id=opened.campus_id,
    )
    books.known.lines[subscription_id] = line
    books.produced.lines.append(line)
    if line.main_subscription_id:
        books.known.secondaries[line.main_subscription_id].add(subscription_id)
    books.arrived.add(f"subscription:{subscription_id}")
    if opened.bundle_id is not None:
        _add_statement(
            books,
            BundleStatement(
                opened.bundle_id,
                opened.opened_on,
                message.time,
                message.name,
                (subscription_id,),
                joins=True,
            ),
        )
    books.affect(subscription_id)
    return None


def _form(books: Books, message: Message, stated: events.BundleMembers) -> Answer:
    return _state(books, message, stated, tuple(stated.subscription_ids))


def _dissolve(books: Books, message: Message, ended: events.BundleDissolved) -> Answer:
    return _state(books, message, ended, ())


def _state(
    books: Books,
    message: Message,
    stated: events.BundleMembers | events.BundleDissolved,
    members: tuple[str, ...],
) -> Answer:
    _add_statement(
        books,
        BundleStatement(stated.bundle_id, stated.effective_on, message.time, message.name, members),
    )
    return None


def _add_statement(books: Books, statement: BundleStatement) -> None:
    books.known.statements[statement.bundle_id].append(statement)
    books.produced.statements.append(statement)
    for subscription_id in statement.members:
        books.known.bundles_of[subscription_id].add(statement.bundle_id)
    for named in books.known.statements[statement.bundle_id]:
        for subscription_id in named.members:
            books.affect(subscription_id)


def _move(books: Books, message: Message, move: events.SubscriptionMoved) -> Answer:
    change = Change(
        move.effective_on,
        message.time,
        message.name,
        standard_address=move.standard_address,
        resource_address=move.resource_address,
        kind=message.type,
    )
    return _change(books, move.subscription_id, change)


def _transfer(books: Books, message: Message, passed: events.SubscriptionChanged) -> Answer:
    change = Change(
        passed.effective_on,
        message.time,
        message.name,
        customer_id=passed.customer_id,
        kind=message.type,
        customer_kind=passed.customer_kind,
    )
    return _change(books, passed.subscription_id, change)


def _stop(books: Books, message: Message, stop: events.SubscriptionStopped) -> Answer:
    change = Change(stop.effective_on, message.time, message.name, kind=message.type)
    return _change(books, stop.subscription_id, change)


def _change(books: Books, subscription_id: str, change: Change) -> Waiting | None:
    if subscription_id not in books.known.lines:
        return unknown_subscription(subscription_id)
    books.known.changes[subscription_id].append(change)
    books.produced.changes.append((subscription_id, change))
    books.affect(subscription_id)
    return None


def _convert(books: Books, message: Message, lead: events.LeadConverted) -> Answer:
    document = Document("lead", lead.lead_id, lead.subscription_id, message.period, 0)
    if refusal := books.number(document):
        return refusal
    people = lead.people or []
    found = Lead(
        lead.lead_id,
        lead.approved_on,
        lead.owner_centre_id,
        lead.originator_id,
        lead.project_id,
        tuple(one.person_id for one in people),
        tuple(one.share_basis_points for one in people),
        lead.rate_basis_points,
        lead.months,
    )
    for subscription_id in lead.subscription_ids or [lead.subscription_id or ""]:
        books.known.leads[subscription_id].append(found)
        books.produced.leads.append((subscription_id, found))
        books.affect(subscription_id)
        books.earning.add(subscription_id)
    return None


def _state_baseline(books: Books, message: Message, stated: events.BaselineStated) -> Answer:
    found = Baseline(stated.period, message.time, message.name, stated.centre_id, stated.field_id)
    books.known.baselines[stated.subscription_id].append(found)
    books.produced.baselines.append((stated.subscription_id, found))
    books.affect(stated.subscription_id)
    return None


_LEARNED_BY: dict[type[events.EventData], Callable[[Books, Message, Any], Answer]] = {
    events.SubscriptionOpened: _open,
    events.SubscriptionMoved: _move,
    events.SubscriptionChanged: _transfer,
    events.SubscriptionStopped: _stop,
    events.BundleMembers: _form,
    events.BundleDissolved: _dissolve,
    events.LeadConverted: _convert,
    events.BaselineStated: _state_baseline,
}


def says_of_lines(message: Message) -> bool:
    """Say whether an event is about a line or a bundle, and so about evidence, not money."""
    return type(message.data) in _LEARNED_BY


def learn(books: Books, message: Message) -> Answer:
    """Take in an event about a line or a bundle; None is success."""
    return _LEARNED_BY[type(message.data)](books, message, message.data)
