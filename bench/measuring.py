"""What every figure is measured with: a suite of its own, a county, clocks."""

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Self

import asyncpg
import psutil
from support.postgres import PreparedDatabase
from support.processes import Processes

from huaxiao.cli import embedded
from huaxiao.cli.sample.county import BRANCH_ID, sample_county
from huaxiao.cli.sample.generator import Sample
from huaxiao.cli.sample.registration import register_county, sign_contracts
from huaxiao.cli.suite import Keys
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient

SERVICES = ("contracts", "attribution")
"""What most figures need; another service beside them would take of the same processors."""
AS_IN_CONTAINERS = {"UVICORN_ACCESS_LOG": "false", "UVICORN_PROXY_HEADERS": "false"}
"""How `deploy/Dockerfile` runs a service."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    subscribers: int
    batches: int
    batch: int
    runs: int

    @property
    def events(self) -> int:
        """Return the events of one run."""
        return self.batches * self.batch


@dataclass(frozen=True)
class Figure:
    """A figure as it is printed; ``spread`` is the smallest and the largest ratio."""

    figure: str
    value: float
    unit: str
    against: str
    ratio: float
    runs: int
    spread: tuple[float, float]


@dataclass(frozen=True)
class Suite:
    """Running services, and the database that they are alone with."""

    processes: Processes
    database: PreparedDatabase
    keys: Keys

    def token(self, role: Role) -> str:
        """Return a token for the sample county."""
        return self.keys.issuer().token(f"bench:{role}", roles=[role], branch_ids=[BRANCH_ID])

    def speaker(self, role: Role, _: str | None = None) -> ContractsClient:
        """Connect to contracts as somebody of a role, of whichever centre."""
        token = self.token(role)
        return ContractsClient(self.processes["contracts"].url, lambda: token)

    def headers(self, role: Role, media_type: str) -> dict[str, str]:
        """Return the headers of a request for the sample county."""
        return {"Authorization": f"Bearer {self.token(role)}", "Content-Type": media_type}


FULL_SUBSCRIBERS = 1_000
"""A figure's size is full from here on."""


def is_full(size: Size) -> bool:
    """Say whether a figure is measured, and not only shown to work."""
    return size.subscribers >= FULL_SUBSCRIBERS


def tell(line: str) -> None:
    """Say how it goes, beside the figures."""
    print(line, file=sys.stderr, flush=True)


@asynccontextmanager
async def running_suite(services: Sequence[str] = SERVICES) -> AsyncIterator[Suite]:
    """Start the services as processes of their own, on a PostgreSQL of their own."""
    with _scratch() as folder:
        async with _running_in(folder, services) as suite:
            yield suite


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="huaxiao-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server runs as another user where this one is root
        yield folder


@asynccontextmanager
async def _running_in(folder: Path, services: Sequence[str]) -> AsyncIterator[Suite]:
    postgres = await asyncio.to_thread(embedded.start, folder)
    try:
        await asyncio.to_thread(embedded.prepare, postgres)
        database = PreparedDatabase(postgres, embedded.DATABASE)
        keys = Keys.under(folder)
        keys.issuer()
        # One caller asks for all; how much one may ask is not what is measured.
        further = {f"{service.upper()}_CALLER_REQUESTS": "0" for service in services}
        further |= AS_IN_CONTAINERS
        processes = Processes(database, keys, folder, services=services, further=further)
        try:
            await processes.start()
            yield Suite(processes, database, keys)
        finally:
            processes.stop()
    finally:
        postgres.stop()


async def open_the_county(suite: Suite, sample: Sample) -> None:
    """Register the county and open its subscriptions: what stands before the first bill."""
    token = suite.token(Role.COUNTY_MANAGER)
    async with (
        ContractsClient(suite.processes["contracts"].url, lambda: token) as contracts,
        AttributionClient(suite.processes["attribution"].url, lambda: token) as attribution,
    ):
        async with suite.speaker(Role.PROVINCE) as second:
            await register_county(contracts, sample_county(), second=second)
        await sign_contracts(suite.speaker, sample_county(), sample.base)
        published = await contracts.feed(BRANCH_ID, after=0, limit=1000)
        await until_followed(attribution, published[-1].position)
        opening = [
            event
            for event in sample.events
            if event["type"] in {"subscription.opened", "bundle.formed"}
        ]
        for start in range(0, len(opening), 1_000):
            await attribution.post_events(opening[start : start + 1_000])
    tell(f"{len(opening)} subscriptions and bundles stand")


async def until_followed(attribution: AttributionClient, position: int) -> None:
    """Wait until attribution has taken the contracts feed up to a position, for a minute at most."""
    for _ in range(600):
        if await _has_followed(attribution, position):
            return
        await asyncio.sleep(0.1)


async def _has_followed(attribution: AttributionClient, position: int) -> bool:
    try:
        return (await attribution.standing(BRANCH_ID)).contracts_position == position
    except PeerProblem:
        return False  # it has not heard of the branch yet


async def timed(work: Awaitable[object]) -> float:
    """Return the seconds that something takes."""
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


class Wire:
    """A kept connection, by plain sockets: a client library takes longer than some answers."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        """Prepare to speak to a service."""
        self._host, port = url.removeprefix("http://").split(":")
        self._port = int(port)
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Return the body of a 200.

        Raises:
            RuntimeError: it was something else.

        """
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{self._head}"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        answer = await self._reader.readexactly(int(length[1]) if length else 0)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{method} {path}: {head!r} {answer!r}")
        return answer


def figure(
    name: str, values: Sequence[float], unit: str, *, against: str, ratios: Sequence[float]
) -> Figure:
    """Return the median of values that were measured in pairs with what they are held against."""
    return Figure(
        figure=name,
        value=float(f"{median(values):.4g}"),
        unit=unit,
        against=against,
        ratio=round(median(ratios), 3),
        runs=len(ratios),
        spread=(round(min(ratios), 3), round(max(ratios), 3)),
    )


@dataclass(frozen=True)
class Spent:
    """CPU seconds, of the attribution process and of the database's."""

    service: float
    database: float

    def __sub__(self, before: "Spent") -> "Spent":
        return Spent(self.service - before.service, self.database - before.database)


async def spent(suite: Suite, database: asyncpg.Connection) -> Spent:
    """Return what was spent so far; of the database's processes, all but the one that copies."""
    backend = await database.fetchval("SELECT pg_backend_pid()")
    running = suite.processes["attribution"].running
    assert running is not None
    own = cpu_of(psutil.Process(backend))
    return Spent(cpu_of(psutil.Process(running.pid)), cpu_of_server(backend) - own)


def cpu_of(process: psutil.Process) -> float:
    """Return the CPU seconds of a process, and of its children that have ended."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def cpu_of_server(backend: int) -> float:
    """Return the CPU seconds of the database server that one of its backends belongs to.

    Raises:
        RuntimeError: it is no process of this machine.

    """
    server = psutil.Process(backend).parent()
    if server is None:
        raise RuntimeError("the database's server is not a process of this machine")
    spent = cpu_of(server)
    for one in server.children():
        # One that has ended meanwhile is counted with the server the next time.
        with suppress(psutil.NoSuchProcess):
            spent += cpu_of(one)
    return spent
