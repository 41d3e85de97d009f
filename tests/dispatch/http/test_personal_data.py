"""Whom orders are for: masked wherever it is shown, in full to those who work on it, then erased."""

import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest
from support.canaries import HOME, IDENTITY, NAME, NOTE, PHONE, found_in, what_everybody_reads
from support.work import HOUR, START, person

from huaxiao.dispatch.personal.handlers import forget_contacts
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.audit.log import by_itself
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING, Scope
from huaxiao.shared.wire.dispatch import OrderKind, OrderStepIn, StepName
from huaxiao.shared.wire.orders import NoteIn, OrderIn, OrderSource
from huaxiao.shared.wire.personal import ErasureIn, FullViewIn, Purpose
from huaxiao.shared.wire.visits import Point

VISIT = FullViewIn(purpose=Purpose.VISIT, reason=f"上门，{PHONE}")
ERASED = ErasureIn(customer_id="K1", reason="客户要求删除")


@pytest.fixture
async def maintained(app: Any, county: Any) -> Any:
    people = [person(county, one, "C1") for one in ("W01", "W02")]
    for one in people:
        one.data["person"]["skills"] = ["install", "maintain"]
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, people)
    return county


def asked(reference: str = "R1") -> OrderIn:
    return OrderIn(
        source=OrderSource.FRONT_END,
        reference=reference,
        kind=OrderKind.CHECK,
        customer_id="K1",
        standard_address=HOME,
        where=Point(latitude="38.0428", longitude="114.5149"),
        requested_at=START,
        contact_note=NOTE,
    )


async def over(manager: Any, branch_id: int, order_id: str) -> None:
    reason = {"reason": f"客户取消 {PHONE}"}
    await manager.step(
        branch_id, order_id, OrderStepIn(step=StepName.CANCEL, at=START + HOUR, **reason)
    )


