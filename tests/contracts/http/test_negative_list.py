"""The negative list over HTTP: its versions, *May I?*, and violations to their end."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from support.register import Caller, contract, contractor, county_with_centres, regional

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.negative_list import (
    ActionKind,
    DecisionIn,
    NegativeListIn,
    ProposalIn,
    Severity,
    Violation,
    ViolationIn,
    ViolationState,
)

NOW = datetime(2017, 12, 4, 2, tzinfo=UTC)
UPHELD = DecisionIn(upheld=True, points=5, recover_fen=8_000, reason="回访属实")


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    await county_with_centres(caller, branch_id)
    return branch_id


@pytest.fixture
def clock(app: FastAPI) -> Iterator[Callable[[datetime], None]]:
    """Let the service's clock stand at a moment, and move it."""
    real = app.state.clock

    def to(moment: datetime) -> None:
        app.state.clock = lambda: moment

    to(NOW)
    yield to
    app.state.clock = real


def reported(entry: str = "NL-16", **given: Any) -> ViolationIn:
    facts: dict[str, Any] = {
        "centre_id": "C1",
        "day": date(2017, 11, 20),
        "evidence": "客户回访录音",
        "person_ids": [contractor("C1")],
    }
    return ViolationIn(entry=entry, **(facts | given))


async def test_what_is_not_on_the_list_is_allowed_and_the_answer_is_kept(
    county: int, caller: Caller
) -> None:
    boss = caller(Role.CONTRACTOR, ["C1"])

    yes = await boss.may_i(
        county,
        ProposalIn(action=ActionKind.GIVE_REFUND, centre_id="C1", attributes={"approved": True}),
    )
    no = await boss.may_i(county, ProposalIn(action=ActionKind.TRANSFER_CONTRACT, centre_id="C1"))
    unsaid = await boss.may_i(county, ProposalIn(action=ActionKind.CHARGE_CUSTOMER, centre_id="C1"))

    assert (yes.allowed, yes.version) == (True, 0)
    assert (no.allowed, [hit.code for hit in no.hits]) == (False, ["NL-07"])
    assert (unsaid.allowed, unsaid.open_questions[0].attributes) == (False, ["on_tariff"])
    assert await boss.answers(county) == [yes, no, unsaid]
    assert await caller(Role.CONTRACTOR, ["C2"]).answers(county) == []
    with pytest.raises(PeerProblem) as others:
        await boss.may_i(county, ProposalIn(action=ActionKind.TRANSFER_CONTRACT, centre_id="C2"))
    assert others.value.status == 404
    with pytest.raises(PeerProblem) as wrong:
        await boss.may_i(
            county,
            ProposalIn(action=ActionKind.GIVE_REFUND, centre_id="C1", attributes={"approved": 1}),
        )
    assert [one["code"] for one in wrong.value.body["errors"]] == ["wrong-kind"]


async def test_a_county_puts_a_list_of_its_own_in_force_by_two_people_and_it_stays(
    county: int, manager: ContractsClient, caller: Caller, clock: Callable[[datetime], None]
) -> None:
    province = caller(Role.PROVINCE)
    default = await manager.negative_list(county)
    kept = [entry for entry in default.entries if entry.code != "NL-11"]
    own = NegativeListIn(name_zh="云泽县清单", entries=kept, points=default.points)
    await manager.put_negative_list(county, 1, own)
    day = date(2017, 12, 10)

    with pytest.raises(PeerProblem) as alone:
        await manager.activate_negative_list(county, 1, day)
    with pytest.raises(PeerProblem) as past:
        await province.activate_negative_list(county, 1, date(2017, 12, 3))
    active = await province.activate_negative_list(county, 1, day)
    again = await province.activate_negative_list(county, 1, day)
    with pytest.raises(PeerProblem) as changed:
        await manager.put_negative_list(county, 1, own.model_copy(update={"name_zh": "另"}))
    await manager.put_negative_list(county, 2, own)
    with pytest.raises(PeerProblem) as same_day:
        await province.activate_negative_list(county, 2, day)

    assert [one.value.code for one in (alone, past, changed, same_day)] == [
        "two-people",
        "out-of-order",
        "list-active",
        "out-of-order",
    ]
    assert active == again
    before = await manager.negative_list(county, on=date(2017, 12, 9))
    assert (before.version, (await manager.negative_list(county, on=day)).version) == (0, 1)
    refund = ProposalIn(
        action=ActionKind.GIVE_REFUND, centre_id="C1", attributes={"approved": False}
    )
    assert not (await manager.may_i(county, refund)).allowed
    assert (await manager.may_i(county, refund.model_copy(update={"on": day}))).allowed


