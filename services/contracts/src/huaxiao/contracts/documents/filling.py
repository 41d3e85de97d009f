"""What a contract fills its template with."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from huaxiao.contracts.documents.blocks import Grid
from huaxiao.contracts.domain.statement_lines import percent
from huaxiao.shared.money import yuan
from huaxiao.shared.wire.contracts import (
    ChannelMode,
    Contract,
    FieldKind,
    LockState,
    ResponsibilityField,
    Segment,
)
from huaxiao.shared.wire.dispatch import Area, OrderKind
from huaxiao.shared.wire.products import Product
from huaxiao.shared.wire.settlement import Side
from huaxiao.shared.wire.signing import SideSignature
from huaxiao.shared.wire.terms import ContractMode, ContractTerms, SupportPerformance, TargetMeasure

_KINDS = {
    FieldKind.REGIONAL: "地域型",
    FieldKind.CUSTOMER: "特征型",
    FieldKind.CHANNEL: "渠道型",
}
_MODES = {ChannelMode.ISOLATED: "隔离划小", ChannelMode.PUSHED_DOWN: "下沉"}
_SEGMENTS = {
    Segment.KEY_ACCOUNT: "清单大客",
    Segment.CLUSTER: "清单聚类市场",
    Segment.HIGH_VALUE_SMB: "清单高值商客",
    Segment.CAMPUS: "清单校园",
}
ORDERS = {
    OrderKind.INSTALL: "装机",
    OrderKind.MOVE: "移机",
    OrderKind.DISMANTLE: "拆机",
    OrderKind.REPAIR: "修障",
    OrderKind.CHECK: "查勘",
    OrderKind.PATROL: "巡检",
    OrderKind.CONSTRUCTION: "施工",
    OrderKind.COMMISSIONING: "调试",
}
PRODUCTS = {
    Product.BROADBAND: "宽带",
    Product.VOICE: "固话",
    Product.TV: "电视",
    Product.MOBILE: "移动",
    Product.LEASED_LINE: "专线",
    Product.IOT: "物联网",
    Product.OTHER: "其他",
}
_CONTRACT_MODES = {
    ContractMode.INTERNAL_RESPONSIBILITY: "内包（经营责任制）",
    ContractMode.INTERNAL_PERFORMANCE: "内包（绩效制）",
    ContractMode.STAFF_STARTUP: "员工创业",
    ContractMode.OUTSIDE: "外包",
}
AREAS = {Area.TOWN: "县城", Area.RURAL: "农村"}
_MEASURES = {
    TargetMeasure.REVENUE: "收入",
    TargetMeasure.GROSS_PROFIT: "毛利",
    TargetMeasure.CASH_IN: "现金流入",
}
_SIDES = {"company": "公司", "centre": "中心"}
_PARTIES = {Side.GRANTING: "甲方", Side.CONTRACTING: "乙方"}


def values_of(contract: Contract, signatures: Sequence[SideSignature]) -> dict[str, str]:
    """Return the values of a contract and who has signed it, by the names that its template has."""
    terms, parties = contract.terms, contract.parties
    deposit, share = terms.risk_deposit, terms.profit_share
    signed = contract.state is LockState.SEALED
    return {
        "contract_id": contract.contract_id,
        "notice": "" if signed else "【草案，未签署】",
        "granting": parties.granting.name_zh,
        "contracting": parties.contracting.name_zh,
        "contractor": parties.contracting.represented_by or "—",
        "members": "、".join(parties.member_ids) or "—",
        "term_from": str(contract.term_from),
        "term_to": str(contract.term_to),
        "deposit": yuan(deposit.contractor_fen),
        "member_deposit": yuan(deposit.member_fen),
        "clawback": percent(deposit.clawback_share),
        "refund_days": str(deposit.refund_days),
        "margin_floor": percent(share.margin_floor),
        "below_floor": percent(share.below_floor_factor),
        "advance": percent(share.advance_share),
        "true_up": str(share.true_up_months),
        "mode": "" if terms.mode is None else f"承包方式：{_CONTRACT_MODES[terms.mode]}",
        "excess": _excess(terms),
        "pay_limit": _pay_limit(terms),
        "line_fees": _line_fees(terms),
        "support": _support(terms.support_performance),
        "free_scope": terms.free_scope_zh,
        "point_price": yuan(terms.deductions.point_price_fen),
        "capped": _capped(terms),
        "cap": percent(terms.deductions.cap_share),
        "notice_days": str(terms.exit.notice_days),
        "shortfall_quarters": str(terms.exit.shortfall_quarters),
        "shortfall_below": percent(terms.exit.shortfall_below),
        "signature": "；".join(
            f"{_PARTIES[one.side]}系统签署：{one.signed_by}，{one.signed_at.isoformat()}"
            for one in signatures
        ),
        "digest": contract.digest or "（签署时生成）",
    }


def _excess(terms: ContractTerms) -> str:
    agreed = terms.excess_profit
    if agreed is None:
        return ""
    return (
        f"承包年度毛利预算 {yuan(agreed.budget_fen)} 元（十二个月，不足一年的按月折算），年度终了超出部分乙方分成"
        f" {percent(agreed.share)}。"
    )


def _pay_limit(terms: ContractTerms) -> str:
    if terms.pay_limit is None:
        return ""
    return (
        f"承包人薪酬不超过本中心其他人员平均薪酬的 {terms.pay_limit.most_times.normalize():f} 倍。"
    )


def _line_fees(terms: ContractTerms) -> str:
    if not terms.line_fees:
        return ""
    fees = "、".join(f"{PRODUCTS[one.product]} {yuan(one.fee_fen)} 元" for one in terms.line_fees)
    return f"出账用户每户每月维护费：{fees}。"


def _capped(terms: ContractTerms) -> str:
    """Say of what the cap on deductions is a part: of no more than the contract agrees on."""
    parts = ["分成", "工单费用"]
    if terms.line_fees:
        parts.append("用户月维护费")
    if terms.support_performance is not None:
        parts.append("支撑绩效")
    *others, last = parts
    return f"{'、'.join(others)}与{last}"


def _support(agreed: SupportPerformance | None) -> str:
    if agreed is None:
        return ""
    return (
        f"支撑绩效每月 {yuan(agreed.amount_fen)} 元，其中 {percent(agreed.appraised_share)} 按逆向考核得分计发，"
        "其余固定。"
    )


def note_of(contract: Contract) -> str:
    """Return what stands at the foot of every page, so that no page passes for another's."""
    digest = (
        "草案，未签署" if contract.digest is None else f"合同摘要（SHA-256）：{contract.digest}"
    )
    return f"{contract.contract_id}　{digest}"


