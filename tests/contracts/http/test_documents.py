"""A contract as a document: every clause, unit and digest stands in it, and text stays text."""

import io

import pytest
from docx import Document
from pypdf import PdfReader
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
from huaxiao.shared.wire.contracts import DocumentFormat
from huaxiao.shared.wire.products import Product
from huaxiao.shared.wire.terms import (
    ContractMode,
    ExcessProfit,
    LineFee,
    PayLimit,
    SupportPerformance,
)


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    await county_with_centres(caller, branch_id)
    return branch_id


def text_of(content: bytes) -> str:
    document = Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([one.text for one in document.paragraphs] + cells)


def pages_of(content: bytes) -> list[str]:
    """Read a PDF back, each page's text without the spaces and breaks that setting it brought."""
    return ["".join(one.extract_text().split()) for one in PdfReader(io.BytesIO(content)).pages]


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


async def test_pay_that_follows_the_reverse_score_stands_in_it_where_it_is_agreed(
    county: int, manager: ContractsClient
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100"))
    given = contract("C1", "F1")
    agreed = SupportPerformance(amount_fen=1_234_500)
    for supports, expected in ((None, False), (agreed, True)):
        terms = given.terms.model_copy(update={"support_performance": supports})
        await manager.put_contract(county, "CT-C1", given.model_copy(update={"terms": terms}))
        text = text_of(await manager.contract_document(county, "CT-C1"))
        assert ("支撑绩效每月 12,345.00 元，其中 40 % 按逆向考核得分计发" in text) is expected


async def test_what_else_is_agreed_stands_in_it_and_nothing_of_it_where_it_is_not(
    county: int, manager: ContractsClient
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100"))
    given = contract("C1", "F1")
    agreed = {
        "mode": ContractMode.STAFF_STARTUP,
        "excess_profit": ExcessProfit(budget_fen=8_000_000_00),
        "pay_limit": PayLimit(),
        "line_fees": [LineFee(product=Product.BROADBAND, fee_fen=350)],
    }
    for changed, expected in (({}, False), (agreed, True)):
        terms = given.terms.model_copy(update=changed)
        await manager.put_contract(county, "CT-C1", given.model_copy(update={"terms": terms}))
        text = text_of(await manager.contract_document(county, "CT-C1"))
        for sentence in (
            "承包方式：员工创业",
            "承包年度毛利预算 8,000,000.00 元",
            "超出部分乙方分成 50 %",
            "承包人薪酬不超过本中心其他人员平均薪酬的 3 倍",
            "出账用户每户每月维护费：宽带 3.50 元",
            "以分成、工单费用与用户月维护费合计的 30 % 为限",
        ):
            assert (sentence in text) is expected, sentence
        # What was signed before there was more to agree on says what it said then.
        assert ("以分成与工单费用合计的 30 % 为限" in text) is not expected


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


async def test_a_pdf_says_the_same_with_the_digest_or_the_draft_on_every_page(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    units = [f"{county}100{number:03d}" for number in range(201, 301)]
    await manager.put_field(county, "F1", regional(*units))
    given = contract("C1", "F1", base_fen=123_456, install_fee_fen=7_000)
    await manager.put_contract(county, "CT-C1", given)
    drafted = await manager.contract_document(county, "CT-C1", DocumentFormat.PDF)
    signed = await bind(caller, county, "CT-C1")

    written = await manager.contract_document(county, "CT-C1", DocumentFormat.PDF)

    assert signed.digest is not None
    pages, before = pages_of(written), pages_of(drafted)
    for number, page in enumerate(pages, 1):
        assert f"CT-C1合同摘要（SHA-256）：{signed.digest}" in page
        assert f"第{number}页/共{len(pages)}页" in page
        assert "草案" not in page
    assert all("CT-C1草案，未签署" in page for page in before)
    # The annex goes on over pages, each under its headers.
    listing = [page for page in pages if any(unit in page for unit in units)]
    assert len(listing) > 1
    assert all("责任田类别编码名称" in page for page in listing)
    text = "".join(pages)
    sealed = await manager.field(county, "F1")
    for expected in (
        "承包经营合同", "第三条共享利益", "云泽县分公司", contractor("C1"), "10,000.00", "5%", "70.00",
        "负面责任清单以外自主经营", "1,234.56", "甲方（签章）：＿＿＿＿＿＿＿＿", "test:county_manager",
        sealed.digest, *units,
    ):  # fmt: skip
        assert expected is not None
        assert expected in text, expected


async def test_a_pdf_embeds_its_fonts_and_is_the_same_bytes_again(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100"))
    await manager.put_contract(county, "CT-C1", contract("C1", "F1"))

    drafts = [await manager.contract_document(county, "CT-C1", DocumentFormat.PDF) for _ in "12"]
    signed = await bind(caller, county, "CT-C1")
    last = [await manager.contract_document(county, "CT-C1", DocumentFormat.PDF) for _ in "12"]

    assert drafts[0] == drafts[1] != last[0] == last[1]
    reader = PdfReader(io.BytesIO(last[0]))
    assert reader.metadata is not None
    assert signed.signed_at is not None
    assert reader.metadata.creation_date == signed.signed_at.replace(microsecond=0)
    assert len(last[0]) < 200_000
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            [descendant] = font["/DescendantFonts"]
            assert "/FontFile2" in descendant.get_object()["/FontDescriptor"]


async def test_text_of_any_kind_is_set_in_a_pdf_as_it_is_or_by_its_code(
    county: int, manager: ContractsClient
) -> None:
    await manager.put_field(county, "F1", regional(f"{county}100"))
    given = contract("C1", "F1")
    odd = "{digest} {nb} @units\n# 标题 <w:p/> & (\\) \x0b\x01\t￿ 𠮷 👨‍👩‍👧 \u202e é Ω “引”\r\n"
    long = odd + "自主经营，" * 700 + "W" * 1_500 + "，" * 200
    terms = given.terms.model_copy(update={"free_scope_zh": long[:5_000]})
    await manager.put_contract(county, "CT-C1", given.model_copy(update={"terms": terms}))

    pages = pages_of(await manager.contract_document(county, "CT-C1", DocumentFormat.PDF))

    text = "".join(pages)
    assert "{digest}{nb}@units" in text
    assert "#标题<w:p/>&(\\)〔U+20BB7〕" in text
    assert "〔U+202E〕éΩ“引”" in text
    assert "〔U+200D〕" in text
    assert text.count("自主经营，") >= 650
    assert all("草案，未签署" in page for page in pages)
