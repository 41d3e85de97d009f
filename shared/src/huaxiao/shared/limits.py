"""Limits: how much a service takes on at a time, and how much one caller may ask of it.

Beyond what it can do a service says so at once, rather than be late for everybody. Its probes
always answer; whoever waits for news of a feed holds no place while waiting.
"""

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from huaxiao.shared.asgi import path_of
from huaxiao.shared.problems import Problem, Render, Unavailable

_ALWAYS_ANSWERED = ("/healthz", "/readyz")
_CALLERS = 10_000
"""Callers whose requests are counted; of more, those seen longest ago begin anew."""


class Overloaded(Unavailable):
    """The service has as much at work and waiting as it can bear; nothing was begun."""

    code = "overloaded"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "Too much is asked of this service now; please try again"
    title_zh = "服务繁忙，请稍后重试"


class TooManyRequests(Problem):
    """The caller has asked as often as it may for now; nothing was begun."""

    code = "too-many-requests"
    status = HTTPStatus.TOO_MANY_REQUESTS
    title = "You have asked too often; please wait"
    title_zh = "请求过于频繁，请稍候再试"

    def __init__(self, wait_seconds: float) -> None:
        """Say in how many seconds the caller may ask again."""
        super().__init__()
        self.retry_after = max(1, math.ceil(wait_seconds))


@dataclass
class Rates:
    """How often each caller has asked within the window that ends now, as this process saw it.

    Time is the monotonic clock's: a wall clock put back an hour would keep a caller out as long.
    """

    most: int
    """Requests of one caller within a window; 0 is no limit."""
    window_seconds: float
    clock: Callable[[], float] = monotonic
    _seen: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)

    def take(self, caller: str) -> None:
        """Count a request.

        Raises:
            TooManyRequests: the caller has asked as often as it may; this one is not counted.

        """
        if self.most == 0:
            return
        now = self.clock()
        seen = self._seen.setdefault(caller, deque())
        self._seen.move_to_end(caller)
        if len(self._seen) > _CALLERS:
            self._seen.popitem(last=False)
        while seen and seen[0] <= now - self.window_seconds:
            seen.popleft()
        if len(seen) >= self.most:
            raise TooManyRequests(seen[0] + self.window_seconds - now)
        seen.append(now)


class Slots:
    """Places at work, and a queue before them that is short in number and in time."""

    def __init__(self, at_work: int, *, wait_seconds: float) -> None:
        """Let so many work, as many wait, and none wait longer."""
        self._free = at_work
        self._longest_queue = at_work
        self._wait_seconds = wait_seconds
        self._queue: deque[asyncio.Future[None]] = deque()

    async def take(self) -> "Slot":
        """Take a place, in turn.

        Raises:
            Overloaded: there is none, and none became free in time.

        """
        if self._free > 0:
            self._free -= 1
            return Slot(self)
        if len(self._queue) >= self._longest_queue:
            raise Overloaded
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                # The place was given just as its taker went away.
                self.give()
            elif turn in self._queue:
                self._queue.remove(turn)
            if isinstance(error, TimeoutError):
                raise Overloaded from error
            raise
        return Slot(self)

    def give(self) -> None:
        """Hand a place to whoever waits first."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


@dataclass
class Slot:
    """A place that is given back once."""

    _of: Slots
    _held: bool = True

    def give(self) -> None:
        """Give it back, unless that was done."""
        if self._held:
            self._held = False
            self._of.give()


def stop_holding_up_others(request: Request) -> None:
    """Give a request's place back before it has its answer, since it will only wait."""
    slot: Slot | None = request.scope.get("slot")
    if slot is not None:
        slot.give()


class Limits:
    """Lets so many requests be at work, and sends others away while they can be told so quickly."""

    def __init__(self, app: ASGIApp, *, slots: Slots, render: Render) -> None:
        """Put the slots before an app."""
        self._app, self._slots, self._render = app, slots, render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request within a place, or say that there is none."""
        if scope["type"] != "http" or path_of(scope) in _ALWAYS_ANSWERED:
            await self._app(scope, receive, send)
            return
        try:
            slot = await self._slots.take()
        except Overloaded as problem:
            await self._render(Request(scope), problem)(scope, receive, send)
            return
        scope["slot"] = slot
        try:
            await self._app(scope, receive, send)
        finally:
            slot.give()
