"""Whom orders are for: masked wherever it is shown, in full to those who work on it, then erased."""

import asyncio
import json
import logging
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import DBAPIError
from support.canaries import HOME, IDENTITY, NAME, NOTE, PHONE, found_in, what_everybody_reads
from support.contents import png
from support.work import HOUR, START, centre, person

from huaxiao.dispatch.appraisals.evidence import freeze_due, kept_records
from huaxiao.dispatch.attachments.handlers import remove_erased
from huaxiao.dispatch.attachments.objects import DirectoryStore
from huaxiao.dispatch.personal.handlers import (
    erase,
    erase_what_waited,
    forget_contacts,
    forget_photos,
)
from huaxiao.dispatch.tables import (
    appraisal_months,
    audit_log,
    branches,
    erasures,
    erasures_done,
    orders,
)
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.audit.log import by_itself
from huaxiao.shared.auth import Role
from huaxiao.shared.chained_lines import ChangedFileError
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.erased_again import (
    ErasureList,
    ListedErasure,
    erased_again,
    list_beside,
)
from huaxiao.shared.rows import EVERYTHING, Scope
from huaxiao.shared.wire.dispatch import OrderKind, OrderStepIn, StepName
from huaxiao.shared.wire.orders import AttachmentKind, NoteIn, OrderIn, OrderSource
from huaxiao.shared.wire.personal import ErasureIn, FullViewIn, Purpose
from huaxiao.shared.wire.tickets import TicketAbout, TicketIn, TicketStepIn, TicketStepName
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


async def test_an_error_tells_no_value_of_a_row_here_nor_in_the_log_of_the_server(
    app: Any, maintained: Any, caller: Any
) -> None:
    made = await caller(Role.COUNTY_MANAGER).ask_for_order(maintained, asked())

    with pytest.raises(DBAPIError) as refused:
        async with app.state.database.write(Scope.of_branch(maintained)) as connection:
            await connection.execute(
                update(orders)
                .where(orders.c.branch_id == maintained, orders.c.order_id == made.order_id)
                .values(state=None)
            )
    async with app.state.database.read(EVERYTHING) as connection:
        verbosity = await connection.scalar(text("SHOW log_error_verbosity"))

    told = "".join(traceback.format_exception(refused.value))
    assert "violates not-null constraint" in told
    # PostgreSQL has told all of the row: the contact as well.
    assert found_in(told) == []
    assert made.order_id not in told
    assert verbosity == "terse"


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


async def erased(caller: Any, branch_id: int) -> Any:
    """Have the customer erased by two people."""
    asked = await caller(Role.COUNTY_MANAGER).ask_for_erasure(branch_id, ERASED)
    return await caller(Role.COUNTY_FINANCE).confirm_erasure(branch_id, asked.erasure_id)


async def test_an_erasure_is_asked_for_by_one_person_and_done_by_another(
    maintained: Any, caller: Any
) -> None:
    manager, finance = caller(Role.COUNTY_MANAGER), caller(Role.COUNTY_FINANCE)
    made = await manager.ask_for_order(maintained, asked())
    await over(manager, maintained, made.order_id)

    wanted = await manager.ask_for_erasure(maintained, ERASED)
    with pytest.raises(PeerProblem) as alone:
        await manager.confirm_erasure(maintained, wanted.erasure_id)
    untouched = await manager.see_order_contact(maintained, made.order_id, VISIT)
    done = await asyncio.gather(
        *(finance.confirm_erasure(maintained, wanted.erasure_id) for _ in range(3))
    )
    refused = []
    for one in (caller(Role.COUNTY_FINANCE), caller(Role.SUPPORT_CENTRE), caller(Role.PROVINCE)):
        with pytest.raises(PeerProblem) as no:
            await one.ask_for_erasure(maintained, ERASED)
        refused.append(no.value.code)

    assert (wanted.done_by, wanted.erased) == (None, None)
    assert alone.value.code == "two-people"
    assert untouched.contact_note == NOTE
    assert done[0] == done[1] == done[2]
    assert (done[0].by, done[0].done_by) == ("test:county_manager", "test:county_finance")
    assert done[0].erased == 1
    assert await caller(Role.AUDITOR).erasures(maintained) == [done[0]]
    assert refused == ["forbidden"] * 3


