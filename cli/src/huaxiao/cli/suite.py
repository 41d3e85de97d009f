"""The embedded suite: four services and the console in one process, behind one port, over HTTP."""

import asyncio
import contextlib
import importlib
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from typing_extensions import override

from huaxiao.cli.embedded import EmbeddedPostgres
from huaxiao.console.main import create_app as console_app
from huaxiao.console.settings import Settings as ConsoleSettings
from huaxiao.shared.issuer import Issuer, ensure_key
from huaxiao.shared.provision import SERVICES
from huaxiao.shared.web import on_http_exception

TOKEN_ISSUER = "https://huaxiao.local"  # noqa: S105 - a name, not a secret
DEFAULT_PORT = 8100
_FINISH_SECONDS = 4
"""How long what was begun may go on to ask the suite's other services, before the port is closed."""
_GRACE_SECONDS = 4
"""How long what is at work then has: together less than the ten after which whoever asked loses
patience."""


@dataclass(frozen=True)
class Keys:
    """The embedded issuer's key files."""

    private: Path
    jwks: Path

    @classmethod
    def under(cls, data: Path) -> "Keys":
        """Name the key files of a data directory."""
        return cls(private=data / "issuer.jwk", jwks=data / "jwks.json")

    def issuer(self) -> Issuer:
        """Return the issuer, making its key on first use."""
        return ensure_key(self.private, self.jwks, issuer=TOKEN_ISSUER)


def anchor_file(data: Path, service: str) -> Path:
    """Return where a data directory keeps the anchors of a service's audit log."""
    return data / "anchors" / f"{service}.jsonl"


def service_settings(
    service: str, *, postgres: EmbeddedPostgres, keys: Keys, gateway: str, follow: bool = True
) -> dict[str, Any]:
    """Return what a service's settings are inside the embedded suite."""
    return {
        "database_url": postgres.url(service).render_as_string(hide_password=False),
        "jwks_file": keys.jwks,
        "signing_key_file": keys.private,
        "token_issuer": TOKEN_ISSUER,
        "attachments_directory": keys.private.parent / "attachments",
        "follow": follow,
        "anchor_file": anchor_file(keys.private.parent, service),
    } | {f"{peer}_url": f"{gateway}/{peer}" for peer in ("contracts", "attribution", "dispatch")}


def create_service(service: str, settings: dict[str, Any]) -> FastAPI:
    """Make one service's app."""
    main = importlib.import_module(f"huaxiao.{service}.main")
    kind = importlib.import_module(f"huaxiao.{service}.settings").Settings
    app: FastAPI = main.create_app(kind(**settings))
    return app


def service_at_rest(service: str) -> FastAPI:
    """Make one service's app to read what its routes say; it reaches no database and no peer."""
    with tempfile.TemporaryDirectory() as scratch:
        keys = Keys.under(Path(scratch))
        keys.issuer()
        settings = {
            "database_url": "postgresql://nowhere/huaxiao",
            "jwks_file": keys.jwks,
            "token_issuer": TOKEN_ISSUER,
            "follow": False,
        }
        return create_service(service, settings)


def create_console(gateway: str) -> FastAPI:
    """Make the console, which asks the services through the gateway as everybody does."""
    return console_app(
        ConsoleSettings(
            contracts_url=f"{gateway}/contracts",
            attribution_url=f"{gateway}/attribution",
            dispatch_url=f"{gateway}/dispatch",
            kpi_url=f"{gateway}/kpi",
        )
    )


def create_gateway(apps: dict[str, FastAPI], console: FastAPI) -> Starlette:
    """Put the suite behind one address: ``/contracts`` and so on, and the console at ``/``."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for app in (*apps.values(), console):
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    async def services(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                name: {"docs": f"{base}/{name}/docs", "openapi": f"{base}/{name}/openapi.json"}
                for name in apps
            }
        )

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    mounts = [Mount(f"/{name}", app) for name, app in apps.items()]
    routes = [
        Route("/healthz", healthz),
        Route("/services", services),
        *mounts,
        Mount("/", console),
    ]
    refusals = {HTTPException: on_http_exception}
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=refusals)


def listen(host: str, port: int) -> socket.socket:
    """Bind the suite's port before anything starts, or any free one when it is 0."""
    # asyncio turns Nagle's delay off only where the protocol is named: else every answer takes 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class Server(uvicorn.Server):
    """Uvicorn that says when it serves, and leaves signals to the command that runs it."""

    def __init__(self, gateway: Starlette) -> None:
        """Serve the gateway; when it stops, what is at work is given time to end."""
        super().__init__(
            uvicorn.Config(
                gateway,
                log_level="warning",
                timeout_graceful_shutdown=_GRACE_SECONDS,
                lifespan="on",
                # Whom a proxy may speak for, the services' own settings say.
                proxy_headers=False,
            )
        )
        self.ready = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def finish(self) -> None:
        """Let what is at work end while the suite still answers, since services ask each other."""
        begun = set(self.server_state.tasks)
        if begun:
            await asyncio.wait(begun, timeout=_FINISH_SECONDS)

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class NotStartedError(RuntimeError):
    """The suite did not come to serve; its log says why."""


@asynccontextmanager
async def serving(
    postgres: EmbeddedPostgres, keys: Keys, bound: socket.socket, *, follow: bool = True
) -> AsyncIterator[str]:
    """Run the suite behind a bound port for a while; yields its address.

    Without ``follow`` it answers, and does nothing by itself.

    Raises:
        NotStartedError: a service could not start.

    """
    host, port = bound.getsockname()
    gateway = f"http://{host}:{port}"
    apps = {
        service: create_service(
            service,
            service_settings(service, postgres=postgres, keys=keys, gateway=gateway, follow=follow),
        )
        for service in SERVICES
    }
    running = Server(create_gateway(apps, create_console(gateway)))
    served = asyncio.create_task(running.serve(sockets=[bound]))
    ready = asyncio.create_task(running.ready.wait())
    await asyncio.wait([served, ready], return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    try:
        if not running.started:
            raise NotStartedError
        yield gateway
    finally:
        for app in apps.values():
            app.state.stopping = True
        await running.finish()
        running.should_exit = True
        await served
