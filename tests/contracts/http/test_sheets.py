"""Importing and exporting people, customers and fields: all of a file, or nothing and a report."""

import io
from collections.abc import Callable
from datetime import date

import httpx
import pytest
from support.register import (
    Caller,
    bind,
    contract,
    contractor,
    county_with_centres,
    listed,
    member_of,
    regional,
)

from huaxiao.contracts.domain.sheets import header
from huaxiao.contracts.sheets.files import read_rows
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.sheets import write_csv, write_xlsx
from huaxiao.shared.wire.contracts import ConcurrentPlace
from huaxiao.shared.wire.sheets import SheetFormat, SheetKind

PEOPLE, CUSTOMERS, FIELDS = SheetKind.PEOPLE, SheetKind.CUSTOMERS, SheetKind.FIELDS


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    await county_with_centres(caller, branch_id)
    return branch_id


def people(*rows: list[str]) -> bytes:
    return write_csv([header(PEOPLE), *rows])


@pytest.mark.parametrize("wanted", list(SheetFormat))
@pytest.mark.parametrize("kind", list(SheetKind))
async def test_what_is_exported_imports_back_unchanged(
    county: int, manager: ContractsClient, kind: SheetKind, wanted: SheetFormat
) -> None:
    await manager.put_field(county, "G1", listed("K1", "K2"))
    await manager.put_field(county, "F1", regional(f"{county}100", f"{county}101"))
    beside = [ConcurrentPlace(centre_id="G1", position="副经理")]
    later = {"from_day": date(2018, 1, 1), "concurrent": beside}
    await manager.put_person(county, contractor("C2"), member_of("C2").model_copy(update=later))
    content = await manager.export_sheet(county, kind, wanted)
    before = (
        [await manager.field(county, one) for one in ("F1", "G1")],
        await manager.people(county),
    )

    report = await manager.import_sheet(county, kind, content)

    assert (report.taken, report.bad) == (True, 0)
    assert report.rows == {PEOPLE: 3, CUSTOMERS: 2, FIELDS: 4}[kind]
    after = [await manager.field(county, one) for one in ("F1", "G1")], await manager.people(county)
    assert after == before


async def test_a_roster_is_taken_whole_or_every_bad_row_is_named_and_nothing_is_taken(
    county: int, manager: ContractsClient
) -> None:
    good = ["N1", "自有", "销售、安装", "C1", "组员", "2018-01-01"]
    bad = [
        ["N2", "自有", "", "C9", "组员", "2018-01-01"],
        ["N3", "临时", "", "C1", "组员", "2018-01-01"],
        ["N 4", "自有", "", "C1", "组员", "2018-01-01"],
        ["N5", "自有", "飞行", "C1", "组员", "43101"],
        [contractor("C1"), "自有", "", "C2", "组员", "2017-01-01"],
        good,
    ]

    refused = await manager.import_sheet(county, PEOPLE, people(good, *bad))
    nobody = await manager.people(county)
    preview = await manager.import_sheet(county, PEOPLE, people(good), preview=True)
    still_nobody = await manager.people(county)
    taken = await manager.import_sheet(county, PEOPLE, write_xlsx("花名册", [header(PEOPLE), good]))

    assert not refused.taken
    assert [(one.line, one.column, one.code) for one in refused.bad_rows] == [
        (3, "中心编码", "unknown-reference"),
        (4, "用工方式", "enum"),
        (5, "人员编码", "bad-code"),
        (6, "任职日期", "date-from-datetime-inexact"),
        (6, "技能", "enum"),
        (7, None, "conflict"),
        (8, None, "repeated"),
    ]
    assert all(one.message_zh for one in refused.bad_rows)
    assert len(nobody) == len(still_nobody) == 3
    assert (preview.taken, preview.bad, taken.taken) == (False, 0, True)
    [added] = [one for one in await manager.people(county) if one.person_id == "N1"]
    assert [str(one) for one in added.skills] == ["install", "sell"]


async def test_a_list_that_is_sealed_is_not_imported_and_the_attempt_is_on_record(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_field(county, "G1", listed("K1", "K2"))
    await manager.put_contract(county, "CT-G1", contract("G1", "G1"))
    await bind(caller, county, "CT-G1")
    content = write_csv([header(CUSTOMERS), ["G1", "K3", "清单大客"], ["G9", "K4", "清单大客"]])

    report = await manager.import_sheet(county, CUSTOMERS, content)

    assert [(one.line, one.code) for one in report.bad_rows] == [
        (2, "field-sealed"),
        (3, "not-found"),
    ]
    assert [one.subject_id for one in await manager.refused_changes(county)] == ["G1"]
    assert len((await manager.field(county, "G1")).scope.customers) == 2


async def test_fields_are_drawn_from_a_sheet_and_a_bad_cell_is_named(
    county: int, manager: ContractsClient
) -> None:
    def row(field_id: str, covers: str, code: str, name: str = "片区") -> list[str]:
        return [field_id, "地域型", "C1", name, "201711", "201810", covers, code, "", ""]

    rows = [
        row("F1", "标准地址", f"{county}100"),
        row("F1", "资源地址", "OLT-1"),
        row("F2", "标准地址", f"{county}101", "甲"),
        row("F2", "标准地址", f"{county}102", "乙"),
        row("F3", "标准地址", "999999"),
    ]

    refused = await manager.import_sheet(county, FIELDS, write_csv([header(FIELDS), *rows]))
    taken = await manager.import_sheet(county, FIELDS, write_csv([header(FIELDS), *rows[:2]]))

    assert [(one.line, one.code) for one in refused.bad_rows] == [
        (5, "field-differs"),
        (6, "string-pattern-mismatch"),
    ]
    assert taken.taken
    scope = (await manager.field(county, "F1")).scope
    assert (scope.address_prefixes, scope.resource_prefixes) == ([f"{county}100"], ["OLT-1"])


async def test_a_contractor_exports_its_own_centres_only_and_imports_nothing(
    county: int,
    manager: ContractsClient,
    caller: Caller,
    http: httpx.AsyncClient,
    token: Callable[..., str],
) -> None:
    await manager.put_person(county, "W1", member_of("C2"))
    boss = caller(Role.CONTRACTOR, ["C1"])
    headers = {"Authorization": f"Bearer {token(Role.CONTRACTOR, county, ['C1'])}"}

    rows = list(read_rows(io.BytesIO(await boss.export_sheet(county, PEOPLE, SheetFormat.CSV))))
    template = await http.get(f"/v1/branches/{county}/sheets/fields/template", headers=headers)
    with pytest.raises(PeerProblem) as forbidden:
        await boss.import_sheet(county, PEOPLE, people())
    with pytest.raises(PeerProblem) as unreadable:
        await manager.import_sheet(county, PEOPLE, b"PK\x03\x04")

    assert [row[0] for row in rows] == ["人员编码", contractor("C1")]
    assert list(read_rows(io.BytesIO(template.content))) == [header(FIELDS)]
    assert (forbidden.value.status, unreadable.value.code) == (403, "unreadable-sheet")


async def test_a_sheet_that_is_sent_again_with_its_key_is_taken_once(
    county: int, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    path = f"/v1/branches/{county}/sheets/people"
    headers = {
        "Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}",
        "Idempotency-Key": "sheet-1",
    }
    content = people()

    first = await http.post(path, content=content, headers=headers)
    again = await http.post(path, content=content, headers=headers)
    other = await http.post(path, content=content + b"\r\n", headers=headers)

    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
