"""The closed lists of cost kinds: which of them the market margin counts, and which it does not.

``kind`` of ``cost.incurred`` and ``cost.paid`` takes these names. Another name is accepted by the
books and belongs to no list: the KPI service reports its amount apart, as unclassified.
"""

from dataclasses import dataclass
from enum import StrEnum

COST_KINDS_VERSION = "2"
"""Raised when a kind moves, comes or goes, because figures change with it."""


class CostClass(StrEnum):
    """Where a cost stands towards the market gross margin (R2)."""

    MARKET = "market"  # 市场成本
    NETWORK_LINE = "network_line"  # 网络线成本
    OTHER = "other"
    UNCLASSIFIED = "unclassified"


@dataclass(frozen=True, slots=True)
class CostKind:
    """A kind of cost and its class."""

    kind: str
    cost_class: CostClass
    title: str
    title_zh: str


def _kinds(cost_class: CostClass, *titles: tuple[str, str, str]) -> tuple[CostKind, ...]:
    return tuple(CostKind(kind, cost_class, title, zh) for kind, title, zh in titles)


COST_KINDS = (
    *_kinds(
        CostClass.MARKET,
        ("commission", "Commission", "佣金"),
        ("lead_commission", "Commission of leads", "商机提成"),
        ("channel_subsidy", "Channel subsidy", "渠道补贴"),
        ("handset_subsidy", "Handset subsidy", "终端补贴"),
        ("card_cost", "Card cost", "卡成本"),
        ("hall_rent", "Hall rent", "营业厅房租"),
        ("fit_out", "Hall fit-out", "营业厅装修"),
        ("hall_utilities", "Hall utilities and security", "营业厅水电及安保"),
        ("advertising", "Advertising", "广告宣传费"),
        ("business_supplies", "Printed matter and business supplies", "业务用品及印刷费"),
        ("vehicle", "Vehicles", "车辆使用费"),
        ("entertainment", "Entertainment", "业务招待费"),
        ("office", "Office", "办公费"),
        ("travel", "Travel", "差旅费"),
        ("telephone", "Telephone", "通信费"),
        ("tight_outsourcing", "Tight outsourcing fee", "紧密型外包费"),
    ),
    *_kinds(
        CostClass.NETWORK_LINE,
        ("tower_rent", "Tower rent", "铁塔租赁费"),
        ("network_power", "Network power", "网络电费"),
        ("contracted_maintenance", "Contracted maintenance", "代维费"),
        ("install_repair_fee", "Installation and repair fee", "装维费"),
        ("network_rent", "Network rent", "网络租赁费"),
        ("customer_access", "Customer access: opening and terminals", "客户接入开通及终端"),
        ("optimisation", "Network optimisation", "网络优化费"),
        ("network_repair", "Network repair", "网络修理费"),
        ("network_administration", "Network administration", "网络管理费"),
        ("network_labour", "Network labour", "网络用工"),
    ),
    *_kinds(
        CostClass.OTHER,
        ("own_staff_pay", "Pay of own staff", "自有员工薪酬"),
        ("depreciation", "Depreciation", "折旧"),
    ),
)
OWN_STAFF_PAY = "own_staff_pay"
LEAD_COMMISSION = "lead_commission"
"""Market cost, whoever gets it: else a centre could move sales cost there and raise its margin."""

_CLASSES = {one.kind: one.cost_class for one in COST_KINDS}


def cost_class(kind: str) -> CostClass:
    """Return the class of a kind; a name outside the lists is unclassified."""
    return _CLASSES.get(kind, CostClass.UNCLASSIFIED)
