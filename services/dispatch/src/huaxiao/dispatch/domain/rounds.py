"""Rounds: which patrols of an asset its cycle asks for, and what has become of each (R17)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.wire.assets import RoundState
from huaxiao.shared.wire.service_levels import Cycle, PatrolLevel

_DAY = timedelta(days=1)
_MONTHS = {"month": 1, "quarter": 3}


@dataclass(frozen=True, slots=True)
class Patrolled:
    """What the rounds of an asset follow from."""

    from_day: date
    cycle: Cycle | None
    """Its own; by the service levels when None."""
    retired_on: date | None = None
    covered_to: date | None = None
    """The last day of its latest round; None before the first."""


@dataclass(frozen=True, slots=True)
class PlannedRound:
    """A round, from its first day to its last, and the days of grace after that."""

    starts_on: date
    ends_on: date
    grace_days: int

    @property
    def starts_at(self) -> datetime:
        """Return 00:00 of the first day."""
        return _midnight(self.starts_on)

    @property
    def due_at(self) -> datetime:
        """Return the end of the last day."""
        return _midnight(self.ends_on + _DAY)

    @property
    def limit_at(self) -> datetime:
        """Return the end of the days of grace."""
        return self.due_at + self.grace_days * _DAY


LevelOn = Callable[[date], PatrolLevel | None]
"""Tells what the service levels in force on a day say of the asset's kind and grade."""


def next_round(asset: Patrolled, level_on: LevelOn) -> PlannedRound | None:
    """Return the round that follows those an asset has had; None of one that has no more.

    Rounds follow one another without a gap, whatever becomes of the cycle: when it changes, the
    next one goes on to the end of the month or quarter it begins in. The first begins with a whole
    cycle, as does one after an asset was out of use.
    """
    goes_on = asset.covered_to is not None and asset.covered_to + _DAY >= asset.from_day
    starts_on = asset.covered_to + _DAY if goes_on and asset.covered_to else asset.from_day
    level = level_on(starts_on)
    cycle = asset.cycle if level is None or asset.cycle is not None else level.cycle
    if cycle is None:
        return None
    if not goes_on:
        starts_on = _first_whole(cycle, starts_on)
    if asset.retired_on is not None and starts_on >= asset.retired_on:
        return None
    return PlannedRound(starts_on, _last_day(cycle, starts_on), level.grace_days if level else 0)


def rounds_until(asset: Patrolled, level_on: LevelOn, day: date) -> Iterator[PlannedRound]:
    """Yield the rounds of an asset that are still to be created and begin by a day."""
    while True:
        planned = next_round(asset, level_on)
        if planned is None or planned.starts_on > day:
            return
        yield planned
        asset = Patrolled(asset.from_day, asset.cycle, asset.retired_on, planned.ends_on)


def round_state(
    *, due_at: datetime, limit_at: datetime, finished_at: datetime | None, now: datetime
) -> RoundState:
    """Say what has become of a round by now; equal is in time."""
    if finished_at is not None:
        return RoundState.DONE if finished_at <= due_at else RoundState.LATE
    if now <= due_at:
        return RoundState.OPEN
    return RoundState.OVERDUE if now <= limit_at else RoundState.MISSED


def _first_whole(cycle: Cycle, day: date) -> date:
    """Return the first day, from a day on, with which a whole cycle begins."""
    if cycle.every == "days":
        return day
    before = day - _DAY
    return _last_day(cycle, before) + _DAY


def _last_day(cycle: Cycle, day: date) -> date:
    """Return the last day of the cycle that a day lies in, or that begins with it."""
    if cycle.every == "days":
        return day + ((cycle.days or 1) - 1) * _DAY
    months = _MONTHS[cycle.every]
    index = day.year * 12 + day.month - 1
    following = index - index % months + months
    return date(following // 12, following % 12 + 1, 1) - _DAY


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), BUSINESS_ZONE)
