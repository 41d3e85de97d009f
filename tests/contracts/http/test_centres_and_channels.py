"""Centres and channels through time over HTTP: opened, renamed, moved, closed (R10, R11, R20, R21)."""

import asyncio
import io
from datetime import date, timedelta

import pytest
from support.register import (
    Caller,
    bind,
    contract,
    contractor,
    county_with_centres,
    member_of,
    regional,
)

from huaxiao.contracts.sheets.files import read_rows
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.contracts import (
    CentreIn,
    CentreKind,
    ChannelIn,
    ChannelKind,
    ChannelMode,
    Engagement,
    FieldIn,
    FieldKind,
    FieldScopeIn,
)
from huaxiao.shared.wire.organisation import (
    CloseIn,
    LeaveIn,
    MoveIn,
    NewCentre,
    PlannedChannelClosing,
    PlannedClosing,
    PlannedHome,
    PlannedPlace,
    PlannedRename,
    RenameIn,
    ReorganisationIn,
)
from huaxiao.shared.wire.sheets import SheetFormat, SheetKind

BEFORE, DAY, LATER = date(2017, 12, 31), date(2018, 1, 1), date(2018, 3, 1)
P1, P2, PG = (contractor(centre) for centre in ("C1", "C2", "G1"))
HALL = CentreIn(kind=CentreKind.OWN_HALL, name="Hall", name_zh="自有厅", from_day=DAY)
AGENT = ChannelIn(kind=ChannelKind.AGENT, centre_id="C1", name_zh="代理点")


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    """Register three centres with a contractor each, and two agents of C1."""
    await county_with_centres(caller, branch_id)
    for channel_id in ("A1", "A2"):
        await manager.put_channel(branch_id, channel_id, AGENT)
    return branch_id


@pytest.fixture
async def sealed(county: int, manager: ContractsClient, caller: Caller) -> int:
    """Seal a field of C1 with the agent A1 until October 2018."""
    field = FieldIn(
        kind=FieldKind.CHANNEL,
        centre_id="C1",
        name_zh="渠道田",
        term_from=201711,
        term_to=201810,
        scope=FieldScopeIn(channel_ids=["A1"], channel_mode=ChannelMode.PUSHED_DOWN),
    )
    await manager.put_field(county, "H1", field)
    await manager.put_contract(county, "CT-C1", contract("C1", "H1"))
    await bind(caller, county, "CT-C1")
    return county


def place(person_id: str, centre_id: str) -> PlannedPlace:
    held = member_of(centre_id)
    return PlannedPlace(
        person_id=person_id,
        centre_id=centre_id,
        position=held.position,
        engagement=Engagement.OWN,
        skills=held.skills,
    )


STAY = (place(P1, "C1"), place(P2, "C2"), place(PG, "G1"))


def plan(*places: PlannedPlace, **more: object) -> ReorganisationIn:
    given = {"name_zh": "年度调整", "from_day": DAY, "places": list(places)}
    return ReorganisationIn.model_validate(given | more)


async def names_on(manager: ContractsClient, branch_id: int, day: date) -> dict[str, str]:
    found = await manager.organisation(branch_id, on=day)
    return {one.centre_id: one.name_zh for one in found.centres}


async def homes_on(manager: ContractsClient, branch_id: int, day: date) -> dict[str, str]:
    found = await manager.organisation(branch_id, on=day)
    return {channel.channel_id: one.centre_id for one in found.centres for channel in one.channels}


async def code_of(refused: object) -> str:
    with pytest.raises(PeerProblem) as problem:
        await refused  # type: ignore[misc]
    return problem.value.code


async def facts_of(manager: ContractsClient, branch_id: int, *types: str) -> list[object]:
    return [one.data for one in await manager.feed(branch_id, after=0) if one.type in types]


