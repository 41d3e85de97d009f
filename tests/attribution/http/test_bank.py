"""Money moves between centres while others read: what all have together is the same at every read."""

import asyncio
import os
import random
from collections import Counter

from attribution.conftest import Sender

from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.wire.attribution import RulingIn

LINES = 8
CENTRES = {"C1": None, "C2": "F-RURAL", "G1": None}
MOVES = int(os.environ.get("BANK_MOVES", "3"))
"""Of each of the four who move; ``BANK_MOVES=150`` makes more than a thousand reads."""
MOVERS, READERS = 4, 4
AMOUNT_FEN = 10_000


async def test_what_all_centres_have_is_the_same_at_every_read_while_money_moves(
    manager: AttributionClient, finance: AttributionClient, county: int, sender: Sender
) -> None:
    lines = [f"S-{number}" for number in range(LINES)]
    await manager.post_events([sender.opened(one) for one in lines])
    await manager.post_events([sender.bill(f"BI-{one}", one) for one in lines])
    over = asyncio.Event()
    totals: Counter[int] = Counter()
    seen: set[tuple[tuple[str, int], ...]] = set()

    async def move(mover: int) -> None:
        chance = random.Random(mover)
        for number in range(MOVES):
            centre_id = chance.choice(sorted(CENTRES))
            given = RulingIn(
                subscription_ids=[chance.choice(lines)],
                centre_id=centre_id,
                field_id=CENTRES[centre_id],
                from_period=201711,
                to_period=201810,
                reason="移交",
            )
            ruling_id = f"R-{mover}-{number}"
            await manager.put_ruling(county, ruling_id, given)
            await finance.approve_ruling(county, ruling_id)

    async def read() -> None:
        while not over.is_set():
            books = await manager.reconciliation(county, 201711)
            assert (books.difference_fen, books.ledger_sum_fen) == (0, 0)
            by_centre = {one.centre_id: one.amount_fen for one in books.revenue_by_centre}
            totals[sum(by_centre.values())] += 1
            seen.add(tuple(sorted(by_centre.items())))

    readers = [asyncio.create_task(read()) for _ in range(READERS)]
    try:
        await asyncio.gather(*(move(one) for one in range(MOVERS)))
    finally:
        over.set()
    await asyncio.gather(*readers)

    assert totals.keys() == {LINES * AMOUNT_FEN}
    assert totals.total() >= MOVERS * MOVES
    # It did move meanwhile.
    assert len(seen) > 2
