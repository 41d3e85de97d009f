"""Coverage and verification over HTTP: nothing is left out, taken twice, or changed behind a seal."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from support.register import Caller, bind, contract, county_with_centres, listed, regional

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.contracts import (
    AddressUnitIn,
    ChannelIn,
    ChannelKind,
    ChannelMode,
    DivisionIn,
    DivisionLevel,
    FieldIn,
    FieldKind,
    FieldScopeIn,
)

Tamper = Callable[..., Awaitable[None]]


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    """Register a county of one township with two villages."""
    await county_with_centres(caller, branch_id)
    name = str(branch_id)
    division = DivisionIn(code=name, name="县", level=DivisionLevel.COUNTY, parent_code=name[:4])
    township = DivisionIn(
        code=name + "100", name="镇", level=DivisionLevel.TOWNSHIP, parent_code=name
    )
    villages = [
        DivisionIn(
            code=f"{name}100{number}",
            name=f"村{number}",
            level=DivisionLevel.VILLAGE,
            parent_code=township.code,
        )
        for number in (201, 202)
    ]
    await manager.add_divisions(branch_id, [division, township, *villages])
    return branch_id


def unit(county: int, below: str, parent: str | None = None) -> AddressUnitIn:
    village = f"{county}100201"
    return AddressUnitIn(code=village + below, name="小区", parent_code=parent or village)


async def test_the_report_proves_that_every_unit_and_customer_has_one_field(
    county: int, manager: ContractsClient
) -> None:
    first, second = f"{county}100201", f"{county}100202"
    await manager.put_field(county, "F1", regional(first + "01", second))
    in_part = await manager.coverage(county)
    await manager.add_address_units(
        county, [unit(county, "01"), unit(county, "0102", first + "01")]
    )
    proved = await manager.coverage(county)
    await manager.add_address_units(county, [unit(county, "02")])
    found = await manager.coverage(county)

    assert (in_part.complete, in_part.open_villages) == (False, [first])
    assert (proved.complete, proved.address_units) == (True, 2)
    assert (found.complete, found.gaps, found.partial) == (False, [first + "02"], [first])
    assert found.names == {first: "村201", first + "02": "小区", "F1": "片区"}


async def test_customers_on_two_lists_or_dropped_and_channels_in_two_fields_are_named(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_field(county, "G-OLD", listed("K1", "K2"))
    await manager.put_contract(county, "CT-G1", contract("G1", "G-OLD"))
    await bind(caller, county, "CT-G1")
    following = {"term_from": 201811, "term_to": 201910}
    await manager.put_field(county, "G-A", listed("K1").model_copy(update=following))
    await manager.put_field(county, "G-B", listed("K1", "K3").model_copy(update=following))
    await manager.put_channel(
        county, "H1", ChannelIn(kind=ChannelKind.AGENT, centre_id="C1", name_zh="店")
    )
    for field_id in ("H-A", "H-B"):
        channel = FieldIn(
            kind=FieldKind.CHANNEL,
            centre_id="C1",
            name_zh="渠道",
            scope=FieldScopeIn(channel_ids=["H1"], channel_mode=ChannelMode.ISOLATED),
            **following,
        )
        await manager.put_field(county, field_id, channel)

    found = await manager.coverage(county, period=201811)
    now = await manager.coverage(county, period=201711, sealed=True)

    assert [(one.code, one.field_ids) for one in found.customers_listed_twice] == [
        ("K1", ["G-A", "G-B"])
    ]
    assert [(one.customer_id, one.field_id) for one in found.customers_dropped] == [("K2", "G-OLD")]
    assert [(one.code, one.field_ids) for one in found.channels_listed_twice] == [
        ("H1", ["H-A", "H-B"])
    ]
    assert (now.sealed_only, now.customers, now.customers_dropped) == (True, 2, [])


async def test_prefixes_of_two_fields_that_meet_are_named_even_where_nobody_lives(
    county: int, manager: ContractsClient
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}200"))
    inner = regional(f"{county}200301", centre_id="C2")
    resources = inner.scope.model_copy(update={"resource_prefixes": ["OLT-1"]})
    await manager.put_field(county, "F2", inner.model_copy(update={"scope": resources}))
    third = regional(f"{county}100", centre_id="C2")
    port = third.scope.model_copy(update={"resource_prefixes": ["OLT-1:PON-2"]})
    await manager.put_field(county, "F3", third.model_copy(update={"scope": port}))

    found = await manager.coverage(county)

    assert [(one.prefix, one.field_id, one.other_field_id) for one in found.prefix_clashes] == [
        (f"{county}200301", "F2", "F1"),
        ("OLT-1:PON-2", "F3", "F2"),
    ]
    assert not found.complete


async def test_a_unit_has_one_parent_that_is_known_and_contains_it(
    county: int, manager: ContractsClient
) -> None:
    first = f"{county}100201"
    await manager.add_address_units(county, [unit(county, "01")])
    bad: list[tuple[list[AddressUnitIn], str]] = [
        ([unit(county, "0103", f"{county}100202")], "malformed"),
        ([unit(county, "0903", first + "09")], "unknown-reference"),
        ([unit(county, "05", f"{county}100")], "unknown-reference"),
        ([unit(county, "0104", first + "01"), unit(county, "0104")], "two-parents"),
        ([unit(county, "01").model_copy(update={"name": "另名"})], "conflict"),
    ]

    for given, code in bad:
        with pytest.raises(PeerProblem) as refused:
            await manager.add_address_units(county, given)
        assert refused.value.code == code
    known = await manager.add_address_units(county, [unit(county, "01"), unit(county, "06")])
    assert (known.added, known.unchanged) == (1, 1)


@pytest.fixture
async def sealed(county: int, manager: ContractsClient, caller: Caller) -> int:
    """Sign a regional field and a customer field."""
    await manager.put_field(county, "F1", regional(f"{county}100"))
    await manager.put_contract(county, "CT-C1", contract("C1", "F1"))
    await manager.put_field(county, "G1", listed("K1", "K2"))
    await manager.put_contract(county, "CT-G1", contract("G1", "G1"))
    for contract_id in ("CT-C1", "CT-G1"):
        await bind(caller, county, contract_id)
    return county


async def test_a_new_building_in_a_locked_village_falls_to_its_field_and_a_new_customer_waits(
    sealed: int, manager: ContractsClient
) -> None:
    await manager.add_address_units(sealed, [unit(sealed, "77")])
    following = {"term_from": 201811, "term_to": 201910}
    late = listed("K1", "K2", "K-NEW")

    with pytest.raises(PeerProblem) as refused:
        await manager.put_field(sealed, "G1", late)
    await manager.put_field(sealed, "G1-NEXT", late.model_copy(update=following))

    assert (await manager.coverage(sealed, period=201711)).complete
    assert refused.value.code == "field-sealed"
    assert [one.subject_id for one in await manager.refused_changes(sealed)] == ["G1"]


async def test_every_seal_is_computed_again(
    sealed: int, manager: ContractsClient, caller: Callable[..., ContractsClient]
) -> None:
    found = await manager.verify_seals(sealed)
    own = await caller(Role.CONTRACTOR, ["C1"]).verify_seals(sealed)

    assert (found.agrees, found.fields, found.contracts) == (True, 2, 3)
    assert (own.agrees, own.fields, own.contracts) == (True, 1, 1)


@pytest.mark.parametrize(
    ("table", "change", "kind", "what", "pointer"),
    [
        ("fields", "name_zh = '改'", "field", "draft", "/name_zh"),
        ("sealed_fields", "digest = repeat('0', 64)", "field", "published", ""),
        (
            "sealed_fields",
            "document = jsonb_set(document, '{centre_id}', '\"C2\"')",
            "field",
            "digest",
            "",
        ),
        ("sealed_scopes", "prefix = prefix || '9'", "field", "scope", "/address_prefixes/0/prefix"),
        (
            "sealed_customers",
            "customer_id = 'K0' WHERE customer_id = 'K1' AND TRUE",
            "field",
            "scope",
            "/customers/0/customer_id",
        ),
        (
            "contracts",
            "terms = jsonb_set(terms, '{exit,notice_days}', '1') WHERE contract_id = 'CT-C1' AND TRUE",
            "contract",
            "draft",
            "/terms/exit/notice_days",
        ),
        (
            "signatures",
            "digest = repeat('0', 64) WHERE contract_id = 'CT-C1' AND TRUE",
            "contract",
            "published",
            "",
        ),
    ],
)
async def test_what_was_changed_behind_a_seal_is_named(
    sealed: int,
    manager: ContractsClient,
    tamper: Tamper,
    table: str,
    change: str,
    kind: str,
    what: str,
    pointer: str,
) -> None:
    own = f"branch_id = {sealed}"
    where = change.replace("TRUE", own) if "WHERE" in change else f"{change} WHERE {own}"
    past_triggers = "SET LOCAL session_replication_role = replica"
    await tamper(past_triggers, f"UPDATE contracts.{table} SET {where}")

    found = await manager.verify_seals(sealed)

    assert not found.agrees
    first: Any = found.differences[0]
    assert (first.subject_kind, first.what, first.pointer) == (kind, what, pointer)
    assert first.held != first.sealed


@pytest.mark.parametrize(
    ("table", "where", "kind", "what"),
    [
        ("sealed_fields", "field_id = 'F1'", "field", "removed"),
        ("fields", "field_id = 'F1'", "field", "removed"),
        ("signatures", "contract_id = 'CT-C1'", "contract", "removed"),
        ("contracts", "contract_id = 'CT-C1'", "contract", "removed"),
        ("sealed_scopes", "field_id = 'F1'", "field", "scope"),
        ("sealed_customers", "customer_id = 'K2'", "field", "scope"),
    ],
)
async def test_what_was_removed_behind_a_seal_is_missed(
    sealed: int,
    manager: ContractsClient,
    tamper: Tamper,
    table: str,
    where: str,
    kind: str,
    what: str,
) -> None:
    await tamper(
        "SET LOCAL session_replication_role = replica",
        f"DELETE FROM contracts.{table} WHERE branch_id = {sealed} AND {where}",
    )

    found = await manager.verify_seals(sealed)

    assert not found.agrees
    assert (found.differences[0].subject_kind, found.differences[0].what) == (kind, what)


async def test_a_seal_that_is_gone_is_missed_when_its_contract_is_asked_for(
    sealed: int, manager: ContractsClient, tamper: Tamper
) -> None:
    sound = await manager.verify_seals(sealed, "CT-C1")
    await tamper(
        "SET LOCAL session_replication_role = replica",
        f"DELETE FROM contracts.sealed_fields WHERE branch_id = {sealed} AND field_id = 'F1'",
    )

    found = await manager.verify_seals(sealed, "CT-C1")
    whole = await manager.verify_seals(sealed)

    assert (sound.agrees, found.agrees) == (True, False)
    assert [one.what for one in whole.differences] == ["removed", "scope"]


async def test_a_division_is_declared_complete_only_when_its_seals_prove_it(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100201"))
    await manager.put_field(county, "F2", regional(f"{county}100202", centre_id="C2"))
    for centre in ("C1", "C2"):
        await manager.put_contract(county, f"CT-{centre}", contract(centre, f"F{centre[-1]}"))
    await bind(caller, county, "CT-C1")

    with pytest.raises(PeerProblem) as half:
        await manager.declare_coverage(county, 201711)
    await bind(caller, county, "CT-C2")
    declared = await manager.declare_coverage(county, 201711)
    built = DivisionIn(
        code=f"{county}100203",
        name="新村",
        level=DivisionLevel.VILLAGE,
        parent_code=f"{county}100",
    )
    await manager.add_divisions(county, [built])
    again = await manager.declare_coverage(county, 201711)

    assert half.value.code == "coverage-incomplete"
    assert half.value.body["coverage"]["gaps"] == [f"{county}100202"]
    assert (declared.coverage.complete, declared.coverage.villages) == (True, 2)
    assert again == declared == await manager.coverage_declaration(county, 201711)
    assert (await manager.coverage(county, period=201711)).gaps == [f"{county}100203"]
