"""Which held events a list shows, and what it says of each."""

import pytest
from attribution.conftest import Sender

from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.wire.attribution import HeldState, Outcome


@pytest.fixture
async def held(manager: AttributionClient, county: int, sender: Sender) -> int:
    """Return a branch with two that wait for lines, one refused, and one that says no source."""
    wrong = sender.bill("BI-3", amount_fen=1.5)
    nameless = {name: value for name, value in sender.bill("BI-4").items() if name != "source"}
    others = sender.bill("BI-2", "S-405") | {"source": "/other"}
    await manager.post_events([sender.bill("BI-1", "S-404"), others, wrong, nameless])
    return county


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        ({"outcome": Outcome.PARKED}, ["subscription:S-404", "subscription:S-405"]),
        ({"outcome": Outcome.PARKED, "source": "/other"}, ["subscription:S-405"]),
        ({"outcome": Outcome.REFUSED}, [None, None]),
        ({"source": "/bss"}, ["subscription:S-404", None]),
        ({"source": "", "state": HeldState.HELD}, [None]),
        ({"source": "/bs"}, []),
        ({"outcome": Outcome.BOOKED}, []),
    ],
)
async def test_a_list_is_of_the_outcome_and_source_that_are_asked_for(
    manager: AttributionClient, held: int, asked: dict[str, str], waits: list[str | None]
) -> None:
    found = (await manager.quarantine(held, **asked)).items  # type: ignore[arg-type]
    assert [one.waiting_for for one in found] == waits
    assert {one.posted_by for one in found} <= {"test:county_manager"}


async def test_pages_go_on_within_what_is_asked_for(manager: AttributionClient, held: int) -> None:
    first = await manager.quarantine(held, source="/bss", limit=1)
    second = await manager.quarantine(held, source="/bss", limit=1, cursor=first.next_cursor)
    assert [one.code for one in (*first.items, *second.items)] == [
        "unknown-subscription",
        "bad-amount",
    ]
    assert second.next_cursor is None
    assert await manager.held_event(held, first.items[0].held_id) == first.items[0]


async def test_completeness_is_told_of_the_source_and_days_that_are_asked_for(
    manager: AttributionClient, held: int
) -> None:
    (row,) = (await manager.completeness(held))[1:2]
    found = await manager.completeness_page(held, first=row.day, last=row.day, source=row.source)
    assert found.items == [row]
    nobody = await manager.completeness_page(held, first=row.day, last=row.day, source="/nobody")
    assert nobody.items == []
