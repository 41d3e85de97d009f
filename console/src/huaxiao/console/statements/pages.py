"""Pages of settlement statements."""

import asyncio
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Form, Response

from huaxiao.console.page import Page, in_section
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.settlement import AnswerIn, ObjectionIn, StatementFormat

router = APIRouter(prefix="/branches/{branch_id}/statements")
StatementsPage = Annotated[Page, in_section("statements")]
Text = Annotated[str, Form(min_length=1, max_length=2000)]
_SPEAKS = (Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.CONTRACTOR)
_MEDIA = {
    StatementFormat.PDF: "application/pdf",
    StatementFormat.CSV: "text/csv; charset=utf-8",
    StatementFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@router.get("")
async def statements(page: StatementsPage, period: PeriodText | None = None) -> Response:
    """List the statements, of one month or all of them."""
    found, names = await asyncio.gather(
        page.peers.contracts.settlement_statements(page.branch, period=period),
        page.centre_names(),
    )
    return page.show(
        "statements/list.html",
        section="statements",
        statements=sorted(found, key=lambda one: (-one.period, one.centre_id or "")),
        periods=_newest_first(one.period for one in found),
        names=names,
        period=period,
    )


@router.get("/{contract_id}/{period}")
async def statement(page: StatementsPage, contract_id: str, period: PeriodText) -> Response:
    """Show a statement line by line, what both sides say of it, and what can be said."""
    found, names = await asyncio.gather(
        page.peers.contracts.settlement_statement(page.branch, contract_id, period),
        page.centre_names(),
    )
    return page.show(
        "statements/statement.html",
        section="statements",
        statement=found,
        names=names,
        formats=[StatementFormat.PDF, StatementFormat.XLSX, StatementFormat.CSV],
        may_speak=page.bearer.may(*_SPEAKS) and found.state == "draft",
        objections={
            line.number: [one for one in found.objections if one.line == line.number]
            for line in found.lines
        },
    )


@router.get("/{contract_id}/{period}/sheet")
async def sheet(
    page: StatementsPage,
    contract_id: str,
    period: PeriodText,
    format: StatementFormat = StatementFormat.PDF,  # noqa: A002 - the name in the address
) -> Response:
    """Hand out a statement as a file, as contracts makes it."""
    content = await page.peers.contracts.settlement_sheet(page.branch, contract_id, period, format)
    name = f"{contract_id}-{period}.{format}"
    return Response(
        content,
        media_type=_MEDIA[format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("/{contract_id}/{period}/confirm")
async def confirm(
    page: StatementsPage,
    contract_id: str,
    period: PeriodText,
    digest: Annotated[str, Form()],
) -> Response:
    """Confirm the very statement that was shown."""
    await page.peers.contracts.confirm_settlement(page.branch, contract_id, period, digest)
    return page.back(f"statements/{contract_id}/{period}")


@router.post("/{contract_id}/{period}/objections")
async def objects(
    page: StatementsPage,
    contract_id: str,
    period: PeriodText,
    line: Annotated[int, Form()],
    text: Text,
) -> Response:
    """Object to a line."""
    given = ObjectionIn(line=line, text=text)
    await page.peers.contracts.object_to_settlement(page.branch, contract_id, period, given)
    return page.back(f"statements/{contract_id}/{period}")


@router.post("/{contract_id}/{period}/objections/{number}/answer")
async def answer(
    page: StatementsPage, contract_id: str, period: PeriodText, number: int, text: Text
) -> Response:
    """Answer an objection."""
    given = AnswerIn(text=text)
    await page.peers.contracts.answer_objection(page.branch, contract_id, period, number, given)
    return page.back(f"statements/{contract_id}/{period}")


def _newest_first(periods: Iterable[int]) -> list[int]:
    return sorted(set(periods), reverse=True)
