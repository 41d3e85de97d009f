"""Leads of the register: followed from contracts into the same books as a sender's own (R16)."""

import itertools
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from attribution.conftest import Event, Sender, fact, sealed
from fastapi import FastAPI
from sqlalchemy import update

from huaxiao.attribution.tables import positions
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.attribution import Completeness, HeldState
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.leads import LEAD_CONVERTED, LeadConverted, LeadPersonIn

Follow = Callable[[Sequence[FeedEntry]], Awaitable[None]]
SOURCE = "urn:huaxiao:contracts"


def converted(number: int = 1, **given: Any) -> FeedEntry:
    facts: dict[str, Any] = {
        "lead_id": f"LD-{number:06}",
        "approved_on": date(2017, 10, 20),
        "owner_centre_id": "G1",
        "originator_id": "P1",
        "subscription_ids": ["S-1"],
        "project_id": "PRJ-4",
        "people": [
            LeadPersonIn(person_id="P1", share_basis_points=7_500),
            LeadPersonIn(person_id="P2", share_basis_points=2_500),
        ],
        "rate_basis_points": None,
        "months": None,
    }
    made = fact(LEAD_CONVERTED, f"LD-{number:06}", LeadConverted(**(facts | given)))
    return msgspec.structs.replace(made, time=datetime(2017, 11, 5, 2, tzinfo=UTC))


def paid_line(sender: Sender) -> list[Event]:
    payment = {"payment_id": "PAY-1", "subscription_id": "S-1", "amount_fen": 20_002}
    return [
        sender.opened(opened_on="2017-11-03"),
        sender.bill(),
        sender.event("payment.received", **payment),
    ]


async def of_register(client: AttributionClient, branch_id: int) -> Completeness | None:
    found = [one for one in await client.completeness(branch_id) if one.source == SOURCE]
    for one in found:
        assert one.received == (
            one.booked + one.duplicates + one.parked + one.refused + one.conflicts
        )
    return found[0] if found else None


async def earned(client: AttributionClient, branch_id: int) -> dict[str, int]:
    found = await client.commission_totals(branch_id, period=201711)
    return {one.person_id: one.amount_fen for one in found}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_registered_lead_earns_the_same_in_any_order_with_its_lines_events(
    manager: AttributionClient, county: int, sender: Sender, follow: Follow, order: tuple[int, ...]
) -> None:
    opened, bill, payment = paid_line(sender)

    async def post(*given: Event) -> None:
        await manager.post_events(list(given))

    steps = [
        lambda: follow([converted()]),
        lambda: post(opened, bill),
        lambda: post(payment),
    ]
    for step in order:
        await steps[step]()

    # Two percent of 200.02 yuan are 4.00 yuan.
    assert await earned(manager, county) == {"P1": 300, "P2": 100}
    found = await manager.explanation(county, "S-1", period=201711)
    assert (found.owner.centre_id, found.owner.unit_rule) == ("G1", "030")
    first, _ = await manager.commissions(county, period=201711)
    assert (first.lead_id, first.project_id, first.centre_id) == ("LD-000001", "PRJ-4", "G1")
    counted = await of_register(manager, county)
    assert counted is not None
    assert (counted.received, counted.booked, counted.held_now) == (1, 1, 0)


async def test_following_again_changes_nothing(
    app: FastAPI, manager: AttributionClient, county: int, sender: Sender, follow: Follow
) -> None:
    await manager.post_events(paid_line(sender))
    await follow([converted()])
    before = await earned(manager, county), await manager.balances(county, period=201711)

    async with app.state.database.write(EVERYTHING) as connection:
        rewound = update(positions).where(positions.c.branch_id == county)
        await connection.execute(rewound.values(position=0))
    await follow([])

    assert (await earned(manager, county), await manager.balances(county, period=201711)) == before
    counted = await of_register(manager, county)
    assert counted is not None
    assert (counted.received, counted.booked, counted.duplicates) == (2, 1, 1)
    assert (await manager.quarantine(county, state=HeldState.HELD)).items == []


