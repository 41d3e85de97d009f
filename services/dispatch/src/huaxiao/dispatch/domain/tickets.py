"""Support tickets: their states, whose turn it is, and the clocks that nobody can stop unnoticed (R18).

Everything follows from a ticket's history. The clock of the unit that owes a ticket runs while the
ticket is with it, and stops while its raiser is asked for more or has the answer; being handed over
stops nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from huaxiao.dispatch.domain.business_time import (
    WINDOW_DAY,
    Counting,
    Stretch,
    reached_at,
    running_time,
)
from huaxiao.shared.problems import Fault, Malformed, Problem
from huaxiao.shared.wire.tickets import (
    Boundary,
    ClosedHow,
    Supervisor,
    TicketState,
    TicketStepName,
    TimerName,
    Unit,
    Urgency,
)

RAISE, FORCE_CLOSE = "raise", "force_close"
"""What is no step of anybody's choice: the beginning, and the system's closure."""
REOPEN_WITHIN = timedelta(days=7)

_S = TicketState
_N = TicketStepName
WITH_OWNER = {_S.RAISED, _S.ACCEPTED, _S.HANDED_OVER, _S.REOPENED}
"""States in which the owing unit's clock runs."""
_REPLIES = {_N.ACCEPT, _N.RETURN, _N.ANSWER}


class TicketStepNotAllowed(Problem):
    """The ticket's state or its history does not permit this step."""

    code = "ticket-step-not-allowed"
    status = HTTPStatus.CONFLICT
    title = "The ticket does not permit this step now"
    title_zh = "需求单当前状态不允许此操作"


class NotYourTicket(Problem):
    """The step belongs to the raiser, or to the unit that owes the ticket."""

    code = "not-your-ticket"
    status = HTTPStatus.FORBIDDEN
    title = "This step of the ticket is not yours to take"
    title_zh = "该需求单的此操作不属于您"


class OwingUnitMayNotClose(Problem):
    """Who owes a ticket never closes it: that is for its raiser to say (R18)."""

    code = "owing-unit-may-not-close"
    status = HTTPStatus.FORBIDDEN
    title = "The unit that owes a ticket may not close it"
    title_zh = "承办单位不得自行闭环需求单"


class BoundaryOpen(Problem):
    """A complaint is answered after it was decided whose it is (R19)."""

    code = "boundary-open"
    status = HTTPStatus.CONFLICT
    title = "It is not decided whose complaint this is"
    title_zh = "投诉界面尚未界定"


# --- steps --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of a ticket's history."""

    number: int
    step: str
    state: TicketState
    """The state after it."""
    at: datetime
    owner: Unit
    """Who owes the ticket after it."""


