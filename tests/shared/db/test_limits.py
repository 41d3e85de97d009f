"""A small service under more than it can bear: what it takes on, whom it sends away, and when."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from support.postgres import PreparedDatabase

from huaxiao.shared import deadlines
from huaxiao.shared.audit.log import AuditLog
from huaxiao.shared.auth import Principal, Role, allow
from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.database import Database, service_metadata
from huaxiao.shared.feed import Feed
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.unit_of_work import ReadTx, idempotency_table
from huaxiao.shared.web import router, service_app

metadata = service_metadata("kit")
idempotency_keys = idempotency_table(metadata)
audit_log = AuditLog(metadata, service="kit")
routes = router(tags=["work"])
LOCK = 20171101
_log = logging.getLogger(__name__)


@routes.get("/work")
async def work(
    branch_id: int,
    tx: ReadTx,
    principal: Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.SERVICE)],
    seconds: float = 0.0,
) -> float:
    await tx.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})
    return seconds


@routes.get("/locked")
async def locked(
    branch_id: int,
    tx: ReadTx,
    principal: Annotated[Principal, allow(Role.COUNTY_MANAGER)],
) -> str:
    await tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    return "mine"


@routes.get("/left")
async def left(
    branch_id: int, principal: Annotated[Principal, allow(Role.COUNTY_MANAGER)]
) -> float | None:
    return deadlines.remaining()


class Client(httpx.AsyncClient):
    app: FastAPI


@asynccontextmanager
async def _app(database_url: str, given: dict[str, Any]) -> AsyncIterator[FastAPI]:
    settings = ServiceSettings(**given | {"database_url": database_url})
    database = Database(database_url, service="kit", pool_size=settings.pool_size)
    yield service_app(
        service="kit",
        title="kit",
        settings=settings,
        database=database,
        idempotency_keys=idempotency_keys,
        audit_log=audit_log,
        routers=[routes, Feed(service_metadata("kit"), service="kit").router()],
    )
    await database.close()


@pytest.fixture
def serving(
    kit: Any,
    prepared: PreparedDatabase,
    settings_for: Callable[[str], dict[str, Any]],
    branch_id: int,
    manager: dict[str, str],
) -> Callable[..., Any]:
    """Return what opens a client, as the manager, of the service under settings of one's own."""

    @asynccontextmanager
    async def serve(**settings: Any) -> AsyncIterator[Client]:
        async with _app(prepared.url("postgres"), settings_for("kpi") | settings) as app:
            transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
            base = f"http://kit/v1/branches/{branch_id}"
            async with Client(
                transport=transport, base_url=base, headers=manager, timeout=60
            ) as client:
                client.app = app
                yield client

    return serve


async def timed(asked: Awaitable[httpx.Response]) -> tuple[float, httpx.Response]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    response = await asked
    return loop.time() - began, response


