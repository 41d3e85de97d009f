import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Table, delete, insert, text, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import DBAPIError
from support.register import (
    Caller,
    bind,
    contract,
    contractor,
    county_with_centres,
    listed,
    member_of,
    regional,
)

from huaxiao.contracts.tables import (
    channels,
    contracts,
    fields,
    sealed_channels,
    sealed_customers,
    sealed_fields,
    sealed_resources,
    sealed_scopes,
)
from huaxiao.shared.addresses import address_range
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.money import MAX_AMOUNT_FEN
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.contracts import (
    BranchIn,
    CentreIn,
    CentreKind,
    ChannelIn,
    ChannelKind,
    ChannelMode,
    ConcurrentPlace,
    DivisionIn,
    DivisionLevel,
    Engagement,
    FieldIn,
    FieldKind,
    FieldScopeIn,
    LockState,
    PayIn,
    PersonIn,
    Skill,
)
from huaxiao.shared.wire.terms import PayLimit

SEALED = (sealed_fields, sealed_scopes, sealed_customers, sealed_channels, sealed_resources)


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    """Register a branch with three centres and sign its county contract."""
    await county_with_centres(caller, branch_id)
    return branch_id


async def facts(client: ContractsClient, branch_id: int) -> list[tuple[str, str]]:
    return [
        (one.type.removeprefix("contracts."), one.subject)
        for one in await client.feed(branch_id, after=0)
    ]


async def test_a_branch_registered_again_is_the_same_and_a_different_one_is_refused(
    manager: ContractsClient, branch_id: int, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    body = {"name": "Yunze", "name_zh": "云泽", "default_centre_id": "C0"}
    headers = {"Authorization": f"Bearer {token(Role.PROVINCE, branch_id)}"}
    url = f"/v1/branches/{branch_id}"

    answers = [
        await http.put(url, json=given, headers=headers)
        for given in (body, body, body | {"name": "Other"})
    ]

    assert [one.status_code for one in answers] == [201, 200, 409]
    assert await manager.branches() == [branch_id]
    assert await facts(manager, branch_id) == [("branch.registered", str(branch_id))]


async def test_a_branch_is_hidden_from_callers_of_another(
    county: int, caller: Caller, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    stranger = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county + 500_000)}"}

    answer = await http.get(f"/v1/branches/{county}/fields", headers=stranger)
    listed_branches = await http.get("/v1/branches", headers=stranger)

    assert answer.status_code == 404
    assert listed_branches.json()["items"] == []


