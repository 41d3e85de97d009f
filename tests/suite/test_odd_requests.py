"""What no sender should send, to every route that writes, by the OpenAPI documents: 4xx, never 5xx.

From each document a body of the right form is made, with everything that may be given; then each
text in it is replaced by an odd one, each number by an odd one, and each value left out. What is not
JSON, or too deep, too long or too large, is sent as it is. Whoever asks may do everything, so that
nothing is refused before it is read.
"""

import itertools
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import find, settings
from hypothesis import strategies as st

from huaxiao.cli.suite import create_service
from huaxiao.shared.auth import Role
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.provision import SERVICES

JSON = "application/json"
NUL, LONE, LONG = "\x00", "\ud800", "字" * 5_000
TEXTS = (
    LONG,
    "a\x00b",
    "\udfff\U0001f600",
    "\u202e\u0301\ufeff\uffff",
    "'; --",
    "",
    0,
    None,
    [],
    {},
)
"""5,000 characters, halves in the middle, what turns, combines or closes a quotation, and no texts."""
NUMBERS = (10**30, -(10**30), 2**63, 1.5, True, "5", None)
RAW = {
    "nothing": b"",
    "no text": b"\xff\xfe",
    "cut off": b'{"a":',
    "a million digits": b'{"a":' + b"9" * 1_000_000 + b"}",
    "no number": b'{"a":NaN,"b":Infinity,"c":1e400}',
    "ten thousand deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "lists ten thousand deep": b"[" * 10_000 + b"]" * 10_000,
    "half of a pair": b'"\\ud800"',
    "half of a pair as a name": b'{"\\ud800":1}',
    "NUL as a name": b'{"\\u0000":1}',
    "UTF-8 of half a pair": b'{"a":"\xed\xa0\x80"}',
}


@cache
def matching(pattern: str, least: int, most: int) -> str:
    """Return the simplest text of a pattern and length."""
    return find(
        st.from_regex(pattern, fullmatch=pattern.endswith("$")),
        lambda text: least <= len(text) <= most and "\n" not in text,
        settings=settings(database=None, max_examples=20_000),
    )


