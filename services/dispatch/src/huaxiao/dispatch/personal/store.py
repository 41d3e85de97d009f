"""What orders and tickets keep of a customer's person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    case,
    delete,
    exists,
    false,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.attachments import store as attachments_store
from huaxiao.dispatch.tables import (
    attachments_erased,
    erasures,
    erasures_done,
    order_attachments,
    order_notes,
    order_steps,
    orders,
    plans,
    ticket_steps,
    tickets,
)
from huaxiao.shared.addresses import VILLAGE_DIGITS
from huaxiao.shared.erasing import with_done
from huaxiao.shared.masking import ERASED
from huaxiao.shared.wire.dispatch import OrderState
from huaxiao.shared.wire.plans import PlanState
from huaxiao.shared.wire.tickets import TicketState

OVER = (OrderState.CONFIRMED, OrderState.CANCELLED)
"""States from which no work goes on."""
_PORTION = 500
_OVER = orders.c.state.in_(OVER)
_CLOSED = tickets.c.state == TicketState.CLOSED
_CONTACT = or_(orders.c.contact_note.is_not(None), orders.c.latitude.is_not(None))
_ADDRESS = and_(
    orders.c.customer_id.is_not(None), func.length(orders.c.standard_address) > VILLAGE_DIGITS
)
_ADDRESS_OF_TICKET = tickets.c.about["standard_address"].astext
_PLACE = func.length(_ADDRESS_OF_TICKET) > VILLAGE_DIGITS
_TICKET_TEXT = tickets.c.text != ERASED


@dataclass(frozen=True, slots=True)
class Proof:
    """What proves the work at a customer's, kept by order and number, and erasable."""

    table: Table
    kept: ColumnElement[bool]
    """It is there yet."""
    erased: Mapping[str, str | None]
    """What takes its place."""

    def of_order(self) -> ColumnElement[bool]:
        """Say of a row that it is of the order that a statement looks at."""
        own = self.table.c
        return and_(own.branch_id == orders.c.branch_id, own.order_id == orders.c.order_id)

    def of(self, branch_id: int, order_ids: Select[tuple[str]]) -> ColumnElement[bool]:
        """Say of a row that it is of some orders, and there yet."""
        own = self.table.c
        return and_(own.branch_id == branch_id, own.order_id.in_(order_ids), self.kept)


PROOFS = (
    Proof(order_notes, order_notes.c.text != ERASED, {"text": ERASED}),
    Proof(order_steps, order_steps.c.latitude.is_not(None), {"latitude": None, "longitude": None}),
)
"""Notes, and where steps were taken."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """What may be erased of orders that are over."""

    needed_since: datetime | None
    """Appraisals that are not closed may rest on orders from here on: on their line, which is told
    by its address where it has no number (repeated faults), and on photos of the result. None: the
    branch has no appraisals."""

    def needed(self) -> ColumnElement[bool]:
        """Say of an order whether an appraisal may rest on it yet."""
        if self.needed_since is None:
            return false()
        return func.greatest(orders.c.last_step_at, orders.c.finished_at) >= self.needed_since

    def address(self) -> ColumnElement[str]:
        """Return what is kept of an order's address."""
        village = func.left(orders.c.standard_address, VILLAGE_DIGITS)
        return case((or_(self.needed(), ~_ADDRESS), orders.c.standard_address), else_=village)

    def erasable(self) -> ColumnElement[bool]:
        """Say of an order that is over whether it keeps anything that may be erased."""
        return or_(_CONTACT, and_(_ADDRESS, ~self.needed()))


def _of(branch_id: int, customer_id: str) -> ColumnElement[bool]:
    return and_(orders.c.branch_id == branch_id, orders.c.customer_id == customer_id)


async def erase(
    connection: AsyncConnection,
    branch_id: int,
    customer_id: str,
    horizon: Horizon,
    *,
    asked_before: datetime,
    now: datetime,
) -> int:
    """Erase what need not be kept of a customer; return how many pieces that were.

    Orders, tickets, photos, notes, places of steps. What was asked for since ``asked_before`` is
    another matter, and stays.
    """
    of_customer = _of(branch_id, customer_id) & (orders.c.requested_at < asked_before)
    erased = await connection.execute(
        _erased_orders(horizon)
        .where(of_customer, _OVER, horizon.erasable())
        .returning(orders.c.order_id)
    )
    settled = select(orders.c.order_id).where(of_customer, _OVER, ~horizon.needed())
    return (
        len(erased.all())
        + await attachments_store.erase(connection, branch_id, settled, now=now)
        + sum([await _erase(connection, one, one.of(branch_id, settled)) for one in PROOFS])
        + await _erase_tickets(
            connection,
            and_(_about(branch_id, customer_id), _CLOSED, tickets.c.raised_at < asked_before),
            texts=True,
        )
    )


