"""A channel that moves leaves its stock behind, in any order of facts and events (R11, R24)."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any

import pytest
from attribution.conftest import Sender, channel_moved, fact

from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.wire import organisation
from huaxiao.shared.wire.feed import FeedEntry

Follow = Callable[[Sequence[FeedEntry]], Awaitable[None]]
AWAY, BACK = channel_moved("2017-11-15", "C1"), channel_moved("2017-12-10", "G1")
OPENED = {"S-OLD": "2017-11-14", "S-NEW": "2017-11-15", "S-LAST": "2017-12-10"}
EXPECTED = {("S-OLD", "C2"), ("S-NEW", "C1"), ("S-LAST", "G1")}


def sold(sender: Sender, subscription_id: str) -> list[dict[str, Any]]:
    """Return a mobile line that the agent sold, with a bill of December."""
    return [
        sender.opened(
            subscription_id,
            product="mobile",
            channel_id="AGENT",
            opened_on=OPENED[subscription_id],
            standard_address=None,
        ),
        sender.bill(f"BI-{subscription_id}", subscription_id, period=201712),
    ]


async def owners(client: AttributionClient, branch_id: int) -> set[tuple[str, str]]:
    told = [await client.explanation(branch_id, one, period=201712) for one in OPENED]
    assert all(one.reproduced and one.owner.unit_rule == "130" for one in told)
    return {(one.subscription_id, one.owner.centre_id) for one in told}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_what_was_sold_before_the_move_stays_and_new_lines_follow(
    county: int, sender: Sender, manager: AttributionClient, follow: Follow, order: tuple[int, ...]
) -> None:
    """Facts come in their own order; between them, before and after come the lines."""
    lines = [sold(sender, one) for one in OPENED]
    facts = [AWAY, BACK, None]
    for step, number in enumerate(order):
        await manager.post_events(lines[number])
        if (said := facts[step]) is not None:
            await follow([said])

    assert await owners(manager, county) == EXPECTED
    revenue = {
        one.centre_id: one.amount_fen
        for one in await manager.balances(county, period=201712)
        if one.account == "revenue"
    }
    assert revenue.keys() == {"C1", "C2", "G1"}
    assert len(set(revenue.values())) == 1


async def test_a_decision_of_before_is_kept_and_laid_over(
    county: int, sender: Sender, manager: AttributionClient, follow: Follow
) -> None:
    await manager.post_events(sold(sender, "S-NEW"))
    before = await manager.explanation(county, "S-NEW", period=201712)
    await follow([AWAY])
    after = await manager.explanation(county, "S-NEW", period=201712)

    assert (before.owner.centre_id, after.owner.centre_id) == ("C2", "C1")
    assert (before.version, after.version) == (1, 2)
    assert after.evidence["subject"]["channel"]["centre_id"] == "C1"
    assert after.reproduced


async def test_a_closed_channel_keeps_its_stock_and_sells_nothing(
    county: int, sender: Sender, manager: AttributionClient, follow: Follow
) -> None:
    await manager.post_events([*sold(sender, "S-OLD"), *sold(sender, "S-NEW")])
    await follow([channel_moved("2017-11-15", "C2", is_open=False)])

    kept = await manager.explanation(county, "S-OLD", period=201712)
    astray = await manager.explanation(county, "S-NEW", period=201712)

    assert (kept.owner.centre_id, kept.owner.unit_rule) == ("C2", "130")
    assert (astray.owner.centre_id, astray.owner.unit_rule) == ("C0", "900")


async def test_what_a_channel_costs_is_borne_by_the_centre_it_is_in_when_the_month_begins(
    county: int, sender: Sender, manager: AttributionClient, follow: Follow
) -> None:
    await follow([AWAY])
    await manager.post_events(
        [
            sender.event(
                "cost.incurred",
                cost_id=f"K-{period}",
                kind="commission",
                amount_fen=100,
                period=period,
                channel_id="AGENT",
            )
            for period in (201711, 201712)
        ]
    )

    for period, centre_id in ((201711, "C2"), (201712, "C1")):
        found = await manager.balances(county, period=period)
        borne = {one.centre_id for one in found if one.account.startswith("cost.")}
        assert borne == {centre_id}


async def test_a_centre_is_named_as_it_was_called_in_the_month_explained(
    county: int, sender: Sender, manager: AttributionClient, follow: Follow
) -> None:
    await manager.post_events(sold(sender, "S-OLD"))
    renamed = organisation.CentreChanged(
        centre_id="C2", from_day=date(2017, 12, 1), name="Rural", name_zh="乡镇中心", open=True
    )
    await follow([fact(organisation.CENTRE_CHANGED, "C2", renamed)])

    november = await manager.explanation(county, "S-OLD", period=201711)
    december = await manager.explanation(county, "S-OLD", period=201712)

    assert "Rural (C2)" not in november.story[0]
    assert "Rural (C2)" in december.story[0]
    assert "乡镇中心（C2）" in december.story_zh[0]
