"""How a row of a billing system's daily file becomes a business event: a mapping, as TOML."""

import csv
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.money import FEN_PER_YUAN
from huaxiao.shared.periods import BUSINESS_ZONE


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

    @classmethod
    def from_file(cls, path: Path) -> "FileMapping":
        """Read a mapping."""
        return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: an event, or why there is none."""

    line: int
    event: dict[str, Any] | None
    reason: str | None = None


class _RowFaultError(ValueError):
    pass


def rows(path: Path, mapping: FileMapping) -> Iterator[Row]:
    """Yield the file's rows as events.

    Raises:
        ValueError: the file is not in the encoding that the mapping states, or lacks a column.

    """
    with path.open(encoding=mapping.encoding, newline="") as file:
        reader = csv.DictReader(
            file, fieldnames=mapping.columns, delimiter=mapping.delimiter, strict=True
        )
        _require_columns(reader.fieldnames or [], mapping)
        try:
            for row in reader:
                yield _row(reader.line_num, row, mapping)
        except csv.Error as error:
            raise ValueError(f"line {reader.line_num}: {error}") from error


def _row(line: int, row: Mapping[str, str | None], mapping: FileMapping) -> Row:
    try:
        return Row(line, _event(row, mapping))
    except _RowFaultError as fault:
        return Row(line, None, str(fault))


def _require_columns(found: Any, mapping: FileMapping) -> None:
    wanted = {one.column for one in (mapping.time, *mapping.data.values()) if one.column}
    missing = sorted(wanted - set(found))
    if missing:
        raise ValueError(f"the file has no column {', '.join(missing)}")


def _event(row: Mapping[str, str | None], mapping: FileMapping) -> dict[str, Any]:
    data = {name: _value(row, one) for name, one in mapping.data.items()}
    moment = _text(row, mapping.time)
    try:
        event_id = mapping.id.format_map({key: value or "" for key, value in row.items() if key})
    except (KeyError, IndexError, ValueError) as error:
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


def _text(row: Mapping[str, str | None], source: Source) -> str:
    if source.constant is not None:
        return str(source.constant)
    text = (row.get(source.column or "") or "").strip()
    if not text and not source.optional:
        raise _RowFaultError(f"{source.column} is empty")
    return text


def _value(row: Mapping[str, str | None], source: Source) -> str | int | None:
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
            return fen(text)
        case Form.DATE:
            return _moment(text, source.format).date().isoformat()


def _integer(text: str, source: Source) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise _RowFaultError(f"{source.column}: {text!r} is not a whole number") from error


def fen(text: str) -> int:
    """Return an amount in yuan as whole fen.

    Raises:
        ValueError: it is no amount, or finer than a fen.

    """
    try:
        exact = Decimal(text.replace(",", "")) * FEN_PER_YUAN
    except InvalidOperation as error:
        raise _RowFaultError(f"{text!r} is not an amount in yuan") from error
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise _RowFaultError(f"{text!r} is not a whole number of fen")
    return int(exact)


def _moment(text: str, form: str) -> datetime:
    try:
        return datetime.strptime(text, form).replace(tzinfo=BUSINESS_ZONE)
    except ValueError as error:
        raise _RowFaultError(f"{text!r} is not a date of the form {form}") from error