async def test_what_is_erased_is_gone_and_what_is_open_waits(maintained: Any, caller: Any) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    done = await manager.ask_for_order(maintained, asked())
    still = await manager.ask_for_order(maintained, asked("R2"))
    await over(manager, maintained, done.order_id)

    counts = [await erased(caller, maintained) for _ in range(2)]

    assert [(one.erased, one.waiting) for one in counts] == [(1, 1), (0, 1)]
    gone = await manager.see_order_contact(maintained, done.order_id, VISIT)
    assert (gone.contact_note, gone.where) == (None, None)
    assert gone.standard_address == HOME[:12]
    kept = await manager.see_order_contact(maintained, still.order_id, VISIT)
    assert (kept.contact_note, kept.standard_address) == (NOTE, HOME)
    first = (await caller(Role.AUDITOR).audit_entries(maintained, route="ask_for_erasure"))[-1]
    assert first.reason == "客户要求删除"
    assert NAME not in first.model_dump_json()
    assert (await manager.ask_for_order(maintained, asked())).order_id == done.order_id


async def test_what_had_to_wait_is_erased_by_itself(app: Any, maintained: Any, caller: Any) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    still = await manager.ask_for_order(maintained, asked())
    waits = await erased(caller, maintained)
    later = await manager.ask_for_order(
        maintained, asked("R2").model_copy(update={"requested_at": datetime.now(UTC)})
    )

    early = await done_by(app, maintained, erase_what_waited())
    for one in (still, later):
        step = OrderStepIn(step=StepName.CANCEL, at=datetime.now(UTC), reason="客户取消")
        await manager.step(maintained, one.order_id, step)
    then = [await done_by(app, maintained, erase_what_waited()) for _ in range(2)]

    assert (waits.erased, waits.waiting, early, then) == (0, 1, 0, [1, 0])
    gone = await manager.see_order_contact(maintained, still.order_id, VISIT)
    assert (gone.contact_note, gone.standard_address) == (None, HOME[:12])
    # What was asked for after the erasure is another matter.
    kept = await manager.see_order_contact(maintained, later.order_id, VISIT)
    assert (kept.contact_note, kept.standard_address) == (NOTE, HOME)


