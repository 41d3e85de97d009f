"""Leads over HTTP: brought, decided, converted once, and what stands in the way (R16)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Table, delete, update
from sqlalchemy.exc import DBAPIError
from support.register import (
    Caller,
    bind,
    contract,
    contractor,
    county_with_centres,
    listed,
    member_of,
)

from huaxiao.contracts.tables import lead_conversions, lead_decisions, lead_people, leads
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.masking import masked_name
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.unit_of_work import sqlstate
from huaxiao.shared.wire.contracts import CentreIn, CentreKind
from huaxiao.shared.wire.leads import (
    LEAD_CONVERTED,
    Lead,
    LeadConversionIn,
    LeadDecisionIn,
    LeadIn,
    LeadPersonIn,
    LeadState,
)
from huaxiao.shared.wire.organisation import LeaveIn

NOW = datetime(2017, 11, 20, 17, tzinfo=UTC)
"""One o'clock of the 21st in Shanghai."""
TODAY = date(2017, 11, 21)
YES = LeadDecisionIn(approved=True, reason="客户意向属实")
NO = LeadDecisionIn(approved=False, reason="已有在网用户")
LINES = LeadConversionIn(subscription_ids=["S-1", "S-2"], project_id="PRJ-4")


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    await county_with_centres(caller, branch_id)
    return branch_id


@pytest.fixture(autouse=True)
def clock(app: FastAPI) -> Iterator[Callable[[datetime], None]]:
    """Let the service's clock stand at a moment, and move it."""
    real = app.state.clock

    def to(moment: datetime) -> None:
        app.state.clock = lambda: moment

    to(NOW)
    yield to
    app.state.clock = real


@pytest.fixture
async def person(app: FastAPI, issuer: Issuer, branch_id: int) -> AsyncIterator[Caller]:
    """Return a maker of clients of people with a token of their own."""
    made: list[ContractsClient] = []

    def make(
        person_id: str, role: Role = Role.ENGINEER, centre_ids: list[str] | None = None
    ) -> ContractsClient:
        signed = issuer.token(
            f"test:{person_id}",
            roles=[role],
            branch_ids=[branch_id],
            centre_ids=centre_ids,
            person_id=person_id,
        )
        transport = httpx.ASGITransport(app=app)
        made.append(ContractsClient("http://service", lambda: signed, transport=transport))
        return made[-1]

    yield make
    for client in made:
        await client.close()


def lead(**given: Any) -> LeadIn:
    facts: dict[str, Any] = {
        "customer_id": "ENT-9",
        "customer_name": "云泽粮油公司",
        "about_zh": "新厂区专线两条",
        "expected_amount_fen": 1_200_000,
        "people": [(contractor("C1"), 7_500), (contractor("C2"), 2_500)],
    }
    facts |= given
    if facts["people"] is not None:
        facts["people"] = [
            LeadPersonIn(person_id=one, share_basis_points=share) for one, share in facts["people"]
        ]
    return LeadIn(**facts)


async def refused(asked: Any) -> PeerProblem:
    with pytest.raises(PeerProblem) as problem:
        await asked
    return problem.value


async def approved(client: ContractsClient, decider: ContractsClient, **given: Any) -> Lead:
    branch_id = given.pop("branch_id")
    brought = await client.bring_lead(branch_id, lead(**given))
    return await decider.decide_lead(branch_id, brought.lead_id, YES)


