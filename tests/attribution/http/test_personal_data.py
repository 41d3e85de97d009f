"""What events bear of persons: masked wherever it is shown, in full with a purpose, then erased."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from attribution.conftest import TOWN, Event, Sender
from fastapi import FastAPI
from support.canaries import HOME, IDENTITY, NAME, NOTE, PHONE, found_in, what_everybody_reads

from huaxiao.attribution.personal.handlers import erase_what_waited, forget_bodies
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import Scope
from huaxiao.shared.wire.attribution import HeldState, RulingIn
from huaxiao.shared.wire.personal import Erasure, ErasureIn, FullViewIn, Purpose

MENDING = FullViewIn(purpose=Purpose.MENDING, reason="核对")
OWN_HOME = f"{TOWN}777301"
Caller = Callable[..., AttributionClient]


def wrong(sender: Sender) -> Event:
    """Return a bill that is refused, with more of its customer than it should have."""
    more = {"customer_name": NAME, "id_number": IDENTITY, "phone": PHONE, "contact": NOTE}
    event = sender.bill("BI-9", period="never")
    return event | {"data": event["data"] | more | {"customer_id": "PER-1", "address": HOME}}


async def told(manager: AttributionClient, sender: Sender, county: int) -> str:
    """Post lines that have a home, and events with too much in them; return a held one's name."""
    report = await manager.post_events(
        [
            sender.opened(standard_address=OWN_HOME),
            sender.bill(),
            sender.opened("S-2", standard_address=HOME),
            sender.bill("BI-2", "S-2"),
            wrong(sender),
        ]
    )
    assert (report.booked, report.refused) == (4, 1)
    (held,) = (await manager.quarantine(county)).items
    return held.held_id


async def test_no_answer_feed_record_or_log_shows_whose_a_line_is(
    app: FastAPI,
    county: int,
    manager: AttributionClient,
    sender: Sender,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    held_id = await told(manager, sender, county)
    broken = json.dumps(wrong(sender), ensure_ascii=False)[:-2]
    headers = {
        "Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}",
        "Content-Type": "application/x-ndjson",
    }
    await http.post("/v1/events", content=broken.encode(), headers=headers)
    ruling = RulingIn(
        subscription_ids=["S-2"],
        centre_id="C2",
        field_id="F-RURAL",
        from_period=201711,
        to_period=201711,
        reason=f"{PHONE} 来电说明",
    )
    await manager.put_ruling(county, "R-1", ruling)

    answers = []
    for line in ("S-1", "S-2"):
        known = {"subscription_id": line, "held_id": held_id, "ruling_id": "R-1"}
        answers += await what_everybody_reads(app, http, token, county, known)

    seen = [(url, found_in(text)) for url, _, text in answers if found_in(text)]
    assert seen == []
    assert [url for url, _, text in answers if OWN_HOME in text] == []
    assert found_in(caplog.text) == []
    assert any(f"{TOWN}***" in text for url, _, text in answers if "explanation" in url)
    assert any("欧***" in text for url, _, text in answers if "quarantine" in url)
    assert sum(status == 200 for _, status, _ in answers) > 60


async def test_a_held_event_is_seen_in_full_to_be_mended_and_that_is_on_record(
    county: int, manager: AttributionClient, caller: Caller, sender: Sender
) -> None:
    held_id = await told(manager, sender, county)
    viewers = (manager, caller(Role.COUNTY_FINANCE))

    seen = [await one.see_held_body(county, held_id, MENDING) for one in viewers]
    codes = []
    for one in (caller(Role.BSS_SOURCE), caller(Role.SERVICE), caller(Role.CONTRACTOR, ["C1"])):
        with pytest.raises(PeerProblem) as refused:
            await one.see_held_body(county, held_id, MENDING)
        codes.append(refused.value.code)

    assert all(json.loads(one.body)["data"]["phone"] == PHONE for one in seen)
    # It was another sender's.
    assert codes == ["not-found", "forbidden", "forbidden"]
    entries = await caller(Role.AUDITOR).audit_entries(county, route="see_held_body")
    views = [one["added"]["full_view_id"] for entry in entries for one in entry.changes]
    assert set(views) == {one.full_view_id for one in seen}


async def test_where_a_line_is_is_seen_by_whom_it_concerns(
    county: int, manager: AttributionClient, caller: Caller, sender: Sender
) -> None:
    await told(manager, sender, county)

    seen = await caller(Role.CONTRACTOR, ["C1"]).see_line_addresses(county, "S-1", MENDING)
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.CONTRACTOR, ["C2"]).see_line_addresses(county, "S-1", MENDING)

    assert (seen.standard_address, seen.resource_address) == (OWN_HOME, None)
    assert refused.value.code == "not-found"
    (entry,) = await caller(Role.AUDITOR).audit_entries(county, route="see_line_addresses")
    assert entry.changes[0]["added"]["full_view_id"] == seen.full_view_id


