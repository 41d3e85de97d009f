"""Gauges of how the business stands, read from the database now and then, and told to a collector."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation
from sqlalchemy import Select, Table, func, select

from huaxiao.shared.background import beside
from huaxiao.shared.clock import Clock
from huaxiao.shared.database import Database
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.telemetry import collected
from huaxiao.shared.web import Lifespan

_INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
_INTERVAL_MS = "60000"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gauge:
    """Something that is watched: its name and unit as OpenTelemetry writes them."""

    name: str
    unit: str
    description: str
    rows: Callable[[datetime], Select[Any]]
    """Finds it as of a moment: each row a ``value``, and every other column a label of that name."""


@dataclass
class Watch:
    """Holds what gauges showed when they were last read, for whoever collects it."""

    database: Database
    gauges: Sequence[Gauge]
    shown: dict[str, list[Observation]] = field(default_factory=dict)

    def register(self, meter: metrics.Meter) -> None:
        """Let a meter ask for what the gauges show."""
        for one in self.gauges:
            meter.create_observable_gauge(
                one.name, [self._shown_by(one.name)], unit=one.unit, description=one.description
            )

    def _shown_by(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda _: self.shown.get(name, [])

    async def look(self, now: datetime) -> None:
        """Read every gauge, all in one snapshot."""
        async with self.database.read(EVERYTHING) as connection:
            for one in self.gauges:
                rows = (await connection.execute(one.rows(now))).mappings().all()
                self.shown[one.name] = [self._observed(dict(row)) for row in rows]

    def _observed(self, row: dict[str, Any]) -> Observation:
        value = float(row.pop("value"))
        return Observation(value, {"service": self.database.service} | row)

    async def run(self, clock: Clock) -> None:
        """Look again and again; what cannot be read is not shown."""
        while True:
            try:
                await self.look(clock())
            except Exception as error:  # noqa: BLE001 - the database may be away; keep looking
                self.shown.clear()
                _log.warning("cannot read what is watched: %r", error)
            await asyncio.sleep(_seconds_between())


def _seconds_between() -> float:
    """Return how often gauges are read: as often as OpenTelemetry tells them."""
    return int(os.environ.get(_INTERVAL, _INTERVAL_MS)) / 1000


def watching(settings: ServiceSettings, database: Database, gauges: Sequence[Gauge]) -> Lifespan:
    """Return a life of the app during which gauges are read, where there is a collector to tell."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        if not settings.follow or not collected():
            yield
            return
        watch = Watch(database, gauges)
        watch.register(metrics.get_meter("huaxiao"))
        async with beside(watch.run(app.state.clock)):
            yield

    return life


def feed_head(heads: Table) -> Gauge:
    """Return the gauge of how far a service's own feed goes."""
    return Gauge(
        "huaxiao.feed.head",
        "{entry}",
        "Position of the last entry of a branch's feed",
        lambda _: select(heads.c.branch_id.label("branch"), heads.c.position.label("value")),
    )


def followed(positions: Table) -> Gauge:
    """Return the gauge of how far others' feeds were followed; a lag is what their head is ahead."""
    return Gauge(
        "huaxiao.follower.position",
        "{entry}",
        "Position up to which the feed of a peer, `source`, has been followed",
        lambda _: select(
            positions.c.branch_id.label("branch"),
            func.ltrim(positions.c.source, "/").label("source"),
            positions.c.position.label("value"),
        ),
    )
