"""Support tickets as they are shown."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.business_time import assumed_years
from huaxiao.dispatch.domain.tickets import Reading, TicketRecord
from huaxiao.dispatch.tickets import store
from huaxiao.dispatch.tickets.histories import SYSTEM, owner_of, records
from huaxiao.shared.auth import Principal
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.tickets import (
    Escalation,
    Ticket,
    TicketDetail,
    TicketState,
    TicketStep,
    Timer,
    TimerName,
)


def render(row: RowMapping, *, now: datetime) -> Ticket:
    """Return a ticket as lists show it."""
    is_open = row["state"] != TicketState.CLOSED
    return Ticket.model_validate(
        dict(row)
        | {
            "owner": owner_of(row),
            "overdue": is_open and row["due_at"] is not None and row["due_at"] < now,
            "on_time": None if is_open else row["due_at"] is None,
        }
    )


async def show(
    connection: AsyncConnection,
    branch_id: int,
    ticket_id: str,
    *,
    principal: Principal | None,
    now: datetime,
) -> TicketDetail:
    """Show a ticket with its clocks and history; without a principal, whoever may see it."""
    everybody = Principal(SYSTEM, frozenset(), None, None)
    row = await store.load(connection, branch_id, ticket_id, principal or everybody, lock=False)
    if row is None:
        raise NotFound
    (record,) = await records(connection, branch_id, [row])
    steps = await store.steps(connection, branch_id, [ticket_id])
    readings = [record.reading(one, now=now) for one in TimerName]
    timers = [_timer(one, record, steps) for one in readings if one is not None]
    last = max([one.due_at for one in timers if one.due_at is not None], default=now)
    return TicketDetail.model_validate(
        render(row, now=now).model_dump()
        | {
            "text": row["text"],
            "timers": timers,
            "assumed_years": assumed_years(row["raised_at"], max(last, row["raised_at"])),
            "escalations": [
                Escalation.model_validate(dict(one) | {"owner": owner_of(one)})
                for one in await store.marks(connection, branch_id, ticket_id)
            ],
            "steps": [
                TicketStep.model_validate(dict(one) | {"owner": owner_of(one)}) for one in steps
            ],
        }
    )


def _timer(reading: Reading, record: TicketRecord, steps: Sequence[RowMapping]) -> Timer:
    stopped = None
    if not reading.running:
        stopped = "replied" if reading.timer is TimerName.FIRST_REPLY else str(record.last.state)
        if record.last.state is TicketState.RETURNED and reading.timer is not TimerName.FIRST_REPLY:
            stopped = steps[-1]["reason"]
    return Timer(
        timer=reading.timer,
        measure=reading.allowance.measure,
        allowed_seconds=int(reading.allowance.amount.total_seconds()),
        used_seconds=int(reading.used.total_seconds()),
        running=reading.running,
        due_at=reading.due_at,
        in_time=reading.in_time,
        stopped_because=stopped,
    )
