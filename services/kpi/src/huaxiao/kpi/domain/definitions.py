"""Everything that decides what the figures mean, as values under one version.

Raise ``VERSION`` whenever a figure would come out otherwise than before.
"""

from dataclasses import dataclass

from huaxiao.kpi.domain.built_in import BUILT_IN
from huaxiao.kpi.domain.goals import Goal
from huaxiao.shared.wire.figures import Expression, FigureIn
from huaxiao.shared.wire.kpi import Absence, ReasonCode, TargetName, Unit

VERSION = "1"

PAY = "pay"
HEADCOUNT_START = "headcount.start"
HEADCOUNT_END = "headcount.end"
PAYROLL_MEASURES = (PAY, HEADCOUNT_START, HEADCOUNT_END)
LINES_BILLED = "lines.billed"
ORDERS_DONE = "orders.done"
ORDERS_ON_TIME = "orders.on_time"
ORDERS_LATE = "orders.late"


@dataclass(frozen=True, slots=True)
class TargetRule:
    """A target: its goal and its formula, in words and as data."""

    target: TargetName
    goal: Goal
    title: str
    title_zh: str
    formula: str
    formula_zh: str
    source: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class MeasureRule:
    """A measure, or all whose names begin with what stands before ``*``."""

    measure: str
    unit: Unit
    absent: Absence
    meaning: str
    meaning_zh: str
    source: str


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence in both languages."""

    text: str
    text_zh: str


def _target_rule(one: FigureIn) -> TargetRule:
    assert one.goal is not None  # noqa: S101 - a target has one
    return TargetRule(
        TargetName(one.figure),
        Goal.of(one.goal),
        one.title,
        one.title_zh,
        one.text,
        one.text_zh,
        one.source,
        one.formula,
    )


TARGETS = tuple(_target_rule(one) for one in BUILT_IN)

BALANCES = "attribution.balances.changed"
PAYROLL = "contracts.payroll.recorded"
_ORDERS = "dispatch.order.finished"
_APPRAISALS = "dispatch.appraisal.published"
_TICKETS = "dispatch.ticket.raised"


def _ledger(measure: str, meaning: str, meaning_zh: str) -> MeasureRule:
    return MeasureRule(measure, Unit.FEN, Absence.ZERO, meaning, meaning_zh, BALANCES)


MEASURES = (
    _ledger("revenue", "Billed, without VAT; a credit, so negative", "出账收入，不含税；贷方为负"),
    _ledger("refunds", "Given back to customers; a debit", "退费；借方为正"),
    _ledger("adjustments", "Corrections of bills; upward is negative", "账单调整；调增为负"),
    _ledger("bad_debt", "Written off; in no target", "坏账核销；不计入任何指标"),
    _ledger("cost.*", "Cost incurred, by kind", "已发生成本，按种类"),
    _ledger("cash.in", "Money received, VAT included", "收到的现金，含税"),
    _ledger(
        "cash.out.*", "Money paid, by kind of cost, or refunded; a credit", "付出的现金；贷方为负"
    ),
    _ledger("tax", "VAT on bills; in no target", "账单增值税；不计入任何指标"),
    _ledger("receivable", "Owed by customers; in no target", "应收账款；不计入任何指标"),
    _ledger("payable", "Owed to suppliers; in no target", "应付账款；不计入任何指标"),
    MeasureRule(
        LINES_BILLED,
        Unit.LINES,
        Absence.ZERO,
        "Charges billed, each with the centre that its revenue belongs to; unknown in months some of"
        " whose revenue was told before they were",
        "出账明细条数，随其收入归属；部分收入早于条数上报的月份不可知",
        BALANCES,
    ),
    MeasureRule(
        PAY,
        Unit.FEN,
        Absence.UNKNOWN,
        "Pay of own staff, the whole of the month so far",
        "自有人员应发工资，当月累计",
        PAYROLL,
    ),
    MeasureRule(
        HEADCOUNT_START,
        Unit.PEOPLE,
        Absence.UNKNOWN,
        "Own staff on the month's first day",
        "月初自有人数",
        PAYROLL,
    ),
    MeasureRule(
        HEADCOUNT_END,
        Unit.PEOPLE,
        Absence.UNKNOWN,
        "Own staff on the month's last day",
        "月末自有人数",
        PAYROLL,
    ),
    MeasureRule(
        ORDERS_DONE,
        Unit.ORDERS,
        Absence.ZERO,
        "Orders finished; in no target",
        "完工工单；不计入任何指标",
        _ORDERS,
    ),
    MeasureRule(
        ORDERS_ON_TIME,
        Unit.ORDERS,
        Absence.ZERO,
        "Those of them finished on time",
        "其中按时完工",
        _ORDERS,
    ),
    MeasureRule(
        ORDERS_LATE,
        Unit.ORDERS,
        Absence.ZERO,
        "Those of them finished late; the rest had no service level",
        "其中超时完工；其余无时限要求",
        _ORDERS,
    ),
    MeasureRule(
        "tickets.*",
        Unit.TICKETS,
        Absence.ZERO,
        "Support tickets the centre raised, by category; in no target",
        "本中心提出的需求单，按类别；不计入任何指标",
        _TICKETS,
    ),
    MeasureRule(
        "appraisal.*.count",
        Unit.APPRAISALS,
        Absence.ZERO,
        "Appraisals with a score, by kind; in no target",
        "有得分的考核数，按种类；不计入任何指标",
        _APPRAISALS,
    ),
    MeasureRule(
        "appraisal.*.score",
        Unit.HUNDREDTHS,
        Absence.ZERO,
        "Sum of their scores, in hundredths of a point",
        "得分合计，单位：百分之一分",
        _APPRAISALS,
    ),
)

RULES = {
    "revenue": Told(
        "Revenue is all that was billed in the span's periods, whatever the product or channel"
        " (IoT and online included), less refunds, with corrections, VAT left out. Bad debt is"
        " shown and not taken off. A refund, gift or correction follows the charge it belongs to;"
        " what arrives after a month is closed counts in the first open month.",
        "收入为期间内各账期全部出账金额（含物联网、线上渠道等各产品与渠道），减退费，计调账，不含税。坏账单独列示，"
        "不予扣减。退费、赠费、调账随其原账单归属；关账后到达的，计入首个未关账月份。",
    ),
    "absence": Told(
        "A centre without some ledger account in a month had none of it: zero, provided the branch"
        " has any entry at all in that month; otherwise the month's books are not known. Pay is"
        " never zero by absence: it is known when recorded, or when other centres' pay of the"
        " month is recorded and the centre has no own staff on the month's first and last day.",
        "某中心某月无某科目，即为零，前提是本分公司当月有账；全无账则视为未知。工资不因缺失而视为零："
        "已登记，或当月其他中心已登记且该中心月初月末均无自有人员，方为已知。",
    ),
    "county": Told(
        "The county's figures are the sums over all its centres, the default centre included; a"
        " ratio is taken of the sums, never averaged. They are compared with the base of the"
        " county's own contract. The county's pay is known when every centre's is.",
        "全县数为各中心（含本部/游离）之和；先求和再求比率，从不平均比率。与全县合同的基数比较。"
        "各中心工资均已知，全县工资方为已知。",
    ),
    "base": Told(
        "Growth needs a base: without a contract that covers the period, or without the months of"
        " its base, growth is not computable. The margin needs no base.",
        "增幅须有基数：无覆盖该账期的合同，或合同基数缺月，即不可计算。毛利率不需基数。",
    ),
    "span": Told(
        "year_to_date runs from the first month of the contract that covers the period: the"
        " centre's own, else the county's; without one, from January of the period's year.",
        "year_to_date 自覆盖该账期的合同首月起算：先本中心合同，后全县合同；均无则自当年一月起。",
    ),
    "provisional": Told(
        "Until every month of the span is closed, figures are provisional.",
        "期间内只要有一个月未关账，数据即为暂定。",
    ),
    "cost": Told(
        "The lists of cost kinds are closed. A kind on no list counts in no margin; its amount is"
        " shown under its own name and summed as unclassified. Network line cost, pay of own staff"
        " and depreciation are not market cost. All paid costs are cash out, whatever their kind,"
        " except own_staff_pay, which payroll states already.",
        "成本种类为封闭清单。清单外种类不计入毛利，以其本名列示并汇总为未归类。网络线成本、自有员工薪酬、"
        "折旧不属市场成本。凡已付成本均为现金流出，own_staff_pay 除外，因工资册已计。",
    ),
    "rounding": Told(
        "Verdicts are decided on whole numbers. Percentages are shown with two decimals, half up,"
        " and with more where two would contradict the verdict.",
        "是否达标以整数精确比较。百分数显示两位小数，四舍五入；如与结论相悖，则显示更多位。",
    ),
    "goals": Told(
        "All goals are met when all three targets pass. The plan gives no weights, so there is no"
        " total score.",
        "三项均达标方为全部达标。方案未给权重，故无综合得分。",
    ),
}

REASONS = {
    ReasonCode.NO_BOOKS: Told(
        "The branch has no ledger entry at all in these months", "本分公司这些月份全无账目"
    ),
    ReasonCode.NO_REVENUE: Told("Revenue is not above zero", "收入不大于零"),
    ReasonCode.PAYROLL_MISSING: Told(
        "Pay of these months is not recorded", "这些月份的工资尚未登记"
    ),
    ReasonCode.NO_STAFF: Told("There is no own staff to average over", "无自有人员，无法求人均"),
    ReasonCode.NO_BASE: Told(
        "No contract with a base covers the period (no base)",
        "无覆盖该账期且含基数的合同（无基数）",
    ),
    ReasonCode.BASE_INCOMPLETE: Told(
        "The contract's base lacks months to compare with", "合同基数缺少可比月份"
    ),
    ReasonCode.BASE_NOT_POSITIVE: Told(
        "The base is zero or negative: growth has no meaning, look at it by hand",
        "基数为零或负数：同比无意义，须人工说明",
    ),
    ReasonCode.CENTRE_NEW: Told(
        "The centre had nothing a year before, when the branch had",
        "该中心上年同期尚无数据，而本分公司有",
    ),
    ReasonCode.CENTRE_REORGANISED: Told(
        "The centre was re-organised since the year before and no contract states the same for it",
        "该中心自上年同期以来已重组，且无合同给出同口径基数",
    ),
    ReasonCode.NOT_POSITIVE: Told("What is divided by is not above zero", "分母不大于零"),
}


def rule_of(measure: str) -> MeasureRule | None:
    """Return the rule of a measure by its own name; None where no rule is for it."""
    for rule in MEASURES:
        begin, star, end = rule.measure.partition("*")
        if measure == rule.measure or (
            star
            and len(measure) > len(begin) + len(end)
            and measure.startswith(begin)
            and measure.endswith(end)
        ):
            return rule
    return None


def unit_of(measure: str) -> Unit:
    """Return what a measure counts; ledger accounts are fen."""
    rule = rule_of(measure)
    return Unit.FEN if rule is None else rule.unit
