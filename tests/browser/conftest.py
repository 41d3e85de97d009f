"""The demo's county in the running suite, and a real browser before its console.

Only ``make browser`` collects these tests: they need a Chromium and some minutes.
"""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, sync_playwright
from support.awkward_events import post_astray, post_awkward_events
from support.browsing import CHROMIUM, DESK, Enter, Visit
from support.later_months import live_on
from support.suite import run, up

from huaxiao.cli.sample.county import BRANCH_ID
from huaxiao.cli.story import Endpoints
from huaxiao.cli.suite import Keys
from huaxiao.shared.auth import Role

collect_ignore_glob = [] if os.environ.get(CHROMIUM) else ["test_*.py"]
_SUBSCRIBERS = os.environ.get("HUAXIAO_BROWSER_SUBSCRIBERS", "10000")
"""The plan's figures, and so the pictures, hold for 10,000."""
_TRIES = 5


@pytest.fixture(scope="session")
def data() -> Iterator[Path]:
    """Return where the demo's month was lived: now, or before in a directory that is named."""
    if lived := os.environ.get("HUAXIAO_BROWSER_DATA"):
        yield Path(lived)
        return
    # Not below pytest's own folder, which another run of it closes to the database's user.
    with TemporaryDirectory(prefix="huaxiao-browser-") as home:
        Path(home).chmod(0o755)
        yield _live_a_month(Path(home) / "data")


def _live_a_month(made: Path) -> Path:
    asked = ("demo", "--data", str(made), "--port", "0", "--exit", "--subscribers", _SUBSCRIBERS)
    for _ in range(_TRIES):
        # Where the machine is busy a deadline may pass; what is booked stays booked.
        told = run(*asked)
        if told.returncode == 0:
            return made
    raise AssertionError(told.stdout[-3000:] + told.stderr[-3000:])


@pytest.fixture(scope="session")
def address(data: Path) -> Iterator[str]:
    with up(data) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=os.environ[CHROMIUM],
            # In a container nobody but root is there, for whom Chromium has no sandbox.
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        yield launched
        launched.close()


@pytest.fixture
def enter(browser: Browser, address: str, data: Path) -> Iterator[Enter]:
    visits: list[Visit] = []

    issuer = Keys.under(data).issuer()

    def sign_in(
        role: Role,
        *,
        centre: str | None = None,
        person: str | None = None,
        size: tuple[int, int] = DESK,
        language: str = "zh",
    ) -> Visit:
        token = issuer.token(
            f"browser:{role}",
            roles=[role],
            branch_ids=[BRANCH_ID],
            centre_ids=[centre] if centre else None,
            person_id=person,
        )
        visits.append(Visit(browser, address, token, size, language))
        return visits[-1]

    yield sign_in
    for one in visits:
        one.page.context.close()


@pytest.fixture
def later(address: str, data: Path) -> None:
    """Let the county live through two more months."""
    endpoints = Endpoints.behind(address, Keys.under(data).issuer())
    # A loop of its own: the browser's runs in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, live_on(endpoints)).result()


@pytest.fixture
def awkward(address: str, data: Path) -> str:
    """Post what cannot be booked as it stands; return the source of all of it, new each time."""
    endpoints = Endpoints.behind(address, Keys.under(data).issuer())
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, post_awkward_events(endpoints)).result()


@pytest.fixture
def astray(address: str, data: Path) -> str:
    """Post what names a wrong branch as the manager who visits; return the source of all of it."""
    signed = (
        Keys.under(data)
        .issuer()
        .token(
            f"browser:{Role.COUNTY_MANAGER}", roles=[Role.COUNTY_MANAGER], branch_ids=[BRANCH_ID]
        )
    )
    endpoints = Endpoints.behind(address, Keys.under(data).issuer())
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, post_astray(endpoints, lambda: signed)).result()