def ninety_ninth(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


async def test_ten_times_too_much_is_sent_away_and_what_is_taken_is_done(
    serving: Callable[..., Any],
) -> None:
    """Demand comes at ten times the pace of the places, whatever becomes of what came before."""
    places, service_seconds = 4, 0.1
    async with serving(max_concurrent=places, max_queue_seconds=0.1) as http:
        alone = [(await timed(http.get("/work?seconds=0.1")))[0] for _ in range(10)]
        asked, health = [], []
        for number in range(800):
            asked.append(asyncio.create_task(timed(http.get("/work?seconds=0.1"))))
            if number % 10 == 0:
                health.append(asyncio.create_task(http.get("http://kit/healthz")))
            await asyncio.sleep(service_seconds / places / 10)
        answers = await asyncio.gather(*asked)
        probes = await asyncio.gather(*health)
        afterwards = await http.get("/work")

    said = Counter(one.status_code for _, one in answers)
    shed = [one for _, one in answers if one.status_code == 503]
    accepted = [seconds for seconds, one in answers if one.status_code == 200]
    ratio = ninety_ninth(accepted) / ninety_ninth(alone)
    _log.info("shed %.1f %%, accepted p99 / alone p99 %.2f", 100 * len(shed) / len(answers), ratio)
    assert set(said) == {200, 503}
    assert len(shed) > len(answers) / 2
    assert len(accepted) >= places
    assert {one.json()["code"] for one in shed} == {"overloaded"}
    assert {one.headers["Retry-After"] for one in shed} == {"1"}
    assert {one.headers["Content-Type"] for one in shed} == {"application/problem+json"}
    assert all("traceparent" in one.headers for one in shed)
    assert {one.status_code for one in probes} == {200}
    assert afterwards.status_code == 200


async def test_a_place_is_waited_for_a_while_and_given_in_turn(
    serving: Callable[..., Any],
) -> None:
    async with serving(max_concurrent=1, max_queue_seconds=30) as http:
        first = asyncio.create_task(http.get("/work?seconds=0.2"))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(http.get("/work"))
        await asyncio.sleep(0.05)
        third = await http.get("/work", headers={"Accept-Language": "zh-CN"})
        answers = await asyncio.gather(first, second)

    assert [one.status_code for one in answers] == [200, 200]
    assert (third.status_code, third.json()["title"]) == (503, "服务繁忙，请稍后重试")


async def test_one_who_leaves_the_queue_takes_no_place_along(serving: Callable[..., Any]) -> None:
    async with serving(max_concurrent=1, max_queue_seconds=30) as http:
        first = asyncio.create_task(http.get("/work?seconds=0.2"))
        await asyncio.sleep(0.05)
        leaving = asyncio.create_task(http.get("/work"))
        await asyncio.sleep(0.05)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await first
        again = [await http.get("/work") for _ in range(3)]

    assert [one.status_code for one in again] == [200, 200, 200]


async def test_who_waits_for_news_holds_no_place(serving: Callable[..., Any]) -> None:
    async with serving(max_concurrent=2, max_queue_seconds=1) as http:
        waiting = [
            asyncio.create_task(http.get("/feed", params={"timeout": 1500})) for _ in range(2)
        ]
        await asyncio.sleep(0.3)
        waiting += [
            asyncio.create_task(http.get("/feed", params={"timeout": 1500})) for _ in range(2)
        ]
        await asyncio.sleep(0.3)
        works = await http.get("/work")
        still = [one.done() for one in waiting]
        polls = await asyncio.gather(*waiting)

    assert works.status_code == 200
    assert not any(still)
    assert [one.status_code for one in polls] == [200] * 4


async def test_a_caller_asks_as_often_as_it_may_and_others_are_not_held_up(
    serving: Callable[..., Any], token: Callable[..., str], issuer: Issuer, branch_id: int
) -> None:
    def of(signed: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {signed}"}

    other = issuer.token("another", roles=[Role.COUNTY_MANAGER], branch_ids=[branch_id])
    service = issuer.token("service:kpi", roles=[Role.SERVICE], branch_ids=None, audience="kit")
    async with serving(caller_requests=20, caller_window_seconds=600) as http:
        own = await asyncio.gather(*(http.get("/left") for _ in range(30)))
        others = await http.get("/left", headers=of(other))
        services = [await http.get("/work", headers=of(service)) for _ in range(30)]

    assert Counter(one.status_code for one in own) == {200: 20, 429: 10}
    refused = next(one for one in own if one.status_code == 429)
    assert refused.json()["code"] == "too-many-requests"
    assert 590 < int(refused.headers["Retry-After"]) <= 600
    assert others.status_code == 200
    assert {one.status_code for one in services} == {200}


async def test_a_lock_that_others_hold_for_long_gets_503_and_the_pool_is_free_again(
    serving: Callable[..., Any], prepared: PreparedDatabase
) -> None:
    holder = await asyncpg.connect(prepared.url("postgres"))
    try:
        async with serving(pool_size=4, max_concurrent=32) as http:
            async with holder.transaction():
                await holder.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
                answers = await asyncio.gather(*(timed(http.get("/locked")) for _ in range(12)))
                freed, works = await timed(http.get("/work"))
            unlocked = await http.get("/locked")
    finally:
        await holder.close()

    slowest = max(seconds for seconds, _ in answers)
    _log.info("slowest answer %.2f s, pool free again after %.3f s", slowest, freed)
    assert {(one.status_code, one.json()["code"]) for _, one in answers} == {(503, "unavailable")}
    assert all(one.headers["Retry-After"] == "1" for _, one in answers)
    assert (works.status_code, unlocked.status_code) == (200, 200)


async def test_what_is_not_done_by_its_deadline_is_ended_in_the_database_too(
    serving: Callable[..., Any], prepared: PreparedDatabase
) -> None:
    asleep = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
        " AND application_name = 'huaxiao-kit' AND wait_event = 'PgSleep'"
        # Others, of other tests, may sleep on the same server.
        " AND datname = current_database() AND backend_start > $1"
    )
    looking = await asyncpg.connect(prepared.url("postgres"))
    begun = await looking.fetchval("SELECT clock_timestamp()")
    try:
        async with serving(request_seconds=0.3, pool_size=1) as http:
            late = await http.get("/work?seconds=30")
            await asyncio.sleep(0.3)
            running_on = await looking.fetchval(asleep, begun)
            again = await http.get("/work")
    finally:
        await looking.close()

    assert running_on == 0
    assert (late.status_code, late.json()["code"]) == (503, "deadline-passed")
    assert late.headers["Retry-After"] == "1"
    assert again.status_code == 200


async def test_a_caller_says_how_long_it_waits_and_never_longer_than_the_service_allows(
    serving: Callable[..., Any],
) -> None:
    async with serving(request_seconds=20) as http:

        async def told(prefer: str) -> float:
            response = await http.get("/left", headers={"Prefer": prefer})
            return float(response.json())

        # However slow the machine is, the one is told from the other.
        assert 5 < await told("return=minimal") <= 20
        assert 0 < await told("wait=5") <= 5
        assert 0 < await told("respond-async, wait=5; x=1") <= 5
        assert 5 < await told("wait=90") <= 20
        over = await http.get("/left", headers={"Prefer": "wait=0"})
    assert (over.status_code, over.json()["code"]) == (503, "deadline-passed")


async def test_peers_are_told_how_much_time_is_left_and_not_asked_without(
    serving: Callable[..., Any], branch_id: int
) -> None:
    class Peer(ServiceClient):
        async def left(self) -> float:
            return float(await self._get(float, f"/v1/branches/{branch_id}/left"))

    async with serving(request_seconds=20) as http:
        token = http.headers["Authorization"].removeprefix("Bearer ")
        async with Peer(
            "http://kit", lambda: token, transport=httpx.ASGITransport(http.app)
        ) as peer:
            with deadlines.due_within(6.5):
                told = await peer.left()
            with deadlines.due_within(0.5), pytest.raises(deadlines.DeadlinePassed):
                await peer.left()
            without = await peer.left()

    assert 5 < told <= 6
    assert 19 < without <= 20


async def test_nothing_is_begun_in_the_database_after_the_deadline(kit: Any) -> None:
    with deadlines.due_within(-1), pytest.raises(deadlines.DeadlinePassed):
        await kit.database.check()


async def test_a_service_that_is_to_stop_is_not_ready_and_serves_on(
    serving: Callable[..., Any],
) -> None:
    async with serving() as http:
        http.app.state.stopping = True
        ready = await http.get("http://kit/readyz")
        healthy = await http.get("http://kit/healthz")
        works = await http.get("/work")

    assert (ready.status_code, ready.headers["Retry-After"]) == (503, "1")
    assert (healthy.status_code, works.status_code) == (200, 200)


def test_the_refusals_are_documented(kit: Any) -> None:
    responses = kit.app.openapi()["paths"]["/v1/branches/{branch_id}/notes"]["get"]["responses"]
    for status, code in (("429", "too-many-requests"), ("503", "overloaded")):
        assert code in responses[status]["description"]
        assert responses[status]["headers"]["Retry-After"]["schema"]["type"] == "integer"
    assert "deadline-passed" in responses["503"]["description"]
