"""The evidence of a month: frozen on its third day, kept order by order, and verified."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import store
from huaxiao.dispatch.domain.calendar import deadlines
from huaxiao.dispatch.domain.measuring import REPEAT_WITHIN, Record
from huaxiao.dispatch.scorecards import handlers as scorecards
from huaxiao.shared.documents import digest
from huaxiao.shared.periods import Period, ends_at, period_of, shift, starts_at
from huaxiao.shared.wire.appraisals import EvidenceState
from huaxiao.shared.wire.dispatch import CustomerClass, Evidence, OrderKind, OrderState

FROZEN = "frozen"
_RECORD = TypeAdapter(Record)


def record_of(row: RowMapping) -> Record:
    """Return what an order's row shows of how the work went."""
    evidence = Evidence.model_validate(row["evidence"])
    return Record(
        kind=OrderKind(row["kind"]),
        customer_class=CustomerClass(row["customer_class"]),
        line=row["subscription_id"] or _unnumbered(row),
        state=OrderState(row["state"]),
        engineer_id=row["engineer_id"],
        requested_at=row["requested_at"],
        dispatched_at=row["dispatched_at"],
        due_at=row["due_at"],
        finished_at=row["finished_at"],
        rural=row["rural"],
        suspended_at=row["suspended_at"],
        level_version=row["version"],
        contact_due_at=row["first_contact_due_at"],
        late_for_others=row["late_because_of_centre_id"] not in {None, row["performer_centre_id"]},
        onu_online=evidence.onu_online,
        photo=evidence.photo,
        first_contact_at=evidence.first_contact_at,
        appointment_kept=evidence.appointment_kept,
        satisfaction=evidence.satisfaction,
        order_id=row["order_id"],
        requester_centre_id=row["requester_centre_id"],
        performer_centre_id=row["performer_centre_id"],
        visits=row["visits"],
        reworks=row["reworks"],
        workers=tuple(row["workers"] or ()),
    )


def _unnumbered(row: RowMapping) -> str:
    """Tell a line that has no number by its customer and place, without saying where that is.

    What is frozen stays for ever, and an address need not.
    """
    place = sha256(row["standard_address"].encode()).hexdigest()
    return f"{row['customer_id']}@{place[:16]}"


async def has_days(connection: AsyncConnection, branch_id: int, period: int) -> bool:
    """Say whether a month has a calendar: it was not over before its county came here."""
    known_at = await store.known_at(connection, branch_id)
    return known_at is not None and known_at < ends_at(Period(period))


async def freeze_due(connection: AsyncConnection, branch_id: int, moment: datetime) -> int:
    """Freeze the months whose third day has come; whatever is recorded next changes none of them.

    Who records anything of an order asks for this first, so that nothing slips in between the
    moment and the timer, or while the service was down.
    """
    last = shift(period_of(moment), -1)
    known_at, newest = await store.progress(connection, branch_id)
    if known_at is None:
        return 0
    period = period_of(known_at)
    if newest is not None:
        period = max(period, shift(Period(newest), 1))
    count = 0
    while period <= last:
        rules = await scorecards.of_period(connection, branch_id, period)
        at = deadlines(period, rules.calendar).freeze_at
        if moment < at:
            break
        await freeze(connection, branch_id, period, at=at, recorded_at=max(moment, at))
        period = shift(period, 1)
        count += 1
    return count


async def freeze(
    connection: AsyncConnection,
    branch_id: int,
    period: Period,
    *,
    at: datetime,
    recorded_at: datetime,
) -> None:
    """Keep what the orders' records say of a month, once and for ever."""
    rows = await store.bearing_on(
        connection, branch_id, since=starts_at(period) - REPEAT_WITHIN, until=ends_at(period)
    )
    records = [_RECORD.dump_python(record_of(row), mode="json") for row in rows]
    rules = await scorecards.of_period(connection, branch_id, period)
    event = {
        "branch_id": branch_id,
        "period": period,
        "event": FROZEN,
        "at": at,
        "recorded_at": recorded_at,
        "scorecard_version": rules.version,
        "orders": len(records),
        "digest": digest(records),
    }
    # Whoever comes second waits here for the first, and finds it done.
    if await store.add_event(connection, event):
        await store.add_evidence(connection, branch_id, period, records)


async def frozen(connection: AsyncConnection, branch_id: int, period: int) -> RowMapping | None:
    """Return what is noted of a month's evidence, or None while it is not frozen."""
    return await store.event(connection, branch_id, period, FROZEN)


async def kept_records(
    connection: AsyncConnection, branch_id: int, period: int
) -> list[Record] | None:
    """Return a month's frozen records, in the order of their numbers; None while it is not frozen."""
    if await frozen(connection, branch_id, period) is None:
        return None
    return [
        _RECORD.validate_python(one) for one in await store.evidence(connection, branch_id, period)
    ]


async def state(connection: AsyncConnection, branch_id: int, period: int) -> EvidenceState | None:
    """Return what was frozen of a month, verified against what is kept."""
    noted = await frozen(connection, branch_id, period)
    if noted is None:
        return None
    held: Sequence[Any] = await store.evidence(connection, branch_id, period)
    return EvidenceState(
        period=period,
        frozen_at=noted["at"],
        scorecard_version=noted["scorecard_version"],
        orders=noted["orders"],
        digest=noted["digest"],
        intact=digest(list(held)) == noted["digest"] and len(held) == noted["orders"],
    )
