"""Nothing that came is lost: the counts say so, and name the numbers that have not come."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from attribution.conftest import Sender

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.wire.attribution import Completeness, HeldState


async def of_bss(client: AttributionClient, branch_id: int) -> Completeness:
    (found,) = await client.completeness(branch_id)
    assert found.received == (
        found.booked + found.duplicates + found.parked + found.refused + found.conflicts
    )
    return found


async def test_what_came_is_what_was_booked_known_parked_refused_or_in_conflict(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    bill, opened = sender.bill(), sender.opened()
    wrong = sender.bill("BI-2", amount_fen=1.5)
    other = bill | {"data": bill["data"] | {"amount_fen": 1}}
    await manager.post_events([bill, wrong])
    before = await of_bss(manager, county)
    assert (before.received, before.parked, before.refused, before.held_now) == (2, 1, 1, 2)
    await manager.post_events([opened])
    await manager.post_events([bill, other])
    after = await of_bss(manager, county)
    assert (after.received, after.booked, after.duplicates, after.conflicts) == (5, 1, 1, 1)
    assert (after.parked, after.held_now) == (1, 2)
    assert after.oldest_held_at is not None


async def test_replaying_counts_nothing_twice(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    right = sender.bill()
    wrong = right | {"data": right["data"] | {"amount_fen": 1.5}}
    await manager.post_events([sender.opened(), wrong])
    (held,) = (await manager.quarantine(county)).items
    await manager.replay(county, held.held_id, right)
    found = await of_bss(manager, county)
    assert (found.received, found.booked, found.refused, found.held_now) == (2, 1, 1, 0)


async def test_every_sender_has_its_own_row_and_batches_at_the_same_time_add_up(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    def batch(source: str, number: int) -> list[dict[str, Any]]:
        return [
            sender.bill(f"{number}-{one}", "S-404") | {"source": source, "id": f"{number}-{one}"}
            for one in range(20)
        ]

    await asyncio.gather(
        *(manager.post_events(batch(source, one)) for one in range(4) for source in ("/a", "/b"))
    )
    found = await manager.completeness(county)
    assert [(one.source, one.received) for one in found] == [("/a", 80), ("/b", 80)]


async def test_numbers_that_have_not_come_are_named_until_they_do(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    def numbered(*numbers: int) -> list[dict[str, Any]]:
        return [sender.bill(f"BI-{one}", "S-404") | {"sequence": f"{one:06}"} for one in numbers]

    await manager.post_events(numbered(1, 2, 3, 7))
    await manager.post_events([*numbered(10), sender.bill() | {"sequence": "not a number"}])
    (found,) = await manager.sequences(county)
    assert (found.first, found.last, found.missing_count) == (1, 10, 5)
    assert [(one.first, one.last) for one in found.missing] == [(4, 6), (8, 9)]
    await manager.post_events(numbered(5, 4, 8, 9, 6))
    (found,) = await manager.sequences(county)
    assert (found.missing_count, found.missing) == (0, [])


async def test_an_absurd_number_is_a_run_of_its_own_and_hides_no_gap(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    def numbered(*numbers: int) -> list[dict[str, Any]]:
        return [sender.bill(f"BI-{one}", "S-404") | {"sequence": f"{one}"} for one in numbers]

    absurd = 10**17
    await manager.post_events(numbered(1, 2, 5, absurd, 7))
    (found,) = await manager.sequences(county)
    assert [(one.first, one.last) for one in found.missing] == [(3, 4), (6, 6)]
    assert (found.missing_count, found.last) == (3, absurd)
    assert [(one.first, one.last, one.came) for one in found.runs] == [
        (1, 7, 4),
        (absurd, absurd, 1),
    ]
    await manager.post_events(numbered(3, 4, 6, 8))
    (found,) = await manager.sequences(county)
    assert (found.missing_count, found.missing) == (0, [])
    assert [(one.first, one.last, one.came) for one in found.runs] == [
        (1, 8, 8),
        (absurd, absurd, 1),
    ]


async def test_the_number_of_an_event_that_was_mended_has_come(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    events = [sender.bill(f"BI-{one}", "S-404") | {"sequence": f"{one}"} for one in (1, 2, 3)]
    wrong = events[1] | {"time": "yesterday"}
    await manager.post_events([events[0], wrong, events[2]])
    (held,) = (await manager.quarantine(county, code="malformed-event")).items
    await manager.replay(county, held.held_id, events[1])
    (found,) = await manager.sequences(county)
    assert (found.first, found.last, found.missing_count) == (1, 3, 0)


async def test_the_age_of_what_waits_is_told_apart_from_what_is_to_be_mended(
    manager: AttributionClient,
    county: int,
    sender: Sender,
    set_clock: Callable[[datetime], None],
) -> None:
    morning = datetime(2017, 12, 1, 1, tzinfo=UTC)
    set_clock(morning)
    await manager.post_events([sender.bill("BI-1", amount_fen=1.5)])
    set_clock(morning + timedelta(hours=1))
    await manager.post_events([sender.bill("BI-2", "S-404"), sender.bill("BI-3")])
    found = await of_bss(manager, county)
    assert (found.held_now, found.parked_now) == (3, 2)
    assert found.oldest_held_at == morning
    assert found.oldest_parked_at == morning + timedelta(hours=1)
    await manager.post_events([sender.opened("S-404"), sender.opened()])
    found = await of_bss(manager, county)
    assert (found.held_now, found.parked_now, found.oldest_parked_at) == (1, 0, None)


class Poster:
    """A system of its own, that posts and asks under its own name."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self.http = http
        self.headers = {"Authorization": f"Bearer {token}"}

    async def post(self, path: str, given: Any, kind: str = "application/json") -> Any:
        headers = self.headers | {"Content-Type": kind}
        answer = await self.http.post(path, content=json.dumps(given), headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def send(self, *events: Any) -> None:
        await self.post("/v1/events", events, "application/cloudevents-batch+json")

    async def items(self, path: str) -> Any:
        return (await self.http.get(path, headers=self.headers)).json()["items"]

    async def unplaced(self) -> list[Completeness]:
        return [Completeness.model_validate(one) for one in await self.items("/v1/completeness")]


async def test_what_belongs_to_no_branch_is_counted_to_who_posted_it_and_to_nobody_else(
    manager: AttributionClient,
    http: httpx.AsyncClient,
    issuer: Issuer,
    county: int,
    sender: Sender,
) -> None:
    def poster(name: str) -> Poster:
        roles, branches = [Role.BSS_SOURCE], [county]
        return Poster(http, issuer.token(f"{name}-{county}", roles=roles, branch_ids=branches))

    def told(found: Sequence[Completeness]) -> set[tuple[Any, ...]]:
        """Return received, held and dismissed by source; all branches' clock is one here."""
        assert all(
            one.received == one.booked + one.duplicates + one.parked + one.refused + one.conflicts
            for one in found
        )
        assert {one.booked for one in found} == {0}
        return {
            (
                source,
                sum(one.received for one in found if one.source == source),
                sum(one.held_now for one in found if one.source == source),
                sum(one.dismissed_now for one in found if one.source == source),
            )
            for source in {one.source for one in found}
        }

    one, other = poster("bss"), poster("billing")
    bill = sender.bill()
    lost = bill | {"branchid": 999_998}
    nameless = {name: value for name, value in bill.items() if name not in {"source", "branchid"}}
    nameless["id"] = f"E-{county}"
    await one.send(lost | {"subject": f"{county}"}, nameless, sender.opened())
    await other.send(sender.bill("BI-2") | {"branchid": 999_998, "subject": f"{county}"})
    await one.send(lost | {"subject": f"{county}"})
    assert told(await one.unplaced()) == {("", 1, 1, 0), ("/bss", 2, 1, 0)}
    assert told(await other.unplaced()) == {("/bss", 1, 1, 0)}
    assert (await of_bss(manager, county)).received == 1

    held = {event["source"]: event["held_id"] for event in await one.items("/v1/quarantine")}
    await one.post(f"/v1/quarantine/{held['/bss']}/replay", {"event": bill})
    await one.post(f"/v1/quarantine/{held[None]}/dismissal", {"reason": "测试数据"})
    assert told(await one.unplaced()) == {("", 1, 0, 1), ("/bss", 2, 0, 0)}
    assert told(await other.unplaced()) == {("/bss", 1, 1, 0)}
    assert (await of_bss(manager, county)).booked == 2


async def test_of_the_same_bytes_to_no_branch_each_sender_has_its_own(
    http: httpx.AsyncClient, issuer: Issuer, county: int, sender: Sender
) -> None:
    def poster(name: str) -> Poster:
        roles, branches = [Role.BSS_SOURCE], [county]
        return Poster(http, issuer.token(f"{name}-{county}", roles=roles, branch_ids=branches))

    one, other = poster("bss"), poster("billing")
    lost = sender.bill() | {"branchid": 999_998, "subject": f"{county}"}
    for _ in range(2):
        await one.send(lost, lost)
        await other.send(lost)
    (first,), (second,) = await one.items("/v1/quarantine"), await other.items("/v1/quarantine")
    assert json.loads(first["body"]) == json.loads(second["body"]) == lost
    assert first["held_id"] != second["held_id"]
    assert [(found.received, found.held_now) for found in await one.unplaced()] == [(4, 1)]
    assert [(found.received, found.held_now) for found in await other.unplaced()] == [(2, 1)]

    await one.post(f"/v1/quarantine/{first['held_id']}/dismissal", {"reason": "测试数据"})
    await one.send(lost)
    (dismissed, again) = await one.items("/v1/quarantine")
    assert (dismissed["state"], again["state"]) == ("dismissed", "held")
    assert (await other.items("/v1/quarantine")) == [second]


async def test_a_contractor_has_no_events_of_no_branch(
    http: httpx.AsyncClient, county: int, token: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.CONTRACTOR, county, ['C1'])}"}
    assert (await http.get("/v1/completeness", headers=headers)).status_code == 403


