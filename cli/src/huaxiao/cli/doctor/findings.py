"""What a check finds, and how it is told."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How much a finding weighs."""

    HOLDS = "holds"
    WARNING = "warning"
    WRONG = "wrong"


_MARKS = {
    Level.HOLDS: "[green]✓[/green]",
    Level.WARNING: "[yellow]![/yellow]",
    Level.WRONG: "[red]✗[/red]",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check has found."""

    check: str
    level: Level
    what: str
    next_step: str | None = None
    """What to do about it; None where all holds."""
    service: str | None = None
    branch_id: int | None = None


def holds(check: str, what: str) -> Finding:
    """Return that a check found nothing wrong."""
    return Finding(check, Level.HOLDS, what)


def unless_found(check: str, found: Sequence[Finding], what: str) -> list[Finding]:
    """Return what was found, or that all holds."""
    return list(found) or [holds(check, what)]


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found."""

    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong; warnings do not count."""
        return all(one.level is not Level.WRONG for one in self.findings)

    def lines(self) -> Iterator[str]:
        """Yield what to tell people, a line each."""
        for one in self.findings:
            where = " ".join(str(part) for part in (one.service, one.branch_id) if part)
            yield f"{_MARKS[one.level]} {one.check}: {where and where + ': '}{one.what}"
            if one.next_step is not None:
                yield f"    → {one.next_step}"
        wrong = sum(one.level is Level.WRONG for one in self.findings)
        yield "All of it holds." if self.sound else f"{wrong} wrong."

    def as_json(self) -> dict[str, Any]:
        """Return what to tell machines."""
        return {"sound": self.sound, "findings": [asdict(one) for one in self.findings]}


def examination(findings: Iterable[Finding]) -> Examination:
    """Put together what all checks have found."""
    return Examination(tuple(findings))
