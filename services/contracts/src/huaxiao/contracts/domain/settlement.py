"""The settlement of a contract's period: from the books to what is paid, line by line (R1, R14).

Everything is counted over the months of the term so far, as known now, and what earlier statements
have settled is taken off. So what turned out otherwise later needs no rewriting: it shows as a
correction, by the month it belongs to. Amounts are whole fen; each product is rounded half up on a
line of its own, so that anyone can follow it with a pocket calculator.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby, pairwise

from huaxiao.contracts.domain.statement_lines import Line, Sheet, percent
from huaxiao.shared.money import yuan
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.dispatch import Area, OrderKind
from huaxiao.shared.wire.negative_list import Severity
from huaxiao.shared.wire.products import Product
from huaxiao.shared.wire.terms import ContractTerms, ProfitShare

_YEAR = 12


@dataclass(frozen=True, slots=True)
class FinishedOrders:
    """How many orders of a kind were finished in a month."""

    kind: OrderKind
    area: Area
    count: int


@dataclass(frozen=True, slots=True)
class LinesInCare:
    """How many lines of a product were billed in a month."""

    product: Product
    count: int


@dataclass(frozen=True, slots=True)
class StandingViolation:
    """A violation of the negative list as it stands, with the severity it counts as (R5)."""

    number: int
    code: str
    severity: Severity
    points: Decimal
    recover_fen: int


@dataclass(frozen=True, slots=True)
class Month:
    """All that a month of the term brings to the settlement."""

    period: Period
    terms: ContractTerms
    revenue_fen: int
    market_cost_fen: int
    base_revenue_fen: int
    base_market_cost_fen: int
    orders: tuple[FinishedOrders, ...] = ()
    lines: tuple[LinesInCare, ...] = ()
    score: Decimal | None = None
    """The centre's horizontal score (R26); None when it is not rated."""
    reverse_score: Decimal | None = None
    """What those it serves give it (R28); None when it is not rated."""
    violations: tuple[StandingViolation, ...] = ()
    suspended: bool = False
    """The contract is suspended: its share waits until it is not, or ends."""

    @property
    def gross_profit_fen(self) -> int:
        """Revenue less market cost."""
        return self.revenue_fen - self.market_cost_fen

    @property
    def base_fen(self) -> int:
        """The base's gross profit of the same month a year before."""
        return self.base_revenue_fen - self.base_market_cost_fen


@dataclass(frozen=True, slots=True)
class SettledMonth:
    """What a month has been settled with so far, corrections included."""

    period: Period
    share_fen: int
    order_fees_fen: int
    appraisal_fen: int
    deductions_fen: int
    """Zero or negative."""
    support_fen: int = 0
    """The performance pay of a unit that supports others."""
    line_fees_fen: int = 0

    @property
    def variable_fen(self) -> int:
        """What the negative list may take a part of: share, fees, performance pay."""
        fees_fen = self.order_fees_fen + self.line_fees_fen + self.appraisal_fen
        return self.share_fen + fees_fen + self.support_fen


@dataclass(frozen=True, slots=True)
class AgreedCorrection:
    """A correction of a closed statement that two people have agreed on."""

    number: int
    of_period: Period
    amount_fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class DepositMovement:
    """The risk deposit paid in, or paid back (negative)."""

    number: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Question:
    """What a statement is computed from: the same question always has the same answer."""

    months: tuple[Month, ...]
    """Every month of the term, from the first to the one that is settled."""
    settled: tuple[SettledMonth, ...] = ()
    """The months before it, as earlier statements left them."""
    brought_forward_fen: int = 0
    """Zero, or what the centre still owes from the statement before, negative."""
    deposit_fen: int = 0
    """The deposit as the statement before left it."""
    deposit_movements: tuple[DepositMovement, ...] = ()
    corrections: tuple[AgreedCorrection, ...] = ()
    is_last: bool = False
    """The contract ends with this month."""
    is_over: bool = False
    """The contract has ended: what has turned out otherwise since is settled after it."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settled period: every line, and what it comes to."""

    lines: tuple[Line, ...]
    months: tuple[SettledMonth, ...]
    net_fen: int
    """What the lines that count add up to."""
    payable_fen: int
    carried_forward_fen: int
    """Zero, or what the centre owes and the next statement takes off, negative."""
    deposit_fen: int
    payment_stopped: bool
    """A violation of severity A stands: nothing is paid out until the contract's fate is decided."""


