"""The organisation as of a day, leaving, and re-organisations over HTTP (R20)."""

from collections.abc import Callable
from datetime import date

import httpx
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

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.contracts import (
    CentreKind,
    ChannelIn,
    ChannelKind,
    ConcurrentPlace,
    Engagement,
    PayIn,
)
from huaxiao.shared.wire.organisation import (
    LeaveIn,
    NewCentre,
    PlannedLeave,
    PlannedPlace,
    ReorganisationIn,
)

BEFORE, DAY = date(2017, 12, 31), date(2018, 1, 1)
P1, P2, PG = (contractor(centre) for centre in ("C1", "C2", "G1"))


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    """Register three centres with a contractor each, and an outsourced engineer in C1."""
    await county_with_centres(caller, branch_id)
    await manager.put_person(branch_id, "W1", member_of("C1", Engagement.OUTSOURCED))
    await manager.put_channel(
        branch_id, "A1", ChannelIn(kind=ChannelKind.AGENT, centre_id="C1", name_zh="店")
    )
    return branch_id


def place(person_id: str, centre_id: str, engagement: Engagement = Engagement.OWN) -> PlannedPlace:
    held = member_of(centre_id, engagement)
    return PlannedPlace(
        person_id=person_id,
        centre_id=centre_id,
        position=held.position,
        engagement=engagement,
        skills=held.skills,
    )


STAY = (place(P1, "C1"), place(P2, "C2"), place(PG, "G1"))


def plan(*places: PlannedPlace, leaving: tuple[str, ...] = ()) -> ReorganisationIn:
    return ReorganisationIn(
        name_zh="年度调整",
        from_day=DAY,
        places=list(places),
        leaving=[PlannedLeave(person_id=one, reason="合同到期") for one in leaving],
    )


