"""How a row of a billing system's daily file becomes a business event: a mapping, as TOML."""

import codecs
import csv
import gzip
import hashlib
import io
import re
import string
import tomllib
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

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
    MOMENT = "moment"
    LIST = "list"
    """Several texts, such as the members of a bundle."""


class Source(BaseModel):
    """Where a value comes from: a column, or the same constant on every row."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    column: str | None = None
    constant: StrictStr | StrictInt | None = None
    form: Form = Field(default=Form.TEXT, alias="as")
    format: str = "%Y-%m-%d"
    """Of a date or a moment, as ``strptime`` has it."""
    separator: str = Field(default=";", min_length=1)
    """Between the texts of a list."""
    optional: bool = False
    """An empty column leaves the value out."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "Source":
        if (self.column is None) == (self.constant is None):
            raise ValueError("name a column or a constant, and not both")
        return self

    @model_validator(mode="after")
    def _of_its_form(self) -> "Source":
        if self.constant is not None:
            try:
                _value({}, self)
            except _RowFaultError as fault:
                raise ValueError(str(fault)) from fault
        return self


class FileMapping(BaseModel):
    """A file's form, and what its columns mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    source: str
    branch: BranchId
    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', max_length=1)
    """What a column may stand between; empty where the file quotes nothing."""
    columns: list[str] | None = None
    """The columns in order, for files without a heading."""
    skip: list[str] = []
    """How the first column of rows begins that are passed over, such as ``合计`` for totals."""
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
        return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding

    @field_validator("skip")
    @classmethod
    def _says_which(cls, skip: list[str]) -> list[str]:
        if "" in skip:
            raise ValueError("every row begins with nothing: all would be passed over")
        return skip

    @classmethod
    def from_file(cls, path: Path) -> "FileMapping":
        """Read a mapping."""
        return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))

    def digest(self) -> str:
        """Return the SHA-256 of what it says."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: an event, or why there is none; neither where it is passed over."""

    line: int
    """Of the file, where the row begins."""
    text: str
    """The row as it stands in the file; bytes of no character are kept as surrogates."""
    event: dict[str, Any] | None
    reason: str | None = None


class _RowFaultError(ValueError):
    pass


@dataclass(frozen=True)
class DailyFile:
    """An open file with its heading."""

    heading: str
    """The line as it stands in the file; nothing where the mapping names the columns."""
    rows: Iterator[Row]
    lines: "Lines"
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
        lines = Lines(file)
        reader = csv.reader(lines, strict=True, **_dialect(mapping))
        try:
            columns = mapping.columns or next(reader, [])
        except csv.Error as error:
            raise ValueError(f"the heading cannot be read: {error}") from error
        except _DAMAGED as error:
            raise ValueError(f"it is packed by gzip, and damaged: {error}") from error
        columns = [one.strip() for one in columns]
        form = _Form(mapping, columns, IdTemplate.of(mapping.id))
        _require_columns(form)
        heading = "".join(lines.taken())
        yield DailyFile(heading, _rows(lines, reader, form), lines, raw.tell)


@dataclass(frozen=True, slots=True)
class IdTemplate:
    """How the columns of a row make the identifier of its event."""

    parts: tuple[tuple[str, str | None], ...]
    """Texts, each with the column that stands behind it."""

    @classmethod
    def of(cls, template: str) -> "IdTemplate":
        """Read a template such as ``D-{编号}``.

        Raises:
            ValueError: it is none: its braces do not match, or name something else than columns.

        """
        parts = list(string.Formatter().parse(template))
        if any(form or conversion or name == "" for _, name, form, conversion in parts):
            raise ValueError(f"the id {template!r} may name columns in braces, and nothing else")
        return cls(tuple((text, name) for text, name, _, _ in parts))

    @property
    def columns(self) -> set[str]:
        """The columns that it names."""
        return {name for _, name in self.parts if name is not None}

    def filled(self, row: Mapping[str, str]) -> str:
        """Return the identifier of a row's event."""
        return "".join(text + (row[name] if name else "") for text, name in self.parts)


@dataclass(frozen=True, slots=True)
class _Form:
    """What all rows of one file have in common."""

    mapping: FileMapping
    columns: Sequence[str]
    id: IdTemplate


def _dialect(mapping: FileMapping) -> dict[str, Any]:
    if not mapping.quote:
        return {"delimiter": mapping.delimiter, "quoting": csv.QUOTE_NONE}
    return {"delimiter": mapping.delimiter, "quotechar": mapping.quote}


def is_packed(file: BinaryIO) -> bool:
    """Say whether a file is packed by gzip, whatever it is called; what was looked at is put back."""
    begins = file.read(len(_GZIP))
    file.seek(0)
    return begins == _GZIP