@dataclass(frozen=True, slots=True)
class Acting:
    """For whom somebody takes a step."""

    raiser: bool = False
    owner: bool = False
    posted_with_owner: bool = False
    """They have a post in the owing unit, whichever post they come in."""
    support: bool = False
    """The support centre, whose one point of entry it is."""
    county_manager: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step somebody wants to take."""

    name: TicketStepName
    at: datetime
    acting: Acting
    reason: str | None = None
    text: str | None = None
    to: Unit | None = None
    """The unit to hand over to, or to which a decided boundary leads."""
    boundary: Boundary | None = None


@dataclass(frozen=True, slots=True)
class TicketProgress:
    """How far a ticket is."""

    state: TicketState
    owner: Unit
    raiser_centre_id: str
    needs_boundary: bool = False
    boundary: Boundary | None = None
    closed_at: datetime | None = None


_FROM: dict[TicketStepName, set[TicketState]] = {
    _N.ACCEPT: {_S.RAISED, _S.HANDED_OVER, _S.REOPENED},
    _N.RETURN: WITH_OWNER,
    _N.RESUBMIT: {_S.RETURNED},
    _N.HAND_OVER: WITH_OWNER,
    _N.DECIDE_BOUNDARY: WITH_OWNER,
    _N.ANSWER: {_S.ACCEPTED},
    _N.CLOSE: WITH_OWNER | {_S.RETURNED, _S.ANSWERED},
    _N.REOPEN: {_S.ANSWERED, _S.CLOSED},
}
_INTO = {
    _N.ACCEPT: _S.ACCEPTED,
    _N.RETURN: _S.RETURNED,
    _N.RESUBMIT: _S.ACCEPTED,
    _N.HAND_OVER: _S.HANDED_OVER,
    _N.ANSWER: _S.ANSWERED,
    _N.CLOSE: _S.CLOSED,
    _N.REOPEN: _S.REOPENED,
}
_NEED_REASON = {_N.RETURN, _N.HAND_OVER, _N.DECIDE_BOUNDARY, _N.REOPEN}
_NEED_TEXT = {_N.ANSWER, _N.RESUBMIT}


def take(ticket: TicketProgress, step: Step) -> tuple[TicketState, Unit]:
    """Return the state of a ticket and who owes it after a step.

    Raises:
        NotYourTicket: the step is another's to take.
        OwingUnitMayNotClose: the unit that owes it wants to close it.
        TicketStepNotAllowed: the state or the history forbids it.
        BoundaryOpen: a complaint is to be answered before it is decided whose it is.
        Malformed: what the step must say is missing.

    """
    _require_turn(step)
    if ticket.state not in _FROM[step.name]:
        raise TicketStepNotAllowed(
            f"A {ticket.state} ticket permits no {step.name}.", state=ticket.state, step=step.name
        )
    _require_said(ticket, step)
    owner = ticket.owner
    match step.name:
        case _N.ANSWER if ticket.needs_boundary and ticket.boundary is None:
            raise BoundaryOpen
        case _N.REOPEN if ticket.closed_at is not None and step.at > (
            ticket.closed_at + REOPEN_WITHIN
        ):
            raise TicketStepNotAllowed(
                "A ticket is reopened within seven days.", "需求单闭环后七日内方可重启。"
            )
        case _N.HAND_OVER:
            owner = _other(ticket, step)
        case _N.DECIDE_BOUNDARY:
            if not ticket.needs_boundary:
                raise TicketStepNotAllowed(
                    "This category has no boundary to decide.", "该类别无须界定投诉界面。"
                )
            owner = step.to or owner
            return (ticket.state if owner == ticket.owner else _S.HANDED_OVER), owner
        case _:
            pass
    return _INTO[step.name], owner


def _require_turn(step: Step) -> None:
    acting = step.acting
    match step.name:
        case _N.CLOSE if acting.owner or acting.posted_with_owner:
            raise OwingUnitMayNotClose
        case _N.CLOSE:
            may = acting.raiser or acting.county_manager
        case _N.RESUBMIT | _N.REOPEN:
            may = acting.raiser
        case _N.HAND_OVER:
            may = acting.owner or acting.county_manager
        case _N.DECIDE_BOUNDARY:
            may = acting.support or acting.county_manager
        case _:
            may = acting.owner
    if not may:
        raise NotYourTicket


def _require_said(ticket: TicketProgress, step: Step) -> None:
    unanswered = step.name is _N.CLOSE and ticket.state is not _S.ANSWERED
    by_manager = step.name is _N.CLOSE and step.acting.county_manager
    missing = []
    if step.reason is None and (step.name in _NEED_REASON or unanswered or by_manager):
        missing.append("/reason")
    if step.text is None and step.name in _NEED_TEXT:
        missing.append("/text")
    if step.to is None and step.name is _N.HAND_OVER:
        missing.append("/to")
    if step.boundary is None and step.name is _N.DECIDE_BOUNDARY:
        missing.append("/boundary")
    if missing:
        faults = [
            Fault(one, "missing", f"{step.name} needs it", "此操作须填写该项") for one in missing
        ]
        raise Malformed(faults=faults)


def _other(ticket: TicketProgress, step: Step) -> Unit:
    assert step.to is not None  # noqa: S101 - asked for above
    if step.to == ticket.owner:
        raise TicketStepNotAllowed("This unit owes it already.", "该单位已是承办单位。")
    if step.to.centre_id == ticket.raiser_centre_id:
        raise TicketStepNotAllowed(
            "A ticket is returned to its raiser, not handed over.", "退回提出单位请用退回操作。"
        )
    return step.to


# --- clocks -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much time a clock allows, and in what it is counted."""

    measure: Counting
    amount: timedelta


