import asyncio
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fastapi import FastAPI
from support.kpi_feeds import NOVEMBER, Peers, booked, closed, contract, month

from huaxiao.kpi.alerts.delivering import MOST_TRIES, deliver_due
from huaxiao.kpi.alerts.looking import jobs
from huaxiao.kpi.alerts.outgoing import outgoing_client
from huaxiao.kpi.forecasts.running import Forecasters
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.ticking import catch_up
from huaxiao.shared.wire.alerts import (
    AcknowledgementIn,
    AlertFact,
    AlertKind,
    AlertRuleIn,
    AlertState,
    DeliveryState,
    WebhookBody,
    WebhookIn,
)
from huaxiao.shared.wire.kpi import Span, TargetName

Caller = Callable[..., KpiClient]
Look = Callable[[datetime], Awaitable[None]]
START = datetime(2018, 1, 1, tzinfo=UTC)
MARGIN = AlertRuleIn(
    kind=AlertKind.VERDICT,
    name="Margin missed",
    name_zh="毛利率未达成",
    target=TargetName.MARKET_GROSS_MARGIN,
    span=Span.MONTH,
    open_months=True,
)


@pytest.fixture
def look(app: FastAPI, branch_id: int) -> Look:
    """Return a way to let what is due by a moment be done."""

    async def at(moment: datetime) -> None:
        await catch_up(
            app.state.database, jobs(app.state.forecasters), branch_id, clock=lambda: moment
        )

    return at


async def told(peers: Peers, caller: Caller) -> list[tuple[str, str]]:
    entries = await caller(Role.AUDITOR).feed(peers.branch_id, after=0)
    return [(one.type.rpartition(".")[2], one.subject) for one in entries]