async def test_a_lead_is_brought_approved_and_converted_and_its_steps_are_kept(
    county: int, manager: ContractsClient, person: Caller, caller: Caller
) -> None:
    engineer = person(contractor("C1"))
    brought = await engineer.bring_lead(county, lead())
    decision = YES.model_copy(
        update={"owner_centre_id": "G1", "rate_basis_points": 300, "months": 6}
    )
    decided = await manager.decide_lead(county, brought.lead_id, decision)
    converted = await caller(Role.COUNTY_FINANCE).convert_lead(county, brought.lead_id, LINES)

    assert (brought.lead_id, brought.number, brought.state) == ("LD-000001", 1, LeadState.BROUGHT)
    assert brought.brought_on == TODAY
    assert [(one.person_id, one.share_basis_points, one.centre_id) for one in brought.people] == [
        ("P-C1", 7_500, "C1"),
        ("P-C2", 2_500, "C2"),
    ]
    assert (brought.owner_centre_id, brought.approved_on, brought.holds_through) == (None,) * 3
    assert (decided.state, decided.owner_centre_id) == (LeadState.APPROVED, "G1")
    assert (decided.approved_on, decided.holds_through) == (TODAY, date(2018, 2, 19))
    assert (converted.state, converted.subscription_ids) == (LeadState.CONVERTED, ["S-1", "S-2"])
    assert [(one.step, one.by, one.at, one.why) for one in converted.steps] == [
        ("brought", "test:P-C1", NOW, "新厂区专线两条"),
        ("approved", "test:county_manager", NOW, "客户意向属实"),
        ("converted", "test:county_finance", NOW, None),
    ]
    assert await manager.lead(county, brought.lead_id) == converted
    told = [one for one in await manager.feed(county, after=0) if one.type == LEAD_CONVERTED]
    assert [(one.subject, one.data) for one in told] == [
        (
            "LD-000001",
            {
                "lead_id": "LD-000001",
                "approved_on": "2017-11-21",
                "owner_centre_id": "G1",
                "originator_id": "P-C1",
                "subscription_ids": ["S-1", "S-2"],
                "project_id": "PRJ-4",
                "people": [
                    {"person_id": "P-C1", "share_basis_points": 7_500},
                    {"person_id": "P-C2", "share_basis_points": 2_500},
                ],
                "rate_basis_points": 300,
                "months": 6,
            },
        )
    ]


async def test_what_is_left_out_is_the_callers_own_and_their_centres(
    county: int, manager: ContractsClient, person: Caller, caller: Caller
) -> None:
    own = lead(people=None, customer_id=None, expected_amount_fen=None)
    brought = await person(contractor("C2")).bring_lead(county, own)
    decided = await manager.decide_lead(county, brought.lead_id, YES)

    assert [(one.person_id, one.share_basis_points) for one in brought.people] == [("P-C2", 10_000)]
    assert (decided.owner_centre_id, decided.rate_basis_points, decided.months) == (
        "C2",
        None,
        None,
    )
    nobody = await refused(caller(Role.AUDITOR).bring_lead(county, own))
    assert (nobody.code, nobody.body["errors"][0]["pointer"]) == ("malformed", "/people")


@pytest.mark.parametrize(
    ("given", "code", "fault", "pointer"),
    [
        ({"people": [("P-C1", 7_500), ("P-C2", 2_600)]}, "malformed", "not-a-whole", "/people"),
        ({"people": [("P-C1", 9_999)]}, "malformed", "not-a-whole", "/people"),
        (
            {"people": [("P-C1", 5_000), ("P-C1", 5_000)]},
            "malformed",
            "repeated",
            "/people/1/person_id",
        ),
        (
            {"people": [("P-C1", 5_000), ("NOBODY", 5_000)]},
            "unknown-reference",
            "unknown-reference",
            "/people/1/person_id",
        ),
    ],
)
async def test_a_bad_lead_is_named_where_it_is_wrong(
    county: int,
    caller: Caller,
    given: dict[str, Any],
    code: str,
    fault: str,
    pointer: str,
) -> None:
    problem = await refused(caller(Role.SUPPORT_CENTRE).bring_lead(county, lead(**given)))

    assert problem.code == code
    assert [(one["code"], one["pointer"]) for one in problem.body["errors"]] == [(fault, pointer)]


