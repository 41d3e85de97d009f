"""What the orders' own records say about a centre or a person in a period (F1)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from huaxiao.dispatch.domain.level_table import Work, first_contact_due
from huaxiao.dispatch.domain.scorecard import Measure
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind, OrderState

REPEAT_WITHIN = timedelta(days=30)
_OPENING = {OrderKind.INSTALL, OrderKind.MOVE}


@dataclass(frozen=True, slots=True)
class Record:
    """What one order's record shows; unknown is None."""

    kind: OrderKind
    customer_class: CustomerClass
    line: str
    """The subscription, or the customer and address where there is none."""
    state: OrderState
    engineer_id: str | None
    requested_at: datetime
    dispatched_at: datetime | None
    due_at: datetime | None
    finished_at: datetime | None
    rural: bool = False
    suspended_at: datetime | None = None
    """When the service clock stopped; None while it runs."""
    level_version: int | None = None
    """The version of the service levels that judges the order."""
    contact_due_at: datetime | None = None
    """By when the customer was to hear from the engineer; by the suite's table when None."""
    late_for_others: bool = False
    """Late for another centre's lack of material only: neither for nor against who did the work."""
    onu_online: bool | None = None
    photo: bool | None = None
    first_contact_at: datetime | None = None
    appointment_kept: bool | None = None
    satisfaction: int | None = None


def measure(
    records: Sequence[Record],
    *,
    since: datetime,
    until: datetime,
    mine: Callable[[Record], bool] = lambda _: True,
) -> dict[str, Measure]:
    """Return each item's measure over ``[since, until)``.

    ``records`` reach 30 days further back, so that a repeated fault is seen.
    """
    own = [one for one in records if mine(one)]
    done = [one for one in own if one.finished_at and since <= one.finished_at < until]
    repairs = [one for one in done if one.kind is OrderKind.REPAIR]
    patrols = [
        one
        for one in own
        if one.kind is OrderKind.PATROL
        and since <= one.requested_at < until
        and one.state is not OrderState.CANCELLED
    ]
    return {
        "open_on_time": _on_time([one for one in own if one.kind in _OPENING], since, until),
        "repair_on_time": _on_time(
            [one for one in own if one.kind is OrderKind.REPAIR], since, until
        ),
        "first_contact": _share(_contacted_in_time(one) for one in done),
        "appointment_kept": _share(one.appointment_kept for one in done),
        "repeat_fault": _share(_repeats(one, records) for one in repairs),
        "record_quality": _share(one.photo is True and one.onu_online is not False for one in done),
        "satisfaction": _points(one.satisfaction for one in done),
        "patrol_done": _share(
            one.finished_at is not None and one.finished_at < until for one in patrols
        ),
    }


def _on_time(records: Iterable[Record], since: datetime, until: datetime) -> Measure:
    verdicts: list[bool] = []
    for one in records:
        if one.due_at is None or one.state is OrderState.CANCELLED or one.late_for_others:
            continue
        if one.finished_at is not None and one.finished_at < until:
            if one.finished_at >= since:
                verdicts.append(one.finished_at <= one.due_at)
        elif one.due_at < (one.suspended_at or until) and one.due_at < until:
            verdicts.append(False)
    return _share(verdicts)


def _contacted_in_time(one: Record) -> bool | None:
    if one.first_contact_at is None or one.dispatched_at is None:
        return None
    work = Work(one.kind, one.customer_class)
    due = one.contact_due_at or first_contact_due(work, one.dispatched_at, rural=one.rural)
    return None if due is None else one.first_contact_at <= due


def _repeats(one: Record, records: Iterable[Record]) -> bool:
    return any(
        other.kind is OrderKind.REPAIR
        and other is not one
        and other.line == one.line
        and other.finished_at is not None
        and other.finished_at <= one.requested_at <= other.finished_at + REPEAT_WITHIN
        for other in records
    )


def _share(verdicts: Iterable[bool | None]) -> Measure:
    return _points(None if verdict is None else 100 * verdict for verdict in verdicts)


def _points(values: Iterable[int | None]) -> Measure:
    known = [value for value in values if value is not None]
    return Measure(sum(known), len(known))
