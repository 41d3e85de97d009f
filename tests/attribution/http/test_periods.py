"""Books that are closed stay closed, can be checked, and say for ever what they said once."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

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


CLOSING = "UPDATE attribution.periods SET {} WHERE branch_id = {{branch}}"
BEGUN = "UPDATE attribution.period_closings SET {} WHERE branch_id = {{branch}}"
ENTRY = "UPDATE attribution.entries SET {} WHERE branch_id = {{branch}} AND number = 1"
TOTALS = "UPDATE attribution.period_totals SET {} WHERE branch_id = {{branch}}"
TOLD = (
    "UPDATE attribution.feed_entries SET data = data || '{}' WHERE branch_id = {{branch}}"
    " AND type = 'attribution.period.closed'"
)
OTHER_ENTRIES = "the entries are not those that were sealed"
OTHER_SEAL = "the seal is not that of the closing it stands under"
NOT_TOLD = "the feed does not tell of this closing where it was published"


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (ENTRY.format("amount_fen = amount_fen + 1"), OTHER_ENTRIES),
        (ENTRY.format("centre_id = 'C2'"), OTHER_ENTRIES),
        (ENTRY.format("booked_at = booked_at - interval '1 day'"), OTHER_ENTRIES),
        (ENTRY.format("number = 5"), "entries run from number 2 to 5, 4 were given out"),
        (
            "DELETE FROM attribution.entries WHERE branch_id = {branch} AND number = 2",
            "4 entries were sealed, 3 are there",
        ),
        (
            (
                "INSERT INTO attribution.entries SELECT branch_id, 5, period, origin_period,"
                " owner_period, centre_id, field_id, debit, credit, amount_fen, subscription_id,"
                " source, event_id, booked_at FROM attribution.entries"
                " WHERE branch_id = {branch} AND number = 1"
            ),
            "entries run from number 1 to 5, 4 were given out",
        ),
        (TOTALS.format("last_entry = 3"), "4 entries were sealed, 3 are there"),
        (TOTALS.format("billed_fen = 0"), "documents and balances differ by -20000 fen"),
        (
            (
                "UPDATE attribution.balances SET amount_fen = amount_fen + 1"
                " WHERE branch_id = {branch} AND account = 'revenue'"
            ),
            "the balance revenue of C1 is not the sum of its entries",
        ),
        (
            CLOSING.format("seal_before = 'x'"),
            "the seal before this one is another than when it was closed",
        ),
        (CLOSING.format("seal_before = 'x'"), "seal_before is x,  was published"),
        (CLOSING.format("seal = 'x'"), OTHER_SEAL),
        (CLOSING.format("seal = 'x'"), "the seal is not the one that was published"),
        (CLOSING.format("closed_by = 'x'"), OTHER_SEAL),
        (CLOSING.format("closed_by = 'x'"), "closed_by is x, test:county_finance was published"),
        (CLOSING.format("closed_at = '2018-01-01Z'"), "closed_at is 2018-01-01 00:00:00+00:00, "),
        (CLOSING.format("entries = 3"), "entries is 3, 4 was published"),
        (CLOSING.format("entries_digest = 'x'"), "entries_digest is x, "),
        (CLOSING.format("feed_position = 1"), NOT_TOLD),
        (BEGUN.format("begun_by = 'x'"), "begun_by is x, test:county_manager was published"),
        (BEGUN.format("begun_at = '2018-01-01Z'"), "begun_at is 2018-01-01 00:00:00+00:00, "),
        (
            "DELETE FROM attribution.period_closings WHERE branch_id = {branch}",
            "begun_by is None, test:county_manager was published",
        ),
        (TOLD.format('{{"closed_by": "x"}}'), "closed_by is test:county_finance, x was published"),
        (TOLD.format('{{"seal": "x"}}'), "the seal is not the one that was published"),
        (TOLD.format('{{"entries": "x"}}'), NOT_TOLD),
        (
            (
                "DELETE FROM attribution.feed_entries WHERE branch_id = {branch}"
                " AND type = 'attribution.period.closed'"
            ),
            NOT_TOLD,
        ),
        (
            "UPDATE attribution.intakes SET closed_through = NULL WHERE branch_id = {branch}",
            "the branch takes entries into this period again",
        ),
    ],
)
async def test_whoever_changes_sealed_books_is_found_out(
    manager: AttributionClient, closed: int, tamper: Tamper, change: str, finding: str
) -> None:
    assert (await manager.verification(closed, 201711)).findings == []
    await tamper(change.format(branch=closed))
    found = await manager.verification(closed, 201711)
    assert not found.holds
    assert any(one.startswith(finding) for one in found.findings), found.findings


async def test_books_that_do_not_agree_are_not_closed(
    manager: AttributionClient, finance: AttributionClient, booked: int, tamper: Tamper
) -> None:
    await manager.begin_closing(booked, 201711)
    wrong = (
        "UPDATE attribution.balances SET amount_fen = amount_fen {}"
        f" WHERE branch_id = {booked} AND account = 'tax'"
    )
    await tamper(wrong.format("+ 1"))
    with pytest.raises(PeerProblem) as refused:
        await finance.close_period(booked, 201711)
    assert (refused.value.status, refused.value.code) == (409, "books-disagree")
    assert refused.value.body["findings"] == [
        "the balance tax of C1 is not the sum of its entries",
        "debits and credits differ by 1 fen",
    ]
    await tamper(wrong.format("- 1"))
    assert (await finance.close_period(booked, 201711)).state is PeriodState.CLOSED


async def test_a_closing_with_a_late_clock_comes_after_what_it_closes(
    manager: AttributionClient,
    finance: AttributionClient,
    booked: int,
    set_clock: Callable[[datetime], None],
) -> None:
    stated = await manager.statement(booked, "C1", period=201711)
    set_clock(datetime(2018, 1, 5, tzinfo=UTC))
    await manager.begin_closing(booked, 201711)
    closed = await finance.close_period(booked, 201711)
    assert closed.closed_at is not None
    assert closed.closed_at > stated.known_at
    assert (await manager.verification(booked, 201711)).findings == []
