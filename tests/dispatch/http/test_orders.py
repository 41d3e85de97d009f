"""Orders that front ends and monitoring ask for, and every step they may take (R13, R25)."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from support.contents import png
from support.work import ADDRESS, HOUR, START, centre, entry, finish, person, work

from huaxiao.dispatch.orders import store
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.dispatch import (
    CustomerClass,
    Evidence,
    OrderKind,
    OrderState,
    OrderStepIn,
    StepName,
    SuspensionCause,
)
from huaxiao.shared.wire.orders import AttachmentKind, OrderIn, OrderSource
from huaxiao.shared.wire.visits import Point, Window

PLACE = Point(latitude=Decimal("38.0428"), longitude=Decimal("114.51491234"))


def asked(reference: str = "R1", **changes: Any) -> OrderIn:
    given = {
        "source": OrderSource.FRONT_END,
        "reference": reference,
        "kind": OrderKind.CHECK,
        "customer_id": "K1",
        "standard_address": ADDRESS,
        "where": PLACE,
        "requested_at": START,
        "needed_skills": [],
    }
    return OrderIn.model_validate(given | changes)


def step(name: StepName, hours: float = 0, **said: Any) -> OrderStepIn:
    return OrderStepIn(step=name, at=START + hours * HOUR, **said)


@pytest.fixture
async def maintained(app: Any, county: Any) -> Any:
    """Let everybody of C1 maintain, and so check, too; and one of the builders."""
    people = [person(county, one, home) for one, home in (("W01", "C1"), ("W05", "B1"))]
    for one in people:
        one.data["person"]["skills"] = ["install", "maintain"]
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [*people, centre(county, "C2", "township")])
    return county


async def refusal(doing: Any) -> PeerProblem:
    with pytest.raises(PeerProblem) as refused:
        await doing
    return refused.value


async def test_the_same_reference_is_the_same_order_and_another_body_a_conflict(
    maintained: Any, caller: Any
) -> None:
    front_end = caller(Role.BSS_SOURCE)
    given = asked(priority=1, contact_note="敲门三下")

    first = await front_end.ask_for_order(maintained, given)
    again = await front_end.ask_for_order(maintained, given)
    problem = await refusal(front_end.ask_for_order(maintained, asked(priority=2)))
    other = await front_end.ask_for_order(
        maintained, given.model_copy(update={"source": OrderSource.MONITORING})
    )

    assert first == again
    assert (first.engineer_id, first.state, first.priority) == ("W01", OrderState.DISPATCHED, 1)
    assert (first.source, first.reference, first.contact_note) == ("front_end", "R1", "***")
    assert first.due_at == START + 24 * HOUR
    assert (problem.code, problem.body["order_id"]) == ("conflict", first.order_id)
    assert other.order_id != first.order_id


async def test_asking_again_is_answered_with_200(
    maintained: Any, http: httpx.AsyncClient, token: Any
) -> None:
    url = f"/v1/branches/{maintained}/orders"
    headers = {"Authorization": f"Bearer {token(Role.BSS_SOURCE, maintained)}"}
    body = asked().model_dump(mode="json")

    codes = [(await http.post(url, json=body, headers=headers)).status_code for _ in range(2)]

    assert codes == [201, 200]


async def test_an_order_goes_through_every_state_to_a_confirmed_result(
    maintained: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    window = Window(opens_at=START + 5 * HOUR, closes_at=START + 7 * HOUR)
    made = await manager.ask_for_order(maintained, asked(give_out=False, wished=window))
    assert (made.state, made.reason, made.wished) == (OrderState.NEW, "held", window)
    steps = [
        (manager, step(StepName.APPOINT, window=window)),
        (manager, step(StepName.REASSIGN, 1, engineer_id="W01", reason="nearest")),
        (engineer, step(StepName.ACCEPT, 2)),
        (engineer, step(StepName.TRAVEL, 3, where=PLACE)),
        (engineer, step(StepName.START, 4)),
        (engineer, step(StepName.SUSPEND, 5, reason="nobody at home")),
        (engineer, step(StepName.RESUME, 9)),
        (engineer, step(StepName.FINISH, 10)),
        (manager, step(StepName.CONFIRM, 11)),
    ]
    states = []
    for client, given in steps:
        order = await client.step(maintained, made.order_id, given)
        states.append(order.state)

    assert states == [
        *("appointed", "dispatched", "accepted", "travelling", "in_progress"),
        *("suspended", "in_progress", "done", "confirmed"),
    ]
    assert (order.appointment, order.visits, order.on_time) == (window, 1, True)
    # Given out one hour after it was asked for, and four hours waited for the customer.
    assert order.due_at == START + (1 + 24 + 4) * HOUR
    travel = next(one for one in order.steps if one.step == "travel")
    assert travel.where is not None
    assert str(travel.where.longitude) == "114.514912"
    assert (travel.by, travel.engineer_id, travel.centre_id) == ("test:engineer", "W01", "C1")
    assert [one.reason for one in order.steps if one.step == "suspend"] == ["nobody at home"]


async def test_a_result_that_is_not_accepted_is_done_again_and_counted_once(
    maintained: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(maintained, "O1"))
    manager, engineer = caller(Role.COUNTY_MANAGER), caller(Role.ENGINEER, ["C1"], "W01")
    requester, performer = caller(Role.CONTRACTOR, ["G1"]), caller(Role.CONTRACTOR, ["C1"])
    span = {"period_from": 201711, "period_to": 201711}
    await finish(engineer, maintained, "O1", onu_online=False)
    before = await manager.work_done(maintained, **span)
    listed = await manager.finished_orders(maintained, period=201711)
    refuse = step(StepName.REWORK, 6, reason="no light on the ONU")

    assert (await refusal(performer.step(maintained, "O1", refuse))).status == 404
    assert (await refusal(engineer.step(maintained, "O1", refuse))).code == "forbidden"
    problem = await refusal(requester.step(maintained, "O1", step(StepName.REWORK, 6)))
    assert problem.code == "step-not-allowed"
    back = await requester.step(maintained, "O1", refuse)
    between = await manager.work_done(maintained, **span)
    for hours, name in ((7, StepName.ACCEPT), (8, StepName.START), (9, StepName.FINISH)):
        done = await engineer.step(maintained, "O1", step(name, hours))
    after = await manager.work_done(maintained, **span)

    assert (back.state, back.reworks, back.engineer_id) == (OrderState.DISPATCHED, 1, "W01")
    assert (done.visits, done.flags, done.on_time) == (2, [], True)
    assert [sum(one.count for one in at.orders) for at in (before, between, after)] == [1, 0, 1]
    asked_again = await manager.work_done(maintained, **span, known_at=before.known_at)
    assert asked_again == before
    # While the result was looked at the clock stood still: due later now, and not then.
    [first], [last] = listed, await manager.finished_orders(maintained, period=201711)
    assert last.due_at > first.due_at
    then = {"period": 201711, "known_at": before.known_at}
    assert await manager.finished_orders(maintained, **then) == listed
    facts = await caller(Role.SERVICE).feed(maintained, after=0)
    assert [one.type.rpartition(".")[2] for one in facts] == ["finished", "reopened", "finished"]
    assert facts[0].data == facts[1].data


async def test_an_order_is_handed_over_with_a_reason_and_its_clock_goes_on(
    app: Any, maintained: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(maintained, "O1"))
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, maintained, [person(maintained, "W07", "C2")])
    give = step(StepName.HAND_OVER, 2, centre_id="C2", reason="the road is closed")

    for stranger in (caller(Role.CONTRACTOR, ["G1"]), caller(Role.CONTRACTOR, ["C2"])):
        assert (await refusal(stranger.step(maintained, "O1", give))).status == 404
    support = caller(Role.SUPPORT_CENTRE)
    assert (await refusal(support.step(maintained, "O1", give))).code == "forbidden"
    performer = caller(Role.CONTRACTOR, ["C1"])
    for wrong in ("C1", "G1", "C9"):
        to = give.model_copy(update={"centre_id": wrong})
        problem = await refusal(performer.step(maintained, "O1", to))
        assert (problem.code, problem.body["centre_id"]) == ("step-not-allowed", wrong)
    moved = await performer.step(maintained, "O1", give)

    assert (moved.performer_centre_id, moved.engineer_id) == ("C2", "W07")
    assert (moved.state, moved.handovers) == (OrderState.DISPATCHED, 1)
    assert moved.due_at == START + 24 * HOUR
    assert [one.step for one in moved.steps] == ["dispatch", "hand_over", "dispatch"]
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, maintained, [person(maintained, "W08", "C1")])
    kept = await caller(Role.COUNTY_MANAGER).order(maintained, "O1")
    assert (kept.performer_centre_id, kept.engineer_id) == ("C2", "W07")
    assert (await refusal(performer.step(maintained, "O1", give))).status == 404


async def test_what_is_partly_done_is_carried_forward_to_another_visit(
    maintained: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(maintained, "O1"))
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    window = Window(opens_at=START + 30 * HOUR, closes_at=START + 32 * HOUR)
    for hours, name in ((0, StepName.ACCEPT), (1, StepName.START)):
        await engineer.step(maintained, "O1", step(name, hours))
    carried = await engineer.step(
        maintained, "O1", step(StepName.CARRY_FORWARD, 2, reason="no cable left", window=window)
    )
    await engineer.step(maintained, "O1", step(StepName.ACCEPT, 29))
    begun = await engineer.step(maintained, "O1", step(StepName.START, 30))

    assert (carried.state, carried.appointment) == (OrderState.DISPATCHED, window)
    assert (begun.visits, begun.due_at) == (2, START + 24 * HOUR)


async def test_a_step_that_is_not_allowed_says_which_are(
    maintained: Any, request_work: Any, http: httpx.AsyncClient, token: Any
) -> None:
    await request_work(work(maintained, "O1"))
    headers = {
        "Authorization": f"Bearer {token(Role.ENGINEER, maintained, ['C1'], 'W01')}",
        "Accept-Language": "zh",
    }
    url = f"/v1/branches/{maintained}/orders/O1/steps"
    answer = await http.post(url, json={"step": "finish", "at": START.isoformat()}, headers=headers)

    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "step-not-allowed")
    assert body["allowed"] == ["appoint", "accept", "reject", "reassign", "hand_over", "cancel"]
    assert "已派单的工单不能完工" in body["detail"]


async def test_a_step_of_an_order_that_has_changed_since_is_refused(
    maintained: Any, request_work: Any, http: httpx.AsyncClient, token: Any, caller: Any
) -> None:
    await request_work(work(maintained, "O1"))
    await finish(caller(Role.ENGINEER, ["C1"], "W01"), maintained, "O1")
    headers = {"Authorization": f"Bearer {token(Role.CONTRACTOR, maintained, ['G1'])}"}
    url = f"/v1/branches/{maintained}/orders/O1"
    read = (await http.get(url, headers=headers)).headers["ETag"]
    await http.post(f"{url}/notes", json={"text": "看过"}, headers=headers)
    confirm = {"step": "confirm"}

    stale = await http.post(f"{url}/steps", json=confirm, headers=headers | {"If-Match": read})
    read = (await http.get(url, headers=headers)).headers["ETag"]
    done = await http.post(f"{url}/steps", json=confirm, headers=headers | {"If-Match": read})

    assert (stale.status_code, stale.json()["code"]) == (412, "stale-version")
    assert (done.status_code, done.json()["state"]) == (200, "confirmed")


async def test_what_nobody_can_do_is_kept_and_told(maintained: Any, caller: Any) -> None:
    front_end = caller(Role.BSS_SOURCE)
    skilled = await front_end.ask_for_order(maintained, asked(needed_skills=["splice", "install"]))
    nowhere = await front_end.ask_for_order(maintained, asked("R2", where=None))

    assert (skilled.state, skilled.reason) == (OrderState.NEW, "no-engineer")
    assert (skilled.needed_skills, skilled.unmet_skills) == (["install", "splice"], ["splice"])
    assert (nowhere.state, nowhere.flags) == (OrderState.DISPATCHED, ["no_place"])


async def test_work_that_waits_for_a_skill_goes_to_who_brings_it(
    app: Any, maintained: Any, caller: Any
) -> None:
    waiting = await caller(Role.BSS_SOURCE).ask_for_order(
        maintained, asked(needed_skills=["drive"])
    )
    driver = person(maintained, "W09", "C1")
    driver.data["person"]["skills"] = ["maintain", "drive"]
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, maintained, [driver])
    order = await caller(Role.COUNTY_MANAGER).order(maintained, waiting.order_id)

    assert (order.engineer_id, order.unmet_skills, order.reason) == ("W09", [], None)


async def test_bad_requests_name_what_is_wrong(maintained: Any, caller: Any) -> None:
    front_end = caller(Role.BSS_SOURCE)
    passed = Window(opens_at=START - 3 * HOUR, closes_at=START - HOUR)
    problem = await refusal(front_end.ask_for_order(maintained, asked(wished=passed)))
    assert problem.code == "window-passed"

    task = {"task_id": "T1", "name": "熔接"}
    wrong = asked(
        customer_id=None,
        requested_at=datetime.now(UTC) + HOUR,
        tasks=[task, task],
        predecessors=["O404"],
    )
    problem = await refusal(front_end.ask_for_order(maintained, wrong))
    assert problem.code == "malformed"
    assert {one["pointer"] for one in problem.body["errors"]} == {
        *("/customer_id", "/requested_at", "/tasks/1", "/predecessors/0")
    }
    assert all(one["message_zh"] for one in problem.body["errors"])


_NOON = {"opens_at": START.isoformat(), "closes_at": START.isoformat()}


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"wished": _NOON}, "/wished"),
        ({"wished": _NOON | {"closes_at": "9999-12-31T00:00:00Z"}}, "/wished/closes_at"),
        ({"requested_at": "0001-01-01T00:00:00Z"}, "/requested_at"),
        ({"where": {"latitude": "90.1", "longitude": "0"}}, "/where/latitude"),
        ({"where": {"latitude": "NaN", "longitude": "0"}}, "/where/latitude"),
        ({"priority": 2**40}, "/priority"),
        ({"reference": "\ud800"}, "/reference"),
        ({"materials": [{"material_id": "M", "quantity": 2**31, "unit": "m"}]}, "/materials/0"),
    ],
)
async def test_what_no_table_could_keep_is_malformed(
    maintained: Any, http: httpx.AsyncClient, token: Any, said: Any, pointer: str
) -> None:
    body = json.dumps(asked().model_dump(mode="json") | said)
    headers = {
        "Authorization": f"Bearer {token(Role.BSS_SOURCE, maintained)}",
        "Content-Type": "application/json",
    }
    answer = await http.post(f"/v1/branches/{maintained}/orders", content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)


async def test_a_bound_caller_asks_in_its_own_centres_name_only(
    maintained: Any, caller: Any
) -> None:
    enterprise = asked(customer_class=CustomerClass.KEY)
    theirs = asked("R2", requester_centre_id="C2")
    town = caller(Role.CONTRACTOR, ["C1"])
    for given in (enterprise, theirs):
        assert (await refusal(town.ask_for_order(maintained, given))).status == 404
    own = await town.ask_for_order(maintained, asked("R3"))
    asked_by_g1 = await caller(Role.CONTRACTOR, ["G1"]).ask_for_order(maintained, enterprise)

    assert (own.requester_centre_id, own.performer_centre_id) == ("C1", "C1")
    assert (asked_by_g1.requester_centre_id, asked_by_g1.performer_centre_id) == ("G1", "C1")
    for requester in ("C1", "C9"):
        klass = CustomerClass.KEY if requester == "C1" else CustomerClass.PUBLIC
        wrong = asked("R4", customer_class=klass, requester_centre_id=requester)
        problem = await refusal(caller(Role.COUNTY_MANAGER).ask_for_order(maintained, wrong))
        assert problem.body["errors"][0]["pointer"] == "/requester_centre_id"


async def test_staff_bound_to_a_centre_work_on_no_other_centres_orders(
    maintained: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(maintained, "O1"))
    moved = step(StepName.REASSIGN, 1, engineer_id="W02", reason="why")
    for role in (Role.COUNTY_MANAGER, Role.SUPPORT_CENTRE, Role.CONTRACTOR):
        for bound in ("C2", "G1"):
            problem = await refusal(caller(role, [bound]).step(maintained, "O1", moved))
            assert problem.status == 404
    done = await caller(Role.SUPPORT_CENTRE, ["C1"]).step(maintained, "O1", moved)
    assert done.engineer_id == "W02"


async def test_an_order_is_finished_only_by_one_it_was_given_to(
    maintained: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(maintained, "O1"))
    engineer, manager = caller(Role.ENGINEER, ["C1"], "W01"), caller(Role.COUNTY_MANAGER)
    for name in (StepName.ACCEPT, StepName.START):
        await engineer.step(maintained, "O1", step(name))
    told = step(StepName.FINISH, 1, engineer_id="W02")
    problem = await refusal(manager.step(maintained, "O1", told))

    assert (problem.code, problem.body["given_to"]) == ("not-your-order", "W01")
    appoint = step(
        StepName.APPOINT, window=Window(opens_at=START + HOUR, closes_at=START + 2 * HOUR)
    )
    problem = await refusal(caller(Role.ENGINEER, ["C1"], "W02").step(maintained, "O1", appoint))
    assert problem.code == "not-your-order"


async def test_somebody_who_cannot_do_the_work_is_not_assigned_and_the_lack_is_named(
    maintained: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    made = await manager.ask_for_order(maintained, asked(needed_skills=["drive"]))
    for engineer_id, names in (("W01", "drive"), ("W05", "C1"), ("W99", "W99")):
        wanted = step(StepName.REASSIGN, engineer_id=engineer_id, reason="why")
        problem = await refusal(manager.step(maintained, made.order_id, wanted))
        assert problem.code == "step-not-allowed"
        assert names in problem.body["detail"]


async def test_kinds_that_a_photo_shows_are_finished_with_its_name(
    app: Any, maintained: Any, caller: Any
) -> None:
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    made = await caller(Role.BSS_SOURCE).ask_for_order(maintained, asked(kind=OrderKind.INSTALL))
    assert made.photo_needed
    order_id = made.order_id
    for name in (StepName.ACCEPT, StepName.START):
        await engineer.step(maintained, order_id, step(name))
    upload = engineer.upload_attachment
    await upload(maintained, order_id, "before.png", AttachmentKind.BEFORE, png(1))
    for shown_by in (None, "before.png", "none.png"):
        problem = await refusal(
            engineer.step(maintained, order_id, step(StepName.FINISH, 1, shown_by=shown_by))
        )
        assert problem.code == "photo-needed"
    await upload(maintained, order_id, "after.png", AttachmentKind.AFTER, png(2))
    done = await engineer.step(maintained, order_id, step(StepName.FINISH, 1, shown_by="after.png"))

    assert (done.state, done.shown_by) == (OrderState.DONE, "after.png")
    assert done.steps[-1].evidence == {"photo": True}
    manager = caller(Role.COUNTY_MANAGER)
    await manager.step(maintained, order_id, step(StepName.REWORK, 2, reason="the other wall"))
    for name in (StepName.ACCEPT, StepName.START):
        await engineer.step(maintained, order_id, step(name, 3))
    old = await refusal(
        engineer.step(maintained, order_id, step(StepName.FINISH, 4, shown_by="after.png"))
    )
    assert (old.code, old.body["photos"]) == ("photo-needed", [])
    await upload(maintained, order_id, "after-2.png", AttachmentKind.AFTER, png(3))
    again = step(StepName.FINISH, 4, shown_by="after-2.png")
    assert (await engineer.step(maintained, order_id, again)).shown_by == "after-2.png"


async def test_a_suspension_for_lack_of_material_does_not_stop_the_clock(
    maintained: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(maintained, "O1"))
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    lacking = step(StepName.SUSPEND, 1, reason="no ONU", cause=SuspensionCause.RESOURCE)
    for given in (step(StepName.ACCEPT), lacking, step(StepName.RESUME, 9)):
        order = await engineer.step(maintained, "O1", given)

    assert (order.state, order.due_at) == (OrderState.ACCEPTED, START + timedelta(hours=24))


async def test_an_order_that_people_give_out_waits_for_them_when_its_engineer_leaves(
    app: Any, maintained: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    made = await manager.ask_for_order(maintained, asked(give_out=False))
    given = step(StepName.REASSIGN, engineer_id="W01", reason="nearest")
    await manager.step(maintained, made.order_id, given)
    left = {"person_id": "W01", "centre_id": "C1", "from_day": "2017-11-06"}
    fact = entry(maintained, "contracts.person.left", left)
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, maintained, [fact])
    order = await manager.order(maintained, made.order_id)

    assert (order.state, order.engineer_id, order.reason) == (OrderState.NEW, None, "held")
    assert [one.step for one in order.steps] == ["receive", "reassign", "receive"]
    assert order.due_at == START + 24 * HOUR


async def test_only_a_finish_says_what_shows_the_result(
    county: Any, request_work: Any, caller: Any, app: Any
) -> None:
    await request_work(work(county, "O1"))
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    order = await engineer.step(county, "O1", step(StepName.ACCEPT, shown_by="no-such.jpg"))
    assert (order.shown_by, order.steps[-1].evidence) == (None, {})
    await engineer.step(county, "O1", step(StepName.START))
    finished = await engineer.step(county, "O1", step(StepName.FINISH, 1))
    assert (finished.shown_by, finished.steps[-1].evidence) == (None, {})


async def test_what_showed_a_result_that_is_not_accepted_shows_no_other(
    app: Any, county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(county, "O1"))
    engineer, requester = caller(Role.ENGINEER, ["C1"], "W01"), caller(Role.CONTRACTOR, ["G1"])
    await finish(engineer, county, "O1", photo=True, onu_online=False, appointment_kept=True)
    await requester.step(county, "O1", step(StepName.REWORK, 3, reason="no signal"))
    for name in (StepName.ACCEPT, StepName.START, StepName.FINISH):
        await engineer.step(county, "O1", step(name, 4))
    async with app.state.database.read(EVERYTHING) as connection:
        row = await store.load(connection, county, "O1")
    assert row is not None
    assert row["evidence"] == {"appointment_kept": True}


async def test_the_photo_of_a_result_that_is_not_accepted_is_no_new_one_by_another_name(
    maintained: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    made = await manager.ask_for_order(maintained, asked(kind=OrderKind.INSTALL))
    order_id, engineer = made.order_id, caller(Role.ENGINEER, ["C1"], made.engineer_id)
    await engineer.upload_attachment(maintained, order_id, "1.png", AttachmentKind.AFTER, png(1))
    await engineer.step(maintained, order_id, step(StepName.ACCEPT))
    await engineer.step(maintained, order_id, step(StepName.START, 1))
    await engineer.step(maintained, order_id, step(StepName.FINISH, 2, shown_by="1.png"))
    await manager.step(maintained, order_id, step(StepName.REWORK, 3, reason="crooked"))
    for name in (StepName.ACCEPT, StepName.START):
        await engineer.step(maintained, order_id, step(name, 4))
    await engineer.upload_attachment(maintained, order_id, "2.png", AttachmentKind.AFTER, png(1))
    again = step(StepName.FINISH, 5, shown_by="2.png")
    problem = await refusal(engineer.step(maintained, order_id, again))
    assert (problem.code, problem.body["photos"]) == ("photo-needed", [])
    await engineer.upload_attachment(maintained, order_id, "3.png", AttachmentKind.AFTER, png(2))
    done = await engineer.step(maintained, order_id, step(StepName.FINISH, 5, shown_by="3.png"))
    assert done.shown_by == "3.png"


async def test_no_order_is_handed_over_to_a_centre_that_is_closed(
    app: Any, maintained: Any, request_work: Any, caller: Any
) -> None:
    closed = {"centre_id": "C2", "from_day": "2017-11-06", "name": "C2", "name_zh": "C2"}
    fact = entry(maintained, "contracts.centre.changed", closed | {"open": False})
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, maintained, [fact])
    await request_work(work(maintained, "O1"))
    given = step(StepName.HAND_OVER, centre_id="C2", reason="nearer")
    problem = await refusal(caller(Role.COUNTY_MANAGER).step(maintained, "O1", given))
    assert (problem.code, problem.body["centre_id"]) == ("step-not-allowed", "C2")


@pytest.mark.parametrize("besides", [Role.COUNTY_FINANCE, Role.BSS_SOURCE, Role.AUDITOR])
async def test_an_engineer_directs_nobody_by_what_else_they_are(
    besides: Role, maintained: Any, request_work: Any, issuer: Any, app: Any
) -> None:
    await request_work(work(maintained, "O1"), work(maintained, "O2"))
    made = issuer.token(
        "both", roles=[Role.ENGINEER, besides], branch_ids=[maintained], person_id="W02"
    )
    transport = httpx.ASGITransport(app=app)
    both = DispatchClient("http://dispatch", lambda: made, transport=transport)
    problem = await refusal(both.step(maintained, "O1", step(StepName.ACCEPT, engineer_id="W01")))
    assert problem.code == "not-your-order"
    given = step(StepName.REASSIGN, engineer_id="W02", reason="mine")
    assert (await refusal(both.step(maintained, "O1", given))).code == "forbidden"
    assert (await both.step(maintained, "O2", step(StepName.ACCEPT))).state is OrderState.ACCEPTED


async def test_a_centre_does_not_cancel_what_it_is_rated_on(
    county: Any, request_work: Any, caller: Any
) -> None:
    """A cancelled order counts neither for nor against who was to do it."""
    await request_work(work(county, "O1"), work(county, "O2", customer_class="public"))
    performer, requester = caller(Role.CONTRACTOR, ["C1"]), caller(Role.CONTRACTOR, ["G1"])
    cancel = step(StepName.CANCEL, 99, reason="late anyway")
    assert (await refusal(performer.step(county, "O1", cancel))).code == "forbidden"
    assert (await requester.step(county, "O1", cancel)).state is OrderState.CANCELLED
    assert (await performer.step(county, "O2", cancel)).state is OrderState.CANCELLED


async def test_nobody_confirms_for_the_requester_what_their_own_centre_did(
    app: Any, county: Any, request_work: Any, caller: Any
) -> None:
    posts = [person(county, "P07", "G1"), person(county, "P07", "C1", primary=False)]
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, posts)
    await request_work(work(county, "O1"))
    await finish(caller(Role.ENGINEER, ["C1"], "W01"), county, "O1")
    confirm = step(StepName.CONFIRM, 3)
    for both in (
        caller(Role.CONTRACTOR, ["C1", "G1"]),
        caller(Role.CONTRACTOR, ["G1"], "P07"),
        caller(Role.COUNTY_MANAGER, None, "P07"),
    ):
        assert (await refusal(both.step(county, "O1", confirm))).code == "forbidden"
    confirmed = await caller(Role.CONTRACTOR, ["G1"], "P08").step(county, "O1", confirm)
    assert confirmed.state is OrderState.CONFIRMED


@pytest.mark.parametrize("minutes", [-1, 10_000_000])
async def test_no_customer_hears_of_an_order_before_it_is_asked_for_or_later_than_now(
    minutes: int, county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(county, "O1"))
    heard = {"first_contact_at": START + timedelta(minutes=minutes)}
    given = step(StepName.ACCEPT, evidence=Evidence.model_validate(heard))
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    problem = await refusal(engineer.step(county, "O1", given))
    assert [one["pointer"] for one in problem.body["errors"]] == ["/evidence/first_contact_at"]


async def test_an_engineer_is_not_in_two_places(maintained: Any, caller: Any, clock: Any) -> None:
    clock.at(START + HOUR)
    manager = caller(Role.COUNTY_MANAGER)
    here = (await manager.ask_for_order(maintained, asked("here"))).order_id
    beside = (await manager.ask_for_order(maintained, asked("beside"))).order_id
    other = asked("there", standard_address="130123100202")
    there = (await manager.ask_for_order(maintained, other)).order_id
    for name in (here, beside, there):
        await manager.step(
            maintained,
            name,
            OrderStepIn(step=StepName.REASSIGN, engineer_id="W01", reason="all of one street"),
        )
        await manager.step(maintained, name, OrderStepIn(step=StepName.ACCEPT))
    engineer = caller(Role.ENGINEER, person_id="W01")
    await engineer.step(maintained, here, OrderStepIn(step=StepName.START))
    await engineer.step(maintained, beside, OrderStepIn(step=StepName.START))
    for name in (StepName.TRAVEL, StepName.START):
        with pytest.raises(PeerProblem) as caught:
            await engineer.step(maintained, there, OrderStepIn(step=name))
        assert caught.value.code == "engineer-elsewhere"
        assert caught.value.body["order_id"] in {here, beside}
    for name in (here, beside):
        await engineer.step(
            maintained, name, OrderStepIn(step=StepName.SUSPEND, reason="nobody at home")
        )
    begun = await engineer.step(maintained, there, OrderStepIn(step=StepName.START))
    assert begun.state == OrderState.IN_PROGRESS
