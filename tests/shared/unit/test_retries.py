"""Retries: a few, apart from each other, when the peer says so, and never a storm."""

import random
from collections import Counter
from contextlib import suppress
from typing import Any

import httpx
import pytest
import stamina

from huaxiao.shared.clients.base import PeerProblem, ServiceClient
from huaxiao.shared.clients.retries import ATTEMPTS, RetryBudget, retry_after


class Asking(ServiceClient):
    async def ask(self, number: int) -> Any:
        return await self._get(dict[str, int], f"/{number}")


@pytest.fixture
def without_waiting() -> Any:
    with stamina.set_testing(testing=True, attempts=ATTEMPTS, cap=True):
        yield


@pytest.mark.usefixtures("without_waiting")
@pytest.mark.parametrize("errors", [0.1, 0.5, 1.0])
async def test_a_peer_that_fails_gets_little_more_than_it_was_asked(errors: float) -> None:
    chance, sent = random.Random(7), Counter[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        sent[request.url.path] += 1
        if chance.random() < errors:
            return httpx.Response(503, json={"code": "unavailable"}, headers={"Retry-After": "1"})
        return httpx.Response(200, json={})

    calls = 1_000
    async with Asking("http://peer", lambda: "t", transport=httpx.MockTransport(answer)) as peer:
        for number in range(calls):
            with suppress(PeerProblem):
                await peer.ask(number)

    assert max(sent.values()) <= ATTEMPTS
    assert sent.total() / calls <= 1.2


@pytest.mark.usefixtures("without_waiting")
@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_through_a_short_fault_a_call_is_tried_three_times(status: int) -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        return httpx.Response(status if len(sent) < ATTEMPTS else 200, json={})

    async with Asking("http://peer", lambda: "t", transport=httpx.MockTransport(answer)) as peer:
        await peer.ask(1)

    assert sent == ["/1"] * ATTEMPTS


@pytest.mark.usefixtures("without_waiting")
async def test_a_refusal_is_not_asked_for_twice() -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        return httpx.Response(409, json={"code": "conflict"})

    async with Asking("http://peer", lambda: "t", transport=httpx.MockTransport(answer)) as peer:
        with pytest.raises(PeerProblem):
            await peer.ask(1)

    assert sent == ["/1"]


def test_pauses_grow_keep_to_what_is_asked_and_are_never_the_same_for_all() -> None:
    def pauses(chance: float, asked: float | None) -> list[float | bool]:
        tries = RetryBudget(lambda: chance).call()
        return [tries.pause(asked, remaining=None) for _ in range(ATTEMPTS)]

    assert pauses(0.0, None) == [0.1, 0.2, False]
    assert pauses(0.5, None) == [0.6, 0.7, False]
    assert pauses(0.0, 7.0) == [7.0, 7.0, False]
    assert pauses(0.5, 7.0) == [7.5, 7.5, False]
    assert pauses(0.5, 60.0) == [False, False, False]


def test_there_is_no_retry_that_would_come_after_the_deadline() -> None:
    tries = RetryBudget(lambda: 0.5).call()

    assert tries.pause(3.0, remaining=3.0) is False
    assert tries.pause(3.0, remaining=4.0) == 3.5


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("", None), ("-1", None), ("1.5", None)],
)
def test_what_a_peer_asks_for_is_read(header: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": header}) == seconds
