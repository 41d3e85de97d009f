"""Requests that arrive together are taken together, and each gets its own answer."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncpg import LockNotAvailableError
from attribution.conftest import RURAL, Event, Sender, body
from fastapi import FastAPI
from sqlalchemy import event
from support.postgres import PreparedDatabase

from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.domain.messages import Message
from huaxiao.attribution.intake import store
from huaxiao.attribution.intake.reading import Reading, read
from huaxiao.attribution.intake.turns import Turns
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.database import Database
from huaxiao.shared.deadlines import DeadlinePassed, due_within
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.values import changed

NOW = datetime(2018, 1, 5, tzinfo=UTC)


@pytest.fixture
def turns(app: FastAPI) -> Turns:
    """Return the turns of another process than the app's: nothing is remembered in common."""
    return Turns(app.state.database, Counties())


def reading(event: Event) -> Reading:
    return read(body(event), now=NOW)


async def centres(manager: AttributionClient, branch_id: int) -> dict[str, int]:
    books = await manager.reconciliation(branch_id, 201711)
    assert books.difference_fen == books.ledger_sum_fen == 0
    return {one.centre_id: one.amount_fen for one in books.revenue_by_centre if one.amount_fen}


async def test_requests_that_wait_are_committed_together_and_answered_one_by_one(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    await manager.post_events([sender.opened()])
    bills = [sender.bill(f"BI-{number}") for number in range(40)]
    reports = await asyncio.gather(*(manager.post_events([bill]) for bill in [*bills, *bills]))
    outcomes = Counter((one.booked, one.duplicates) for one in reports)
    assert outcomes == {(1, 0): 40, (0, 1): 40}
    assert await centres(manager, county) == {"C1": 400_000}
    facts = await manager.feed(county, after=0, limit=1000)
    assert len(facts) < 40


async def test_what_one_request_brings_never_fails_another(
    manager: AttributionClient, county: int, sender: Sender, turns: Turns
) -> None:
    await manager.post_events([sender.opened()])
    good = [reading(sender.bill(f"BI-{number}")) for number in range(5)]
    says = good[0].says
    assert isinstance(says, Message)
    odd = changed(says, event_id="\udc80")
    broken = changed(good[0], says=odd, digest=b"other")
    async with turns.database.write(EVERYTHING) as connection:
        # While this holds the branch, the others gather behind it.
        await store.lock(connection, county)
        waiting = [
            asyncio.create_task(turns.take(county, [one], posted_by="test", now=NOW))
            for one in [*good[1:], broken]
        ]
        await asyncio.sleep(0.2)
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(one, UnicodeEncodeError) for one in found] == [False] * 4 + [True]
    assert await centres(manager, county) == {"C1": 40_000}


async def test_a_process_notices_what_another_has_decided(
    manager: AttributionClient, county: int, sender: Sender, turns: Turns
) -> None:
    async def elsewhere(event: Event) -> None:
        (taken,) = await turns.take(county, [reading(event)], posted_by="test", now=NOW)
        assert taken.outcome == "booked"

    await manager.post_events([sender.opened(), sender.bill("BI-1")])
    await elsewhere(sender.bill("BI-2"))
    move = {"subscription_id": "S-1", "effective_on": "2017-10-15"}
    await manager.post_events(
        [sender.event("subscription.moved", **move, standard_address=RURAL + "0001")]
    )
    assert await centres(manager, county) == {"C2": 20_000}
    await elsewhere(sender.bill("BI-3"))
    await manager.post_events([sender.bill("BI-4")])
    assert await centres(manager, county) == {"C2": 40_000}


async def test_what_a_failed_transaction_decided_is_forgotten(
    manager: AttributionClient, county: int, sender: Sender, turns: Turns
) -> None:
    opened, bill = reading(sender.opened()), reading(sender.bill())
    says = bill.says
    assert isinstance(says, Message)
    odd = changed(says, event_id="\udc80")
    broken = changed(bill, says=odd, digest=b"other")
    with pytest.raises(UnicodeEncodeError):
        await turns.take(county, [opened, broken], posted_by="test", now=NOW)
    (parked,) = await turns.take(county, [bill], posted_by="test", now=NOW)
    assert parked.outcome == "parked"
    (booked,) = await turns.take(county, [opened], posted_by="test", now=NOW)
    assert booked.outcome == "booked"
    assert await centres(manager, county) == {"C1": 10_000}


