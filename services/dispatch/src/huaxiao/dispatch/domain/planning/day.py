"""A centre's day as a problem: who works when and from where, and which orders wait for a visit.

Everything is in whole minutes since 00:00 of the day. What cannot be planned is named with its reason:
an order without a place, somebody of whom nobody knows where they set out (R13, R17, R25).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from huaxiao.dispatch.domain.planning.model import (
    Break,
    Engineer,
    Order,
    Plan,
    Problem,
    Promise,
    Started,
    Window,
)
from huaxiao.dispatch.domain.planning.prices import Prices
from huaxiao.dispatch.domain.planning.timing import Sequences, plan_of
from huaxiao.dispatch.domain.planning.travel import Place, Travel

ALL_DAY = Window(0, 24 * 60 - 1)
NEEDS_CREW = "crew/"
"""What only crews can do: the work on the network, where a centre has crews for it (R17)."""
SOON = 15
"""Work that has run over its time is taken to last so many minutes more."""


class NotPlanned(StrEnum):
    """Why an order, or somebody, is not part of a day's plan."""

    NO_PLACE = "no_place"
    """Nobody knows where it is, or where they set out."""
    SUSPENDED = "suspended"
    PREDECESSORS_OPEN = "predecessors_open"
    APPOINTMENT_PASSED = "appointment_passed"
    """It was promised for an earlier day, and needs a new appointment."""
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Assignable:
    """A person, or a crew that goes together, who could be sent."""

    id: str
    centre: str
    skills: frozenset[str]
    worked: tuple[Window, ...]
    """Their shifts; they end where the windows do."""
    place: Place | None
    returns: bool = True
    """The day ends where it began."""
    away: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """What was planned of an order before: by whom, and when it was to begin."""

    engineers: frozenset[str]
    start: int


@dataclass(frozen=True, slots=True)
class Work:
    """An open order, or one that was begun on the day."""

    id: str
    centre: str
    place: Place | None
    minutes: int
    skills: frozenset[str]
    priority: int
    people: int = 1
    windows: tuple[Window, ...] = ()
    """When the customer expects it."""
    due: int | None = None
    """By when it is to be finished."""
    accepted_by: frozenset[str] = frozenset()
    begun: Started | None = None
    ended: int | None = None
    visit: Visit | None = None
    pinned_to: str | None = None
    forbidden: frozenset[str] = frozenset()
    obstacle: NotPlanned | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """How a county plans its days."""

    prices: Prices
    tolerance: int
    """So many minutes earlier or later a planned visit still keeps what was promised."""
    rest: Break | None
    """Had by whoever works from before its window opens until after it could end."""


@dataclass(frozen=True)
class Day:
    """A day to be planned."""

    problem: Problem
    planned: Plan
    """As it was planned before, and stands now; what has begun is where it began. Why anything is in
    nobody's day is not said."""
    not_planned: tuple[tuple[str, NotPlanned], ...]
    """Orders, by id."""
    not_sent: tuple[tuple[str, NotPlanned], ...]
    """People and crews, by id."""


def day_of(
    assignable: Iterable[Assignable],
    work: Iterable[Work],
    sequences: Sequences,
    *,
    policy: Policy,
    travel: Travel,
    now: int,
    keep_promises: bool = True,
) -> Day:
    """Return a day as a problem.

    ``sequences`` are the orders of the day by who was to visit them, in order. Without promises the
    day may be planned from scratch; with them each planned visit has its price.
    """
    work = sorted(work, key=lambda one: one.id)
    free_from = _free_from(work, now)
    engineers = []
    not_sent = []
    for somebody in sorted(assignable, key=lambda one: one.id):
        shift = _shift(somebody)
        if shift is None:
            not_sent.append((somebody.id, NotPlanned.AWAY))
        elif somebody.place is None:
            not_sent.append((somebody.id, NotPlanned.NO_PLACE))
        else:
            at = free_from.get(somebody.id, now)
            engineers.append(_engineer(somebody, shift, somebody.place, policy, free_from=at))
    planned, not_planned = [], []
    for one in work:
        missing = NotPlanned.NO_PLACE if one.place is None and one.begun is None else None
        reason = one.obstacle or missing
        if reason is None:
            planned.append(one)
        else:
            not_planned.append((one.id, reason))
    sent = {one.id: one for one in engineers}
    closes = max((one.shift.closes for one in engineers), default=now)
    prices, urgencies = _urgencies(planned, policy.prices, now=now, closes=closes)
    orders = tuple(
        _begun(one, begun, urgencies[one.id], sent, now)
        if (begun := one.begun) is not None
        else _to_do(one, urgencies[one.id], policy, keep_promises=keep_promises)
        for one in planned
        if one.begun is None or any(who in sent for who in one.begun.engineers)
    )
    problem = Problem(tuple(engineers), orders, travel, prices, now)
    begins = {one.id: one.visit.start for one in planned if one.visit is not None}
    lost = {
        one.id
        for one in planned
        if one.visit is not None
        and not (len(one.visit.engineers) >= one.people and one.visit.engineers <= sent.keys())
    }
    standing = {
        who: [
            name
            for name in sequence
            if name is None or (name in problem.order and name not in lost)
        ]
        for who, sequence in sequences.items()
        if who in sent
    }
    return Day(
        problem,
        plan_of(problem, standing, begins=begins, reasons=False),
        tuple(not_planned),
        tuple(not_sent),
    )


