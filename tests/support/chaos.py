"""Trouble for the suite while it works, by a seed: one fault after another, each healed."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
from support.links import Link, Weather
from support.processes import Processes

from huaxiao.cli.embedded import EmbeddedPostgres, patiently
from huaxiao.cli.story import NotSeenError
from huaxiao.shared.clients.base import PeerProblem

_BREATH_SECONDS = 0.1
_PATIENCE_SECONDS = 180.0
_ACKNOWLEDGED_SECONDS = 3.0
_STORED_SECONDS = 10.0
_LOOK_SECONDS = 0.02
_ANYBODY = ""
ACKNOWLEDGING = ("contracts", "attribution", "dispatch")
"""Services that are told things; kpi only follows."""
_TROUBLE_SECONDS = (0.3, 2.0)
_QUIET_SECONDS = (0.2, 1.0)
Answer = TypeVar("Answer")


async def until_heard(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask until there is an answer that is not an excuse: what every sender has to do.

    Raises:
        NotSeenError: there was none for longer than any trouble lasts.
        PeerProblem: the answer is a refusal.

    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return await ask()
        except httpx.TransportError as error:
            last: Exception = error
        except PeerProblem as problem:
            if problem.status != httpx.codes.SERVICE_UNAVAILABLE:
                raise
            last = problem
        if time.monotonic() > deadline:
            raise NotSeenError(f"no answer in {_PATIENCE_SECONDS:.0f} s: {last!r}")
        await asyncio.sleep(_BREATH_SECONDS)


@dataclass
class Heard:
    """Who has just acknowledged something: a crash tells most right after it."""

    _of: dict[str, asyncio.Event] = field(default_factory=dict)

    def __call__(self, service: str) -> None:
        """Note that a service has acknowledged something."""
        for one in (service, _ANYBODY):
            self._event(one).set()

    async def next(self, service: str) -> None:
        """Wait until a service acknowledges something, for a while."""
        event = self._event(service)
        event.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), _ACKNOWLEDGED_SECONDS)

    def _event(self, service: str) -> asyncio.Event:
        return self._of.setdefault(service, asyncio.Event())


@dataclass
class Course:
    """How much of all the trouble has come: work goes on as long as it does, whatever the machine."""

    share: float = 0.0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def come_to(self, share: float) -> None:
        self.share = share
        self._moved.set()
        self._moved = asyncio.Event()

    async def reached(self, share: float) -> None:
        """Wait until as much of the trouble has come."""
        while self.share < share:
            await self._moved.wait()


@dataclass
class OwnPostgres:
    """A PostgreSQL that may be killed: nobody else uses it."""

    embedded: EmbeddedPostgres

    def family(self) -> list[int]:
        """Return the postmaster and its children."""
        postmaster = self.embedded.server.get_postmaster_info().pid
        return [postmaster, *_children(postmaster)]

    def kill(self, family: Sequence[int]) -> None:
        """Take the lives of all of it at once, and wait until the last has gone."""
        for one in family:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        # Children that came since then notice by themselves that the postmaster has gone.
        rest = {*family, *_children(family[0])}
        while any(_runs(one) for one in rest):
            time.sleep(0.01)
        # The first process of a container may never ask how it ended: then its number stays taken,
        # and PostgreSQL takes these for the locks of a server that runs.
        data = self.embedded.server.pgdata
        for lock in (data / "postmaster.pid", *data.glob(".s.PGSQL.*")):
            lock.unlink()

    def start(self) -> None:
        """Start it again, if it does not run; it recovers from its log."""
        patiently(self.embedded.server.ensure_postgres_running)


def _stat(pid: int) -> list[str]:
    """Return the state, the parent and more of a process; nothing if there is none."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _children(pid: int) -> list[int]:
    every = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]
    return [one for one in every if _stat(one)[1:2] == [str(pid)]]


def _runs(pid: int) -> bool:
    return _stat(pid)[:1] not in ([], ["Z"], ["X"])


