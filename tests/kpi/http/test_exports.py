import csv
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from openpyxl import load_workbook
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event
from support.kpi_feeds import NOVEMBER, Peers, booked, centre

from huaxiao.kpi.alerts.looking import jobs
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.ticking import catch_up
from huaxiao.shared.wire.sheets import SheetFormat

Caller = Callable[..., KpiClient]


def read(content: bytes) -> list[dict[str, str]]:
    if content.startswith(b"PK"):
        rows = load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
        header, *lines = [["" if cell is None else str(cell) for cell in row] for row in rows]
        return [dict(zip(header, line, strict=True)) for line in lines]
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.mark.parametrize("wanted", SheetFormat)
async def test_the_report_is_a_sheet_of_the_same_figures(
    wanted: SheetFormat, peers: Peers, caller: Caller
) -> None:
    await peers.told(*NOVEMBER)
    manager = caller(Role.COUNTY_MANAGER)

    report = await manager.targets(peers.branch_id, period=201711)
    rows = read(await manager.targets_sheet(peers.branch_id, period=201711, wanted=wanted))

    assert report.county is not None
    assert [(row["指标代码 Target"], row["结论 Verdict"], row["完成值 Value"]) for row in rows] == [
        (one.target, one.verdict, one.display or "")
        for unit in [report.county, *report.centres]
        for one in unit.targets
    ]
    assert rows[0]["中心 Centre"] == "全县 County"
    assert (rows[0]["分子 Numerator"], rows[0]["分母 Denominator"]) == ("335000", "409000")
    assert rows[0]["构成 Components"] == (
        "revenue: 409000 (400000) fen; market_cost: 74000 (70000) fen"
    )
    assert rows[-1]["原因 Reasons (zh)"].startswith("无覆盖该账期")


@pytest.mark.parametrize("wanted", SheetFormat)
async def test_measures_are_a_sheet_and_a_contractors_its_own(
    wanted: SheetFormat, peers: Peers, caller: Caller
) -> None:
    await peers.told(*NOVEMBER, booked(201712, "C1", revenue=-5))

    async def sheet(of: KpiClient, last: int) -> list[dict[str, str]]:
        return read(
            await of.measures_sheet(
                peers.branch_id, from_period=201711, to_period=last, wanted=wanted
            )
        )

    own = await sheet(caller(Role.CONTRACTOR, ["C1"]), 201712)
    whole = await sheet(caller(Role.COUNTY_FINANCE), 201711)

    assert {row["中心 Centre"] for row in own} == {"C1"}
    assert [(row["账期 Period"], row["数量 Amount"]) for row in own][-1] == ("201712", "-5")
    assert {"C0", "C1", "C2"} == {row["中心 Centre"] for row in whole}
    with pytest.raises(PeerProblem) as refused:
        await sheet(caller(Role.AUDITOR), 202211)
    assert refused.value.code == "malformed"


async def test_a_name_that_looks_like_a_formula_is_text(peers: Peers, caller: Caller) -> None:
    named = centre("C3")
    named.data["centre"]["name_zh"] = "=HYPERLINK(A1)"
    await peers.told(*NOVEMBER, named)

    manager = caller(Role.COUNTY_MANAGER)
    as_csv = await manager.targets_sheet(peers.branch_id, period=201711)
    as_xlsx = await manager.targets_sheet(peers.branch_id, period=201711, wanted=SheetFormat.XLSX)

    assert "'=HYPERLINK(A1)" in as_csv.decode("utf-8-sig")
    sheet = load_workbook(io.BytesIO(as_xlsx)).active
    named_so = [one for row in sheet for one in row if one.value == "=HYPERLINK(A1)"]
    assert named_so
    assert all(one.number_format == "@" for one in named_so)
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(as_xlsx)).read("xl/worksheets/sheet1.xml")


async def test_prometheus_is_told_how_targets_stand_by_one_query(
    peers: Peers, caller: Caller, app: FastAPI
) -> None:
    await peers.told(*NOVEMBER)
    database = app.state.database
    now = datetime(2018, 1, 1, tzinfo=UTC)
    await catch_up(database, jobs(app.state.forecasters), peers.branch_id, clock=lambda: now)
    asked: list[str] = []

    def hear(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
    try:
        text = await caller(Role.COUNTY_MANAGER).metrics()
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", hear)

    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    found = {
        (one.name, one.labels["centre"], one.labels["span"], one.labels["target"]): one.value
        for one in samples
    }
    assert len(asked) == 1
    margin = ("month", "market_gross_margin")
    assert found["huaxiao_kpi_target_value", "", *margin] == pytest.approx(335 / 409)
    assert found["huaxiao_kpi_target_met", "", *margin] == 0
    assert found["huaxiao_kpi_target_met", "C1", *margin] == 1
    assert found["huaxiao_kpi_target_period", "C2", *margin] == 201711
    # Without a base there is no growth, and nothing is told of it.
    assert ("huaxiao_kpi_target_met", "C2", "month", "cash_flow_growth") not in found
    assert {one.labels["branch"] for one in samples} == {str(peers.branch_id)}
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.COUNTY_MANAGER, ["C1"]).metrics()
    assert refused.value.code == "forbidden"