class Document:
    """One service's document, and bodies made from it."""

    def __init__(self, stated: dict[str, Any]) -> None:
        self.stated = stated

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, methods in self.stated["paths"].items():
            for method, operation in methods.items():
                yield method, path, operation

    def body(self, operation: dict[str, Any]) -> Any:
        """Return a body of the right form, or nothing where none is asked for."""
        content = operation.get("requestBody", {}).get("content", {})
        return self.make(content[JSON]["schema"]) if JSON in content else None

    def make(self, schema: dict[str, Any], depth: int = 0) -> Any:
        if "$ref" in schema:
            named = self.stated["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            return self.make(named, depth + 1)
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                given = [one for one in schema[choice] if one.get("type") != "null"]
                return (
                    None
                    if depth > 12 and len(given) < len(schema[choice])
                    else self.make(given[0], depth)
                )
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("examples"):
            return schema["examples"][0]
        return self._plain(schema, depth)

    def _plain(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type", "object")
        if kind == "object":
            given = {
                name: self.make(one, depth + 1)
                for name, one in schema.get("properties", {}).items()
            }
            return given or {"a": "a"}
        if kind == "array":
            return (
                [self.make(schema.get("items", {"type": "string"}), depth + 1)]
                if depth < 12
                else []
            )
        if kind == "string":
            return self._text(schema)
        if kind in {"integer", "number"}:
            return max(1, schema.get("minimum", 1))
        return kind == "boolean"

    @staticmethod
    def _text(schema: dict[str, Any]) -> str:
        known = {
            "date": "2017-11-01",
            "date-time": "2017-11-01T08:00:00Z",
            "uri": "https://county.example/x",
            "time": "08:00:00",
            "duration": "PT1H",
        }
        if schema.get("format") in known:
            return known[schema["format"]]
        least, most = schema.get("minLength", 1), schema.get("maxLength", 10_000)
        return (
            matching(schema["pattern"], least, most) if "pattern" in schema else "x" * max(least, 1)
        )


def altered(given: Any, turn: Iterator[int]) -> Iterator[Any]:
    """Yield a body with each of its values, at any depth, odd or left out.

    Each text is half a pair once, and NUL once, and one of the other odd texts in turn.
    """
    if isinstance(given, dict):
        for name, value in given.items():
            yield {key: one for key, one in given.items() if key != name}
            for one in altered(value, turn):
                yield given | {name: one}
        yield given | {LONE: 1}
        yield (given | {NUL: 1}, [], None)[next(turn) % 3]
    elif isinstance(given, list):
        for value in given[:1]:
            for one in altered(value, turn):
                yield [one]
        yield (given * 2, {}, [LONE], [[]])[next(turn) % 4]
    elif isinstance(given, str):
        yield from (LONE, NUL, TEXTS[next(turn) % len(TEXTS)])
    else:
        yield NUMBERS[next(turn) % len(NUMBERS)]


def written(given: Any) -> bytes:
    return json.dumps(given).encode()


class Asking:
    """Sends to a service, and keeps what it broke by."""

    def __init__(self, app: FastAPI, token: str, branch_id: int) -> None:
        self.document = Document(app.openapi())
        self.broken: list[str] = []
        self.asked = 0
        self._branch_id = branch_id
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
            base_url="http://service",
            headers={"Authorization": f"Bearer {token}"},
        )

    async def close(self) -> None:
        await self._client.aclose()

    def address(self, path: str) -> str:
        filled = path.replace("{branch_id}", str(self._branch_id))
        for name, value in (("period", "201711"), ("version", "1"), ("day", "2017-11-01")):
            filled = filled.replace(f"{{{name}}}", value)
        return re.sub(r"{\w+}", "X1", filled)

    async def ask(self, method: str, url: str, told: str, **given: Any) -> httpx.Response:
        answer = await self._client.request(method, url, **given)
        self.asked += 1
        if answer.status_code >= 500 and answer.status_code != 501:
            self.broken.append(f"{answer.status_code} {method} {url} {told[:200]}")
        return answer


Asker = Callable[[str], Any]


@pytest.fixture
def asking(settings_for: Callable[[str], dict[str, Any]], issuer: Issuer, branch_id: int) -> Asker:
    token = issuer.token("odd", roles=list(Role), branch_ids=[branch_id], person_id="P1")

    @asynccontextmanager
    async def begun(service: str) -> AsyncIterator[Asking]:
        app = create_service(service, settings_for(service))
        made = Asking(app, token, branch_id)
        yield made
        await made.close()
        await app.state.database.close()

    return begun


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_no_odd_value_in_a_body_breaks_a_route(service: str, asking: Asker) -> None:
    turn = itertools.count()
    async with asking(service) as to:
        for method, path, operation in to.document.operations():
            if (good := to.document.body(operation)) is None:
                continue
            headers = {"Content-Type": JSON}
            bodies = {written(one) for one in altered(good, turn)}
            for body in sorted(bodies):
                await to.ask(method, to.address(path), body.decode(), content=body, headers=headers)
        assert (to.broken, to.asked > 0) == ([], True), to.asked


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
async def test_no_body_that_is_not_what_is_asked_for_breaks_a_route(
    service: str, asking: Asker
) -> None:
    async with asking(service) as to:
        for method, path, operation in to.document.operations():
            for kind in operation.get("requestBody", {}).get("content", {}):
                for told, body in RAW.items():
                    answer = await to.ask(
                        method,
                        to.address(path),
                        f"{kind}: {told}",
                        content=body,
                        headers={"Content-Type": kind},
                    )
                    if kind == JSON and answer.status_code < 400 and body:
                        to.broken.append(f"taken: {method} {path}: {told}")
        assert to.broken == []