async def test_a_lead_is_booked_once_whoever_says_so_and_the_other_is_kept(
    manager: AttributionClient, county: int, sender: Sender, follow: Follow
) -> None:
    def sent(number: int) -> Event:
        return sender.event(
            "lead.converted",
            lead_id=f"LD-{number:06}",
            approved_on="2017-10-20",
            owner_centre_id="G1",
            subscription_id="S-1",
            originator_id="P9",
        )

    await manager.post_events([*paid_line(sender), sent(1)])
    assert await earned(manager, county) == {"P9": 400}
    await follow([converted(1)])
    await follow([converted(2)])
    report = await manager.post_events([sent(2)])

    assert [one.code for one in report.outcomes] == ["already-known"]
    held = (await manager.quarantine(county, state=HeldState.HELD)).items
    assert [(one.source, one.event_id, one.outcome, one.code) for one in held] == [
        (SOURCE, "LD-000001", "refused", "already-known"),
        ("/bss", report.outcomes[0].event_id, "refused", "already-known"),
    ]
    assert json.loads(held[0].body)["data"]["people"][0]["person_id"] == "P1"
    counted = await of_register(manager, county)
    assert counted is not None
    assert (counted.received, counted.booked, counted.refused, counted.held_now) == (2, 1, 1, 1)
    # Both were approved on one day; of those the line came from the higher number (rule 030).
    assert await earned(manager, county) == {"P1": 300, "P2": 100, "P9": 0}


async def test_a_lead_and_the_centre_that_has_it_may_be_heard_of_together(
    manager: AttributionClient, county: int, sender: Sender, follow: Follow
) -> None:
    await manager.post_events(paid_line(sender))
    centre = contracts.Centre(
        centre_id="C9", kind=contracts.CentreKind.OWN_HALL, name="C9", name_zh="自有厅"
    )
    registered = contracts.CentreRegistered(centre=centre)
    await follow(
        [
            fact(contracts.CENTRE_REGISTERED, "C9", registered),
            converted(owner_centre_id="C9", rate_basis_points=100, months=1),
            converted(2, subscription_ids=["S-2"]),
            sealed("F-LATE", "customer", "C2", customers=[]),
        ]
    )

    assert await earned(manager, county) == {"P1": 150, "P2": 50}
    assert (await manager.explanation(county, "S-1", period=201711)).owner.centre_id == "C9"


async def test_a_payment_of_before_is_made_good_in_the_first_open_month(
    manager: AttributionClient,
    finance: AttributionClient,
    county: int,
    sender: Sender,
    follow: Follow,
) -> None:
    await manager.post_events(paid_line(sender))
    await manager.begin_closing(county, 201711)
    await finance.close_period(county, 201711)
    await follow([converted()])

    totals = await manager.commission_totals(county, period=201712)
    assert {one.person_id: one.amount_fen for one in totals} == {"P1": 300, "P2": 100}
    assert (await manager.verification(county, 201711)).holds


async def test_nobody_sends_under_the_registers_name(
    manager: AttributionClient, county: int, sender: Sender, follow: Follow
) -> None:
    forged = sender.event(
        "lead.converted",
        lead_id="LD-000001",
        approved_on="2017-10-20",
        owner_centre_id="G1",
        subscription_id="S-1",
        originator_id="P9",
    ) | {"source": SOURCE, "id": "LD-000001"}

    report = await manager.post_events([*paid_line(sender), forged])
    await follow([converted(1)])

    assert [(one.outcome, one.code) for one in report.outcomes] == [("refused", "reserved-source")]
    counted = await of_register(manager, county)
    assert counted is not None
    assert (counted.received, counted.booked) == (1, 1)
    assert await earned(manager, county) == {"P1": 300, "P2": 100}