async def test_the_organisation_is_shown_as_it_was_on_a_day(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    both = member_of("C2").model_copy(
        update={
            "from_day": DAY,
            "concurrent": [ConcurrentPlace(centre_id="G1", position="deputy")],
        }
    )
    await manager.put_person(county, P2, both)
    await manager.leave(county, "W1", LeaveIn(day=DAY, reason="代维合同到期"))

    then = await manager.organisation(county, on=BEFORE)
    now = await manager.organisation(county, on=DAY)
    own = await caller(Role.CONTRACTOR, ["C1"]).organisation(county, on=BEFORE)

    assert (then.heads.own, then.heads.outsourced) == (3, 1)
    assert (now.heads.own, now.heads.outsourced) == (3, 0)
    enterprise = next(one for one in now.centres if one.centre_id == "G1")
    assert [(one.person_id, one.concurrent) for one in enterprise.positions] == [
        (P2, True),
        (PG, False),
    ]
    assert enterprise.heads.own == 1
    assert [one.centre_id for one in own.centres] == ["C1"]
    assert [one.channel_id for one in own.centres[0].channels] == ["A1"]
    assert (own.heads.own, own.heads.outsourced) == (1, 1)


async def test_who_leaves_is_gone_from_the_day_and_can_come_back(
    county: int, manager: ContractsClient
) -> None:
    given = LeaveIn(day=DAY, reason="辞职")
    left = await manager.leave(county, P1, given)
    again = await manager.leave(county, P1, given)
    with pytest.raises(PeerProblem) as other:
        await manager.leave(county, P1, LeaveIn(day=date(2018, 2, 1), reason="再离"))
    with pytest.raises(PeerProblem) as early:
        await manager.leave(county, P2, LeaveIn(day=date(2017, 11, 1), reason="太早"))
    back = member_of("C2").model_copy(update={"from_day": date(2018, 3, 1)})
    returned = await manager.put_person(county, P1, back)

    assert (left.here, left) == (False, again)
    assert (other.value.code, early.value.code) == ("conflict", "conflict")
    assert (returned.here, returned.centre_id) == (True, "C2")
    facts = [one.data for one in await manager.feed(county, after=0) if "left" in one.type]
    assert facts == [{"person_id": P1, "centre_id": "C1", "from_day": "2018-01-01"}]
    assert [one.person_id for one in await manager.people(county)] == [P1, P2, PG, "W1"]


async def test_a_plan_is_previewed_and_applied_by_a_second_person_as_it_was_previewed(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    province = caller(Role.PROVINCE)
    opened = NewCentre(centre_id="C3", kind=CentreKind.OWN_HALL, name="Hall", name_zh="自有厅")
    given = plan(STAY[0], place(P2, "C3"), STAY[2], place("N1", "C2"), leaving=("W1",))
    await manager.put_reorganisation(
        county, "R-2018", given.model_copy(update={"centres": [opened]})
    )
    preview = await manager.reorganisation_preview(county, "R-2018")

    with pytest.raises(PeerProblem) as alone:
        await manager.apply_reorganisation(county, "R-2018", preview.digest)
    with pytest.raises(PeerProblem) as unread:
        await province.apply_reorganisation(county, "R-2018", "0" * 64)
    applied = await province.apply_reorganisation(county, "R-2018", preview.digest)
    again = await province.apply_reorganisation(county, "R-2018", preview.digest)
    after = await manager.organisation(county, on=DAY)

    assert [(one.person_id, one.to_centre_id) for one in preview.moves] == [(P2, "C3")]
    assert ([one.person_id for one in preview.joining], preview.staying) == (["N1"], 2)
    assert (alone.value.code, unread.value.code) == ("two-people", "digest-mismatch")
    assert (applied, applied.made) == (again, preview)
    assert {one.centre_id: one.heads.own for one in after.centres} == {
        "C1": 1,
        "C2": 1,
        "C3": 1,
        "G1": 1,
    }
    assert await manager.organisation(county, on=BEFORE) != after
    with pytest.raises(PeerProblem) as changed:
        await manager.put_reorganisation(county, "R-2018", plan(*STAY, leaving=("W1",)))
    assert changed.value.code == "plan-applied"


async def test_a_plan_that_forgets_somebody_or_empties_a_contracting_centre_is_not_applied(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    province = caller(Role.PROVINCE)
    await manager.put_field(county, "F1", regional(f"{county}100"))
    await manager.put_contract(county, "CT-C1", contract("C1", "F1"))
    await bind(caller, county, "CT-C1")
    await manager.put_reorganisation(county, "R-1", plan(place(P1, "C2"), STAY[1], leaving=("W1",)))
    preview = await manager.reorganisation_preview(county, "R-1")

    with pytest.raises(PeerProblem) as refused:
        await province.apply_reorganisation(county, "R-1", preview.digest)

    assert refused.value.code == "not-applicable"
    assert refused.value.body["people_without_place"] == [PG]
    assert refused.value.body["emptied_contracting_centres"] == ["C1"]


async def test_a_plan_made_for_another_organisation_is_not_applied(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_reorganisation(county, "R-1", plan(*STAY, leaving=("W1",)))
    preview = await manager.reorganisation_preview(county, "R-1")
    moved = member_of("C2").model_copy(update={"from_day": date(2017, 12, 1)})
    await manager.put_person(county, P1, moved)

    with pytest.raises(PeerProblem) as refused:
        await caller(Role.PROVINCE).apply_reorganisation(county, "R-1", preview.digest)

    assert refused.value.code == "digest-mismatch"


async def test_who_has_left_is_not_paid_for_later_months(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.leave(county, P1, LeaveIn(day=date(2017, 12, 15), reason="辞职"))
    finance = caller(Role.COUNTY_FINANCE)

    [last] = await finance.record_payroll(
        county, [PayIn(person_id=P1, centre_id="C1", period=201712, pay_fen=1)]
    )
    with pytest.raises(PeerProblem) as refused:
        await finance.record_payroll(
            county, [PayIn(person_id=P1, centre_id="C1", period=201801, pay_fen=1)]
        )

    assert (last.headcount_start, last.headcount_end) == (1, 0)
    assert refused.value.code == "not-payable"


async def test_a_payroll_is_told_of_again_when_a_later_told_move_changes_its_heads(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    finance = caller(Role.COUNTY_FINANCE)
    pays = [
        PayIn(person_id=P1, centre_id="C1", period=period, pay_fen=1_000)
        for period in (201711, 201712)
    ]
    await finance.record_payroll(county, pays)
    told = len(await manager.feed(county, after=0))

    await manager.put_person(
        county, P1, member_of("C2").model_copy(update={"from_day": date(2017, 12, 15)})
    )
    await manager.leave(county, P1, LeaveIn(day=date(2018, 1, 1), reason="辞职"))
    await manager.put_person(
        county, P1, member_of("C1").model_copy(update={"from_day": date(2018, 2, 1)})
    )

    names = ("centre_id", "period", "pay_fen", "headcount_start", "headcount_end")
    restated = [
        tuple(one.data[name] for name in names)
        for one in await manager.feed(county, after=told)
        if one.type == "contracts.payroll.recorded"
    ]
    assert restated == [("C1", 201712, 1_000, 1, 0)]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    ("path", "name", "rest"),
    [
        ("people/P-C1/leave", "day", {"reason": "x"}),
        ("violations", "day", {"entry": "NL-16", "centre_id": "C1", "evidence": "x"}),
        ("may-i", "on", {"action": "transfer_contract", "centre_id": "C1"}),
        (
            "share-movements",
            "day",
            {"kind": "issue", "to_person": "P-C1", "shares": 1, "price_fen": 0, "reason": "x"},
        ),
    ],
)
async def test_a_day_beyond_the_calendar_is_named(
    county: int,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    path: str,
    name: str,
    rest: dict[str, object],
    day: str,
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}

    answer = await http.post(
        f"/v1/branches/{county}/{path}", json=rest | {name: day}, headers=headers
    )

    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [f"/{name}"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_a_question_of_any_day_is_answered(
    county: int, http: httpx.AsyncClient, token: Callable[..., str], day: str
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}

    found = [
        await http.get(f"/v1/branches/{county}/{path}", params={"on": day}, headers=headers)
        for path in ("organisation", "negative-list")
    ]

    assert [one.status_code for one in found] == [200, 200]


async def test_who_is_placed_beside_a_plan_makes_it_another_one_and_strangers_do_not_leave(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    province = caller(Role.PROVINCE)
    await manager.put_reorganisation(county, "R-1", plan(*STAY, leaving=("W1",)))
    read = await manager.reorganisation_preview(county, "R-1")
    beside = member_of("C1").model_copy(update={"from_day": DAY})
    await manager.put_person(county, "N9", beside)
    with pytest.raises(PeerProblem) as unread:
        await province.apply_reorganisation(county, "R-1", read.digest)
    await manager.put_reorganisation(county, "R-2", plan(*STAY, leaving=("W1", "NOBODY")))
    preview = await manager.reorganisation_preview(county, "R-2")
    with pytest.raises(PeerProblem) as stranger:
        await province.apply_reorganisation(county, "R-2", preview.digest)

    assert unread.value.code == "digest-mismatch"
    assert preview.not_here == ["NOBODY"]
    assert stranger.value.code == "not-applicable"
    assert stranger.value.body["people_not_here"] == ["NOBODY"]


async def test_a_place_begins_on_a_day_of_the_calendar(
    county: int, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    given = member_of("C1").model_dump(mode="json") | {"from_day": "9999-12-31"}

    answer = await http.put(f"/v1/branches/{county}/people/N8", json=given, headers=headers)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/from_day")