async def test_bodies_are_erased_once_they_are_resolved_and_the_books_stay(
    county: int, manager: AttributionClient, finance: AttributionClient, sender: Sender
) -> None:
    held_id = await told(manager, sender, county)

    async def erase() -> Erasure:
        given = ErasureIn(customer_id="PER-1", reason="客户要求删除")
        asked = await manager.ask_for_erasure(county, given)
        return await finance.confirm_erasure(county, asked.erasure_id)

    waits = await erase()
    mended = sender.bill("BI-9")
    await manager.replay(county, held_id, mended)
    before = await manager.explanation(county, "S-1"), await finance.reconciliations(county)

    erased = await erase()

    assert [(one.erased, one.waiting) for one in (waits, erased)] == [(0, 1), (1, 0)]
    assert (await manager.see_held_body(county, held_id, MENDING)).body == ""
    after = await manager.explanation(county, "S-1"), await finance.reconciliations(county)
    assert after == before
    assert (await manager.post_events([mended])).duplicates == 1


async def test_a_body_that_had_to_wait_is_erased_by_itself_once_it_is_mended(
    app: FastAPI,
    county: int,
    manager: AttributionClient,
    finance: AttributionClient,
    sender: Sender,
) -> None:
    held_id = await told(manager, sender, county)
    given = ErasureIn(customer_id="PER-1", reason="客户要求删除")
    asked = await manager.ask_for_erasure(county, given)
    waits = await finance.confirm_erasure(county, asked.erasure_id)

    async def tick() -> int:
        async with app.state.database.write(Scope.of_branch(county)) as connection:
            return await erase_what_waited()(connection, county, datetime.now(UTC))

    early = await tick()
    await manager.replay(county, held_id, sender.bill("BI-9"))
    # What comes after the erasure is another matter, until it is forgotten like everybody's.
    await manager.post_events([wrong(sender) | {"id": "BI-10"}])
    held = (await manager.quarantine(county)).items
    (later,) = [one for one in held if one.held_id != held_id]
    await manager.replay(county, later.held_id, sender.bill("BI-10"))
    then = [await tick() for _ in range(2)]

    assert (waits.erased, waits.waiting, early, then) == (0, 1, 0, [1, 0])
    bodies = [
        (await manager.see_held_body(county, one, MENDING)).body for one in (held_id, later.held_id)
    ]
    assert bodies[0] == ""
    assert "PER-1" in bodies[1]


async def test_a_body_that_was_dismissed_waits_for_nobody_and_is_erased_at_once(
    county: int, manager: AttributionClient, finance: AttributionClient, sender: Sender
) -> None:
    held_id = await told(manager, sender, county)
    await manager.dismiss(county, held_id, "测试数据")
    given = ErasureIn(customer_id="PER-1", reason="客户要求删除")
    asked = await manager.ask_for_erasure(county, given)
    done = await finance.confirm_erasure(county, asked.erasure_id)

    assert (done.erased, done.waiting) == (1, 0)
    assert (await manager.see_held_body(county, held_id, MENDING)).body == ""
    assert (await manager.replay(county, held_id)).refused == 1
    (shown,) = (await manager.quarantine(county)).items
    assert shown.state is HeldState.DISMISSED


async def test_bodies_are_forgotten_once_nobody_waits_for_them(
    app: FastAPI, county: int, manager: AttributionClient, caller: Caller, sender: Sender
) -> None:
    held_id = await told(manager, sender, county)
    await manager.post_events([sender.bill("BI-7", "S-7")])
    forget = forget_bodies(30)

    counts = []
    for days in (29, 31, 32):
        async with app.state.database.write(Scope.of_branch(county)) as connection:
            counts.append(
                await forget(connection, county, datetime.now(UTC) + timedelta(days=days))
            )

    assert counts == [0, 1, 0]
    bodies = {one.held_id: one.body for one in (await manager.quarantine(county)).items}
    assert bodies.pop(held_id) == ""
    # One that is parked may still be booked.
    assert all(bodies.values())
    (entry,) = await caller(Role.AUDITOR).audit_entries(county, route="retention")
    assert entry.changes == [{"table": "held_events", "erased": 1}]
    # It is sent again, and taken.
    assert (await manager.post_events([sender.bill("BI-7", "S-7")])).parked == 1
