"""Whatever an uploaded file holds, it is rows of text or refused, and takes little memory to find out."""

import csv
import io
import tracemalloc
import zipfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from huaxiao.contracts.sheets.files import SheetTooLarge, UnreadableSheet, read_rows
from huaxiao.shared.sheets import write_csv, write_xlsx

# What a library remarks of a damaged part is no answer to whoever sent it.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")

ROWS = [["编码", "姓名", "金额"], ["P-1", "张三", "1.50"], ["P-2", "=1+1", "-3"]]
BOOK = write_xlsx("people", ROWS)
PARTS = zipfile.ZipFile(io.BytesIO(BOOK)).namelist()
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ODD = st.sampled_from(
    [
        *("", '"', '""', '"""', ",", "\n", "\r", "\x00", "\ufeff", "\t", "'", "\u2028", "\x0b"),
        *("=cmd|'/C calc'!A0", "@SUM(1)", "＝1", "1e999", "NaN", "9" * 200_000),
    ]
)
MIB = 1 << 20


def read(content: bytes) -> list[list[str]] | None:
    """Return the rows of a file, or nothing where it is refused."""
    try:
        rows = list(read_rows(io.BytesIO(content)))
    except (UnreadableSheet, SheetTooLarge):
        return None
    assert all(isinstance(cell, str) for row in rows for cell in row)
    return rows


def with_part(name: str, content: bytes) -> bytes:
    """Return a workbook with one of its parts replaced."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(BOOK)) as held,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for one in held.namelist():
            written.writestr(one, content if one == name else held.read(one))
    return made.getvalue()


def sheet_of(cells: str, before: str = "") -> bytes:
    rows = f"<sheetData><row r='1'>{cells}</row></sheetData>"
    return f"<?xml version='1.0'?>{before}<worksheet xmlns='{MAIN}'>{rows}</worksheet>".encode()


damage = st.lists(
    st.tuples(st.integers(0, len(BOOK)), st.binary(max_size=8), st.integers(0, 64)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300)
@given(damage)
def test_no_damage_to_a_workbook_is_more_than_a_refusal(cuts: list[tuple[int, bytes, int]]) -> None:
    content = BOOK
    for place, put, taken in cuts:
        content = content[:place] + put + content[place + taken :]
    read(content)


@settings(max_examples=300)
@example("xl/_rels/workbook.xml.rels", [(84, "<c/>")])
@given(
    st.sampled_from(PARTS),
    st.lists(
        st.tuples(st.integers(0, 2_000), ODD | st.sampled_from(["<", ">", "&", "<c>", "r='Z0'"])),
        min_size=1,
        max_size=3,
    ),
)
def test_no_damage_within_a_part_of_a_workbook_is_more_than_a_refusal(
    part: str, cuts: list[tuple[int, str]]
) -> None:
    text = zipfile.ZipFile(io.BytesIO(BOOK)).read(part).decode()
    for place, put in cuts:
        at = place % (len(text) + 1)
        text = text[:at] + put + text[at:]
    read(with_part(part, text.encode()))


@pytest.mark.parametrize(
    "cells",
    [
        "<c r='A1'><v>" + "9" * 1_000_000 + "</v></c>",
        "<c r='A1' t='d'><v>0000-99-99T99:99:99</v></c>",
        "<c r='A1' t='n'><v>1e400</v></c>",
        "<c r='A1' t='s'><v>999999999</v></c>",
        "<c r='A1' t='s'><v>-1</v></c>",
        "<c r='A1' s='999999'><v>1</v></c>",
        "<c r='A0'><v>1</v></c>",
        "<c r='ZZZZ1'><v>1</v></c>",
        "<c r='A99999999999999999999'><v>1</v></c>",
        "<c r='A1' t='e'><v>#REF!</v></c>",
        "<c r='A1' t='b'><v>maybe</v></c>",
        "<c r='A1' t='inlineStr'><is/></c>",
        "<c r='A1'><f>" + "(" * 100_000 + "</f></c>",
        "<c>" * 5_000 + "</c>" * 5_000,
    ],
)
def test_no_odd_cell_is_more_than_a_refusal(cells: str) -> None:
    read(with_part(SHEET, sheet_of(cells)))


@pytest.mark.filterwarnings("ignore:.*outside the limits for dates")
@pytest.mark.parametrize("date", ["-1e30", "1e30", "99999999", "-99999999"])
def test_a_day_that_no_calendar_has_is_no_more_than_a_refusal(date: str) -> None:
    styles = zipfile.ZipFile(io.BytesIO(BOOK)).read("xl/styles.xml").decode()
    assert 'numFmtId="49"' in styles
    made = with_part("xl/styles.xml", styles.replace('numFmtId="49"', 'numFmtId="14"').encode())
    held = zipfile.ZipFile(io.BytesIO(made))
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as written:
        for one in held.namelist():
            cells = "".join(
                f"<c r='{col}1' s='{s}'><v>{date}</v></c>" for s, col in enumerate("ABC")
            )
            written.writestr(one, sheet_of(cells) if one == SHEET else held.read(one))
    (row,) = read(again.getvalue()) or [[]]
    assert all(cell == "#VALUE!" or float(cell) == float(date) for cell in row)


def test_entities_that_stand_for_entities_are_refused_before_they_grow() -> None:
    bomb = "<!DOCTYPE z [<!ENTITY a0 'ha'>" + "".join(
        f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)
    )
    cells = "<c r='A1' t='inlineStr'><is><t>&a11;</t></is></c>"
    tracemalloc.start()
    rows = read(with_part(SHEET, sheet_of(cells, bomb + "]>")))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows is None
    assert most < 64 * MIB


def test_a_workbook_that_unpacks_to_a_gigabyte_is_refused_unread() -> None:
    packed = with_part(SHEET, b" " * (256 * MIB))
    tracemalloc.start()
    assert read(packed) is None
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * MIB


def test_a_workbook_that_says_it_unpacks_to_little_is_not_believed() -> None:
    packed = with_part(SHEET, b" " * (256 * MIB))
    size = (256 * MIB).to_bytes(4, "little")
    assert size in packed
    tracemalloc.start()
    assert read(packed.replace(size, (100).to_bytes(4, "little"))) is None
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * MIB


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 60), ODD, st.integers(0, 5)), max_size=4),
    st.sampled_from(["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-32"]),
)
@example([(0, "\ufeff\ufeff", 0)], "utf-16")
def test_no_damage_to_a_text_file_is_more_than_a_refusal(
    cuts: list[tuple[int, str, int]], encoding: str
) -> None:
    text = write_csv(ROWS).decode("utf-8-sig")
    for place, put, taken in cuts:
        text = text[:place] + put + text[place + taken :]
    rows = read(text.encode(encoding, "replace"))
    assert rows is None or not any("\x00" in cell for row in rows for cell in row)


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_no_bytes_are_more_than_a_refusal(content: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"\xef\xbb\xbf", b"\xff\xfe"):
        read(start + content)


@settings(max_examples=50)
@given(
    st.lists(
        st.lists(ODD.filter(lambda cell: len(cell) < 99) | st.text(max_size=9), min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_no_cell_that_is_written_begins_a_formula(rows: list[list[str]]) -> None:
    text = write_csv(rows).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text, newline="")):
        for cell in row:
            assert cell[:1] not in set("=+@\t\r＝＋－＠")
            assert cell[:1] != "-" or cell[1:2].isdigit()
    book = load_workbook(io.BytesIO(write_xlsx("rows", rows)))
    assert not any(cell.data_type == "f" for row in book.active.iter_rows() for cell in row)
