"""A real Chromium before the console: somebody signed in, and what axe finds on a page."""

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page

CHROMIUM = "HUAXIAO_CHROMIUM"
"""Names the browser that ``make browser`` drives."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_AXE = next((Path(__file__).parents[1] / "browser" / "axe").glob("axe-*.min.js"))
_RUN_AXE = """axe.run().then((found) => JSON.stringify(found.violations.map((one) =>
  `${one.id}: ${one.help} at ${one.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`)))"""
_PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
_LARGEST_PICTURE = 200_000
_SETTLED_MS = 700
"""Charts draw themselves within 300 ms once their data is there."""
DESK, PHONE = (1280, 800), (390, 844)


def chromium() -> str | None:
    """Return the Chromium of this machine, if there is one."""
    named = os.environ.get(CHROMIUM)
    return named or next(filter(None, map(shutil.which, _NAMES)), None)


@dataclass
class Visit:
    """Somebody's browser, signed in by the form."""

    browser: Browser
    address: str
    token: str
    size: tuple[int, int] = DESK
    language: str = "zh"
    complaints: list[str] = field(default_factory=list)
    """What the page's scripts or its policy complained of."""

    def __post_init__(self) -> None:
        width, height = self.size
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", accept_downloads=True
        )
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(f"{self.address}/sign-in?lang={self.language}")
        self.page.locator("textarea[name=token]").fill(self.token)
        self.page.locator(".sign-in button").click()
        self.page.wait_for_url(re.compile(r"/branches/\d+/"))

    def _hear(self, message: ConsoleMessage) -> None:
        # A refusal is part of a journey; that a page could not do something is not.
        refused = re.search(r"status of 4|Status Error Code 4", message.text)
        if message.type == "error" and not refused:
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        """Open a page of the branch, and wait until all of it is there."""
        self.page.goto(f"{self.address}/branches/130123/{path}")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until nothing is fetched any more and charts are drawn."""
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(_SETTLED_MS)

    def accept(self) -> None:
        """Hold the page against axe, and against its own policy."""
        session = self.page.context.new_cdp_session(self.page)
        # The page's policy keeps out every script but its own; the browser's debugger is not bound by it.
        _evaluate(session, _AXE.read_text())
        found = json.loads(_evaluate(session, _RUN_AXE))
        assert found == [], f"{self.page.url}: {found}"
        assert self.complaints == [], f"{self.page.url}: {self.complaints}"

    def send(self, button: str) -> None:
        """Press a form's button, and wait for what comes of it."""
        with self.page.expect_response(lambda answer: answer.request.method == "POST"):
            self.page.get_by_role("button", name=button, exact=True).last.click()
        self.settle()
        refused = self.page.locator("#problems").inner_text()
        assert not refused, refused

    def picture(self, name: str) -> None:
        """Keep what is on the screen as a picture of the documents."""
        _PICTURES.mkdir(exist_ok=True)
        taken = self.page.screenshot(path=_PICTURES / f"{name}.png")
        assert len(taken) < _LARGEST_PICTURE, f"{name}: {len(taken)} bytes"


def _evaluate(session: Any, expression: str) -> Any:
    answer = session.send(
        "Runtime.evaluate",
        {"expression": expression, "awaitPromise": True, "returnByValue": True},
    )
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    return answer["result"].get("value")


Enter = Callable[..., Visit]
"""Signs somebody in: role, and what ``huaxiao token`` takes."""
