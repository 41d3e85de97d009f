"""What lies in quarantine is looked through once a batch, from whichever side is shorter, to the same end."""

import hashlib
from collections.abc import Iterator

import pytest
from attribution.conftest import Event, Sender
from fastapi import FastAPI
from sqlalchemy import Connection, Engine, event

from huaxiao.attribution.intake import store
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.rows import Scope
from huaxiao.shared.wire.attribution import HeldState

FEW, MANY = 0, 10**6
"""How many are said to be held: fewer than came, or more."""


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Return what the database is asked about quarantine during a test."""
    found: list[str] = []

    def look(_: Connection, __: object, statement: str, *___: object) -> None:
        if "held_events" in statement and statement.startswith("SELECT"):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", look)
    yield found
    event.remove(Engine, "before_cursor_execute", look)


def _bills(sender: Sender, first: int) -> list[Event]:
    return [sender.bill(f"BI-{first + one}") for one in range(150)]


async def test_a_batch_asks_once_what_of_quarantine_concerns_it(
    manager: AttributionClient, county: int, sender: Sender, asked: list[str]
) -> None:
    await manager.post_events([sender.opened(), *_bills(sender, 0)])
    assert asked == []
    waits = sender.event("refund.issued", refund_id="R-1", bill_item_id="BI-404", amount_fen=5)
    await manager.post_events([waits, sender.bill("BI-x", amount_fen=1.5)])
    asked.clear()
    assert (await manager.post_events(_bills(sender, 1_000))).booked == 150
    assert len(asked) == 1
    # One event has more to look through than itself.
    asked.clear()
    assert (await manager.post_events([sender.bill("BI-2000")])).booked == 1
    assert len([one for one in asked if "unnest" in one and "digest" in one]) == 1


@pytest.mark.parametrize("others", [0, 120])
async def test_what_waits_is_booked_whoever_is_more(
    manager: AttributionClient, county: int, sender: Sender, others: int
) -> None:
    await manager.post_events([sender.opened(), sender.bill()])
    held = [sender.bill(f"BI-{one}", "S-404") for one in range(others)]
    waits = sender.event("refund.issued", refund_id="R-1", bill_item_id="BI-9", amount_fen=5)
    wrong = sender.bill("BI-10", amount_fen=1.5)
    await manager.post_events([*held, waits, wrong])
    right = wrong | {"data": wrong["data"] | {"amount_fen": 7}}
    # Booked ahead of its turn, it has to find in quarantine what it brings along and what it mends.
    report = await manager.post_events([*_bills(sender, 1_000), sender.bill("BI-9"), right])
    assert report.booked == 152
    kept = (await manager.quarantine(county, state=HeldState.HELD)).items
    assert len(kept) == others
    assert (await manager.post_events([waits, wrong])).duplicates == 2


async def test_both_sides_find_the_same(
    app: FastAPI, manager: AttributionClient, county: int, sender: Sender
) -> None:
    parked = [sender.bill(f"BI-{one}", f"S-{one}") for one in range(5)]
    wrong = [sender.bill(f"BX-{one}", amount_fen=1.5) for one in range(5)]
    nameless = [{"data": one} for one in range(3)]
    for number, one in enumerate(parked[:2]):
        await manager.post_events([one])
        await manager.dismiss(county, f"H-{number + 1}", "试验")
    await manager.post_events([*parked[2:], *wrong, *nameless])
    kept = (await manager.quarantine(county)).items
    digests = {hashlib.sha256(one.body.encode()).digest(): one.number for one in kept}
    keys = {(one.source, one.event_id) for one in kept if one.source and one.event_id}
    nobody = {("/bss", "E-none"), ("/other", "E-1")}
    async with app.state.database.read(Scope.of_branch(county)) as connection:
        for asked_keys, asked_digests, waiting in (
            (keys | nobody, set[bytes](), set[str]()),
            (nobody, set(digests), {"subscription:S-2"}),
            (set(list(keys)[:3]), set(list(digests)[:4]), {"subscription:S-3", "subscription:S-9"}),
            (nobody, {b"\0" * 32}, {"subscription:S-0", "subscription:S-4"}),
        ):
            few, many = [
                sorted(
                    await store.held_like(
                        connection,
                        county,
                        asked_keys,
                        asked_digests,
                        in_quarantine=held,
                        waiting=waiting,
                    ),
                    key=lambda one: one.number,
                )
                for held in (FEW, MANY)
            ]
            assert few == many
            assert few
