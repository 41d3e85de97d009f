"""Run models beside the event loop, in a process of their own, and keep what they found."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from multiprocessing import get_context

from fastapi import FastAPI

from huaxiao.kpi.domain.outlook import MONTHS_FOR_MODELS, Outlook
from huaxiao.kpi.forecasts.models import Paths, forecast
from huaxiao.shared.processes import end_with_parent
from huaxiao.shared.wire.kpi import TargetName

_KEPT = 5_000
_Asked = tuple[Outlook, TargetName | None]


class Forecasters:
    """Forecasts of outlooks: each is made once while the process remembers it.

    A forecast is a function of its outlook, so there is nothing to invalidate: other measures are
    another outlook.
    """

    def __init__(self, workers: int) -> None:
        """Prepare; a process starts with the first outlook that needs a fitted model."""
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._made: OrderedDict[_Asked, asyncio.Task[Paths]] = OrderedDict()

    async def forecast(self, outlook: Outlook, target: TargetName | None) -> Paths:
        """Return the forecast of an outlook; who asks while it is made waits for the same one."""
        # Who asked may go away; others may wait for the same, and it is kept for the next.
        return await asyncio.shield(self._begun((outlook, target)))

    def soon(self, outlook: Outlook, target: TargetName | None) -> Paths | None:
        """Return the forecast of an outlook if it is made; let it be made otherwise."""
        task = self._begun((outlook, target))
        return task.result() if task.done() else None

    def _begun(self, asked: _Asked) -> asyncio.Task[Paths]:
        task = self._made.get(asked)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._made[asked] = asyncio.create_task(self._make(*asked))
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(asked)
        return task

    async def _make(self, outlook: Outlook, target: TargetName | None) -> Paths:
        if len(outlook.history) < MONTHS_FOR_MODELS:
            return await asyncio.to_thread(forecast, outlook, target)
        try:
            return await self._fitted(outlook, target)
        except BrokenProcessPool:
            # Its process was killed, by the system as a rule: once more, in a new one.
            self._pool = None
            return await self._fitted(outlook, target)

    async def _fitted(self, outlook: Outlook, target: TargetName | None) -> Paths:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers, mp_context=get_context("spawn"), initializer=end_with_parent
            )
        future = self._pool.submit(forecast, outlook, target)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """End the processes; what runs is made again when it is asked for."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


@asynccontextmanager
async def forecasting(app: FastAPI) -> AsyncIterator[None]:
    """Live as an app does that forecasts: its processes end with it."""
    try:
        yield
    finally:
        app.state.forecasters.close()
