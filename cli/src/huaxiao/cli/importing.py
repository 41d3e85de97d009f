"""Posting a daily file's rows: in batches, with progress, going on where it stopped."""

import codecs
import csv
import fcntl
import hashlib
import io
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import httpx

from huaxiao.cli.mapping import KEEPING, FileMapping, Row, is_packed, opened
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.posting import post_waiting
from huaxiao.shared.wire.attribution import IntakeReport, Outcome

BATCH = 1_000
_PIECE = 1024 * 1024


class AlreadyImportingError(RuntimeError):
    """The same file is being imported by somebody else."""


Away = PeerProblem | httpx.TransportError
"""How a service says that it is away, or does not."""


class Written(NamedTuple):
    """How far a file was written."""

    size: int
    digest: str
    """SHA-256 of as much of it: whoever mends the file changes that."""


@dataclass
class Imported:
    """What has become of a file so far."""

    file: str
    """SHA-256 of the file."""
    mapping: str
    """SHA-256 of what its columns mean: under another mapping it is begun again."""
    size: int
    """Bytes of the file: it may have grown since."""
    lines: int = 0
    """Rows done."""
    passed: int = 0
    """Lines of the file that they take: an import that is started again begins behind them."""
    posted: int = 0
    booked: int = 0
    duplicates: int = 0
    parked: int = 0
    refused: int = 0
    conflicts: int = 0
    rejected: int = 0
    """Rows that make no event."""
    skipped: int = 0
    """Rows that are passed over: empty ones, the heading again, totals."""
    kept: dict[str, Written] = field(default_factory=dict)
    """How far each file beside it was written after the last batch that is done."""
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
    wait_seconds: float = 0.0,
    waiting: Callable[[Away], None] = lambda _: None,
) -> Imported:
    """Post a file's rows, and keep after each batch how far it has come.

    ``progress`` hears how many rows are done, and how many of the file's bytes they took.
    A service that is away is waited for, each time as many seconds at most; ``waiting`` hears why.

    Every event has an identifier of its own, so that a batch whose answer was lost may go again.

    Raises:
        AlreadyImportingError: another import of this file is under way.
        PeerProblem: the service refuses the rows, or asked to wait for longer.
        httpx.TransportError: the service did not come back in time.
        ValueError: the file does not have the form that the mapping states.

    """
    post = partial(post_waiting, client, most_seconds=wait_seconds, waiting=waiting)
    with path.open("rb") as held:
        _hold(held, path)
        done = _begun(path, held, mapping)
        with opened(path, mapping) as file:
            file.lines.pass_over(done.passed)
            progress(done.lines, file.reached())
            rejects: _Rejects | None = None
            while batch := list(islice(file.rows, BATCH)):
                if rejects is None:
                    rejects = _Rejects(path, mapping, file.heading, done)
                rejects.add(await _post(post, batch, done))
                done.lines += len(batch)
                done.passed = file.lines.passed
                done.kept = rejects.written()
                keep(path, done)
                progress(done.lines, file.reached())
    return done


