import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from huaxiao.shared import trace
from huaxiao.shared.structured import LogFormat, RequestLog, tell, write_log

LOGGERS = (None, "huaxiao", "huaxiao.record", "uvicorn", "uvicorn.error", "uvicorn.access")


@pytest.fixture(autouse=True)
def loggers_as_they_were() -> Iterator[None]:
    before = [
        (one, list(one.handlers), one.level, one.propagate)
        for one in map(logging.getLogger, LOGGERS)
    ]
    for one, *_ in before:
        one.handlers = []
        one.setLevel(logging.NOTSET)
    yield
    for one, handlers, level, propagates in before:
        one.handlers, one.propagate = handlers, propagates
        one.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(one) for one in capsys.readouterr().err.splitlines()]


def test_a_line_for_machines_says_when_how_grave_from_where_in_which_trace_and_what(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_log(LogFormat.JSON, service="kpi")
    _, trace_id, span_id, _ = trace.adopt(None).split("-")
    error = ValueError("未结")
    logging.getLogger("huaxiao.kpi").error("cannot %s", "settle", exc_info=error)
    logging.getLogger("uvicorn.error").warning("stopping")

    said, served = lines(capsys)

    assert said["message"] == "cannot settle"
    assert (said["level"], said["service"], said["logger"]) == ("error", "kpi", "huaxiao.kpi")
    assert (said["trace_id"], said["span_id"]) == (trace_id, span_id)
    assert "ValueError: 未结" in str(said["exception"])
    assert served["message"] == "stopping"


def test_what_is_told_for_machines_is_json_even_where_the_rest_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_log(LogFormat.TEXT, service="kpi")
    tell(logging.INFO, "audit-head", branch_id=130123)

    assert lines(capsys) == [{"event": "audit-head", "branch_id": 130123}]


@asynccontextmanager
async def served() -> AsyncIterator[httpx.AsyncClient]:
    async def answer(request: Request) -> Response:
        if request.url.path == "/broken":
            raise RuntimeError
        return Response(status_code=409)

    routes = [Route(path, answer) for path in ("/asked", "/broken", "/kpi/healthz")]
    transport = httpx.ASGITransport(
        RequestLog(Starlette(routes=routes)), raise_app_exceptions=False
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        yield http


async def test_every_request_is_told_with_its_end_and_probes_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_log(LogFormat.JSON, service="kpi")
    async with served() as http:
        for path in ("/asked?token=secret", "/broken", "/kpi/healthz"):
            await http.get(path)

    told = [one for one in lines(capsys) if one.get("event") == "request"]

    assert [(one["method"], one["path"], one["status"]) for one in told] == [
        ("GET", "/asked", 409),
        ("GET", "/broken", 500),
    ]
    assert all(isinstance(one["milliseconds"], float) for one in told)
