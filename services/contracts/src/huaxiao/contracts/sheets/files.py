"""Sheets: rows of text read from CSV and XLSX as Excel writes them.

Cells are text: a code never becomes a number on the way. What Excel has made a number already, such
as ``1.30123E+11`` of a village's code, is read as what it shows and is named as bad by whoever knows
what it should be. A file that would unpack to more than it should is refused unread.
"""

import codecs
import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, BinaryIO

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from huaxiao.shared.problems import Problem
from huaxiao.shared.sheets import MARKED

_MOST_UNPACKED = 128 * 1024 * 1024
_ZIP = b"PK\x03\x04"
_ENCODINGS = ("utf-8-sig", "gb18030")
_PIECE = 1 << 20
MOST_CELLS = 4_000_000
"""Two hundred thousand rows of twenty cells."""
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    LookupError,
    ValueError,
    SyntaxError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    AttributeError,
)
"""All that openpyxl, its XML parser and the unpacking raise over a file that is broken."""


class UnreadableSheet(Problem):
    """The file is neither CSV in UTF-8 or GB 18030 nor a workbook."""

    code = "unreadable-sheet"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The file is neither CSV (UTF-8, GB 18030) nor XLSX"
    title_zh = "文件既不是 CSV（UTF-8、GB 18030），也不是 XLSX"


class SheetTooLarge(Problem):
    """The sheet has more cells than any list of a county."""

    code = "sheet-too-large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    title = "The sheet has too many cells"
    title_zh = "表格单元格过多"


def read_rows(source: BinaryIO) -> Iterator[list[str]]:
    """Yield the rows of a file's first sheet, cells stripped; trailing empty ones are left out.

    Raises:
        UnreadableSheet: it is no sheet, or unpacks to more than 128 MiB.
        SheetTooLarge: it has more cells than any list of a county, empty ones that it names counted.

    """
    is_workbook = source.read(len(_ZIP)) == _ZIP
    source.seek(0)
    cells = 0
    for row in _workbook_rows(source) if is_workbook else _csv_rows(source):
        cells += max(len(row), 1)
        if cells > MOST_CELLS:
            raise SheetTooLarge(most_cells=MOST_CELLS)
        while row and not row[-1]:
            row.pop()
        yield row


def _csv_rows(source: BinaryIO) -> Iterator[list[str]]:
    encoding = next((one for one in _ENCODINGS if _decodes(source, one)), None)
    if encoding is None:
        raise UnreadableSheet
    text = io.TextIOWrapper(source, encoding, newline="")
    try:
        for row in csv.reader(text, strict=True):
            yield [_plain(cell.strip()) for cell in row]
    except csv.Error as error:
        raise UnreadableSheet(str(error)) from error
    finally:
        text.detach()


def _decodes(source: BinaryIO, encoding: str) -> bool:
    """Say whether a file is text in an encoding, without holding it whole."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while piece := source.read(_PIECE):
            if "\x00" in decoder.decode(piece):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        source.seek(0)
    return True


def _workbook_rows(source: BinaryIO) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(source) as packed:
            if sum(one.file_size for one in packed.infolist()) > _MOST_UNPACKED:
                raise UnreadableSheet
        book = load_workbook(source, read_only=True, data_only=False)
        try:
            sheet = book.worksheets[0]
            # What a sheet says of its own size is not believed: rows that are not there stay so.
            sheet.reset_dimensions()
            for row in sheet.iter_rows(values_only=True):
                yield [_shown(value) for value in row]
        finally:
            book.close()
    except _BROKEN as error:
        raise UnreadableSheet from error
    except OSError as error:
        # Of the system's own there is a number; openpyxl misses a part of the workbook without one.
        if error.errno is not None:
            raise
        raise UnreadableSheet from error


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case float() if value.is_integer() and abs(value) < 10**15:
            return str(int(value))
        case _:
            return str(value).strip()


def _plain(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in MARKED else cell
