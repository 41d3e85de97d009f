"""What a migration may do while the release before still runs, as docs/operations/upgrade.md says it."""

import importlib.util
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from alembic.migration import MigrationContext
from alembic.operations import Operations

_NAME = r'("?[\w.]+"?)'
_BREACHES: tuple[tuple[str, str], ...] = (
    (rf"^DROP TABLE (?:IF EXISTS )?{_NAME}", "drops a table"),
    (rf"^ALTER TABLE {_NAME} DROP COLUMN", "drops a column"),
    (rf"^ALTER TABLE {_NAME} DROP CONSTRAINT", "drops a constraint"),
    (rf"^ALTER TABLE {_NAME} RENAME", "renames"),
    (rf"^ALTER TABLE {_NAME} ALTER COLUMN \S+ (?:SET DATA )?TYPE", "changes a type"),
    (rf"^ALTER TABLE {_NAME} ALTER COLUMN \S+ SET NOT NULL", "asks for a value"),
    (rf"^ALTER TABLE {_NAME} ADD COLUMN (?!.*DEFAULT).*NOT NULL", "asks for a value"),
    (rf"^ALTER TABLE {_NAME} ADD (?:CONSTRAINT|PRIMARY|UNIQUE|CHECK|FOREIGN)", "adds a constraint"),
    (rf"^CREATE UNIQUE INDEX (?:\S+ )?ON {_NAME}", "adds a constraint"),
    (rf"^CREATE (?:CONSTRAINT )?TRIGGER .*? ON {_NAME}", "adds a trigger"),
    (rf"^TRUNCATE (?:TABLE )?{_NAME}", "removes rows"),
    (rf"^DELETE FROM {_NAME}", "removes rows"),
)
_LOCKING = re.compile(rf"^ALTER TABLE (?:ONLY )?{_NAME}")
_DATA = re.compile(rf"^(?:UPDATE|INSERT INTO) {_NAME}")
_BODY = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)


@dataclass(frozen=True)
class Revision:
    """One version of a service's history."""

    service: str
    number: str
    enforces: str | None
    """The earlier version that began what this one ends, if it says so."""
    statements: Sequence[str]

    def breaches(self) -> list[str]:
        """Say what the release before could not stand, in the order of the statements."""
        return breaches(self.statements)


def revision(service: str, path: Path) -> Revision:
    """Read a version, and let it say its statements."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Revision(
        service, path.stem.partition("_")[0], getattr(module, "ENFORCES", None), _said_by(module)
    )


def _said_by(module: ModuleType) -> list[str]:
    said = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": said}
    )
    with Operations.context(context):
        module.upgrade()
    return split(said.getvalue())


def split(sql: str) -> list[str]:
    """Return statements one by one, each in a line, without the bodies of functions."""
    apart = re.split(r";\s*(?:\n|$)", _BODY.sub("$$$$", sql))
    return [line for one in apart if (line := re.sub(r"\s+", " ", one).strip())]


def breaches(statements: Sequence[str]) -> list[str]:
    """Find what whoever knows only the schema of before could not stand.

    Tables that the statements make are nobody's yet: with these anything may be done.
    """
    own = {made[1] for one in statements if (made := re.match(rf"^CREATE TABLE {_NAME}", one))}
    found = [
        f"{what}: {one[:100]}"
        for one in statements
        for pattern, what in _BREACHES
        if (match := re.match(pattern, one)) and match[1] not in own
    ]
    locked = {match[1] for one in statements if (match := _LOCKING.match(one))} - own
    filled = [one for one in statements if _DATA.match(one)]
    if locked and filled:
        found.append(f"fills while {', '.join(sorted(locked))} is locked: {filled[0][:100]}")
    return found
