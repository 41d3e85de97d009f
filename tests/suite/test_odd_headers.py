"""Odd headers, parameters and sizes, to every route of every service: 4xx, never 5xx.

Each route gets each odd value of a kind in turn; what no route may take is sent to all of them.
"""

import itertools
import json
import re
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from suite.conftest import Asker
from support.asking import JSON, Asking

from huaxiao.shared.provision import SERVICES

LONG = "x" * 20_000
HEADERS: dict[str, tuple[bytes, ...]] = {
    "Accept": (b"", b"text/html;q=NaN", b"*/*;" + LONG.encode(), b"\xff\xfe", b"application/xml"),
    "Accept-Language": (b"zh;q=x", b"\xff", b",,,;", LONG.encode()),
    "If-Match": (b"", b'"', b"*", b'W/"1"', b"\xff\xfe", LONG.encode(), b'"a", "b"', b"\x00"),
    "If-None-Match": (b"*", b'"', b"\xff"),
    "Prefer": (b"wait=-1", b"wait=99999999999999999999", b"wait", b"\xff", b"wait=NaN"),
    "traceparent": (b"", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01", b"\xff", LONG.encode()),
    "X-Forwarded-For": (b"\xff", b"999.1.1.1", LONG.encode(), b"127.0.0.1, ::1"),
    "Content-Encoding": (b"gzip", b"\xff", b"identity, gzip", LONG.encode()),
    "Content-Type": (
        *(b"", b"\xff", b"application/json; charset=utf-16", b"multipart/form-data"),
        *(b"multipart/form-data; boundary=", b"application/x-www-form-urlencoded", LONG.encode()),
    ),
}
KEYS = (b"", b"k" * 256, b"a\x01b", b"\x7f", b"a\tb", b"\xff\xfe")
"""What is no Idempotency-Key: nothing, too long, control characters, no text."""
PARTS = ("%00", "%ED%A0%80", "%F0%9F%98%80", "..%2F..", "%0A", "'", "1e999", "9" * 4_999, "-1")
VALUES = (*PARTS, "", "NaN", "null", "a%00b", "%E2%80%AE", "2017-02-30", "true&limit=1&limit=2")
SIZES = ("0", "-1", "1000000000", "NaN", "1.5", "", "9" * 4_999)
TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
MIB = 1 << 20


def operations(to: Asking) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the routes, without those that wait for news or say what may be answered to whom."""
    for method, path, operation in to.document.operations():
        if not path.endswith("/feed"):
            yield method, path, operation


def good(to: Asking, operation: dict[str, Any]) -> dict[str, Any]:
    """Return a body of the right form, as it is given to a request."""
    if (body := to.document.body(operation)) is None:
        return {}
    return {"content": json.dumps(body).encode(), "headers": {"Content-Type": JSON}}


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_no_odd_header_breaks_a_route(service: str, asking: Asker) -> None:
    turn = itertools.count()
    async with asking(service) as to:
        for method, path, operation in operations(to):
            given = good(to, operation)
            for name, values in HEADERS.items():
                value = values[next(turn) % len(values)]
                headers = {**given.get("headers", {}), name: value}
                sent = given | {"headers": headers}
                answer = await to.ask(method, to.address(path), f"{name}: {value[:40]!r}", **sent)
                assert TRACE.fullmatch(answer.headers["traceparent"]), (method, path)
        assert to.broken == []


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_no_idempotency_key_is_refused_wherever_one_is_taken(
    service: str, asking: Asker
) -> None:
    taken = 0
    async with asking(service) as to:
        for method, path, operation in operations(to):
            names = {one["name"].lower() for one in operation.get("parameters", ())}
            if "idempotency-key" not in names:
                continue
            taken += 1
            given = good(to, operation)
            for key in KEYS:
                headers = {**given.get("headers", {}), "Idempotency-Key": key}
                sent = given | {"headers": headers}
                answer = await to.ask(method, to.address(path), repr(key[:20]), **sent)
                assert 400 <= answer.status_code < 500, (method, path, key, answer.text)
        assert to.broken == []
    assert taken


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_no_odd_part_or_parameter_breaks_a_route(service: str, asking: Asker) -> None:
    turn = itertools.count()
    async with asking(service) as to:
        for method, path, operation in operations(to):
            given = good(to, operation)
            for one in operation.get("parameters", ()):
                address = to.address(path)
                if one["in"] == "path":
                    odd = PARTS[next(turn) % len(PARTS)]
                    address = to.address(path.replace(f"{{{one['name']}}}", odd))
                elif one["in"] == "query":
                    address += f"?{one['name']}={VALUES[next(turn) % len(VALUES)]}"
                await to.ask(method, address, one["name"], **given)
        assert to.broken == []


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_no_page_is_longer_or_shorter_than_pages_are(service: str, asking: Asker) -> None:
    paged = 0
    async with asking(service) as to:
        for method, path, operation in operations(to):
            (limit, *_) = [
                one for one in operation.get("parameters", ()) if one["name"] == "limit"
            ] or [None]
            if limit is None:
                continue
            paged += 1
            most = limit["schema"]["maximum"]
            assert most <= 500, path
            for size in (*SIZES, str(most + 1)):
                answer = await to.ask(method, f"{to.address(path)}?limit={size}", size)
                assert 400 <= answer.status_code < 500, (path, size, answer.text)
        assert to.broken == []
    assert paged


async def endless(sent: list[int]) -> AsyncIterator[bytes]:
    """Yield a hundred mebibytes of a JSON text, and count what was taken of it."""
    yield b'{"a":"'
    for _ in range(1_600):
        sent[0] += 1 << 16
        yield b"x" * (1 << 16)


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_a_hundred_mebibytes_are_refused_while_they_arrive(
    service: str, asking: Asker
) -> None:
    async with asking(service) as to:
        asked = 0
        for method, path, operation in operations(to):
            for kind in operation.get("requestBody", {}).get("content", {}):
                if kind == "application/x-ndjson":
                    continue  # of any length; a line of a mebibyte is refused
                sent = [0]
                # What is done at the first is done at all: the rest shows that none is left out.
                if not asked:
                    tracemalloc.start()
                answer = await to.ask(
                    method,
                    to.address(path),
                    f"100 MiB of {kind}",
                    content=endless(sent),
                    headers={"Content-Type": kind},
                )
                if not asked:
                    _, most = tracemalloc.get_traced_memory()
                    tracemalloc.stop()
                    assert most < 64 * MIB
                asked += 1
                assert 400 <= answer.status_code < 500, (method, path, answer.text)
                assert sent[0] < 65 * MIB, (method, path, sent)
        assert to.broken == []
    assert asked
