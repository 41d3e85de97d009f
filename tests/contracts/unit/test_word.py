"""Word documents: a table is set as its grid says."""

import io

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH

from huaxiao.contracts.documents import word
from huaxiao.contracts.documents.blocks import Grid


def test_amounts_stand_flush_right_and_marked_rows_bold() -> None:
    grid = Grid(("项目", "金额"), [("毛利", "2.00"), ("净额", "1.00")], right={1}, marked={1})

    [table] = Document(io.BytesIO(word.render([grid]))).tables

    cells = [[cell.paragraphs[0] for cell in row.cells] for row in table.rows[1:]]
    assert [[one.text for one in row] for row in cells] == [["毛利", "2.00"], ["净额", "1.00"]]
    assert [row[1].alignment for row in cells] == [WD_ALIGN_PARAGRAPH.RIGHT] * 2
    assert [row[0].alignment for row in cells] == [None] * 2
    assert [bool(row[0].runs[0].bold) for row in cells] == [False, True]
