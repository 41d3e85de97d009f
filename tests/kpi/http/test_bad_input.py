"""What nobody should send: every route answers it with a problem of its own, and none breaks."""

import itertools
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from support.kpi_feeds import NOVEMBER, Peers

from huaxiao.kpi.settings import Settings
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.kpi import Span

Token = Callable[..., str]

PERIODS = (
    "200001",
    "200012",
    "201711",
    "209912",
    "000000",
    "199912",
    "201713",
    "201700",
    "209913",
    "210001",
    "1000000000",
    "-201711",
    "201711.0",
    "201711.5",
    "2e5",
    "٢٠١٧١١",
    "99999999999999999999999999",
    "\x00",
    "",
    "null",
)
TEXTS = ("\x00", "C1\x00", "", "..", "C1'--", "C" * 65, "C9", "%", "\U0001f600", "null")
MOMENTS = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-12:00",
    "2017-11-01",
    "2017-11-01T00:00:00",
    "1",
    "1e400",
    "99999999999999",
    "\x00",
    "",
)
CURSORS = ("\x00", "", "x", "W10=", "WzFd", "bnVsbA==", "W251bGxd", "é")


@pytest.fixture
async def client(
    app: FastAPI, peers: Peers, token: Token, branch_id: int
) -> AsyncIterator[httpx.AsyncClient]:
    """Return a manager's client that is given a broken answer as one, and not as an exception."""
    await peers.told(*NOVEMBER)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url=f"http://service/v1/branches/{branch_id}",
        headers={"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch_id)}"},
    ) as made:
        yield made


READS: dict[str, dict[str, tuple[str, ...]]] = {
    "/targets": {"period": PERIODS, "span": tuple(Span), "known_at": MOMENTS},
    "/figures": {"period": PERIODS, "span": tuple(Span), "known_at": MOMENTS},
    "/targets/sheet": {"period": PERIODS, "span": tuple(Span), "format": ("csv", "xlsx", "pdf")},
    "/measures/sheet": {"from_period": PERIODS, "to_period": PERIODS},
    "/measures": {"period": PERIODS, "centre_id": TEXTS, "known_at": MOMENTS, "cursor": CURSORS},
    "/field-measures": {
        "period": PERIODS,
        "field_id": TEXTS,
        "known_at": MOMENTS,
        "cursor": CURSORS,
    },
    "/measures/revenue/entries": {"period": PERIODS, "centre_id": TEXTS, "known_at": MOMENTS},
    "/restatements": {
        "since": MOMENTS,
        "until": MOMENTS,
        "period": PERIODS,
        "measure": TEXTS,
        "centre_id": TEXTS,
        "cursor": CURSORS,
    },
    "/figure-definitions": {"period": PERIODS},
    "/figure-definitions/versions": {"cursor": CURSORS, "limit": ("0", "-1", "501", "x")},
    "/unit-targets": {"cursor": CURSORS},
    "/progress": {"period": PERIODS, "centre_id": TEXTS, "known_at": MOMENTS},
    "/comparisons": {
        "period": PERIODS,
        "span": tuple(Span),
        "measure": ("net_revenue", "average_headcount", "cost.x", "cost.", *TEXTS),
        "figure": ("market_gross_margin", "average_wage_growth", *TEXTS),
        "direction": ("higher", "lower", "up"),
        "known_at": MOMENTS,
    },
    "/back-cast": {"period": PERIODS, "span": tuple(Span), "known_at": MOMENTS},
    "/contributions": {
        "figure": ("revenue", "market_gross_margin", "net_cash", "average_wage", "x"),
        "period": PERIODS,
        "against_period": PERIODS,
        "span": tuple(Span),
        "centre_id": TEXTS,
        "volume": ("orders.done", "headcount", "revenue", *TEXTS),
    },
    "/forecasts": {"period": PERIODS, "centre_id": TEXTS},
    "/alerts": {"state": ("firing", "x", "\x00"), "cursor": CURSORS},
    "/webhooks/W/deliveries": {"state": ("dead", "x"), "cursor": CURSORS},
}
GOOD = {
    "period": "201711",
    "since": "2017-01-01T00:00:00Z",
    "from_period": "201711",
    "to_period": "201711",
    "measure": "net_revenue",
    "centre_id": "C1",
    "figure": "revenue",
    "span": "month",
}


