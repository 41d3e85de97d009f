"""A lead over two services: converted in contracts, its commission booked by attribution (R16)."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from support.register import contractor, county_with_centres, member_of

from huaxiao.attribution import main as attribution_main
from huaxiao.attribution.settings import Settings as AttributionSettings
from huaxiao.attribution.tables import positions
from huaxiao.attribution.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.feed import Follower
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.attribution import HeldState
from huaxiao.shared.wire.leads import LeadConversionIn, LeadDecisionIn, LeadIn, LeadPersonIn

PAID_FEN = 33_350
"""Two percent are 6.67 yuan, of which three quarters are no whole fen."""


@pytest.fixture(scope="session")
async def books_app(settings_for: Callable[[str], dict[str, Any]]) -> AsyncIterator[FastAPI]:
    """Run attribution beside contracts."""
    made = attribution_main.create_app(AttributionSettings(**settings_for("attribution")))
    yield made
    await made.state.database.close()


@pytest.fixture
async def books(
    books_app: FastAPI, branch_id: int, token: Callable[..., str]
) -> AsyncIterator[AttributionClient]:
    signed = partial(str, token(Role.COUNTY_MANAGER, branch_id))
    client = AttributionClient(
        "http://attribution", signed, transport=httpx.ASGITransport(app=books_app)
    )
    yield client
    await client.close()


def events_of(branch_id: int) -> list[dict[str, Any]]:
    """Return what billing says of the line: opened within the lead's days, billed and paid."""
    line = {"subscription_id": "S-1"}
    said = [
        ("subscription.opened", line | {"customer_id": "ENT-9", "product": "broadband"}),
        ("bill_item.issued", line | {"bill_item_id": "BI-1", "period": 201711}),
        ("payment.received", line | {"payment_id": "PAY-1", "amount_fen": PAID_FEN}),
    ]
    said[0][1]["opened_on"] = "2017-11-22"
    said[1][1].update(item_kind="monthly", amount_fen=PAID_FEN)
    return [
        {
            "specversion": "1.0",
            "id": f"E-{number}",
            "source": "/bss",
            "type": kind,
            "time": "2017-11-30T10:00:00+08:00",
            "branchid": branch_id,
            "data": data,
        }
        for number, (kind, data) in enumerate(said)
    ]


async def convert_a_lead(
    app: FastAPI, manager: ContractsClient, support: ContractsClient, branch_id: int
) -> str:
    """Bring, approve and convert a lead of two people in November 2017; return its identifier."""
    real = app.state.clock
    app.state.clock = lambda: datetime(2017, 11, 20, 17, tzinfo=UTC)
    try:
        brought = await manager.bring_lead(
            branch_id,
            LeadIn(
                customer_id="ENT-9",
                customer_name="云泽粮油公司",
                about_zh="新厂区宽带",
                people=[
                    LeadPersonIn(person_id=contractor("C2"), share_basis_points=7_500),
                    LeadPersonIn(person_id="P-C1-2", share_basis_points=2_500),
                ],
            ),
        )
        await support.decide_lead(
            branch_id, brought.lead_id, LeadDecisionIn(approved=True, reason="属实")
        )
        lines = LeadConversionIn(subscription_ids=["S-1"], project_id="PRJ-4")
        converted = await manager.convert_lead(branch_id, brought.lead_id, lines)
    finally:
        app.state.clock = real
    assert converted.approved_on == date(2017, 11, 21)
    return converted.lead_id


@pytest.mark.parametrize("lead_first", [True, False])
async def test_a_converted_lead_books_the_commission_of_a_payment_once_and_to_the_fen(
    app: FastAPI,
    books_app: FastAPI,
    manager: ContractsClient,
    books: AttributionClient,
    caller: Callable[..., ContractsClient],
    branch_id: int,
    lead_first: bool,
) -> None:
    await county_with_centres(caller, branch_id)
    await manager.put_person(branch_id, "P-C1-2", member_of("C1"))
    follower = Follower("/contracts", manager, apply_contracts, books_app.state.database, positions)
    while await follower.step(branch_id):
        pass
    if not lead_first:
        assert (await books.post_events(events_of(branch_id))).booked == 3

    lead_id = await convert_a_lead(app, manager, caller(Role.SUPPORT_CENTRE), branch_id)
    assert await follower.step(branch_id) == 1
    if lead_first:
        assert (await books.post_events(events_of(branch_id))).booked == 3

    async def told() -> tuple[Any, ...]:
        return (
            await books.commissions(branch_id, period=201711),
            await books.balances(branch_id, period=201711),
            (await books.reconciliation(branch_id, 201711)).difference_fen,
        )

    commissions, balances, difference = before = await told()
    assert [
        (one.person_id, one.lead_id, one.centre_id, one.collected_fen, one.amount_fen)
        for one in commissions
    ] == [
        ("P-C1-2", lead_id, "C2", PAID_FEN, 167),
        (contractor("C2"), lead_id, "C2", PAID_FEN, 500),
    ]
    assert [
        (one.centre_id, one.amount_fen) for one in balances if one.account == "cost.lead_commission"
    ] == [("C2", 667)]
    assert difference == 0
    # Once followed, it is behind the follower; followed from the beginning, it is known.
    assert await follower.step(branch_id) == 0
    async with books_app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, branch_id, await manager.feed(branch_id, after=0))
    assert await told() == before
    assert (await books.quarantine(branch_id, state=HeldState.HELD)).items == []