def _hours(count: int) -> Allowance:
    return Allowance(Counting.WINDOW, timedelta(hours=count))


def _days(count: int) -> Allowance:
    return Allowance(Counting.WORKING_WINDOW, count * WINDOW_DAY)


FIRST_REPLY = _hours(2)
RAISER = _days(3)
TARGET = {Urgency.NORMAL: _days(2), Urgency.URGENT: _hours(4)}
LIMIT = {Urgency.NORMAL: _days(5), Urgency.URGENT: _hours(8)}
MARKS = (
    (TimerName.FIRST_REPLY, 100, None),
    (TimerName.TARGET, 80, None),
    (TimerName.TARGET, 100, Supervisor.SUPPORT_MANAGER),
    (TimerName.TARGET, 150, Supervisor.GENERAL_MANAGER),
    (TimerName.LIMIT, 100, Supervisor.GENERAL_MANAGER),
)
"""What is told when a clock passes it, and who supervises the ticket from then on."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that a clock passes."""

    timer: TimerName
    percent: int
    since: int
    """Number of the step from which the clock counts: 1 but for the raiser's, which begins anew."""
    at: datetime
    owner: Unit
    supervisor: Supervisor | None

    @property
    def key(self) -> tuple[TimerName, int, int]:
        """What makes it the same mark: it is told once."""
        return self.timer, self.percent, self.since


@dataclass(frozen=True, slots=True)
class Standing:
    """What is to be recorded of a ticket by now, and when to look again."""

    marks: tuple[Mark, ...]
    """Marks passed that nobody has recorded, earliest first."""
    closure: Happening | None
    """The closure that the raiser's silence has brought about; None while it has not."""
    next_at: datetime | None
    """The next moment at which something happens if nobody does anything."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a clock shows; ``due_at`` is None while it is stopped before its end."""

    timer: TimerName
    allowance: Allowance
    used: timedelta
    running: bool
    due_at: datetime | None
    in_time: bool | None


