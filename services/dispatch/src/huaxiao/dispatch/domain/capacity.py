"""What people have time for: the visits that still fit into a slot, in quarters of an hour."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from huaxiao.shared.periods import BUSINESS_ZONE

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time, its end not included."""

    since: datetime
    until: datetime

    def covers(self, since: datetime, until: datetime) -> bool:
        """Say whether all of a stretch lies within this one."""
        return self.since <= since and until <= self.until

    def meets(self, since: datetime, until: datetime) -> bool:
        """Say whether any of a stretch lies within this one."""
        return self.since < until and since < self.until


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody with the skill: when they work, are away, and have visits to make already."""

    person_id: str
    shifts: tuple[Stretch, ...]
    leave: tuple[Stretch, ...] = ()
    taken: AbstractSet[datetime] = frozenset()
    """Quarters of an hour, each by the moment it begins."""


@dataclass(frozen=True, slots=True)
class Place:
    """A time that somebody has for one more visit."""

    person_id: str
    since: datetime
    quarters: int

    @property
    def until(self) -> datetime:
        """Return when the visit is over."""
        return self.since + self.quarters * QUARTER

    @property
    def each_quarter(self) -> list[datetime]:
        """Return the quarters of an hour that the visit takes."""
        return [self.since + number * QUARTER for number in range(self.quarters)]


def quarters_of(minutes: int) -> int:
    """Return how many quarters of an hour so many minutes need."""
    return -(-timedelta(minutes=minutes) // QUARTER)


def slots_of(day: date, opens: time, closes: time, length: timedelta) -> Iterator[Stretch]:
    """Yield the slots of a day; what is left before closing and is shorter than one is none."""
    at = datetime.combine(day, opens, BUSINESS_ZONE)
    end = datetime.combine(day, closes, BUSINESS_ZONE)
    while at + length <= end:
        yield Stretch(at, at + length)
        at += length


def places(worker: Worker, slot: Stretch, quarters: int) -> int:
    """Return how many more visits of so many quarters a worker can make within a slot."""
    return sum(length // quarters for _, length in _free_runs(worker, slot))


def choose(workers: Iterable[Worker], slot: Stretch, quarters: int) -> Place | None:
    """Return a place for one more visit: of who has the fewest quarters taken, then by id.

    It is the earliest that fits, at the beginning of a free stretch, so that no more than one visit
    of the same length is lost by it.
    """
    for worker in sorted(workers, key=lambda one: (len(one.taken), one.person_id)):
        for since, length in _free_runs(worker, slot):
            if length >= quarters:
                return Place(worker.person_id, since, quarters)
    return None


def uncovered(worker: Worker) -> list[datetime]:
    """Return the quarters that are taken of a worker who does not work then, or is away."""
    return sorted(one for one in worker.taken if not _works(worker, one))


def _works(worker: Worker, quarter: datetime) -> bool:
    until = quarter + QUARTER
    return any(one.covers(quarter, until) for one in worker.shifts) and not any(
        one.meets(quarter, until) for one in worker.leave
    )


def _free_runs(worker: Worker, slot: Stretch) -> Sequence[tuple[datetime, int]]:
    """Return each free stretch within a slot: where it begins and how many quarters it has."""
    runs: list[tuple[datetime, int]] = []
    at, begins, length = slot.since, slot.since, 0
    while at + QUARTER <= slot.until:
        if at not in worker.taken and _works(worker, at):
            begins, length = (begins, length + 1) if length else (at, 1)
        elif length:
            runs.append((begins, length))
            length = 0
        at += QUARTER
    return [*runs, (begins, length)] if length else runs
