"""The services as an operator runs them: one uvicorn process each, settings from the environment."""

import asyncio
import os
import random
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from huaxiao.cli.suite import TOKEN_ISSUER, Keys
from huaxiao.shared.provision import SERVICES

_HOST = "127.0.0.1"
_READY_SECONDS = 60.0
_STOP_SECONDS = 10.0


class Addressed(Protocol):
    """A database that says where each role finds it."""

    def url(self, role: str) -> str:
        """Return its address as a role sees it."""


@dataclass
class ServiceProcess:
    """One service, on a port that stays its own over restarts."""

    service: str
    port: int
    environment: Mapping[str, str]
    log: Path
    app: str | None = None
    """What makes the app; the service's own by default."""
    running: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"

    def start(self) -> None:
        assert self.running is None, f"{self.service} runs already"
        command = [
            *(sys.executable, "-m", "uvicorn"),
            self.app or f"huaxiao.{self.service}.main:create_app",
            *("--factory", "--host", _HOST, "--port", str(self.port)),
            *("--timeout-graceful-shutdown", "3"),
        ]
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                command, env=dict(self.environment), stdout=log, stderr=subprocess.STDOUT
            )

    async def ready(self) -> None:
        """Wait until the service says that it can serve."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _READY_SECONDS
        async with httpx.AsyncClient() as http:
            while True:
                assert self.running is not None
                assert self.running.poll() is None, f"{self.service} ended: {self.said()}"
                try:
                    if (await http.get(f"{self.url}/readyz")).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                assert loop.time() < deadline, f"{self.service} is not ready: {self.said()}"
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """Take its life as a crash would: SIGKILL, no last word."""
        assert self.running is not None
        self.running.kill()
        self.running.wait(_STOP_SECONDS)
        self.running = None

    async def restart(self) -> None:
        """Start it again where it was."""
        self.start()
        await self.ready()

    def terminate(self) -> int:
        """Ask it to stop, and return how it ended."""
        assert self.running is not None
        self.running.terminate()
        return self.ended()

    def ended(self) -> int:
        """Wait for the end of a process that was asked to stop."""
        assert self.running is not None
        code = self.running.wait(_STOP_SECONDS)
        self.running = None
        return code

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@dataclass
class Processes:
    """The suite as processes that know each other's addresses."""

    database: Addressed
    keys: Keys
    logs: Path
    services: Sequence[str] = SERVICES
    between: Mapping[str, str] | None = None
    """Where services reach each other, where that is not where they listen."""
    further: Mapping[str, str] = field(default_factory=dict)
    """More of the environment."""
    ports: Sequence[int] | None = None
    of: dict[str, ServiceProcess] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = self.ports or free_ports(len(self.services))
        ports = dict(zip(self.services, given, strict=True))
        environment = self._environment(ports)
        for service, port in ports.items():
            log = self.logs / f"{service}.log"
            self.of[service] = ServiceProcess(service, port, environment, log)

    def _environment(self, ports: Mapping[str, int]) -> dict[str, str]:
        environment = {**os.environ, **self.further}
        addresses = {peer: f"http://{_HOST}:{port}" for peer, port in ports.items()}
        addresses |= self.between or {}
        for service in self.services:
            prefix = service.upper()
            environment |= {
                f"{prefix}_DATABASE_URL": self.database.url(service),
                f"{prefix}_JWKS_FILE": str(self.keys.jwks),
                f"{prefix}_SIGNING_KEY_FILE": str(self.keys.private),
                f"{prefix}_TOKEN_ISSUER": TOKEN_ISSUER,
            } | {f"{prefix}_{peer.upper()}_URL": address for peer, address in addresses.items()}
        return environment

    def __getitem__(self, service: str) -> ServiceProcess:
        return self.of[service]

    async def start(self) -> None:
        for one in self.of.values():
            one.start()
        await asyncio.gather(*(one.ready() for one in self.of.values()))

    def stop(self) -> None:
        """End whatever runs, at once: peers that wait for each other's news are slow to part."""
        for one in self.of.values():
            if one.running is not None:
                one.kill()


def free_ports(count: int) -> list[int]:
    """Return free ports below the range from which systems give out ports of their own accord."""
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found
