"""Sheets: what is written reads back, whatever it looks like; what is no sheet is refused."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from huaxiao.contracts.domain.sheets import Row, header, read, repeated
from huaxiao.contracts.sheets.files import UnreadableSheet, read_rows
from huaxiao.shared.sheets import write_csv, write_xlsx
from huaxiao.shared.wire.sheets import BadRow, SheetKind

CUSTOMERS = SheetKind.CUSTOMERS
cells = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), max_size=12
)
tables = st.lists(
    st.lists(cells, min_size=1, max_size=4).filter(lambda row: bool(row[-1])), max_size=8
)


@given(tables)
def test_what_is_written_reads_back(rows: list[list[str]]) -> None:
    # Excel has no surrogates and no U+FFFE or U+FFFF.
    kept = [
        [cell.replace("\ufffe", "").replace("\uffff", "") or "x" for cell in row] for row in rows
    ]

    assert list(read_rows(io.BytesIO(write_csv(kept)))) == kept
    assert list(read_rows(io.BytesIO(write_xlsx("sheet", kept)))) == kept


def test_codes_stay_text_and_what_excel_made_a_number_is_read_as_it_shows() -> None:
    assert b"00123" in zipfile.ZipFile(io.BytesIO(write_xlsx("s", [["00123"]]))).read(
        "xl/worksheets/sheet1.xml"
    )
    book = Workbook()
    book.active.append([130123100201.0, 1.5, True, None, "=1+1"])
    written = io.BytesIO()
    book.save(written)

    assert list(read_rows(io.BytesIO(written.getvalue()))) == [
        ["130123100201", "1.5", "True", "", "=1+1"]
    ]


def test_csv_comes_in_the_encodings_that_excel_writes() -> None:
    text = "责任田编码,客户编码\r\nF1,K1\r\n"

    for content in (text.encode("utf-8"), text.encode("utf-8-sig"), text.encode("gb18030")):
        assert list(read_rows(io.BytesIO(content))) == [["责任田编码", "客户编码"], ["F1", "K1"]]


def test_what_is_no_sheet_or_a_bomb_is_refused() -> None:
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet,
    ):
        for _ in range(130):
            sheet.write(bytes(1024 * 1024))

    for content in (b"PK\x03\x04nothing", b"a,b\x00", b'"open', bomb.getvalue()):
        with pytest.raises(UnreadableSheet):
            list(read_rows(io.BytesIO(content)))


def test_headers_come_in_any_order_in_chinese_or_english() -> None:
    rows = [
        ["segment", "客户编码", "责任田编码"],
        ["清单大客", "K1", "F1"],
        [],
        ["campus", "K2", "F1"],
    ]

    assert list(read(CUSTOMERS, rows)) == [
        Row(2, {"field_id": "F1", "customer_id": "K1", "segment": "key_account"}),
        Row(4, {"field_id": "F1", "customer_id": "K2", "segment": "campus"}),
    ]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], ["missing-column"] * 3),
        ([["责任田编码", "客户编码", "客群", "备注"]], ["unknown-column"]),
        ([["责任田编码", "客户编码", "客群", "客群"]], ["repeated-column"] * 2),
        ([header(CUSTOMERS), ["F1", "K1", "campus", "x"]], ["too-many-cells"]),
    ],
)
def test_what_does_not_fit_the_headers_is_named(rows: list[list[str]], found: list[str]) -> None:
    bad = [one for one in read(CUSTOMERS, rows) if isinstance(one, BadRow)]

    assert [one.code for one in bad] == found


def test_a_row_that_comes_twice_is_named_where_it_comes_again() -> None:
    rows = [
        Row(line, {"field_id": "F1", "customer_id": code}) for line, code in enumerate("ABA", 2)
    ]

    assert [one.line for one in repeated(rows, ("field_id", "customer_id"))] == [4]
