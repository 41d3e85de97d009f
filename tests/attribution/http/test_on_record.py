"""What attribution has on record: batches by their digest, people's decisions, its own bookings."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
from attribution.conftest import FIELDS, Sender

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.wire.attribution import RulingIn
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE, FeedEntry


async def test_a_batch_is_one_entry_with_counts_and_the_digest_of_its_events(
    http: httpx.AsyncClient,
    token: Callable[..., str],
    caller: Callable[..., AttributionClient],
    county: int,
    sender: Sender,
) -> None:
    raws = [json.dumps(one).encode() for one in (sender.opened(), sender.bill("BI-1"))]
    raws.append(b'{"branchid": %d}' % county)
    headers = {
        "Authorization": f"Bearer {token(Role.BSS_SOURCE, county)}",
        "Content-Type": FEED_MEDIA_TYPE,
    }
    answer = await http.post("/v1/events", content=b"[" + b",".join(raws) + b"]", headers=headers)
    assert answer.status_code == 200, answer.text

    (entry,) = await caller(Role.AUDITOR).audit_entries(county, route="post_events")

    digests = b"".join(hashlib.sha256(one).digest() for one in raws)
    assert entry.subject == "test:bss_source"
    assert entry.changes == [
        {
            "events": 3,
            "outcomes": {"booked": 2, "refused": 1},
            "digest": hashlib.sha256(digests).hexdigest(),
        }
    ]


async def test_requests_that_are_taken_together_have_an_entry_each(
    manager: AttributionClient,
    caller: Callable[..., AttributionClient],
    county: int,
    sender: Sender,
) -> None:
    await manager.post_events([sender.opened()])
    await asyncio.gather(*(manager.post_events([sender.bill(f"BI-{n}")]) for n in range(8)))

    entries = await caller(Role.AUDITOR).audit_entries(county, route="post_events")

    assert [one.position for one in entries] == list(range(9, 0, -1))
    assert all(one.changes[0]["outcomes"] == {"booked": 1} for one in entries)


async def test_a_ruling_is_on_record_with_its_reason_and_the_lines_it_booked(
    manager: AttributionClient,
    finance: AttributionClient,
    caller: Callable[..., AttributionClient],
    county: int,
    sender: Sender,
) -> None:
    await manager.post_events([sender.opened(), sender.bill("BI-1")])
    given: dict[str, Any] = {
        "subscription_ids": ["S-1"],
        "centre_id": "C2",
        "field_id": "F-RURAL",
        "from_period": 201711,
        "to_period": 201711,
        "reason": "Handed over, as 13812345678 says.",
    }
    await manager.put_ruling(county, "R-1", RulingIn.model_validate(given))
    await finance.approve_ruling(county, "R-1")

    approved, drafted, *_ = await caller(Role.AUDITOR).audit_entries(county)

    assert drafted.reason == "Handed over, as 138****5678 says."
    assert {one["table"] for one in drafted.changes} == {"rulings", "ruled_subscriptions"}
    assert approved.subject == "test:county_finance"
    told = {one["table"]: one for one in approved.changes}
    assert told["ruling_approvals"]["added"]["approved_by"] == "test:county_finance"
    assert told["entries"]["rows_added"] > 0
    assert told["decisions"]["rows_added"] > 0


async def test_what_follows_from_a_fact_of_contracts_is_on_record_where_it_moves_money(
    manager: AttributionClient,
    caller: Callable[..., AttributionClient],
    branch: int,
    follow: Callable[[Sequence[FeedEntry]], Awaitable[None]],
    sender: Sender,
) -> None:
    await manager.post_events([sender.opened(), sender.bill("BI-1")])
    auditor = caller(Role.AUDITOR)
    assert len(await auditor.audit_entries(branch)) == 1

    await follow(FIELDS)

    last, _ = await auditor.audit_entries(branch)
    assert (last.subject, last.route, last.method) == (
        "service:attribution",
        "follow /contracts",
        "",
    )
    assert {one["table"] for one in last.changes} == {"decisions", "entries"}
