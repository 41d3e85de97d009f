"""The KPI service, wired."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from huaxiao.kpi.definitions import api as definitions
from huaxiao.kpi.measures import api as measures
from huaxiao.kpi.settings import Settings
from huaxiao.kpi.tables import idempotency_keys
from huaxiao.kpi.targets import api as targets
from huaxiao.kpi.worker import following
from huaxiao.shared import web
from huaxiao.shared.database import Database


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the app."""
    settings = settings or Settings()
    database = Database(
        settings.database_url.get_secret_value(), service="kpi", pool_size=settings.pool_size
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if not settings.follow:
            yield
            return
        async with following(settings, database):
            yield

    return web.service_app(
        service="kpi",
        title="Huaxiao KPI",
        settings=settings,
        database=database,
        idempotency_keys=idempotency_keys,
        routers=[targets.router, measures.router, definitions.router],
        lifespan=lifespan,
    )
