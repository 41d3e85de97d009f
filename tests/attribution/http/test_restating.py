"""A closed month is corrected in the first open one: by two people, and nothing sealed is touched."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from attribution.conftest import RURAL, Sender
from attribution.http.test_rulings import revenue, ruling

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.wire.attribution import RulingIn


def restating(**changed: Any) -> RulingIn:
    return ruling(**({"restate": True, "to_period": 201711} | changed))


@pytest.fixture
async def closed(
    manager: AttributionClient, finance: AttributionClient, county: int, sender: Sender
) -> int:
    """Return a branch with a town line and a card on it, billed in two months that are closed."""
    await manager.post_events(
        [
            sender.opened(),
            sender.opened("S-2", product="mobile", main_subscription_id="S-1"),
            sender.bill("BI-1"),
            sender.bill("BI-2", period=201712),
            sender.bill("BI-3", "S-2", amount_fen=300),
        ]
    )
    for period in (201711, 201712):
        await manager.begin_closing(county, period)
        await finance.close_period(county, period)
    return county


async def restate(
    manager: AttributionClient,
    finance: AttributionClient,
    branch_id: int,
    ruling_id: str,
    **given: Any,
) -> None:
    await manager.put_ruling(branch_id, ruling_id, restating(**given))
    await finance.approve_ruling(branch_id, ruling_id)


async def test_a_restated_month_stays_sealed_and_its_revenue_moves_in_the_first_open_one(
    manager: AttributionClient, finance: AttributionClient, closed: int
) -> None:
    before = await manager.entries(closed)
    with pytest.raises(PeerProblem) as refused:
        await manager.put_ruling(closed, "R-0", restating(restate=False))
    assert refused.value.code == "period-closed"
    await manager.put_ruling(closed, "R-1", restating())
    with pytest.raises(PeerProblem) as refused:
        await manager.approve_ruling(closed, "R-1")
    assert refused.value.code == "two-people"

    preview = await finance.ruling_preview(closed, "R-1")
    moves = [
        (one.subscription_id, one.period, one.booked_in, one.to_field_id, one.revenue_fen)
        for one in preview.moves
    ]
    # The card's main card is named, so the card's closed month follows it.
    assert moves == [
        ("S-1", 201711, 201801, "F-RURAL", 10_000),
        ("S-2", 201711, 201801, "F-RURAL", 300),
    ]
    effects = {(one.centre_id, one.period): one.revenue_fen for one in preview.centres}
    assert effects == {("C1", 201801): -10_300, ("C2", 201801): 10_300}
    assert await manager.entries(closed) == before

    await finance.approve_ruling(closed, "R-1")
    assert (await finance.ruling_preview(closed, "R-1")).moves == []
    assert await revenue(manager, closed, 201711) == {"C1": 10_300}
    assert await revenue(manager, closed, 201712) == {"C1": 10_000}
    assert await revenue(manager, closed, 201801) == {"C1": -10_300, "C2": 10_300}
    after = await manager.entries(closed)
    assert after.items[: len(before.items)] == before.items
    moved = after.items[len(before.items) :]
    assert {(one.period, one.origin_period) for one in moved} == {(201801, 201711)}
    for period in (201711, 201712):
        assert (await manager.verification(closed, period)).findings == []


async def test_a_restated_month_is_explained_with_what_it_was_closed_with(
    manager: AttributionClient,
    finance: AttributionClient,
    caller: Callable[..., AttributionClient],
    closed: int,
) -> None:
    assert (await manager.explanation(closed, "S-1", period=201711)).closed_as is None
    await restate(manager, finance, closed, "R-1")
    for line in ("S-1", "S-2"):
        found = await manager.explanation(closed, line, period=201711)
        assert (found.owner.centre_id, found.owner.field_id) == ("C2", "F-RURAL")
        assert found.reproduced
        assert found.ruling is not None
        assert (found.ruling.ruling_id, found.ruling.reason, found.ruling.restate) == (
            "R-1",
            "The compound was handed over.",
            True,
        )
        assert found.closed_as is not None
        assert (found.closed_as.owner.centre_id, found.closed_as.owner.field_id) == (
            "C1",
            "F-TOWN",
        )
        assert found.closed_as.decided_at < found.closed_as.closed_at < found.decided_at
    december = await manager.explanation(closed, "S-1", period=201712)
    assert (december.owner.centre_id, december.closed_as, december.ruling) == ("C1", None, None)
    # Who lost it may see why; who has nothing to do with it may not.
    town = caller(Role.CONTRACTOR, ["C1"])
    assert (await town.explanation(closed, "S-1", period=201711)).owner.centre_id == "C2"
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.CONTRACTOR, ["G1"]).explanation(closed, "S-1", period=201711)
    assert refused.value.status == 404


async def test_a_statement_from_before_a_restatement_is_the_same_bytes_after_it(
    http: httpx.AsyncClient,
    manager: AttributionClient,
    finance: AttributionClient,
    closed: int,
    token: Callable[..., str],
    set_clock: Callable[[datetime], None],
) -> None:
    known_at = datetime.now(UTC)
    set_clock(known_at + timedelta(minutes=5))
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, closed)}"}

    async def statement(centre_id: str, period: int) -> bytes:
        answer = await http.get(
            f"/v1/branches/{closed}/statements/{centre_id}",
            params={"period": period, "known_at": known_at.isoformat()},
            headers=headers,
        )
        assert answer.status_code == 200
        return answer.content

    asked = [(centre, period) for centre in ("C1", "C2") for period in (201711, 201801)]
    before = [await statement(*one) for one in asked]
    await restate(manager, finance, closed, "R-1")
    assert [await statement(*one) for one in asked] == before
    set_clock(known_at + timedelta(minutes=10))
    now = await manager.statement(closed, "C2", period=201801)
    assert now.net_revenue_fen == 10_300
    sealed = await manager.statement(closed, "C1", period=201711)
    assert sealed.net_revenue_fen == 10_300


async def test_what_is_heard_late_moves_no_closed_month_with_a_restatement(
    manager: AttributionClient, finance: AttributionClient, closed: int, sender: Sender
) -> None:
    sender.count = 100
    late = sender.event(
        "subscription.moved",
        subscription_id="S-1",
        effective_on="2017-10-20",
        standard_address=RURAL,
    )
    await manager.post_events([late, sender.bill("BI-9", period=201801)])
    assert await revenue(manager, closed, 201801) == {"C2": 10_000}
    await restate(manager, finance, closed, "R-1", centre_id="G1", field_id=None)
    # November as the ruling says, December as it was closed, January as it was heard.
    found = [
        (await manager.explanation(closed, "S-1", period=period)).owner.centre_id
        for period in (201711, 201712, 201801)
    ]
    assert found == ["G1", "C1", "C2"]
    assert await revenue(manager, closed, 201801) == {"C1": -10_300, "C2": 10_000, "G1": 10_300}


async def test_a_refund_of_a_restated_charge_follows_the_restated_owner(
    manager: AttributionClient, finance: AttributionClient, closed: int, sender: Sender
) -> None:
    sender.count = 100
    await restate(manager, finance, closed, "R-1")
    refund = sender.event("refund.issued", refund_id="RF-1", bill_item_id="BI-1", amount_fen=400)
    await manager.post_events([refund])
    assert await revenue(manager, closed, 201801) == {"C1": -10_300, "C2": 9_900}
    # A second restatement takes the charge and its refund along.
    await restate(manager, finance, closed, "R-2", centre_id="G1", field_id=None)
    assert await revenue(manager, closed, 201801) == {"C1": -10_300, "G1": 9_900}
    found = await manager.explanation(closed, "S-1", period=201711)
    assert found.closed_as is not None
    assert found.closed_as.owner.centre_id == "C1"
