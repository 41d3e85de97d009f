"""Senders that sign what they post (Standard Webhooks): what is heard, and what is not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from attribution.conftest import Event, Sender

from huaxiao.attribution.signed.handlers import forget
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import Scope
from huaxiao.shared.signatures import signature
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE
from huaxiao.shared.wire.signed_sources import NewSecretIn, SignedSourceIn

NOW = datetime(2017, 11, 30, 8, tzinfo=UTC)
SOURCE = SignedSourceIn(source="/bss")


class Signer:
    """A sender that signs, as one outside would write it."""

    def __init__(self, http: httpx.AsyncClient, branch_id: int, secret: str) -> None:
        self.http, self.secret = http, secret
        self.url = f"/v1/branches/{branch_id}/signed-sources/billing/events"

    def headers(self, body: bytes, message_id: str = "M1", at: datetime = NOW) -> dict[str, str]:
        timestamp = str(int(at.timestamp()))
        return {
            "content-type": FEED_MEDIA_TYPE,
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self.secret, message_id, timestamp, body),
        }

    async def send(
        self, body: bytes, message_id: str = "M1", at: datetime = NOW, **changed: str
    ) -> httpx.Response:
        headers = self.headers(body, message_id, at)
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        return await self.http.post(self.url, content=body, headers=headers)


def batch(*events: Event) -> bytes:
    return json.dumps(events).encode()


@pytest.fixture
async def signer(
    http: httpx.AsyncClient,
    manager: AttributionClient,
    county: int,
    set_clock: Callable[[datetime], None],
) -> Signer:
    set_clock(NOW)
    made = await manager.put_signed_source(county, "billing", SOURCE)
    assert made.secret is not None
    return Signer(http, county, made.secret)


async def booked(manager: AttributionClient, county: int) -> int:
    return sum(one.revenue_fen for one in [await manager.explanation(county, "S-1")])


async def test_signed_events_are_booked_and_on_record_under_the_signers_name(
    signer: Signer,
    sender: Sender,
    manager: AttributionClient,
    caller: Callable[..., AttributionClient],
    county: int,
) -> None:
    answer = await signer.send(batch(sender.opened(), sender.bill()))

    assert (answer.status_code, answer.json()["booked"]) == (200, 2)
    assert await booked(manager, county) > 0
    (entry,) = await caller(Role.AUDITOR).audit_entries(county, route="post_signed_events")
    assert entry.subject == f"signed:{county}/billing"
    assert entry.changes[0]["outcomes"] == {"booked": 2}


async def test_a_secret_is_told_once_and_stands_in_no_record(
    signer: Signer,
    manager: AttributionClient,
    caller: Callable[..., AttributionClient],
    county: int,
) -> None:
    again = await manager.put_signed_source(county, "billing", SOURCE)
    with pytest.raises(PeerProblem) as other:
        await manager.put_signed_source(county, "billing", SignedSourceIn(source="/crm"))

    entries = await caller(Role.AUDITOR).audit_entries(county)

    assert again.secret is None
    assert other.value.code == "conflict"
    assert signer.secret not in "".join(one.model_dump_json() for one in entries)
    assert len(signer.secret.removeprefix("whsec_")) == 44


async def test_a_message_that_was_taken_is_answered_again_without_effect(
    signer: Signer, sender: Sender, manager: AttributionClient, county: int
) -> None:
    body = batch(sender.opened(), sender.bill(), sender.bill("BI-2", period="never"))

    first = await signer.send(body)
    again = await signer.send(body, at=NOW + timedelta(seconds=60))
    shown = await manager.quarantine(county)
    reused = await signer.send(batch(sender.bill("BI-3")))

    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(shown.items) == 1
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency-key-reused")


async def test_it_is_known_for_a_day_and_longer_that_a_message_was_taken(
    app: Any,
    signer: Signer,
    sender: Sender,
    set_clock: Callable[[datetime], None],
    county: int,
) -> None:

    body = batch(sender.opened())
    await signer.send(body)
    for hours, gone in ((25, 0), (73, 1)):
        later = NOW + timedelta(hours=hours)
        async with app.state.database.write(Scope.of_branch(county)) as connection:
            assert await forget(connection, county, later) == gone
        if not gone:
            set_clock(later)
            answer = await signer.send(body, at=later)
            assert answer.headers["idempotent-replayed"] == "true"


def flipped(text: str) -> str:
    return text[:-2] + ("A" if text[-2] != "A" else "B") + text[-1]


ATTACKS: dict[str, Callable[[Signer, bytes], dict[str, Any]]] = {
    "altered body": lambda s, b: {"content": b.replace(b"10000", b"90000")},
    "re-serialised body": lambda s, b: {"content": json.dumps(json.loads(b), indent=1).encode()},
    "body with a space more": lambda s, b: {"content": b + b" "},
    "no body": lambda s, b: {"content": b""},
    "altered id": lambda s, b: {"webhook-id": "M2"},
    "no id": lambda s, b: {"webhook-id": ""},
    "id with a full stop": lambda s, b: s.headers(b, "M.1"),
    "id that is too long": lambda s, b: s.headers(b, "M" * 256),
    "altered time": lambda s, b: {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
    "301 s old": lambda s, b: s.headers(b, at=NOW - timedelta(seconds=301)),
    "301 s ahead": lambda s, b: s.headers(b, at=NOW + timedelta(seconds=301)),
    "time that is no number": lambda s, b: {"webhook-timestamp": "now"},
    "time with a sign": lambda s, b: {"webhook-timestamp": f"+{int(NOW.timestamp())}"},
    "time without end": lambda s, b: {"webhook-timestamp": "9" * 4_000},
    "no time": lambda s, b: {"webhook-timestamp": ""},
    "altered signature": lambda s, b: {
        "webhook-signature": flipped(s.headers(b)["webhook-signature"])
    },
    "signature without its version": lambda s, b: {
        "webhook-signature": s.headers(b)["webhook-signature"].removeprefix("v1,")
    },
    "signature of another version": lambda s, b: {
        "webhook-signature": "v1a" + s.headers(b)["webhook-signature"][2:]
    },
    "no signature": lambda s, b: {"webhook-signature": ""},
    "empty signature": lambda s, b: {"webhook-signature": "v1,"},
    "another secret": lambda s, b: {
        "webhook-signature": signature(
            "whsec_" + "A" * 43 + "=", "M1", str(int(NOW.timestamp())), b
        )
    },
    "no key at all": lambda s, b: {
        "webhook-signature": signature("whsec_", "M1", str(int(NOW.timestamp())), b)
    },
    "a sender nobody knows": lambda s, b: {"url": s.url.replace("billing", "crm")},
    "another branch": lambda s, b: {"url": s.url.replace("branches/1", "branches/2")},
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_whatever_is_wrong_with_a_message_it_is_refused_without_a_word(
    attack: str, signer: Signer, sender: Sender, manager: AttributionClient, county: int
) -> None:
    body = batch(sender.opened(), sender.bill())
    changed = ATTACKS[attack](signer, body)
    url, content = changed.pop("url", signer.url), changed.pop("content", body)

    answer = await signer.http.post(url, content=content, headers=signer.headers(body) | changed)

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert set(answer.json()) <= {"type", "title", "status", "code", "detail", "instance"}
    assert answer.json()["detail"] == answer.json()["title"]
    # And what is right is taken afterwards.
    assert (await signer.send(body)).json()["booked"] == 2


@pytest.mark.parametrize("seconds", [-300, 300])
async def test_clocks_may_differ_by_five_minutes(
    seconds: int, signer: Signer, sender: Sender
) -> None:
    answer = await signer.send(batch(sender.opened()), at=NOW + timedelta(seconds=seconds))
    assert answer.status_code == 200


async def test_secrets_overlap_while_one_takes_over_from_the_other(
    signer: Signer,
    sender: Sender,
    manager: AttributionClient,
    set_clock: Callable[[datetime], None],
    county: int,
) -> None:
    made = await manager.make_secret(county, "billing", NewSecretIn(overlap_hours=1, reason="更换"))
    assert made.secret is not None
    newer = Signer(signer.http, county, made.secret)
    one, two, three = (batch(sender.bill(f"BI-{n}")) for n in range(3))
    both = " ".join(
        [
            "v1a,of-another-kind",
            signer.headers(three, "M3")["webhook-signature"],
            newer.headers(three, "M3")["webhook-signature"],
        ]
    )

    codes = [
        (await signer.send(one, "M1")).status_code,
        (await newer.send(two, "M2")).status_code,
        (await newer.send(three, "M3", webhook_signature=both)).status_code,
    ]
    later = NOW + timedelta(hours=1)
    set_clock(later)
    after = [
        (await signer.send(one, "M4", later)).status_code,
        (await newer.send(one, "M4", later)).status_code,
    ]
    await manager.make_secret(county, "billing", NewSecretIn(overlap_hours=0, reason="泄露"))
    leaked = (await newer.send(two, "M5", later)).status_code

    assert (codes, after, leaked) == ([200, 200, 200], [401, 200], 401)


async def test_an_event_of_another_source_or_branch_is_refused_and_kept(
    signer: Signer, sender: Sender, manager: AttributionClient, county: int
) -> None:
    foreign = sender.opened() | {"source": "/crm"}
    elsewhere = sender.bill() | {"branchid": county + 1}

    answer = await signer.send(batch(foreign, elsewhere))

    told = [one["code"] for one in answer.json()["outcomes"]]
    assert told == ["foreign-source", "branch-not-allowed"]
    (held,) = (await manager.quarantine(county)).items
    assert held.code == "foreign-source"


async def test_forms_and_sizes_are_those_of_intake(signer: Signer, sender: Sender) -> None:
    line = json.dumps(sender.opened()).encode()
    single = await signer.send(line, content_type="application/cloudevents+json")
    stream = await signer.send(line, "M2", content_type="application/x-ndjson")
    packed = await signer.send(batch(sender.bill()), "M3", content_encoding="gzip")
    broken = await signer.send(b"[{", "M4")
    many = await signer.send(b"[" + b",".join([b"{}"] * 10_001) + b"]", "M5")

    assert single.json()["booked"] == 1
    assert [one.status_code for one in (stream, packed, broken, many)] == [415, 415, 422, 422]


async def test_only_the_county_manager_registers_senders(
    caller: Callable[..., AttributionClient], county: int
) -> None:
    for role in set(Role) - {Role.COUNTY_MANAGER}:
        with pytest.raises(PeerProblem) as refused:
            await caller(role).put_signed_source(county, "billing", SOURCE)
        assert refused.value.code == "forbidden"


async def test_the_example_of_the_documents_is_heard(
    project: Path,
    signer: Signer,
    sender: Sender,
    set_clock: Callable[[datetime], None],
) -> None:
    text = (project / "docs" / "integrate-billing.md").read_text()
    (example,) = [
        one.partition("```")[0]
        for one in text.split("```python\n")[1:]
        if "def signed_headers" in one
    ]
    names: dict[str, Any] = {}
    exec(example, names)  # the document's own code
    body = batch(sender.opened())
    set_clock(datetime.now(UTC))

    headers = names["signed_headers"](signer.secret, "B-1", body)
    answer = await signer.http.post(signer.url, content=body, headers=headers)

    assert answer.json()["booked"] == 1