async def test_a_centre_is_open_and_called_as_it_was_on_each_day(
    county: int, manager: ContractsClient
) -> None:
    opened = await manager.put_centre(county, "C3", HALL)
    again = await manager.put_centre(county, "C3", HALL)
    given = RenameIn(from_day=LATER, name="Halls", name_zh="营业厅中心")
    renamed = await manager.rename_centre(county, "C3", given)
    closing = CloseIn(day=date(2018, 6, 1), reason="并入县城")
    closed = await manager.close_centre(county, "C3", closing)

    assert opened == again
    shown = [
        (await names_on(manager, county, day)).get("C3")
        for day in (BEFORE, DAY, LATER - timedelta(1), LATER, date(2018, 5, 31), date(2018, 6, 1))
    ]
    assert shown == [None, "自有厅", "自有厅", "营业厅中心", "营业厅中心", None]
    assert [(one.from_day, one.open) for one in closed.states] == [
        (DAY, True),
        (LATER, True),
        (date(2018, 6, 1), False),
    ]
    assert (renamed.name_zh, closed.name_zh, closed.from_day) == ("营业厅中心", "营业厅中心", DAY)
    assert closed == await manager.close_centre(county, "C3", closing)
    assert closed == await manager.centre(county, "C3")
    # What was registered stays what it was, and says so again.
    assert await manager.put_centre(county, "C3", HALL) == opened
    assert await facts_of(manager, county, "contracts.centre.changed") == [
        {
            "centre_id": "C3",
            "from_day": "2018-03-01",
            "name": "Halls",
            "name_zh": "营业厅中心",
            "open": True,
        },
        {
            "centre_id": "C3",
            "from_day": "2018-06-01",
            "name": "Halls",
            "name_zh": "营业厅中心",
            "open": False,
        },
    ]


async def test_a_centre_without_a_day_has_been_there_from_the_beginning(
    county: int, manager: ContractsClient
) -> None:
    assert set(await names_on(manager, county, date(2000, 1, 1))) == {"C1", "C2", "G1"}
    assert (await manager.centre(county, "C1")).from_day is None


async def test_a_history_is_not_rewritten(county: int, manager: ContractsClient) -> None:
    given = RenameIn(from_day=DAY, name="Town", name_zh="县城")
    await manager.rename_centre(county, "C1", given)
    await manager.rename_centre(county, "C1", given)
    other = given.model_copy(update={"name": "Other"})
    moved = MoveIn(from_day=DAY, centre_id="C2")
    await manager.move_channel(county, "A1", moved)
    await manager.move_channel(county, "A1", moved)

    codes = [
        await code_of(manager.rename_centre(county, "C1", other)),
        await code_of(manager.rename_centre(county, "C9", given)),
        await code_of(manager.move_channel(county, "A1", MoveIn(from_day=DAY, centre_id="C1"))),
        await code_of(manager.move_channel(county, "A1", MoveIn(from_day=LATER, centre_id="C2"))),
        await code_of(manager.move_channel(county, "A1", MoveIn(from_day=LATER, centre_id="C9"))),
        await code_of(manager.move_channel(county, "A9", moved)),
    ]

    assert codes == [
        "conflict",
        "not-found",
        "conflict",
        "conflict",
        "unknown-reference",
        "not-found",
    ]


async def test_a_centre_does_not_close_while_anything_would_still_be_there(
    sealed: int, manager: ContractsClient
) -> None:
    await manager.put_person(sealed, P2, member_of("C1").model_copy(update={"from_day": LATER}))

    with pytest.raises(PeerProblem) as refused:
        await manager.close_centre(sealed, "C1", CloseIn(day=DAY, reason="并入"))
    with pytest.raises(PeerProblem) as over:
        await manager.close_centre(sealed, "C1", CloseIn(day=date(2018, 11, 1), reason="并入"))

    assert refused.value.code == over.value.code == "centre-not-closable"
    named = {
        name: refused.value.body[name]
        for name in ("people", "channels", "contracts", "sealed_fields", "holds_the_pool")
    }
    assert named == {
        "people": [P1, P2],
        "channels": ["A1", "A2"],
        "contracts": ["CT-C1"],
        "sealed_fields": ["H1"],
        "holds_the_pool": False,
    }
    # The term is over by then, and its people and channels are not.
    assert (over.value.body["contracts"], over.value.body["sealed_fields"]) == ([], [])
    assert "C1" in await names_on(manager, sealed, DAY)


