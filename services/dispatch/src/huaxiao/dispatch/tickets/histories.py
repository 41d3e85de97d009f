"""Histories of tickets: read, written, and what happens in them by itself."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.business_time import CALENDAR_VERSION
from huaxiao.dispatch.domain.tickets import Happening, Mark, TicketRecord
from huaxiao.dispatch.tables import feed
from huaxiao.dispatch.tickets import store
from huaxiao.shared.feed import NewFact
from huaxiao.shared.wire.tickets import (
    TICKET_CLOSED,
    TICKET_ESCALATED,
    Boundary,
    ClosedHow,
    Supervisor,
    TicketClosed,
    TicketEscalated,
    TicketState,
    TimerName,
    Unit,
    Urgency,
)

SYSTEM = "system"
_SILENCE = "The raiser was silent for three working days after the answer. 提出单位答复后三个工作日未确认。"


@dataclass(slots=True)
class HeldTicket:
    """A locked ticket, what is already told of it, and what is about to be."""

    row: RowMapping
    record: TicketRecord
    told: set[tuple[TimerName, int, int]]
    changes: dict[str, Any] = field(default_factory=dict)
    facts: list[NewFact] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Return the ticket's identifier."""
        return str(self.row["ticket_id"])


async def settle(
    connection: AsyncConnection, branch_id: int, row: RowMapping, *, now: datetime
) -> None:
    """Record what a locked ticket's clocks have brought about by a moment."""
    held = await hold(connection, branch_id, row)
    now = max(now, held.record.last.at)
    await catch_up(connection, branch_id, held, now)
    await save(connection, branch_id, held, now)


async def catch_up(
    connection: AsyncConnection, branch_id: int, held: HeldTicket, now: datetime
) -> None:
    """Record what the clocks of a held ticket have brought about by a moment, each thing once."""
    standing = held.record.standing(held.told, now=now)
    await store.record_marks(
        connection,
        [
            {"branch_id": branch_id, "ticket_id": held.id, "recorded_at": now} | _mark_row(mark)
            for mark in standing.marks
        ],
    )
    for mark in standing.marks:
        held.told.add(mark.key)
        fact = TicketEscalated(
            ticket_id=held.id,
            timer=mark.timer,
            percent=mark.percent,
            at=mark.at,
            owner=mark.owner,
            supervisor=mark.supervisor,
        )
        held.facts.append(NewFact(TICKET_ESCALATED, held.id, fact))
        if mark.supervisor is not None:
            before = held.changes.get("supervisor", held.row["supervisor"])
            if before != Supervisor.GENERAL_MANAGER:
                held.changes["supervisor"] = mark.supervisor
            if held.row["supervised_at"] is None:
                held.changes.setdefault("supervised_at", mark.at)
    closure = standing.closure
    if closure is None:
        return
    held.record = TicketRecord(held.record.urgency, (*held.record.history, closure))
    await record_happening(
        connection, branch_id, held.id, closure, by=SYSTEM, now=now, reason=_SILENCE
    )
    close(held, ClosedHow.FORCED)


def close(held: HeldTicket, how: ClosedHow) -> None:
    """Note how a held ticket was closed, by the last entry of its history."""
    held.changes["closed_how"] = how
    fact = TicketClosed(
        ticket_id=held.id,
        category=held.row["category"],
        owner=held.record.last.owner,
        at=held.record.last.at,
        how=how,
        on_time=held.record.on_time(),
    )
    held.facts.append(NewFact(TICKET_CLOSED, held.id, fact))


async def hold(connection: AsyncConnection, branch_id: int, row: RowMapping) -> HeldTicket:
    """Read the history of a locked ticket, and what was told of it."""
    ticket_id = row["ticket_id"]
    (record,) = await records(connection, branch_id, [row])
    told = {
        (TimerName(one["timer"]), one["percent"], one["since"])
        for one in await store.marks(connection, branch_id, ticket_id)
    }
    return HeldTicket(row, record, told)


async def records(
    connection: AsyncConnection, branch_id: int, rows: Sequence[RowMapping]
) -> list[TicketRecord]:
    """Return the histories of some tickets, in their order."""
    ids = [row["ticket_id"] for row in rows]
    histories: dict[str, list[Happening]] = defaultdict(list)
    for one in await store.steps(connection, branch_id, ids):
        histories[one["ticket_id"]].append(
            Happening(
                one["number"], one["step"], TicketState(one["state"]), one["at"], owner_of(one)
            )
        )
    return [
        TicketRecord(Urgency(row["urgency"]), tuple(histories[row["ticket_id"]])) for row in rows
    ]


def owner_of(row: RowMapping) -> Unit:
    """Return who owes a ticket, by its row or a step's or mark's."""
    return Unit(kind=row["owner_kind"], centre_id=row["owner_centre_id"])


def _owner_row(owner: Unit) -> dict[str, Any]:
    return {"owner_kind": owner.kind, "owner_centre_id": owner.centre_id}


def _mark_row(mark: Mark) -> dict[str, Any]:
    return {
        "timer": mark.timer,
        "percent": mark.percent,
        "since": mark.since,
        "at": mark.at,
        "supervisor": mark.supervisor,
    } | _owner_row(mark.owner)


def cached(record: TicketRecord) -> dict[str, Any]:
    """Return what a ticket's row repeats of its history, for lists to look it up."""
    answers = [one.at for one in record.history if one.state is TicketState.ANSWERED]
    return {
        "state": record.last.state,
        "first_reply_at": record.first_reply_at,
        "answered_at": answers[-1] if answers else None,
        "closed_at": record.closed_at(),
        "due_at": record.target_at(),
        "calendar": CALENDAR_VERSION,
        "steps": record.last.number,
    } | _owner_row(record.last.owner)


async def save(
    connection: AsyncConnection, branch_id: int, held: HeldTicket, now: datetime
) -> None:
    """Update a held ticket's row from its history, and tell the facts gathered."""
    next_at = held.record.standing(held.told, now=now).next_at
    changes = held.changes | cached(held.record) | {"next_at": next_at}
    await store.save(connection, branch_id, held.id, changes)
    await feed.append(connection, branch_id, held.facts, now=now)


async def record_happening(
    connection: AsyncConnection,
    branch_id: int,
    ticket_id: str,
    happening: Happening,
    *,
    by: str,
    now: datetime,
    reason: str | None = None,
    text: str | None = None,
    boundary: Boundary | None = None,
) -> None:
    """Append an entry to a ticket's history."""
    await store.record_step(
        connection,
        {
            "branch_id": branch_id,
            "ticket_id": ticket_id,
            "number": happening.number,
            "step": happening.step,
            "state": happening.state,
            "at": happening.at,
            "by": by,
            "reason": reason,
            "text": text,
            "boundary": boundary,
            "recorded_at": now,
        }
        | _owner_row(happening.owner),
    )
