"""The chain of a record: each entry's hash is made over the entry and the hash before it.

Pure: rows and anchors in, the first thing that is wrong out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from huaxiao.shared.documents import digest

BEGINNING = "0" * 64
"""What the first entry of a chain has before it."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a branch's chain ends."""

    branch_id: int
    position: int
    hash: str


@dataclass(frozen=True, slots=True)
class ChainFault:
    """The first thing that is wrong with a chain."""

    branch_id: int
    position: int
    """Of the first entry that is wrong or missing."""
    what: str


def chained(entry: Mapping[str, Any], before: str) -> str:
    """Return the hash of an entry: SHA-256 over its canonical JSON and the hash before it, in hex."""
    return digest({"before": before, "entry": dict(entry)})


def told_at(moment: datetime) -> str:
    """Return a moment as it stands in what is hashed: in UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass
class ChainCheck:
    """Goes along one branch's chain, entry by entry, and then holds it against head and anchors."""

    branch_id: int
    anchored: Iterable[Head] = ()
    """Its heads as they were written outside, each at its time."""
    position: int = 0
    hash: str = BEGINNING
    _good: int = 0
    _anchors: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        """Sort the anchors by position."""
        for one in self.anchored:
            self._anchors[one.position].add(one.hash)

    def take(self, position: int, entry: Mapping[str, Any], held: str) -> ChainFault | None:
        """Hold the next entry, in order of position, against the one before it."""
        if position != self.position + 1:
            return self._fault(self.position + 1, "is missing")
        try:
            own = chained(entry, self.hash)
        except TypeError:
            own = ""
        if own != held:
            return self._fault(position, "is not what was chained")
        self.position, self.hash = position, held
        for anchor in self._anchors.get(position, ()):
            if anchor != held:
                return self._fault(
                    self._good + 1,
                    f"or one after it up to {position} was written anew: the anchor of {position}"
                    " has another hash",
                )
            self._good = position
        return None

    def end(self, head: Head | None) -> ChainFault | None:
        """Say whether the chain ends where its head, and the last anchor, say that it does."""
        last = max(self._anchors, default=0)
        if last > self.position:
            return self._fault(
                self.position + 1, f"is missing: anchors know entries up to {last}, the tail is cut"
            )
        if head is None:
            return self._fault(1, "has no head beside it") if self.position else None
        if head.position > self.position:
            return self._fault(
                self.position + 1, f"is missing: the head is {head.position}, the tail is cut"
            )
        if (head.position, head.hash) != (self.position, self.hash):
            return self._fault(self.position, "is not where the head of the chain stands")
        return None

    def _fault(self, position: int, what: str) -> ChainFault:
        return ChainFault(self.branch_id, position, what)
