"""Uploads that are broken, too large or hostile, and sheets handed back with what is wrong in them."""

import asyncio
import io
import zipfile
from collections.abc import Callable

import httpx
import pytest
from openpyxl import Workbook
from support.register import Caller, county_with_centres, listed, member_of

from huaxiao.contracts.sheets.files import read_rows
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.sheets import write_csv, write_xlsx
from huaxiao.shared.wire.sheets import SheetFormat, SheetKind

PEOPLE = ["人员编码", "用工方式", "技能", "中心编码", "岗位", "任职日期", "兼任"]
RIGHT = ["P-9", "自有", "销售", "C1", "组员", "2017-11-01", ""]
WRONG = ["P-8", "自有", "唱歌", "C9", "组员", "明天", ""]


@pytest.fixture
async def county(branch_id: int, caller: Caller) -> int:
    await county_with_centres(caller, branch_id)
    return branch_id


@pytest.fixture
def send(
    county: int, http: httpx.AsyncClient, token: Callable[..., str]
) -> Callable[..., httpx.Response]:
    async def post(content: bytes, path: str = "people") -> httpx.Response:
        headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
        return await http.post(
            f"/v1/branches/{county}/sheets/{path}", content=content, headers=headers
        )

    return post


def workbook() -> bytes:
    return write_xlsx("people", [PEOPLE, RIGHT])


def with_part(name: str, content: bytes) -> bytes:
    """Return a workbook with one of its parts replaced."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as given,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for one in given.namelist():
            written.writestr(one, content if one == name else given.read(one))
    return made.getvalue()


def flipped() -> bytes:
    """Return a workbook whose packed data is damaged in the middle."""
    content = bytearray(workbook())
    start = content.index(b"xl/worksheets/sheet1.xml") + 40
    content[start : start + 40] = b"\xff" * 40
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        workbook()[:200],
        with_part("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row r='1'><c"),
        with_part("xl/workbook.xml", b"<workbook"),
        with_part("xl/worksheets/sheet1.xml", b""),
        flipped(),
        b"PK\x03\x04",
        b"a,b\x00,c",
        "人员编码".encode("utf-16"),
    ],
)
async def test_a_broken_file_is_no_sheet_and_no_fault_of_ours(
    send: Callable[..., httpx.Response], content: bytes
) -> None:
    answer = await send(content)

    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable-sheet")


async def test_a_small_file_that_names_far_cells_is_refused_before_it_costs_anything(
    send: Callable[..., httpx.Response],
) -> None:
    rows = b"".join(b"<row r='%d'><c r='XFD%d'/></row>" % (n, n) for n in range(1, 2_000))
    head = b"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>"
    far = head + b"<dimension ref='A1:XFD1048576'/><sheetData>" + rows + b"</sheetData></worksheet>"

    answer = await send(with_part("xl/worksheets/sheet1.xml", far))

    assert (answer.status_code, answer.json()["code"]) == (413, "sheet-too-large")


async def test_rows_that_a_workbook_only_speaks_of_are_passed_over(
    send: Callable[..., httpx.Response],
) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(PEOPLE)
    for column, cell in enumerate(RIGHT, start=1):
        sheet.cell(row=50_000, column=column, value=cell)
    made = io.BytesIO()
    book.save(made)

    answer = await send(made.getvalue())

    assert (answer.status_code, answer.json()["taken"]) == (200, True)


@pytest.mark.parametrize("wanted", list(SheetFormat))
async def test_a_sheet_comes_back_marked_and_is_taken_once_it_is_mended(
    send: Callable[..., httpx.Response], wanted: SheetFormat
) -> None:
    write = write_csv if wanted is SheetFormat.CSV else lambda rows: write_xlsx("people", rows)

    back = await send(write([PEOPLE, RIGHT, WRONG]), f"people/marked?format={wanted}")
    header, right, wrong = read_rows(io.BytesIO(back.content))
    refused = await send(back.content)
    mended = [*WRONG[:2], "修障", "C1", *WRONG[4:5], "2017-11-02", ""]
    taken = await send(write([header, right, [*mended, wrong[-1]]]))

    assert header == [*PEOPLE, "错误"]
    assert right == RIGHT[:-1]
    assert wrong[:-1] == WRONG
    assert "中心编码" in wrong[-1] or "任职日期" in wrong[-1]
    assert (refused.json()["taken"], refused.json()["rows"]) == (False, 2)
    assert taken.json()["taken"] is True


async def test_what_people_write_is_no_formula_and_breaks_no_workbook(
    county: int, manager: ContractsClient, send: Callable[..., httpx.Response]
) -> None:
    positions = ["-1+1|cmd", "\t=1+1", "＝1+1", "换\u000b行", "=HYPERLINK()", "-12.50"]
    for number, position in enumerate(positions):
        given = member_of("C1").model_copy(update={"position": position})
        await manager.put_person(county, f"X-{number}", given)

    as_csv = await manager.export_sheet(county, SheetKind.PEOPLE, SheetFormat.CSV)
    as_xlsx = await manager.export_sheet(county, SheetKind.PEOPLE, SheetFormat.XLSX)

    text = as_csv.decode("utf-8-sig")
    for marked in ("'-1+1|cmd", "'\t=1+1", "'＝1+1", "'=HYPERLINK()"):
        assert marked in text
    assert ",-12.50," in text
    of_xlsx = {row[0]: row[4] for row in read_rows(io.BytesIO(as_xlsx)) if row[0].startswith("X-")}
    assert of_xlsx["X-3"] == "换行"
    assert of_xlsx["X-4"] == "=HYPERLINK()"


async def test_a_sheet_of_customers_puts_nothing_back_that_was_changed_meanwhile(
    county: int, manager: ContractsClient, send: Callable[..., httpx.Response]
) -> None:
    await manager.put_field(county, "K1", listed("CUST-1"))
    sheet = write_csv([["责任田编码", "客户编码", "客群"], ["K1", "CUST-2", "清单大客"]])
    renamed = listed("CUST-1").model_copy(update={"name_zh": "新名"})

    await asyncio.gather(
        *(manager.put_field(county, "K1", renamed) for _ in range(5)),
        *(send(sheet, "customers") for _ in range(5)),
    )

    assert (await manager.field(county, "K1")).name_zh == "新名"
