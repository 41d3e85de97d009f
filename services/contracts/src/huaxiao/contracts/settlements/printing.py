"""A statement as pages to be printed: what it is, its lines, and who has confirmed it."""

import asyncio
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.documents import pdf
from huaxiao.contracts.documents.blocks import Block, Grid, Heading, Paragraph
from huaxiao.contracts.domain.organisation import held_on
from huaxiao.contracts.organisation import store as organisation_store
from huaxiao.contracts.settlements.documents import what_about
from huaxiao.contracts.supplements import handlers as supplements
from huaxiao.shared.money import yuan
from huaxiao.shared.periods import BUSINESS_ZONE, Period, last_day
from huaxiao.shared.wire.settlement import SettlementStatement, Side, StatementState
from huaxiao.shared.wire.terms import Parties, Party

_SIDES = {Side.GRANTING: "发包方 Granting", Side.CONTRACTING: "承包方 Contracting"}


async def printed(
    connection: AsyncConnection,
    branch_id: int,
    statement: SettlementStatement,
    centre_ids: AbstractSet[str] | None,
) -> bytes:
    """Return a statement as a PDF file, with the parties that its period binds."""
    standing = await supplements.standing(
        connection, branch_id, statement.contract_id, statement.period, centre_ids
    )
    centre = "全县 The county"
    if statement.centre_id is not None:
        lives = await organisation_store.centre_lives(connection, branch_id, {statement.centre_id})
        # As it was called when the month was over, whatever it is called now.
        called = held_on(lives[statement.centre_id].states, last_day(Period(statement.period)))
        centre = f"{statement.centre_id} {called.name_zh if called else ''}".rstrip()
    # Setting pages takes a while: others are served meanwhile.
    return await asyncio.to_thread(
        pdf.render,
        blocks_of(statement, standing.parties, centre),
        title=f"{statement.contract_id} {statement.period}",
        note=note_of(statement),
        dated=statement.known_at,
        turned_to_fit=True,
    )


def blocks_of(statement: SettlementStatement, parties: Parties, centre: str) -> list[Block]:
    """Return what a statement says, as its pages show it."""
    lines = Grid(
        (
            "行\nNo.",
            "项目",
            "Item",
            "金额（元）\nAmount (yuan)",
            "计入净额\nCounts",
            "计算\nHow",
            "说明\nAbout",
        ),
        [
            (
                str(line.number),
                line.name_zh,
                line.name,
                yuan(line.amount_fen),
                "是" if line.counts else "",
                line.how or "",
                what_about(line),
            )
            for line in statement.lines
        ],
        right={0, 3},
        marked={index for index, line in enumerate(statement.lines) if line.code == "net"},
    )
    blocks: list[Block] = [
        Heading(0, "结算单 Settlement statement"),
        Grid(("项目 Item", "内容 Content"), _head(statement, parties, centre)),
        Heading(1, "明细 Lines"),
        lines,
        Heading(1, "确认 Confirmations"),
    ]
    if not statement.confirmations:
        return [*blocks, Paragraph("双方均未确认。 Neither side has confirmed.")]
    confirmed = [
        (_SIDES[one.side], one.by, _local(one.at), str(one.revision))
        for one in statement.confirmations
    ]
    return [*blocks, Grid(("方 Side", "确认人 By", "时间 At", "版次 Revision"), confirmed)]


def note_of(statement: SettlementStatement) -> str:
    """Return what stands at the foot of every page, so that no draft passes for what was agreed."""
    marks = "".join(f"【{one}】" for one in _marks(statement))
    what = f"{statement.contract_id}　{statement.period}　版次 {statement.revision}"
    return f"{marks}{what}　摘要（SHA-256）：{statement.digest}"


def _marks(statement: SettlementStatement) -> list[str]:
    drafted = ["草案，未经双方确认 Draft"] if statement.state is StatementState.DRAFT else []
    return drafted + (["暂估，账期未关闭 Provisional"] if statement.provisional else [])


def _head(statement: SettlementStatement, parties: Parties, centre: str) -> list[tuple[str, str]]:
    paid = yuan(statement.payable_fen)
    if statement.payment_stopped:
        paid += "（停止支付 Payment stopped）"
    return [
        ("合同 Contract", statement.contract_id),
        ("中心 Centre", centre),
        ("发包方 Granting", _party(parties.granting)),
        ("承包方 Contracting", _party(parties.contracting)),
        ("账期 Period", str(statement.period)),
        ("状态 State", "；".join(_marks(statement)) or "已关闭 Closed"),
        ("版次 Revision", str(statement.revision)),
        ("数据时点 Known at", _local(statement.known_at)),
        ("摘要 Digest (SHA-256)", statement.digest),
        ("净额 Net (yuan)", yuan(statement.net_fen)),
        ("应付 Payable (yuan)", paid),
        ("结转下期 Carried forward (yuan)", yuan(statement.carried_forward_fen)),
        ("风险金余额 Risk deposit (yuan)", yuan(statement.deposit_fen)),
    ]


def _party(party: Party) -> str:
    return party.name_zh + (f"（{party.represented_by}）" if party.represented_by else "")


def _local(moment: datetime) -> str:
    return moment.astimezone(BUSINESS_ZONE).isoformat(" ", "seconds")
