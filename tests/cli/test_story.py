"""The demo's story against the suite behind one port, as `huaxiao demo` tells it."""

import io
import socket
from collections.abc import AsyncIterator

import pytest
from rich.cells import cell_len
from rich.console import Console
from support.postgres import PreparedDatabase, database_like_a_new_one

from huaxiao.cli import embedded
from huaxiao.cli.demo import run_demo
from huaxiao.cli.story import Endpoints
from huaxiao.cli.suite import Keys, listen, serving
from huaxiao.shared.issuer import Issuer

SEED = 201711
SUBSCRIBERS = 300
_HOST = "127.0.0.1"


@pytest.fixture
def own_database(prepared: PreparedDatabase, worker: str) -> embedded.EmbeddedPostgres:
    """Return a database that nobody has written to."""
    own = database_like_a_new_one(prepared.postgres, f"story_{worker}")
    return embedded.EmbeddedPostgres(own.postgres.server, own.name)


@pytest.fixture
async def suite(
    own_database: embedded.EmbeddedPostgres, keys: Keys, issuer: Issuer
) -> AsyncIterator[Endpoints]:
    with listen(_HOST, 0) as bound:
        async with serving(own_database, keys, bound) as gateway:
            yield Endpoints.behind(gateway, issuer)


async def tell(
    suite: Endpoints, *, seed: int = SEED, subscribers: int = SUBSCRIBERS
) -> tuple[bool, str]:
    """Tell the story; return whether every check held, and what the terminal showed."""
    shown = io.StringIO()
    console = Console(file=shown, width=100)
    held = await run_demo(suite, seed=seed, console=console, subscribers=subscribers)
    return held, shown.getvalue()


@pytest.mark.slow
async def test_the_story_holds_every_check_again_and_again_and_refuses_another_county(
    suite: Endpoints,
) -> None:
    held, first = await tell(suite)
    assert held, first
    held, again = await tell(suite)
    assert held, again
    assert "✗" not in first + again
    assert all(cell_len(line) <= 100 for line in first.splitlines())

    held, other = await tell(suite, seed=SEED + 1)

    assert not held
    assert "huaxiao demo --data DIRECTORY" in other


async def test_the_story_says_what_to_do_when_no_service_answers(issuer: Issuer) -> None:
    with socket.socket() as unheard:
        unheard.bind((_HOST, 0))
        nowhere = f"http://{_HOST}:{unheard.getsockname()[1]}"
        held, shown = await tell(Endpoints.behind(nowhere, issuer), subscribers=50)

    assert not held
    assert "A service did not answer" in shown
    assert "The demo may be run again" in shown


def test_connections_to_the_suite_do_not_wait_for_full_packets() -> None:
    # asyncio sets TCP_NODELAY on accepted connections only where this protocol is named.
    with listen(_HOST, 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP
