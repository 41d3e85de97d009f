"""When an alert fires and when it is over: pure transitions, with patience and hysteresis.

``quiet`` → ``pending`` (it must stay bad for a while) → ``firing`` → ``recovering`` (it must stay
good for a while) → ``quiet``. Only firing and resolving are events. What lies between the boundary
and the boundary with its margin neither begins an alert nor ends one, and neither does what is not
known: an input that flaps there tells nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from huaxiao.shared.wire.alerts import AlertState


class Condition(StrEnum):
    """What was observed of an alert's subject."""

    BAD = "bad"
    BETWEEN = "between"
    """Not bad, and not good by the margin either."""
    GOOD = "good"
    UNKNOWN = "unknown"
    GONE = "gone"
    """There is nothing to observe any more: its rule was withdrawn, or its subject."""


class Event(StrEnum):
    """What becomes known of an alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Held:
    """An alert's state and since when it is in it."""

    state: AlertState
    since: datetime


@dataclass(frozen=True, slots=True)
class Patience:
    """How long it must be bad before it fires, and good before it is resolved."""

    hold: timedelta
    clear: timedelta


def step(
    held: Held, condition: Condition, now: datetime, patience: Patience
) -> tuple[Held, Event | None]:
    """Return the state after an observation, and the event if it is one."""
    match held.state:
        case AlertState.QUIET | AlertState.PENDING:
            return _while_quiet(held, condition, now, patience)
        case _:
            return _while_firing(held, condition, now, patience)


def due_at(held: Held, patience: Patience) -> datetime | None:
    """Return when the state changes by itself, if what is observed stays as it is."""
    match held.state:
        case AlertState.PENDING:
            return held.since + patience.hold
        case AlertState.RECOVERING:
            return held.since + patience.clear
        case _:
            return None


def _while_quiet(
    held: Held, condition: Condition, now: datetime, patience: Patience
) -> tuple[Held, Event | None]:
    if condition is Condition.UNKNOWN:
        return held, None
    if condition is not Condition.BAD:
        quiet = held.state is AlertState.QUIET
        return (held if quiet else Held(AlertState.QUIET, now)), None
    since = held.since if held.state is AlertState.PENDING else now
    if now - since >= patience.hold:
        return Held(AlertState.FIRING, now), Event.FIRING
    return Held(AlertState.PENDING, since), None


def _while_firing(
    held: Held, condition: Condition, now: datetime, patience: Patience
) -> tuple[Held, Event | None]:
    recovering = held.state is AlertState.RECOVERING
    match condition:
        case Condition.GONE:
            return Held(AlertState.QUIET, now), Event.RESOLVED
        case Condition.GOOD:
            since = held.since if recovering else now
            if now - since >= patience.clear:
                return Held(AlertState.QUIET, now), Event.RESOLVED
            return Held(AlertState.RECOVERING, since), None
        case Condition.UNKNOWN:
            return held, None
        case _:
            return (Held(AlertState.FIRING, now) if recovering else held), None
