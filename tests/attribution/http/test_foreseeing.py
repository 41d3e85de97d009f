"""What is booked before its turn is what would have been booked in it, or it is booked anew."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from attribution.conftest import RURAL, Event, Sender, body
from fastapi import FastAPI

from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.intake import store, turns
from huaxiao.attribution.intake.foreseeing import foresee
from huaxiao.attribution.intake.reading import read
from huaxiao.attribution.intake.turns import Turns
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.attribution import HeldState, Outcome

NOW = datetime(2018, 1, 5, tzinfo=UTC)


@pytest.fixture
def ours(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Turns:
    """Return the turns of another process than the app's, which books whatever waits."""
    monkeypatch.setattr(turns, "FORESEEN", 1)
    return Turns(app.state.database, Counties())


@pytest.fixture
async def opened(manager: AttributionClient, county: int, sender: Sender, ours: Turns) -> None:
    """Open a line, and let our process see whose it is."""
    await manager.post_events([sender.opened()])
    await taken(ours, county, sender.bill("BI-0"))


async def taken(ours: Turns, county: int, *events: Event) -> list[Outcome]:
    readings = [read(body(one), now=NOW) for one in events]
    verdicts = await ours.take(county, readings, posted_by="test", now=NOW)
    return [one.outcome for one in verdicts]


@asynccontextmanager
async def at_work(ours: Turns, county: int) -> AsyncIterator[None]:
    """Keep our process at work on the branch; whatever is brought meanwhile waits."""
    task = asyncio.current_task()
    assert task is not None
    ours._under_way[county] = task  # noqa: SLF001
    yield
    ours._begin(county)  # noqa: SLF001


async def after(
    ours: Turns, county: int, meanwhile: Callable[[], Awaitable[object]], *events: Event
) -> list[Outcome]:
    """Take events that have been booked ahead, once something else has happened on the branch."""
    async with at_work(ours, county):
        waiting = asyncio.create_task(taken(ours, county, *events))
        await asyncio.sleep(0)
        (part,) = ours._waiting[county]  # noqa: SLF001
        assert part.foreseen is not None
        await meanwhile()
    return await waiting


async def revenue(manager: AttributionClient, branch_id: int) -> dict[str, int]:
    books = await manager.reconciliation(branch_id, 201711)
    assert books.difference_fen == books.ledger_sum_fen == 0
    return {one.centre_id: one.amount_fen for one in books.revenue_by_centre if one.amount_fen}


async def nothing() -> None:
    """Let nothing happen meanwhile."""


@pytest.mark.usefixtures("opened")
async def test_what_was_foreseen_is_what_is_booked(
    manager: AttributionClient, county: int, sender: Sender, ours: Turns
) -> None:
    bills = [sender.bill(f"BI-{number}") for number in range(1, 4)]
    assert await after(ours, county, nothing, *bills) == [Outcome.BOOKED] * 3
    assert await revenue(manager, county) == {"C1": 40_000}


@pytest.mark.usefixtures("opened")
async def test_requests_that_were_foreseen_are_booked_together_and_fail_alone(
    manager: AttributionClient, county: int, sender: Sender, ours: Turns
) -> None:
    before = len(await manager.feed(county, after=0, limit=1000))
    bills = [sender.bill(f"BI-{number}") for number in range(1, 6)]
    async with at_work(ours, county):
        waiting = [asyncio.create_task(taken(ours, county, one)) for one in bills]
        await asyncio.sleep(0)
    assert await asyncio.gather(*waiting) == [[Outcome.BOOKED]] * 5
    assert len(await manager.feed(county, after=0, limit=1000)) == before + 1
    async with at_work(ours, county):
        again = [asyncio.create_task(taken(ours, county, one)) for one in bills[:2]]
        new = asyncio.create_task(taken(ours, county, sender.bill("BI-6")))
        await asyncio.sleep(0)
    assert await asyncio.gather(*again, new) == [
        [Outcome.DUPLICATE],
        [Outcome.DUPLICATE],
        [Outcome.BOOKED],
    ]
    assert await revenue(manager, county) == {"C1": 70_000}


@pytest.mark.usefixtures("opened")
async def test_an_owner_that_another_process_has_changed_meanwhile_has_it(
    manager: AttributionClient, county: int, sender: Sender, ours: Turns
) -> None:
    move = {"subscription_id": "S-1", "effective_on": "2017-10-15"}
    moved = sender.event("subscription.moved", **move, standard_address=RURAL + "0001")
    outcomes = await after(ours, county, lambda: manager.post_events([moved]), sender.bill("BI-1"))
    assert outcomes == [Outcome.BOOKED]
    assert await revenue(manager, county) == {"C2": 20_000}


@pytest.mark.usefixtures("opened")
async def test_a_month_that_was_closed_meanwhile_gets_nothing_more(
    manager: AttributionClient, county: int, sender: Sender, ours: Turns
) -> None:
    async def close() -> None:
        async with ours.database.write(EVERYTHING) as connection:
            await store.lock(connection, county)
            await connection.execute(
                store.intakes.update()
                .where(store.intakes.c.branch_id == county)
                .values(closed_through=201711)
            )

    assert await after(ours, county, close, sender.bill("BI-1")) == [Outcome.BOOKED]
    entries = (await manager.entries(county, subscription_id="S-1")).items
    assert {(one.origin_period, one.period) for one in entries} == {
        (201711, 201711),
        (201711, 201712),
    }


@pytest.mark.usefixtures("opened")
async def test_what_another_process_has_taken_meanwhile_is_a_duplicate(
    manager: AttributionClient, county: int, sender: Sender, ours: Turns
) -> None:
    bill, others = sender.bill("BI-1"), Turns(ours.database, Counties())
    outcomes = await after(
        ours, county, lambda: taken(others, county, bill), bill, sender.bill("BI-2")
    )
    assert outcomes == [Outcome.DUPLICATE, Outcome.BOOKED]
    assert await revenue(manager, county) == {"C1": 30_000}


@pytest.mark.usefixtures("opened")
async def test_what_waits_for_a_charge_is_let_out_by_it(
    manager: AttributionClient, county: int, sender: Sender, ours: Turns
) -> None:
    refund = {"refund_id": "R-1", "bill_item_id": "BI-1", "amount_fen": 4_000}
    refunded = sender.event("refund.issued", **refund)

    async def refund_first() -> None:
        report = await manager.post_events([refunded])
        assert report.parked == 1

    assert await after(ours, county, refund_first, sender.bill("BI-1")) == [Outcome.BOOKED]
    held = (await manager.quarantine(county)).items
    assert [one.state for one in held] == [HeldState.RESOLVED]
    assert await revenue(manager, county) == {"C1": 16_000}


@pytest.mark.usefixtures("opened")
async def test_nothing_out_of_the_ordinary_is_foreseen(
    county: int, sender: Sender, ours: Turns
) -> None:
    standing = ours.counties.seen(county)
    assert standing is not None
    ordinary = read(body(sender.bill("BI-1")), now=NOW)
    assert await foresee(standing, [ordinary], now=NOW) is not None
    for odd in (
        sender.opened("S-2"),
        sender.bill("BI-2", subscription_id="S-2"),
        sender.event("refund.issued", refund_id="R-1", bill_item_id="BI-0", amount_fen=1),
        sender.bill("BI-3", amount_fen=1.5),
        sender.bill("BI-1", amount_fen=1),
    ):
        assert await foresee(standing, [ordinary, read(body(odd), now=NOW)], now=NOW) is None
    assert await foresee(standing, [ordinary, ordinary], now=NOW) is None
