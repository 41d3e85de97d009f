"""One story in many orders ends in one state; one event many times at once is booked once.

`make repeats` does both a thousand times; `make test` a few, always the same ones.
"""

import asyncio
import os
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from attribution.conftest import AGENT, FIELDS, REGISTERED, RURAL, TOWN, Event, Sender, fact
from attribution.http.test_any_order import Branch, cut, of
from fastapi import FastAPI

from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.attribution import HeldState

TIMES = int(os.environ.get("REPEATS", "0"))
"""How often each is done; 0: the few of ``make test``."""
SEED = int(os.environ.get("REPEATS_SEED", "1"))


def small_story(sender: Sender) -> list[Event]:
    """Return two lines' life: opened, moved, bundled, sold on, ended, with money before and after."""
    card = {"product": "mobile", "channel_id": "AGENT", "main_subscription_id": "S-1"}
    taken_back = {"refund_id": "R-1", "bill_item_id": "BI-1", "amount_fen": 700}
    paid = {"payment_id": "PAY-1", "subscription_id": "S-1", "amount_fen": 4_000}
    made_good = {"refund_id": "R-2", "bill_item_id": "BI-3", "amount_fen": 1}
    return [
        sender.opened("S-1", standard_address=TOWN),
        sender.opened("S-2", **card),
        sender.event(
            "subscription.moved",
            subscription_id="S-1",
            effective_on="2017-11-15",
            standard_address=RURAL,
        ),
        sender.event(
            "bundle.formed",
            bundle_id="B-1",
            effective_on="2017-10-01",
            subscription_ids=["S-1", "S-2"],
        ),
        sender.event(
            "subscription.changed",
            subscription_id="S-1",
            effective_on="2017-12-05",
            customer_id="ENT-1",
        ),
        sender.event("subscription.closed", subscription_id="S-2", effective_on="2017-12-20"),
        sender.bill("BI-1", "S-1", amount_fen=5_000),
        sender.bill("BI-2", "S-2", period=201712, amount_fen=3_000),
        sender.bill("BI-3", "S-1", period=201712, amount_fen=2_000),
        sender.event("refund.issued", **taken_back),
        sender.event("refund.issued", **made_good),
        sender.event("payment.received", **paid),
    ]


async def _told(
    app: FastAPI, token: Callable[..., str], events: Sequence[Event], chance: Any
) -> Any:
    """Post events to a branch of its own, in some order and cut somewhere; return where that ends."""
    branch = Branch(app, token)
    registered = contracts.BranchRegistered(
        branch_id=branch.branch_id, name_zh="县", default_centre_id="C0"
    )
    known = [fact(contracts.BRANCH_REGISTERED, "branch", registered), *REGISTERED, AGENT, *FIELDS]
    await branch.hear(known)
    mixed = chance.sample(events, len(events))
    for batch in cut(mixed, chance):
        await branch.client.post_events(of(branch, batch))
    held = await branch.client.quarantine(branch.branch_id, state=HeldState.HELD)
    ended = await branch.books()
    await branch.client.close()
    return ended, [(one.event_id, one.code) for one in held.items]


@pytest.mark.slow
async def test_every_order_of_a_story_ends_in_one_state(
    app: FastAPI, token: Callable[..., str]
) -> None:
    chance = random.Random(SEED)
    events = small_story(Sender(0))
    expected, held = await _told(app, token, events, random.Random(0))
    assert expected
    assert held == []
    for number in range(TIMES or 25):
        found = await _told(app, token, events, chance)
        assert found == (expected, held), f"seed {SEED}, order {number}"


@pytest.mark.slow
async def test_one_event_many_times_at_once_is_booked_once(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    chance = random.Random(SEED)
    await manager.post_events([sender.opened()])
    billed, sent = 0, 1
    for number in range(TIMES or 12):
        amount = chance.randrange(1, 10_000)
        event = sender.bill(f"BI-{number}", amount_fen=amount, tax_fen=0)
        times = chance.randrange(2, 51)
        reports = await asyncio.gather(*(manager.post_events([event]) for _ in range(times)))
        said = [(one.booked, one.duplicates) for one in reports]
        assert sorted(said) == [(0, 1)] * (times - 1) + [(1, 0)], f"seed {SEED}, burst {number}"
        billed, sent = billed + amount, sent + times
    books = await manager.reconciliation(county, 201711)
    assert (books.entered_fen, books.booked_fen, books.difference_fen) == (billed, billed, 0)
    (counted,) = await manager.completeness(county)
    assert (counted.received, counted.booked) == (sent, 1 + (TIMES or 12))
