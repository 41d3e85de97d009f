"""The lines of a statement: named in both languages, each with how its amount comes about."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

NAMES: dict[str, tuple[str, str]] = {
    "revenue": ("Attributed revenue", "归属收入"),
    "market_cost": ("Market cost", "市场成本"),
    "gross_profit": ("Gross profit", "毛利"),
    "base": ("Base: gross profit a year before", "承包基数（上年同月毛利）"),
    "gross_profit.to_date": ("Gross profit to date", "累计毛利"),
    "base.to_date": ("Base to date", "累计基数"),
    "increment.to_date": ("Increment to date", "累计增量"),
    "share.tier": ("Share in a tier", "分档分成"),
    "share.below_floor": ("Less: margin under the floor", "毛利率低于下限扣减"),
    "share.to_date": ("Share to date", "累计应得分成"),
    "share.held_back": ("Held back until the true-up", "留待清算"),
    "share.suspended": ("Held back: the contract is suspended", "合同中止，暂缓分成"),
    "share.earlier_stretches": ("Share of earlier stretches", "以前阶段分成"),
    "share.excess": ("Share of a year's profit above its budget", "年度超额利润分成"),
    "share.settled_before": ("Share settled before", "已结算分成"),
    "share": ("Share of this period", "本期分成"),
    "order_fee": ("Order fee", "装维工单费用"),
    "line_fee": ("Fee for lines in care", "用户月维护费"),
    "appraisal": ("Effect of the appraisal", "考核影响"),
    "support.fixed": ("Support performance: fixed part", "支撑绩效：固定部分"),
    "support.appraised": ("Support performance: by the reverse score", "支撑绩效：按逆向考核得分"),
    "deduction.points": ("Negative list: points", "负面清单扣分"),
    "deduction.recovered": ("Negative list: recovered", "负面清单追回"),
    "deduction.cap": ("Spared by the cap", "扣减封顶"),
    "correction.order_fees": ("Correction: order fees", "更正：装维工单费用"),
    "correction.line_fees": ("Correction: fees for lines", "更正：用户月维护费"),
    "correction.appraisal": ("Correction: appraisal", "更正：考核影响"),
    "correction.support": ("Correction: support performance", "更正：支撑绩效"),
    "correction.deductions": ("Correction: negative list", "更正：负面清单"),
    "correction.agreed": ("Agreed correction", "协商更正"),
    "brought_forward": ("Brought forward", "上期结转"),
    "deposit.opening": ("Risk deposit: opening", "风险金期初"),
    "deposit.movement": ("Risk deposit: movement", "风险金变动"),
    "deposit.clawback": ("Risk deposit: shortfall borne", "风险金承担缺口"),
    "deposit.bears": ("Borne by the risk deposit", "以风险金抵付"),
    "deposit.closing": ("Risk deposit: closing", "风险金期末"),
    "net": ("Net", "净额"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a statement; ``counts`` says whether it is part of the net."""

    number: int
    code: str
    amount_fen: int
    counts: bool
    how: str | None
    """How the amount comes about, in figures; None where it was told and not computed."""
    about: dict[str, Any]
    """What it is about: a kind of order, a violation, a month."""

    @property
    def name(self) -> str:
        """The line's name in English."""
        return NAMES[self.code][0]

    @property
    def name_zh(self) -> str:
        """The line's name in Chinese."""
        return NAMES[self.code][1]


@dataclass
class Sheet:
    """A statement while it is written."""

    lines: list[Line] = field(default_factory=list)

    @property
    def net_fen(self) -> int:
        """What the lines that count add up to."""
        return sum(line.amount_fen for line in self.lines if line.counts)

    def show(self, code: str, amount_fen: int, how: str | None = None, **about: Any) -> None:
        """Add a line that explains."""
        self._add(code, amount_fen, how, about, counts=False)

    def count(self, code: str, amount_fen: int, how: str | None = None, **about: Any) -> None:
        """Add a line that is part of the net."""
        self._add(code, amount_fen, how, about, counts=True)

    def _add(
        self, code: str, amount_fen: int, how: str | None, about: dict[str, Any], *, counts: bool
    ) -> None:
        self.lines.append(Line(len(self.lines) + 1, code, amount_fen, counts, how, about))


def percent(ratio: Decimal) -> str:
    """Render a ratio for people: ``0.05`` is ``5 %``."""
    return f"{(ratio * 100).normalize():f} %"