async def test_terms_that_stand_on_the_list_are_neither_drafted_nor_signed(
    county: int, manager: ContractsClient
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100"))
    sound = contract("C1", "F1")
    lax = sound.model_copy(
        update={"terms": sound.terms.model_copy(update={"free_scope_zh": "可以转包"})}
    )

    with pytest.raises(PeerProblem) as refused:
        await manager.put_contract(county, "CT-C1", lax)

    assert (refused.value.code, refused.value.body["entries"]) == ("on-negative-list", ["NL-07"])
    assert refused.value.body["errors"][0]["pointer"] == "/terms/free_scope_zh"


async def test_a_violation_is_reported_heard_decided_appealed_and_decided_for_good(
    county: int,
    manager: ContractsClient,
    caller: Caller,
    clock: Callable[[datetime], None],
) -> None:
    engineer, boss = caller(Role.ENGINEER, ["C2"]), caller(Role.CONTRACTOR, ["C1"])
    province = caller(Role.PROVINCE)
    told = await engineer.report_violation(county, reported())
    number = told.number

    with pytest.raises(PeerProblem) as unheard:
        await manager.decide_violation(county, number, UPHELD)
    heard = await boss.hear_violation(county, number, "已退还客户")
    with pytest.raises(PeerProblem) as twice:
        await boss.hear_violation(county, number, "再说一次")
    with pytest.raises(PeerProblem) as too_few:
        await manager.decide_violation(county, number, UPHELD.model_copy(update={"points": 4}))
    decided = await manager.decide_violation(county, number, UPHELD)
    await boss.appeal_violation(county, number, "材料费为代购")
    with pytest.raises(PeerProblem) as same_person:
        await manager.decide_violation_appeal(county, number, UPHELD)
    final = await province.decide_violation_appeal(
        county, number, DecisionIn(upheld=False, reason="代购属实")
    )
    with pytest.raises(PeerProblem) as over:
        await boss.appeal_violation(county, number, "还要申诉")

    assert [one.value.code for one in (unheard, twice, too_few, same_person, over)] == [
        "step-out-of-turn",
        "step-out-of-turn",
        "points-out-of-range",
        "two-people",
        "step-out-of-turn",
    ]
    assert heard.state is ViolationState.HEARD
    assert (decided.counted_as, decided.points, decided.recover_fen) == (Severity.B, 5, 8_000)
    assert (final.state, final.upheld, final.points) == (ViolationState.FINAL, False, 0)
    facts = [
        one.data["upheld"]
        for one in await manager.feed(county, after=0)
        if one.type == "contracts.violation.decided"
    ]
    assert facts == [True, False]


async def test_the_centre_concerned_is_not_told_who_reported(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    told = await caller(Role.ENGINEER, ["C2"]).report_violation(county, reported())

    own = await caller(Role.CONTRACTOR, ["C1"]).violation(county, told.number)
    of_county = await manager.violation(county, told.number)
    with pytest.raises(PeerProblem) as others:
        await caller(Role.CONTRACTOR, ["C2"]).violation(county, told.number)

    assert (own.reported_by, of_county.reported_by) == (None, "test:engineer")
    assert others.value.status == 404


async def test_silence_is_no_way_out_and_an_appeal_comes_in_time(
    county: int,
    manager: ContractsClient,
    caller: Caller,
    clock: Callable[[datetime], None],
) -> None:
    boss = caller(Role.CONTRACTOR, ["C1"])
    told = await caller(Role.AUDITOR).report_violation(county, reported())
    clock(NOW + timedelta(days=5))
    await manager.decide_violation(county, told.number, UPHELD)
    clock(NOW + timedelta(days=15))

    with pytest.raises(PeerProblem) as late:
        await boss.appeal_violation(county, told.number, "太晚")

    assert late.value.code == "step-out-of-turn"


async def test_a_second_one_counts_as_graver(
    county: int, manager: ContractsClient, caller: Caller, clock: Callable[[datetime], None]
) -> None:
    auditor, boss = caller(Role.AUDITOR), caller(Role.CONTRACTOR, ["C1"])

    async def upheld(day: int, points: int) -> Violation:
        told = await auditor.report_violation(county, reported("NL-25", day=date(2017, 11, day)))
        await boss.hear_violation(county, told.number, "知错")
        decision = DecisionIn(upheld=True, points=points, reason="录音属实")
        return await manager.decide_violation(county, told.number, decision)

    first, second, third = await upheld(1, 1), await upheld(10, 5), await upheld(20, 10)

    assert [one.counted_as for one in (first, second, third)] == [
        Severity.C,
        Severity.B,
        Severity.A,
    ]


async def test_what_one_counts_as_follows_what_stands_whatever_was_decided_first(
    county: int, manager: ContractsClient, caller: Caller, clock: Callable[[datetime], None]
) -> None:
    auditor, boss, province = (
        caller(Role.AUDITOR),
        caller(Role.CONTRACTOR, ["C1"]),
        caller(Role.PROVINCE),
    )
    reports = [
        await auditor.report_violation(county, reported("NL-15", day=date(2017, 11, day)))
        for day in (5, 6)
    ]
    for one in reports:
        await boss.hear_violation(county, one.number, "知悉")
    first, second = (one.number for one in reports)

    decision = DecisionIn(upheld=True, points=5, reason="属实")
    later = await manager.decide_violation(county, second, decision)
    await manager.decide_violation(county, first, decision)
    graver = await manager.violation(county, second)
    await boss.appeal_violation(county, first, "现场照片在")
    dismissed = DecisionIn(upheld=False, points=0, reason="证据不足")
    await province.decide_violation_appeal(county, first, dismissed)
    alone = await manager.violation(county, second)

    assert [one.counted_as for one in (later, graver, alone)] == [
        Severity.B,
        Severity.A,
        Severity.B,
    ]
    told = [
        (one.data["number"], one.data["counted_as"])
        for one in await manager.feed(county, after=0)
        if one.type == "contracts.violation.decided"
    ]
    assert told == [(second, "B"), (first, "B"), (second, "A"), (first, None), (second, "B")]


async def test_reports_at_once_are_numbered_without_gaps(county: int, caller: Caller) -> None:
    auditor = caller(Role.AUDITOR)

    made = await asyncio.gather(*(auditor.report_violation(county, reported()) for _ in range(5)))

    assert sorted(one.number for one in made) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("given", "code", "pointer"),
    [
        (reported("NL-99"), "unknown-reference", "/entry"),
        (reported(centre_id="C9"), "unknown-reference", "/centre_id"),
        (reported(person_ids=["NOBODY"]), "unknown-reference", "/person_ids/0"),
        (reported(day=date(2017, 12, 5)), "malformed", "/day"),
    ],
)
async def test_a_bad_report_is_named_where_it_is_wrong(
    county: int,
    caller: Caller,
    clock: Callable[[datetime], None],
    given: ViolationIn,
    code: str,
    pointer: str,
) -> None:
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.AUDITOR).report_violation(county, given)

    assert refused.value.code == code
    assert [one["pointer"] for one in refused.value.body["errors"]] == [pointer]
