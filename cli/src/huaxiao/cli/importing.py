"""Posting a daily file's rows: in batches, with progress, going on where it stopped."""

import csv
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

from huaxiao.cli.mapping import FileMapping, Row, rows
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


async def import_file(
    client: AttributionClient,
    path: Path,
    mapping: FileMapping,
    *,
    progress: Callable[[int], None],
) -> Imported:
    """Post a file's rows, and keep after each batch how far it has come.

    Every event has an identifier of its own, so that a batch whose answer was lost may go again.

    Raises:
        ValueError: the file does not have the form that the mapping states.

    """
    done = _begun(path)
    progress(done.lines)
    every = iter(rows(path, mapping))
    list(islice(every, done.lines))
    if done.lines == 0:
        rejects_file(path).unlink(missing_ok=True)
    while batch := list(islice(every, BATCH)):
        await _post(client, path, batch, done)
        done.lines += len(batch)
        state_file(path).write_text(json.dumps(asdict(done)))
        progress(len(batch))
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


async def _post(
    client: AttributionClient, path: Path, batch: Sequence[Row], done: Imported
) -> None:
    rejects = [(one.line, "no-event", one.reason or "") for one in batch if one.event is None]
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
            rejects.append((sent[outcome.index].line, outcome.code, outcome.message))
    if rejects:
        target = rejects_file(path)
        is_new = not target.exists()
        with target.open("a", encoding="utf-8-sig" if is_new else "utf-8", newline="") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(("line", "code", "reason"))
            writer.writerows(sorted(rejects))
