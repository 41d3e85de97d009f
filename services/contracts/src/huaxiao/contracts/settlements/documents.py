"""A question and its answer as JSON, as they are stored with a statement and read again."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from huaxiao.contracts.documents.filling import AREAS, ORDERS, PRODUCTS
from huaxiao.contracts.domain.settlement import Question, Settlement
from huaxiao.contracts.domain.statement_lines import Line
from huaxiao.shared.documents import digest
from huaxiao.shared.money import yuan
from huaxiao.shared.wire.settlement import SettlementLine, SettlementStatement, Side

_questions = TypeAdapter(Question)
_answers = TypeAdapter(Settlement)


def question_document(question: Question) -> dict[str, Any]:
    """Write a question down; terms that several months share stand once."""
    document: dict[str, Any] = _questions.dump_python(question, mode="json")
    agreed: list[Any] = []
    for month in document["months"]:
        if month["terms"] not in agreed:
            agreed.append(month["terms"])
        month["terms"] = agreed.index(month["terms"])
    return document | {"agreed": agreed}


def read_question(document: dict[str, Any]) -> Question:
    """Read a question as it was written down."""
    months = [month | {"terms": document["agreed"][month["terms"]]} for month in document["months"]]
    members = {name: value for name, value in document.items() if name != "agreed"}
    return _questions.validate_python(members | {"months": months})


def answer_document(answer: Settlement) -> dict[str, Any]:
    """Write an answer down."""
    document: dict[str, Any] = _answers.dump_python(answer, mode="json")
    for month in document["months"]:
        # Statements of before there was such pay have the digest of what they say, and no more.
        for name in ("support_fen", "line_fees_fen"):
            if not month[name]:
                del month[name]
    return document


def read_answer(document: dict[str, Any]) -> Settlement:
    """Read an answer as it was written down."""
    return _answers.validate_python(document)


def statement_digest(
    contract_id: str, period: int, answer: dict[str, Any], *, provisional: bool
) -> str:
    """Return the digest of a statement's figures: what each side confirms."""
    return digest(
        {
            "contract_id": contract_id,
            "period": period,
            "provisional": provisional,
            "answer": answer,
        }
    )


def wire_line(line: Line) -> SettlementLine:
    """Return a line as the wire has it."""
    return SettlementLine(
        number=line.number,
        code=line.code,
        name=line.name,
        name_zh=line.name_zh,
        amount_fen=line.amount_fen,
        counts=line.counts,
        how=line.how,
        about=line.about,
    )


def what_about(line: SettlementLine) -> str:
    """Return what a line is about, as people read it: a kind of order, a violation, a month."""
    words: dict[str, Mapping[Any, str]] = {"kind": ORDERS, "area": AREAS, "product": PRODUCTS}
    return "、".join(
        str(words.get(name, {}).get(one, one))
        for name, one in line.about.items()
        if one is not None
    )


def sheet_rows(statement: SettlementStatement) -> list[list[str]]:
    """Return a statement as rows of text: what it is, its lines in yuan, and who has confirmed it."""
    head = [
        ["行", "项目", "Item", "金额（元）", "计入净额", "计算", "说明"],
        ["", "合同", "Contract", "", "", "", statement.contract_id],
        ["", "账期", "Period", "", "", "", str(statement.period)],
        ["", "状态", "State", "", "", "", f"{statement.state}, {statement.revision}"],
        ["", "摘要", "Digest", "", "", "", statement.digest],
    ]
    lines = [
        [
            str(line.number),
            line.name_zh,
            line.name,
            yuan(line.amount_fen),
            "是" if line.counts else "",
            line.how or "",
            what_about(line),
        ]
        for line in statement.lines
    ]
    sides = {
        Side.GRANTING: ("发包方确认", "Granting"),
        Side.CONTRACTING: ("承包方确认", "Contracting"),
    }
    confirmed = [
        ["", *sides[one.side], "", "", "", f"{one.by}, {one.at.isoformat()}"]
        for one in statement.confirmations
    ]
    return head + lines + confirmed
