"""The console, wired."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import Scope
from typing_extensions import override

from huaxiao.console import signing_in
from huaxiao.console.appraisals import pages as appraisals
from huaxiao.console.fields import pages as fields
from huaxiao.console.guarding import Guarding
from huaxiao.console.operations import completeness
from huaxiao.console.operations import pages as operations
from huaxiao.console.orders import pages as orders
from huaxiao.console.page import FILES
from huaxiao.console.peers import Peers
from huaxiao.console.plans import pages as plans
from huaxiao.console.quarantine import pages as quarantine
from huaxiao.console.quarantine import unplaced
from huaxiao.console.refusing import problem_page, refuse_in_words
from huaxiao.console.revenue import closing
from huaxiao.console.revenue import pages as revenue
from huaxiao.console.settings import Settings
from huaxiao.console.statements import pages as statements
from huaxiao.console.targets import pages as targets
from huaxiao.console.targets import units
from huaxiao.console.tickets import pages as tickets
from huaxiao.console.what_if import pages as what_if
from huaxiao.shared.clock import Clock, system_clock
from huaxiao.shared.deadlines import Deadlines


class _Files(StaticFiles):
    """The console's own files; their addresses change with what is in them."""

    @override
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock = system_clock,
    transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    """Make the app; ``transport`` lets a test see what is asked of the services."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Peers(settings, transport=transport) as peers:
            app.state.peers = peers
            yield

    app = FastAPI(
        title="Huaxiao console", openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.state.settings = settings
    app.state.clock = clock
    app.include_router(signing_in.router)
    sections = (
        targets,
        units,
        orders,
        plans,
        revenue,
        closing,
        what_if,
        statements,
        fields,
        appraisals,
        tickets,
        quarantine,
        unplaced,
        completeness,
        operations,
    )
    for one in sections:
        app.include_router(one.router)
    app.get("/healthz")(_healthz)
    app.get("/readyz")(_healthz)
    app.mount("/static", GZipMiddleware(_Files(directory=FILES)))
    refuse_in_words(app)
    app.add_middleware(Deadlines, seconds=settings.request_seconds, render=problem_page)
    app.add_middleware(Guarding)
    return app


async def _healthz() -> Mapping[str, str]:
    """Say that the process runs: it keeps nothing, so that is all there is to say."""
    return {"status": "ok"}
