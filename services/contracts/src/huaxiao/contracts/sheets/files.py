"""Sheets: rows of text read from CSV and XLSX as Excel writes them, and written so that it reads them.

Cells are text: a code never becomes a number on the way. What Excel has made a number already, such
as ``1.30123E+11`` of a village's code, is read as what it shows and is named as bad by whoever knows
what it should be. A file that would unpack to more than it should is refused unread.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.exceptions import InvalidFileException

from huaxiao.shared.problems import Problem

CSV_MEDIA_TYPE = "text/csv; charset=utf-8"
XLSX_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MOST_UNPACKED = 128 * 1024 * 1024
_ZIP = b"PK\x03\x04"
_TEXT = "@"
_MARKED = {"=", "+", "@", "'"}


class UnreadableSheet(Problem):
    """The file is neither CSV in UTF-8 or GB 18030 nor a workbook."""

    code = "unreadable-sheet"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The file is neither CSV (UTF-8, GB 18030) nor XLSX"
    title_zh = "文件既不是 CSV（UTF-8、GB 18030），也不是 XLSX"


def read_rows(content: bytes) -> Iterator[list[str]]:
    """Yield the rows of a file's first sheet, cells stripped; trailing empty ones are left out.

    Raises:
        UnreadableSheet: it is no sheet, or unpacks to more than 128 MiB.

    """
    rows = _workbook_rows(content) if content.startswith(_ZIP) else _csv_rows(content)
    for row in rows:
        while row and not row[-1]:
            row.pop()
        yield row


def _csv_rows(content: bytes) -> Iterator[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        try:
            for row in csv.reader(io.StringIO(text, newline=""), strict=True):
                yield [_plain(cell.strip()) for cell in row]
        except csv.Error as error:
            raise UnreadableSheet(str(error)) from error
        return
    raise UnreadableSheet


def _workbook_rows(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(one.file_size for one in packed.infolist()) > _MOST_UNPACKED:
                raise UnreadableSheet
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        try:
            for row in book.worksheets[0].iter_rows(values_only=True):
                yield [_shown(value) for value in row]
        finally:
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError) as error:
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


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows as CSV in UTF-8 with a byte order mark, by which Excel knows it."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def write_xlsx(title: str, rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows as a workbook of text cells, the first row bold and held in place."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for index, row in enumerate(rows):
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value)
            # Text, whatever it looks like: no code becomes a number, no text a formula.
            cell.data_type = "s"
            cell.number_format = _TEXT
            if index == 0:
                cell.font = Font(bold=True)
            cells.append(cell)
        sheet.append(cells)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _harmless(cell: str) -> str:
    """Keep a cell from being read as a formula where a sheet has no types."""
    return f"'{cell}" if cell[:1] in _MARKED else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _MARKED else cell
