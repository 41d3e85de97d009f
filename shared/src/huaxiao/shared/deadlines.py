"""Deadlines: how long somebody waits for an answer, so that nothing is begun that nobody awaits.

A request is answered by its deadline: after as long as the service allows, or sooner if the caller
says ``Prefer: wait=5`` (RFC 7240, whole seconds). What is then undone is rolled back, no statement
runs on in the database, and peers that are asked meanwhile are told what is left.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huaxiao.shared.asgi import header_of
from huaxiao.shared.problems import Render, Unavailable

PREFER = "Prefer"
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})\"?\s*(?:$|[,;])", re.IGNORECASE)
_current: ContextVar[float | None] = ContextVar("deadline", default=None)


class DeadlinePassed(Unavailable):
    """The time the caller waits, or the service allows, was over before there was an answer."""

    code = "deadline-passed"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "There was no answer within the time allowed"
    title_zh = "未能在规定时间内处理完毕"


def remaining() -> float | None:
    """Return how many seconds are left for this task's work; None is no deadline."""
    at = _current.get()
    return None if at is None else at - asyncio.get_running_loop().time()


def require_time(least: float = 0.0) -> None:
    """Let no work begin for which more seconds are needed than are left.

    Raises:
        DeadlinePassed: there is less time.

    """
    left = remaining()
    if left is not None and left <= least:
        raise DeadlinePassed


@contextmanager
def due_within(seconds: float) -> Iterator[None]:
    """Give the work of a block so many seconds; a nearer deadline stays."""
    at = asyncio.get_running_loop().time() + seconds
    outer = _current.get()
    with due_at(at if outer is None else min(at, outer)):
        yield


def deadline() -> float | None:
    """Return until when, by the loop's clock, this task's work is waited for; None is for ever."""
    return _current.get()


@contextmanager
def due_at(at: float | None) -> Iterator[None]:
    """Give the work of a block until a moment of the loop's clock, whatever held before."""
    token = _current.set(at)
    try:
        yield
    finally:
        _current.reset(token)


def for_all_who_wait() -> Context:
    """Return the context for a task that serves more than the request that begins it: no deadline."""
    context = copy_context()
    context.run(_current.set, None)
    return context


def wait_asked(prefer: str) -> int | None:
    """Return how many seconds a ``Prefer`` header says that the caller waits, if it says so."""
    found = _WAIT.search(prefer)
    return None if found is None else int(found.group(1))


def wait_header(seconds: float) -> str:
    """Return the ``Prefer`` header that tells a peer how long it is waited for."""
    return f"wait={int(seconds)}"


def take_all_the_time_needed(request: Request) -> None:
    """Lift the deadline of a request whose body comes as slowly as its sender likes."""
    _current.set(None)
    timeout: asyncio.Timeout | None = request.scope.get("deadline")
    if timeout is not None:
        timeout.reschedule(None)


class Deadlines:
    """Answers every request by its deadline, with a problem if there is nothing else."""

    def __init__(self, app: ASGIApp, *, seconds: float, render: Render) -> None:
        """Allow so many seconds, unless a caller waits less."""
        self._app, self._seconds, self._render = app, seconds, render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request until its deadline, or until its answer has begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        prefer = header_of(scope, b"prefer")
        asked = wait_asked(prefer) if prefer else None
        allowed = self._seconds if asked is None else min(self._seconds, asked)
        if allowed <= 0:
            await self._render(Request(scope), DeadlinePassed())(scope, receive, send)
            return
        try:
            # The server may run a request in the context of one before it on the same connection,
            # where it stopped reading for a while. That one's deadline is not this one's.
            with due_at(asyncio.get_running_loop().time() + allowed):
                async with asyncio.timeout(allowed) as timeout:
                    scope["deadline"] = timeout

                    async def in_time(message: Message) -> None:
                        if message["type"] == "http.response.start":
                            timeout.reschedule(None)
                        await send(message)

                    await self._app(scope, receive, in_time)
        except TimeoutError:
            if not timeout.expired():
                raise
            await self._render(Request(scope), DeadlinePassed())(scope, receive, send)
