"""The ledger over HTTP: who sees what, what closes, what explains itself."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from attribution.conftest import RURAL, TOWN, Sender

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.wire.attribution import PeriodState


@pytest.fixture
async def booked(manager: AttributionClient, county: int, sender: Sender) -> int:
    """Return a branch with a line in the town and one in a township, billed."""
    await manager.post_events(
        [
            sender.opened("S-1"),
            sender.opened("S-2", standard_address=RURAL),
            sender.bill("BI-1", "S-1"),
            sender.bill("BI-2", "S-2", amount_fen=3_000, tax_fen=0),
        ]
    )
    return county


async def test_a_contractor_sees_its_own_centre_and_no_other(
    caller: Callable[..., AttributionClient], booked: int
) -> None:
    town = caller(Role.CONTRACTOR, ["C1"])
    assert {one.centre_id for one in await town.balances(booked, period=201711)} == {"C1"}
    assert {one.subscription_id for one in (await town.entries(booked)).items} == {"S-1"}
    assert (await town.explanation(booked, "S-1")).owner.centre_id == "C1"
    for centre_id in ("C2", "C1' OR true --"):
        with pytest.raises(PeerProblem):
            _ = (await town.explanation(booked, "S-2")).owner
        if centre_id == "C2":
            assert await town.balances(booked, period=201711, centre_id=centre_id) == []
    with pytest.raises(PeerProblem) as refused:
        await town.reconciliation(booked, 201711)
    assert refused.value.status == 403


async def test_another_countys_token_finds_nothing(
    http: httpx.AsyncClient, booked: int, token: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, 659_998)}"}
    for path in (
        "balances?period=201711",
        "entries",
        "reconciliation?period=201711",
        "quarantine",
        "standing",
        "subscriptions/S-1/explanation",
    ):
        answer = await http.get(f"/v1/branches/{booked}/{path}", headers=headers)
        assert answer.status_code == 404, path


async def test_lines_are_counted_that_were_billed_of_a_month_whenever_it_was_booked(
    manager: AttributionClient,
    booked: int,
    sender: Sender,
    caller: Callable[..., AttributionClient],
) -> None:
    async def counted(client: AttributionClient, **asked: Any) -> list[tuple[Any, ...]]:
        span = {"period_from": 201711, "period_to": 201712} | asked
        found = await client.billed_lines(booked, **span)
        return [
            (one.period, one.centre_id, one.field_id, one.product, one.lines) for one in found.lines
        ]

    both = [(201711, "C1", "F-TOWN", "broadband", 1), (201711, "C2", "F-RURAL", "broadband", 1)]
    assert await counted(manager) == both
    assert await counted(caller(Role.CONTRACTOR, ["C1"])) == both[:1]
    before = datetime.now(UTC)
    await manager.post_events(
        [
            sender.opened("S-3"),
            # Several charges of a line are one line, and what was taken back whole is none.
            sender.bill("BI-3", "S-1"),
            sender.bill("BI-4", "S-3", period=201712),
            sender.event("refund.issued", refund_id="R-1", bill_item_id="BI-2", amount_fen=3_000),
            # Taken back before the month it is charged for has come.
            sender.bill("BI-5", "S-1", period=201712),
            sender.event("refund.issued", refund_id="R-2", bill_item_id="BI-5", amount_fen=10_000),
        ]
    )
    december = (201712, "C1", "F-TOWN", "broadband", 1)
    assert await counted(manager) == [both[0], december]
    assert await counted(manager, period_from=201712) == [december]
    assert await counted(manager, known_at=before) == both
    for span in ({"period_from": 201712, "period_to": 201711}, {"period_from": 200001}):
        with pytest.raises(PeerProblem) as refused:
            await counted(manager, **span)
        assert (refused.value.status, refused.value.code) == (422, "bad-span")


async def test_a_charge_of_a_closed_month_is_a_line_of_that_month(
    manager: AttributionClient,
    booked: int,
    sender: Sender,
    caller: Callable[..., AttributionClient],
) -> None:
    await manager.begin_closing(booked, 201711)
    await caller(Role.COUNTY_FINANCE).close_period(booked, 201711)
    await manager.post_events([sender.opened("S-3"), sender.bill("BI-3", "S-3")])

    found = await manager.billed_lines(booked, period_from=201711, period_to=201712)

    assert [(one.period, one.centre_id, one.lines) for one in found.lines] == [
        (201711, "C1", 2),
        (201711, "C2", 1),
    ]


async def test_lists_come_in_pages_that_miss_and_repeat_nothing(
    manager: AttributionClient, booked: int
) -> None:
    whole = (await manager.entries(booked)).items
    pieces, cursor = [], None
    while True:
        page = await manager.entries(booked, cursor=cursor, limit=1)
        pieces += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert pieces == whole
    assert [one.number for one in whole] == [1, 2, 3]


async def test_balances_come_in_pages_too(
    http: httpx.AsyncClient, booked: int, token: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.AUDITOR, booked)}"}
    path = f"/v1/branches/{booked}/balances?period=201711"
    whole = (await http.get(path, headers=headers)).json()["items"]
    pieces, cursor = [], ""
    while cursor is not None:
        page = (await http.get(f"{path}&limit=2{cursor}", headers=headers)).json()
        pieces += page["items"]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert pieces == whole
    assert len(whole) == 5


@pytest.mark.parametrize(
    "path",
    [
        "balances",
        "balances?period=201713",
        "balances?period=november",
        "balances?period=201711&cursor=AAAA",
        "entries?cursor=eyJ9",
        "entries?cursor=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMF0=",
        "balances?period=201711&cursor=WyJcdTAwMDAiLCAiIiwgIiJd",
        "reconciliations?cursor=WzIxNDc0ODM2NDhd",
        "unresolved/S-1/assignments?cursor=WzIxNDc0ODM2NDhd",
        "entries?limit=0",
        "reconciliation?period=0",
        "quarantine?state=lost",
        "subscriptions/S-1/explanation?period=201700",
    ],
)
async def test_a_question_that_makes_no_sense_is_answered_with_a_reason(
    http: httpx.AsyncClient, county: int, token: Callable[..., str], path: str
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    answer = await http.get(f"/v1/branches/{county}/{path}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


async def test_there_is_no_statement_of_a_centre_that_is_not_there(
    manager: AttributionClient, booked: int
) -> None:
    assert (await manager.statement(booked, "C0", period=201711)).lines == []
    with pytest.raises(PeerProblem) as refused:
        await manager.statement(booked, "C9", period=201711)
    assert refused.value.status == 404


async def test_an_explanation_runs_the_rules_again_and_says_what_was_not_chosen(
    manager: AttributionClient, booked: int
) -> None:
    found = await manager.explanation(booked, "S-1", period=201711)
    assert found.owner.model_dump() == {
        "centre_id": "C1",
        "field_id": "F-TOWN",
        "unit_rule": "090",
        "field_rule": "090",
    }
    assert found.reproduced
    followed = found.evidence["subject"]["by_standard_address"]
    assert (followed["field_id"], followed["digest"]) == ("F-TOWN", "0" * 64)
    assert found.revenue_fen == 10_000
    assert [one.rule for one in found.rejected] == [
        *("010", "020", "025", "030", "040", "050", "060", "070", "075", "080")
    ]
    assert found.story_zh[:2] == [
        "2017年11月，宽带 S-1 的收入归 C1、责任田 F-TOWN。",
        (
            "依据规则 090“标准地址”：其标准地址 130123001001 属于"
            " 责任田 F-TOWN（承包期2017年11月至2018年10月）。"
        ),
    ]
    assert "100.00 yuan are at stake" in found.story[4]
    assert len(found.story) == len(found.story_zh)
    with pytest.raises(PeerProblem) as absent:
        await manager.explanation(booked, "S-404")
    assert absent.value.status == 404


async def test_a_closed_period_takes_no_more_and_late_events_say_where_they_belong(
    caller: Callable[..., AttributionClient], booked: int, sender: Sender
) -> None:
    finance, sending = caller(Role.COUNTY_FINANCE), caller(Role.SERVICE)
    sender.count = 100
    await caller(Role.COUNTY_MANAGER).begin_closing(booked, 201711)
    closed = await finance.close_period(booked, 201711)
    assert closed.state is PeriodState.CLOSED
    assert await finance.close_period(booked, 201711) == closed
    await sending.post_events([sender.bill("BI-9", "S-1", amount_fen=70, tax_fen=0)])
    late = (await sending.entries(booked, period=201712)).items
    assert [(one.origin_period, one.amount_fen) for one in late] == [(201711, 70)]
    books = await finance.reconciliation(booked, 201711)
    assert (books.closed, books.booked_fen) == (True, 13_000)
    facts = [one.type for one in await sending.feed(booked, after=0)]
    assert facts.count("attribution.period.closed") == 1
    assert (await sending.standing(booked)).first_open_period == 201712


async def test_a_late_charge_ends_with_the_same_owner_whether_it_or_its_evidence_came_first(
    caller: Callable[..., AttributionClient], booked: int, sender: Sender
) -> None:
    finance, manager = caller(Role.COUNTY_FINANCE), caller(Role.COUNTY_MANAGER)
    sender.count = 100
    await manager.begin_closing(booked, 201711)
    await finance.close_period(booked, 201711)
    for line, number in (("S-8", "BI-8"), ("S-9", "BI-9")):
        charge = sender.bill(number, line, amount_fen=70, tax_fen=0)
        move = sender.event(
            "subscription.moved",
            subscription_id=line,
            effective_on="2017-10-20",
            standard_address=RURAL,
        )
        await manager.post_events([sender.opened(line)])
        for one in (charge, move) if line == "S-8" else (move, charge):
            await manager.post_events([one])
    books = await finance.reconciliation(booked, 201712)
    assert {one.centre_id: one.amount_fen for one in books.revenue_by_centre if one.amount_fen} == {
        "C2": 140
    }
    await manager.begin_closing(booked, 201712)
    await finance.close_period(booked, 201712)
    back = {"effective_on": "2017-10-25", "standard_address": TOWN}
    await manager.post_events([sender.event("subscription.moved", subscription_id="S-8", **back)])
    assert (await finance.reconciliation(booked, 201801)).revenue_by_centre == []
    assert (await manager.verification(booked, 201712)).findings == []


def sending_manager(caller: Callable[..., AttributionClient]) -> AttributionClient:
    return caller(Role.COUNTY_MANAGER)


async def test_periods_close_in_order_and_only_when_they_are_over(
    caller: Callable[..., AttributionClient], booked: int
) -> None:
    finance = caller(Role.COUNTY_FINANCE)
    for period, code in ((201712, "earlier-period-open"), (209912, "period-not-over")):
        with pytest.raises(PeerProblem) as refused:
            await finance.begin_closing(booked, period)
        assert (refused.value.status, refused.value.code) == (409, code)


async def test_every_period_is_held_against_its_documents_the_newest_first(
    http: httpx.AsyncClient,
    caller: Callable[..., AttributionClient],
    manager: AttributionClient,
    booked: int,
    sender: Sender,
    token: Callable[..., str],
    tamper: Callable[[str], Awaitable[None]],
) -> None:
    sender.count = 100
    await manager.begin_closing(booked, 201711)
    await caller(Role.COUNTY_FINANCE).close_period(booked, 201711)
    refund = sender.event("refund.issued", refund_id="R-1", bill_item_id="BI-2", amount_fen=500)
    await manager.post_events([sender.bill("BI-9", amount_fen=70, tax_fen=0), refund])
    listed = await manager.reconciliations(booked)
    assert [(one.period, one.closed, one.billed_fen, one.booked_fen) for one in listed] == [
        (201712, False, -430, -430),
        (201711, True, 13_000, 13_000),
    ]
    for one in listed:
        whole = await manager.reconciliation(booked, one.period)
        assert whole.entered_fen == one.billed_fen
        assert one.model_dump().items() <= whole.model_dump().items()
    headers = {"Authorization": f"Bearer {token(Role.AUDITOR, booked)}"}
    path = f"/v1/branches/{booked}/reconciliations"
    first = (await http.get(f"{path}?limit=1", headers=headers)).json()
    rest = (await http.get(f"{path}?cursor={first['next_cursor']}", headers=headers)).json()
    assert [one["period"] for one in first["items"] + rest["items"]] == [201712, 201711]
    await tamper(
        "UPDATE attribution.balances SET amount_fen = amount_fen - 7"
        f" WHERE branch_id = {booked} AND account = 'revenue' AND centre_id = 'C1'"
        " AND period = 201712"
    )
    newest = (await manager.reconciliations(booked))[0]
    assert (newest.difference_fen, newest.ledger_sum_fen) == (-7, -7)


async def test_a_sending_system_sees_its_own_quarantine_only(
    http: httpx.AsyncClient,
    manager: AttributionClient,
    county: int,
    sender: Sender,
    token: Callable[..., str],
) -> None:
    await manager.post_events([sender.bill("BI-1", "S-404")])
    headers = {"Authorization": f"Bearer {token(Role.BSS_SOURCE, county)}"}
    path = f"/v1/branches/{county}/quarantine"
    assert (await http.get(path, headers=headers)).json()["items"] == []
    assert (await http.get(f"{path}/H-1", headers=headers)).status_code == 404
    assert (await http.post(f"{path}/H-1/replay", json={}, headers=headers)).status_code == 404


async def test_the_standing_says_how_far_contracts_was_followed(
    manager: AttributionClient, county: int
) -> None:
    standing = await manager.standing(county)
    assert (standing.centres, standing.channels, standing.fields) == (4, 1, 3)
    assert standing.contracts_position == 9


async def test_a_payment_that_did_not_reach_the_bank_whole_is_named(
    caller: Callable[..., AttributionClient],
    manager: AttributionClient,
    booked: int,
    sender: Sender,
) -> None:
    sender.count = 100

    def paid(number: str, **given: object) -> dict[str, object]:
        return sender.event(
            "payment.received", payment_id=number, subscription_id="S-1", amount_fen=900, **given
        )

    await manager.post_events(
        [
            paid("PAY-1", remitted_fen=400, channel_id="HALL-1"),
            paid("PAY-2", remitted_fen=900),
            paid("PAY-3"),
        ]
    )
    (found,) = await manager.shortfalls(booked, period=201711)
    assert (found.payment_id, found.missing_fen, found.channel_id) == ("PAY-1", 500, "HALL-1")
    assert await caller(Role.CONTRACTOR, ["C1"]).shortfalls(booked, period=201711) == [found]
    assert await caller(Role.CONTRACTOR, ["C2"]).shortfalls(booked, period=201711) == []


async def test_what_lies_in_the_pool_or_carries_a_flag_is_listed_until_it_is_mended(
    caller: Callable[..., AttributionClient],
    manager: AttributionClient,
    booked: int,
    sender: Sender,
) -> None:
    sender.count = 100
    nowhere = sender.opened("S-8", standard_address="440101001001")
    await manager.post_events([nowhere, sender.bill("BI-8", "S-8", amount_fen=500)])
    (found,) = await manager.unresolved(booked, period=201711)
    assert (found.subscription_id, found.centre_id, found.flags, found.revenue_fen) == (
        "S-8",
        "C0",
        ["NO_ADDRESS"],
        500,
    )
    assert await manager.unresolved(booked, period=201711, flag="ADDR_CONFLICT") == []
    assert await manager.unresolved(booked, period=201712) == []
    assert await caller(Role.CONTRACTOR, ["C1"]).unresolved(booked, period=201711) == []
    books = await manager.reconciliation(booked, 201711)
    assert (books.attributed_fen, books.unresolved_fen) == (13_000, 500)
    mended = sender.event(
        "subscription.moved",
        subscription_id="S-8",
        effective_on="2017-10-31",
        standard_address=RURAL,
    )
    await manager.post_events([mended])
    assert await manager.unresolved(booked, period=201711) == []
    assert (await manager.reconciliation(booked, 201711)).unresolved_fen == 0