def _hold(file: BinaryIO, path: Path) -> None:
    """Keep others from importing the file until it is closed, however that comes about."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise AlreadyImportingError(f"{path} is being imported already") from error


def _begun(path: Path, file: BinaryIO, mapping: FileMapping) -> Imported:
    """Return how far an earlier run has come with this file, or with what it was before it grew."""
    found = _kept(path)
    digest = hashlib.sha256()
    _hash(digest, file, found.size if found else 0)
    beginning = digest.hexdigest()
    _hash(digest, file)
    new = Imported(digest.hexdigest(), mapping.digest(), file.tell())
    if found is None or (found.file, found.mapping) != (beginning, new.mapping):
        return new
    if new.size > found.size and not _ends_a_line(file, found.size):
        return new
    found.file, found.size = new.file, new.size
    return found


def _hash(digest: "hashlib._Hash", file: BinaryIO, size: int | None = None) -> None:
    """Read on in a file, to its end or as many bytes, into a digest."""
    while size != 0:
        piece = file.read(_PIECE if size is None else min(_PIECE, size))
        if not piece:
            return
        digest.update(piece)
        size = None if size is None else size - len(piece)


def _ends_a_line(file: BinaryIO, size: int) -> bool:
    """Say whether what came first is whole lines, so that they are the same with more behind them."""
    if is_packed(file):
        return False
    file.seek(max(size - 1, 0))
    return file.read(1) == b"\n"


def _kept(path: Path) -> Imported | None:
    """Read what an earlier run has kept; what cannot be read is as good as nothing."""
    try:
        found = json.loads(state_file(path).read_text())
        kept = {name: Written(*written) for name, written in found.pop("kept").items()}
        return Imported(**found, kept=kept)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def keep(path: Path, done: Imported) -> None:
    """Keep how far an import has come; a crash leaves the old state or the new one, whole."""
    target = state_file(path)
    written = target.with_suffix(".new")
    with written.open("w") as file:
        file.write(json.dumps(asdict(done)))
        file.flush()
        os.fsync(file.fileno())
    written.replace(target)


@dataclass(frozen=True, slots=True)
class _Reject:
    row: Row
    code: str
    reason: str


async def _post(
    post: Callable[[list[Any]], Awaitable[IntakeReport]], batch: Sequence[Row], done: Imported
) -> list[_Reject]:
    """Post the rows that are events; return those that were not booked and do not wait."""
    rejects = [_Reject(one, "no-event", one.reason) for one in batch if one.reason is not None]
    sent = [one for one in batch if one.event is not None]
    report = await post([one.event for one in sent])
    done.posted += report.received
    done.booked += report.booked
    done.duplicates += report.duplicates
    done.parked += report.parked
    done.refused += report.refused
    done.conflicts += report.conflicts
    done.rejected += len(rejects)
    done.skipped += len(batch) - len(sent) - len(rejects)
    for outcome in report.outcomes:
        done.codes[outcome.code] = done.codes.get(outcome.code, 0) + 1
        if outcome.outcome in {Outcome.REFUSED, Outcome.CONFLICT}:
            rejects.append(_Reject(sent[outcome.index], outcome.code, outcome.message))
    return sorted(rejects, key=lambda one: one.row.line)


class _Rejects:
    """The two files beside the imported one: what is wrong with rows, and the rows themselves."""

    def __init__(self, path: Path, mapping: FileMapping, heading: str, done: Imported) -> None:
        named, rows = rejects_file(path), rejected_rows_file(path)
        self._named = _Beside(named, "utf-8-sig", done.kept.get(named.name))
        self._rows = _Beside(rows, mapping.encoding, done.kept.get(rows.name))
        self._heading = heading

    def written(self) -> dict[str, Written]:
        """Return how far the files are written."""
        return {one.name: one.written for one in (self._named, self._rows) if one.written.size}

    def add(self, rejects: Sequence[_Reject]) -> None:
        """Write rejects behind those that are there."""
        if not rejects:
            return
        lines = [(one.row.line, one.code, one.reason) for one in rejects]
        self._named.add(_as_csv([("line", "code", "reason")]), _as_csv(lines))
        self._rows.add(self._heading, "".join(_whole(one.row.text) for one in rejects))


class _Beside:
    """A file that is written on behind what an earlier run of the same import has written."""

    def __init__(self, path: Path, encoding: str, kept: Written | None) -> None:
        self.name = path.name
        self._path = path
        self._encoder = codecs.getincrementalencoder(encoding)(KEEPING)
        self._digest = hashlib.sha256()
        self._size = 0
        if path.exists():
            self._go_on(kept)

    def _go_on(self, kept: Written | None) -> None:
        """Cut off what was written after the last batch that is done, unless somebody mends it."""
        content = self._path.read_bytes()
        if kept is None:
            self._path.unlink()
            return
        if hashlib.sha256(content[: kept.size]).hexdigest() == kept.digest:
            os.truncate(self._path, kept.size)
            content = content[: kept.size]
        self._encoder.setstate(0)  # no mark of the encoding but at a file's beginning
        self._took(content)

    def _took(self, content: bytes) -> None:
        self._digest.update(content)
        self._size += len(content)

    @property
    def written(self) -> Written:
        return Written(self._size, self._digest.hexdigest())

    def add(self, heading: str, text: str) -> None:
        content = self._encoder.encode(text if self._size else _whole(heading) + text)
        with self._path.open("ab") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._took(content)


def _whole(line: str) -> str:
    """Return a line with its end, which the last one of a file may lack."""
    return line if not line or line.endswith(("\n", "\r")) else f"{line}\n"


def _as_csv(rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue()
