"""Work on the plans that are asked for, while the service runs: taken from the table, one by one.

Several services may do so at once; a plan whose service is gone is taken by another one, and made
anew from the same problem and seed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from sqlalchemy import RowMapping

from huaxiao.dispatch.domain.planning.changing import Changed
from huaxiao.dispatch.domain.planning.model import Problem
from huaxiao.dispatch.plans import store
from huaxiao.dispatch.plans.documents import (
    plan_document,
    plan_of,
    problem_document,
    problem_of,
    travel_source,
)
from huaxiao.dispatch.plans.routing import RouterError, over_roads
from huaxiao.dispatch.plans.searching import HelpOut, Running, Search, Searchers
from huaxiao.dispatch.settings import Settings
from huaxiao.shared.background import beside
from huaxiao.shared.database import Database
from huaxiao.shared.rows import EVERYTHING, Scope
from huaxiao.shared.web import Lifespan
from huaxiao.shared.wire.plans import PlanKind, PlanState

_EVERY_SECONDS = 0.5
_IDLE_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Planners:
    """What wakes and does the work on plans in this process."""

    def __init__(self, database: Database, settings: Settings) -> None:
        """Prepare the processes."""
        self._database = database
        self._routing_url = settings.routing_url
        self._searchers = Searchers(settings.plan_workers)
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Say that a plan was asked for."""
        self._wake.set()

    async def run(self) -> None:
        """Take what waits, again and again, as long as a process is free."""
        while True:
            taken = False
            try:
                taken = await self._take_one()
            except Exception as error:  # noqa: BLE001 - the database may be down; keep asking
                _log.warning("cannot look for plans to make: %r", error)
            if not taken:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _IDLE_SECONDS)
                self._wake.clear()

    async def close(self) -> None:
        """End what runs; it is taken up again by whoever comes next."""
        for one in self._tasks:
            one.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._searchers.close)

    async def _take_one(self) -> bool:
        process = self._searchers.take()
        if process is None:
            return False
        row = None
        try:
            async with self._database.write(EVERYTHING) as connection:
                row = await store.claim(connection)
        finally:
            if row is None:
                self._searchers.give_back(process)
        if row is None:
            return False
        task = asyncio.create_task(self._work(row, process))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _work(self, row: RowMapping, process: int) -> None:
        try:
            await self._make_and_keep(row, process)
        finally:
            self._searchers.give_back(process)
            self._wake.set()

    async def _make_and_keep(self, row: RowMapping, process: int) -> None:
        branch_id, plan_id = row["branch_id"], row["plan_id"]
        try:
            if row["attempts"] > store.MOST_ATTEMPTS:
                raise RuntimeError("its process ended again and again")  # noqa: TRY301
            changes = await self._make(row, process)
        except BrokenProcessPool:
            # The lease is left to end: the plan is taken up again, a few times.
            _log.warning("the process that made plan %s of %s has ended", plan_id, branch_id)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked is told
            _log.warning("plan %s of %s: %r", plan_id, branch_id, error)
            changes = {"state": PlanState.FAILED, "failure": repr(error)}
        try:
            async with self._database.write(Scope.of_branch(branch_id)) as connection:
                await store.finish(connection, branch_id, plan_id, changes)
        except Exception as error:  # noqa: BLE001 - what was found is lost, and found again
            _log.warning("cannot keep plan %s of %s: %r", plan_id, branch_id, error)

    async def _make(self, row: RowMapping, process: int) -> dict[str, Any]:
        wanted = await self._wanted(row)
        running = self._searchers.begin(process, wanted)
        future = asyncio.wrap_future(running.future)
        # Where this service ends before the search, nobody asks how that went.
        future.add_done_callback(lambda one: one.cancelled() or one.exception())
        stopped = await self._watch(row, running, future)
        made = await future
        heard = running.heard()
        return {
            "state": PlanState.STOPPED if stopped else PlanState.DONE,
            "problem": problem_document(made.problem),
            "result": plan_document(made.plan),
            "travel_source": travel_source(made.problem.travel),
            "share": heard.share if stopped else 1.0,
            "searched": made.plan.iterations,
            "cost": made.plan.cost.total,
        }

    async def _wanted(self, row: RowMapping) -> Search | HelpOut:
        problem = await self._over_roads(problem_of(row["problem"]))
        if row["kind"] == PlanKind.NEIGHBOURS:
            return await self._neighbours(row, problem)
        seconds = row["seconds"]
        return Search(problem, plan_of(row["before"]), row["seed"], seconds, row["iterations"])

    async def _over_roads(self, problem: Problem) -> Problem:
        if self._routing_url is None:
            return problem
        try:
            return await over_roads(problem, self._routing_url)
        except RouterError as error:
            _log.warning("the router does not answer, distances are taken instead: %s", error)
            return problem

    async def _neighbours(self, row: RowMapping, problem: Problem) -> HelpOut:
        async with self._database.read(Scope.of_branch(row["branch_id"])) as connection:
            found = await store.of_round(
                connection, row["branch_id"], row["round_id"], with_routes=True
            )
        # A centre without a plan of its own keeps its day as it stood.
        made = tuple(
            plan_of(one["result"] or one["before"]) for one in found if one["kind"] == PlanKind.DAY
        )
        return HelpOut(problem, made, frozenset(row["missing"]["urgent"]))

    async def _watch(
        self, row: RowMapping, running: Running, future: asyncio.Future[Changed]
    ) -> bool:
        """Tell how far it is until it ends; return whether somebody stopped it."""
        stopped = False
        while True:
            done, _ = await asyncio.wait([future], timeout=_EVERY_SECONDS)
            if done:
                return stopped
            heard = running.heard()
            progress = {
                "share": heard.share,
                "searched": heard.iterations,
                "cost": heard.cost,
            }
            try:
                async with self._database.write(Scope.of_branch(row["branch_id"])) as connection:
                    asked = await store.renew(
                        connection, row["branch_id"], row["plan_id"], progress
                    )
            except Exception as error:  # noqa: BLE001 - the search goes on without its database
                _log.warning("cannot tell how far plan %s is: %r", row["plan_id"], error)
                continue
            if asked:
                stopped = True
                running.stop()


def planning(settings: Settings, database: Database) -> Lifespan:
    """Return a life of the app during which plans that are asked for are made."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        if not settings.follow or settings.plan_workers == 0:
            yield
            return
        planners = Planners(database, settings)
        app.state.planners = planners
        try:
            async with beside(planners.run()):
                yield
        finally:
            await planners.close()

    return life
