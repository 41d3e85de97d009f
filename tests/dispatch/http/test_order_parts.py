"""What orders are made of, and crews: over HTTP (R13, R17)."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.contents import JPEG, PDF, png
from support.work import ADDRESS, HOUR, START, centre, person, work

from huaxiao.dispatch.attachments.objects import DirectoryStore
from huaxiao.dispatch.shifts.store import book_alone
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.dispatch import OrderKind, OrderState, OrderStepIn, StepName
from huaxiao.shared.wire.orders import (
    AttachmentKind,
    CrewIn,
    MaterialIn,
    NewTask,
    NoteIn,
    OrderIn,
    OrderSource,
    PlannedMaterial,
    PredecessorsIn,
    SerialIn,
    SerialUse,
    TaskDoneIn,
    TaskIn,
)


def step(name: StepName, hours: float = 0, **said: Any) -> OrderStepIn:
    return OrderStepIn(step=name, at=START + hours * HOUR, **said)


def network(reference: str = "N1", **changes: Any) -> OrderIn:
    given = {
        "source": OrderSource.MONITORING,
        "reference": reference,
        "kind": OrderKind.CONSTRUCTION,
        "standard_address": ADDRESS,
        "requested_at": START,
    }
    return OrderIn.model_validate(given | changes)


def files_under(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file()]


async def refusal(doing: Any) -> PeerProblem:
    with pytest.raises(PeerProblem) as refused:
        await doing
    return refused.value


@pytest.fixture
async def builders(app: Any, county: Any) -> Any:
    """Let the builders have two people who maintain, one of them a driver."""
    people = [person(county, one, "B1") for one in ("W05", "W06")]
    people[0].data["person"]["skills"] = ["maintain"]
    people[1].data["person"]["skills"] = ["drive"]
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [*people, centre(county, "C2", "township")])
    return county


@pytest.fixture
async def begun(county: Any, request_work: Any, caller: Any) -> Any:
    """Give O1 and O2 to W01 and W02, and let W01 begin."""
    await request_work(work(county, "O1"), work(county, "O2"))
    engineer = caller(Role.ENGINEER, ["C1"], "W01")
    for name in (StepName.ACCEPT, StepName.START):
        await engineer.step(county, "O1", step(name))
    return engineer


# --- tasks ---------------------------------------------------------------------------------------


async def test_an_order_is_finished_when_every_required_task_is_done(
    county: Any, begun: Any, caller: Any
) -> None:
    await begun.put_task(county, "O1", "T1", TaskIn(name="熔接", needed_skill="install"))
    await begun.put_task(county, "O1", "T2", TaskIn(name="贴标签", required=False))
    await begun.put_task(county, "O1", "T3", TaskIn(name="测速", needed_skill="splice"))
    problem = await refusal(begun.step(county, "O1", step(StepName.FINISH, 1)))
    assert (problem.code, problem.body["tasks"]) == ("tasks-open", ["T1", "T3"])
    assert "熔接" in problem.body["detail"]

    lacking = await refusal(begun.finish_task(county, "O1", "T3", TaskDoneIn()))
    assert (lacking.code, lacking.body["skill"]) == ("skill-missing", "splice")
    await begun.put_task(county, "O1", "T3", TaskIn(name="测速"))
    for task_id in ("T1", "T3", "T1"):
        order = await begun.finish_task(county, "O1", task_id, TaskDoneIn(at=START + HOUR))
    done = await begun.step(county, "O1", step(StepName.FINISH, 1))

    first, second, third = order.tasks
    assert (first.done_by, first.done_at, second.done_by) == ("W01", START + HOUR, None)
    assert (third.name, third.recorded_by) == ("测速", "test:engineer")
    assert done.state is OrderState.DONE
    late = await refusal(begun.put_task(county, "O1", "T4", TaskIn(name="再来")))
    assert late.code == "parts-closed"


async def test_a_task_is_done_by_one_who_has_the_order(
    county: Any, begun: Any, caller: Any
) -> None:
    await begun.put_task(county, "O1", "T1", TaskIn(name="熔接"))
    stranger = caller(Role.ENGINEER, ["C1"], "W02")
    problem = await refusal(stranger.finish_task(county, "O1", "T1", TaskDoneIn()))
    assert problem.code == "not-your-order"
    told = TaskDoneIn(done_by="W02")
    problem = await refusal(caller(Role.COUNTY_MANAGER).finish_task(county, "O1", "T1", told))
    assert (problem.code, problem.body["person_id"]) == ("not-your-order", "W02")
    assert (await refusal(begun.finish_task(county, "O1", "T9", TaskDoneIn()))).status == 404
    done = await caller(Role.COUNTY_MANAGER).finish_task(county, "O1", "T1", TaskDoneIn())
    assert done.tasks[0].done_by == "W01"
    changed = await refusal(begun.put_task(county, "O1", "T1", TaskIn(name="另一个")))
    assert (changed.code, changed.body["task_id"]) == ("conflict", "T1")


# --- predecessors --------------------------------------------------------------------------------


async def test_an_order_is_not_started_before_those_before_it_are_done(
    county: Any, begun: Any, caller: Any
) -> None:
    manager, other = caller(Role.COUNTY_MANAGER), caller(Role.ENGINEER, ["C1"], "W02")
    await manager.put_predecessors(county, "O2", PredecessorsIn(order_ids=["O1"]))
    await other.step(county, "O2", step(StepName.ACCEPT))
    problem = await refusal(other.step(county, "O2", step(StepName.START, 1)))
    assert (problem.code, problem.body["predecessors"]) == ("predecessors-open", ["O1"])
    await begun.step(county, "O1", step(StepName.FINISH, 1))
    started = await other.step(county, "O2", step(StepName.START, 1))

    assert (started.state, started.predecessors) == (OrderState.IN_PROGRESS, ["O1"])
    late = await refusal(manager.put_predecessors(county, "O2", PredecessorsIn(order_ids=[])))
    assert late.code == "parts-closed"


async def test_a_cycle_is_refused_and_named(county: Any, request_work: Any, caller: Any) -> None:
    await request_work(*(work(county, one) for one in ("O1", "O2", "O3")))
    manager = caller(Role.COUNTY_MANAGER)
    await manager.put_predecessors(county, "O2", PredecessorsIn(order_ids=["O1"]))
    await manager.put_predecessors(county, "O3", PredecessorsIn(order_ids=["O2"]))
    problem = await refusal(
        manager.put_predecessors(county, "O1", PredecessorsIn(order_ids=["O3"]))
    )
    unknown = await refusal(
        manager.put_predecessors(county, "O1", PredecessorsIn(order_ids=["O9"]))
    )

    assert problem.code == "predecessor-cycle"
    assert problem.body["cycle"] == ["O1", "O3", "O2", "O1"]
    assert unknown.body["errors"][0]["pointer"] == "/order_ids/0"


async def test_two_changes_at_once_make_no_cycle(
    county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(county, "O1"), work(county, "O2"))
    manager = caller(Role.COUNTY_MANAGER)
    both = await asyncio.gather(
        manager.put_predecessors(county, "O1", PredecessorsIn(order_ids=["O2"])),
        manager.put_predecessors(county, "O2", PredecessorsIn(order_ids=["O1"])),
        return_exceptions=True,
    )
    assert [getattr(one, "code", None) for one in both].count("predecessor-cycle") == 1


# --- materials and devices -----------------------------------------------------------------------


async def test_materials_are_planned_and_used_in_one_unit(
    county: Any, begun: Any, caller: Any
) -> None:
    problem = await refusal(begun.put_material(county, "O1", "CABLE", MaterialIn(used=3)))
    assert problem.body["errors"][0]["pointer"] == "/unit"
    await begun.put_material(county, "O1", "CABLE", MaterialIn(planned=50, unit="m"))
    order = await begun.put_material(county, "O1", "CABLE", MaterialIn(used=47))
    (cable,) = order.materials
    assert (cable.planned, cable.used, cable.unit) == (50, 47, "m")
    problem = await refusal(
        begun.put_material(county, "O1", "CABLE", MaterialIn(used=1, unit="卷"))
    )
    assert "m" in problem.body["errors"][0]["message"]
    too_many = {"used": 10**10}
    with pytest.raises(ValueError, match="less than or equal"):
        MaterialIn.model_validate(too_many)


async def test_a_device_belongs_to_one_order_until_it_is_returned(
    county: Any, begun: Any, caller: Any
) -> None:
    other = caller(Role.ENGINEER, ["C1"], "W02")
    for use in (SerialUse.PLANNED, SerialUse.USED):
        order = await begun.put_serial(county, "O1", "HWTC0001", SerialIn(use=use))
    assert [(one.serial_number, one.use) for one in order.serials] == [("HWTC0001", "used")]
    for use in SerialUse:
        problem = await refusal(other.put_serial(county, "O2", "HWTC0001", SerialIn(use=use)))
        assert (problem.code, problem.body["order_id"]) == ("serial-taken", "O1")
    await begun.step(county, "O1", step(StepName.FINISH, 1))
    await other.put_serial(county, "O2", "HWTC0001", SerialIn(use=SerialUse.RETURNED))
    back = await other.put_serial(county, "O2", "HWTC0001", SerialIn(use=SerialUse.USED))

    assert [one.use for one in back.serials] == ["used"]
    problem = await refusal(
        begun.put_serial(county, "O1", "HWTC0001", SerialIn(use=SerialUse.USED))
    )
    assert problem.body["order_id"] == "O2"


async def test_a_device_two_orders_want_at_once_goes_to_one(
    county: Any, begun: Any, caller: Any
) -> None:
    other, use = caller(Role.ENGINEER, ["C1"], "W02"), SerialIn(use=SerialUse.USED)
    both = await asyncio.gather(
        begun.put_serial(county, "O1", "HWTC0002", use),
        other.put_serial(county, "O2", "HWTC0002", use),
        return_exceptions=True,
    )
    assert [getattr(one, "code", None) for one in both].count("serial-taken") == 1


async def test_an_order_comes_with_its_parts_and_frees_planned_devices_when_cancelled(
    builders: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    given = network(
        tasks=[NewTask(task_id="T1", name="立杆")],
        materials=[PlannedMaterial(material_id="POLE", quantity=4, unit="根")],
        serial_numbers=["OLT-7788"],
    )
    made = await manager.ask_for_order(builders, given)
    after = network("N2", serial_numbers=["OLT-7788"])
    problem = await refusal(manager.ask_for_order(builders, after))
    assert (problem.code, problem.body["serial_number"]) == ("serial-taken", "OLT-7788")
    await manager.step(
        builders, made.order_id, step(StepName.CANCEL, 1, reason="the road is rebuilt first")
    )
    second = await manager.ask_for_order(
        builders, after.model_copy(update={"predecessors": [made.order_id]})
    )

    assert [(one.task_id, one.required) for one in made.tasks] == [("T1", True)]
    assert [(one.planned, one.used) for one in made.materials] == [(4, 0)]
    assert [one.use for one in second.serials] == ["planned"]
    assert second.predecessors == [made.order_id]
    closed = await refusal(
        manager.put_serial(builders, made.order_id, "X-1001", SerialIn(use=SerialUse.USED))
    )
    assert (closed.code, closed.body["state"]) == ("parts-closed", "cancelled")


async def test_parts_are_written_by_the_performing_side_and_notes_by_both(
    county: Any, begun: Any, caller: Any
) -> None:
    requester, stranger = caller(Role.CONTRACTOR, ["G1"]), caller(Role.CONTRACTOR, ["C2"])
    for other in (requester, stranger):
        doings = (
            other.put_task(county, "O1", "T1", TaskIn(name="熔接")),
            other.put_material(county, "O1", "M1", MaterialIn(used=1, unit="个")),
            other.put_serial(county, "O1", "HWTC0003", SerialIn(use=SerialUse.USED)),
            other.put_predecessors(county, "O1", PredecessorsIn(order_ids=[])),
            other.upload_attachment(county, "O1", "a.jpg", AttachmentKind.AFTER, JPEG),
        )
        for doing in doings:
            assert (await refusal(doing)).status == 404
    assert (await refusal(stranger.add_note(county, "O1", NoteIn(text="?")))).status == 404
    await requester.add_note(county, "O1", NoteIn(text="下午在家"))
    noted = await begun.add_note(county, "O1", NoteIn(text="已电话联系"))
    assert [(one.number, one.text, one.by) for one in noted.notes] == [
        (1, "下午在家", "test:contractor"),
        (2, "已电话联系", "test:engineer"),
    ]


# --- attachments ---------------------------------------------------------------------------------


async def test_an_attachment_is_kept_as_it_came_and_never_overwritten(
    county: Any, begun: Any, caller: Any
) -> None:
    sent = [("a.png", AttachmentKind.AFTER, png()), ("s.pdf", AttachmentKind.SIGNATURE, PDF)]
    for name, kind, content in (*sent, sent[0]):
        kept = await begun.upload_attachment(county, "O1", name, kind, content)
    assert (kept.media_type, kept.size, len(kept.sha256)) == ("image/png", len(png()), 64)
    for kind, content in ((AttachmentKind.AFTER, png(7)), (AttachmentKind.BEFORE, png())):
        problem = await refusal(begun.upload_attachment(county, "O1", "a.png", kind, content))
        assert (problem.code, problem.body["name"]) == ("conflict", "a.png")

    requester = caller(Role.CONTRACTOR, ["G1"])
    listed = await requester.attachments(county, "O1")
    assert [one.name for one in listed] == ["a.png", "s.pdf"]
    assert await requester.attachment(county, "O1", "a.png") == png()
    assert (await begun.order(county, "O1")).attachments == listed
    for other in (caller(Role.CONTRACTOR, ["C2"]), caller(Role.ENGINEER, ["C1"], "W02")):
        assert (await refusal(other.attachment(county, "O1", "a.png"))).status == 404
        assert (await refusal(other.attachments(county, "O1"))).status == 404
    assert (await refusal(begun.attachment(county, "O1", "b.png"))).status == 404


async def test_content_that_is_no_photo_or_too_large_is_refused(county: Any, begun: Any) -> None:
    for content, code in (
        (b"<script>", "unsupported-content"),
        (b"", "unsupported-content"),
        (PDF, "unsupported-content"),
        (JPEG[:-2] + b"\x00" * 5000 + JPEG[-2:], "attachment-too-large"),
    ):
        problem = await refusal(
            begun.upload_attachment(county, "O1", "x.jpg", AttachmentKind.AFTER, content)
        )
        assert (problem.code, problem.body["name"]) == (code, "x.jpg")


async def test_a_download_says_what_it_is_and_runs_nowhere(
    county: Any, begun: Any, http: httpx.AsyncClient, token: Any
) -> None:
    await begun.upload_attachment(county, "O1", "a.jpg", AttachmentKind.AFTER, JPEG)
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    url = f"/v1/branches/{county}/orders/O1/attachments"
    answer = await http.get(f"{url}/a.jpg", headers=headers)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == 'attachment; filename="a.jpg"'
    for name in ("..%2Fa", "a%2Fb", ".hidden", "a%00b"):
        bad = await http.put(f"{url}/{name}?kind=after", content=JPEG, headers=headers)
        assert bad.status_code in {404, 405, 422}


async def test_content_that_is_lost_or_damaged_is_never_given_out(
    app: Any, county: Any, begun: Any, tmp_path: Path
) -> None:
    mine = DirectoryStore(tmp_path / "objects")
    usual, app.state.objects = app.state.objects, mine
    try:
        await begun.upload_attachment(county, "O1", "a.jpg", AttachmentKind.AFTER, JPEG)
        (kept,) = files_under(tmp_path)
        kept.write_bytes(png())
        damaged = await refusal(begun.attachment(county, "O1", "a.jpg"))
        kept.unlink()
        lost = await refusal(begun.attachment(county, "O1", "a.jpg"))
        app.state.objects = None
        nowhere = await refusal(begun.attachment(county, "O1", "a.jpg"))
    finally:
        app.state.objects = usual
    assert [one.code for one in (damaged, lost)] == ["unavailable", "unavailable"]
    assert lost.body["name"] == "a.jpg"
    assert nowhere.code == "no-object-store"


async def test_an_object_is_written_once(tmp_path: Path) -> None:
    objects = DirectoryStore(tmp_path / "deep" / "down")
    assert await objects.get("1/ab/abc") is None
    await asyncio.gather(*(objects.put("1/ab/abc", JPEG) for _ in range(5)))
    assert await objects.get("1/ab/abc") == JPEG
    assert [one.name for one in files_under(tmp_path)] == ["abc"]


# --- crews ---------------------------------------------------------------------------------------


async def test_network_work_is_a_crews_of_the_builders_and_finished_by_one_of_it(
    builders: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    lone = await manager.ask_for_order(builders, network())
    assert (lone.performer_centre_id, lone.engineer_id) == ("B1", "W05")
    crew = await manager.put_crew(
        builders, "K1", CrewIn(centre_id="B1", members=["W05", "W06"], vehicle="冀A·12345")
    )
    assert (crew.skills, crew.company) == (["drive", "maintain"], None)
    given = network("N2", needed_skills=["drive"])
    order = await manager.ask_for_order(builders, given)
    assert (order.crew_id, order.engineer_id, order.state) == ("K1", None, OrderState.DISPATCHED)

    driver = caller(Role.ENGINEER, ["B1"], "W06")
    stranger = caller(Role.ENGINEER, ["C1"], "W01")
    assert [one.order_id for one in (await driver.orders(builders)).items] == [order.order_id]
    assert (await stranger.orders(builders)).items == []
    accept = step(StepName.ACCEPT)
    assert (await refusal(stranger.step(builders, order.order_id, accept))).code == "not-your-order"
    unnamed = await refusal(manager.step(builders, order.order_id, accept))
    assert (unnamed.code, unnamed.body["crew_id"]) == ("not-your-order", "K1")
    await manager.step(builders, order.order_id, step(StepName.ACCEPT, engineer_id="W05"))
    await driver.step(builders, order.order_id, step(StepName.START, 1))
    await driver.upload_attachment(
        builders, order.order_id, "after.jpg", AttachmentKind.AFTER, JPEG
    )
    done = await driver.step(
        builders, order.order_id, step(StepName.FINISH, 2, shown_by="after.jpg")
    )
    moved = await manager.step(
        builders, lone.order_id, step(StepName.REASSIGN, crew_id="K1", reason="two are needed")
    )
    taken = await driver.step(builders, lone.order_id, step(StepName.ACCEPT))

    assert [(one.step, one.engineer_id) for one in done.steps] == [
        ("dispatch", None),
        ("accept", "W05"),
        ("start", "W06"),
        ("finish", "W06"),
    ]
    assert {one.crew_id for one in done.steps} == {"K1"}
    assert (moved.state, moved.crew_id, moved.engineer_id) == (OrderState.REASSIGNED, "K1", None)
    assert (taken.state, taken.steps[-1].engineer_id) == (OrderState.ACCEPTED, "W06")
    facts = await caller(Role.SERVICE).feed(builders, after=0)
    assert [(one.data["engineer_id"], one.data["centre_id"]) for one in facts] == [("W06", "B1")]


async def test_an_outside_crew_is_assigned_and_works_under_its_own_names(
    builders: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    order = await manager.ask_for_order(builders, network(needed_skills=["splice"]))
    assert (order.reason, order.unmet_skills) == ("no-engineer", ["splice"])
    outside = CrewIn(
        centre_id="B1", members=["X1", "X2"], company="远大", skills=["splice", "maintain"]
    )
    await manager.put_crew(builders, "K9", outside)
    given = await manager.order(builders, order.order_id)
    assert (given.crew_id, given.unmet_skills, given.state) == ("K9", [], OrderState.DISPATCHED)
    worker = caller(Role.ENGINEER, ["B1"], "X2")
    for name in (StepName.ACCEPT, StepName.START):
        moved = await worker.step(builders, order.order_id, step(name))
    assert moved.steps[-1].engineer_id == "X2"


async def test_work_is_given_to_a_crew_that_waits_for_one(builders: Any, caller: Any) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    needing = network(needed_skills=["drive"])
    waiting = await manager.ask_for_order(builders, needing)
    assert (waiting.state, waiting.unmet_skills) == (OrderState.NEW, [])
    for crew_id, members in (("K1", ["W05"]), ("K2", ["W05", "W06"])):
        await manager.put_crew(builders, crew_id, CrewIn(centre_id="B1", members=members))
    given = await manager.order(builders, waiting.order_id)
    assert given.crew_id == "K2"
    wanted = step(StepName.REASSIGN, crew_id="K1", reason="they are near")
    problem = await refusal(manager.step(builders, waiting.order_id, wanted))
    assert problem.body["missing_skills"] == ["drive"]
    both = wanted.model_copy(update={"engineer_id": "W05"})
    assert (
        await refusal(manager.step(builders, waiting.order_id, both))
    ).code == "step-not-allowed"


async def test_bad_crews_are_named_and_a_bound_caller_keeps_its_own_only(
    builders: Any, caller: Any
) -> None:
    manager, bound = caller(Role.COUNTY_MANAGER), caller(Role.CONTRACTOR, ["C1"])
    problem = await refusal(
        manager.put_crew(builders, "K1", CrewIn(centre_id="B1", members=["W05", "W01"]))
    )
    assert problem.body["errors"][0]["pointer"] == "/members/1"
    assert "W01" in problem.body["errors"][0]["message_zh"]
    problem = await refusal(
        manager.put_crew(builders, "K1", CrewIn(centre_id="C9", members=["W05"]))
    )
    assert problem.body["errors"][0]["pointer"] == "/centre_id"
    await manager.put_crew(builders, "K1", CrewIn(centre_id="B1", members=["W05", "W06"]))
    order = await manager.ask_for_order(builders, network())
    theirs = CrewIn(centre_id="C1", members=["W01"])
    assert (await refusal(bound.put_crew(builders, "K1", theirs))).status == 404
    assert (await refusal(bound.crew(builders, "K1"))).status == 404
    busy = await refusal(manager.put_crew(builders, "K1", theirs))
    assert (busy.code, busy.body["orders"]) == ("conflict", [order.order_id])
    own = await bound.put_crew(builders, "K2", theirs)
    assert (await bound.crews(builders)).items == [own]
    assert [one.crew_id for one in (await manager.crews(builders, limit=1)).items] == ["K1"]


async def test_a_crew_that_has_changed_since_it_was_read_is_not_overwritten(
    builders: Any, http: httpx.AsyncClient, token: Any
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, builders)}"}
    url = f"/v1/branches/{builders}/crews/K1"
    body = {"centre_id": "B1", "members": ["W05"]}
    read = (await http.put(url, json=body, headers=headers)).headers["ETag"]
    changed = body | {"vehicle": "冀A·54321"}
    codes = [
        (await http.put(url, json=one, headers=headers | {"If-Match": read})).status_code
        for one in (changed, body)
    ]
    assert codes == [200, 412]
    assert (await http.get(url, headers=headers)).json()["vehicle"] == "冀A·54321"


async def test_a_patrol_of_an_enterprise_line_is_the_centres_where_it_lies(
    app: Any, builders: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    patrol = {"kind": OrderKind.PATROL, "customer_id": "K1"}
    line = await manager.ask_for_order(builders, network(customer_class="key", **patrol))
    site = await manager.ask_for_order(builders, network("N2", kind=OrderKind.PATROL))
    assert (line.performer_centre_id, site.performer_centre_id) == ("C1", "B1")
    assert (line.customer_id, site.customer_id) == ("K1", None)


async def test_a_device_that_a_cancelled_order_had_used_is_returned_by_another(
    county: Any, begun: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await begun.put_serial(county, "O1", "HWTC0009", SerialIn(use=SerialUse.USED))
    await manager.step(county, "O1", step(StepName.CANCEL, 1, reason="customer gave it up"))
    await manager.put_serial(county, "O2", "HWTC0009", SerialIn(use=SerialUse.RETURNED))
    back = await manager.put_serial(county, "O2", "HWTC0009", SerialIn(use=SerialUse.USED))
    assert [one.use for one in back.serials] == ["used"]


async def test_devices_wait_for_nobody_who_gives_time_away(
    app: Any, county: Any, begun: Any
) -> None:
    """A booking holds its lock and then wants the order; a device holds the order and wants its lock."""
    async with app.state.database.write(EVERYTHING) as connection:
        await book_alone(connection, county)
        used = begun.put_serial(county, "O1", "HWTC0010", SerialIn(use=SerialUse.USED))
        order = await asyncio.wait_for(used, timeout=5)
    assert [one.serial_number for one in order.serials] == ["HWTC0010"]


async def test_whoever_does_the_work_lifts_none_of_its_conditions(
    county: Any, begun: Any, caller: Any
) -> None:
    manager, other = caller(Role.COUNTY_MANAGER), caller(Role.ENGINEER, ["C1"], "W02")
    await manager.put_predecessors(county, "O2", PredecessorsIn(order_ids=["O1"]))
    problem = await refusal(other.put_predecessors(county, "O2", PredecessorsIn(order_ids=[])))
    assert problem.code == "forbidden"
    await manager.put_task(county, "O1", "T1", TaskIn(name="熔接"))
    problem = await refusal(begun.put_task(county, "O1", "T1", TaskIn(name="熔接", required=False)))
    assert problem.code == "forbidden"
    await manager.put_task(county, "O1", "T1", TaskIn(name="熔接", required=False))
    assert (await begun.step(county, "O1", step(StepName.FINISH, 1))).state is OrderState.DONE
