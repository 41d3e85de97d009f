"""Posting a daily file's rows: in batches, with progress, going on where it stopped."""

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

from huaxiao.cli.mapping import KEEPING, FileMapping, Row, opened
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.wire.attribution import Outcome

BATCH = 1_000


@dataclass
class Imported:
    """What has become of a file so far."""

    file: str
    lines: int = 0
    """Rows done: an import that is started again begins behind them."""
    posted: int = 0
    booked: int = 0
    duplicates: int = 0
    parked: int = 0
    refused: int = 0
    conflicts: int = 0
    rejected: int = 0
    """Rows that make no event."""
    kept_bytes: dict[str, int] = field(default_factory=dict)
    """How long each file beside it was after the last batch that is done."""
    codes: dict[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Say whether nothing needs mending."""
        return not (self.refused or self.conflicts or self.rejected)


def state_file(path: Path) -> Path:
    """Return where an import keeps how far it has come."""
    return path.with_name(f"{path.name}.progress.json")


def rejects_file(path: Path) -> Path:
    """Return where an import names the rows that were not booked, by line and reason."""
    return path.with_name(f"{path.name}.rejects.csv")


def rejected_rows_file(path: Path) -> Path:
    """Return where those rows stand as they came, to be mended and imported with the same mapping."""
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    return path.with_name(f"{plain.stem}.rejected{plain.suffix}")


async def import_file(
    client: AttributionClient,
    path: Path,
    mapping: FileMapping,
    *,
    progress: Callable[[int, int], None],
) -> Imported:
    """Post a file's rows, and keep after each batch how far it has come.

    ``progress`` hears how many rows are done, and how many of the file's bytes they took.

    Every event has an identifier of its own, so that a batch whose answer was lost may go again.

    Raises:
        ValueError: the file does not have the form that the mapping states.

    """
    done = _begun(path)
    with opened(path, mapping) as file:
        rejects = _Rejects(path, mapping, file.heading)
        rejects.begin(done.kept_bytes)
        list(islice(file.rows, done.lines))
        progress(done.lines, file.reached())
        while batch := list(islice(file.rows, BATCH)):
            rejects.add(await _post(client, batch, done))
            done.lines += len(batch)
            done.kept_bytes = rejects.sizes()
            keep(path, done)
            progress(done.lines, file.reached())
    return done


def _begun(path: Path) -> Imported:
    """Return how far an earlier run of the very same file has come."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    kept = state_file(path)
    if kept.exists():
        found = Imported(**json.loads(kept.read_text()))
        if found.file == digest:
            return found
    return Imported(digest)


def keep(path: Path, done: Imported) -> None:
    """Keep how far an import has come; a crash leaves the old state or the new one, whole."""
    target = state_file(path)
    written = target.with_suffix(".new")
    written.write_text(json.dumps(asdict(done)))
    written.replace(target)


@dataclass(frozen=True, slots=True)
class _Reject:
    row: Row
    code: str
    reason: str


async def _post(client: AttributionClient, batch: Sequence[Row], done: Imported) -> list[_Reject]:
    """Post the rows that are events; return those that were not booked and do not wait."""
    rejects = [_Reject(one, "no-event", one.reason or "") for one in batch if one.event is None]
    sent = [one for one in batch if one.event is not None]
    report = await client.post_events([one.event for one in sent])
    done.posted += report.received
    done.booked += report.booked
    done.duplicates += report.duplicates
    done.parked += report.parked
    done.refused += report.refused
    done.conflicts += report.conflicts
    done.rejected += len(rejects)
    for outcome in report.outcomes:
        done.codes[outcome.code] = done.codes.get(outcome.code, 0) + 1
        if outcome.outcome in {Outcome.REFUSED, Outcome.CONFLICT}:
            rejects.append(_Reject(sent[outcome.index], outcome.code, outcome.message))
    return sorted(rejects, key=lambda one: one.row.line)


class _Rejects:
    """The two files beside the imported one: what is wrong with rows, and the rows themselves."""

    def __init__(self, path: Path, mapping: FileMapping, heading: Sequence[str]) -> None:
        self._named, self._rows = rejects_file(path), rejected_rows_file(path)
        self._mapping = mapping
        self._heading = None if mapping.columns else heading

    def begin(self, sizes: Mapping[str, int]) -> None:
        """Cut off what was written after the last batch that is done."""
        for path in (self._named, self._rows):
            if path.exists():
                os.truncate(path, sizes.get(path.name, 0))
                if not path.stat().st_size:
                    path.unlink()

    def sizes(self) -> dict[str, int]:
        """Return how long the files are."""
        return {
            path.name: path.stat().st_size for path in (self._named, self._rows) if path.exists()
        }

    def add(self, rejects: Sequence[_Reject]) -> None:
        """Write rejects behind those that are there."""
        if not rejects:
            return
        lines = [(one.row.line, one.code, one.reason) for one in rejects]
        _append(self._named, lines, ("line", "code", "reason"), "utf-8-sig", ",")
        rows = [one.row.values for one in rejects if one.row.values]
        _append(self._rows, rows, self._heading, self._mapping.encoding, self._mapping.delimiter)


def _append(
    path: Path,
    rows: Iterable[Sequence[object]],
    heading: Sequence[str] | None,
    encoding: str,
    delimiter: str,
) -> None:
    is_new = not path.exists()
    plain = "utf-8" if encoding == "utf-8-sig" and not is_new else encoding
    with path.open("a", encoding=plain, errors=KEEPING, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        if is_new and heading is not None:
            writer.writerow(heading)
        writer.writerows(rows)
