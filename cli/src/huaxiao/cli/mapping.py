"""How a row of a billing system's daily file becomes a business event: a mapping, as TOML."""

import codecs
import csv
import gzip
import io
import re
import tomllib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.money import fen_of_yuan
from huaxiao.shared.periods import BUSINESS_ZONE

KEEPING = "surrogateescape"
"""How bytes that are no character in the file's encoding are read, so that they can be written back."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_MOST_DIGITS = 20
"""More than any number of an event has; Python refuses to read one of some thousand."""
_INTEGER = re.compile(r"-?[0-9]+")
_GZIP = b"\x1f\x8b"
_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)
"""What reading a packed file may end with."""


class Form(StrEnum):
    """What the text of a column stands for."""

    TEXT = "text"
    INTEGER = "integer"
    YUAN = "yuan"
    """An amount in yuan, such as ``59.00``: exact, to the fen."""
    DATE = "date"


class Source(BaseModel):
    """Where a value comes from: a column, or the same constant on every row."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    column: str | None = None
    constant: str | int | None = None
    form: Form = Field(default=Form.TEXT, alias="as")
    format: str = "%Y-%m-%d"
    """Of a date, as ``strptime`` has it."""
    optional: bool = False
    """An empty column leaves the value out."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "Source":
        if (self.column is None) == (self.constant is None):
            raise ValueError("name a column or a constant, and not both")
        return self


class FileMapping(BaseModel):
    """A file's form, and what its columns mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    source: str
    branch: BranchId
    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    columns: list[str] | None = None
    """The columns in order, for files without a heading."""
    id: str
    """A template over columns, such as ``{编号}``: unique within the source for ever."""
    time: Source
    data: dict[str, Source]

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        try:
            codecs.lookup(encoding)
        except LookupError as error:
            raise ValueError(str(error)) from error
        return encoding

    @classmethod
    def from_file(cls, path: Path) -> "FileMapping":
        """Read a mapping."""
        return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: an event, or why there is none."""

    line: int
    """Of the file, where the row begins."""
    values: tuple[str, ...]
    """The row as it stands in the file; bytes of no character are kept as surrogates."""
    event: dict[str, Any] | None
    reason: str | None = None


class _RowFaultError(ValueError):
    pass


@dataclass(frozen=True)
class DailyFile:
    """An open file with its heading."""

    heading: Sequence[str]
    rows: Iterator[Row]
    reached: Callable[[], int]
    """How many of the file's bytes, as they lie on the disk, have been read so far."""


@contextmanager
def opened(path: Path, mapping: FileMapping) -> Iterator[DailyFile]:
    """Open a file, packed by gzip or not, to read its rows as events, one at a time.

    Raises:
        ValueError: the heading is not in the encoding that the mapping states, lacks a column, or is
            no line of such a file; or, of a row, the file is packed and damaged.

    """
    with ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        packed = is_packed(raw)
        content = stack.enter_context(gzip.GzipFile(fileobj=raw)) if packed else raw
        file = stack.enter_context(
            io.TextIOWrapper(content, encoding=mapping.encoding, errors=KEEPING, newline="")
        )
        reader = csv.reader(file, delimiter=mapping.delimiter, strict=True)
        try:
            heading = mapping.columns or next(reader, [])
        except csv.Error as error:
            raise ValueError(f"the heading cannot be read: {error}") from error
        except _DAMAGED as error:
            raise ValueError(f"it is packed by gzip, and damaged: {error}") from error
        _require_columns(heading, mapping)
        yield DailyFile(heading, _rows(reader, heading, mapping), raw.tell)


def is_packed(file: BinaryIO) -> bool:
    """Say whether a file is packed by gzip, whatever it is called; what was looked at is put back."""
    begins = file.read(len(_GZIP))
    file.seek(0)
    return begins == _GZIP


def _rows(reader: Any, heading: Sequence[str], mapping: FileMapping) -> Iterator[Row]:
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, (), None, f"{error}, up to line {reader.line_num}")
            continue
        except _DAMAGED as error:
            raise ValueError(
                f"it is packed by gzip, and damaged behind line {reader.line_num}: {error}"
            ) from error
        if values:
            yield _row(line, values, heading, mapping)


def _row(line: int, values: Sequence[str], heading: Sequence[str], mapping: FileMapping) -> Row:
    try:
        event = _event(_by_column(values, heading, mapping), mapping)
    except _RowFaultError as fault:
        return Row(line, tuple(values), None, str(fault))
    return Row(line, tuple(values), event)


def _by_column(
    values: Sequence[str], heading: Sequence[str], mapping: FileMapping
) -> dict[str, str]:
    if len(values) != len(heading):
        raise _RowFaultError(f"{len(values)} columns where the file has {len(heading)}")
    if _SURROGATE.search("".join(values)):
        raise _RowFaultError(f"it is not written in {mapping.encoding}")
    return dict(zip(heading, values, strict=True))


def _require_columns(found: Sequence[str], mapping: FileMapping) -> None:
    if _SURROGATE.search("".join(found)):
        raise ValueError(
            f"the heading is not written in {mapping.encoding}: name the file's encoding in the"
            " mapping, such as gb18030"
        )
    wanted = {one.column for one in (mapping.time, *mapping.data.values()) if one.column}
    missing = sorted(wanted - set(found))
    if missing:
        raise ValueError(f"the file has no column {', '.join(missing)}")
    twice = sorted(one for one in wanted if list(found).count(one) > 1)
    if twice:
        raise ValueError(f"the file has two columns {', '.join(twice)}")


def _event(row: Mapping[str, str], mapping: FileMapping) -> dict[str, Any]:
    data = {name: _value(row, one) for name, one in mapping.data.items()}
    moment = _text(row, mapping.time)
    try:
        event_id = mapping.id.format_map(row)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise _RowFaultError(f"the id's template names an unknown column: {error}") from error
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": mapping.source,
        "type": mapping.type,
        "time": _moment(moment, mapping.time.format).isoformat(),
        "branchid": mapping.branch,
        "data": {name: value for name, value in data.items() if value is not None},
    }


def _text(row: Mapping[str, str], source: Source) -> str:
    if source.constant is not None:
        return str(source.constant)
    text = row.get(source.column or "", "").strip()
    if not text and not source.optional:
        raise _RowFaultError(f"{source.column} is empty")
    return text


def _value(row: Mapping[str, str], source: Source) -> str | int | None:
    if source.constant is not None:
        return source.constant
    text = _text(row, source)
    if not text:
        return None
    match source.form:
        case Form.TEXT:
            return text
        case Form.INTEGER:
            return _integer(text, source)
        case Form.YUAN:
            return _fen(text, source)
        case Form.DATE:
            return _moment(text, source.format).date().isoformat()


def _integer(text: str, source: Source) -> int:
    if _INTEGER.fullmatch(text) is None or len(text) > _MOST_DIGITS:
        raise _RowFaultError(f"{source.column}: {text!r} is not a whole number")
    return int(text)


def _fen(text: str, source: Source) -> int:
    try:
        return fen_of_yuan(text)
    except ValueError as error:
        raise _RowFaultError(f"{source.column}: {error}") from error


def _moment(text: str, form: str) -> datetime:
    try:
        return datetime.strptime(text, form).replace(tzinfo=BUSINESS_ZONE)
    except ValueError as error:
        raise _RowFaultError(f"{text!r} is not a date of the form {form}") from error