def settle(question: Question) -> Settlement:
    """Settle the last of the months; of a contract that is over, what has changed since."""
    sheet = Sheet()
    month = question.months[-1]
    before = {one.period: one for one in question.settled}
    months = [_settled(one, before[one.period].share_fen) for one in question.months[:-1]]
    if question.is_over:
        share_fen = before[month.period].share_fen + _share(sheet, question)
        months.append(_settled(month, share_fen))
    else:
        _show_month(sheet, month)
        months.append(_settled(month, _share(sheet, question)))
        _show_fees(sheet, month)
        _show_support(sheet, month)
        _show_deductions(sheet, month, months[-1])
    _show_later_changes(sheet, before, months)
    for correction in question.corrections:
        sheet.count(
            "correction.agreed",
            correction.amount_fen,
            f"No. {correction.number}",
            period=correction.of_period,
            number=correction.number,
            reason=correction.reason,
        )
    if question.brought_forward_fen:
        sheet.count("brought_forward", question.brought_forward_fen)
    deposit_fen = _deposit(sheet, question)
    net_fen = sheet.net_fen
    sheet.show("net", net_fen)
    return Settlement(
        lines=tuple(sheet.lines),
        months=tuple(months),
        net_fen=net_fen,
        payable_fen=max(net_fen, 0),
        carried_forward_fen=min(net_fen, 0),
        deposit_fen=deposit_fen,
        payment_stopped=any(
            one.severity is Severity.A for each in question.months for one in each.violations
        ),
    )


