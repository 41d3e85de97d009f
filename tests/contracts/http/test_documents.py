"""A contract as a document: every clause, unit and digest stands in it, and text stays text."""

import io

import pytest
from docx import Document
from support.register import (
    Caller,
    bind,
    contract,
    contractor,
    county_with_centres,
    listed,
    regional,
)

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    await county_with_centres(caller, branch_id)
    return branch_id


def text_of(content: bytes) -> str:
    document = Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([one.text for one in document.paragraphs] + cells)


async def test_every_clause_unit_and_digest_stands_in_the_document(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    field = regional(f"{county}100", f"{county}101")
    resources = field.scope.model_copy(update={"resource_prefixes": ["OLT-7"]})
    await manager.put_field(county, "F1", field.model_copy(update={"scope": resources}))
    await manager.put_contract(
        county, "CT-C1", contract("C1", "F1", base_fen=123_456, install_fee_fen=7_000)
    )
    drafted = text_of(await manager.contract_document(county, "CT-C1"))
    signed = await bind(caller, county, "CT-C1")

    text = text_of(await manager.contract_document(county, "CT-C1"))

    assert "草案" in drafted
    assert "草案" not in text
    sealed = await manager.field(county, "F1")
    for expected in (
        "CT-C1", "云泽县分公司", contractor("C1"), "10,000.00", "5 %", "80 %", "70.00",
        "负面责任清单以外自主经营", "1,234.56", f"{county}100", f"{county}101", "OLT-7",
        "test:county_manager", "test:contractor", signed.digest, sealed.digest,
    ):  # fmt: skip
        assert expected is not None
        assert expected in text, expected
    assert "{" not in text
    assert "@" not in text


async def test_text_that_looks_like_the_templates_marks_stays_text(
    county: int, manager: ContractsClient
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100"))
    given = contract("C1", "F1")
    odd = "{digest} @units\n# 标题 <w:p/> & \x0b ￿ 𠮷"
    terms = given.terms.model_copy(update={"free_scope_zh": odd})
    await manager.put_contract(county, "CT-C1", given.model_copy(update={"terms": terms}))

    text = text_of(await manager.contract_document(county, "CT-C1"))

    assert "{digest} @units" in text
    assert "# 标题 <w:p/> &" in text
    assert "𠮷" in text


async def test_a_long_list_is_in_it_and_another_centre_gets_nothing(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_field(county, "G1", listed(*(f"K{number:04d}" for number in range(500))))
    await manager.put_contract(county, "CT-G1", contract("G1", "G1"))

    text = text_of(await caller(Role.CONTRACTOR, ["G1"]).contract_document(county, "CT-G1"))
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.CONTRACTOR, ["C1"]).contract_document(county, "CT-G1")

    assert all(f"K{number:04d}" in text for number in range(500))
    assert refused.value.status == 404
