"""Who sees what, asked of every route: a new one has to be named here."""

import io
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import httpx
import openpyxl
import pytest
from fastapi import FastAPI
from support.kpi_feeds import NOVEMBER, Peers, booked, contract, finished, month, paid

from huaxiao.kpi.alerts.looking import jobs
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.ticking import catch_up
from huaxiao.shared.wire.alerts import AlertKind, AlertRuleIn, WebhookIn
from huaxiao.shared.wire.kpi import Span, TargetName
from huaxiao.shared.wire.unit_targets import UnitTargetIn

Caller = Callable[..., KpiClient]
Token = Callable[..., str]
Ask = Callable[..., httpx.Response]
NOBODYS = re.compile(
    r'C2|"C0"|^C0\b|Centre C[02]|云泽|1234567|7654321|"county":{|^全县', re.MULTILINE
)
"""Names and amounts that are those of other centres, or of the county."""
OPEN = {"/healthz", "/readyz", "/problems", "/problems/{code}"}
EVERYWHERE = {"/audit-entries", "/v1/audit-entries", "/feed/standing"}
"""The same in every service: `tests/suite/test_permissions.py` and `tests/shared/db` ask them."""
PERIOD = "period=201711"
OWN = {
    "/targets": [f"{PERIOD}&span={span}" for span in Span],
    "/figures": [f"{PERIOD}&span={span}" for span in Span],
    "/targets/sheet": [PERIOD, f"{PERIOD}&format=xlsx"],
    "/measures/sheet": [
        "from_period=201611&to_period=201711",
        "from_period=201611&to_period=201711&format=xlsx",
    ],
    "/measures": ["", PERIOD],
    "/field-measures": [PERIOD],
    "/restatements": ["since=2016-01-01T00:00:00Z"],
    "/comparisons": [
        f"{PERIOD}&measure=net_revenue",
        f"{PERIOD}&figure=market_gross_margin",
        f"{PERIOD}&span=year_to_date&measure=orders.done",
    ],
    "/back-cast": [PERIOD],
    "/progress": [PERIOD],
    "/contributions": [f"{PERIOD}&figure={one}&centre_id=C1" for one in ("revenue", "pay")]
    + [f"{PERIOD}&figure=average_wage&centre_id=C1&against_period=201710"],
    "/forecasts": [f"{PERIOD}&centre_id=C1"],
    "/unit-targets": [""],
    "/unit-targets/{target_id}": [""],
    "/alerts": ["", "state=firing&state=quiet"],
    "/alerts/{alert_id}": [""],
    "/definitions": [""],
    "/figure-definitions": [""],
    "/figure-definitions/measures": [""],
    "/figure-definitions/versions": [""],
    "/figure-definitions/versions/{version}": [""],
}
"""What a contractor reads of its own centre."""
OTHERS = {
    "/measures": f"{PERIOD}&centre_id=C2",
    "/restatements": "since=2016-01-01T00:00:00Z&centre_id=C2",
    "/measures/{measure}/entries": f"{PERIOD}&centre_id=C2",
    "/progress": f"{PERIOD}&centre_id=C2",
    "/contributions": f"{PERIOD}&figure=revenue&centre_id=C2",
    "/forecasts": f"{PERIOD}&centre_id=C2",
    "/unit-targets/T-C2": "",
    "/unit-targets/T-county": "",
    "/alerts/{C2}": "",
    "/alerts/{county}": "",
}
"""Another centre by its name, or the county."""
COUNTYS = {
    "/contributions": f"{PERIOD}&figure=revenue",
    "/forecasts": PERIOD,
    "/alert-rules": "",
    "/alert-rules/defaults": "",
    "/webhooks": "",
    "/webhooks/{webhook_id}/deliveries": "",
    "/feed": "",
    "/metrics": "",
}
"""What is the county's alone."""


@pytest.fixture
async def alerts(app: FastAPI, peers: Peers, caller: Caller) -> dict[str, str]:
    """Return a county with something of everything; the ids of what fires by subject."""
    branch, manager, province = peers.branch_id, caller(Role.COUNTY_MANAGER), caller(Role.PROVINCE)
    await manager.put_webhook(branch, "ops", WebhookIn(url="https://1.1.1.1/", enabled=False))
    for target in TargetName:
        rule = AlertRuleIn(
            kind=AlertKind.VERDICT, name="n", name_zh="n", target=target, open_months=True
        )
        await manager.put_alert_rule(branch, target, rule)
    for centre_id in (None, "C1", "C2"):
        value = 7654321 if centre_id != "C1" else 1
        given = UnitTargetIn(
            measure="net_revenue",
            centre_id=centre_id,
            from_period=201711,
            to_period=201711,
            value=value,
            source="s",
        )
        await province.put_unit_target(branch, f"T-{centre_id or 'county'}", given)
    await peers.told(
        booked(201611, "C2", revenue=-1234567),
        booked(201710, "C1", revenue=-5),
        booked(201710, "C2", revenue=-1234567),
        paid("C1", 201710, 5, 2, 2),
        paid("C2", 201710, 1234567, 1, 1),
        contract("CT-2", "C2", {201611: month(revenue=1234567)}),
        *NOVEMBER,
        booked(201711, "C1", cost__commission=50_000),
        booked(201711, "C2", revenue=-1234567, cost__commission=7654321),
        finished("O1", "C1", on_time=True),
        finished("O2", "C2", on_time=None),
    )
    now = datetime.now(UTC)
    await catch_up(app.state.database, jobs(app.state.forecasters), branch, clock=lambda: now)
    found = {one.subject: one.alert_id or "" for one in await manager.alerts(branch)}
    assert {"C1", "C2", "county"} <= found.keys()
    return found


