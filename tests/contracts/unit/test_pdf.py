"""PDF files: the fonts that ship have what a county writes, and the same blocks are the same bytes."""

import hashlib
import io
import os
import subprocess
import sys

import pytest
from pypdf import PdfReader

from huaxiao.contracts.documents import pdf
from huaxiao.contracts.documents.blocks import Block, Grid, Heading, Paragraph

WRITE_ONE = """
import hashlib
from huaxiao.contracts.documents import pdf
from huaxiao.contracts.documents.blocks import Grid, Heading, Paragraph
blocks = [Heading(0, "承包经营合同"), Paragraph("甲方 Yunze"), Grid(("编码",), [("K1",)] * 90)]
print(hashlib.sha256(pdf.render(blocks, title="CT", note="草案", dated=None)).hexdigest())
"""


def written(*blocks: Block, turned_to_fit: bool = False) -> PdfReader:
    content = pdf.render(blocks, title="CT", note="草案", dated=None, turned_to_fit=turned_to_fit)
    return PdfReader(io.BytesIO(content))


def text_of(reader: PdfReader) -> str:
    return "".join("".join(page.extract_text().split()) for page in reader.pages)


def test_the_fonts_have_every_chinese_character_of_the_national_standard() -> None:
    rows = (bytes((row, cell)) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF))
    characters = "".join(one.decode("gb2312", errors="ignore") for one in rows)
    latin = "".join(map(chr, range(33, 127)))
    signs = "，。、；：？！（）《》【】〔〕“”‘’—…·％＿×÷−±≥≤√→①②③℃㎡¥￥"

    text = text_of(written(Paragraph(characters), Paragraph(latin), Paragraph(signs)))

    assert len(characters) == 6_763
    assert "U+" not in text
    assert set(characters + latin + signs) <= set(text)


def test_a_table_too_wide_for_portrait_turns_the_pages_where_that_is_asked_for() -> None:
    wide = Grid(("说明", "金额"), [("应付结转" * 18, "1.00")])
    narrow = Grid(("说明", "金额"), [("应付结转", "1.00")])

    boxes = [
        written(grid, turned_to_fit=turned).pages[0].mediabox
        for grid, turned in ((wide, True), (narrow, True), (wide, False))
    ]

    assert [box.width > box.height for box in boxes] == [True, False, False]


def test_amounts_stand_flush_right() -> None:
    grid = Grid(("金额",), [("1.00",), ("-12,345.67",)], right={0}, marked={1})
    begins: list[float] = []

    def visit(text: str, _cm: object, matrix: list[float], _font: object, size: float) -> None:
        if text.strip() in {"1.00", "-12,345.67"}:
            begins.append(round(matrix[4]))

    written(grid).pages[0].extract_text(visitor_text=visit)

    assert len(begins) == 2
    assert begins[0] > begins[1]


@pytest.mark.parametrize("odd", ["", "\n\n", "😀" * 50, "\ud83d", "\x00\x1b\x7f", "{nb}", "(\\)"])
def test_nothing_that_is_written_breaks_a_page(odd: str) -> None:
    reader = written(Heading(1, odd), Paragraph(odd), Grid((odd,), [(odd,), ("田",)]))

    assert "田" in text_of(reader)
    assert "第1页/共1页" in text_of(reader)


def test_another_process_writes_the_same_bytes() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", WRITE_ONE],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(digests) == 1
    assert len(digests.pop().strip()) == hashlib.sha256().digest_size * 2
