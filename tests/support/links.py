"""A way between two processes that can be disturbed: TCP, and what may happen to it."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

_HOST = "127.0.0.1"
_PIECE = 64 * 1024
_SLOW_SECONDS = (0.02, 0.2)


class Weather(StrEnum):
    """What a link does to what it carries."""

    FAIR = "fair"
    CUT = "cut"
    """Connections are reset, and new ones as well."""
    HELD_UP = "held up"
    """Nothing passes in either direction; it all passes once this is over."""
    ANSWERS_LOST = "answers lost"
    """What is asked arrives; in the middle of the answer the connection is reset."""
    SLOW = "slow"


@dataclass
class Link:
    """Listens on a port and leads to another one."""

    port: int
    leads_to: int
    chance: random.Random
    weather: Weather = Weather.FAIR
    _fair: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _passing: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"

    def turn(self, weather: Weather) -> None:
        self.weather = weather
        if weather is Weather.HELD_UP:
            self._fair.clear()
        else:
            self._fair.set()
        if weather in {Weather.CUT, Weather.ANSWERS_LOST}:
            self._reset()

    def _reset(self) -> None:
        for one in self._open:
            one.transport.abort()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        self._fair.set()
        server = await asyncio.start_server(self._carry, _HOST, self.port)
        try:
            yield
        finally:
            server.close()
            self._reset()
            for one in self._passing:
                one.cancel()
            await asyncio.gather(*self._passing, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = asyncio.current_task()
        assert this is not None
        self._passing.add(this)
        with suppress(OSError, asyncio.CancelledError):
            if self.weather is Weather.CUT:
                writer.transport.abort()
                return
            await self._fair.wait()
            there, here = await asyncio.open_connection(_HOST, self.leads_to)
            ends = {writer, here}
            self._open |= ends
            asked = asyncio.create_task(self._pass(reader, here, answers=False))
            answered = asyncio.create_task(self._pass(there, writer, answers=True))
            try:
                await asyncio.wait({asked, answered}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in ends:
                    one.transport.abort()
                for task in (asked, answered):
                    task.cancel()
                await asyncio.gather(asked, answered, return_exceptions=True)
                self._open -= ends
        writer.transport.abort()
        self._passing.discard(this)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        while piece := await reader.read(_PIECE):
            await self._fair.wait()
            if self.weather is Weather.SLOW:
                await asyncio.sleep(self.chance.uniform(*_SLOW_SECONDS))
            if answers and self.weather is Weather.ANSWERS_LOST:
                return
            writer.write(piece)
            await writer.drain()


@asynccontextmanager
async def opened(links: Sequence[Link]) -> AsyncIterator[None]:
    """Open links for a while."""
    async with AsyncExitStack() as stack:
        for one in links:
            await stack.enter_async_context(one.open())
        yield
