"""Sheets as files to download: rows of text as CSV and XLSX, written so that Excel reads them as text.

No code becomes a number, no text a formula. Needs the extra ``sheets`` of the shared package.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import Query, Response
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from huaxiao.shared.wire.sheets import SheetFormat

CSV_MEDIA_TYPE = "text/csv; charset=utf-8"
XLSX_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MARKED = frozenset("=+-@\t\r'＝＋－＠")
"""What a spreadsheet may take for the beginning of a formula, or of a text in quotes."""
_TEXT = "@"
_MOST_OF_TITLE = 31
_NUMBER = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?( ?%)?", re.ASCII)
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NO_TITLE = re.compile(r"[\[\]:*?/\\]")
Format = Annotated[SheetFormat, Query(alias="format", description="csv or xlsx")]
SHEET: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The sheet.",
        "content": {CSV_MEDIA_TYPE: {}, XLSX_MEDIA_TYPE: {}},
    }
}


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows as CSV in UTF-8 with a byte order mark, by which Excel knows it."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def write_xlsx(title: str, rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows as a workbook of text cells, the first row bold and held in place."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_NO_TITLE.sub("_", title)[:_MOST_OF_TITLE])
    sheet.freeze_panes = "A2"
    for index, row in enumerate(rows):
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=_UNWRITABLE.sub("", value))
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


def as_file(name: str, rows: Iterable[Sequence[str]], wanted: SheetFormat) -> Response:
    """Return rows as a file to download."""
    if wanted is SheetFormat.CSV:
        content, media_type = write_csv(rows), CSV_MEDIA_TYPE
    else:
        content, media_type = write_xlsx(name, rows), XLSX_MEDIA_TYPE
    return download(f"{name}.{wanted}", content, media_type)


def download(name: str, content: bytes, media_type: str) -> Response:
    """Return a file to download under a name of letters, digits and dots."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=disposition)


def _harmless(cell: str) -> str:
    """Keep a cell from being read as a formula where a sheet has no types."""
    if cell[:1] in MARKED and _NUMBER.fullmatch(cell) is None:
        return f"'{cell}"
    return cell