async def test_divisions_are_added_once_and_page_by_code(
    county: int, manager: ContractsClient, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    name = str(county)
    given = [
        DivisionIn(code=name, name="县", level=DivisionLevel.COUNTY, parent_code=name[:4]),
        DivisionIn(code=name + "100", name="镇", level=DivisionLevel.TOWNSHIP, parent_code=name),
    ]
    headers = {"Authorization": f"Bearer {token(Role.AUDITOR, county)}"}
    url = f"/v1/branches/{county}/divisions"

    first = await manager.add_divisions(county, given)
    again = await manager.add_divisions(county, given)
    page = (await http.get(url, params={"limit": 1}, headers=headers)).json()
    following = {"limit": 1, "cursor": page["next_cursor"]}
    rest = (await http.get(url, params=following, headers=headers)).json()

    assert (first.added, first.unchanged) == (2, 0)
    assert (again.added, again.unchanged) == (0, 2)
    assert [one["code"] for one in page["items"] + rest["items"]] == [name, name + "100"]
    assert rest["next_cursor"] is None
    with pytest.raises(PeerProblem) as refused:
        await manager.add_divisions(county, [given[0].model_copy(update={"name": "另一县"})])
    assert (refused.value.status, refused.value.body["codes"]) == (409, [name])


async def test_people_move_on_later_days_only_and_each_place_is_published(
    county: int, manager: ContractsClient
) -> None:
    place = PersonIn(
        engagement=Engagement.OWN,
        skills=[Skill.SELL, Skill.INSTALL],
        centre_id="C1",
        position="member",
        from_day=date(2017, 11, 1),
        concurrent=[ConcurrentPlace(centre_id="C2", position="contractor")],
    )
    moved = place.model_copy(
        update={"centre_id": "C2", "from_day": date(2017, 12, 1), "concurrent": []}
    )

    await manager.put_person(county, "P1", place)
    await manager.put_person(county, "P1", place)
    await manager.put_person(county, "P1", moved)
    with pytest.raises(PeerProblem) as refused:
        await manager.put_person(county, "P1", place)

    assert refused.value.code == "conflict"
    entries = await manager.feed(county, after=0)
    places = [
        (one.data["assignment"]["centre_id"], one.data["assignment"]["primary"])
        for one in entries
        if one.type == "contracts.person.assigned" and one.subject == "P1"
    ]
    assert places == [("C1", True), ("C2", False), ("C2", True)]


async def test_what_is_not_registered_cannot_be_named(
    county: int, manager: ContractsClient
) -> None:
    channel = ChannelIn(kind=ChannelKind.AGENT, centre_id="C9", name_zh="代理")

    with pytest.raises(PeerProblem) as refused:
        await manager.put_channel(county, "A1", channel)

    assert refused.value.code == "unknown-reference"
    assert refused.value.body["errors"][0]["pointer"] == "/centre_id"


@pytest.mark.parametrize(
    ("path", "given", "pointer"),
    [
        ("fields/F1", {"scope": {"address_prefix": []}}, "/scope/address_prefix"),
        (
            "fields/F1",
            {"scope": {"customers": [{"customer_id": "K1", "segment": "campus", "centre": "C1"}]}},
            "/scope/customers/0/centre",
        ),
        ("contracts/CT-1", {"base": [{"period": 201611, "revenue": 1}]}, "/base/0/revenue"),
    ],
)
async def test_a_member_nobody_knows_is_refused_however_deep_it_lies(
    county: int,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    path: str,
    given: dict[str, Any],
    pointer: str,
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}

    answer = await http.put(f"/v1/branches/{county}/{path}", json=given, headers=headers)

    faults = [(one["pointer"], one["code"]) for one in answer.json()["errors"]]
    assert (answer.status_code, (pointer, "extra-forbidden") in faults) == (422, True)


async def test_signing_seals_the_fields_and_publishes_them_before_the_contract(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_field(county, "F2", regional(f"{county}101"))
    await manager.put_field(county, "F1", regional(f"{county}100"))
    await manager.put_contract(county, "CT-C1", contract("C1", "F2", "F1"))
    before = len(await manager.feed(county, after=0))

    signed = await bind(caller, county, "CT-C1")
    again = await bind(caller, county, "CT-C1")

    assert signed == again
    assert signed.state is LockState.SEALED
    assert len(signed.digest or "") == 64
    assert signed.signed_by == "test:contractor"
    assert (await facts(manager, county))[before:] == [
        ("field.sealed", "F2"),
        ("field.sealed", "F1"),
        ("contract.signed", "CT-C1"),
    ]
    fields = await manager.fields(county)
    assert [(one.field_id, one.state, one.contract_id) for one in fields] == [
        ("F1", LockState.SEALED, "CT-C1"),
        ("F2", LockState.SEALED, "CT-C1"),
    ]
    entry = (await manager.feed(county, after=before))[1]
    assert entry.data["digest"] == fields[0].digest
    assert entry.data["scope"]["address_prefixes"] == [f"{county}100"]


async def test_a_draft_may_be_redrawn_and_a_sealed_field_may_not(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    drawn = regional(f"{county}100")
    redrawn = regional(f"{county}100", f"{county}101")
    await manager.put_field(county, "F1", drawn)
    answered = await manager.put_field(county, "F1", redrawn)
    assert answered.scope.model_dump() == redrawn.scope.model_dump()
    await manager.put_contract(county, "CT-C1", contract("C1", "F1"))
    await bind(caller, county, "CT-C1")

    with pytest.raises(PeerProblem) as refused:
        await manager.put_field(county, "F1", drawn)
    in_other_order = regional(f"{county}101", f"{county}100")
    unchanged = await manager.put_field(county, "F1", in_other_order)

    assert (refused.value.status, refused.value.code) == (409, "field-sealed")
    assert unchanged.state is LockState.SEALED
    [one] = await caller(Role.CONTRACTOR, ["C1"]).refused_changes(county)
    assert (one.number, one.subject_kind, one.subject_id, one.centre_id) == (1, "field", "F1", "C1")
    assert (one.asked_by, one.code) == ("test:county_manager", "field-sealed")
    assert one.digest == unchanged.digest
    whole = await manager.refused_change(county, 1)
    assert whole.asked["scope"]["address_prefixes"] == [f"{county}100"]
    assert await caller(Role.CONTRACTOR, ["C2"]).refused_changes(county) == []


@pytest.mark.parametrize("kind", ["fields", "contracts"])
async def test_a_draft_is_redrawn_only_from_the_version_its_caller_read(
    county: int, http: httpx.AsyncClient, token: Callable[..., str], kind: str
) -> None:
    def named(number: int) -> dict[str, Any]:
        if kind == "fields":
            return regional(f"{county}{number}").model_dump(mode="json")
        drafted = contract("C1", f"F{number}")
        return drafted.model_dump(mode="json")

    own = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    url = f"/v1/branches/{county}/{kind}/X1"
    too_early = await http.put(url, json=named(100), headers=own | {"If-Match": "*"})
    made = await http.put(url, json=named(100), headers=own)
    read = (await http.get(url, headers=own)).headers["ETag"]

    first = await http.put(url, json=named(101), headers=own | {"If-Match": read})
    lost = await http.put(url, json=named(102), headers=own | {"If-Match": read})
    again = await http.put(url, json=named(101), headers=own | {"If-Match": read})
    unasked = await http.put(url, json=named(103), headers=own)

    answers = [too_early, made, first, lost, again, unasked]
    assert [one.status_code for one in answers] == [412, 201, 200, 412, 200, 200]
    assert lost.json()["code"] == "stale-version"
    assert made.headers["ETag"] == read
    assert first.headers["ETag"] == again.headers["ETag"] != read
    assert (await http.get(url, headers=own)).headers["ETag"] == unasked.headers["ETag"]


async def test_a_change_of_what_is_sealed_is_on_record_whatever_version_it_names(
    county: int, manager: ContractsClient, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    given = contract(None).model_copy(update={"base": []}).model_dump(mode="json")
    headers = {
        "Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}",
        "If-Match": '"stale"',
    }

    answer = await http.put(
        f"/v1/branches/{county}/contracts/CT-COUNTY", json=given, headers=headers
    )

    assert answer.json()["code"] == "contract-signed"
    assert len(await manager.refused_changes(county)) == 1


async def test_refused_changes_are_numbered_without_gaps_however_many_come_at_once(
    county: int, manager: ContractsClient, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    changed = contract(None).model_copy(update={"base": []})

    outcomes = await asyncio.gather(
        *(manager.put_contract(county, "CT-COUNTY", changed) for _ in range(12)),
        return_exceptions=True,
    )

    assert {getattr(one, "code", None) for one in outcomes} == {"contract-signed"}
    headers = {"Authorization": f"Bearer {token(Role.AUDITOR, county)}"}
    url = f"/v1/branches/{county}/refused-changes"
    page = (await http.get(url, params={"limit": 5}, headers=headers)).json()
    following = {"limit": 500, "cursor": page["next_cursor"]}
    rest = (await http.get(url, params=following, headers=headers)).json()
    numbers = [one["number"] for one in page["items"] + rest["items"]]
    assert numbers == list(range(1, 13))


async def test_an_attempt_sent_again_under_its_key_is_answered_again_and_recorded_once(
    county: int, manager: ContractsClient, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    given = contract(None).model_copy(update={"base": []}).model_dump(mode="json")
    headers = {
        "Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}",
        "Idempotency-Key": "once",
    }
    url = f"/v1/branches/{county}/contracts/CT-COUNTY"

    answers = [await http.put(url, json=given, headers=headers) for _ in range(2)]

    assert [one.status_code for one in answers] == [409, 409]
    assert {one.headers["content-type"] for one in answers} == {"application/problem+json"}
    assert len(await manager.refused_changes(county)) == 1


async def test_a_signed_contract_told_in_another_order_is_the_same_contract(
    county: int, manager: ContractsClient
) -> None:
    given = contract(None)
    reordered = given.model_copy(update={"base": given.base[::-1]})

    answered = await manager.put_contract(county, "CT-COUNTY", reordered)

    assert answered.state is LockState.SEALED
    assert await manager.refused_changes(county) == []


async def test_contracts_page_by_id_and_a_contractor_sees_its_own_only(
    county: int,
    manager: ContractsClient,
    caller: Caller,
    http: httpx.AsyncClient,
    token: Callable[..., str],
) -> None:
    for centre_id in ("C1", "C2"):
        await manager.put_contract(county, f"CT-{centre_id}", contract(centre_id))
    headers = {"Authorization": f"Bearer {token(Role.AUDITOR, county)}"}
    url = f"/v1/branches/{county}/contracts"

    page = (await http.get(url, params={"limit": 2}, headers=headers)).json()
    following = {"limit": 2, "cursor": page["next_cursor"]}
    rest = (await http.get(url, params=following, headers=headers)).json()

    seen = [(one["contract_id"], one["state"]) for one in page["items"] + rest["items"]]
    assert seen == [("CT-C1", "draft"), ("CT-C2", "draft"), ("CT-COUNTY", "sealed")]
    own = await caller(Role.CONTRACTOR, ["C2"]).contracts(county)
    assert [one.contract_id for one in own] == ["CT-C2"]


async def test_a_signed_contract_does_not_change(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    changed = contract(None).model_copy(update={"base": []})

    with pytest.raises(PeerProblem) as refused:
        await manager.put_contract(county, "CT-COUNTY", changed)

    assert refused.value.code == "contract-signed"
    recorded = await manager.refused_changes(county)
    assert [(one.subject_id, one.centre_id) for one in recorded] == [("CT-COUNTY", None)]
    assert await caller(Role.CONTRACTOR, ["C1"]).refused_changes(county) == []


async def test_an_overlapping_field_is_refused_by_name_and_nothing_of_its_contract_stays(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100"))
    await manager.put_contract(county, "CT-C1", contract("C1", "F1"))
    await bind(caller, county, "CT-C1")
    await manager.put_field(county, "F2", regional(f"{county}102", centre_id="C2"))
    await manager.put_field(county, "F3", regional(f"{county}100201", centre_id="C2"))
    await manager.put_contract(county, "CT-C2", contract("C2", "F2", "F3"))
    before = await facts(manager, county)

    with pytest.raises(PeerProblem) as refused:
        await bind(caller, county, "CT-C2")

    assert (refused.value.status, refused.value.code) == (409, "field-overlap")
    assert refused.value.body["field_ids"] == ["F3", "F1"]
    states = {one.field_id: one.state for one in await manager.fields(county)}
    assert states == {"F1": LockState.SEALED, "F2": LockState.DRAFT, "F3": LockState.DRAFT}
    assert await facts(manager, county) == before


async def test_the_same_area_may_be_contracted_for_again_in_the_next_term(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_contract(county, "CT-COUNTY-2", contract(None, first=201811))
    await bind(caller, county, "CT-COUNTY-2")
    for first, name in ((201711, "1"), (201811, "2")):
        await manager.put_field(county, f"F{name}", regional(f"{county}100", first=first))
        await manager.put_contract(county, f"CT-{name}", contract("C1", f"F{name}", first=first))
        await bind(caller, county, f"CT-{name}")

    states = {one.state for one in await manager.fields(county)}
    assert states == {LockState.SEALED}


@pytest.mark.parametrize("shared", ["customer", "channel"])
async def test_a_listed_customer_or_channel_has_one_field_in_a_term(
    county: int, manager: ContractsClient, shared: str, caller: Caller
) -> None:
    channel = ChannelIn(kind=ChannelKind.OWN_HALL, centre_id="C1", name_zh="自有厅")
    await manager.put_channel(county, "H1", channel)
    halls = FieldIn(
        kind=FieldKind.CHANNEL,
        centre_id="C1",
        name_zh="厅",
        term_from=201711,
        term_to=201810,
        scope=FieldScopeIn(channel_ids=["H1"], channel_mode=ChannelMode.ISOLATED),
    )
    field = listed("K1", centre_id="C1") if shared == "customer" else halls
    for name, centre_id in (("F1", "C1"), ("F2", "C2")):
        await manager.put_field(county, name, field.model_copy(update={"centre_id": centre_id}))
        await manager.put_contract(county, f"CT-{name}", contract(centre_id, name))
    await bind(caller, county, "CT-F1")

    with pytest.raises(PeerProblem) as refused:
        await bind(caller, county, "CT-F2")

    assert refused.value.body["field_ids"] == ["F2", "F1"]


async def test_of_two_contracts_signed_at_once_over_one_area_one_holds(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    for name, centre_id in (("F1", "C1"), ("F2", "C2")):
        await manager.put_field(county, name, regional(f"{county}100", centre_id=centre_id))
        await manager.put_contract(county, f"CT-{name}", contract(centre_id, name))

    outcomes = await asyncio.gather(
        *(bind(caller, county, f"CT-{name}") for name in ("F1", "F2")), return_exceptions=True
    )

    [refused] = [one for one in outcomes if isinstance(one, PeerProblem)]
    assert refused.code == "field-overlap"


@pytest.fixture
async def sealed(county: int, manager: ContractsClient, caller: Caller) -> int:
    """Seal a field of each kind: F1 an area, K1 a list, H1 a hall."""
    hall = ChannelIn(kind=ChannelKind.OWN_HALL, centre_id="C1", name_zh="自有厅")
    await manager.put_channel(county, "HALL", hall)
    area = regional(f"{county}100")
    area = area.model_copy(
        update={"scope": area.scope.model_copy(update={"resource_prefixes": ["OLT-1"]})}
    )
    halls = FieldIn(
        kind=FieldKind.CHANNEL,
        centre_id="C1",
        name_zh="厅",
        term_from=201711,
        term_to=201810,
        scope=FieldScopeIn(channel_ids=["HALL"], channel_mode=ChannelMode.ISOLATED),
    )
    drawn = {"F1": area, "K1": listed("CUSTOMER", centre_id="C1"), "H1": halls}
    for field_id, field in drawn.items():
        await manager.put_field(county, field_id, field)
    await manager.put_contract(county, "CT-C1", contract("C1", *drawn))
    await bind(caller, county, "CT-C1")
    return county


async def refused_by_database(app: FastAPI, statement: Any) -> str | None:
    with pytest.raises(DBAPIError) as refused:
        async with app.state.database.write(EVERYTHING) as connection:
            await connection.execute(statement)
    return getattr(refused.value.orig, "sqlstate", None)


async def seal_beside(
    app: FastAPI, branch_id: int, table: Table, covered: dict[str, str], term: dict[str, int]
) -> None:
    """Seal another field by SQL: its text, and the row of it that refuses overlaps."""
    field_id = covered["field_id"] + "-N"
    listed_as = {key: value for key, value in covered.items() if key != "field_id"}
    scope: dict[str, list[Any]] = {
        "address_prefixes": [],
        "resource_prefixes": [],
        "customers": [],
        "channel_ids": [],
    }
    name = {
        sealed_customers.name: "customers",
        sealed_channels.name: "channel_ids",
        sealed_resources.name: "resource_prefixes",
    }[table.name]
    scope[name] = [listed_as if name == "customers" else next(iter(listed_as.values()))]
    key = {"branch_id": branch_id, "field_id": field_id}
    drawn = {"kind": "regional", "centre_id": "C1", "name_zh": "旁边", "scope": scope} | term
    async with app.state.database.write(EVERYTHING) as connection:
        await connection.execute(insert(fields).values(key | drawn))
        await connection.execute(
            insert(sealed_fields).values(
                key
                | {"contract_id": "CT-N", "digest": "0", "sealed_at": datetime.now(UTC)}
                | {"document": key | drawn}
            )
        )
        await connection.execute(insert(table).values(key | listed_as | term))


WITHIN_THE_TERM = {"term_from": 201803, "term_to": 201901}
BEHIND_THE_TERM = {"term_from": 201811, "term_to": 201910}


@pytest.mark.parametrize(
    ("table", "covered"),
    [
        (sealed_customers, {"field_id": "K1", "customer_id": "CUSTOMER", "segment": "campus"}),
        (sealed_channels, {"field_id": "H1", "channel_id": "HALL"}),
        (sealed_resources, {"field_id": "F1", "prefix": "OLT-1"}),
        (sealed_resources, {"field_id": "F1", "prefix": "OLT-1:PON-3"}),
        (sealed_resources, {"field_id": "F1", "prefix": "OLT-"}),
    ],
)
async def test_the_database_lets_nothing_be_under_two_fields_in_one_term(
    sealed: int, app: FastAPI, table: Table, covered: dict[str, str]
) -> None:
    own = {"branch_id": sealed} | covered

    code = await refused_by_database(app, insert(table).values(own | WITHIN_THE_TERM))

    assert code == "23P01"
    await seal_beside(app, sealed, table, covered, BEHIND_THE_TERM)


async def test_the_database_lets_an_address_be_under_one_field_in_a_term(
    sealed: int, app: FastAPI
) -> None:
    inside = {
        "branch_id": sealed,
        "field_id": "F1",
        "prefix": f"{sealed}100201",
        "scope": Range(*address_range(f"{sealed}100201"), bounds="[)"),
        "term": Range(201801, 201802, bounds="[)"),
    }

    assert await refused_by_database(app, insert(sealed_scopes).values(inside)) == "23P01"


async def test_neighbours_of_what_is_sealed_are_free(sealed: int, app: FastAPI) -> None:
    for table, covered in (
        (sealed_customers, {"field_id": "K1", "customer_id": "CUSTOMER2", "segment": "campus"}),
        (sealed_channels, {"field_id": "H1", "channel_id": "HAL"}),
        (sealed_resources, {"field_id": "F1", "prefix": "OLT-2"}),
    ):
        await seal_beside(app, sealed, table, covered, WITHIN_THE_TERM)


async def test_nothing_is_added_to_a_sealed_scope_that_its_text_does_not_have(
    sealed: int, app: FastAPI
) -> None:
    own, held = {"branch_id": sealed}, "23001"
    free = address_range(f"{sealed}109")
    term = Range(201711, 201811, bounds="[)")
    additions: list[tuple[Table, dict[str, Any]]] = [
        (
            sealed_scopes,
            {"field_id": "F1", "prefix": f"{sealed}109", "scope": Range(*free), "term": term},
        ),
        (
            sealed_customers,
            {"field_id": "K1", "customer_id": "NEW", "segment": "campus"} | BEHIND_THE_TERM,
        ),
        (sealed_channels, {"field_id": "H1", "channel_id": "HALL"} | BEHIND_THE_TERM),
        (sealed_resources, {"field_id": "F1", "prefix": "OLT-2"} | WITHIN_THE_TERM),
    ]

    for table, row in additions:
        code = await refused_by_database(app, insert(table).values(own | row))
        assert (table.name, code) == (table.name, held)


async def test_the_database_refuses_to_change_or_remove_what_is_sealed(
    sealed: int, app: FastAPI, manager: ContractsClient
) -> None:
    before = await manager.field(sealed, "F1")
    denied, held = "42501", "23001"
    this_field = fields.c.branch_id == sealed, fields.c.field_id == "F1"
    attempts: list[tuple[Any, str]] = [
        *((update(table).values(field_id="F9"), denied) for table in SEALED),
        *((delete(table), denied) for table in SEALED),
        *((text(f"TRUNCATE {table.fullname} CASCADE"), denied) for table in (*SEALED, fields)),
        (update(channels).values(centre_id="C2"), denied),
        (update(fields).where(*this_field).values(scope={}), held),
        (update(fields).where(*this_field).values(centre_id="C2"), held),
        (delete(fields).where(*this_field), held),
        (update(contracts).where(contracts.c.branch_id == sealed).values(base=[]), held),
        (text("ALTER TABLE contracts.fields DISABLE TRIGGER ALL"), denied),
        (text("DROP TRIGGER hold_sealed ON contracts.fields"), denied),
    ]

    for statement, code in attempts:
        assert (str(statement), await refused_by_database(app, statement)) == (str(statement), code)

    assert await manager.field(sealed, "F1") == before


async def test_a_resource_lies_under_one_field_in_a_term_whatever_begins_with_it(
    sealed: int, manager: ContractsClient, caller: Caller
) -> None:
    given = regional(f"{sealed}101", centre_id="C2")
    other = given.model_copy(
        update={"scope": given.scope.model_copy(update={"resource_prefixes": ["OLT-1:PON-3"]})}
    )
    await manager.put_field(sealed, "F2", other)
    await manager.put_contract(sealed, "CT-C2", contract("C2", "F2"))

    with pytest.raises(PeerProblem) as refused:
        await bind(caller, sealed, "CT-C2")

    assert (refused.value.code, refused.value.body["field_ids"]) == ("field-overlap", ["F2", "F1"])


async def test_a_centre_cannot_sign_before_the_county(
    manager: ContractsClient, branch_id: int, caller: Caller
) -> None:
    await manager.register_branch(
        branch_id, BranchIn(name="Y", name_zh="云泽", default_centre_id="C0")
    )
    await manager.put_centre(
        branch_id, "C1", CentreIn(kind=CentreKind.TOWN, name="C1", name_zh="县城")
    )
    await manager.put_person(branch_id, contractor("C1"), member_of("C1"))
    await manager.put_field(branch_id, "F1", regional(f"{branch_id}100"))
    await manager.put_contract(branch_id, "CT-C1", contract("C1", "F1"))

    with pytest.raises(PeerProblem) as refused:
        await bind(caller, branch_id, "CT-C1")

    assert refused.value.code == "county-contract-first"


async def test_coverage_names_the_villages_left_out_and_those_taken_twice(
    county: int, manager: ContractsClient
) -> None:
    town = f"{county}100"
    villages = [f"{town}{number}" for number in (201, 202, 203, 204)]
    await manager.add_divisions(
        county,
        [
            DivisionIn(code=one, name="村", level=DivisionLevel.VILLAGE, parent_code=town)
            for one in villages
        ],
    )
    assert (await manager.coverage(county)).gaps == villages
    await manager.put_field(county, "F1", regional(villages[0], villages[1]))
    await manager.put_field(county, "F2", regional(villages[1], f"{villages[2]}01"))

    found = await manager.coverage(county)

    assert (found.period, found.villages) == (201711, 4)
    assert (found.gaps, found.partial) == ([villages[3]], [villages[2]])
    assert [(one.code, one.field_ids) for one in found.overlaps] == [(villages[1], ["F1", "F2"])]
    assert (await manager.coverage(county, period=201811)).gaps == villages


async def test_payroll_is_recorded_once_and_published_with_the_heads_at_both_ends(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    def person(centre_id: str, day: date, engagement: Engagement = Engagement.OWN) -> PersonIn:
        return PersonIn(engagement=engagement, centre_id=centre_id, position="member", from_day=day)

    await manager.put_person(county, "P1", person("C1", date(2017, 11, 1)))
    await manager.put_person(county, "P2", person("C1", date(2017, 11, 1)))
    await manager.put_person(county, "P2", person("C2", date(2017, 11, 16)))
    outsourced = person("C1", date(2017, 11, 1), Engagement.OUTSOURCED)
    await manager.put_person(county, "W1", outsourced)
    finance = caller(Role.COUNTY_FINANCE)

    def pay(person_id: str, pay_fen: int) -> PayIn:
        return PayIn(person_id=person_id, centre_id="C1", period=201711, pay_fen=pay_fen)

    [first] = await finance.record_payroll(county, [pay("P1", 600_000)])
    [again] = await finance.record_payroll(county, [pay("P1", 600_000)])
    [both] = await finance.record_payroll(county, [pay("P1", 600_000), pay("P2", 300_000)])

    assert first == again
    assert (both.pay_fen, both.headcount_start, both.headcount_end) == (900_000, 3, 2)
    published = [
        one.data["pay_fen"]
        for one in await manager.feed(county, after=0)
        if one.type == "contracts.payroll.recorded"
    ]
    assert published == [600_000, 900_000]
    for given, code in ((pay("P1", 1), "conflict"), (pay("W1", 1), "not-payable")):
        with pytest.raises(PeerProblem) as refused:
            await finance.record_payroll(county, [given])
        assert refused.value.code == code


async def test_a_contractors_pay_is_held_against_the_teams_and_the_limit_that_is_agreed(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100"))
    given = contract("C1", "F1")
    terms = given.terms.model_copy(update={"pay_limit": PayLimit()})
    await manager.put_contract(county, "CT-C1", given.model_copy(update={"terms": terms}))
    with pytest.raises(PeerProblem) as unsigned:
        await manager.pay_comparison(county, "CT-C1", period=201711)
    await bind(caller, county, "CT-C1")
    for person_id in ("M1", "M2"):
        await manager.put_person(county, person_id, member_of("C1"))
    await manager.put_person(county, "M3", member_of("C2"))
    finance = caller(Role.COUNTY_FINANCE)

    async def pay(period: int, **paid: int) -> None:
        of = {contractor("C1"): "C1", "M1": "C1", "M2": "C1", "M3": "C2"}
        names = {"boss": contractor("C1")}
        await finance.record_payroll(
            county,
            [
                PayIn(person_id=one, centre_id=of[one], period=period, pay_fen=fen)
                for name, fen in paid.items()
                for one in [names.get(name, name)]
            ],
        )

    await pay(201711, boss=900_000)
    alone = await manager.pay_comparison(county, "CT-C1", period=201711)
    await pay(201711, M1=300_000, M3=90)
    await pay(201712, boss=1_000_000, M1=300_000, M2=300_000)

    november = await manager.pay_comparison(county, "CT-C1", period=201711)
    both = await caller(Role.CONTRACTOR, ["C1"]).pay_comparison(county, "CT-C1", period=201712)

    assert unsigned.value.code == "not-in-term"
    assert (alone.within, alone.most_fen, alone.member_months) == (None, None, 0)
    assert (november.within, november.most_fen) == (True, 900_000)
    assert (both.contractor_id, both.period_from, both.period_to) == ("P-C1", 201711, 201712)
    assert (both.contractor_fen, both.contractor_months) == (1_900_000, 2)
    assert (both.members_fen, both.member_months) == (900_000, 3)
    assert (both.most_times, both.most_fen, both.within) == (3, 1_800_000, False)
    for client, contract_id, code in (
        (caller(Role.CONTRACTOR, ["C2"]), "CT-C1", "not-found"),
        (manager, "CT-COUNTY", "not-found"),
    ):
        with pytest.raises(PeerProblem) as refused:
            await client.pay_comparison(county, contract_id, period=201711)
        assert refused.value.code == code


async def test_pay_that_is_told_as_a_sum_may_pass_the_bound_of_a_single_one(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100"))
    await manager.put_contract(county, "CT-C1", contract("C1", "F1"))
    await bind(caller, county, "CT-C1")
    await manager.put_person(county, "M1", member_of("C1"))
    await caller(Role.COUNTY_FINANCE).record_payroll(
        county,
        [
            PayIn(person_id="M1", centre_id="C1", period=period, pay_fen=MAX_AMOUNT_FEN)
            for period in (201711, 201712)
        ],
    )

    found = await manager.pay_comparison(county, "CT-C1", period=201712)

    assert found.members_fen == 2 * MAX_AMOUNT_FEN
    # Nothing is agreed here, so that nothing is kept or broken.
    assert (found.most_times, found.most_fen, found.within) == (None, None, None)


async def test_a_contractor_sees_its_own_centre_only_and_writes_nothing(
    county: int,
    manager: ContractsClient,
    caller: Caller,
    http: httpx.AsyncClient,
    token: Callable[..., str],
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100"))
    await manager.put_field(county, "F2", regional(f"{county}101", centre_id="C2"))
    await manager.put_contract(county, "CT-C1", contract("C1", "F1"))
    contractor = caller(Role.CONTRACTOR, ["C2"])
    headers = {"Authorization": f"Bearer {token(Role.CONTRACTOR, county, ['C2'])}"}

    seen = {
        path: (await http.get(f"/v1/branches/{county}/{path}", headers=headers)).status_code
        for path in (
            "fields/F1",
            "fields/F2",
            "centres/C1",
            "centres/C2",
            "contracts/CT-C1",
            "contracts/CT-COUNTY",
            "coverage",
        )
    }

    assert [one.field_id for one in await contractor.fields(county)] == ["F2"]
    assert seen == {
        "fields/F1": 404,
        "fields/F2": 200,
        "centres/C1": 404,
        "centres/C2": 200,
        "contracts/CT-C1": 404,
        "contracts/CT-COUNTY": 404,
        "coverage": 403,
    }
    with pytest.raises(PeerProblem) as refused:
        await contractor.put_field(county, "F2", regional(f"{county}102", centre_id="C2"))
    assert refused.value.code == "forbidden"


async def test_a_share_of_101_percent_has_a_code_of_its_own_in_both_languages(
    county: int, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    given = contract("C1", "F1").model_dump(mode="json")
    given["terms"]["profit_share"]["tiers"][0]["share"] = "1.01"
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}

    answer = await http.put(f"/v1/branches/{county}/contracts/CT-C1", json=given, headers=headers)

    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == "/terms/profit_share/tiers/0/share"
    assert fault["code"] == "share-out-of-range"
    assert fault["message_zh"] == "比例须在 0 到 1 之间"


async def test_a_centres_contract_names_its_contractor_and_nobody_unknown(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100"))
    named = contract("C1", "F1")
    nobody = named.parties.contracting.model_copy(update={"represented_by": None})
    unnamed = named.model_copy(
        update={"parties": named.parties.model_copy(update={"contracting": nobody})}
    )
    strangers = named.model_copy(
        update={"parties": named.parties.model_copy(update={"member_ids": ["P-C2", "NOBODY"]})}
    )

    with pytest.raises(PeerProblem) as unknown:
        await manager.put_contract(county, "CT-C1", strangers)
    await manager.put_contract(county, "CT-C1", unnamed)
    with pytest.raises(PeerProblem) as unsigned:
        await bind(caller, county, "CT-C1")

    assert unknown.value.code == "unknown-reference"
    assert [one["pointer"] for one in unknown.value.body["errors"]] == ["/parties/member_ids/1"]
    assert unsigned.value.code == "not-signable"
    assert [one["pointer"] for one in unsigned.value.body["errors"]] == [
        "/parties/contracting/represented_by"
    ]