def grids_of(
    contract: Contract, fields: Sequence[ResponsibilityField], names: Mapping[str, str]
) -> dict[str, Grid]:
    """Return the tables of a contract; ``names`` are those of divisions and channels, by code."""
    terms = contract.terms
    bounds: list[Decimal | None] = [one.growth_from for one in terms.profit_share.tiers]
    return {
        "fields": Grid(
            ("责任田", "名称", "类型", "摘要（SHA-256）"),
            [
                (one.field_id, one.name_zh, _KINDS[one.kind], one.digest or "（未锁定）")
                for one in fields
            ],
        ),
        "tiers": Grid(
            ("毛利增幅", "分成比例"),
            [
                (
                    f"{percent(tier.growth_from)} 以上"
                    + ("" if upper is None else f"至 {percent(upper)}"),
                    percent(tier.share),
                )
                for tier, upper in zip(terms.profit_share.tiers, [*bounds[1:], None], strict=True)
            ],
        ),
        "investments": Grid(
            ("投入方", "内容", "金额（元）"),
            [(_SIDES[one.by], one.what_zh, yuan(one.amount_fen)) for one in terms.investments],
            right={2},
        ),
        "fees": Grid(
            ("工单", "区域", "单价（元）"),
            [(ORDERS[one.kind], AREAS[one.area], yuan(one.fee_fen)) for one in terms.order_fees],
            right={2},
        ),
        "steps": Grid(
            ("得分自", "系数"),
            [(str(one.score_from), str(one.factor)) for one in terms.appraisal_steps],
        ),
        "targets": Grid(
            ("指标", "自账期", "至账期", "目标（元）"),
            [
                (
                    _MEASURES[one.measure],
                    str(one.period_from),
                    str(one.period_to),
                    yuan(one.amount_fen),
                )
                for one in terms.targets
            ],
            right={3},
        ),
        "base": Grid(
            ("账期", "收入（元）", "市场成本（元）", "毛利（元）"),
            [
                (
                    str(one.period),
                    yuan(one.revenue_fen),
                    yuan(one.market_cost_fen),
                    yuan(one.revenue_fen - one.market_cost_fen),
                )
                for one in sorted(contract.base, key=lambda month: month.period)
            ],
            right={1, 2, 3},
        ),
        "units": Grid(
            ("责任田", "类别", "编码", "名称"),
            [row for one in fields for row in _units(one, names)],
        ),
    }


def _units(field: ResponsibilityField, names: Mapping[str, str]) -> list[tuple[str, ...]]:
    scope, own = field.scope, field.field_id
    mode = "" if scope.channel_mode is None else _MODES[scope.channel_mode]
    return [
        *((own, "标准地址", code, names.get(code, "")) for code in scope.address_prefixes),
        *((own, "资源地址", code, "") for code in scope.resource_prefixes),
        *((own, "清单客户", one.customer_id, _SEGMENTS[one.segment]) for one in scope.customers),
        *((own, f"渠道 {mode}", code, names.get(code, "")) for code in scope.channel_ids),
    ]
