"""The suite in containers as `deploy/` makes it, under a name of its own and with nothing kept."""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from huaxiao.shared.issuer import Issuer
from huaxiao.shared.provision import SERVICES

PROJECT = Path(__file__).parents[2]
COMPOSE_FILE = PROJECT / "deploy" / "docker-compose.yml"
VERSION = "compose-test"
"""The tag of the images that are tried."""
TOKEN_ISSUER = "https://huaxiao.local"
ONE_OFF = ("secrets", "prepare")
LASTING = ("postgres", *SERVICES, "console", "gateway")
_AUTHORITY = "/var/lib/huaxiao-gateway/caddy/pki/authorities/local/root.crt"
_READY_SECONDS = 120.0
_KILL = "import os, sys; os.kill(int(sys.argv[1]), 9)"
_RELAY = """
import asyncio

async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()

async def join(reader, writer):
    try:
        there, back = await asyncio.open_connection("postgres", 5432)
    except OSError:
        writer.close()
        return
    await asyncio.gather(copy(reader, back), copy(there, writer))

async def main():
    await (await asyncio.start_server(join, "0.0.0.0", 5432)).serve_forever()

asyncio.run(main())
"""


class EngineError(RuntimeError):
    """The engine, or a command in a container, did not do what it was told."""


def engine_is_there() -> str:
    """Say why no container engine can be had; nothing when one can."""
    for command in (["docker", "version"], ["docker", "compose", "version"]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{' '.join(command)}: {error}"
        if done.returncode != 0:
            return f"{' '.join(command)}: {done.stderr.strip()}"
    return ""


def docker(*arguments: str, given: bytes | None = None) -> bytes:
    """Run a docker command and return what it printed.

    Raises:
        EngineError: it did not end with 0.

    """
    return _run(["docker", *arguments], given, os.environ)


def _run(command: Sequence[str], given: bytes | None, environment: Mapping[str, str]) -> bytes:
    done = subprocess.run(command, input=given, capture_output=True, env=environment, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise EngineError(f"{' '.join(command)} ended with {done.returncode}: {said[-3000:]}")
    return done.stdout


@dataclass
class Deployment:
    """One installation; `HUAXIAO_…` of the environment reaches its files as `.env` would."""

    project: str
    port: int
    files: Sequence[Path] = (COMPOSE_FILE,)
    settings: dict[str, str] = field(default_factory=dict)
    """What its `.env` would say."""

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes `docker compose` speak of this installation, wherever it is said."""
        return {
            **os.environ,
            "COMPOSE_FILE": ":".join(str(one) for one in self.files),
            "COMPOSE_PROJECT_NAME": self.project,
            # Nothing of the person's own.
            "COMPOSE_ENV_FILES": os.devnull,
            "HUAXIAO_VERSION": VERSION,
            "HUAXIAO_PORT": str(self.port),
            "HUAXIAO_TOKEN_ISSUER": TOKEN_ISSUER,
            **self.settings,
        }

    def compose(self, *arguments: str, given: bytes | None = None) -> bytes:
        """Run a command of Compose and return what it printed."""
        return _run(["docker", "compose", *arguments], given, self.environment)

    def up(self, *services: str) -> None:
        """Start what is not started, and wait until all of it is healthy."""
        self.compose("up", "--detach", "--wait", "--no-build", *services)

    def down(self) -> None:
        """Remove the containers and all they kept."""
        docker("rm", "--force", "--volumes", self._relay)
        self.compose("--profile", "tools", "down", "--volumes", "--timeout", "2")

    def container(self, service: str) -> str:
        """Return the container of a service, whether it runs or not."""
        found = self.compose("ps", "--all", "--quiet", service).decode().split()
        if len(found) != 1:
            raise EngineError(f"{service} has {len(found)} containers")
        return found[0]

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what the engine says of a service's container."""
        found: dict[str, Any] = json.loads(docker("inspect", self.container(service)))[0]
        return found

    def state(self, service: str) -> dict[str, Any]:
        """Return the state of a service's container."""
        found: dict[str, Any] = self.inspect(service)["State"]
        return found

    def logs(self, service: str) -> str:
        """Return what a service has written since it was made."""
        done = subprocess.run(
            ["docker", "logs", self.container(service)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=True,
        )
        return done.stdout.decode(errors="replace")

    def kill(self, service: str) -> None:
        """Take the life of a container's first process, as a crash would: nobody meant it to stop.

        `docker kill` would be a wish of the operator's, after which nothing is started again.
        """
        pid = str(self.state(service)["Pid"])
        # From inside, a container's first process cannot be killed.
        docker(
            *("run", "--rm", "--pid", "host", "--user", "0", "--cap-drop", "ALL"),
            *("--cap-add", "KILL", "--network", "none", "--entrypoint", "python"),
            *(f"huaxiao/prepare:{VERSION}", "-c", _KILL, pid),
        )

    def read(self, service: str, path: str) -> bytes:
        """Return a file of a running container."""
        return self.compose("exec", "--no-TTY", service, "cat", path)

    def authority(self) -> bytes:
        """Return the certificate of the authority that the gateway is its own."""
        return self.read("gateway", _AUTHORITY)

    def secret(self, path: str) -> str:
        """Return one of the files that were made on the first start."""
        run = ("run", "--rm", "--no-deps", "--entrypoint", "cat", "secrets", f"/secrets/{path}")
        return self.compose(*run).decode()

    def issuer(self) -> Issuer:
        """Return who signs people's tokens."""
        return Issuer(json.loads(self.secret("operator/signing.jwk")), issuer=TOKEN_ISSUER)

    @property
    def _relay(self) -> str:
        return f"{self.project}-relay"

    def database_url(self) -> str:
        """Open a way to the database, which has none from outside, and return its address."""
        docker(
            *("create", "--name", self._relay, "--publish", "127.0.0.1::5432"),
            *("--entrypoint", "python", f"huaxiao/prepare:{VERSION}", "-c", _RELAY),
        )
        docker("network", "connect", f"{self.project}_data", self._relay)
        docker("start", self._relay)
        where = docker("port", self._relay, "5432").decode().split()[0]
        password = json.loads(self.secret("operator/passwords.json"))["postgres"]
        return f"postgresql://postgres:{password}@{where}/huaxiao"

    def until_ready(self, *services: str) -> float:
        """Wait until services answer through the gateway; return the seconds it took."""
        began = time.monotonic()
        for service in services or SERVICES:
            while True:
                try:
                    answer = httpx.get(f"{self.url}/{service}/readyz", timeout=25)
                    if answer.status_code == httpx.codes.OK:
                        break
                    said = answer.text
                except httpx.TransportError as error:
                    said = repr(error)
                if time.monotonic() - began > _READY_SECONDS:
                    raise EngineError(f"{service} is not ready: {said}: {self.logs(service)}")
                time.sleep(0.1)
        return time.monotonic() - began

    def answered(self, least: int) -> list[dict[str, Any]]:
        """Return what the gateway has written of answers from a status on."""
        found = []
        for line in self.logs("gateway").splitlines():
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict) and said.get("status", 0) >= least:
                found.append(said)
        return found