@pytest.mark.parametrize(
    "given",
    [
        {"people": []},
        {"people": [{"person_id": "P-C1", "share_basis_points": 10_100}]},
        {"people": [{"person_id": "P-C1", "share_basis_points": 0}]},
        {"people": [{"person_id": "P-C1", "share_basis_points": 10_000.0}]},
        {"people": [{"person_id": "P-C1", "share_basis_points": 500}] * 21},
        {"expected_amount_fen": -1},
        {"expected_amount_fen": 1.5},
        {"about_zh": ""},
        {"customer_name": None},
        {"customer_id": "no id"},
        {"state": "approved"},
    ],
)
async def test_a_lead_of_another_form_is_refused(
    county: int, http: httpx.AsyncClient, token: Callable[..., str], given: dict[str, Any]
) -> None:
    answer = await http.post(
        f"/v1/branches/{county}/leads",
        json=lead().model_dump(mode="json") | given,
        headers={"Authorization": f"Bearer {token(Role.ENGINEER, county)}"},
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


async def test_who_does_not_work_here_on_the_day_has_no_part(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    coming = member_of("C1").model_copy(update={"from_day": date(2017, 11, 22)})
    await manager.put_person(county, "P-COMING", coming)
    await manager.leave(county, contractor("C2"), LeaveIn(day=TODAY, reason="离职"))
    people = [(contractor("C1"), 4_000), (contractor("C2"), 3_000), ("P-COMING", 3_000)]

    problem = await refused(caller(Role.AUDITOR).bring_lead(county, lead(people=people)))

    assert problem.code == "not-working-here"
    assert [one["pointer"] for one in problem.body["errors"]] == [
        "/people/1/person_id",
        "/people/2/person_id",
    ]


async def test_nobody_decides_their_own_lead_and_only_some_decide_at_all(
    county: int, manager: ContractsClient, person: Caller, caller: Caller
) -> None:
    own = await manager.bring_lead(county, lead())
    brought_for_me = await caller(Role.AUDITOR).bring_lead(county, lead(customer_id=None))
    involved = person(contractor("C2"), Role.COUNTY_MANAGER)

    assert (await refused(manager.decide_lead(county, own.lead_id, YES))).code == "two-people"
    for reason in (YES, NO):
        problem = await refused(involved.decide_lead(county, brought_for_me.lead_id, reason))
        assert problem.code == "two-people"
    for role in (Role.ENGINEER, Role.CONTRACTOR, Role.COUNTY_FINANCE, Role.AUDITOR):
        problem = await refused(caller(role).decide_lead(county, own.lead_id, YES))
        assert problem.code == "forbidden"
    decided = await caller(Role.SUPPORT_CENTRE).decide_lead(county, own.lead_id, YES)
    assert decided.state is LeadState.APPROVED


async def test_a_decision_stands_and_the_same_again_changes_nothing(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    auditor = caller(Role.AUDITOR)
    first = await approved(auditor, manager, branch_id=county)
    second = await auditor.bring_lead(county, lead())
    rejected = await manager.decide_lead(county, second.lead_id, NO)

    assert await manager.decide_lead(county, first.lead_id, YES) == first
    named = YES.model_copy(update={"owner_centre_id": "C1"})
    assert await manager.decide_lead(county, first.lead_id, named) == first
    for lead_id, other in (
        (first.lead_id, NO),
        (first.lead_id, YES.model_copy(update={"months": 6})),
        (second.lead_id, YES),
    ):
        assert (await refused(manager.decide_lead(county, lead_id, other))).code == "conflict"
    assert (rejected.state, rejected.approved_on) == (LeadState.REJECTED, None)
    assert (rejected.owner_centre_id, rejected.holds_through) == (None, None)
    assert rejected.steps[1].why == NO.reason


@pytest.mark.parametrize(
    ("decision", "code", "pointer"),
    [
        (YES.model_copy(update={"owner_centre_id": "C9"}), "unknown-reference", "/owner_centre_id"),
        (YES.model_copy(update={"owner_centre_id": "SS"}), "malformed", "/owner_centre_id"),
        (NO.model_copy(update={"rate_basis_points": 100}), "malformed", "/rate_basis_points"),
    ],
)
async def test_a_bad_decision_is_named_where_it_is_wrong(
    county: int,
    manager: ContractsClient,
    caller: Caller,
    decision: LeadDecisionIn,
    code: str,
    pointer: str,
) -> None:
    support = CentreIn(kind=CentreKind.SUPPORT, name="SS", name_zh="综合服务支撑中心")
    await manager.put_centre(county, "SS", support)
    brought = await caller(Role.AUDITOR).bring_lead(county, lead())

    problem = await refused(manager.decide_lead(county, brought.lead_id, decision))

    assert (problem.code, [one["pointer"] for one in problem.body["errors"]]) == (code, [pointer])


async def test_a_lead_of_somebody_in_no_service_centre_needs_one_named(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    support = CentreIn(kind=CentreKind.SUPPORT, name="SS", name_zh="综合服务支撑中心")
    await manager.put_centre(county, "SS", support)
    await manager.put_person(county, "P-SS", member_of("SS"))
    brought = await caller(Role.AUDITOR).bring_lead(county, lead(people=[("P-SS", 10_000)]))

    problem = await refused(manager.decide_lead(county, brought.lead_id, YES))
    named = YES.model_copy(update={"owner_centre_id": "G1"})
    decided = await manager.decide_lead(county, brought.lead_id, named)

    assert [one["code"] for one in problem.body["errors"]] == ["no-service-centre"]
    assert decided.owner_centre_id == "G1"


@pytest.mark.parametrize(
    ("day", "is_listed"),
    [
        (date(2017, 11, 21), True),
        (date(2018, 10, 31), True),
        (date(2018, 11, 1), False),
        # Its lines of February would be the list's, which begins before the lead is void.
        (date(2017, 8, 3), True),
        (date(2017, 8, 2), False),
    ],
)
async def test_a_listed_customers_lines_are_its_lists_and_no_leads(
    county: int,
    manager: ContractsClient,
    caller: Caller,
    clock: Callable[[datetime], None],
    day: date,
    is_listed: bool,
) -> None:
    early = member_of("C1").model_copy(update={"from_day": date(2017, 1, 1)})
    await manager.put_person(county, "P-EARLY", early)
    await manager.put_field(county, "F-KEY", listed("ENT-9"))
    await manager.put_contract(county, "CT-G1", contract("G1", "F-KEY"))
    clock(datetime(day.year, day.month, day.day, 4, tzinfo=UTC))
    auditor, people = caller(Role.AUDITOR), [("P-EARLY", 10_000)]
    # A list that is only drafted stands in nobody's way.
    before = await approved(auditor, manager, branch_id=county, people=people, customer_id="ENT-8")
    brought = await auditor.bring_lead(county, lead(people=people))
    prospect = await auditor.bring_lead(county, lead(people=people, customer_id=None))
    await bind(caller, county, "CT-G1")

    assert before.state is LeadState.APPROVED
    if is_listed:
        problem = await refused(manager.decide_lead(county, brought.lead_id, YES))
        assert problem.code == "listed-customer"
        assert (problem.body["field_id"], problem.body["centre_id"]) == ("F-KEY", "G1")
    else:
        decided = await manager.decide_lead(county, brought.lead_id, YES)
        assert decided.state is LeadState.APPROVED
    assert (await manager.decide_lead(county, prospect.lead_id, YES)).state is LeadState.APPROVED


async def test_one_lead_on_a_customer_holds_at_a_time(
    county: int, manager: ContractsClient, caller: Caller, clock: Callable[[datetime], None]
) -> None:
    auditor = caller(Role.AUDITOR)
    first = await approved(auditor, manager, branch_id=county)
    second = await auditor.bring_lead(county, lead())

    taken = await refused(manager.decide_lead(county, second.lead_id, YES))
    clock(NOW + timedelta(days=90))
    still = await refused(manager.decide_lead(county, second.lead_id, YES))
    clock(NOW + timedelta(days=91))
    decided = await manager.decide_lead(county, second.lead_id, YES)
    await manager.convert_lead(county, second.lead_id, LINES)
    third = await approved(auditor, manager, branch_id=county)

    assert [(one.code, one.body["lead_id"]) for one in (taken, still)] == [
        ("lead-taken", first.lead_id)
    ] * 2
    assert decided.state is third.state is LeadState.APPROVED
    assert (await manager.lead(county, first.lead_id)).state is LeadState.VOID


async def test_two_approvals_at_once_let_one_lead_hold(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    auditor = caller(Role.AUDITOR)
    brought = [await auditor.bring_lead(county, lead()) for _ in range(2)]

    answers = await asyncio.gather(
        *(manager.decide_lead(county, one.lead_id, YES) for one in brought),
        return_exceptions=True,
    )

    assert sorted(one.code if isinstance(one, PeerProblem) else one.state for one in answers) == [
        "approved",
        "lead-taken",
    ]


async def test_a_lead_becomes_lines_once(
    county: int, manager: ContractsClient, caller: Caller, clock: Callable[[datetime], None]
) -> None:
    taken = await approved(caller(Role.AUDITOR), manager, branch_id=county)
    converted = await manager.convert_lead(county, taken.lead_id, LINES)
    clock(NOW + timedelta(days=1_000))

    assert await manager.convert_lead(county, taken.lead_id, LINES) == converted
    for other in ({"project_id": None}, {"subscription_ids": ["S-1"]}):
        problem = await refused(
            manager.convert_lead(county, taken.lead_id, LINES.model_copy(update=other))
        )
        assert problem.code == "conflict"
    told = [one for one in await manager.feed(county, after=0) if one.type == LEAD_CONVERTED]
    assert len(told) == 1


@pytest.mark.forged
@pytest.mark.parametrize("table", [leads, lead_people, lead_decisions, lead_conversions])
async def test_what_is_on_record_of_a_lead_is_neither_changed_nor_removed(
    app: FastAPI, county: int, manager: ContractsClient, caller: Caller, table: Table
) -> None:
    taken = await approved(caller(Role.AUDITOR), manager, branch_id=county)
    await manager.convert_lead(county, taken.lead_id, LINES)

    for attempt in (update(table).values(branch_id=county), delete(table)):
        with pytest.raises(DBAPIError) as held:
            async with app.state.database.write(EVERYTHING) as connection:
                await connection.execute(attempt.where(table.c.branch_id == county))
        assert sqlstate(held.value) == "42501"


async def test_only_a_lead_that_is_approved_and_holds_becomes_lines(
    county: int, manager: ContractsClient, caller: Caller, clock: Callable[[datetime], None]
) -> None:
    auditor = caller(Role.AUDITOR)
    brought = await auditor.bring_lead(county, lead())
    rejected = await auditor.bring_lead(county, lead())
    await manager.decide_lead(county, rejected.lead_id, NO)
    late = await approved(auditor, manager, branch_id=county)
    in_time = await approved(auditor, manager, branch_id=county, customer_id="ENT-8")

    clock(NOW + timedelta(days=90))
    await manager.convert_lead(county, in_time.lead_id, LINES)
    clock(NOW + timedelta(days=91))
    for one, state in ((brought, "brought"), (rejected, "rejected"), (late, "void")):
        problem = await refused(manager.convert_lead(county, one.lead_id, LINES))
        assert (problem.code, problem.body["state"]) == ("lead-not-approved", state)
    for role in (Role.ENGINEER, Role.CONTRACTOR, Role.SUPPORT_CENTRE, Role.AUDITOR):
        problem = await refused(caller(role).convert_lead(county, late.lead_id, LINES))
        assert problem.code == "forbidden"
    told = [one for one in await manager.feed(county, after=0) if one.type == LEAD_CONVERTED]
    assert [one.subject for one in told] == [in_time.lead_id]


@pytest.mark.parametrize(
    "subscription_ids", [[], ["S-1", "S-1"], [f"S-{number}" for number in range(101)], ["no id"]]
)
async def test_a_conversion_names_up_to_a_hundred_lines_each_once(
    county: int,
    manager: ContractsClient,
    caller: Caller,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    subscription_ids: list[str],
) -> None:
    taken = await approved(caller(Role.AUDITOR), manager, branch_id=county)

    answer = await http.post(
        f"/v1/branches/{county}/leads/{taken.lead_id}/conversion",
        json={"subscription_ids": subscription_ids},
        headers={"Authorization": f"Bearer {token(Role.COUNTY_FINANCE, county)}"},
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


async def test_engineers_see_their_own_and_contractors_their_centres(
    county: int, manager: ContractsClient, person: Caller, caller: Caller
) -> None:
    auditor = caller(Role.AUDITOR)
    both = await approved(auditor, manager, branch_id=county)
    of_town = await auditor.bring_lead(county, lead(people=[(contractor("C1"), 10_000)]))
    given_away = await auditor.bring_lead(
        county, lead(people=[(contractor("C2"), 10_000)], customer_id=None)
    )
    to_enterprise = YES.model_copy(update={"owner_centre_id": "G1"})
    await manager.decide_lead(county, given_away.lead_id, to_enterprise)
    stranger = person("P-STRANGER")
    told = await stranger.bring_lead(
        county, lead(people=[(contractor("G1"), 10_000)], customer_id=None)
    )

    async def seen(client: ContractsClient, **asked: Any) -> list[int]:
        return [one.number for one in await client.leads(county, **asked)]

    assert await seen(manager) == await seen(caller(Role.SUPPORT_CENTRE)) == [1, 2, 3, 4]
    assert await seen(person(contractor("C1"))) == [1, 2]
    assert await seen(person(contractor("C2"))) == [1, 3]
    assert await seen(stranger) == [told.number]
    assert await seen(caller(Role.ENGINEER)) == []
    assert await seen(caller(Role.CONTRACTOR, ["C2"])) == [1, 3]
    assert await seen(caller(Role.CONTRACTOR, ["G1"])) == [3, 4]
    own = person(contractor("C2"), Role.CONTRACTOR, ["C9"])
    assert await seen(own) == [1, 3]
    assert await seen(manager, state=LeadState.APPROVED) == [both.number, given_away.number]
    assert await seen(manager, state=LeadState.BROUGHT) == [of_town.number, told.number]
    assert await seen(manager, state=LeadState.VOID) == []
    assert await seen(manager, centre_id="G1") == [3, 4]
    assert await seen(manager, state=LeadState.BROUGHT, centre_id="G1") == [4]
    for other in (person(contractor("C2")), caller(Role.CONTRACTOR, ["G1"])):
        assert (await refused(other.lead(county, of_town.lead_id))).code == "not-found"
    for lead_id in ("LD-000099", "LD-1", "17"):
        assert (await refused(manager.lead(county, lead_id))).code == "not-found"
    assert (await refused(caller(Role.BSS_SOURCE).leads(county))).code == "forbidden"


async def test_a_list_shows_each_lead_in_the_state_it_is_filtered_by(
    county: int, manager: ContractsClient, caller: Caller, clock: Callable[[datetime], None]
) -> None:
    auditor = caller(Role.AUDITOR)
    for name in LeadState:
        one = await auditor.bring_lead(county, lead(customer_id=None, customer_name=name))
        if name is not LeadState.BROUGHT:
            if name is not LeadState.VOID:
                clock(NOW + timedelta(days=1))
            decision = NO if name is LeadState.REJECTED else YES
            await manager.decide_lead(county, one.lead_id, decision)
        if name is LeadState.CONVERTED:
            await manager.convert_lead(county, one.lead_id, LINES)
        clock(NOW)

    for days in (90, 91):
        clock(NOW + timedelta(days=days))
        for state in LeadState:
            found = await manager.leads(county, state=state)
            assert {one.state for one in found} <= {state}
            assert state == LeadState.VOID or [one.customer_name for one in found][:1] == [
                masked_name(state)
            ]
    assert [one.customer_name for one in await manager.leads(county, state=LeadState.VOID)] == [
        "v***"
    ]


async def test_leads_brought_at_once_are_numbered_without_gaps_and_come_in_pages(
    county: int, caller: Caller, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    auditor = caller(Role.AUDITOR)
    made = await asyncio.gather(*(auditor.bring_lead(county, lead()) for _ in range(5)))
    headers = {"Authorization": f"Bearer {token(Role.AUDITOR, county)}"}
    numbers: list[int] = []
    cursor = ""
    while cursor is not None:
        page = (
            await http.get(f"/v1/branches/{county}/leads?limit=2{cursor}", headers=headers)
        ).json()
        numbers += [one["number"] for one in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"

    assert sorted(one.number for one in made) == numbers == [1, 2, 3, 4, 5]