async def test_no_answer_feed_record_or_log_shows_whom_an_order_is_for(
    app: Any,
    maintained: Any,
    caller: Any,
    http: httpx.AsyncClient,
    token: Any,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    manager = caller(Role.COUNTY_MANAGER)
    made = await manager.ask_for_order(maintained, asked())
    noted = await manager.add_note(
        maintained, made.order_id, NoteIn(text=f"回电{PHONE} {IDENTITY}")
    )
    await over(manager, maintained, made.order_id)
    stranger = caller(Role.ENGINEER, ["C1"], "W99")
    with pytest.raises(PeerProblem):
        await stranger.see_order_contact(maintained, made.order_id, VISIT)

    answers = await what_everybody_reads(
        app, http, token, maintained, {"order_id": made.order_id, "person_id": "W01"}
    )

    told = [made.model_dump_json(), noted.model_dump_json(), caplog.text, *capsys.readouterr()]
    assert [(url, found_in(text)) for url, _, text in answers if found_in(text)] == []
    assert [found_in(one) for one in told if found_in(one)] == []
    assert sum(status == 200 for _, status, _ in answers) > 60
    assert any("130123100201***" in text for _, _, text in answers)
    assert any("139****0421" in text for _, _, text in answers)


async def test_those_who_work_on_an_order_see_it_in_full_and_each_view_is_on_record(
    maintained: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    made = await manager.ask_for_order(maintained, asked())
    viewers = {
        "test:county_manager": manager,
        "test:engineer": caller(Role.ENGINEER, ["C1"], made.engineer_id),
        "test:contractor": caller(Role.CONTRACTOR, ["C1"]),
        "test:support_centre": caller(Role.SUPPORT_CENTRE),
    }

    seen = [
        await one.see_order_contact(maintained, made.order_id, VISIT) for one in viewers.values()
    ]

    assert {(one.contact_note, one.standard_address) for one in seen} == {(NOTE, HOME)}
    entries = await caller(Role.AUDITOR).audit_entries(maintained, route="see_order_contact")
    views = [one["added"] for entry in entries for one in entry.changes]
    assert {one["full_view_id"] for one in views} == {one.full_view_id for one in seen}
    assert {one.subject for one in entries} == viewers.keys()
    assert {(one["object_id"], one["purpose"]) for one in views} == {(made.order_id, "visit")}
    assert {one.reason for one in entries} == {"上门，139****0421"}
    assert found_in("".join(one.model_dump_json() for one in entries)) == []


async def test_others_see_nothing_and_that_they_asked_is_logged(
    maintained: Any, caller: Any, caplog: pytest.LogCaptureFixture
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    made = await manager.ask_for_order(maintained, asked())
    others = [
        caller(Role.ENGINEER, ["C1"], "W99"),
        caller(Role.CONTRACTOR, ["B1"]),
        *(caller(one) for one in (Role.AUDITOR, Role.PROVINCE, Role.SERVICE, Role.BSS_SOURCE)),
    ]

    codes = []
    for one in others:
        with pytest.raises(PeerProblem) as refused:
            await one.see_order_contact(maintained, made.order_id, VISIT)
        codes.append(refused.value.code)
    await over(manager, maintained, made.order_id)
    with pytest.raises(PeerProblem) as late:
        await caller(Role.ENGINEER, ["C1"], made.engineer_id).see_order_contact(
            maintained, made.order_id, VISIT
        )

    assert codes == ["not-found", "not-found", *["forbidden"] * 4]
    assert late.value.code == "forbidden"
    assert caplog.text.count('"route": "see_order_contact"') == 7
    assert await caller(Role.AUDITOR).audit_entries(maintained, route="see_order_contact") == []


async def test_an_answer_that_shows_it_is_kept_nowhere(
    app: Any, maintained: Any, caller: Any, http: httpx.AsyncClient, token: Any
) -> None:
    made = await caller(Role.COUNTY_MANAGER).ask_for_order(maintained, asked())
    headers = {
        "Authorization": f"Bearer {token(Role.COUNTY_MANAGER, maintained)}",
        "Idempotency-Key": "K-1",
    }
    url = f"/v1/branches/{maintained}/orders/{made.order_id}/full-views"
    body = VISIT.model_dump(mode="json")

    answers = [await http.post(url, json=body, headers=headers) for _ in range(2)]
    unsaid = await http.post(url, json={"purpose": "visit"}, headers=headers)

    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].headers["cache-control"] == "no-store"
    assert answers[0].json()["full_view_id"] != answers[1].json()["full_view_id"]
    assert unsaid.status_code == 422


async def test_what_is_erased_is_gone_and_what_is_open_waits(maintained: Any, caller: Any) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    done = await manager.ask_for_order(maintained, asked())
    still = await manager.ask_for_order(maintained, asked("R2"))
    await over(manager, maintained, done.order_id)

    erased = await manager.erase_customer(maintained, ERASED)
    again = await manager.erase_customer(maintained, ERASED)

    assert [(one.erased, one.waiting) for one in (erased, again)] == [(1, 1), (0, 1)]
    gone = await manager.see_order_contact(maintained, done.order_id, VISIT)
    assert (gone.contact_note, gone.where) == (None, None)
    kept = await manager.see_order_contact(maintained, still.order_id, VISIT)
    assert kept.contact_note == NOTE
    first = (await caller(Role.AUDITOR).audit_entries(maintained, route="erase_customer"))[-1]
    assert first.reason == "客户要求删除"
    assert NAME not in first.model_dump_json()
    assert (await manager.ask_for_order(maintained, asked())).order_id == done.order_id


async def test_contacts_are_forgotten_some_time_after_an_order_is_over(
    app: Any, maintained: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    done = await manager.ask_for_order(maintained, asked())
    still = await manager.ask_for_order(maintained, asked("R2"))
    await over(manager, maintained, done.order_id)
    forget = forget_contacts(180)

    counts = []
    for days in (180, 181, 182):
        now = START + timedelta(days=days)
        async with (
            app.state.database.write(Scope.of_branch(maintained)) as connection,
            by_itself(connection, maintained, what="contacts", clock=app.state.clock),
        ):
            counts.append(await forget(connection, maintained, now))

    assert counts == [0, 1, 0]
    gone = await manager.see_order_contact(maintained, done.order_id, VISIT)
    kept = await manager.see_order_contact(maintained, still.order_id, VISIT)
    assert (gone.contact_note, kept.contact_note) == (None, NOTE)
    (entry,) = await caller(Role.AUDITOR).audit_entries(maintained, route="retention")
    assert entry.subject == "service:dispatch"
    assert entry.changes == [{"table": "orders", "erased": 1}]