def rounded(amount: Decimal) -> int:
    """Round to whole fen, half away from zero."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def _show_month(sheet: Sheet, month: Month) -> None:
    sheet.show("revenue", month.revenue_fen)
    sheet.show("market_cost", month.market_cost_fen)
    sheet.show(
        "gross_profit",
        month.gross_profit_fen,
        f"{yuan(month.revenue_fen)} − {yuan(month.market_cost_fen)}",
    )
    sheet.show(
        "base",
        month.base_fen,
        f"{yuan(month.base_revenue_fen)} − {yuan(month.base_market_cost_fen)}",
    )


# --- the share of the gross profit above the base -----------------------------------------------


def _share(sheet: Sheet, question: Question) -> int:
    """Settle the share: all that is due to date, less what has been settled."""
    *earlier, current = _stretches(question.months)
    due_fen = _share_of_stretch(sheet, current)
    terms = current[-1].terms.profit_share
    in_year = (len(question.months) - 1) % _YEAR + 1
    trued_up = question.is_last or in_year % terms.true_up_months == 0
    if not trued_up:
        advanced_fen = rounded(due_fen * terms.advance_share)
        sheet.show(
            "share.held_back",
            advanced_fen - due_fen,
            f"{yuan(due_fen)} × {percent(terms.advance_share)} − {yuan(due_fen)}",
        )
        due_fen = advanced_fen
    if earlier:
        before_fen = sum(_share_of_stretch(Sheet(), one) for one in earlier)
        sheet.show("share.earlier_stretches", before_fen)
        due_fen += before_fen
    due_fen += sum(_share_of_excess(sheet, year) for year in _ended_years(question))
    settled_fen = sum(one.share_fen for one in question.settled)
    if current[-1].suspended and not question.is_last:
        sheet.show("share.suspended", settled_fen - due_fen, period=current[-1].period)
        due_fen = settled_fen
    sheet.show("share.settled_before", settled_fen)
    share_fen = due_fen - settled_fen
    sheet.count("share", share_fen, f"{yuan(due_fen)} − {yuan(settled_fen)}")
    return share_fen


def _stretches(months: Sequence[Month]) -> list[tuple[Month, ...]]:
    """Part the term where a contract year begins or other shares are agreed; each counts alone."""
    numbered = list(enumerate(months))

    def key(one: tuple[int, Month]) -> tuple[int, ProfitShare]:
        # Compared as values: the same ratio written with other zeros is the same share.
        index, month = one
        return index // _YEAR, month.terms.profit_share

    return [tuple(month for _, month in group) for _, group in groupby(numbered, key)]


def _share_of_stretch(sheet: Sheet, months: Sequence[Month]) -> int:
    terms = months[-1].terms.profit_share
    revenue_fen = sum(one.revenue_fen for one in months)
    profit_fen = sum(one.gross_profit_fen for one in months)
    base_fen = sum(one.base_fen for one in months)
    increment_fen = profit_fen - base_fen
    sheet.show("gross_profit.to_date", profit_fen, period=months[0].period)
    sheet.show("base.to_date", base_fen)
    sheet.show("increment.to_date", increment_fen, f"{yuan(profit_fen)} − {yuan(base_fen)}")
    share_fen = 0
    for number, part_fen, share in _tiers(terms, base_fen, increment_fen):
        part_share_fen = rounded(part_fen * share)
        sheet.show(
            "share.tier", part_share_fen, f"{yuan(part_fen)} × {percent(share)}", number=number
        )
        share_fen += part_share_fen
    # Compared as products: no division, and no rounding, can tip the scale.
    if profit_fen < terms.margin_floor * revenue_fen:
        reduced_fen = rounded(share_fen * terms.below_floor_factor)
        sheet.show(
            "share.below_floor",
            reduced_fen - share_fen,
            f"{yuan(profit_fen)} < {percent(terms.margin_floor)} × {yuan(revenue_fen)}",
        )
        share_fen = reduced_fen
    sheet.show("share.to_date", share_fen)
    return share_fen


def _ended_years(question: Question) -> Iterator[tuple[Month, ...]]:
    """Yield the contract years that are over, the last of a contract that ends among them."""
    for start in range(0, len(question.months), _YEAR):
        year = question.months[start : start + _YEAR]
        if len(year) == _YEAR or question.is_last:
            yield year


def _share_of_excess(sheet: Sheet, year: Sequence[Month]) -> int:
    """Share what a year's gross profit exceeds its budget by, over the months that agree on one.

    Each of them adds its part of the budget; those of different shares count alone.
    """
    agreed = [(one, one.terms.excess_profit) for one in year]
    due_fen = 0
    for share in dict.fromkeys(terms.share for _, terms in agreed if terms):
        months = [(one, terms) for one, terms in agreed if terms and terms.share == share]
        budget_fen = rounded(Decimal(sum(terms.budget_fen for _, terms in months)) / _YEAR)
        profit_fen = sum(one.gross_profit_fen for one, _ in months)
        share_fen = rounded(max(profit_fen - budget_fen, 0) * share)
        sheet.show(
            "share.excess",
            share_fen,
            f"({yuan(profit_fen)} − {yuan(budget_fen)}) × {percent(share)}",
            period=months[0][0].period,
        )
        due_fen += share_fen
    return due_fen


def _tiers(
    terms: ProfitShare, base_fen: int, increment_fen: int
) -> Iterator[tuple[int, int, Decimal]]:
    """Yield each tier that the increment reaches: its number, the part in it, the share of that.

    Growth over a base of nothing, or of a loss, has no rate: then all of it is in the first tier.
    """
    if base_fen <= 0:
        if increment_fen > 0:
            yield 1, increment_fen, terms.tiers[0].share
        return
    bounds = [rounded(base_fen * tier.growth_from) for tier in terms.tiers]
    bounds.append(max(increment_fen, bounds[-1]))
    for number, (tier, (lower, upper)) in enumerate(
        zip(terms.tiers, pairwise(bounds), strict=True), start=1
    ):
        part_fen = min(increment_fen, upper) - lower
        if part_fen > 0:
            yield number, part_fen, tier.share


# --- fees, appraisal and deductions of a month --------------------------------------------------


def _fees(month: Month) -> Iterator[tuple[FinishedOrders, int]]:
    """Yield the orders of a month with the fee agreed for each; zero where none is."""
    agreed = {(fee.kind, fee.area): fee.fee_fen for fee in month.terms.order_fees}
    for orders in month.orders:
        yield orders, agreed.get((orders.kind, orders.area), 0)


def _line_fees(month: Month) -> Iterator[tuple[LinesInCare, int]]:
    """Yield the lines of a month that a fee is agreed for, with it."""
    agreed = {fee.product: fee.fee_fen for fee in month.terms.line_fees}
    for lines in month.lines:
        if lines.product in agreed:
            yield lines, agreed[lines.product]


def _factor(month: Month) -> Decimal:
    """Return the factor on the fees; a centre that is not rated keeps them as they are."""
    if month.score is None:
        return Decimal(1)
    reached = [step for step in month.terms.appraisal_steps if step.score_from <= month.score]
    return reached[-1].factor


def _support(month: Month) -> tuple[int, int]:
    """Return the fixed part of a month's support pay, and the part by the reverse score.

    As with fees, who is not rated keeps it as it is.
    """
    terms = month.terms.support_performance
    if terms is None:
        return 0, 0
    appraised_fen = rounded(terms.amount_fen * terms.appraised_share)
    score = Decimal(100) if month.reverse_score is None else month.reverse_score
    return terms.amount_fen - appraised_fen, rounded(appraised_fen * score / 100)


def _settled(month: Month, share_fen: int) -> SettledMonth:
    fees_fen = sum(orders.count * fee_fen for orders, fee_fen in _fees(month))
    line_fees_fen = sum(lines.count * fee_fen for lines, fee_fen in _line_fees(month))
    appraisal_fen = rounded((fees_fen + line_fees_fen) * (_factor(month) - 1))
    support_fen = sum(_support(month))
    settled = SettledMonth(
        period=month.period,
        share_fen=share_fen,
        order_fees_fen=fees_fen,
        appraisal_fen=appraisal_fen,
        deductions_fen=0,
        support_fen=support_fen,
        line_fees_fen=line_fees_fen,
    )
    return replace(settled, deductions_fen=-sum(_deductions(month, settled.variable_fen)))


def _deductions(month: Month, variable_fen: int) -> tuple[int, int, int]:
    """Return what is taken off: for points under the cap, for points of severity A, recovered."""
    terms = month.terms.deductions
    capped = uncapped = recovered = 0
    for one in month.violations:
        price_fen = rounded(one.points * terms.point_price_fen)
        if one.severity is Severity.A:
            uncapped += price_fen
        else:
            capped += price_fen
        recovered += one.recover_fen
    cap_fen = rounded(max(variable_fen, 0) * terms.cap_share)
    return min(capped, cap_fen), uncapped, recovered


def _show_fees(sheet: Sheet, month: Month) -> None:
    fees_fen = 0
    for orders, fee_fen in _fees(month):
        fees_fen += orders.count * fee_fen
        sheet.count(
            "order_fee",
            orders.count * fee_fen,
            f"{orders.count} × {yuan(fee_fen)}",
            kind=orders.kind,
            area=orders.area,
        )
    for lines, fee_fen in _line_fees(month):
        fees_fen += lines.count * fee_fen
        sheet.count(
            "line_fee",
            lines.count * fee_fen,
            f"{lines.count} × {yuan(fee_fen)}",
            product=lines.product,
        )
    factor = _factor(month)
    sheet.count(
        "appraisal",
        rounded(fees_fen * (factor - 1)),
        f"{yuan(fees_fen)} × ({factor} − 1)",
        score=None if month.score is None else str(month.score),
    )


def _show_support(sheet: Sheet, month: Month) -> None:
    terms = month.terms.support_performance
    if terms is None:
        return
    fixed_fen, by_score_fen = _support(month)
    sheet.count(
        "support.fixed",
        fixed_fen,
        f"{yuan(terms.amount_fen)} × {percent(1 - terms.appraised_share)}",
    )
    score = month.reverse_score
    sheet.count(
        "support.appraised",
        by_score_fen,
        f"{yuan(terms.amount_fen)} × {percent(terms.appraised_share)}"
        + ("" if score is None else f" × {score} %"),
        score=None if score is None else str(score),
    )


def _show_deductions(sheet: Sheet, month: Month, settled: SettledMonth) -> None:
    terms = month.terms.deductions
    for one in month.violations:
        sheet.count(
            "deduction.points",
            -rounded(one.points * terms.point_price_fen),
            f"{one.points} × {yuan(terms.point_price_fen)}",
            violation=one.number,
            entry=one.code,
            severity=one.severity,
        )
        if one.recover_fen:
            sheet.count("deduction.recovered", -one.recover_fen, violation=one.number)
    spared_fen = settled.deductions_fen - sum(
        line.amount_fen for line in sheet.lines if line.code.startswith("deduction.")
    )
    if spared_fen:
        sheet.count(
            "deduction.cap",
            spared_fen,
            f"{percent(terms.cap_share)} × {yuan(max(settled.variable_fen, 0))}",
        )


def _show_later_changes(
    sheet: Sheet, before: dict[Period, SettledMonth], months: Sequence[SettledMonth]
) -> None:
    """Count what has turned out otherwise of months that are settled, each by its month."""
    for now in months:
        settled = before.get(now.period, now)
        for code, one, other in (
            ("correction.order_fees", now.order_fees_fen, settled.order_fees_fen),
            ("correction.line_fees", now.line_fees_fen, settled.line_fees_fen),
            ("correction.appraisal", now.appraisal_fen, settled.appraisal_fen),
            ("correction.support", now.support_fen, settled.support_fen),
            ("correction.deductions", now.deductions_fen, settled.deductions_fen),
        ):
            if one != other:
                sheet.count(code, one - other, f"{yuan(one)} − {yuan(other)}", period=now.period)


# --- the risk deposit ---------------------------------------------------------------------------


def _deposit(sheet: Sheet, question: Question) -> int:
    """Show how the deposit moves; the last statement lets it bear what the centre still owes."""
    held_fen = question.deposit_fen
    sheet.show("deposit.opening", held_fen)
    for movement in question.deposit_movements:
        held_fen += movement.amount_fen
        sheet.show("deposit.movement", movement.amount_fen, number=movement.number)
    if not question.is_over and (question.is_last or len(question.months) % _YEAR == 0):
        held_fen -= _clawback(sheet, question, held_fen)
    if question.is_last and sheet.net_fen < 0:
        borne_fen = min(max(held_fen, 0), -sheet.net_fen)
        sheet.count("deposit.bears", borne_fen)
        held_fen -= borne_fen
    sheet.show("deposit.closing", held_fen)
    return held_fen


def _clawback(sheet: Sheet, question: Question, held_fen: int) -> int:
    year = question.months[(len(question.months) - 1) // _YEAR * _YEAR :]
    missing_fen = max(sum(one.base_fen - one.gross_profit_fen for one in year), 0)
    share = year[-1].terms.risk_deposit.clawback_share
    taken_fen = min(max(held_fen, 0), rounded(missing_fen * share))
    if taken_fen:
        sheet.show(
            "deposit.clawback",
            -taken_fen,
            f"{yuan(missing_fen)} × {percent(share)} ≤ {yuan(held_fen)}",
        )
    return taken_fen