async def test_a_target_that_is_missed_fires_once_and_is_resolved_when_it_is_met(
    peers: Peers, caller: Caller, look: Look
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    rule = await manager.put_alert_rule(peers.branch_id, "margin", MARGIN)
    await peers.told(*NOVEMBER)

    await look(START)
    firing = await manager.alerts(peers.branch_id)
    await look(START + timedelta(days=2))

    assert (rule.version, rule.changed_by) == (1, "test:county_manager")
    assert [(one.subject, one.value, one.state, one.period) for one in firing] == [
        ("C2", "79.80 %", AlertState.FIRING, 201711),
        ("county", "81.91 %", AlertState.FIRING, 201711),
    ]
    assert await told(peers, caller) == [("firing", "margin/C2"), ("firing", "margin/county")]

    # Two thousand fen of rent less, and both are met.
    await peers.told(booked(201711, "C2", cost__hall_rent=-2_500))
    await look(START + timedelta(days=3))
    assert await manager.alerts(peers.branch_id) == []
    assert (await told(peers, caller))[2:] == [
        ("resolved", "margin/C2"),
        ("resolved", "margin/county"),
    ]
    history = await manager.alert(peers.branch_id, firing[0].alert_id or "")
    assert [one.event for one in history.transitions] == ["firing", "resolved"]
    assert history.alert.state is AlertState.QUIET


async def test_what_flaps_within_the_margin_is_told_of_once(
    peers: Peers, caller: Caller, look: Look
) -> None:
    given = MARGIN.model_copy(
        update={"margin": Decimal("0.01"), "centre_ids": ["C1"], "with_county": False}
    )
    await caller(Role.COUNTY_MANAGER).put_alert_rule(peers.branch_id, "margin", given)
    await peers.told(*NOVEMBER)
    now = START
    for change in (1, -1, 1, -1, 1, -2, 2):
        await peers.told(booked(201711, "C1", cost__commission=change))
        now += timedelta(minutes=1)
        await look(now)

    assert await told(peers, caller) == [("firing", "margin/C1")]
    await peers.told(booked(201711, "C1", cost__commission=-4_000))
    await look(now + timedelta(minutes=1))
    assert (await told(peers, caller))[1:] == [("resolved", "margin/C1")]


async def test_it_must_be_missed_and_met_for_as_long_as_the_rule_wants(
    peers: Peers, caller: Caller, look: Look
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    given = MARGIN.model_copy(
        update={"hold_minutes": 60, "clear_minutes": 30, "centre_ids": [], "with_county": True}
    )
    await manager.put_alert_rule(peers.branch_id, "margin", given)
    await peers.told(*NOVEMBER)
    seen = []

    async def at(minutes: int) -> None:
        await look(START + timedelta(minutes=minutes))
        seen.append([one.state for one in await manager.alerts(peers.branch_id)])

    await at(0)
    await at(59)
    # Nothing was told meanwhile: that an hour has passed is reason enough to look.
    await at(60)
    await peers.told(booked(201711, "C2", cost__hall_rent=-2_500))
    await at(70)
    await at(99)
    await at(100)

    assert seen == [
        [AlertState.PENDING],
        [AlertState.PENDING],
        [AlertState.FIRING],
        [AlertState.RECOVERING],
        [AlertState.RECOVERING],
        [],
    ]


async def test_an_open_month_is_judged_only_where_a_rule_wants_that(
    peers: Peers, caller: Caller, look: Look
) -> None:
    given = MARGIN.model_copy(update={"open_months": False, "centre_ids": []})
    await caller(Role.COUNTY_MANAGER).put_alert_rule(peers.branch_id, "margin", given)
    await peers.told(*NOVEMBER)

    await look(START)
    before = await told(peers, caller)
    await peers.told(closed(201711))
    await look(START + timedelta(minutes=1))

    assert before == []
    assert await told(peers, caller) == [("firing", "margin/county")]


async def test_an_alert_is_acknowledged_with_a_note_by_one_person(
    peers: Peers, caller: Caller, look: Look
) -> None:
    manager, contractor = caller(Role.COUNTY_MANAGER), caller(Role.CONTRACTOR, ["C2"])
    await manager.put_alert_rule(peers.branch_id, "margin", MARGIN)
    await peers.told(*NOVEMBER)
    await look(START)

    (own,) = await contractor.alerts(peers.branch_id)
    assert own.subject == "C2"
    assert own.alert_id is not None
    note = AcknowledgementIn(note="房租已谈，下月调整")
    acknowledged = await contractor.acknowledge(peers.branch_id, own.alert_id, note)
    with pytest.raises(PeerProblem) as again:
        await manager.acknowledge(peers.branch_id, own.alert_id, note)
    with pytest.raises(PeerProblem) as strange:
        await caller(Role.CONTRACTOR, ["C1"]).acknowledge(peers.branch_id, own.alert_id, note)

    assert (acknowledged.note, acknowledged.acknowledged_by) == (note.note, "test:contractor")
    assert acknowledged.state is AlertState.FIRING
    assert (again.value.code, strange.value.code) == ("conflict", "not-found")
    entries = await manager.feed(peers.branch_id, after=2)
    fact = AlertFact.model_validate(entries[0].data)
    assert (entries[0].type, fact.by, fact.note) == (
        "kpi.alert.acknowledged",
        "test:contractor",
        note.note,
    )
    history = await manager.alert(peers.branch_id, own.alert_id)
    assert [one.event for one in history.transitions] == ["firing", "acknowledged"]


async def test_a_rule_that_is_withdrawn_resolves_what_it_fired(
    peers: Peers, caller: Caller, look: Look
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await manager.put_alert_rule(peers.branch_id, "margin", MARGIN)
    await peers.told(*NOVEMBER)
    await look(START)

    same = await manager.put_alert_rule(peers.branch_id, "margin", MARGIN)
    off = MARGIN.model_copy(update={"enabled": False})
    changed = await manager.put_alert_rule(peers.branch_id, "margin", off)
    await look(START + timedelta(minutes=1))

    assert (same.version, changed.version) == (1, 2)
    assert await manager.alerts(peers.branch_id) == []
    assert [event for event, _ in await told(peers, caller)] == ["firing"] * 2 + ["resolved"] * 2
    other = MARGIN.model_copy(update={"kind": AlertKind.BOOKS_LATE})
    with pytest.raises(PeerProblem) as refused:
        await manager.put_alert_rule(peers.branch_id, "margin", other)
    assert refused.value.code == "conflict"
    with pytest.raises(PeerProblem) as unnamed:
        await manager.put_alert_rule(
            peers.branch_id, "other", MARGIN.model_copy(update={"target": None})
        )
    assert unnamed.value.body["errors"][0]["pointer"] == "/target"
    with pytest.raises(PeerProblem) as strange:
        await manager.put_alert_rule(
            peers.branch_id, "typo", MARGIN.model_copy(update={"centre_ids": ["C1", "C11"]})
        )
    assert strange.value.body["errors"][0]["pointer"] == "/centre_ids/1"
    with pytest.raises(PeerProblem) as forbidden:
        await caller(Role.CONTRACTOR, ["C1"]).put_alert_rule(peers.branch_id, "margin", MARGIN)
    assert forbidden.value.code == "forbidden"


async def test_books_and_pay_that_are_late_and_a_feed_that_stands_still_are_told_of(
    peers: Peers, caller: Caller, look: Look
) -> None:
    manager = caller(Role.COUNTY_MANAGER)

    def late(kind: AlertKind) -> AlertRuleIn:
        return AlertRuleIn(kind=kind, name="Late", name_zh="迟报", days=10, hours=48)

    await manager.put_alert_rule(peers.branch_id, "books", late(AlertKind.BOOKS_LATE))
    await manager.put_alert_rule(peers.branch_id, "pay", late(AlertKind.PAYROLL_LATE))
    # Its pay is there, but of one centre.
    await peers.told(*NOVEMBER[:-1])

    await look(datetime(2017, 12, 10, tzinfo=UTC))
    before = await told(peers, caller)
    await look(datetime(2017, 12, 12, tzinfo=UTC))
    december = await told(peers, caller)
    await peers.told(NOVEMBER[-1])
    await look(datetime(2017, 12, 13, tzinfo=UTC))
    await look(datetime(2018, 1, 11, tzinfo=UTC))

    assert before == []
    assert december == [("firing", "pay/county")]
    assert (await told(peers, caller))[1:] == [
        ("resolved", "pay/county"),
        ("firing", "books/county"),
        ("firing", "pay/county"),
    ]
    # The contract is over: nothing is owed.
    await look(datetime(2018, 12, 20, tzinfo=UTC))
    assert await manager.alerts(peers.branch_id) == []

    await manager.put_alert_rule(peers.branch_id, "still", late(AlertKind.FEED_STILL))
    await look(datetime.now(UTC))
    assert await manager.alerts(peers.branch_id) == []
    await look(datetime.now(UTC) + timedelta(hours=49))
    assert [one.subject for one in await manager.alerts(peers.branch_id)] == [
        "/attribution",
        "/contracts",
    ]
    await peers.told(booked(201711, "C1", revenue=-1))


async def test_a_forecast_that_crosses_the_goal_is_told_of(
    peers: Peers, caller: Caller, look: Look
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await peers.told(contract("CT-C2", "C2", {201611: month(revenue=1), 201612: month(revenue=1)}))
    given = MARGIN.model_copy(
        update={"kind": AlertKind.FORECAST, "probability_below": Decimal("0.4")}
    )
    await manager.put_alert_rule(peers.branch_id, "ahead", given)
    await peers.told(*NOVEMBER)

    async def settled(moment: datetime) -> list[tuple[str, str]]:
        # Forecasts are made beside: what is not there yet is looked for again.
        for seconds in range(0, 120, 20):
            await look(moment + timedelta(seconds=seconds))
        return await told(peers, caller)

    assert await settled(START) == [("firing", "ahead/C2"), ("firing", "ahead/county")]
    await peers.told(booked(201711, "C2", cost__hall_rent=-2_500))
    assert (await settled(START + timedelta(hours=1)))[2:] == [
        ("resolved", "ahead/C2"),
        ("resolved", "ahead/county"),
    ]


# --- webhooks -----------------------------------------------------------------------------------


class Receiver:
    """A real server that keeps what it is sent, and answers as a test wants."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.heard.append((dict(self.headers.items()), body))
                self.send_response(receiver.status)
                if receiver.status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver(app: FastAPI) -> Iterator[Receiver]:
    made = Receiver()
    allowed, app.state.webhook_hosts = app.state.webhook_hosts, {made.host}
    yield made
    app.state.webhook_hosts = allowed
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
async def deliver(app: FastAPI) -> AsyncIterator[Look]:
    async with outgoing_client() as client:

        async def at(moment: datetime) -> None:
            while await deliver_due(
                app.state.database,
                client,
                allowed=app.state.webhook_hosts,
                clock=lambda: moment,
            ):
                pass

        yield at


async def test_a_webhook_is_told_signed_and_again_until_it_has_heard(
    peers: Peers, caller: Caller, look: Look, receiver: Receiver, deliver: Look
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    hook = WebhookIn(url=f"http://{receiver.host}/alerts?x=1")
    made = await manager.put_webhook(peers.branch_id, "ops", hook)
    kept = await manager.put_webhook(peers.branch_id, "ops", hook)
    await manager.put_alert_rule(
        peers.branch_id, "margin", MARGIN.model_copy(update={"centre_ids": []})
    )
    await peers.told(*NOVEMBER)
    await look(START)
    receiver.status = 500

    await deliver(START)
    await deliver(START + timedelta(seconds=9))
    (waiting,) = await manager.deliveries(peers.branch_id, "ops")
    receiver.status = 204
    await deliver(START + timedelta(seconds=11))
    await deliver(START + timedelta(days=1))

    assert made.secret is not None
    assert kept.secret is None
    assert [one.secret for one in await manager.webhooks(peers.branch_id)] == [None]
    assert (waiting.state, waiting.tries) == (DeliveryState.WAITING, 1)
    assert waiting.failure == "answered 500"
    (first, body), (second, again) = receiver.heard
    assert body == again
    assert first["Huaxiao-Delivery"] == second["Huaxiao-Delivery"] == waiting.delivery_id
    for headers in (first, second):
        signed = f"{headers['Huaxiao-Timestamp']}.".encode() + body
        digest = hmac.new(made.secret.encode(), signed, hashlib.sha256).hexdigest()
        assert headers["Huaxiao-Signature"] == f"v1={digest}"
        assert headers["Host"] == receiver.host
    sent = WebhookBody.model_validate(json.loads(body))
    assert (sent.type, sent.branch_id) == ("kpi.alert.firing", peers.branch_id)
    assert (sent.data.subject, sent.data.value) == ("county", "81.91 %")
    (done,) = await manager.deliveries(peers.branch_id, "ops", state=DeliveryState.DELIVERED)
    assert (done.tries, done.next_at, done.failure) == (2, None, None)


async def test_what_nobody_hears_is_given_up_seen_and_tried_again_when_asked(
    peers: Peers, caller: Caller, look: Look, receiver: Receiver, deliver: Look
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await manager.put_webhook(peers.branch_id, "ops", WebhookIn(url=f"http://{receiver.host}/"))
    await manager.put_alert_rule(
        peers.branch_id, "margin", MARGIN.model_copy(update={"centre_ids": []})
    )
    await peers.told(*NOVEMBER)
    await look(START)
    # A redirect is not followed: where it leads nobody has looked at.
    receiver.status = 302
    for day in range(MOST_TRIES + 2):
        await deliver(START + timedelta(days=day))

    (dead,) = await manager.deliveries(peers.branch_id, "ops", state=DeliveryState.DEAD)
    assert (dead.tries, dead.failure) == (MOST_TRIES, "answered 302")
    assert len(receiver.heard) == MOST_TRIES

    receiver.status = 200
    await manager.retry_delivery(peers.branch_id, "ops", dead.delivery_id)
    await deliver(datetime.now(UTC) + timedelta(minutes=1))
    (done,) = await manager.deliveries(peers.branch_id, "ops")
    assert done.state is DeliveryState.DELIVERED
    with pytest.raises(PeerProblem) as refused:
        await manager.retry_delivery(peers.branch_id, "ops", dead.delivery_id)
    assert refused.value.code == "not-found"


async def test_a_host_that_is_allowed_no_more_is_not_called(
    peers: Peers,
    caller: Caller,
    look: Look,
    receiver: Receiver,
    deliver: Look,
    app: FastAPI,
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await manager.put_webhook(peers.branch_id, "ops", WebhookIn(url=f"http://{receiver.host}/"))
    await manager.put_alert_rule(
        peers.branch_id, "margin", MARGIN.model_copy(update={"centre_ids": []})
    )
    await peers.told(*NOVEMBER)
    await look(START)

    app.state.webhook_hosts = frozenset()
    await deliver(START)

    assert receiver.heard == []
    (waiting,) = await manager.deliveries(peers.branch_id, "ops")
    assert "ForbiddenUrl" in (waiting.failure or "")


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "https://localhost/", "https://169.254.169.254/latest/meta-data"),
        *("https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://0x7f000001/", "http://1.1.1.1/"),
        *("https://2130706433/", "https://user@1.1.1.1/", "https://1.1.1.1:5432/"),
    ],
)
async def test_a_webhook_leads_to_no_address_inside(url: str, peers: Peers, caller: Caller) -> None:
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.COUNTY_MANAGER).put_webhook(peers.branch_id, "ops", WebhookIn(url=url))

    assert refused.value.code == "forbidden-url"


async def test_services_that_look_at_once_tell_of_a_transition_once(
    peers: Peers, caller: Caller, app: FastAPI
) -> None:
    await caller(Role.COUNTY_MANAGER).put_alert_rule(peers.branch_id, "margin", MARGIN)
    await peers.told(*NOVEMBER)
    others = [jobs(Forecasters(1)) for _ in range(4)]

    await asyncio.gather(
        *(catch_up(app.state.database, one, peers.branch_id, clock=lambda: START) for one in others)
    )

    assert await told(peers, caller) == [("firing", "margin/C2"), ("firing", "margin/county")]


async def test_a_look_that_was_cut_off_tells_of_nothing_and_is_taken_again(
    peers: Peers, caller: Caller, look: Look, app: FastAPI
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await manager.put_webhook(peers.branch_id, "ops", WebhookIn(url="https://1.1.1.1/"))
    await manager.put_alert_rule(peers.branch_id, "margin", MARGIN)
    await peers.told(*NOVEMBER)
    (job,) = jobs(app.state.forecasters).values()

    async with app.state.database.write(EVERYTHING) as connection:
        await job(connection, peers.branch_id, START)
        await connection.rollback()

    assert await told(peers, caller) == []
    assert await manager.deliveries(peers.branch_id, "ops") == []
    await look(START)
    await look(START)
    assert await told(peers, caller) == [("firing", "margin/C2"), ("firing", "margin/county")]
    assert len(await manager.deliveries(peers.branch_id, "ops")) == 2


async def test_an_alert_that_fired_before_the_last_one_can_still_be_read(
    peers: Peers, caller: Caller, look: Look
) -> None:
    manager, branch = caller(Role.COUNTY_MANAGER), peers.branch_id
    await manager.put_alert_rule(branch, "margin", MARGIN)
    await peers.told(*NOVEMBER)
    await look(START)
    first = next(one for one in await manager.alerts(branch) if one.subject == "C2")
    for day, change in ((1, -2_500), (2, 2_500)):
        await peers.told(booked(201711, "C2", cost__hall_rent=change))
        await look(START + timedelta(days=day))
    second = next(one for one in await manager.alerts(branch) if one.subject == "C2")

    history = await manager.alert(branch, first.alert_id or "")
    own = await caller(Role.CONTRACTOR, ["C2"]).alert(branch, first.alert_id or "")
    with pytest.raises(PeerProblem) as strange:
        await caller(Role.CONTRACTOR, ["C1"]).alert(branch, first.alert_id or "")

    assert own == history
    assert strange.value.code == "not-found"
    assert first.alert_id != second.alert_id
    assert (history.alert.alert_id, history.alert.state) == (first.alert_id, AlertState.QUIET)
    assert [one.event for one in history.transitions] == ["firing", "resolved"]
    assert history.alert.fired_at == START


async def test_a_webhook_that_is_made_twice_at_once_has_the_one_secret_that_was_told(
    peers: Peers, caller: Caller
) -> None:
    hook = WebhookIn(url="https://1.1.1.1/")
    made = await asyncio.gather(
        *(caller(Role.COUNTY_MANAGER).put_webhook(peers.branch_id, "ops", hook) for _ in range(5))
    )
    assert sum(one.secret is not None for one in made) == 1