async def still_kept(connection: AsyncConnection, branch_id: int, customer_id: str) -> int:
    """Return how many pieces of what could be erased of a customer are kept yet."""
    of_customer = _of(branch_id, customer_id)
    theirs = select(orders.c.order_id).where(of_customer)
    counts = [
        select(func.count()).select_from(table).where(*which)
        for table, which in (
            (orders, (of_customer, or_(_CONTACT, _ADDRESS))),
            (tickets, (_about(branch_id, customer_id), or_(_PLACE, _TICKET_TEXT))),
            *((one.table, (one.of(branch_id, theirs),)) for one in PROOFS),
        )
    ]
    kept = [(await connection.scalar(one)) or 0 for one in counts]
    return sum(kept) + await attachments_store.still_kept(connection, branch_id, theirs)


async def waiting(
    connection: AsyncConnection, branch_id: int, horizon: Horizon
) -> Sequence[tuple[str, datetime]]:
    """Return customers of whom something that waited may be erased by now, and erased until when."""
    asked_before = erasures_done.c.at
    over = exists().where(
        orders.c.branch_id == branch_id,
        orders.c.customer_id == erasures.c.customer_id,
        orders.c.requested_at < asked_before,
        _OVER,
        or_(
            horizon.erasable(),
            and_(
                ~horizon.needed(),
                or_(
                    orders.c.order_id.in_(_with_photos(branch_id)),
                    *(exists().where(one.of_order(), one.kept) for one in PROOFS),
                ),
            ),
        ),
    )
    closed = exists().where(
        tickets.c.branch_id == branch_id,
        tickets.c.about["customer_id"].astext == erasures.c.customer_id,
        tickets.c.raised_at < asked_before,
        _CLOSED,
        or_(_PLACE, _TICKET_TEXT),
    )
    rows = await connection.execute(
        select(erasures.c.customer_id, func.max(asked_before))
        .select_from(with_done(erasures, erasures_done))
        .where(erasures.c.branch_id == branch_id, erasures_done.c.waiting > 0, or_(over, closed))
        .group_by(erasures.c.customer_id)
        .order_by(erasures.c.customer_id)
        .limit(_PORTION)
    )
    return [(row[0], row[1]) for row in rows]


def _erased_orders(horizon: Horizon) -> Any:
    return update(orders).values(
        contact_note=None,
        latitude=None,
        longitude=None,
        standard_address=horizon.address(),
    )


def _about(branch_id: int, customer_id: str) -> ColumnElement[bool]:
    """Say of a ticket whether it is about a customer, by their code or by an order of theirs."""
    theirs = select(orders.c.order_id).where(_of(branch_id, customer_id))
    return and_(
        tickets.c.branch_id == branch_id,
        or_(
            tickets.c.about["customer_id"].astext == customer_id,
            tickets.c.about["order_id"].astext.in_(theirs),
        ),
    )


async def _erase_tickets(
    connection: AsyncConnection, which: ColumnElement[bool], *, texts: bool
) -> int:
    """Cut addresses of tickets to the village and, if so asked, erase what they say."""
    village = func.to_jsonb(func.left(_ADDRESS_OF_TICKET, VILLAGE_DIGITS), type_=JSONB)
    cut = case(
        (_PLACE, func.jsonb_set(tickets.c.about, ["standard_address"], village)),
        else_=tickets.c.about,
    )
    said = {"title": ERASED, "text": ERASED} if texts else {}
    erased = await connection.execute(
        update(tickets)
        .where(which, or_(_PLACE, _TICKET_TEXT) if texts else _PLACE)
        .values(about=cut, **said)
        .returning(tickets.c.branch_id, tickets.c.ticket_id)
    )
    found = erased.all()
    if texts and found:
        await connection.execute(
            update(ticket_steps)
            .where(
                ticket_steps.c.branch_id == found[0][0],
                ticket_steps.c.ticket_id == func.any([one[1] for one in found]),
                ticket_steps.c.text.is_not(None),
            )
            .values(text=ERASED)
        )
    return len(found)