async def test_an_address_stays_while_a_month_that_rests_on_it_is_open(
    app: Any, maintained: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    made = await manager.ask_for_order(maintained, asked())
    await over(manager, maintained, made.order_id)
    await known_since(app, maintained, START)

    first = await erased(caller, maintained)
    between = await manager.see_order_contact(maintained, made.order_id, VISIT)
    # The next month may count it as a repeated fault: 30 days.
    closed = [await close(app, maintained, one) for one in (201711, 201712)]
    counts = [await done_by(app, maintained, erase_what_waited()) for _ in closed]

    assert (first.erased, first.waiting) == (1, 1)
    assert (between.contact_note, between.standard_address) == (None, HOME)
    assert counts == [1, 0]
    gone = await manager.see_order_contact(maintained, made.order_id, VISIT)
    assert gone.standard_address == HOME[:12]


async def test_evidence_that_is_frozen_for_ever_names_no_address(
    app: Any, maintained: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await manager.ask_for_order(maintained, asked())
    await known_since(app, maintained, START)

    async with app.state.database.write(Scope.of_branch(maintained)) as connection:
        await freeze_due(connection, maintained, START + timedelta(days=40))
        kept = await kept_records(connection, maintained, 201711)

    assert kept is not None
    assert [one.line.startswith("K1@") for one in kept] == [True]
    assert HOME not in kept[0].line


async def test_photos_are_erased_with_the_order_and_leave_the_store(
    app: Any, maintained: Any, caller: Any, tmp_path: Path
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    orders = [await manager.ask_for_order(maintained, asked(one)) for one in ("R1", "R2")]
    mine = DirectoryStore(tmp_path)
    usual, app.state.objects = app.state.objects, mine
    sent = [(orders[0], "a.png", 1), (orders[0], "b.png", 2), (orders[1], "a.png", 2)]
    try:
        for order, name, number in sent:
            await manager.upload_attachment(
                maintained, order.order_id, name, AttachmentKind.BEFORE, png(number)
            )
        await over(manager, maintained, orders[0].order_id)
        counts = await erased(caller, maintained)
        before = len(contents(tmp_path))
        removed = [await done_by(app, maintained, remove_erased(mine)) for _ in range(2)]
        after = contents(tmp_path)
        with pytest.raises(PeerProblem) as gone:
            await manager.attachment(maintained, orders[0].order_id, "b.png")
        # The same content shows another order, which is open.
        kept = await manager.attachment(maintained, orders[1].order_id, "a.png")
        listed = await manager.attachments(maintained, orders[0].order_id)
    finally:
        app.state.objects = usual

    assert (counts.erased, counts.waiting) == (3, 2)
    assert (before, removed, after) == (2, [2, 0], [png(2)])
    assert (gone.value.status, gone.value.code) == (410, "attachment-erased")
    assert kept == png(2)
    assert all(one.erased_at is not None and len(one.sha256) == 64 for one in listed)


async def test_where_a_ticket_is_about_is_shown_on_record_only_and_erased_once_it_is_closed(
    app: Any, maintained: Any, caller: Any
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, maintained, [centre(maintained, "SS", "support")])
    town, manager = caller(Role.CONTRACTOR, ["C1"]), caller(Role.COUNTY_MANAGER)
    about = TicketAbout(customer_id="K1", standard_address=HOME, customer_is_vip=False)
    given = TicketIn(
        raiser_centre_id="C1", category="retention", title="漏缆", text=NOTE, about=about
    )

    raised = [await town.raise_ticket(maintained, given) for _ in range(2)]
    seen = [
        await one.see_ticket_place(maintained, raised[0].ticket_id, VISIT)
        for one in (town, manager, caller(Role.SUPPORT_CENTRE))
    ]
    refused = []
    for other in (caller(Role.CONTRACTOR, ["B1"]), caller(Role.AUDITOR)):
        with pytest.raises(PeerProblem) as no:
            await other.see_ticket_place(maintained, raised[0].ticket_id, VISIT)
        refused.append(no.value.code)
    closing = TicketStepIn(step=TicketStepName.CLOSE, reason="已解决")
    await manager.step_ticket(maintained, raised[0].ticket_id, closing)
    counts = await erased(caller, maintained)

    assert raised[0].about.standard_address == f"{HOME[:12]}***"
    assert {(one.customer_id, one.standard_address) for one in seen} == {("K1", HOME)}
    assert refused == ["not-found", "forbidden"]
    entries = await caller(Role.AUDITOR).audit_entries(maintained, route="see_ticket_place")
    views = {one["added"]["full_view_id"] for entry in entries for one in entry.changes}
    assert views == {one.full_view_id for one in seen}
    assert found_in("".join(one.model_dump_json() for one in entries)) == []
    assert (counts.erased, counts.waiting) == (1, 1)
    after = [await manager.see_ticket_place(maintained, one.ticket_id, VISIT) for one in raised]
    assert [one.standard_address for one in after] == [HOME[:12], HOME]


async def test_what_a_restore_brings_back_is_erased_again_as_two_people_had_it_done(
    app: Any, maintained: Any, caller: Any, tmp_path: Path
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    # What was asked for in the minute of the erasure, and after it.
    made = [
        await manager.ask_for_order(
            maintained, asked(name).model_copy(update={"requested_at": START + HOUR * hours})
        )
        for name, hours in (("R1", 0), ("R2", 2))
    ]
    for one in made:
        step = OrderStepIn(step=StepName.CANCEL, at=START + HOUR * 3, reason="客户取消")
        await manager.step(maintained, one.order_id, step)
    # The database knows nothing of it: that is how one stands that was restored from before.
    outside = ErasureList(list_beside(tmp_path / "any", "dispatch"), service="dispatch")
    done_at = START + HOUR
    outside.add(
        [
            ListedErasure(maintained, "E1", "K1", "客户要求", "manager", START, "finance", done_at),
            ListedErasure(maintained + 1, "E2", "K1", "客户要求", "a", START, "b", done_at),
        ]
    )
    replicas = [again(tmp_path) for _ in range(2)]

    first = await asyncio.gather(*(done_by(app, maintained, one) for one in replicas))
    then = [await done_by(app, maintained, one) for one in replicas]

    assert (first, then) == ([1, 1], [0, 0])
    gone, kept = [await manager.see_order_contact(maintained, one.order_id, VISIT) for one in made]
    assert (gone.contact_note, gone.where, gone.standard_address) == (None, None, HOME[:12])
    assert (kept.contact_note, kept.standard_address) == (NOTE, HOME)
    (known,) = await caller(Role.AUDITOR).erasures(maintained)
    assert (known.erasure_id, known.by, known.done_by) == ("E1", "manager", "finance")
    assert (known.done_at, known.erased) == (done_at, 1)
    (entry,) = await caller(Role.AUDITOR).audit_entries(maintained, route="erased_again")
    assert (entry.subject, entry.reason) == ("service:dispatch", "客户要求")
    assert (entry.changes[0]["by"], entry.changes[0]["erased"]) == ("finance", 1)


async def test_each_erasure_is_listed_outside_the_database_and_a_changed_list_does_nothing(
    app: Any, maintained: Any, caller: Any, tmp_path: Path
) -> None:
    unconfirmed = await caller(Role.COUNTY_MANAGER).ask_for_erasure(maintained, ERASED)
    done = [await erased(caller, maintained) for _ in range(2)]
    now = datetime.now(UTC)
    job = again(tmp_path)

    for seconds in (0, 30, 61):
        await done_by(app, maintained, job, now + timedelta(seconds=seconds))
    file = tmp_path / "dispatch-erasures.jsonl"
    written = file.read_bytes()
    file.write_bytes(written.replace(b"K1", b"K2", 1))
    with pytest.raises(ChangedFileError):
        await done_by(app, maintained, again(tmp_path))

    listed = [json.loads(one) for one in written.splitlines()]
    assert {one["erasure_id"] for one in listed} == {one.erasure_id for one in done}
    assert unconfirmed.erasure_id not in written.decode()
    assert len(listed) == 2
    assert {(one["customer_id"], one["by"], one["done_by"]) for one in listed} == {
        ("K1", "test:county_manager", "test:county_finance")
    }
    assert again(None) == {}


async def noted_and_placed(app: Any, branch_id: int, caller: Any) -> tuple[str, str]:
    """Make an order with a note and the place of a step, and a ticket about it that was answered."""
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, branch_id, [centre(branch_id, "SS", "support")])
    manager, town = caller(Role.COUNTY_MANAGER), caller(Role.CONTRACTOR, ["C1"])
    made = await manager.ask_for_order(branch_id, asked())
    engineer = caller(Role.ENGINEER, ["C1"], made.engineer_id)
    where = Point(latitude="38.0428", longitude="114.5149")
    step = OrderStepIn(step=StepName.ACCEPT, at=START + HOUR / 2, where=where)
    await engineer.step(branch_id, made.order_id, step)
    await manager.add_note(branch_id, made.order_id, NoteIn(text=f"{NAME}家门口有狗"))
    given = TicketIn(
        raiser_centre_id="C1",
        category="retention",
        title=f"{NAME}漏缆",
        text=f"{NAME}说线路断了",
        about=TicketAbout(customer_id="K1", order_id=made.order_id, customer_is_vip=False),
    )
    ticket = await town.raise_ticket(branch_id, given)
    support = caller(Role.SUPPORT_CENTRE, ["SS"])
    for step_name, said in ((TicketStepName.ACCEPT, None), (TicketStepName.ANSWER, f"联系{NAME}")):
        taken = TicketStepIn(step=step_name, text=said)
        await support.step_ticket(branch_id, ticket.ticket_id, taken)
    return made.order_id, ticket.ticket_id


async def what_names(manager: Any, branch_id: int, order_id: str, ticket_id: str) -> list[Any]:
    """Return where an order's steps were taken, and all that was written of it."""
    order = await manager.order(branch_id, order_id)
    ticket = await manager.ticket(branch_id, ticket_id)
    return [
        *(one.where for one in order.steps if one.where is not None),
        *(one.text for one in order.notes),
        ticket.title,
        ticket.text,
        *(one.text for one in ticket.steps if one.text is not None),
    ]


async def test_what_was_written_of_a_customer_and_where_steps_were_taken_is_erased(
    app: Any, maintained: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    names = await noted_and_placed(app, maintained, caller)

    waits = await erased(caller, maintained)
    before = await what_names(manager, maintained, *names)
    await over(manager, maintained, names[0])
    closing = TicketStepIn(step=TicketStepName.CLOSE, reason="已解决")
    await manager.step_ticket(maintained, names[1], closing)
    done = await erased(caller, maintained)
    after = await what_names(manager, maintained, *names)

    # The order itself, its note, the place of its step, the ticket.
    assert (waits.erased, waits.waiting, done.erased, done.waiting) == (0, 4, 4, 0)
    assert sum(NAME in str(one) for one in before) == len(before) - 1 == 4
    assert after == ["***"] * 4
    entries = await caller(Role.AUDITOR).audit_entries(maintained)
    told = "".join(one.model_dump_json() for one in entries)
    assert NAME not in told
    assert "order_notes" in told
    assert '"sha256"' in told


async def test_what_was_written_and_where_steps_were_taken_is_forgotten_with_the_photos(
    app: Any, maintained: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    names = await noted_and_placed(app, maintained, caller)
    await over(manager, maintained, names[0])
    closing = TicketStepIn(step=TicketStepName.CLOSE, reason="已解决")
    await manager.step_ticket(maintained, names[1], closing)
    closed = datetime.now(UTC)

    counts = [
        await done_by(app, maintained, forget_photos(730), moment)
        for moment in (
            START + timedelta(days=730),
            START + timedelta(days=731),
            closed + timedelta(days=729),
            closed + timedelta(days=731),
        )
    ]

    # The step was taken in 2017; the note and the ticket are of today.
    assert counts == [0, 1, 0, 2]
    assert await what_names(manager, maintained, *names) == ["***"] * 4


@pytest.mark.parametrize(
    ("table", "column", "may"),
    [
        ("order_steps", "latitude", True),
        ("order_notes", "text", True),
        ("ticket_steps", "text", True),
        ("order_steps", "reason", False),
        ("order_steps", "at", False),
        ("order_notes", "by", False),
        ("ticket_steps", "reason", False),
    ],
)
async def test_a_service_may_change_of_what_it_only_adds_to_what_may_be_erased_alone(
    app: Any, table: str, column: str, *, may: bool
) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        held = await connection.scalar(
            text("SELECT has_column_privilege(:table, :column, 'UPDATE')"),
            {"table": f"dispatch.{table}", "column": column},
        )

    assert held is may


async def test_contacts_photos_and_tickets_are_forgotten_some_time_after_they_are_over(
    app: Any, maintained: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    done = await manager.ask_for_order(maintained, asked())
    still = await manager.ask_for_order(maintained, asked("R2"))
    await manager.upload_attachment(
        maintained, done.order_id, "a.png", AttachmentKind.BEFORE, png(1)
    )
    await over(manager, maintained, done.order_id)

    contacts = [
        await done_by(app, maintained, forget_contacts(180), START + timedelta(days=one))
        for one in (180, 181, 182)
    ]
    photos = [
        await done_by(app, maintained, forget_photos(730), START + timedelta(days=one))
        for one in (730, 731, 732)
    ]

    assert (contacts, photos) == ([0, 1, 0], [0, 1, 0])
    gone = await manager.see_order_contact(maintained, done.order_id, VISIT)
    kept = await manager.see_order_contact(maintained, still.order_id, VISIT)
    assert (gone.contact_note, gone.standard_address) == (None, HOME[:12])
    assert (kept.contact_note, kept.standard_address) == (NOTE, HOME)
    entries = await caller(Role.AUDITOR).audit_entries(maintained, route="retention")
    assert {one.subject for one in entries} == {"service:dispatch"}
    assert sorted(str(one) for entry in entries for one in entry.changes) == [
        "{'table': 'order_attachments', 'erased': 1}",
        "{'table': 'orders', 'erased': 1}",
    ]


def again(folder: Path | None) -> Any:
    """Return the job that holds the list in a folder and the database together."""
    anchors = None if folder is None else folder / "dispatch.jsonl"
    jobs = erased_again(anchors, audit_log, erasures, erasures_done, erase)
    return next(iter(jobs.values())) if jobs else jobs


def contents(folder: Path) -> list[bytes]:
    return [one.read_bytes() for one in folder.rglob("*") if one.is_file()]


# --- by itself -----------------------------------------------------------------------------------


async def done_by(app: Any, branch_id: int, job: Any, now: Any = None) -> int:
    """Let a job do one portion of what is due."""
    async with (
        app.state.database.write(Scope.of_branch(branch_id)) as connection,
        by_itself(connection, branch_id, what="erasing", clock=app.state.clock),
    ):
        done: int = await job(connection, branch_id, now or app.state.clock())
    return done


async def known_since(app: Any, branch_id: int, moment: Any) -> None:
    async with app.state.database.write(EVERYTHING) as connection:
        await connection.execute(
            insert(branches).values(branch_id=branch_id, name_zh="县", known_at=moment)
        )


async def close(app: Any, branch_id: int, period: int) -> None:
    """Let a month of appraisals be closed, as its calendar does."""
    async with app.state.database.write(EVERYTHING) as connection:
        event = {"branch_id": branch_id, "period": period, "event": "closed"}
        await connection.execute(
            insert(appraisal_months).values(**event, at=START, recorded_at=START)
        )