def _shift(one: Assignable) -> Window | None:
    """Return from when to when somebody works, what lies between included; None: not at all."""
    worked = [part for shift in one.worked for part in without(shift, one.away)]
    if not worked:
        return None
    return Window(min(part.opens for part in worked), max(part.closes for part in worked))


def without(shift: Window, away: Sequence[Window]) -> list[Window]:
    """Return what is left of a shift; ends are the same minute as the next beginning."""
    left = [shift]
    for gone in away:
        left = [
            Window(opens, closes)
            for part in left
            for opens, closes in (
                (part.opens, min(part.closes, gone.opens)),
                (max(part.opens, gone.closes), part.closes),
            )
            if opens < closes
        ]
        left = sorted(set(left))
    return left


def _free_from(work: Iterable[Work], now: int) -> dict[str, int]:
    """Return from when those who have begun something are free again."""
    found: dict[str, int] = {}
    for one in work:
        if one.begun is not None:
            end = _end_of(one, one.begun, now)
            for who in one.begun.engineers:
                found[who] = max(now, end, found.get(who, now))
    return found


def _end_of(one: Work, begun: Started, now: int) -> int:
    return one.ended if one.ended is not None else max(begun.at + one.minutes, now + SOON)


def _engineer(
    one: Assignable, shift: Window, place: Place, policy: Policy, *, free_from: int
) -> Engineer:
    worked = sorted(part for each in one.worked for part in without(each, one.away))
    gaps = []
    for before, after in pairwise(worked):
        # A gap that is under way, or that work runs into, lasts until it ends, and no longer.
        opens = max(before.closes, free_from)
        if opens < after.opens:
            gaps.append(Break(Window(opens, opens), after.opens - opens))
    rest = policy.rest
    if rest is not None and any(
        part.opens <= rest.window.opens and rest.window.closes + rest.minutes <= part.closes
        for part in worked
    ):
        gaps.append(rest)
    return Engineer(
        id=one.id,
        start=place,
        shift=shift,
        skills=one.skills,
        home=place if one.returns else None,
        breaks=tuple(sorted(gaps, key=lambda gap: gap.window)),
        centre=one.centre,
    )


@dataclass(frozen=True, slots=True)
class _Urgency:
    """By when an order begins at no price for lateness, and the class that its prices are in."""

    deadline: int | None
    price_class: int


def _urgencies(
    work: Sequence[Work], prices: Prices, *, now: int, closes: int
) -> tuple[Prices, Mapping[str, _Urgency]]:
    """Return prices with a class for each that occurs, and how urgent every order is.

    To leave out what is due costs the price of its priority and its lateness until the day's end, or
    what is late would sooner be dropped than done. Lateness counts for no more than that price
    again: so nothing that is merely overdue comes before what is urgent.
    """
    deadlines, wanted = {}, {}
    for one in work:
        price = prices.left_out[one.priority - 1]
        deadline = None
        if one.due is not None and prices.late:
            deadline = max(one.due - one.minutes, now, closes - price // prices.late)
        if deadline is not None and deadline >= closes:
            deadline = None
        late = 0 if deadline is None else prices.late * (closes - deadline)
        deadlines[one.id] = deadline
        wanted[one.id] = price + late, prices.promise_broken[one.priority - 1]
    every = sorted(set(wanted.values()), reverse=True) or [(0, 0)]
    number = {pair: at for at, pair in enumerate(every, start=1)}
    made = replace(
        prices,
        left_out=tuple(left_out for left_out, _ in every),
        promise_broken=tuple(broken for _, broken in every),
    )
    return made, {name: _Urgency(deadlines[name], number[pair]) for name, pair in wanted.items()}


def _begun(
    one: Work, begun: Started, urgency: _Urgency, sent: Mapping[str, Engineer], now: int
) -> Order:
    """Return work under way, or done: so long its people have no time for anything else."""
    people = tuple(who for who in begun.engineers if who in sent)
    end = _end_of(one, begun, now)
    return Order(
        id=one.id,
        place=one.place or sent[people[0]].start,
        minutes=max(0, end - begun.at),
        priority=urgency.price_class,
        crew=len(people),
        started=Started(people, begun.at),
        centre=one.centre,
    )


def _to_do(one: Work, urgency: _Urgency, policy: Policy, *, keep_promises: bool) -> Order:
    assert one.place is not None  # noqa: S101 - others are not planned
    return Order(
        id=one.id,
        place=one.place,
        minutes=one.minutes,
        skills=one.skills,
        windows=one.windows,
        deadline=urgency.deadline,
        priority=urgency.price_class,
        crew=one.people,
        pinned_to=one.pinned_to,
        forbidden=one.forbidden,
        promise=_promise(one, policy) if keep_promises else None,
        centre=one.centre,
    )


def _promise(one: Work, policy: Policy) -> Promise | None:
    """Return what is counted on: the visit that was planned, or else who has accepted the order."""
    if one.visit is not None:
        start, width = one.visit.start, policy.tolerance
        return Promise(one.visit.engineers, Window(start - width, start + width))
    if one.accepted_by:
        return Promise(one.accepted_by, ALL_DAY)
    return None
