"""Commissions of leads over HTTP: earned on what is collected, taken back, moved, and shown (R16)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from attribution.conftest import Event, Sender

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.wire.attribution import CommissionTermsIn, RulingIn

TWO_PEOPLE = [
    {"person_id": "P1", "share_basis_points": 7_500},
    {"person_id": "P2", "share_basis_points": 2_500},
]


def lead(sender: Sender, number: int = 1, **given: Any) -> Event:
    facts = {"approved_on": "2017-10-20", "owner_centre_id": "G1", "people": TWO_PEOPLE}
    facts |= {"subscription_id": "S-1"} if "subscription_ids" not in given else {}
    return sender.event("lead.converted", lead_id=f"L-{number}", **(facts | given))


def payment(sender: Sender, number: int = 1, **given: Any) -> Event:
    facts = {"subscription_id": "S-1", "amount_fen": 20_000}
    return sender.event("payment.received", payment_id=f"PAY-{number}", **(facts | given))


def terms(**changed: Any) -> CommissionTermsIn:
    facts = {"from_period": 201710, "rate_basis_points": 300, "months": 6, "reason": "autumn"}
    return CommissionTermsIn.model_validate(facts | changed)


@pytest.fixture
async def paid(manager: AttributionClient, county: int, sender: Sender) -> int:
    """Return a branch with a line of November that 200 yuan were paid on."""
    opened = sender.opened(opened_on="2017-11-03")
    await manager.post_events([opened, sender.bill(), payment(sender)])
    return county


async def costs(client: AttributionClient, branch_id: int, period: int) -> dict[str, int]:
    return {
        one.centre_id: one.amount_fen
        for one in await client.balances(branch_id, period=period)
        if one.account == "cost.lead_commission"
    }


async def parts(client: AttributionClient, branch_id: int, period: int) -> dict[str, int]:
    found = await client.commission_totals(branch_id, period=period)
    lines = await client.commissions(branch_id, period=period)
    for one in found:
        own = [line for line in lines if line.person_id == one.person_id]
        assert (len(own), sum(line.amount_fen for line in own)) == (one.commissions, one.amount_fen)
    assert sum(one.amount_fen for one in found) == sum(
        (await costs(client, branch_id, period)).values()
    )
    return {one.person_id: one.amount_fen for one in found}


async def test_a_lead_heard_of_late_earns_on_what_was_paid_before(
    manager: AttributionClient, paid: int, sender: Sender
) -> None:
    sender.count = 10
    await manager.post_events([lead(sender, project_id="PRJ-1")])
    assert await parts(manager, paid, 201711) == {"P1": 300, "P2": 100}
    assert await costs(manager, paid, 201711) == {"G1": 400}
    first, second = await manager.commissions(paid, period=201711)
    assert first.model_dump(exclude={"booked_at"}) == {
        "number": 1,
        "person_id": "P1",
        "lead_id": "L-1",
        "project_id": "PRJ-1",
        "subscription_id": "S-1",
        "centre_id": "G1",
        "period": 201711,
        "origin_period": 201711,
        "source": "/bss",
        "event_id": "E-3",
        "collected_fen": 20_000,
        "amount_fen": 300,
    }
    assert await manager.commissions(paid, period=201711, person_id="P2") == [second]
    entries = (await manager.entries(paid, subscription_id="S-1")).items
    earned = [one for one in entries if one.debit == "cost.lead_commission"]
    assert [(one.credit, one.amount_fen, one.event_id) for one in earned] == [
        ("payable", 400, "E-3")
    ]


async def test_a_refund_takes_its_commission_back_and_another_lead_takes_it_over(
    manager: AttributionClient, paid: int, sender: Sender
) -> None:
    sender.count = 10
    refund = sender.event("refund.issued", refund_id="R-1", bill_item_id="BI-1", amount_fen=5_000)
    await manager.post_events([refund, lead(sender)])
    assert await parts(manager, paid, 201711) == {"P1": 225, "P2": 75}
    # Approved later, so the line came from this one (rule 030), and to another centre.
    other = {"approved_on": "2017-10-21", "owner_centre_id": "C2"}
    await manager.post_events([lead(sender, 2, people=None, originator_id="P3", **other)])
    assert await parts(manager, paid, 201711) == {"P1": 0, "P2": 0, "P3": 300}
    assert await costs(manager, paid, 201711) == {"C2": 300}


async def test_a_ruling_moves_the_commission_with_the_month_it_moves(
    manager: AttributionClient, finance: AttributionClient, paid: int, sender: Sender
) -> None:
    sender.count = 10
    await manager.post_events([lead(sender)])
    ruling = RulingIn(
        subscription_ids=["S-1"], centre_id="C2", from_period=201711, reason="It is theirs."
    )
    await manager.put_ruling(paid, "R-1", ruling)
    await finance.approve_ruling(paid, "R-1")
    assert await costs(manager, paid, 201711) == {"C2": 400}
    assert {one.centre_id for one in await manager.commissions(paid, period=201711)} == {"C2"}


async def test_a_lead_may_become_several_lines_and_say_what_it_earns(
    manager: AttributionClient, paid: int, sender: Sender
) -> None:
    sender.count = 10
    second = sender.opened("S-2", opened_on="2017-11-04")
    both = lead(
        sender,
        subscription_ids=["S-1", "S-2"],
        project_id="PRJ-1",
        rate_basis_points=100,
        months=1,
    )
    other = payment(sender, 2, subscription_id="S-2", amount_fen=10_000)
    beyond = payment(sender, 3) | {"time": "2017-12-01T00:00:00+08:00"}
    await manager.post_events([both, beyond, other, second])
    assert await parts(manager, paid, 201711) == {"P1": 150 + 75, "P2": 50 + 25}
    assert await parts(manager, paid, 201712) == {}


@pytest.mark.parametrize(
    "given",
    [
        {"people": [{"person_id": "P1", "share_basis_points": 9_999}]},
        {"people": [{"person_id": "P1", "share_basis_points": 5_000}] * 2},
        {"people": [{"person_id": "P1", "share_basis_points": 5_000.0}]},
        {"people": []},
        {"rate_basis_points": 10_001},
        {"months": 0},
        {"subscription_id": None},
        {"subscription_ids": ["S-1"], "subscription_id": "S-2"},
        {"subscription_ids": ["S-1", "S-1"]},
    ],
)
async def test_a_lead_that_does_not_add_up_is_refused(
    manager: AttributionClient, county: int, sender: Sender, given: dict[str, Any]
) -> None:
    report = await manager.post_events([lead(sender, **given)])
    assert [one.code for one in report.outcomes] == ["malformed-event"]


async def test_terms_are_proposed_by_one_person_and_approved_by_another(
    manager: AttributionClient, finance: AttributionClient, paid: int, sender: Sender
) -> None:
    sender.count = 10
    own_rate = lead(sender, 2, subscription_id="S-2", rate_basis_points=100)
    second = sender.opened("S-2", opened_on="2017-11-04")
    other = payment(sender, 2, subscription_id="S-2", amount_fen=10_000)
    await manager.post_events([lead(sender), second, own_rate, other])
    assert await parts(manager, paid, 201711) == {"P1": 300 + 75, "P2": 100 + 25}
    drafted = await manager.put_commission_terms(paid, "T-1", terms())
    assert (drafted.approved_at, drafted.rate_basis_points) == (None, 300)
    assert await manager.put_commission_terms(paid, "T-1", terms()) == drafted
    for refusal, attempt in (
        ("conflict", manager.put_commission_terms(paid, "T-1", terms(months=7))),
        ("two-people", manager.approve_commission_terms(paid, "T-1")),
        ("not-found", finance.approve_commission_terms(paid, "T-9")),
    ):
        with pytest.raises(PeerProblem) as refused:
            await attempt
        assert refused.value.code == refusal
    approved = await finance.approve_commission_terms(paid, "T-1")
    assert approved.approved_by == "test:county_finance"
    assert await finance.approve_commission_terms(paid, "T-1") == approved
    # Only the lead that says nothing of its rate follows the terms.
    assert await parts(manager, paid, 201711) == {"P1": 450 + 75, "P2": 150 + 25}


async def test_of_two_terms_from_a_month_those_approved_last_stand_whatever_the_clock_says(
    manager: AttributionClient,
    finance: AttributionClient,
    paid: int,
    sender: Sender,
    set_clock: Callable[[datetime], None],
) -> None:
    sender.count = 10
    await manager.post_events([lead(sender, rate_basis_points=None)])
    await manager.put_commission_terms(paid, "T-1", terms(rate_basis_points=100))
    await manager.put_commission_terms(paid, "T-2", terms(rate_basis_points=900))
    now = datetime.now(UTC)
    for moment, one in ((now, "T-2"), (now - timedelta(seconds=10), "T-1")):
        set_clock(moment)
        await finance.approve_commission_terms(paid, one)
    found = await manager.commissions(paid, period=201711)
    assert sum(one.amount_fen for one in found) == 200


async def test_terms_reach_leads_approved_from_their_month_on_and_no_closed_month(
    manager: AttributionClient, finance: AttributionClient, paid: int, sender: Sender
) -> None:
    sender.count = 10
    await manager.post_events([lead(sender)])
    await manager.put_commission_terms(paid, "T-1", terms(from_period=201711))
    await finance.approve_commission_terms(paid, "T-1")
    assert await parts(manager, paid, 201711) == {"P1": 300, "P2": 100}
    await manager.begin_closing(paid, 201711)
    await finance.close_period(paid, 201711)
    await manager.put_commission_terms(paid, "T-2", terms(from_period=201711))
    with pytest.raises(PeerProblem) as refused:
        await finance.approve_commission_terms(paid, "T-2")
    assert refused.value.code == "period-closed"


async def test_what_a_closed_month_earned_is_made_good_in_the_first_open_one(
    manager: AttributionClient, finance: AttributionClient, paid: int, sender: Sender
) -> None:
    await manager.begin_closing(paid, 201711)
    await finance.close_period(paid, 201711)
    sender.count = 10
    await manager.post_events([lead(sender)])
    assert await parts(manager, paid, 201711) == {}
    # November stays with the centre it was closed with, and so does what it pays for it.
    assert await costs(manager, paid, 201712) == {"C1": 400}
    found = await manager.commissions(paid, period=201712)
    assert {(one.origin_period, one.centre_id) for one in found} == {(201711, "C1")}
    assert (await manager.verification(paid, 201711)).holds


async def test_everybody_sees_their_own_and_a_contractor_those_of_its_centre(
    http: httpx.AsyncClient,
    caller: Callable[..., AttributionClient],
    manager: AttributionClient,
    paid: int,
    sender: Sender,
    token: Callable[..., str],
) -> None:
    sender.count = 10
    await manager.post_events([lead(sender)])
    for centre_id, seen in (("G1", 2), ("C1", 0)):
        contractor = caller(Role.CONTRACTOR, [centre_id])
        assert len(await contractor.commissions(paid, period=201711)) == seen
        assert len(await contractor.commission_totals(paid, period=201711)) == seen

    async def asked(role: Role, path: str, person_id: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token(role, paid, ['C1'], person_id)}"}
        return await http.get(f"/v1/branches/{paid}/{path}period=201711", headers=headers)

    for person_id, seen in (("P2", ["P2"]), ("P9", []), (None, [])):
        for path in ("commissions?", "commission-totals?", "commissions?person_id=P2&"):
            answer = await asked(Role.ENGINEER, path, person_id)
            assert [one["person_id"] for one in answer.json()["items"]] == seen, (person_id, path)
    assert (await asked(Role.BSS_SOURCE, "commissions?", None)).status_code == 403


async def test_commissions_come_in_pages_that_miss_and_repeat_nothing(
    http: httpx.AsyncClient,
    manager: AttributionClient,
    paid: int,
    sender: Sender,
    token: Callable[..., str],
) -> None:
    sender.count = 10
    more = [payment(sender, number) for number in range(2, 4)]
    await manager.post_events([lead(sender), *more])
    headers = {"Authorization": f"Bearer {token(Role.AUDITOR, paid)}"}
    for path in ("commissions", "commission-totals"):
        base = f"/v1/branches/{paid}/{path}?period=201711"
        whole = (await http.get(base, headers=headers)).json()["items"]
        pieces, cursor = [], ""
        while cursor is not None:
            page = (await http.get(f"{base}&limit=1{cursor}", headers=headers)).json()
            pieces += page["items"]
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        assert pieces == whole
        assert len(whole) == {"commissions": 6, "commission-totals": 2}[path]
