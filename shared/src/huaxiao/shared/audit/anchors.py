"""Anchors: heads of chains in a file outside the database, one JSON line each, itself chained.

Who can rewrite a whole chain in the database still cannot make it agree with what was written here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from huaxiao.shared import chained_lines
from huaxiao.shared.audit.chain import Head, told_at


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


def read(content: bytes) -> AnchorFile:
    """Read a file of anchors; a last line without its end was being written, and is passed over."""
    known = chained_lines.read(content)
    found: list[Anchor] = []
    for number, line in enumerate(known.lines, start=1):
        try:
            found.append(_anchor(line))
        except (KeyError, TypeError):
            return AnchorFile(tuple(found), f"line {number} cannot be read")
    return AnchorFile(tuple(found), known.fault)


def append(path: Path, service: str, heads: Sequence[Head], *, at: datetime) -> list[Head]:
    """Append the heads that have moved since they were written last; return those.

    Raises:
        ChangedFileError: the file does not hold; nothing is added to it.

    """
    moved: list[Head] = []

    def choose(there: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        last = AnchorFile(tuple(_anchor(one) for one in there)).last()
        moved.extend(one for one in heads if one != last.get(one.branch_id))
        return [
            {
                "service": service,
                "branch_id": head.branch_id,
                "position": head.position,
                "hash": head.hash,
                "at": told_at(at),
            }
            for head in moved
        ]

    chained_lines.append(path, choose)
    return moved


def _anchor(line: Mapping[str, Any]) -> Anchor:
    head = Head(line["branch_id"], line["position"], line["hash"])
    return Anchor(line["service"], head, line["at"])