@pytest.mark.parametrize("path", ["completeness", "sequences"])
async def test_a_contractor_sees_nothing_of_the_branch_as_a_whole(
    http: httpx.AsyncClient, county: int, token: Callable[..., str], path: str
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.CONTRACTOR, county, ['C1'])}"}
    assert (await http.get(f"/v1/branches/{county}/{path}", headers=headers)).status_code == 403


async def test_what_had_no_branch_and_is_refused_by_the_one_it_is_mended_into_stays_where_it_was(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    lost = sender.opened() | {"branchid": 659_998}
    assert (await manager.post_events([lost])).refused == 1
    [held] = [one for one in (await manager.unplaced()).items if one.event_id == lost["id"]]
    before = await manager.completeness(county)

    refused = await manager.replay_unplaced(
        held.held_id, lost | {"branchid": county, "type": "subscription.vanished"}
    )
    still = await manager.unplaced_event(held.held_id)
    booked = await manager.replay_unplaced(held.held_id, lost | {"branchid": county})

    assert [one.code for one in refused.outcomes] == ["unknown-type"]
    assert still == held
    assert (await manager.quarantine(county)).items == []
    assert before == []
    assert booked.booked == 1
    assert [(one.received, one.booked) for one in await manager.completeness(county)] == [(1, 1)]
    assert (await manager.unplaced_event(held.held_id)).state is HeldState.RESOLVED
