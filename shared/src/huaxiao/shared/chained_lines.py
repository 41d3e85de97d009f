"""A file outside the database, one JSON line each, of which each holds the hash of the one above it.

Whoever changes a line, or takes one out, cannot make the lines below agree.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huaxiao.shared.audit.chain import BEGINNING
from huaxiao.shared.documents import canonical, digest


@dataclass(frozen=True, slots=True)
class ChainedLines:
    """What a file says, as far as it is whole."""

    lines: tuple[dict[str, Any], ...] = ()
    fault: str | None = None
    """The first line that is wrong, and how; None when all of it holds."""

    def last(self) -> str:
        """Return the hash of the last line."""
        return str(self.lines[-1]["line"]) if self.lines else BEGINNING


def chain(documents: Iterable[Mapping[str, Any]], *, before: str) -> list[dict[str, Any]]:
    """Return the lines of some documents; ``before`` is the hash of the line above the first."""
    made = []
    for one in documents:
        line = dict(one) | {"before": before}
        before = digest(line)
        made.append(line | {"line": before})
    return made


def read(content: bytes) -> ChainedLines:
    """Read a file; a last line without its end was being written, and is passed over."""
    found: list[dict[str, Any]] = []
    before = BEGINNING
    for number, raw in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            line = json.loads(raw)
            own = line["line"]
            rest = {name: held for name, held in line.items() if name != "line"}
            holds = digest(rest) == own and line["before"] == before
        except (ValueError, KeyError, TypeError, AttributeError):
            return ChainedLines(tuple(found), f"line {number} cannot be read")
        if not holds:
            return ChainedLines(
                tuple(found), f"line {number} does not follow from the one above it"
            )
        found.append(line)
        before = own
    return ChainedLines(tuple(found))


def append(
    path: Path, choose: Callable[[Sequence[Mapping[str, Any]]], Sequence[Mapping[str, Any]]]
) -> int:
    """Append the documents that are chosen in view of the lines there are; return how many.

    Nobody else can append meanwhile, and what is appended is on disk when this returns.

    Raises:
        ChangedFileError: the file does not hold; nothing is added to it.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        known = read(content[:whole])
        if known.fault is not None:
            raise ChangedFileError(path, known.fault)
        added = choose(known.lines)
        if not added:
            return 0
        # What a crash left of a line is taken back: nobody has relied on it.
        file.truncate(whole)
        for line in chain(added, before=known.last()):
            file.write(canonical(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return len(added)


class ChangedFileError(RuntimeError):
    """A file was changed by somebody else."""

    def __init__(self, path: Path, fault: str) -> None:
        """Name the file and the line."""
        super().__init__(f"{path}: {fault}")
