"""Whoever decides reads the county after getting the turn, so that nothing is decided on an old one."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from attribution.conftest import FIELDS, Sender
from attribution.http.test_disputes import PLEA, claim, decision
from attribution.http.test_known_at import somebody_waits
from attribution.http.test_rulings import revenue, ruling
from fastapi import FastAPI
from sqlalchemy import update

from huaxiao.attribution.rule_sets import handlers as rule_sets
from huaxiao.attribution.rule_sets.reading import default_given
from huaxiao.attribution.tables import positions
from huaxiao.attribution.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.attribution import ActivationIn, RuleSetIn
from huaxiao.shared.wire.feed import FeedEntry

Follow = Callable[[Sequence[FeedEntry]], Awaitable[None]]


@pytest.fixture
async def pooled(manager: AttributionClient, branch: int, sender: Sender) -> int:
    """Return a branch without fields, with a line that is billed in two months."""
    await manager.post_events(
        [sender.opened(), sender.bill("BI-1"), sender.bill("BI-2", period=201712)]
    )
    return branch


async def while_fields_are_sealed(app: FastAPI, branch: int, call: Coroutine[Any, Any, Any]) -> Any:
    """Let a call begin while attribution is about to have learned of the county's fields."""
    async with app.state.database.write(EVERYTHING) as connection:
        await connection.execute(
            update(positions)
            .where(positions.c.branch_id == branch)
            .values(position=positions.c.position + len(FIELDS))
        )
        await apply_contracts(connection, branch, FIELDS)
        await until_it_waits(app, called := asyncio.create_task(call))
    return await called


async def until_it_waits(app: FastAPI, called: "asyncio.Task[Any]") -> None:
    while not await somebody_waits(app):
        assert not called.done()
        await asyncio.sleep(0.01)


async def test_a_ruling_is_put_in_force_on_the_fields_sealed_while_it_waited(
    app: FastAPI, manager: AttributionClient, finance: AttributionClient, pooled: int
) -> None:
    november = ruling(field_id=None, to_period=201711)
    await manager.put_ruling(pooled, "R-1", november)
    await while_fields_are_sealed(app, pooled, finance.approve_ruling(pooled, "R-1"))
    assert await revenue(manager, pooled, 201711) == {"C2": 10_000}
    assert await revenue(manager, pooled, 201712) == {"C1": 10_000}


async def test_a_ruling_is_proposed_on_the_fields_sealed_while_it_waited(
    app: FastAPI, manager: AttributionClient, pooled: int
) -> None:
    put = manager.put_ruling(pooled, "R-1", ruling())
    assert (await while_fields_are_sealed(app, pooled, put)).field_id == "F-RURAL"


async def test_a_dispute_ends_on_the_fields_sealed_while_it_waited(
    app: FastAPI,
    caller: Callable[..., AttributionClient],
    manager: AttributionClient,
    finance: AttributionClient,
    pooled: int,
) -> None:
    rural, support = caller(Role.CONTRACTOR, ["C2"]), caller(Role.SUPPORT_CENTRE)
    await rural.raise_dispute(pooled, "D-1", claim(field_id=None, to_period=201711))
    await manager.reply_to_dispute(pooled, "D-1", PLEA)
    await support.propose_decision(pooled, "D-1", decision(field_id=None))
    await while_fields_are_sealed(app, pooled, finance.confirm_decision(pooled, "D-1"))
    assert await revenue(manager, pooled, 201711) == {"C2": 10_000}
    assert await revenue(manager, pooled, 201712) == {"C1": 10_000}


async def test_fields_are_followed_by_the_rules_activated_while_they_waited(
    app: FastAPI, manager: AttributionClient, follow: Follow, pooled: int
) -> None:
    given = default_given()
    without = [one for one in given.rules if one.code not in {"090", "100"}]
    drafted = RuleSetIn(title=given.title, title_zh=given.title_zh, rules=without)
    shown = await manager.put_rule_set(pooled, "NO-ADDRESSES", drafted)
    async with app.state.database.write(EVERYTHING) as connection:
        await rule_sets.activate(
            connection,
            pooled,
            "NO-ADDRESSES",
            ActivationIn(from_period=201711, digest=shown.digest),
            by="test",
            now=datetime.now(UTC),
        )
        followed = asyncio.create_task(follow(FIELDS))
        await until_it_waits(app, followed)
    await followed
    assert await revenue(manager, pooled, 201711) == {"C0": 10_000}