async def test_the_default_centre_does_not_close(county: int, manager: ContractsClient) -> None:
    pool = CentreIn(kind=CentreKind.DEFAULT, name="Pool", name_zh="本部")
    await manager.put_centre(county, "C0", pool)

    with pytest.raises(PeerProblem) as refused:
        await manager.close_centre(county, "C0", CloseIn(day=DAY, reason="撤销"))

    assert (refused.value.code, refused.value.body["holds_the_pool"]) == (
        "centre-not-closable",
        True,
    )


async def test_a_centre_that_closes_takes_nobody_and_nothing_more(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.leave(county, P2, LeaveIn(day=DAY, reason="调离"))
    await manager.close_centre(county, "C2", CloseIn(day=DAY, reason="并入"))
    await manager.put_centre(county, "C3", HALL)
    await manager.put_field(county, "F2", regional(f"{county}100", centre_id="C2"))
    await manager.put_contract(county, "CT-C2", contract("C2", "F2"))
    joining = member_of("C2").model_copy(update={"from_day": LATER})
    early = member_of("C3").model_copy(update={"from_day": BEFORE})

    codes = [
        await code_of(manager.put_person(county, "N1", joining)),
        await code_of(manager.put_person(county, "N1", early)),
        await code_of(
            manager.put_channel(county, "A3", AGENT.model_copy(update={"centre_id": "C2"}))
        ),
        await code_of(manager.move_channel(county, "A1", MoveIn(from_day=DAY, centre_id="C2"))),
        await code_of(bind(caller, county, "CT-C2")),
    ]

    assert codes == ["centre-not-open"] * 4 + ["not-signable"]


async def test_a_centre_closes_or_takes_somebody_and_never_both(
    county: int, manager: ContractsClient
) -> None:
    await manager.leave(county, P2, LeaveIn(day=DAY, reason="调离"))
    joining = member_of("C2").model_copy(update={"from_day": LATER})

    answers = await asyncio.gather(
        manager.close_centre(county, "C2", CloseIn(day=DAY, reason="并入")),
        manager.put_person(county, "N1", joining),
        manager.put_channel(county, "A3", AGENT.model_copy(update={"centre_id": "C2"})),
        manager.move_channel(county, "A1", MoveIn(from_day=DAY, centre_id="C2")),
        return_exceptions=True,
    )

    closed, *taken = [not isinstance(one, PeerProblem) for one in answers]
    assert closed != any(taken)
    assert ("C2" in await names_on(manager, county, LATER)) != closed


async def test_a_channel_belongs_to_the_centre_it_had_on_each_day(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.move_channel(county, "A1", MoveIn(from_day=DAY, centre_id="C2"))
    moved = await manager.move_channel(county, "A1", MoveIn(from_day=LATER, centre_id="G1"))
    closed = await manager.close_channel(county, "A1", CloseIn(day=date(2018, 6, 1), reason="退网"))

    shown = [
        (await homes_on(manager, county, day)).get("A1")
        for day in (BEFORE, DAY, LATER - timedelta(1), LATER, date(2018, 5, 31), date(2018, 6, 1))
    ]
    assert shown == ["C1", "C2", "C2", "G1", "G1", None]
    assert moved.centre_id == "G1"
    assert [(one.centre_id, one.open) for one in closed.homes] == [
        ("C1", True),
        ("C2", True),
        ("G1", True),
        ("G1", False),
    ]
    assert await caller(Role.CONTRACTOR, ["G1"]).channel(county, "A1") == closed
    assert await code_of(caller(Role.CONTRACTOR, ["C1"]).channel(county, "A1")) == "not-found"
    facts = await facts_of(manager, county, "contracts.channel.moved")
    assert facts[0] == {
        "channel_id": "A1",
        "from_day": "2018-01-01",
        "centre_id": "C2",
        "open": True,
    }
    assert [one["open"] for one in facts] == [True, True, False]  # type: ignore[index]


async def test_a_channel_stays_in_its_sealed_field_and_the_attempt_is_on_record(
    sealed: int, manager: ContractsClient, caller: Caller
) -> None:
    away = MoveIn(from_day=DAY, centre_id="C2")
    with pytest.raises(PeerProblem) as moved:
        await manager.move_channel(sealed, "A1", away)
    with pytest.raises(PeerProblem) as closed:
        await manager.close_channel(sealed, "A1", CloseIn(day=date(2018, 10, 31), reason="退网"))
    with pytest.raises(PeerProblem) as forbidden:
        await caller(Role.CONTRACTOR, ["C1"]).move_channel(sealed, "A1", away)
    # Another channel is free, and so is this one when the term is over.
    await manager.move_channel(sealed, "A2", away)
    free = MoveIn(from_day=date(2018, 11, 1), centre_id="C2")
    await manager.move_channel(sealed, "A1", free)

    assert (moved.value.code, closed.value.code) == ("channel-sealed", "channel-sealed")
    assert (moved.value.body["field_id"], moved.value.body["contract_id"]) == ("H1", "CT-C1")
    assert forbidden.value.status == 403
    records = await manager.refused_changes(sealed)
    assert [(one.subject_id, one.centre_id, one.code) for one in records] == [
        ("H1", "C1", "channel-sealed")
    ] * 2
    seal = (await manager.field(sealed, "H1")).digest
    assert {one.digest for one in records} == {seal}
    asked = await manager.refused_change(sealed, 1)
    assert asked.asked == {"from_day": "2018-01-01", "centre_id": "C2"}


async def test_a_plan_opens_renames_moves_and_closes_at_once(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    province = caller(Role.PROVINCE)
    opened = NewCentre(centre_id="C3", kind=CentreKind.OWN_HALL, name="Hall", name_zh="自有厅")
    given = plan(
        *(STAY[0], place(P2, "C3"), STAY[2]),
        centres=[opened],
        renamed=[PlannedRename(centre_id="C1", name="Town", name_zh="县城中心")],
        closed=[PlannedClosing(centre_id="C2", reason="并入自有厅")],
        channels=[PlannedHome(channel_id="A1", centre_id="C3")],
        closed_channels=[PlannedChannelClosing(channel_id="A2", reason="退网")],
    )
    await manager.put_reorganisation(county, "R-1", given)
    before = await manager.organisation(county, on=BEFORE)
    preview = await manager.reorganisation_preview(county, "R-1")

    applied = await province.apply_reorganisation(county, "R-1", preview.digest)
    again = await province.apply_reorganisation(county, "R-1", preview.digest)

    assert [one.centre_id for one in preview.opened] == ["C3"]
    assert [(one.centre_id, one.from_name_zh, one.to_name_zh) for one in preview.renamed] == [
        ("C1", "C1", "县城中心")
    ]
    assert [(one.centre_id, one.people) for one in preview.closed] == [("C2", [])]
    assert [(one.channel_id, one.to_centre_id) for one in preview.channels] == [
        ("A1", "C3"),
        ("A2", None),
    ]
    assert preview.on_negative_list == []
    assert (applied, applied.made) == (again, preview)
    assert await manager.put_reorganisation(county, "R-1", given) == applied
    assert await manager.organisation(county, on=BEFORE) == before
    assert await names_on(manager, county, DAY) == {
        "C1": "县城中心",
        "C3": "自有厅",
        "G1": "G1",
    }
    assert await homes_on(manager, county, DAY) == {"A1": "C3"}
    kinds = ("contracts.centre.changed", "contracts.channel.moved")
    assert len(await facts_of(manager, county, *kinds)) == 4


async def test_a_plan_whose_centres_or_channels_have_changed_since_is_not_applied(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    province = caller(Role.PROVINCE)
    given = plan(*STAY, channels=[PlannedHome(channel_id="A1", centre_id="C2")])
    await manager.put_reorganisation(county, "R-1", given)
    first = await manager.reorganisation_preview(county, "R-1")
    moved = MoveIn(from_day=date(2017, 12, 1), centre_id="G1")
    await manager.move_channel(county, "A2", moved)
    with pytest.raises(PeerProblem) as of_channel:
        await province.apply_reorganisation(county, "R-1", first.digest)
    second = await manager.reorganisation_preview(county, "R-1")
    renamed = RenameIn(from_day=date(2017, 12, 1), name="Town", name_zh="县城")
    await manager.rename_centre(county, "C1", renamed)
    with pytest.raises(PeerProblem) as of_centre:
        await province.apply_reorganisation(county, "R-1", second.digest)

    assert (of_channel.value.code, of_centre.value.code) == ("digest-mismatch",) * 2


async def test_a_plan_that_fails_at_its_end_leaves_nothing_done(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    """P2 has a later place: the centre and the channel that the plan names stay as they were."""
    await manager.put_person(county, P2, member_of("C2").model_copy(update={"from_day": LATER}))
    given = plan(
        *(STAY[0], place(P2, "C1"), STAY[2]),
        renamed=[PlannedRename(centre_id="C1", name="Town", name_zh="县城")],
        channels=[PlannedHome(channel_id="A1", centre_id="C2")],
    )
    await manager.put_reorganisation(county, "R-1", given)
    preview = await manager.reorganisation_preview(county, "R-1")

    code = await code_of(caller(Role.PROVINCE).apply_reorganisation(county, "R-1", preview.digest))

    assert code == "conflict"
    assert (await names_on(manager, county, DAY))["C1"] == "C1"
    assert (await homes_on(manager, county, DAY))["A1"] == "C1"


async def test_a_plan_is_held_against_the_seals_and_the_negative_list(
    sealed: int, manager: ContractsClient, caller: Caller
) -> None:
    province = caller(Role.PROVINCE)
    away = plan(*STAY, channels=[PlannedHome(channel_id="A1", centre_id="C2")])
    await manager.put_reorganisation(sealed, "R-1", away)
    warned = await manager.reorganisation_preview(sealed, "R-1")
    closing = plan(
        *(place(P1, "C2"), STAY[1], STAY[2]),
        closed=[PlannedClosing(centre_id="C1", reason="并入")],
        channels=[PlannedHome(channel_id="A2", centre_id="C2")],
    )
    await manager.put_reorganisation(sealed, "R-2", closing)
    held = await manager.reorganisation_preview(sealed, "R-2")

    with pytest.raises(PeerProblem) as moved:
        await province.apply_reorganisation(sealed, "R-1", warned.digest)
    with pytest.raises(PeerProblem) as closed:
        await province.apply_reorganisation(sealed, "R-2", held.digest)

    assert [one.sealed_in for one in warned.channels] == [["H1"]]
    assert [one.code for one in warned.on_negative_list] == ["NL-06"]
    assert (moved.value.code, moved.value.body["entries"]) == ("channel-sealed", ["NL-06"])
    [record] = await manager.refused_changes(sealed)
    assert (record.subject_id, record.code) == ("H1", "channel-sealed")
    assert (await manager.refused_change(sealed, 1)).asked == away.model_dump(mode="json")
    assert [one.code for one in held.on_negative_list] == ["NL-06"]
    assert (closed.value.code, closed.value.body["entries"]) == ("not-applicable", ["NL-06"])
    [left] = closed.value.body["centres_not_closable"]
    assert (left["people"], left["channels"], left["sealed_fields"]) == ([], ["A1"], ["H1"])
    assert (await homes_on(manager, sealed, DAY))["A1"] == "C1"


async def test_a_sheet_of_people_is_as_of_a_day(county: int, manager: ContractsClient) -> None:
    moved = member_of("C2").model_copy(update={"from_day": DAY})
    await manager.put_person(county, P1, moved)
    await manager.leave(county, PG, LeaveIn(day=DAY, reason="调离"))

    def places(content: bytes) -> dict[str, str]:
        header, *rows = read_rows(io.BytesIO(content))
        code, centre = header.index("人员编码"), header.index("中心编码")
        return {row[code]: row[centre] for row in rows}

    then, now, last = [
        places(await manager.export_sheet(county, SheetKind.PEOPLE, SheetFormat.CSV, on=day))
        for day in (BEFORE, DAY, None)
    ]

    assert then == {P1: "C1", P2: "C2", PG: "G1"}
    assert now == last == {P1: "C2", P2: "C2"}
