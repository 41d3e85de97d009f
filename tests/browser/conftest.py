"""The demo's county in the running suite, and a real browser before its console.

Only ``make browser`` collects these tests: they need a Chromium and some minutes.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from support.browsing import CHROMIUM, DESK, Enter, Visit
from support.suite import reachable, run, up

collect_ignore_glob = [] if os.environ.get(CHROMIUM) else ["test_*.py"]
_SUBSCRIBERS = os.environ.get("HUAXIAO_BROWSER_SUBSCRIBERS", "10000")
"""The plan's figures, and so the pictures, hold for 10,000."""
_TRIES = 5


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = reachable(tmp_path_factory.mktemp("browser"))
    asked = ("demo", "--data", str(made), "--port", "0", "--exit", "--subscribers", _SUBSCRIBERS)
    for _ in range(_TRIES):
        # Where the machine is busy a deadline may pass; what is booked stays booked.
        told = run(*asked)
        if told.returncode == 0:
            break
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
    return made


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

    def sign_in(role: str, *who: str, size: tuple[int, int] = DESK, language: str = "zh") -> Visit:
        asked = ("--role", role, "--branch", "130123", "--data", str(data), *who)
        token = run("token", *asked).stdout.strip()
        visits.append(Visit(browser, address, token, size, language))
        return visits[-1]

    yield sign_in
    for one in visits:
        one.page.context.close()
