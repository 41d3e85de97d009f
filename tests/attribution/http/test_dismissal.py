"""What is held and will never be mended is dismissed: it waits no more, and nothing of it is lost."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from attribution.conftest import Event, Sender
from fastapi import FastAPI

from huaxiao.attribution.gauges import GAUGES
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.attribution import Completeness, HeldEvent, HeldState, Outcome

REASON = "对账系统重复发送的测试数据"
Told = Callable[[str], Awaitable[set[tuple[Any, ...]]]]


async def held_now(client: AttributionClient, branch_id: int) -> list[HeldEvent]:
    return (await client.quarantine(branch_id, state=HeldState.HELD)).items


async def only_held(client: AttributionClient, branch_id: int) -> HeldEvent:
    (found,) = await held_now(client, branch_id)
    return found


async def of_bss(client: AttributionClient, branch_id: int) -> Completeness:
    (found,) = await client.completeness(branch_id)
    assert found.received == (
        found.booked + found.duplicates + found.parked + found.refused + found.conflicts
    )
    return found


async def revenue(client: AttributionClient, branch_id: int) -> int:
    books = await client.reconciliation(branch_id, 201711)
    assert books.difference_fen == books.ledger_sum_fen == 0
    return sum(one.amount_fen for one in books.revenue_by_centre)


def conflicting(bill: Event) -> Event:
    return bill | {"data": bill["data"] | {"amount_fen": 1}}


def refused(bill: Event) -> Event:
    return bill | {"data": bill["data"] | {"amount_fen": 1.5}}


@pytest.fixture
def gauge(app: FastAPI, branch_id: int) -> Told:
    """Return a way to read what a gauge says of this branch just now."""

    async def read(name: str) -> set[tuple[Any, ...]]:
        (found,) = (one for one in GAUGES if one.name == name)
        async with app.state.database.read(EVERYTHING) as connection:
            rows = await connection.execute(found.rows(app.state.clock()))
            return {tuple(row)[1:] for row in rows if row.branch == branch_id}

    return read


async def test_what_clashed_with_a_dismissed_event_is_judged_anew_when_it_comes_again(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    noise = sender.bill("BI-1", "S-404")
    right = noise | {"data": noise["data"] | {"subscription_id": "S-1"}}
    await manager.post_events([sender.opened(), noise])
    parked = await only_held(manager, county)
    assert (await manager.post_events([right])).conflicts == 1
    assert (await manager.post_events([right])).conflicts == 1
    assert len(await held_now(manager, county)) == 2
    await manager.dismiss(county, parked.held_id, REASON)
    assert (await manager.post_events([right])).booked == 1
    assert await held_now(manager, county) == []
    assert await revenue(manager, county) == 10_000
    assert (await manager.post_events([noise])).conflicts == 1


async def test_what_is_dismissed_waits_no_more_and_is_shown_as_it_came(
    manager: AttributionClient,
    finance: AttributionClient,
    county: int,
    sender: Sender,
    gauge: Told,
    set_clock: Callable[[datetime], None],
) -> None:
    came = datetime(2017, 12, 1, 1, tzinfo=UTC)
    set_clock(came)
    bill = sender.bill()
    await manager.post_events([sender.opened(), bill, sender.bill("BI-2", "S-404")])
    await manager.post_events([conflicting(bill), refused(sender.bill("BI-3"))])
    assert await gauge("huaxiao.events.held") == {("parked", 1), ("conflict", 1), ("refused", 1)}
    before = await of_bss(manager, county)
    assert (before.held_now, before.parked_now, before.dismissed_now) == (3, 1, 0)

    set_clock(came + timedelta(days=3))
    as_it_came = {one.held_id: one for one in await held_now(manager, county)}
    for held_id in as_it_came:
        await finance.dismiss(county, held_id, REASON)

    assert await held_now(manager, county) == []
    shown = (await manager.quarantine(county, state=HeldState.DISMISSED)).items
    for one in shown:
        assert one.dismissal is not None
        assert one.dismissal.reason == REASON
        assert one.dismissal.dismissed_by == "test:county_finance"
        assert one.dismissal.dismissed_at == came + timedelta(days=3)
        held = as_it_came.pop(one.held_id)
        assert one == held.model_copy(
            update={"state": HeldState.DISMISSED, "dismissal": one.dismissal}
        )
    assert as_it_came == {}
    assert await gauge("huaxiao.events.held") == set()
    assert await gauge("huaxiao.events.parked.age") == set()
    after = await of_bss(manager, county)
    assert after == before.model_copy(
        update={
            "held_now": 0,
            "oldest_held_at": None,
            "parked_now": 0,
            "oldest_parked_at": None,
            "dismissed_now": 3,
        }
    )
    assert (await manager.reconciliation(county, 201711)).held == {}


async def test_of_several_who_dismiss_at_once_one_does(
    manager: AttributionClient,
    finance: AttributionClient,
    county: int,
    sender: Sender,
) -> None:
    await manager.post_events([sender.bill()])
    (held,) = await held_now(manager, county)

    async def dismiss(client: AttributionClient, number: int) -> str:
        try:
            await client.dismiss(county, held.held_id, f"理由 {number}")
        except PeerProblem as refusal:
            return refusal.code
        return f"理由 {number}"

    answers = await asyncio.gather(
        *(dismiss(client, number) for number, client in enumerate((manager, finance) * 3))
    )

    assert sorted(answers)[:5] == ["already-dismissed"] * 5
    (shown,) = (await manager.quarantine(county)).items
    assert shown.dismissal is not None
    assert shown.dismissal.reason in answers


async def test_dismissed_and_released_at_once_it_is_one_of_the_two(
    manager: AttributionClient, finance: AttributionClient, county: int, sender: Sender
) -> None:
    for number in range(5):
        line = f"S-{number}"
        await manager.post_events([sender.bill(f"BI-{number}", line)])
        held = await only_held(manager, county)
        answers = await asyncio.gather(
            manager.post_events([sender.opened(line)]),
            finance.dismiss(county, held.held_id, REASON),
            return_exceptions=True,
        )
        shown = (await manager.quarantine(county)).items[-1]
        if isinstance(answers[1], PeerProblem):
            assert (answers[1].code, shown.state) == ("already-resolved", HeldState.RESOLVED)
        else:
            assert shown.state is HeldState.DISMISSED
    every = (await manager.quarantine(county)).items
    booked = sum(one.state is HeldState.RESOLVED for one in every)
    assert await revenue(manager, county) == booked * 10_000


async def test_what_is_in_the_books_or_never_came_is_not_dismissed(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    await manager.post_events([sender.bill()])
    await manager.post_events([sender.opened()])
    with pytest.raises(PeerProblem) as refusal:
        await manager.dismiss(county, "H-1", REASON)
    assert refusal.value.code == "already-resolved"
    for unknown in ("H-2", "H-", "X"):
        with pytest.raises(PeerProblem) as refusal:
            await manager.dismiss(county, unknown, REASON)
        assert refusal.value.status == 404


@pytest.mark.parametrize(
    ("role", "centre_ids"),
    [
        (Role.BSS_SOURCE, None),
        (Role.SERVICE, None),
        (Role.SUPPORT_CENTRE, None),
        (Role.CONTRACTOR, ["C1"]),
        (Role.COUNTY_MANAGER, ["C1"]),
        (Role.COUNTY_FINANCE, ["C1"]),
    ],
)
async def test_only_the_county_itself_dismisses(
    manager: AttributionClient,
    caller: Callable[..., AttributionClient],
    county: int,
    sender: Sender,
    role: Role,
    centre_ids: list[str] | None,
) -> None:
    await manager.post_events([sender.bill()])
    held = await only_held(manager, county)
    with pytest.raises(PeerProblem) as refusal:
        await caller(role, centre_ids).dismiss(county, held.held_id, REASON)
    assert refusal.value.status == 403
    assert await only_held(manager, county) == held


@pytest.mark.parametrize("reason", ["", " \n", "x" * 2001, "a\0b"])
async def test_a_dismissal_says_why(
    http: httpx.AsyncClient,
    manager: AttributionClient,
    county: int,
    sender: Sender,
    token: Callable[..., str],
    reason: str,
) -> None:
    await manager.post_events([sender.bill()])
    answer = await http.post(
        f"/v1/branches/{county}/quarantine/H-1/dismissal",
        json={"reason": reason},
        headers={"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"},
    )
    assert answer.status_code == 422
    assert (await only_held(manager, county)).dismissal is None


async def test_numbers_of_people_are_taken_out_of_the_reason_and_the_record_has_who_and_why(
    manager: AttributionClient,
    caller: Callable[..., AttributionClient],
    county: int,
    sender: Sender,
) -> None:
    await manager.post_events([sender.bill()])
    dismissed = await manager.dismiss(county, "H-1", "客户 13812345678 来电确认作废")
    assert dismissed.dismissal is not None
    assert dismissed.dismissal.reason == "客户 138****5678 来电确认作废"
    (entry,) = await caller(Role.AUDITOR).audit_entries(county, route="dismiss_held_event")
    assert entry.subject == "test:county_manager"
    assert entry.reason == dismissed.dismissal.reason
    changed = {one["table"]: one for one in entry.changes}
    assert changed["dismissals"]["added"]["by"] == "test:county_manager"


async def test_a_dismissed_event_is_not_released_by_what_it_waited_for(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    await manager.post_events([sender.bill(), sender.bill("BI-2")])
    await manager.dismiss(county, "H-1", REASON)
    await manager.post_events([sender.opened()])
    assert await revenue(manager, county) == 10_000
    states = [one.state for one in (await manager.quarantine(county)).items]
    assert states == [HeldState.DISMISSED, HeldState.RESOLVED]


async def test_a_dismissed_event_may_be_replayed_as_it_came_or_mended(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    waiting, wrong = sender.bill(), sender.bill("BI-2")
    await manager.post_events([waiting, refused(wrong)])
    for held_id in ("H-1", "H-2"):
        await manager.dismiss(county, held_id, REASON)
    await manager.post_events([sender.opened()])

    assert (await manager.replay(county, "H-1")).booked == 1
    assert (await manager.replay(county, "H-2", wrong)).booked == 1

    assert await revenue(manager, county) == 20_000
    shown = (await manager.quarantine(county, state=HeldState.RESOLVED)).items
    assert [one.held_id for one in shown] == ["H-1", "H-2"]
    assert all(one.dismissal is not None and one.resolved_at is not None for one in shown)
    found = await of_bss(manager, county)
    assert (found.received, found.parked, found.refused, found.dismissed_now) == (3, 1, 1, 0)
    assert (await manager.post_events([waiting, wrong])).duplicates == 2


async def test_a_replay_that_is_refused_leaves_it_dismissed(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    bill = sender.bill()
    await manager.post_events([sender.opened(), bill])
    await manager.post_events([conflicting(bill), refused(sender.bill("BI-2"))])
    laid_down = [await manager.dismiss(county, one, REASON) for one in ("H-1", "H-2")]

    assert (await manager.replay(county, "H-1")).conflicts == 1
    assert (await manager.replay(county, "H-2")).refused == 1
    assert (await manager.replay(county, "H-2", sender.bill() | {"type": "x"})).refused == 1

    assert (await manager.quarantine(county)).items == laid_down
    # What the counters say of quarantine is still so: what waits is found and released.
    await manager.post_events([sender.bill("BI-3", "S-2")])
    await manager.post_events([sender.opened("S-2")])
    assert await revenue(manager, county) == 20_000


async def test_what_is_replayed_too_early_waits_again_and_may_be_dismissed_again(
    manager: AttributionClient, finance: AttributionClient, county: int, sender: Sender
) -> None:
    await manager.post_events([sender.bill()])
    await manager.dismiss(county, "H-1", "第一次")
    assert (await manager.replay(county, "H-1")).parked == 1
    held = await only_held(manager, county)
    assert held.dismissal is not None  # it is told that it was
    await finance.dismiss(county, "H-1", "第二次")
    (shown,) = (await manager.quarantine(county)).items
    assert shown.dismissal is not None
    assert (shown.state, shown.dismissal.reason) == (HeldState.DISMISSED, "第二次")

    assert (await manager.replay(county, "H-1")).parked == 1
    await manager.post_events([sender.opened()])
    assert await revenue(manager, county) == 10_000
    assert await held_now(manager, county) == []


async def test_what_comes_again_after_its_dismissal_is_judged_anew(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    bill = sender.bill()
    await manager.post_events([bill, refused(sender.bill("BI-2"))])
    for held_id in ("H-1", "H-2"):
        await manager.dismiss(county, held_id, REASON)

    assert (await manager.post_events([bill])).parked == 1  # held under a number of its own
    assert (await only_held(manager, county)).held_id == "H-3"
    with pytest.raises(PeerProblem) as refusal:
        await manager.replay(county, "H-1")
    assert refusal.value.code == "held-again"
    await manager.post_events([sender.opened()])
    assert await revenue(manager, county) == 10_000

    # By now the first one's event is in the books, so that replaying it finds it there.
    assert (await manager.replay(county, "H-1")).duplicates == 1
    states = {one.held_id: one.state for one in (await manager.quarantine(county)).items}
    assert states == {
        "H-1": HeldState.RESOLVED,
        "H-2": HeldState.DISMISSED,
        "H-3": HeldState.RESOLVED,
    }


async def test_another_body_under_the_identity_of_a_dismissed_one_is_no_conflict(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    bill = sender.bill()
    await manager.post_events([conflicting(bill)])
    await manager.dismiss(county, "H-1", REASON)
    assert (await manager.post_events([sender.opened(), bill])).booked == 2
    assert await revenue(manager, county) == 10_000
    report = await manager.replay(county, "H-1")
    assert [one.outcome for one in report.outcomes] == [Outcome.CONFLICT]


async def test_a_sender_dismisses_its_own_event_that_belongs_to_no_branch(
    http: httpx.AsyncClient,
    manager: AttributionClient,
    county: int,
    sender: Sender,
    token: Callable[..., str],
) -> None:
    foreign = sender.bill() | {"branchid": 659_998, "source": f"/of-{county}"}
    await manager.post_events([foreign])
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    asked = {"state": "held", "code": "branch-not-allowed", "limit": 500}
    kept = (await http.get("/v1/quarantine", params=asked, headers=headers)).json()["items"]
    (held,) = (one for one in kept if json.loads(one["body"]) == foreign)
    shown = f"/v1/quarantine/{held['held_id']}"
    path = f"{shown}/dismissal"

    other = {"Authorization": f"Bearer {token(Role.COUNTY_FINANCE, county)}"}
    assert (await http.get(shown, headers=headers)).json() == held
    assert (await http.get(shown, headers=other)).status_code == 404
    assert (await http.get("/v1/quarantine/X", headers=headers)).status_code == 404
    assert (await http.post(path, json={"reason": REASON}, headers=other)).status_code == 404
    answer = await http.post(path, json={"reason": REASON}, headers=headers)
    assert (answer.status_code, answer.json()["state"]) == (200, "dismissed")
    assert (await http.get(shown, headers=headers)).json() == answer.json()
    kept = (await http.get("/v1/quarantine", params=asked, headers=headers)).json()["items"]
    assert held["held_id"] not in [one["held_id"] for one in kept]