async def _erase(connection: AsyncConnection, proof: Proof, which: ColumnElement[bool]) -> int:
    erased = await connection.execute(update(proof.table).where(which).values(**proof.erased))
    return erased.rowcount


# --- what need not be kept any longer ------------------------------------------------------------


async def forget_orders(
    connection: AsyncConnection, branch_id: int, before: datetime, horizon: Horizon
) -> int:
    """Erase what some orders keep that were over before a moment; return how many they were."""
    old = (
        select(orders.c.order_id)
        .where(
            orders.c.branch_id == branch_id,
            orders.c.last_step_at < before,
            _OVER,
            or_(_CONTACT, _ADDRESS),
            horizon.erasable(),
        )
        .order_by(orders.c.last_step_at)
        .limit(_PORTION)
        .with_for_update(skip_locked=True)
    )
    found = (await connection.scalars(old)).all()
    if found:
        await connection.execute(
            _erased_orders(horizon).where(
                orders.c.branch_id == branch_id, orders.c.order_id == func.any(list(found))
            )
        )
    return len(found)


async def forget_tickets(connection: AsyncConnection, branch_id: int, before: datetime) -> int:
    """Cut the addresses of tickets that were closed before a moment; return how many they were."""
    return await _erase_tickets(connection, _closed(branch_id, before), texts=False)


async def forget_ticket_texts(connection: AsyncConnection, branch_id: int, before: datetime) -> int:
    """Erase what tickets say that were closed before a moment; return how many they were."""
    return await _erase_tickets(connection, _closed(branch_id, before), texts=True)


def _closed(branch_id: int, before: datetime) -> ColumnElement[bool]:
    return and_(tickets.c.branch_id == branch_id, _CLOSED, tickets.c.closed_at < before)


async def forget_proofs(
    connection: AsyncConnection, proof: Proof, branch_id: int, before: datetime, horizon: Horizon
) -> int:
    """Erase some proofs of orders that were over before a moment; return how many they were.

    Those on which an appraisal rests stay.
    """
    own = proof.table.c
    old = (
        select(own.order_id, own.number)
        .join(orders, proof.of_order())
        .where(
            own.branch_id == branch_id,
            own.at < before,
            proof.kept,
            orders.c.last_step_at < before,
            _OVER,
            ~horizon.needed(),
        )
        .order_by(own.at)
        .limit(_PORTION)
    )
    which = and_(own.branch_id == branch_id, tuple_(own.order_id, own.number).in_(old), proof.kept)
    return await _erase(connection, proof, which)


async def forget_plans(connection: AsyncConnection, branch_id: int, before: datetime) -> int:
    """Delete plans of days before a moment, which hold the places of the orders they were for."""
    gone = await connection.execute(
        delete(plans).where(
            plans.c.branch_id == branch_id,
            plans.c.day < before.date(),
            plans.c.state.not_in([PlanState.QUEUED, PlanState.RUNNING]),
        )
    )
    return gone.rowcount


async def forget_photos(
    connection: AsyncConnection,
    branch_id: int,
    before: datetime,
    horizon: Horizon,
    *,
    now: datetime,
) -> int:
    """Erase photos and signatures at customers' of orders over before a moment; return how many."""
    old: Select[Any] = (
        select(orders.c.order_id)
        .where(
            orders.c.branch_id == branch_id,
            orders.c.customer_id.is_not(None),
            orders.c.last_step_at < before,
            _OVER,
            ~horizon.needed(),
            orders.c.order_id.in_(_with_photos(branch_id)),
        )
        .order_by(orders.c.last_step_at)
        .limit(_PORTION)
    )
    return await attachments_store.erase(connection, branch_id, old, now=now)


def _with_photos(branch_id: int) -> Select[Any]:
    return (
        select(order_attachments.c.order_id)
        .outerjoin(
            attachments_erased,
            and_(
                attachments_erased.c.branch_id == order_attachments.c.branch_id,
                attachments_erased.c.order_id == order_attachments.c.order_id,
                attachments_erased.c.name == order_attachments.c.name,
            ),
        )
        .where(order_attachments.c.branch_id == branch_id, attachments_erased.c.name.is_(None))
    )