@dataclass(frozen=True, slots=True)
class TicketRecord:
    """A ticket's urgency and its history, oldest first; the first entry is its beginning."""

    urgency: Urgency
    history: tuple[Happening, ...]

    @property
    def last(self) -> Happening:
        """The newest entry."""
        return self.history[-1]

    @property
    def first_reply_at(self) -> datetime | None:
        """When the raiser first heard of whom it had asked."""
        return next((one.at for one in self.history if one.step in _REPLIES), None)

    def as_of(self, moment: datetime) -> "TicketRecord | None":
        """Return the ticket as it was just before a moment; None where it was not there.

        A closure by the raiser's silence is part of it, recorded yet or not.
        """
        history = tuple(one for one in self.history if one.at < moment)
        if not history:
            return None
        known = TicketRecord(self.urgency, history)
        closure = known.closed_by_silence(moment)
        return known if closure is None else TicketRecord(self.urgency, (*history, closure))

    def closed_by_silence(self, now: datetime) -> Happening | None:
        """Return the closure that the raiser's silence has brought about before a moment."""
        at = self._forced_closure()
        if at is None or at >= now:
            return None
        last = self.last
        return Happening(last.number + 1, FORCE_CLOSE, TicketState.CLOSED, at, last.owner)

    def owner_at(self, moment: datetime) -> Unit:
        """Return who owed the ticket at a moment: a step of that very moment comes after it."""
        before = [one for one in self.history if one.at < moment]
        return (before or self.history)[-1 if before else 0].owner

    def stretches(self) -> list[Stretch]:
        """Return the times in which the owing unit's clock runs; the last may be open."""
        running: list[Stretch] = []
        since: datetime | None = None
        for one in self.history:
            if one.state in WITH_OWNER:
                since = since or one.at
            elif since is not None:
                running.append(Stretch(since, one.at))
                since = None
        return running if since is None else [*running, Stretch(since)]

    def target_at(self) -> datetime | None:
        """Return when the target is or was reached; None where the clock has stopped by then."""
        return self._passes(TimerName.TARGET, TARGET[self.urgency].amount)

    def on_time(self) -> bool:
        """Say of a closed ticket whether its clock stopped within the target: equal is on time."""
        return self.target_at() is None

    def closed_at(self) -> datetime | None:
        """Return when it was closed, while it is."""
        return self.last.at if self.last.state is TicketState.CLOSED else None

    def reading(self, timer: TimerName, *, now: datetime) -> Reading | None:
        """Return what a clock shows; None for the raiser's while it is not the raiser's turn."""
        stretches = self._clock(timer)
        if not stretches:
            return None
        allowance = self._allowance(timer)
        due = reached_at(allowance.measure, stretches, allowance.amount)
        end = stretches[-1].until
        passed = due is not None and due < (end or now)
        over = timer is TimerName.FIRST_REPLY or self.last.state is TicketState.CLOSED
        in_time = False if passed else True if end is not None and over else None
        used = running_time(allowance.measure, stretches, until=now)
        return Reading(timer, allowance, used, end is None, due, in_time)

    def standing(self, recorded: set[tuple[TimerName, int, int]], *, now: datetime) -> Standing:
        """Return what the clocks have brought about by a moment, which is never told twice."""
        marks = sorted(
            (one for one in self._marks() if one.key not in recorded), key=lambda one: one.at
        )
        closes = self._forced_closure()
        coming = [one.at for one in marks if one.at >= now]
        closure = self.closed_by_silence(now)
        if closes is not None:
            coming.append(closes)
        return Standing(
            marks=tuple(one for one in marks if one.at < now),
            closure=closure,
            next_at=None if closure else min(coming, default=None),
        )

    def _marks(self) -> list[Mark]:
        """Return every mark that the clocks pass if nobody does anything more."""
        marks = []
        for timer, percent, supervisor in MARKS:
            at = self._passes(timer, self._allowance(timer).amount * percent / 100)
            if at is not None:
                marks.append(Mark(timer, percent, 1, at, self.owner_at(at), supervisor))
        for index, one in enumerate(self.history):
            if one.state is not TicketState.RETURNED:
                continue
            later = self.history[index + 1 : index + 2]
            turn = [Stretch(one.at, later[0].at if later else None)]
            at = _passed(RAISER, RAISER.amount, turn)
            if at is not None:
                boss = Supervisor.SUPPORT_MANAGER
                marks.append(Mark(TimerName.RAISER, 100, one.number, at, one.owner, boss))
        return marks

    def _forced_closure(self) -> datetime | None:
        if self.last.state is not TicketState.ANSWERED:
            return None
        return reached_at(RAISER.measure, [Stretch(self.last.at)], RAISER.amount)

    def _clock(self, timer: TimerName) -> list[Stretch]:
        match timer:
            case TimerName.FIRST_REPLY:
                reply = self.first_reply_at
                if reply is None:
                    return self.stretches()
                return [
                    Stretch(one.since, min(one.until or reply, reply))
                    for one in self.stretches()
                    if one.since <= reply
                ]
            case TimerName.RAISER:
                waiting = self.last.state in {TicketState.RETURNED, TicketState.ANSWERED}
                return [Stretch(self.last.at)] if waiting else []
            case _:
                return self.stretches()

    def _allowance(self, timer: TimerName) -> Allowance:
        return {
            TimerName.FIRST_REPLY: FIRST_REPLY,
            TimerName.TARGET: TARGET[self.urgency],
            TimerName.LIMIT: LIMIT[self.urgency],
            TimerName.RAISER: RAISER,
        }[timer]

    def _passes(self, timer: TimerName, amount: timedelta) -> datetime | None:
        return _passed(self._allowance(timer), amount, self._clock(timer))


def _passed(
    allowance: Allowance, amount: timedelta, stretches: Sequence[Stretch]
) -> datetime | None:
    """Return when so much time has run, if the clock goes on behind it; equal is in time."""
    at = reached_at(allowance.measure, stretches, amount)
    if at is None or not stretches:
        return None
    end = stretches[-1].until
    return at if end is None or end > at else None


def closed_by(acting: Acting) -> ClosedHow:
    """Return as whom somebody closes a ticket."""
    return ClosedHow.RAISER if acting.raiser else ClosedHow.COUNTY_MANAGER
