"""What no sender should send, to every route that writes, by the OpenAPI documents: 4xx, never 5xx.

From each document a body of the right form is made, with everything that may be given; then each
text in it is replaced by an odd one, each number by an odd one, and each value left out. What is not
JSON, or too deep, too long or too large, is sent as it is. Whoever asks may do everything, so that
nothing is refused before it is read.
"""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from suite.conftest import Asker
from support.asking import JSON

from huaxiao.shared.provision import SERVICES

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