def _questions(route: str) -> list[list[tuple[str, str]]]:
    """Return questions of a route: each with one parameter odd, or two of them, or one twice."""
    odd = READS[route]
    needed = {
        "/comparisons": ("period", "measure"),
        "/contributions": ("period", "figure"),
        "/measures/sheet": ("from_period", "to_period"),
        "/restatements": ("since",),
        "/measures/revenue/entries": ("period", "centre_id"),
    }.get(route, ("period",) if "period" in odd else ())
    plain = {name: GOOD[name] for name in needed}
    asked: list[list[tuple[str, str]]] = [[], list(plain.items())]
    for name, values in odd.items():
        for value in values:
            given = plain | {name: value}
            if route == "/comparisons" and name == "figure":
                given.pop("measure")
            asked.append(list(given.items()))
            asked.append([*plain.items(), (name, value), (name, value)])
    if "span" in odd:
        for period, span in itertools.product(PERIODS[:4], Span):
            asked.append(list((plain | {"period": period, "span": span}).items()))
            if "against_period" in odd:
                for against in PERIODS[:4]:
                    extra = {"period": period, "span": span, "against_period": against}
                    asked.append(list((plain | extra).items()))
    return asked


@pytest.mark.parametrize("route", READS)
async def test_no_question_breaks_a_route(client: httpx.AsyncClient, route: str) -> None:
    broken = []
    for params in _questions(route):
        answer = await client.get(route, params=params)
        if answer.status_code >= 500 and answer.status_code != 503:
            broken.append((params, answer.status_code))
        elif answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
    assert broken == []


def _nested(depth: int) -> dict[str, Any]:
    formula: dict[str, Any] = {"op": "measure", "measure": "orders.done"}
    for _ in range(depth):
        formula = {"op": "sum", "terms": [formula]}
    return formula


def _figure(**given: Any) -> dict[str, Any]:
    return {
        "figure": "mine",
        "title": "t",
        "title_zh": "t",
        "text": "",
        "text_zh": "",
        "source": "s",
        "unit": "orders",
        "direction": "higher",
        "shown_as": "number",
        "formula": _nested(0),
    } | given


ODD: tuple[Any, ...] = (None, True, 0, -1, 1.5, 10**30, "", "\x00", "x" * 5000, [], {}, [[]], "NaN")
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "/unit-targets/T1": (
        "PUT",
        {
            "measure": "net_revenue",
            "centre_id": "C1",
            "from_period": 201711,
            "to_period": 201711,
            "value": 1,
            "direction": "higher",
            "source": "s",
        },
    ),
    "/unit-targets/T1/withdraw": ("POST", {"reason": "r"}),
    "/figure-definitions/versions/1": ("PUT", {"figures": [_figure()]}),
    "/figure-definitions/versions/1/put-in-force": ("POST", {"from_period": 203012}),
    "/targets/what-if": (
        "POST",
        {
            "period": 201711,
            "span": "month",
            "measures": [{"centre_id": "C1", "period": 201711, "measure": "revenue", "amount": -1}],
            "goals": [{"target": "market_gross_margin", "goal": "0.9"}],
        },
    ),
    "/alert-rules/R1": (
        "PUT",
        {
            "kind": "verdict",
            "name": "n",
            "name_zh": "n",
            "target": "market_gross_margin",
            "centre_ids": ["C1"],
            "margin": "0.01",
            "probability_below": "0.5",
            "days": 1,
            "hours": 1,
        },
    ),
    "/webhooks/W1": ("PUT", {"url": "https://ops.example/kpi", "enabled": False}),
    "/alerts/A1/acknowledgement": ("POST", {"note": "n"}),
}


def _altered(given: Any) -> list[Any]:
    """Return a body with each of its values, at every depth, taken out or odd."""
    found: list[Any] = list(ODD)
    if isinstance(given, dict):
        for name, value in given.items():
            found.append({key: one for key, one in given.items() if key != name})
            found += [given | {name: one} for one in _altered(value)]
        found.append(given | {"unknown": 1})
    elif isinstance(given, list) and given:
        found += [[one] for one in _altered(given[0])]
        found.append(given * 2)
    return found


@pytest.mark.parametrize("route", BODIES)
async def test_no_body_breaks_a_route(client: httpx.AsyncClient, route: str) -> None:
    method, good = BODIES[route]
    broken = []
    for given in _altered(good):
        answer = await client.request(method, route, content=json.dumps(given))
        if answer.status_code >= 500:
            broken.append((given, answer.text))
    for raw in (b"", b"{", b"\xff", b'{"a":' * 100_000, b"[" * 100_000, b'"\\ud800"', b"NaN"):
        answer = await client.request(method, route, content=raw)
        if answer.status_code >= 500:
            broken.append((raw[:20], answer.text))
    assert broken == []


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    client: httpx.AsyncClient,
) -> None:
    most = Settings.model_fields["max_body_bytes"].default
    answer = await client.put("/figure-definitions/versions/1", content=b" " * (most + 1))
    assert answer.status_code == 413
