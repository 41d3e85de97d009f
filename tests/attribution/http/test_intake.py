"""Events over HTTP: each booked, or named with a reason and kept."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import zstandard
from attribution.conftest import FIELDS, RURAL, TOWN, Sender, fact
from fastapi import FastAPI
from sqlalchemy import insert, select, text

from huaxiao.attribution.intake import handlers
from huaxiao.attribution.tables import received_events
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.attribution import HeldState, IntakeReport, Outcome
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE, FeedEntry


def codes(report: IntakeReport) -> list[tuple[int, str, str]]:
    return [(one.index, one.outcome, one.code) for one in report.outcomes]


async def revenue(client: AttributionClient, branch_id: int) -> dict[str, int]:
    books = await client.reconciliation(branch_id, 201711)
    assert books.difference_fen == 0
    assert books.ledger_sum_fen == 0
    return {one.centre_id: one.amount_fen for one in books.revenue_by_centre if one.amount_fen}


async def test_a_batch_books_what_is_right_and_names_what_is_wrong_by_its_index(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    wrong = sender.bill("BI-2")
    wrong["data"]["amount_fen"] = 1.5
    report = await manager.post_events(
        [sender.opened(), wrong, sender.bill(), sender.bill("BI-3", "S-404")]
    )
    assert (report.received, report.booked, report.refused, report.parked) == (4, 2, 1, 1)
    assert codes(report) == [
        (1, "refused", "bad-amount"),
        (3, "parked", "unknown-subscription"),
    ]
    assert await revenue(manager, county) == {"C1": 10_000}


async def test_the_same_event_is_booked_once_and_says_so(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    batch = [sender.opened(), sender.bill()]
    await manager.post_events(batch)
    again = await manager.post_events([*batch, batch[1]])
    assert (again.booked, again.duplicates) == (0, 3)
    assert await revenue(manager, county) == {"C1": 10_000}


async def test_the_same_event_twice_in_one_batch_waits_once(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    bill = sender.bill("BI-1")
    report = await manager.post_events([bill, bill])
    assert [one.outcome for one in report.outcomes] == [Outcome.PARKED] * 2
    assert len((await manager.quarantine(county)).items) == 1
    await manager.post_events([sender.opened()])
    assert (await manager.post_events([bill, bill])).duplicates == 2
    assert await revenue(manager, county) == {"C1": 10_000}


async def test_the_same_event_twice_in_one_batch_is_booked_once(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    bill = sender.bill()
    report = await manager.post_events([sender.opened(), bill, bill])
    assert (report.booked, report.duplicates) == (2, 1)
    assert await revenue(manager, county) == {"C1": 10_000}


async def test_the_same_id_with_another_body_is_a_conflict_and_is_kept(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    bill = sender.bill()
    await manager.post_events([sender.opened(), bill])
    other = bill | {"data": bill["data"] | {"amount_fen": 1}}
    report = await manager.post_events([other])
    assert codes(report) == [(0, "conflict", "conflict")]
    again = await manager.post_events([other])
    assert again.conflicts == 1
    held = (await manager.quarantine(county)).items
    assert [(one.code, json.loads(one.body)) for one in held] == [("conflict", other)]
    assert await revenue(manager, county) == {"C1": 10_000}


async def test_a_charge_before_its_subscription_books_itself_when_that_arrives(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    bill = sender.bill()
    assert (await manager.post_events([bill])).parked == 1
    assert (await manager.post_events([bill])).parked == 1
    held = (await manager.quarantine(county)).items
    assert [one.outcome for one in held] == [Outcome.PARKED]
    report = await manager.post_events([sender.opened()])
    assert report.booked == 1
    assert await revenue(manager, county) == {"C1": 10_000}
    assert (await manager.quarantine(county, state=HeldState.HELD)).items == []
    assert (await manager.post_events([bill])).duplicates == 1


async def test_a_refund_waits_for_its_charge_which_waits_for_its_subscription(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    refund = sender.event("refund.issued", refund_id="R-1", bill_item_id="BI-1", amount_fen=2_500)
    for one in (refund, sender.bill()):
        assert (await manager.post_events([one])).parked == 1
    await manager.post_events([sender.opened()])
    assert await revenue(manager, county) == {"C1": 7_500}
    assert (await manager.quarantine(county, state=HeldState.HELD)).items == []


async def test_a_parked_event_that_comes_again_with_another_body_is_a_conflict(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    bill = sender.bill()
    await manager.post_events([bill])
    other = bill | {"data": bill["data"] | {"amount_fen": 1}}
    assert (await manager.post_events([other])).conflicts == 1


async def test_a_refused_event_that_comes_again_right_is_booked_and_leaves_quarantine(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    right = sender.bill()
    wrong = right | {"data": right["data"] | {"amount_fen": "100"}}
    await manager.post_events([sender.opened(), wrong])
    await manager.post_events([wrong])
    assert len((await manager.quarantine(county)).items) == 1
    assert (await manager.post_events([right])).booked == 1
    assert (await manager.quarantine(county, state=HeldState.HELD)).items == []


async def test_another_form_that_would_have_to_wait_is_a_conflict_and_keeps_nobody_up(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    bill = sender.bill()
    other = bill | {"data": sender.bill("BI-2", "S-404")["data"]}
    await manager.post_events([sender.opened(), bill])
    assert codes(await manager.post_events([other])) == [(0, "conflict", "conflict")]
    assert (await manager.post_events([sender.opened("S-404")])).booked == 1
    assert await revenue(manager, county) == {"C1": 10_000}
    (held,) = (await manager.quarantine(county, state=HeldState.HELD)).items
    assert held.outcome is Outcome.CONFLICT


async def test_what_waits_under_an_identity_that_was_booked_lets_others_pass(
    app: FastAPI, manager: AttributionClient, county: int, sender: Sender
) -> None:
    """As the release before left it: parked, though another form of it was booked."""
    bill, waits = sender.bill(), sender.bill("BI-2", "S-404")
    await manager.post_events([sender.opened(), waits])
    async with app.state.database.write(EVERYTHING) as connection:
        await connection.execute(
            insert(received_events).values(
                branch_id=county,
                source=waits["source"],
                event_id=waits["id"],
                digest=b"another form",
                received_at=datetime(2017, 12, 1, tzinfo=UTC),
            )
        )
    report = await manager.post_events([sender.opened("S-404"), bill])
    assert (report.booked, report.outcomes) == (2, [])
    (held,) = (await manager.quarantine(county, state=HeldState.HELD)).items
    assert (held.outcome, held.event_id) == (Outcome.CONFLICT, waits["id"])


async def test_the_right_form_behind_a_refused_one_is_booked_in_one_batch_as_in_two(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    facts = {"kind": "commission", "period": 201711, "amount_fen": 100}
    wrong = sender.event("cost.incurred", cost_id="C-1", channel_id="NOWHERE", **facts)
    right = wrong | {"data": wrong["data"] | {"channel_id": "AGENT"}}
    other = wrong | {"data": wrong["data"] | {"channel_id": "AGENT", "amount_fen": 1}}
    report = await manager.post_events([wrong, right, other])
    assert (report.booked, report.refused, report.conflicts) == (1, 1, 1)
    assert codes(report) == [(0, "refused", "unknown-reference"), (2, "conflict", "conflict")]
    (waits,) = (await manager.quarantine(county, state=HeldState.HELD)).items
    assert json.loads(waits.body) == other
    assert (await manager.post_events([right, wrong])).duplicates == 2


async def test_what_could_not_be_read_leaves_quarantine_with_its_right_form_of_one_batch(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    right = sender.bill()
    wrong = right | {"data": right["data"] | {"amount_fen": "100"}}
    report = await manager.post_events([sender.opened(), wrong, right])
    assert codes(report) == [(1, "refused", "bad-amount")]
    assert report.booked == 2
    (gone,) = (await manager.quarantine(county)).items
    assert (gone.code, gone.state) == ("bad-amount", HeldState.RESOLVED)


async def test_of_many_forms_under_one_identity_each_is_refused_or_in_conflict(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    facts = {"kind": "commission", "period": 201711, "channel_id": "NOWHERE"}
    one = sender.event("cost.incurred", cost_id="C-1", amount_fen=1, **facts)
    forms = [one | {"data": one["data"] | {"amount_fen": amount}} for amount in range(1, 31)]
    report = await manager.post_events(forms)
    assert report.refused + report.conflicts == len(forms)
    assert report.refused > 1
    held = (await manager.quarantine(county, state=HeldState.HELD)).items
    assert [json.loads(one.body) for one in held] == forms


async def test_a_refused_event_that_comes_again_right_and_must_wait_is_held_once(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    right = sender.bill()
    await manager.post_events([right | {"data": right["data"] | {"amount_fen": "100"}}])
    assert (await manager.post_events([right])).parked == 1
    (held,) = (await manager.quarantine(county, state=HeldState.HELD)).items
    assert held.outcome is Outcome.PARKED
    await manager.post_events([sender.opened()])
    assert (await manager.quarantine(county, state=HeldState.HELD)).items == []


async def test_a_held_event_is_mended_and_replayed(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    right = sender.bill()
    wrong = right | {"data": right["data"] | {"amount_fen": 12.5}}
    await manager.post_events([sender.opened(), wrong])
    (held,) = (await manager.quarantine(county)).items
    still = await manager.replay(county, held.held_id)
    assert codes(still) == [(0, "refused", "bad-amount")]
    worse = await manager.replay(county, held.held_id, right | {"type": "x"})
    assert codes(worse) == [(0, "refused", "unknown-type")]
    (unchanged,) = (await manager.quarantine(county)).items
    assert unchanged == held
    assert (await manager.replay(county, held.held_id, right)).booked == 1
    assert await revenue(manager, county) == {"C1": 10_000}
    (gone,) = (await manager.quarantine(county)).items
    assert gone.state is HeldState.RESOLVED


async def test_a_mended_event_that_must_wait_is_kept_as_it_was_mended(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    right = sender.bill()
    await manager.post_events([right | {"data": right["data"] | {"amount_fen": 12.5}}])
    (held,) = (await manager.quarantine(county)).items
    assert (await manager.replay(county, held.held_id, right)).parked == 1
    await manager.post_events([sender.opened()])
    assert await revenue(manager, county) == {"C1": 10_000}
    assert (await manager.quarantine(county, state=HeldState.HELD)).items == []


@pytest.mark.parametrize("placed", [True, False])
async def test_an_event_that_several_mend_at_once_is_mended_once(
    http: httpx.AsyncClient,
    manager: AttributionClient,
    county: int,
    sender: Sender,
    token: Callable[..., str],
    placed: bool,
) -> None:
    wrong = sender.bill() | ({"type": "x"} if placed else {"branchid": 659_999, "source": "/one"})
    await manager.post_events([sender.opened(), wrong])
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    path = f"/v1/branches/{county}/quarantine" if placed else "/v1/quarantine"
    code = "unknown-type" if placed else "branch-not-allowed"
    asked = {"state": "held", "code": code, "limit": 200}
    found = (await http.get(path, params=asked, headers=headers)).json()
    (held,) = (one for one in found["items"] if json.loads(one["body"]) == wrong)

    async def mend(number: int) -> int:
        event = sender.bill(f"M-{number}") | {"id": f"M-{number}", "source": "/mended"}
        answer = await http.post(
            f"{path}/{held['held_id']}/replay", json={"event": event}, headers=headers
        )
        return answer.status_code

    answers = await asyncio.gather(*(mend(number) for number in range(5)))
    assert sorted(answers) == [200, 409, 409, 409, 409]
    assert await revenue(manager, county) == {"C1": 10_000}


async def test_what_left_quarantine_cannot_be_replayed(
    http: httpx.AsyncClient,
    manager: AttributionClient,
    county: int,
    sender: Sender,
    token: Callable[..., str],
) -> None:
    await manager.post_events([sender.bill()])
    await manager.post_events([sender.opened()])
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    path = f"/v1/branches/{county}/quarantine"
    answer = await http.post(f"{path}/H-1/replay", json={}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "already-resolved")
    for unknown in ("H-2", "H-", "X", "H-99999999999999999999"):
        answer = await http.post(f"{path}/{unknown}/replay", json={}, headers=headers)
        assert answer.status_code == 404, unknown


async def test_an_event_of_a_branch_beyond_the_token_is_refused_and_kept_apart(
    manager: AttributionClient,
    county: int,
    sender: Sender,
    http: httpx.AsyncClient,
    token: Callable[..., str],
) -> None:
    foreign = sender.bill() | {"branchid": 659_999}
    report = await manager.post_events([sender.opened(), foreign])
    assert (report.booked, codes(report)) == (1, [(1, "refused", "branch-not-allowed")])
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    kept = (await http.get("/v1/quarantine", headers=headers)).json()["items"]
    assert foreign in [json.loads(one["body"]) for one in kept]


async def test_an_event_of_a_branch_that_is_not_registered_yet_can_be_replayed_when_it_is(
    manager: AttributionClient,
    sender: Sender,
    branch_id: int,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    request: pytest.FixtureRequest,
) -> None:
    report = await manager.post_events([sender.opened()])
    assert codes(report) == [(0, "refused", "unknown-branch")]
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch_id)}"}
    listing = await http.get(
        "/v1/quarantine", params={"code": "unknown-branch", "limit": 500}, headers=headers
    )
    held = next(
        one["held_id"]
        for one in listing.json()["items"]
        if json.loads(one["body"])["branchid"] == branch_id
    )
    say = request.getfixturevalue("follow")
    await say([_registration(branch_id)])
    answer = await http.post(f"/v1/quarantine/{held}/replay", json={}, headers=headers)
    assert answer.json()["booked"] == 1
    again = await http.post(f"/v1/quarantine/{held}/replay", json={}, headers=headers)
    assert again.json()["code"] == "already-resolved"


def _registration(branch_id: int) -> FeedEntry:
    return fact(
        contracts.BRANCH_REGISTERED,
        str(branch_id),
        contracts.BranchRegistered(branch_id=branch_id, name_zh="县", default_centre_id="C0"),
    )


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"[]", "application/json", 415, "unsupported-media-type"),
        (b"[]", "", 415, "unsupported-media-type"),
        (b"[", FEED_MEDIA_TYPE, 422, "malformed"),
        (b"{}", FEED_MEDIA_TYPE, 422, "malformed"),
        (b"\xff\xfe", FEED_MEDIA_TYPE, 422, "malformed"),
        (b"[" + b"1," * 10_000 + b"1]", FEED_MEDIA_TYPE, 422, "malformed"),
        *(
            (one, "application/cloudevents+json", 422, "malformed")
            for one in (b"", b"U", b"1", b"{", b"{},{}", b"[" * 3_000 + b"]" * 3_000)
        ),
    ],
)
async def test_a_body_that_holds_no_events_is_refused_whole(
    http: httpx.AsyncClient,
    county: int,
    token: Callable[..., str],
    content: bytes,
    media_type: str,
    status: int,
    code: str,
) -> None:
    headers = {
        "Authorization": f"Bearer {token(Role.BSS_SOURCE, county)}",
        "Content-Type": media_type,
    }
    answer = await http.post("/v1/events", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_one_event_may_come_alone(
    http: httpx.AsyncClient, county: int, sender: Sender, token: Callable[..., str]
) -> None:
    headers = {
        "Authorization": f"Bearer {token(Role.BSS_SOURCE, county)}",
        "Content-Type": "application/cloudevents+json; charset=utf-8",
    }
    answer = await http.post("/v1/events", content=json.dumps(sender.opened()), headers=headers)
    assert (answer.status_code, answer.json()["booked"]) == (200, 1)


async def test_what_a_body_is_may_be_said_twice(
    http: httpx.AsyncClient, county: int, sender: Sender, token: Callable[..., str]
) -> None:
    headers = [
        ("Authorization", f"Bearer {token(Role.BSS_SOURCE, county)}"),
        ("Content-Type", "application/cloudevents+json"),
        ("Content-Type", "application/cloudevents+json"),
    ]
    answer = await http.post("/v1/events", content=json.dumps(sender.opened()), headers=headers)
    assert (answer.status_code, answer.json()["booked"]) == (200, 1)


async def test_an_event_at_the_edge_of_what_is_possible_never_takes_its_batch_along(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    def paid(number: str, time: str) -> dict[str, Any]:
        facts = {"payment_id": number, "subscription_id": "S-1", "amount_fen": 5}
        return sender.event("payment.received", **facts) | {"time": time}

    edges = [
        sender.opened("S-2", opened_on="9999-12-31"),
        sender.opened("S-3", opened_on="0001-01-01"),
        paid("P-1", "0001-01-01T00:00:00+14:00"),
        paid("P-2", "1990-01-01T00:00:00Z"),
        sender.bill("BI-2", amount_fen=10**15),
        *(sender.bill(f"MAX-{one}", amount_fen=10**12, tax_fen=10**12) for one in range(3)),
        sender.opened("S-4", opened_on="2099-11-30"),
        sender.bill("BI-4", "S-4", amount_fen=1, tax_fen=0),
        sender.bill("BI-5", period=200001, amount_fen=1, tax_fen=0),
    ]
    report = await manager.post_events([sender.opened(), *edges, sender.bill()])
    assert [(one.index, one.code) for one in report.outcomes] == [
        (1, "bad-date"),
        (2, "bad-date"),
        (3, "clock-off"),
        (4, "clock-off"),
        (5, "bad-amount"),
    ]
    assert (await revenue(manager, county))["C1"] == 3 * 10**12 + 10_000 + 1


async def test_an_empty_batch_is_no_error(manager: AttributionClient, county: int) -> None:
    assert (await manager.post_events([])).received == 0


async def test_overlapping_batches_at_the_same_time_book_everything_once(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    events = [sender.opened()] + [sender.bill(f"BI-{number}") for number in range(50)]
    batches = [events, events[::-1], events[20:], events[:30]]
    reports = await asyncio.gather(*(manager.post_events(batch) for batch in batches))
    assert sum(report.booked for report in reports) <= len(events)
    assert await revenue(manager, county) == {"C1": 50 * 10_000}


async def test_a_field_that_is_sealed_after_the_events_takes_over_what_is_its_own(
    manager: AttributionClient,
    branch: int,
    sender: Sender,
    follow: Callable[[Sequence[FeedEntry]], Awaitable[None]],
) -> None:
    await manager.post_events([sender.opened(), sender.bill()])
    assert await revenue(manager, branch) == {"C0": 10_000}
    await follow(FIELDS)
    assert await revenue(manager, branch) == {"C1": 10_000}
    found = await manager.explanation(branch, "S-1")
    assert (found.version, found.owner.field_id, found.reproduced) == (2, "F-TOWN", True)


async def test_a_bundle_that_comes_late_moves_what_was_booked_without_it(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    mobile = sender.opened("S-2", product="mobile", standard_address=None, channel_id="AGENT")
    mobile["data"].pop("standard_address")
    await manager.post_events([sender.opened(), mobile, sender.bill("BI-2", "S-2")])
    assert await revenue(manager, county) == {"C2": 10_000}
    bundle = sender.event(
        "bundle.formed",
        bundle_id="B-1",
        effective_on="2017-10-01",
        subscription_ids=["S-1", "S-2"],
    )
    await manager.post_events([bundle])
    assert await revenue(manager, county) == {"C1": 10_000}
    page = await manager.entries(county, subscription_id="S-2")
    assert [one.amount_fen for one in page.items] == [10_000, 600] + [10_000] * 2 + [600] * 2
    assert (await manager.explanation(county, "S-2")).owner.unit_rule == "070"


async def test_a_card_that_is_opened_after_its_main_card_follows_it_all_the_same(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    card = sender.opened("S-2", product="mobile", channel_id="AGENT", main_subscription_id="S-1")
    for batch in ([sender.opened("S-1")], [card, sender.bill("BI-2", "S-2")]):
        await manager.post_events(batch)
    assert (await manager.explanation(county, "S-2")).owner.unit_rule == "075"
    assert await revenue(manager, county) == {"C1": 10_000}


async def test_a_lead_that_is_heard_of_late_moves_what_was_booked_without_it(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    opened = sender.opened(opened_on="2017-11-03")
    await manager.post_events([opened, sender.bill()])
    facts = {"lead_id": "L-1", "subscription_id": "S-1", "owner_centre_id": "G1"}
    lead = sender.event("lead.converted", approved_on="2017-10-20", **facts)
    await manager.post_events([lead])
    assert await revenue(manager, county) == {"G1": 10_000}
    assert (await manager.explanation(county, "S-1")).owner.unit_rule == "030"
    again = sender.event("lead.converted", approved_on="2017-10-21", **facts)
    assert codes(await manager.post_events([again])) == [(0, "refused", "already-known")]


async def test_a_baseline_that_comes_late_takes_out_of_the_pool_what_it_names(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    mobile = sender.opened(product="mobile")
    await manager.post_events([mobile, sender.bill()])
    assert await revenue(manager, county) == {"C0": 10_000}
    facts = {"subscription_id": "S-1", "centre_id": "C1", "field_id": "F-TOWN"}
    stated = sender.event("baseline.stated", period=201711, **facts)
    no_month = sender.event("baseline.stated", period=201713, **facts)
    assert codes(await manager.post_events([stated, no_month])) == [(1, "refused", "bad-period")]
    assert await revenue(manager, county) == {"C1": 10_000}
    found = await manager.explanation(county, "S-1")
    assert (found.owner.unit_rule, found.reproduced) == ("160", True)
    assert "承包基线" in found.story_zh[1]


@pytest.mark.parametrize("known_before", [True, False])
async def test_a_lead_and_a_baseline_of_a_centre_that_is_not_registered_say_so_until_it_is(
    manager: AttributionClient,
    county: int,
    sender: Sender,
    follow: Callable[[Sequence[FeedEntry]], Awaitable[None]],
    known_before: bool,
) -> None:
    sold = sender.opened("S-1", product="mobile", opened_on="2017-11-03")
    old = sender.opened("S-2", product="mobile")
    lead = sender.event(
        "lead.converted",
        lead_id="L-9",
        subscription_id="S-1",
        owner_centre_id="X9",
        approved_on="2017-10-20",
    )
    stated = sender.event("baseline.stated", period=201711, subscription_id="S-2", centre_id="X9")
    bills = [sender.bill(), sender.bill("BI-2", "S-2")]
    facts = [lead, stated]
    posted = [*facts, sold, old, *bills] if known_before else [sold, old, *bills, *facts]
    assert (await manager.post_events(posted)).booked == 6
    assert await revenue(manager, county) == {"C0": 20_000}

    for line, says, says_zh in (
        ("S-1", "lead L-9 names centre X9", "商机 L-9 所指的中心 X9 尚未登记"),
        (
            "S-2",
            "the baseline of November 2017 names",
            "2017年11月的承包基线所指的中心 X9 尚未登记",
        ),
    ):
        found = await manager.explanation(county, line)
        assert found.reproduced
        assert any(says in one.reason for one in found.rejected)
        assert any(says in one and "not registered" in one for one in found.story)
        assert any(says_zh in one for one in found.story_zh)
    sold_told = await manager.explanation(county, "S-1")
    assert "no lead" not in " ".join(sold_told.story)
    assert not any("no lead" in one.reason for one in sold_told.rejected)

    centre = contracts.Centre(
        centre_id="X9", kind=contracts.CentreKind.TOWN, name="X9", name_zh="X9"
    )
    registered = contracts.CentreRegistered(centre=centre)
    await follow([fact(contracts.CENTRE_REGISTERED, "X9", registered)])
    assert await revenue(manager, county) == {"X9": 20_000}
    rules = [(await manager.explanation(county, one)).owner.unit_rule for one in ("S-1", "S-2")]
    assert rules == ["030", "160"]


async def test_work_is_asked_for_once_in_the_feed(
    caller: Callable[..., AttributionClient], county: int, sender: Sender
) -> None:
    client = caller(Role.SERVICE)
    work = sender.event(
        "work.requested",
        order_id="WO-1",
        kind="install",
        customer_class="public",
        customer_id="PER-1",
        standard_address=RURAL,
        requested_at="2017-11-02T09:00:00+08:00",
        circuit_grade="aaa",
        build_needed=True,
    )
    for _ in range(2):
        await client.post_events([work])
    entries = await client.feed(county, after=0)
    (asked,) = [one for one in entries if one.type.endswith("work.requested")]
    assert asked.subject == "WO-1"
    assert (asked.data["circuit_grade"], asked.data["build_needed"]) == ("aaa", True)


async def test_the_feed_says_what_every_booking_changed(
    caller: Callable[..., AttributionClient], county: int, sender: Sender
) -> None:
    client = caller(Role.SERVICE)
    await client.post_events([sender.opened(), sender.bill()])
    await client.post_events([sender.bill("BI-2")])
    sums: dict[str, int] = {}
    lines = 0
    for entry in await client.feed(county, after=0):
        lines += sum(one["lines"] for one in entry.data["billed"])
        changes: list[dict[str, Any]] = entry.data["changes"]
        assert sum(one["amount_fen"] for one in changes) == 0
        for one in changes:
            sums[one["account"]] = sums.get(one["account"], 0) + one["amount_fen"]
    assert sums == {"receivable": 21_200, "revenue": -20_000, "tax": -1_200}
    assert lines == 2
    balances = {one.account: one.amount_fen for one in await client.balances(county, period=201711)}
    assert balances == sums


@pytest.mark.forged
async def test_received_events_cannot_be_changed_by_the_service_itself(
    app: Any, manager: AttributionClient, county: int, sender: Sender
) -> None:
    await manager.post_events([sender.opened(), sender.bill()])
    for table in ("received_events", "entries", "decisions", "subscriptions", "documents"):
        for statement in (
            f"DELETE FROM attribution.{table} WHERE branch_id = {county}",
            f"UPDATE attribution.{table} SET branch_id = 1 WHERE branch_id = {county}",
        ):
            with pytest.raises(Exception, match="permission denied"):
                async with app.state.database.write(EVERYTHING) as connection:
                    await connection.execute(text(statement))
    async with app.state.database.read(EVERYTHING) as connection:
        rows = await connection.execute(
            select(received_events.c.event_id).where(received_events.c.branch_id == county)
        )
        assert set(rows.scalars()) == {"E-1", "E-2"}


async def test_an_address_outside_every_field_lies_in_the_pool(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    nowhere = sender.opened("S-9", standard_address="440101001001")
    await manager.post_events([nowhere, sender.bill("BI-9", "S-9")])
    assert await revenue(manager, county) == {"C0": 10_000}
    found = await manager.explanation(county, "S-9", period=201711)
    assert found.flags == ["NO_ADDRESS"]
    assert TOWN not in json.dumps(found.evidence)


def packed(lines: Sequence[bytes], encoding: str | None) -> bytes:
    content = b"\n".join(lines)
    if encoding in {"gzip", "x-gzip"}:
        return gzip.compress(content)
    return zstandard.compress(content) if encoding == "zstd" else content


async def sent(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 10_000):
        yield content[start : start + 10_000]


@pytest.mark.parametrize("encoding", [None, "gzip", "x-gzip", "zstd"])
async def test_a_stream_is_taken_in_pieces_and_reported_as_one(
    manager: AttributionClient, county: int, sender: Sender, encoding: str | None
) -> None:
    bills = [sender.bill(f"BI-{number}", amount_fen=10, tax_fen=0) for number in range(2_100)]
    lines = [json.dumps(one).encode() for one in (sender.opened(), *bills)]
    lines[1_500] = b"{"
    report = await manager.post_stream(sent(packed(lines, encoding)), encoding=encoding)
    assert (report.received, report.booked, report.complete) == (2_101, 2_100, True)
    assert codes(report) == [(1_500, "refused", "malformed-event")]
    assert await revenue(manager, county) == {"C1": 20_990}


async def test_a_stream_that_breaks_off_is_taken_as_far_as_it_is_whole(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    bills = [sender.bill(f"BI-{number}") for number in range(3_000)]
    lines = [json.dumps(one).encode() for one in (sender.opened(), *bills)]
    whole = packed(lines, "gzip")
    broken = await manager.post_stream(sent(whole[: len(whole) // 2]), encoding="gzip")
    assert not broken.complete
    assert broken.stopped
    assert 0 < broken.booked < 3_001
    again = await manager.post_stream(sent(whole), encoding="gzip")
    assert again.duplicates == broken.booked
    assert again.booked + again.duplicates == 3_001
    assert again.outcomes_omitted == max(0, again.duplicates - 1_000)
    assert await revenue(manager, county) == {"C1": 3_000 * 10_000}


async def test_a_line_that_is_too_long_is_refused_and_its_beginning_kept(
    manager: AttributionClient,
    county: int,
    sender: Sender,
    http: httpx.AsyncClient,
    token: Callable[..., str],
) -> None:
    long = b'{"id": "LONG", "x": "' + b"x" * 2_000_000
    lines = [json.dumps(sender.opened()).encode(), long]
    report = await manager.post_stream(sent(packed(lines, None)))
    assert (report.booked, codes(report)) == (1, [(1, "refused", "line-too-long")])
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    kept = await http.get("/v1/quarantine?code=line-too-long", headers=headers)
    assert kept.json()["items"][-1]["body"].startswith('{"id": "LONG"')


_MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    "media_type", [FEED_MEDIA_TYPE, "application/cloudevents+json", "application/x-ndjson"]
)
async def test_a_mark_of_the_encoding_is_no_part_of_an_event(
    http: httpx.AsyncClient,
    manager: AttributionClient,
    county: int,
    sender: Sender,
    token: Callable[..., str],
    media_type: str,
) -> None:
    event = sender.opened()
    body = json.dumps([event] if media_type == FEED_MEDIA_TYPE else event).encode()
    headers = {
        "Authorization": f"Bearer {token(Role.BSS_SOURCE, county)}",
        "Content-Type": f"{media_type}; charset=utf-8",
    }
    first = await http.post("/v1/events", content=_MARK + body, headers=headers)
    assert first.json()["booked"] == 1
    again = await http.post("/v1/events", content=body, headers=headers)
    assert again.json()["duplicates"] == 1


async def test_a_stream_that_is_packed_twice_is_refused(
    http: httpx.AsyncClient, county: int, token: Callable[..., str]
) -> None:
    headers = [
        ("Authorization", f"Bearer {token(Role.BSS_SOURCE, county)}"),
        ("Content-Type", "application/x-ndjson"),
        ("Content-Encoding", "gzip"),
        ("Content-Encoding", "zstd"),
    ]
    twice = zstandard.compress(gzip.compress(b"{}"))
    answer = await http.post("/v1/events", content=twice, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-encoding")


@pytest.mark.parametrize(
    ("media_type", "encoding", "size", "status", "code"),
    [
        (FEED_MEDIA_TYPE, "gzip", 2, 415, "unsupported-encoding"),
        ("application/x-ndjson", "br", 2, 415, "unsupported-encoding"),
        (FEED_MEDIA_TYPE, "identity", 17 * 1024 * 1024, 413, "too-large"),
    ],
)
async def test_a_body_that_is_not_taken_is_refused_with_its_reason(
    http: httpx.AsyncClient,
    county: int,
    token: Callable[..., str],
    media_type: str,
    encoding: str,
    size: int,
    status: int,
    code: str,
) -> None:
    headers = {
        "Authorization": f"Bearer {token(Role.BSS_SOURCE, county)}",
        "Content-Type": media_type,
        "Content-Encoding": encoding,
    }
    answer = await http.post("/v1/events", content=b" " * size, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "broken", ['{"id":"\\ud800"}', '{"a":' * 9_999 + "1" + "}" * 9_999, '{"id":NaN}']
)
async def test_an_event_that_is_no_json_is_refused_by_its_index_and_kept(
    http: httpx.AsyncClient,
    manager: AttributionClient,
    county: int,
    sender: Sender,
    token: Callable[..., str],
    broken: str,
) -> None:
    good = [json.dumps(sender.opened()), json.dumps(sender.bill())]
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    body = f"[{good[0]},{broken},{good[1]}]"
    answer = await http.post(
        "/v1/events", content=body, headers=headers | {"Content-Type": FEED_MEDIA_TYPE}
    )
    report = IntakeReport.model_validate(answer.json())
    assert (report.booked, codes(report)) == (2, [(1, "refused", "malformed-event")])
    assert await revenue(manager, county) == {"C1": 10_000}
    one = await http.post(
        "/v1/events",
        content=broken,
        headers=headers | {"Content-Type": "application/cloudevents+json"},
    )
    assert codes(IntakeReport.model_validate(one.json())) == [(0, "refused", "malformed-event")]
    mine = await http.get("/v1/quarantine", headers=headers)
    assert broken in {held["body"] for held in mine.json()["items"]}


async def test_a_stream_of_long_lines_is_committed_by_its_bytes(
    http: httpx.AsyncClient,
    manager: AttributionClient,
    county: int,
    sender: Sender,
    token: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handlers, "PIECE_BYTES", 4_096)
    events = [sender.opened(), *(sender.bill(f"BI-{number}") for number in range(40))]
    headers = {
        "Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}",
        "Content-Type": "application/x-ndjson",
    }
    answer = await http.post(
        "/v1/events", content="\n".join(json.dumps(one) for one in events), headers=headers
    )
    assert answer.json()["booked"] == 41
    facts = [
        one for one in await manager.feed(county, after=0, limit=1000) if "balances" in one.type
    ]
    assert len(facts) > 2
