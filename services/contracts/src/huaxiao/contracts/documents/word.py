"""Blocks as a Word document; Word and WPS bring the Chinese fonts."""

import io
from collections.abc import Sequence
from copy import deepcopy

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.oxml.table import CT_Row
from docx.shared import Pt
from docx.table import _Row

from huaxiao.contracts.documents.blocks import Block, Grid, Heading, Paragraph

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_FONT = "宋体"


def render(blocks: Sequence[Block]) -> bytes:
    """Return blocks as a DOCX file."""
    document = Document()
    style = document.styles["Normal"]
    style.font.name = _FONT
    style.font.size = Pt(10.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), _FONT)
    for block in blocks:
        match block:
            case Heading(level, text):
                heading = document.add_heading(text, level=level)
                for run in heading.runs:
                    run.font.name = _FONT
                    run._element.rPr.rFonts.set(qn("w:eastAsia"), _FONT)  # noqa: SLF001 - python-docx has no other way to name an East Asian font
            case Paragraph(text):
                document.add_paragraph(text)
            case Grid():
                _add(document, block)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _add(document: WordDocument, grid: Grid) -> None:
    table = document.add_table(rows=1, cols=len(grid.headers), style="Table Grid")
    for cell, text in zip(table.rows[0].cells, grid.headers, strict=True):
        cell.text = text
    # Rows are copies of one: python-docx takes a millisecond to make each anew, and lists are long.
    body = table._tbl  # noqa: SLF001 - there is no public way to copy a row
    plain, marked = (_pattern(table.add_row(), grid, bold=bold) for bold in (False, True))
    for pattern in (plain, marked):
        body.remove(pattern)
    for index, row in enumerate(grid.rows):
        made = deepcopy(marked if index in grid.marked else plain)
        for text, value in zip(made.iter(qn("w:t")), row, strict=True):
            text.text = value
        body.append(made)


def _pattern(row: _Row, grid: Grid, *, bold: bool) -> CT_Row:
    for column, cell in enumerate(row.cells):
        cell.text = "·"
        [paragraph] = cell.paragraphs
        if column in grid.right:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        if bold:
            paragraph.runs[0].bold = True
    return row._tr  # noqa: SLF001 - there is no public way to copy a row
