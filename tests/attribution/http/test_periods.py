"""Books that are closed stay closed, can be checked, and say for ever what they said once."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from attribution.conftest import Sender

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.wire.attribution import PeriodState

Tamper = Callable[[str], Awaitable[None]]


@pytest.fixture
async def booked(manager: AttributionClient, county: int, sender: Sender) -> int:
    await manager.post_events([sender.opened(), sender.bill(), sender.bill("BI-2")])
    return county


@pytest.fixture
async def closed(manager: AttributionClient, finance: AttributionClient, booked: int) -> int:
    await manager.begin_closing(booked, 201711)
    await finance.close_period(booked, 201711)
    return booked


async def test_two_people_close_a_period(
    manager: AttributionClient, finance: AttributionClient, booked: int, sender: Sender
) -> None:
    with pytest.raises(PeerProblem) as refused:
        await finance.close_period(booked, 201711)
    assert refused.value.code == "closing-not-begun"
    assert (await finance.begin_closing(booked, 201711)).state is PeriodState.CLOSING
    with pytest.raises(PeerProblem) as refused:
        await finance.close_period(booked, 201711)
    assert refused.value.code == "two-people"
    await manager.post_events([sender.bill("BI-3")])
    closed = await manager.close_period(booked, 201711)
    assert (closed.state, closed.entries) == (PeriodState.CLOSED, 6)


async def test_a_seal_is_chained_to_the_one_before(
    manager: AttributionClient, finance: AttributionClient, closed: int, sender: Sender
) -> None:
    sender.count = 100
    await manager.post_events([sender.bill("BI-9", period=201712)])
    await manager.begin_closing(closed, 201712)
    second = await finance.close_period(closed, 201712)
    assert second.seal
    for period in (201711, 201712):
        found = await manager.verification(closed, period)
        assert (found.holds, found.findings) == (True, [])
    with pytest.raises(PeerProblem):
        await manager.verification(closed, 201801)


async def test_a_month_with_nothing_in_it_is_closed_with_the_one_after(
    manager: AttributionClient, finance: AttributionClient, closed: int, sender: Sender
) -> None:
    sender.count = 100
    await manager.post_events([sender.bill("BI-9", period=201801)])
    listed = {one.period: one for one in await manager.periods(closed)}
    assert {number: one.state.value for number, one in listed.items()} == {
        201711: "closed",
        201712: "open",
        201801: "open",
    }
    await manager.begin_closing(closed, 201801)
    await finance.close_period(closed, 201801)
    for passed_over in (201710, 201712):
        found = await manager.begin_closing(closed, passed_over)
        assert (found.state, found.entries) == (PeriodState.CLOSED, 0)
        assert (await manager.reconciliation(closed, passed_over)).closed
    listed = {one.period: one for one in await manager.periods(closed)}
    assert {number: one.closed_with for number, one in listed.items()} == {
        201711: 201711,
        201712: 201801,
        201801: 201801,
    }
    assert listed[201712].seal == listed[201801].seal
    late = sender.bill("BI-10", period=201712, amount_fen=70, tax_fen=0)
    await manager.post_events([late])
    (entry,) = (await manager.entries(closed, period=201802)).items
    assert (entry.origin_period, entry.amount_fen) == (201712, 70)


async def test_periods_say_who_closed_them_and_come_in_pages(
    http: httpx.AsyncClient, closed: int, token: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.AUDITOR, closed)}"}
    path = f"/v1/branches/{closed}/periods"
    (found,) = (await http.get(path, headers=headers)).json()["items"]
    assert (found["begun_by"], found["closed_by"]) == (
        "test:county_manager",
        "test:county_finance",
    )
    assert found == (await http.get(f"{path}/201711", headers=headers)).json()
    page = (await http.get(f"{path}?limit=1", headers=headers)).json()
    assert (page["items"], page["next_cursor"]) == ([found], None)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (
            (
                "UPDATE attribution.entries SET amount_fen = amount_fen + 1"
                " WHERE branch_id = {branch} AND number = 1"
            ),
            "the entries are not those that were sealed",
        ),
        (
            "DELETE FROM attribution.entries WHERE branch_id = {branch} AND number = 2",
            "4 entries were sealed, 3 are there",
        ),
        (
            (
                "UPDATE attribution.balances SET amount_fen = amount_fen + 1"
                " WHERE branch_id = {branch} AND account = 'revenue'"
            ),
            "the balance revenue of C1 is not the sum of its entries",
        ),
        (
            "UPDATE attribution.periods SET seal_before = 'x' WHERE branch_id = {branch}",
            "the seal before this one is another than when it was closed",
        ),
    ],
)
async def test_whoever_changes_sealed_books_is_found_out(
    manager: AttributionClient, closed: int, tamper: Tamper, change: str, finding: str
) -> None:
    await tamper(change.format(branch=closed))
    found = await manager.verification(closed, 201711)
    assert not found.holds
    assert finding in found.findings