@pytest.fixture
async def http(app: FastAPI, branch_id: int) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


def url_of(branch_id: int, path: str, query: str = "", **ids: str) -> str:
    named = {"measure": "revenue", "target_id": "T-C1", "version": "0", "webhook_id": "ops"}
    filled = path.format_map(named | ids)
    prefix = "" if path == "/metrics" else f"/v1/branches/{branch_id}"
    return f"{prefix}{filled}?{query}"


def bearer(signed: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed}"}


def text_of(answer: httpx.Response) -> str:
    """Return what an answer says, of a workbook what its cells say."""
    if "spreadsheet" not in answer.headers["content-type"]:
        return answer.text
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    return "\n".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)


async def test_every_route_that_is_read_is_looked_at(app: FastAPI) -> None:
    read = {path for path, of in app.openapi()["paths"].items() if "get" in of} - OPEN
    seen = {*OWN, *OTHERS, *COUNTYS, *EVERYWHERE}
    assert {path.removeprefix("/v1/branches/{branch_id}") for path in read} - seen == set()


@pytest.mark.parametrize("role", [Role.CONTRACTOR, Role.SUPPORT_CENTRE, Role.COUNTY_MANAGER])
async def test_who_is_bound_to_a_centre_is_told_of_it_and_of_no_other(
    role: Role,
    alerts: dict[str, str],
    http: httpx.AsyncClient,
    token: Token,
    branch_id: int,
) -> None:
    headers = bearer(token(role, branch_id, ["C1"]))
    ids = {"alert_id": alerts["C1"]}
    for path, queries in OWN.items():
        for query in queries:
            answer = await http.get(url_of(branch_id, path, query, **ids), headers=headers)
            assert answer.status_code == 200, (path, answer.text)
            assert not NOBODYS.search(text_of(answer)), (path, query)
    for path, query in OTHERS.items():
        answer = await http.get(url_of(branch_id, path, query, **alerts), headers=headers)
        if answer.status_code == 200:
            assert answer.json()["items"] == [], path
        else:
            assert answer.status_code == 404, path
    for path, query in COUNTYS.items():
        answer = await http.get(url_of(branch_id, path, query), headers=headers)
        assert answer.status_code == 403, path
    supposed = {"centre_id": "C2", "period": 201711, "measure": "revenue", "change": 0}
    url = url_of(branch_id, "/targets/what-if")
    strange = await http.post(url, headers=headers, json={"period": 201711, "measures": [supposed]})
    assert strange.status_code == 422
    own = await http.post(url, headers=headers, json={"period": 201711})
    assert not NOBODYS.search(own.text)


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.BSS_SOURCE])
async def test_who_reads_no_figures_is_told_nothing(
    role: Role, alerts: dict[str, str], http: httpx.AsyncClient, token: Token, branch_id: int
) -> None:
    headers = bearer(token(role, branch_id, ["C1"], "P01"))
    asked = {**{path: queries[0] for path, queries in OWN.items()}, **OTHERS, **COUNTYS}
    for path, query in asked.items():
        url = url_of(branch_id, path, query, **{**alerts, "alert_id": alerts["C1"]})
        assert (await http.get(url, headers=headers)).status_code == 403, path


async def test_nobody_of_another_branch_is_told_anything(
    alerts: dict[str, str], http: httpx.AsyncClient, token: Token, branch_id: int
) -> None:
    headers = bearer(token(Role.COUNTY_MANAGER, branch_id + 100_000))
    asked = {**{path: queries[0] for path, queries in OWN.items()}, **OTHERS, **COUNTYS}
    for path, query in asked.items():
        url = url_of(branch_id, path, query, **{**alerts, "alert_id": alerts["C1"]})
        answer = await http.get(url, headers=headers)
        if path == "/metrics":
            assert str(branch_id) not in answer.text
        else:
            assert answer.status_code == 404, path
