"""Anchors: heads of chains in a file outside the database, one JSON line each, itself chained.

Who can rewrite a whole chain in the database still cannot make it agree with what was written here.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from huaxiao.shared.audit.chain import BEGINNING, Head, told_at
from huaxiao.shared.documents import canonical, digest


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head as it was written outside."""

    service: str
    head: Head
    at: str
    """The moment it was written, in UTC."""


@dataclass(frozen=True, slots=True)
class AnchorFile:
    """What a file of anchors says, as far as it is whole."""

    anchors: tuple[Anchor, ...] = ()
    fault: str | None = None
    """The first line that is wrong, and how; None when all of it holds."""

    def heads(self) -> dict[int, list[Head]]:
        """Return the heads of each branch, in the order they were written."""
        found: dict[int, list[Head]] = {}
        for one in self.anchors:
            found.setdefault(one.head.branch_id, []).append(one.head)
        return found

    def last(self) -> dict[int, Head]:
        """Return the last head of each branch."""
        return {branch_id: heads[-1] for branch_id, heads in self.heads().items()}


def lines(
    service: str, heads: Iterable[Head], *, at: datetime, before: str
) -> Iterator[dict[str, Any]]:
    """Yield the line of each head; ``before`` is the hash of the line above the first."""
    for head in heads:
        line = {
            "service": service,
            "branch_id": head.branch_id,
            "position": head.position,
            "hash": head.hash,
            "at": told_at(at),
            "before": before,
        }
        before = digest(line)
        yield line | {"line": before}


def read(content: bytes) -> AnchorFile:
    """Read a file of anchors; a last line without its end was being written, and is passed over."""
    found: list[Anchor] = []
    before = BEGINNING
    for number, raw in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            line = json.loads(raw)
            own = line.pop("line")
            holds = digest(line) == own and line["before"] == before
            head = Head(line["branch_id"], line["position"], line["hash"])
            anchor = Anchor(line["service"], head, line["at"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return AnchorFile(tuple(found), f"line {number} cannot be read")
        if not holds:
            return AnchorFile(tuple(found), f"line {number} does not follow from the one above it")
        found.append(anchor)
        before = own
    return AnchorFile(tuple(found))


def append(path: Path, service: str, heads: Sequence[Head], *, at: datetime) -> list[Head]:
    """Append the heads that have moved since they were written last; return those.

    Raises:
        BrokenAnchorsError: the file does not hold; nothing is added to it.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        known = read(content[:whole])
        if known.fault is not None:
            raise BrokenAnchorsError(path, known.fault)
        last = known.last()
        moved = [one for one in heads if one != last.get(one.branch_id)]
        if not moved:
            return []
        # What a crash left of a line is taken back: nobody has relied on it.
        file.truncate(whole)
        before = json.loads(content[:whole].splitlines()[-1])["line"] if whole else BEGINNING
        for line in lines(service, moved, at=at, before=before):
            file.write(canonical(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return moved


class BrokenAnchorsError(RuntimeError):
    """A file of anchors was changed by somebody else."""

    def __init__(self, path: Path, fault: str) -> None:
        """Name the file and the line."""
        super().__init__(f"{path}: {fault}")
