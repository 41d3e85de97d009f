"""What was known at a moment is stated the same for ever, whatever is booked afterwards."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from attribution.conftest import RURAL, Event, Sender, body
from fastapi import FastAPI
from sqlalchemy import text

from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.intake.arrivals import Arrival
from huaxiao.attribution.intake.reading import read
from huaxiao.attribution.intake.taking import take
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING

LONG_AGO = datetime(2018, 1, 5, tzinfo=UTC)


@pytest.fixture
async def booked(manager: AttributionClient, county: int, sender: Sender) -> int:
    await manager.post_events([sender.opened(), sender.bill(), sender.bill("BI-2")])
    return county


@pytest.fixture
def ask(http: httpx.AsyncClient, token: Callable[..., str], booked: int) -> Callable[..., Any]:
    """Return a way to ask for the bytes of an answer."""
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, booked)}"}

    async def bytes_of(path: str, **asked: str) -> bytes:
        answer = await http.get(
            f"/v1/branches/{booked}/{path}", params={"period": 201711} | asked, headers=headers
        )
        assert answer.status_code == 200, answer.text
        return answer.content

    return bytes_of


def moved(sender: Sender) -> Event:
    where = {"effective_on": "2017-10-20", "standard_address": RURAL}
    return sender.event("subscription.moved", subscription_id="S-1", **where)


async def test_an_old_statement_comes_out_the_same_bytes_after_any_correction(
    ask: Callable[..., Any], manager: AttributionClient, booked: int, sender: Sender
) -> None:
    now = await manager.statement(booked, "C1", period=201711)
    then = {"known_at": now.known_at.isoformat()}
    statement = await ask("statements/C1", **then)
    balances = await ask("balances", **then)
    assert await ask("balances") == balances
    await manager.post_events([sender.bill("BI-3"), moved(sender)])
    assert await ask("statements/C1", **then) == statement
    assert await ask("balances", **then) == balances
    assert now.model_dump_json() == statement.decode()
    assert (now.net_revenue_fen, now.entries) == (20_000, 4)
    later = await manager.statement(booked, "C1", period=201711)
    assert (later.net_revenue_fen, later.lines) == (0, [])


async def test_the_digest_of_the_same_entries_is_the_same_in_every_release(
    manager: AttributionClient,
    county: int,
    sender: Sender,
    set_clock: Callable[[datetime], None],
) -> None:
    set_clock(LONG_AGO)
    await manager.post_events([sender.opened(), sender.bill(), sender.bill("BI-2")])
    stated = await manager.statement(county, "C1", period=201711)
    assert stated.digest == "8e4726479d516bcc6571baf18e421997f7ae60b746034b7a0917fc7d8c0df0a6"


async def test_balances_of_a_moment_are_what_its_statements_say(
    manager: AttributionClient, booked: int, sender: Sender
) -> None:
    before = datetime.now(UTC)
    await manager.post_events([sender.bill("BI-3"), moved(sender)])
    after = datetime.now(UTC)
    for known_at, centre_id in ((before, "C1"), (after, "C2")):
        statement = await manager.statement(booked, centre_id, period=201711, known_at=known_at)
        balances = await manager.balances(booked, period=201711, known_at=known_at)
        assert [(one.field_id, one.account, one.amount_fen) for one in balances] == [
            (one.field_id, one.account, one.amount_fen) for one in statement.lines
        ]
        assert {one.centre_id for one in balances} == {centre_id}
    assert await manager.balances(booked, period=201711) == balances


async def test_a_statement_waits_for_the_booking_under_way(
    app: FastAPI, manager: AttributionClient, booked: int, sender: Sender
) -> None:
    late = Arrival(read(body(sender.bill("BI-3")), now=LONG_AGO), "test")
    async with app.state.database.write(EVERYTHING) as connection:
        await take(connection, Counties(), booked, [late], now=LONG_AGO)
        asked = asyncio.create_task(manager.statement(booked, "C1", period=201711))
        while not await somebody_waits(app):
            assert not asked.done()
            await asyncio.sleep(0.01)
    stated = await asked
    assert (stated.net_revenue_fen, stated.entries) == (30_000, 6)
    assert stated == await manager.statement(booked, "C1", period=201711, known_at=stated.known_at)


async def somebody_waits(app: FastAPI) -> bool:
    """Say whether a connection of the service waits for a row that another holds."""
    async with app.state.database.read(EVERYTHING) as connection:
        waiting = await connection.scalar(
            text(
                "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database()"
            )
        )
    return bool(waiting)


async def test_a_booking_whose_clock_is_late_is_known_after_what_has_been_stated(
    manager: AttributionClient,
    booked: int,
    sender: Sender,
    set_clock: Callable[[datetime], None],
) -> None:
    stated = await manager.statement(booked, "C1", period=201711)
    set_clock(LONG_AGO)
    await manager.post_events([sender.bill("BI-3")])
    again = await manager.statement(booked, "C1", period=201711, known_at=stated.known_at)
    assert again == stated
    newest = (await manager.entries(booked)).items[-1]
    assert newest.booked_at > stated.known_at
    now = await manager.statement(booked, "C1", period=201711)
    assert now.net_revenue_fen == 30_000


async def test_a_past_moment_is_stated_without_waiting_once_it_is_settled(
    app: FastAPI, manager: AttributionClient, booked: int
) -> None:
    stated = await manager.statement(booked, "C1", period=201711)
    async with app.state.database.write(EVERYTHING) as connection:
        await connection.execute(
            text("SELECT 1 FROM attribution.intakes WHERE branch_id = :one FOR UPDATE"),
            {"one": booked},
        )
        for known_at in (stated.known_at, stated.known_at - timedelta(days=1)):
            await manager.statement(booked, "C1", period=201711, known_at=known_at)


@pytest.mark.parametrize("path", ["statements/C1", "balances"])
@pytest.mark.parametrize(
    ("known_at", "status", "code"),
    [
        ("2099-01-01T00:00:00Z", 409, "moment-to-come"),
        ("2017-11-30", 422, "malformed"),
        ("2017-11-30T10:00:00", 422, "malformed"),
        ("0001-01-01T00:00:00+08:00", 422, "malformed"),
    ],
)
async def test_a_moment_that_cannot_be_stated_is_refused(
    http: httpx.AsyncClient,
    token: Callable[..., str],
    booked: int,
    path: str,
    known_at: str,
    status: int,
    code: str,
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, booked)}"}
    asked = {"period": 201711, "known_at": known_at}
    answer = await http.get(f"/v1/branches/{booked}/{path}", params=asked, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_nothing_is_stated_of_a_branch_that_is_not_known(
    manager: AttributionClient, branch_id: int
) -> None:
    with pytest.raises(PeerProblem) as refused:
        await manager.statement(branch_id, "C1", period=201711)
    assert refused.value.status == 404


async def test_a_contractor_sees_the_statement_of_its_own_centre(
    caller: Callable[..., AttributionClient], booked: int
) -> None:
    town = caller(Role.CONTRACTOR, ["C1"])
    stated = await town.statement(booked, "C1", period=201711)
    assert stated.centre_id == "C1"
    assert await town.balances(booked, period=201711, known_at=stated.known_at)
    with pytest.raises(PeerProblem) as refused:
        await town.statement(booked, "C2", period=201711)
    assert refused.value.status == 404
