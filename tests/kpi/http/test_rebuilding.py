"""Everything the feeds told is made again, on a database of its own."""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url
from support.kpi_feeds import (
    BASE_C1,
    NOVEMBER,
    Peers,
    at,
    booked,
    centre,
    closed,
    contract,
    entry,
    finished,
    paid,
    person,
)
from support.postgres import PreparedDatabase, database_like_a_new_one

from huaxiao.kpi.main import create_app
from huaxiao.kpi.rebuilding import NotFollowedError, rebuild
from huaxiao.kpi.settings import Settings
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.feed import FeedReader
from huaxiao.shared.provision import owner_role
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.kpi import Span
from huaxiao.shared.wire.unit_targets import UnitTargetIn

DAY = datetime(2017, 12, 5, tzinfo=UTC)


@pytest.fixture
def own_database(prepared: PreparedDatabase, branch_id: int) -> PreparedDatabase:
    """Return a database in which there is no other branch to follow."""
    return database_like_a_new_one(prepared.postgres, f"rebuilding_{branch_id}")


@pytest.fixture
async def alone(
    own_database: PreparedDatabase, settings_for: Callable[[str], dict[str, Any]]
) -> AsyncIterator[FastAPI]:
    settings = settings_for("kpi") | {"database_url": own_database.url("kpi")}
    app = create_app(Settings(**settings))
    yield app
    await app.state.database.close()


@pytest.fixture
async def told(alone: FastAPI, branch_id: int) -> Peers:
    """Return peers that have told of a county over some days, restatements and all."""
    peers = Peers(alone, branch_id)
    branch = contracts.BranchRegistered(branch_id=branch_id, name_zh="云泽", default_centre_id="C0")
    await peers.told(
        entry(contracts.BRANCH_REGISTERED, branch),
        *(centre(one) for one in ("C0", "C1", "C2", "C2")),
        person("P01", "C1"),
        person("P03", "C2"),
        person("P03", "C2"),
        contract("CT-C1", "C1", {201611: BASE_C1}),
    )
    for number, one in enumerate(
        (
            *NOVEMBER,
            closed(201711),
            booked(201711, "C1", revenue=500),
            paid("C1", 201711, 66_000, 2, 2),
            finished("O1", "C1", on_time=True),
        )
    ):
        await peers.told(at(DAY + timedelta(days=number), one))
    return peers


class Altered:
    """A feed that tells its first entry otherwise than before."""

    def __init__(self, honest: FeedReader) -> None:
        self._honest = honest

    async def feed(
        self, branch_id: int, *, after: int, limit: int, wait_ms: int
    ) -> list[FeedEntry]:
        read = await self._honest.feed(branch_id, after=after, limit=limit, wait_ms=wait_ms)
        told = [copy.deepcopy(one) for one in read]
        if after == 0:
            told[0].data["changes"][0]["amount_fen"] -= 1
        return told


async def everything(app: FastAPI, branch_id: int, signed: str) -> list[Any]:
    """Ask for all there is to be asked, now and as of every day."""
    transport = httpx.ASGITransport(app=app)
    async with KpiClient("http://kpi", lambda: signed, transport=transport) as kpi:
        found: list[Any] = [await kpi.restatements(branch_id, since=DAY)]
        for known_at in (None, *(DAY + timedelta(days=one) for one in range(12))):
            found.append(await kpi.measures(branch_id, known_at=known_at))
            for span in Span:
                found.append(
                    await kpi.targets(branch_id, period=201711, span=span, known_at=known_at)
                )
                found.append(
                    await kpi.figures(branch_id, period=201711, span=span, known_at=known_at)
                )
        found.append(await kpi.progress(branch_id, period=201711))
        found.append(await kpi.unit_targets(branch_id))
    return found


async def test_a_rebuild_makes_identical_figures_and_leaves_what_people_decided(
    told: Peers, alone: FastAPI, own_database: PreparedDatabase, token: Callable[..., str]
) -> None:
    branch = told.branch_id
    signed = token(Role.PROVINCE, branch)
    transport = httpx.ASGITransport(app=alone)
    async with KpiClient("http://kpi", lambda: signed, transport=transport) as kpi:
        given = UnitTargetIn.model_validate(
            {
                "measure": "net_revenue",
                "centre_id": "C1",
                "from_period": 201711,
                "to_period": 201810,
                "value": 9,
                "source": "letter",
            }
        )
        await kpi.put_unit_target(branch, "T1", given)
    before = await everything(alone, branch, signed)
    seen: list[tuple[int, int]] = []

    async def follows() -> None:
        while True:
            await told.follow()
            await asyncio.sleep(0.05)

    url = make_url(own_database.url(owner_role("kpi")))
    following = asyncio.create_task(follows())
    try:
        done = await rebuild(url, tell=lambda reached, goal: seen.append((reached, goal)))
    finally:
        following.cancel()

    assert done.identical
    assert done.differing() == []
    assert done.after.digests["measure_changes"][0] > 20
    assert seen[-1][0] == seen[-1][1] == sum(done.before.positions.values())
    assert await everything(alone, branch, signed) == before


async def test_what_comes_out_otherwise_is_named(
    told: Peers, own_database: PreparedDatabase
) -> None:
    told.followers[1] = replace(told.followers[1], reader=Altered(told.attribution))
    url = make_url(own_database.url(owner_role("kpi")))
    waiting = asyncio.create_task(rebuild(url))
    await asyncio.sleep(0.3)
    while not waiting.done():
        await told.follow()
        await asyncio.sleep(0.05)
    done = await waiting

    assert not done.identical
    assert done.differing() == ["measure_changes"]
    assert done.sums_that_differ == 0


async def test_without_anybody_who_follows_it_says_so(
    told: Peers, own_database: PreparedDatabase
) -> None:
    url = make_url(own_database.url(owner_role("kpi")))
    with pytest.raises(NotFollowedError):
        await rebuild(url, patience_seconds=0.1)
    await told.follow()
