"""A template and what fills it, as a Word document.

The template is text: ``#`` begins a heading, ``@name`` stands for a table, ``{name}`` for a value.
What fills it is only ever text: nothing in a value is read as a mark of the template.
"""

import io
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

from docx import Document
from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from docx.shared import Pt

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_FONT = "宋体"
_VALUE = re.compile(r"\{(\w+)\}")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its headers and its rows."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]


def render(template: str, values: Mapping[str, str], grids: Mapping[str, Grid]) -> bytes:
    """Return a filled template as a DOCX file.

    Raises:
        KeyError: the template names a value or a table that there is none of.

    """
    document = Document()
    style = document.styles["Normal"]
    style.font.name = _FONT
    style.font.size = Pt(10.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), _FONT)
    for line in template.splitlines():
        if line.startswith("@"):
            _add(document, grids[line[1:].strip()])
        elif line.startswith("#"):
            marks, _, text = line.partition(" ")
            heading = document.add_heading(_filled(text, values), level=len(marks) - 1)
            for run in heading.runs:
                run.font.name = _FONT
                run._element.rPr.rFonts.set(qn("w:eastAsia"), _FONT)  # noqa: SLF001 - python-docx has no other way to name an East Asian font
        elif line.strip():
            for part in _filled(line, values).split("\n"):
                document.add_paragraph(part)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _VALUE.sub(lambda found: _clean(values[found[1]]), text)


def _clean(text: str) -> str:
    """Leave out what XML cannot hold."""
    return _UNWRITABLE.sub("", text)


def _add(document: WordDocument, grid: Grid) -> None:
    table = document.add_table(rows=1, cols=len(grid.headers), style="Table Grid")
    for cell, text in zip(table.rows[0].cells, grid.headers, strict=True):
        cell.text = text
    # Rows are copies of one: python-docx takes a millisecond to make each anew, and lists are long.
    sample = table.add_row()
    for cell in sample.cells:
        cell.text = "·"
    body, pattern = table._tbl, sample._tr  # noqa: SLF001 - there is no public way to copy a row
    body.remove(pattern)
    for row in grid.rows:
        made = deepcopy(pattern)
        for text, value in zip(made.iter(qn("w:t")), row, strict=True):
            text.text = _clean(value)
        body.append(made)