@dataclass
class Trouble:
    """Faults one after another, each healed before the next."""

    processes: Processes
    links: dict[str, Link]
    postgres: OwnPostgres
    chance: random.Random
    kill_first: str | None = None
    """The service that is killed before any other."""
    followed: Callable[[], Awaitable[object]] | None = None
    """Tells what the service that only follows has stored, to kill it right after."""
    heard: Heard = field(default_factory=Heard)
    had: Counter[str] = field(default_factory=Counter)
    """How often there was each kind of fault."""
    course: Course = field(default_factory=Course)
    log: list[str] = field(default_factory=list)
    """What was done, with its moment in seconds from the beginning."""
    recovered: list[float] = field(default_factory=list)
    """Seconds after which all services were ready again, for each kill of the database."""
    _to_kill: list[str] = field(default_factory=list)

    async def make(self, seconds: float) -> None:
        """Make trouble for a while, and until there was each kind of it; none in no time."""
        if seconds:
            await self._make(seconds)
        self.course.come_to(1.0)

    async def _make(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        kinds: dict[str, Callable[[], Awaitable[str]]] = {
            "service killed": self._service_killed,
            "service stopped for a while": self._service_stopped,
            "database killed": self._database_killed,
            "link cut": lambda: self._weather(Weather.CUT),
            "link held up": lambda: self._weather(Weather.HELD_UP),
            "answers lost": lambda: self._weather(Weather.ANSWERS_LOST),
            "link slow": lambda: self._weather(Weather.SLOW),
        }
        # Each kind once, in any order, before any comes again.
        while True:
            for kind in self.chance.sample(sorted(kinds), len(kinds)):
                if loop.time() - began >= seconds and len(self.had) == len(kinds):
                    return
                self.had[kind] += 1
                at = loop.time() - began
                self.course.come_to(min(at / seconds, len(self.had) / len(kinds)))
                self.log.append(f"{at:.2f} {kind} {await kinds[kind]()}".rstrip())
                await asyncio.sleep(self.chance.uniform(*_QUIET_SECONDS))

    async def _while_it_lasts(self) -> None:
        await asyncio.sleep(self.chance.uniform(*_TROUBLE_SECONDS))

    def _next_to_kill(self) -> str:
        """Choose among services: each once, in any order, before any comes again."""
        if not self._to_kill:
            services = sorted(self.processes.of)
            self._to_kill = self.chance.sample(services, len(services))
            if self.kill_first is not None:
                self._to_kill.sort(key=lambda one: one == self.kill_first)
        return self._to_kill.pop()

    async def _service_killed(self) -> str:
        one = self.processes[self._next_to_kill()]
        if one.service in ACKNOWLEDGING:
            await self.heard.next(one.service)
        else:
            await self._stored_anew()
        one.kill()
        await self._while_it_lasts()
        await one.restart()
        return one.service

    async def _stored_anew(self) -> None:
        """Wait until who only follows has stored more: half of it, should it store it by halves."""
        if self.followed is None:
            return
        await self.heard.next(_ANYBODY)
        before = await self.followed()
        with suppress(TimeoutError):
            async with asyncio.timeout(_STORED_SECONDS):
                while await self.followed() in {before, None}:  # noqa: ASYNC110 - nobody is told
                    await asyncio.sleep(_LOOK_SECONDS)

    async def _service_stopped(self) -> str:
        one = self.processes[self.chance.choice(sorted(self.processes.of))]
        assert one.running is not None
        one.running.send_signal(signal.SIGSTOP)
        try:
            await self._while_it_lasts()
        finally:
            one.running.send_signal(signal.SIGCONT)
        return one.service

    async def _database_killed(self) -> str:
        family = await asyncio.to_thread(self.postgres.family)
        await self.heard.next(_ANYBODY)
        await asyncio.to_thread(self.postgres.kill, family)
        await self._while_it_lasts()
        await asyncio.to_thread(self.postgres.start)
        began = time.monotonic()
        await asyncio.gather(*(one.ready() for one in self.processes.of.values()))
        self.recovered.append(time.monotonic() - began)
        return f"ready again after {self.recovered[-1]:.1f} s"

    async def _weather(self, weather: Weather) -> str:
        services = sorted(self.links)
        hit = self.chance.sample(services, self.chance.randint(1, len(services)))
        for service in hit:
            self.links[service].turn(weather)
        try:
            await self._while_it_lasts()
        finally:
            for service in hit:
                self.links[service].turn(Weather.FAIR)
        return ", ".join(sorted(hit))
