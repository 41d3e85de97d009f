"""The service clock of an order: what stops it, what it shows, and when it reaches a share of its target.

Everything is computed from the moments themselves, so that whoever asks later, or asks again after
a restart, is told the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from huaxiao.dispatch.domain.business_time import (
    Counting,
    Stretch,
    assumed_years,
    reached_at,
    running_time,
)
from huaxiao.shared.wire.service_levels import StopCause

MOST_RESCHEDULES = 2
MOST_POSTPONED = timedelta(days=5)
"""How often, and how long in all, the clock stands still for the customer's sake."""
WARNED_AT = (80, 100, 150)
"""Percent of the target at which a warning is due."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A time during which work waits; it has no end while it lasts."""

    cause: StopCause
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch during which the clock stands still; it has no end while nobody knows it."""

    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceClock:
    """When a clock began, how it counts, and what it is to reach."""

    started_at: datetime
    counting: Counting
    target: timedelta
    limit: timedelta
    stops: tuple[Stop, ...] = ()

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """Return the stretches during which the clock stands still, apart and in order."""
        return self._pauses(set(StopCause) - {StopCause.RESOURCE})

    def _pauses(self, causes: set[StopCause]) -> tuple[Pause, ...]:
        customers = _allowed([one for one in self.stops if one.cause is StopCause.CUSTOMER])
        others = [
            Pause(one.since, one.until)
            for one in self.stops
            if one.cause is not StopCause.CUSTOMER and one.cause in causes
        ]
        return tuple(_apart([*customers, *others]))

    @property
    def due_at(self) -> datetime | None:
        """Return when the target is reached; None while a stop that lasts may put it off."""
        return self.reached_at(self.target)

    @property
    def limit_at(self) -> datetime | None:
        """Return when the hard limit is reached, or None likewise."""
        return self.reached_at(self.limit)

    def reached_at(self, length: timedelta) -> datetime | None:
        """Return the first moment at which so much time has counted."""
        return reached_at(self.counting, self._running(self.pauses), length)

    def _running(self, pauses: Sequence[Pause]) -> list[Stretch]:
        """Return the stretches between the pauses, in which the clock runs."""
        stretches, at = list[Stretch](), self.started_at
        for pause in pauses:
            stretches.append(Stretch(at, max(at, pause.since)))
            if pause.until is None:
                return stretches
            at = max(at, pause.until)
        return [*stretches, Stretch(at)]

    def elapsed(self, until: datetime) -> timedelta:
        """Return how much time has counted by a moment."""
        return running_time(self.counting, self._running(self.pauses), until=until)

    def stopped_since(self, now: datetime) -> datetime | None:
        """Return since when the clock has stood still for a stop that lasts; None while it runs."""
        lasting = [one.since for one in self.stops if one.until is None and one.since <= now]
        standing = [
            one
            for one in self.pauses
            if one.since <= now and (one.until is None or now < one.until)
        ]
        return standing[0].since if lasting and standing else None

    def postponed(self, now: datetime) -> timedelta:
        """Return how long the clock has stood still for the customer's sake by a moment."""
        return sum(
            (
                max(min(one.until or now, now) - one.since, timedelta(0))
                for one in _allowed(
                    [each for each in self.stops if each.cause is StopCause.CUSTOMER]
                )
            ),
            timedelta(0),
        )

    def runs_again_at(self, now: datetime) -> datetime | None:
        """Return when a stop that lasts ceases to hold the clock, its days being used up."""
        since = self.stopped_since(now)
        return next((one.until for one in self.pauses if one.since == since), None)

    def would_be_due_with_material(self) -> datetime | None:
        """Return when the target would be reached if lack of material stopped the clock too."""
        running = self._running(self._pauses(set(StopCause)))
        return reached_at(self.counting, running, self.target)

    def knows_its_calendar(self, until: datetime) -> bool:
        """Say whether the holidays of every year that was counted are published."""
        if self.counting is not Counting.WORKING:
            return True
        return not assumed_years(self.started_at, max(self.started_at, until))


def warnings(clock: ServiceClock, *, until: datetime) -> Iterator[tuple[int, datetime]]:
    """Yield each share of the target that the clock has reached by a moment, and when."""
    for percent, moment in _moments(clock):
        if moment <= until:
            yield percent, moment


def next_moment(clock: ServiceClock, warned: Iterable[int], *, now: datetime) -> datetime | None:
    """Return when something is to be done about a clock next: a warning, or that it runs again."""
    told = set(warned)
    to_come = [moment for percent, moment in _moments(clock) if percent not in told]
    runs_again = clock.runs_again_at(now)
    return min([*to_come, *([] if runs_again is None else [runs_again])], default=None)


def _moments(clock: ServiceClock) -> Iterator[tuple[int, datetime]]:
    for percent in WARNED_AT:
        moment = clock.reached_at(clock.target * percent // 100)
        if moment is not None:
            yield percent, moment


def late_for_material(clock: ServiceClock, at: datetime) -> bool:
    """Say whether work is late at a moment, and would not be if lack of material stopped the clock."""
    due, with_material = clock.due_at, clock.would_be_due_with_material()
    return due is not None and due < at and (with_material is None or at <= with_material)


def _allowed(stops: Sequence[Stop]) -> list[Pause]:
    """Return the stretches the customer's stops make, cut where their days are used up."""
    left, kept = MOST_POSTPONED, list[Pause]()
    for pause in _apart([Pause(one.since, one.until) for one in stops]):
        most = pause.since + left
        until = most if pause.until is None else min(pause.until, most)
        if until > pause.since:
            kept.append(Pause(pause.since, until))
        left -= until - pause.since
    return kept


def _apart(pauses: Sequence[Pause]) -> list[Pause]:
    """Join stretches that meet."""
    joined: list[Pause] = []
    for pause in sorted(pauses, key=lambda one: one.since):
        last = joined[-1] if joined else None
        if last is None or (last.until is not None and last.until < pause.since):
            joined.append(pause)
        elif last.until is not None:
            until = None if pause.until is None else max(last.until, pause.until)
            joined[-1] = Pause(last.since, until)
    return joined
