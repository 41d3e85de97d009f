"""What the orders' own records say about a centre or a person in a period (F1, F2, R2)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from huaxiao.dispatch.domain.level_table import Work, first_contact_due
from huaxiao.dispatch.domain.scorecard import Measure
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind, OrderState

REPEAT_WITHIN = timedelta(days=30)
_OPENING = {
    OrderKind.INSTALL,
    OrderKind.MOVE,
    # Of the build-and-maintain centre, which nobody else does.
    OrderKind.CONSTRUCTION,
    OrderKind.COMMISSIONING,
}


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
    order_id: str = ""
    requester_centre_id: str | None = None
    performer_centre_id: str | None = None
    visits: int = 0
    reworks: int = 0
    workers: tuple[str, ...] = ()
    """Who did the work where it was not the engineer alone: a crew's members who took part."""

    def is_of(self, person_id: str) -> bool:
        """Say whether a person did the work, or has it."""
        return person_id in self.workers if self.workers else self.engineer_id == person_id


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one order counts on an item: points of 100, as a fraction of any size for workload."""

    record: Record
    points: int


Verdicts = dict[str, list[Verdict]]
"""Of each item the orders that count, and what each counts: all that its value follows from."""


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
    return measures_of(judge(records, since=since, until=until, mine=mine))


def measures_of(verdicts: Verdicts) -> dict[str, Measure]:
    """Add up what orders count."""
    return {
        item: Measure(sum(one.points for one in given), len(given))
        for item, given in verdicts.items()
    }


def judge(
    records: Sequence[Record],
    *,
    since: datetime,
    until: datetime,
    mine: Callable[[Record], bool] = lambda _: True,
) -> Verdicts:
    """Return the orders that count on each item of F1, and what each counts."""
    own = [one for one in records if mine(one)]
    done = [one for one in own if _finished_within(one, since, until)]
    repairs = [one for one in done if one.kind is OrderKind.REPAIR]
    return {
        "open_on_time": _on_time([one for one in own if one.kind in _OPENING], since, until),
        "repair_on_time": _on_time(
            [one for one in own if one.kind is OrderKind.REPAIR], since, until
        ),
        "first_contact": _yes_or_no((one, _contacted_in_time(one)) for one in done),
        "appointment_kept": _yes_or_no((one, one.appointment_kept) for one in done),
        "repeat_fault": _yes_or_no((one, _repeats(one, records)) for one in repairs),
        "record_quality": _yes_or_no(
            (one, one.photo is True and one.onu_online is not False) for one in done
        ),
        "satisfaction": _points((one, one.satisfaction) for one in done),
        "patrol_done": _yes_or_no(
            (one, one.finished_at is not None and one.finished_at < until)
            for one in own
            if _is_due_patrol(one, since, until)
        ),
    }


def judge_own(
    records: Sequence[Record], person_id: str, *, since: datetime, until: datetime
) -> Verdicts:
    """Return the orders that count on each own item of F2; ``records`` are those of the centre.

    Workload is the person's finished orders over the mean of all who finished any: each of the
    centre's orders counts as many hundreds as there are such people if it is the person's, else 0.
    """
    mine = [one for one in records if one.is_of(person_id)]
    done = [one for one in mine if _finished_within(one, since, until)]
    repairs = [one for one in done if one.kind is OrderKind.REPAIR]
    finished = [one for one in records if _finished_within(one, since, until)]
    people = {
        who for one in finished for who in (one.workers or (one.engineer_id,)) if who is not None
    }
    return {
        "own_workload": [
            Verdict(one, 100 * len(people) * one.is_of(person_id)) for one in finished
        ],
        "own_on_time": _on_time(mine, since, until),
        "own_first_fix": _yes_or_no((one, one.visits <= 1 and one.reworks == 0) for one in repairs),
        "own_repeat_fault": _yes_or_no((one, _repeats(one, records)) for one in repairs),
        "own_satisfaction": _points((one, one.satisfaction) for one in done),
    }


def _finished_within(one: Record, since: datetime, until: datetime) -> bool:
    return one.finished_at is not None and since <= one.finished_at < until


def _is_due_patrol(one: Record, since: datetime, until: datetime) -> bool:
    """Say whether a patrol is to be done by the month's end: a quarter's is not due in its first."""
    if one.kind is not OrderKind.PATROL or one.state is OrderState.CANCELLED:
        return False
    if one.due_at is None:
        return since <= one.requested_at < until
    return since < one.due_at <= until or _finished_within(one, since, until)


def _on_time(records: Iterable[Record], since: datetime, until: datetime) -> list[Verdict]:
    verdicts: list[tuple[Record, bool]] = []
    for one in records:
        if one.due_at is None or one.state is OrderState.CANCELLED or one.late_for_others:
            continue
        if one.finished_at is not None and one.finished_at < until:
            if one.finished_at >= since:
                verdicts.append((one, one.finished_at <= one.due_at))
        elif one.due_at < (one.suspended_at or until) and one.due_at < until:
            verdicts.append((one, False))
    return _yes_or_no(verdicts)


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


def _yes_or_no(given: Iterable[tuple[Record, bool | None]]) -> list[Verdict]:
    return _points((one, None if says is None else 100 * says) for one, says in given)


def _points(given: Iterable[tuple[Record, int | None]]) -> list[Verdict]:
    return [Verdict(one, points) for one, points in given if points is not None]