@pytest.mark.parametrize("rounds", [1, 2, 3, 4])
async def test_whoever_leaves_before_the_turn_holds_up_nobody_and_is_not_taken(
    manager: AttributionClient, county: int, sender: Sender, turns: Turns, rounds: int
) -> None:
    await manager.post_events([sender.opened()])
    bill = reading(sender.bill())
    leaving = asyncio.create_task(turns.take(county, [bill], posted_by="test", now=NOW))
    # It has begun a turn, which lets the loop go round before it looks who waits.
    for _ in range(rounds):
        await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    # Now it has looked, and found nobody.
    await asyncio.sleep(0.1)
    async with asyncio.timeout(20):
        (taken,) = await turns.take(county, [bill], posted_by="test", now=NOW)
    assert taken.outcome == "booked"
    assert await centres(manager, county) == {"C1": 10_000}


async def test_a_failed_transaction_is_taken_apart_for_those_who_still_wait(
    manager: AttributionClient, county: int, sender: Sender, turns: Turns
) -> None:
    await manager.post_events([sender.opened()])
    good = [reading(sender.bill(f"BI-{number}")) for number in range(2)]
    says = good[0].says
    assert isinstance(says, Message)
    broken = changed(good[0], says=changed(says, event_id="\udc80"), digest=b"other")
    async with turns.database.write(EVERYTHING) as connection:
        await store.lock(connection, county)
        failing, leaving, staying = (
            asyncio.create_task(turns.take(county, [one], posted_by="test", now=NOW))
            for one in [broken, *good]
        )
        await asyncio.sleep(0.2)
        leaving.cancel()
    found = await asyncio.gather(failing, leaving, staying, return_exceptions=True)
    kinds = [type(one) for one in found]
    assert kinds == [UnicodeEncodeError, asyncio.CancelledError, list]
    assert await centres(manager, county) == {"C1": 10_000}


async def test_a_lock_that_others_hold_for_long_is_waited_for_once_by_all_who_came_together(
    manager: AttributionClient, county: int, sender: Sender, turns: Turns
) -> None:
    await manager.post_events([sender.opened()])
    bills = [reading(sender.bill(f"BI-{number}")) for number in range(5)]
    begun: list[object] = []

    def note(connection: object) -> None:
        begun.append(connection)

    async with turns.database.write(EVERYTHING) as connection:
        await store.lock(connection, county)
        engine = turns.database.engine.sync_engine
        event.listen(engine, "begin", note)
        found = await asyncio.gather(
            *(turns.take(county, [one], posted_by="test", now=NOW) for one in bills),
            return_exceptions=True,
        )
        event.remove(engine, "begin", note)
    assert [type(one) for one in found] == [LockNotAvailableError] * 5
    assert len(begun) == 1
    taken = await asyncio.gather(
        *(turns.take(county, [one], posted_by="test", now=NOW) for one in bills)
    )
    assert [one.outcome for (one,) in taken] == ["booked"] * 5
    assert await centres(manager, county) == {"C1": 50_000}


@pytest.fixture
async def never_told() -> AsyncIterator[list[dict[str, Any]]]:
    """Return what is said of errors that nobody has asked for, as it comes."""
    said: list[dict[str, Any]] = []
    gc.collect()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: said.append(context))
    yield said
    loop.set_exception_handler(None)


async def test_a_turn_that_comes_too_late_tells_whoever_waits_and_nobody_else(
    county: int, sender: Sender, prepared: PreparedDatabase, never_told: list[dict[str, Any]]
) -> None:
    database = Database(prepared.url("attribution"), service="attribution", pool_size=1)
    turns = Turns(database, Counties())
    async with database.write(EVERYTHING):
        with due_within(0.2), pytest.raises(DeadlinePassed):
            await turns.take(county, [reading(sender.opened())], posted_by="test", now=NOW)
        await asyncio.sleep(0)
        gc.collect()
    await database.close()
    assert never_told == []
