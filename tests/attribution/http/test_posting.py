"""The documents' sender against the real service, behind something that fails."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from attribution.conftest import Sender
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from support.serving import serving

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.posting import pause_before, post_all, post_waiting
from huaxiao.shared.clients.retries import ATTEMPTS


class Unsteady:
    """Stands before the service: says it is away, or loses answers to what was done."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.away = 0
        self.losing = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.away:
            self.away -= 1
            await PlainTextResponse("away", 503, {"Retry-After": "0"})(scope, receive, send)
        elif self.losing:
            self.losing -= 1
            await self.app(scope, receive, _nowhere)
            await PlainTextResponse("lost", 502)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


async def _nowhere(message: Any) -> None:
    pass


@pytest.fixture
async def between(app: FastAPI) -> AsyncIterator[tuple[Unsteady, str]]:
    """Serve the app through it on a port; yield it and the address."""
    unsteady = Unsteady(app)
    async with serving(unsteady) as address:
        with stamina.set_testing(testing=True, attempts=ATTEMPTS, cap=True):
            yield unsteady, address


@pytest.fixture
def example(project: Path) -> Callable[..., Any]:
    page = (project / "docs" / "integrate-billing.md").read_text()
    text = next(re.finditer(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)).group(1)
    assert len(text.splitlines()) <= 20
    names: dict[str, Any] = {}
    exec(compile(text, "integrate-billing.md", "exec"), names)
    post: Callable[..., Any] = names["post"]
    return post


async def test_the_documents_sender_books_all_once_and_names_what_lies_in_quarantine(
    between: tuple[Unsteady, str],
    example: Callable[..., Any],
    token: Callable[..., str],
    manager: AttributionClient,
    county: int,
    sender: Sender,
    capsys: pytest.CaptureFixture[str],
) -> None:
    unsteady, address = between
    unsteady.away, unsteady.losing = ATTEMPTS + 1, ATTEMPTS + 1
    wrong = sender.bill("BI-2")
    wrong["data"]["amount_fen"] = 1.5
    early = sender.bill("BI-3", "S-404")
    await example(
        address, token(Role.BSS_SOURCE, county), [sender.opened(), sender.bill(), wrong, early]
    )

    said = capsys.readouterr().out
    assert said.split()[:2] == [wrong["id"], "bad-amount"]
    assert len(said.splitlines()) == 1
    books = await manager.reconciliation(county, 201711)
    assert {one.centre_id: one.amount_fen for one in books.revenue_by_centre}["C1"] == 10_000
    held = (await manager.quarantine(county)).items
    assert sorted(one.code for one in held) == ["bad-amount", "unknown-subscription"]


async def test_no_more_is_read_than_is_on_disk(
    caller: Callable[..., AttributionClient], county: int, sender: Sender
) -> None:
    read: list[str] = []

    def events() -> Iterator[Any]:
        for number in range(6):
            read.append(str(number))
            yield sender.bill(f"BI-{number}", f"S-{number}")

    posted = post_all(caller(Role.BSS_SOURCE), events(), at_once=2)
    assert [len(read) async for _ in posted] == [2, 2, 4, 4, 6, 6]


async def test_an_asynchronous_source_is_read_as_well(
    caller: Callable[..., AttributionClient], county: int, sender: Sender
) -> None:
    async def events() -> AsyncIterator[Any]:
        for number in range(3):
            yield sender.bill(f"BI-{number}", f"S-{number}")

    found = [event["id"] async for event, _ in post_all(caller(Role.BSS_SOURCE), events())]
    assert found == ["E-1", "E-2", "E-3"]


async def test_a_token_that_does_not_hold_is_told_at_once(
    between: tuple[Unsteady, str], sender: Sender
) -> None:
    async with AttributionClient(between[1], lambda: "none") as attribution:
        with pytest.raises(PeerProblem) as refused:
            _ = [one async for one in post_all(attribution, [sender.bill()])]
    assert (refused.value.code, refused.value.retry_after) == ("unauthenticated", None)


async def test_it_waits_while_nobody_is_there(
    between: tuple[Unsteady, str], token: Callable[..., str], county: int, sender: Sender
) -> None:
    """The first address answers nobody; the sender goes on until its own limit."""
    async with AttributionClient(
        "http://127.0.0.1:1", lambda: token(Role.BSS_SOURCE, county)
    ) as attribution:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                _ = [one async for one in post_all(attribution, [sender.bill()])]
        with pytest.raises(httpx.TransportError):
            await attribution.post_events([sender.bill()])


async def test_a_service_that_asks_to_wait_is_waited_for_as_long_as_was_said(
    between: tuple[Unsteady, str], token: Callable[..., str], county: int, sender: Sender
) -> None:
    unsteady, address = between
    heard: list[Any] = []
    async with AttributionClient(address, lambda: token(Role.BSS_SOURCE, county)) as attribution:
        unsteady.away = ATTEMPTS + 1
        taken = await post_waiting(
            attribution, [sender.opened()], most_seconds=60, waiting=heard.append
        )
        assert (taken.booked, [one.status for one in heard]) == (1, [503])
        unsteady.away = ATTEMPTS + 1
        with pytest.raises(PeerProblem) as refused:
            await post_waiting(attribution, [sender.bill()], most_seconds=0, waiting=heard.append)
    assert (refused.value.status, len(heard)) == (503, 1)


@pytest.mark.parametrize(
    ("tried", "asked", "left", "pause"),
    [
        (0, 0.0, math.inf, 1.0),
        (3, 0.0, math.inf, 8.0),
        (6, 0.0, math.inf, 60.0),
        (5_000, 0.0, math.inf, 60.0),
        (0, 7.0, 300.0, 7.0),
        (3, 7.0, 300.0, 8.0),
        (6, 0.0, 20.0, 20.0),
        (0, 20.0, 20.0, 20.0),
        (0, 21.0, 20.0, None),
        (0, 0.0, 0.0, None),
    ],
)
def test_pauses_grow_keep_to_what_is_asked_and_end_in_time(
    tried: int, asked: float, left: float, pause: float | None
) -> None:
    assert pause_before(tried, asked, left) == pause
