"""The next term, drafted from this one."""

import pytest
from support.register import Caller, bind, contract, county_with_centres, regional

from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.contracts import LockState, RenewalIn

NEXT = RenewalIn(
    contract_id="CT-C1-2018", suffix="2018", base=contract("C1", "F1", first=201811).base
)


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    """Sign a contract of one field, and the county's for two terms."""
    await county_with_centres(caller, branch_id)
    await manager.put_contract(branch_id, "CT-COUNTY-2018", contract(None, first=201811))
    await bind(caller, branch_id, "CT-COUNTY-2018")
    await manager.put_field(branch_id, "F1", regional(f"{branch_id}100"))
    await manager.put_contract(branch_id, "CT-C1", contract("C1", "F1"))
    return branch_id


async def test_the_next_term_is_drafted_signed_and_sealed_beside_the_first(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    signed = await bind(caller, county, "CT-C1")

    drafted = await manager.renew(county, "CT-C1", NEXT)
    field = await manager.field(county, "F1-2018")
    renewed = await bind(caller, county, "CT-C1-2018")

    assert (drafted.state, drafted.term_from, drafted.term_to) == (LockState.DRAFT, 201811, 201910)
    assert (drafted.terms, drafted.parties) == (signed.terms, signed.parties)
    assert (field.scope, field.term_from) == ((await manager.field(county, "F1")).scope, 201811)
    assert renewed.state is LockState.SEALED
    assert await manager.contract(county, "CT-C1") == signed
    assert (await manager.verify_seals(county)).agrees


async def test_what_is_not_signed_or_already_renewed_is_not_renewed(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    with pytest.raises(PeerProblem) as unsigned:
        await manager.renew(county, "CT-C1", NEXT)
    await bind(caller, county, "CT-C1")
    await manager.renew(county, "CT-C1", NEXT)
    with pytest.raises(PeerProblem) as again:
        await manager.renew(county, "CT-C1", NEXT)
    other = NEXT.model_copy(update={"contract_id": "CT-C1-OTHER"})
    with pytest.raises(PeerProblem) as fields:
        await manager.renew(county, "CT-C1", other)

    assert unsigned.value.code == "not-found"
    assert again.value.body["contract_ids"] == ["CT-C1-2018"]
    assert fields.value.body["field_ids"] == ["F1-2018"]


async def test_a_suffix_that_makes_a_code_too_long_is_named(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    long = "F" + "1" * 60
    await manager.put_field(county, long, regional(f"{county}101", centre_id="C2"))
    await manager.put_contract(county, "CT-C2", contract("C2", long))
    await bind(caller, county, "CT-C2")

    with pytest.raises(PeerProblem) as refused:
        await manager.renew(county, "CT-C2", NEXT.model_copy(update={"contract_id": "CT-C2-2018"}))

    assert refused.value.code == "malformed"
    assert [one["pointer"] for one in refused.value.body["errors"]] == ["/suffix"]
