"""Jobs that are due are done while a service runs."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.settings import Settings
from huaxiao.shared import web
from huaxiao.shared.database import Database
from huaxiao.shared.ticking import ticking

NOW = datetime(2017, 11, 6, tzinfo=UTC)


async def test_every_job_is_done_until_nothing_is_left_and_none_keeps_another_from_it(
    settings_for: Any, prepared: Any
) -> None:
    left = {110001: 3, 110002: 1}
    seen: list[tuple[int, datetime]] = []
    done = asyncio.Event()

    async def fails(_: AsyncConnection, branch_id: int, now: datetime) -> int:
        raise LookupError(branch_id)

    async def works(_: AsyncConnection, branch_id: int, now: datetime) -> int:
        seen.append((branch_id, now))
        if not left[branch_id]:
            if not any(left.values()):
                done.set()
            return 0
        left[branch_id] -= 1
        return 1

    async def branches(_: Database) -> Sequence[int]:
        return list(left)

    settings = Settings(**settings_for("kpi") | {"follow": True})
    database = Database(prepared.url("kpi"), service="kpi")
    app = FastAPI()
    app.state.clock = lambda: NOW
    jobs = {"fails": fails, "works": works}
    async with web.together(ticking(settings, database, jobs=jobs, branches=branches))(app):
        await asyncio.wait_for(done.wait(), 10)
    await database.close()

    assert seen == [(110001, NOW)] * 4 + [(110002, NOW)] * 2