class Lines:
    """A file's lines; those that make no row together are read again, one by one."""

    def __init__(self, file: Iterable[str]) -> None:
        self._file = iter(file)
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self.passed = 0
        """Lines of the file that are done."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._file)
        self._taken.append(line)
        return line

    def taken(self, most: int | None = None) -> list[str]:
        """Return the lines read since the last call; those beyond ``most`` come again."""
        taken, again = self._taken[:most], self._taken[len(self._taken[:most]) :]
        self._again.extendleft(reversed(again))
        self._taken = []
        self.passed += len(taken)
        return taken

    def pass_over(self, line: int) -> None:
        """Go on behind a line of the file."""
        while self.passed < line and next(self, None) is not None:
            self.taken()

    @property
    def several(self) -> bool:
        """Say whether more than one line was read since the last time they were taken."""
        return len(self._taken) > 1


def _rows(lines: Lines, reader: Iterator[list[str]], form: _Form) -> Iterator[Row]:
    while True:
        line, reason = lines.passed + 1, None
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            values, reason = [], str(error)
        except _DAMAGED as error:
            raise ValueError(
                f"it is packed by gzip, and damaged behind line {lines.passed}: {error}"
            ) from error
        if reason or len(values) != len(form.columns):
            several = lines.several
            text = "".join(lines.taken(1))
            if several:
                reason = "it begins a quote that does not end in its row"
        else:
            text = "".join(lines.taken())
        if reason:
            yield Row(line, text, None, reason)
        elif text.strip():
            yield _row(line, text, values, form)


def _row(line: int, text: str, values: Sequence[str], form: _Form) -> Row:
    if _passed_over(values, form):
        return Row(line, text, None)
    try:
        event = _event(_by_column(values, form), form)
    except _RowFaultError as fault:
        return Row(line, text, None, str(fault))
    return Row(line, text, event)


def _passed_over(values: Sequence[str], form: _Form) -> bool:
    """Say whether a row is none of the file's: empty, its heading again, or one of its totals."""
    cells = [one.strip() for one in values]
    again = not form.mapping.columns and cells == list(form.columns)
    return again or not any(cells) or cells[0].startswith(tuple(form.mapping.skip))


def _by_column(values: Sequence[str], form: _Form) -> dict[str, str]:
    if len(values) != len(form.columns):
        raise _RowFaultError(f"{len(values)} columns where the file has {len(form.columns)}")
    if _SURROGATE.search("".join(values)):
        raise _RowFaultError(f"it is not written in {form.mapping.encoding}")
    return dict(zip(form.columns, (one.strip() for one in values), strict=True))


def _require_columns(form: _Form) -> None:
    mapping, found = form.mapping, form.columns
    if _SURROGATE.search("".join(found)):
        raise ValueError(
            f"the heading is not written in {mapping.encoding}: name the file's encoding in the"
            " mapping, such as gb18030 or utf-8"
        )
    wanted = {one.column for one in (mapping.time, *mapping.data.values()) if one.column}
    wanted |= form.id.columns
    missing = sorted(wanted - set(found))
    if missing:
        raise ValueError(f"the file has no column {', '.join(missing)}")
    twice = sorted(one for one in wanted if list(found).count(one) > 1)
    if twice:
        raise ValueError(f"the file has two columns {', '.join(twice)}")


def _event(row: Mapping[str, str], form: _Form) -> dict[str, Any]:
    mapping = form.mapping
    data = {name: _value(row, one) for name, one in mapping.data.items()}
    moment = _text(row, mapping.time)
    return {
        "specversion": "1.0",
        "id": form.id.filled(row),
        "source": mapping.source,
        "type": mapping.type,
        "time": _moment(moment, mapping.time.format).isoformat(),
        "branchid": mapping.branch,
        "data": {name: value for name, value in data.items() if value is not None},
    }


def _text(row: Mapping[str, str], source: Source) -> str:
    if source.constant is not None:
        return str(source.constant)
    text = row.get(source.column or "", "")
    if not text and not source.optional:
        raise _RowFaultError(f"{source.column} is empty")
    return text


def _value(row: Mapping[str, str], source: Source) -> str | int | list[str] | None:
    if isinstance(source.constant, int) and source.form is Form.TEXT:
        return source.constant
    text = _text(row, source)
    return _in_form(text, source) if text else None


def _in_form(text: str, source: Source) -> str | int | list[str]:
    match source.form:
        case Form.TEXT:
            return text
        case Form.INTEGER:
            return _integer(text, source)
        case Form.YUAN:
            return _fen(text, source)
        case Form.DATE:
            return _moment(text, source.format).date().isoformat()
        case Form.MOMENT:
            return _moment(text, source.format).isoformat()
        case Form.LIST:
            parts = (one.strip() for one in text.split(source.separator))
            return [one for one in parts if one]


def _integer(text: str, source: Source) -> int:
    if _INTEGER.fullmatch(text) is None or len(text) > _MOST_DIGITS:
        raise _RowFaultError(f"{source.column or 'the constant'}: {text!r} is not a whole number")
    return int(text)


def _fen(text: str, source: Source) -> int:
    try:
        return fen_of_yuan(text)
    except ValueError as error:
        raise _RowFaultError(f"{source.column or 'the constant'}: {error}") from error


def _moment(text: str, form: str) -> datetime:
    try:
        moment = datetime.strptime(text, form)  # noqa: DTZ007 - most files state no offset
    except ValueError as error:
        raise _RowFaultError(f"{text!r} is not a date of the form {form}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=BUSINESS_ZONE)
