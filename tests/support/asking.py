"""Every route of a service by its OpenAPI document, and requests made from that."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
from fastapi import FastAPI
from hypothesis import find, settings
from hypothesis import strategies as st

JSON = "application/json"


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
