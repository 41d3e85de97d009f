"""The sample county's month as it is posted, and what it comes to in the books of two services."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import httpx

from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM
from huaxiao.cli.sample.generator import Event
from huaxiao.cli.story import Story, Taken
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.wire.kpi import Unit


async def books_of(attribution: AttributionClient) -> dict[tuple[str, str], int]:
    """Return what attribution says stands on each centre's accounts."""
    sums: Counter[tuple[str, str]] = Counter()
    for one in await attribution.balances(BRANCH_ID, period=TERM_FROM):
        sums[one.centre_id, one.account] += one.amount_fen
    return {key: amount for key, amount in sums.items() if amount}


async def accounts_of(kpi: KpiClient) -> dict[tuple[str, str], int]:
    """Return what kpi says stands on each centre's accounts."""
    return {
        (one.centre_id, one.measure): one.amount
        for one in await kpi.measures(BRANCH_ID, period=TERM_FROM)
        if one.unit is Unit.FEN and one.measure != "pay" and one.amount
    }


def in_parts(events: Sequence[Event], count: int) -> list[Sequence[Event]]:
    size = -(-len(events) // count)
    return [events[start : start + size] for start in range(0, len(events), size)]


async def post(story: Story, events: Sequence[Event]) -> Taken:
    """Post events until they are answered, as a billing system does."""
    while True:
        with suppress(httpx.TransportError):
            return await story.post(events, lambda _: None)


async def assert_as_expected(story: Story) -> None:
    """See that the month's books are what the sample must come to, and kpi's the same."""
    expected = story.sample.expected
    books = await story.books()
    assert books.billed_fen == books.booked_fen == expected.billed_fen
    assert books.ledger_sum_fen == 0
    assert {
        one.centre_id: one.amount_fen for one in books.revenue_by_centre
    } == expected.revenue_fen
    assert sum(books.held.values()) == (
        sum(expected.refused_forms.values()) + expected.unknown_refunds + expected.other_bodies
    )
    assert await accounts_of(story.kpi) == await books_of(story.attribution)
