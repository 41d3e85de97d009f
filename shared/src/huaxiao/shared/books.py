"""What accounts of the ledger come to: revenue, costs by class, cash; one way for everybody.

The targets and a contract's settlement judge by the same sums (R2, R3).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from huaxiao.shared.cost_kinds import OWN_STAFF_PAY, CostClass, cost_class
from huaxiao.shared.wire.attribution import (
    ADJUSTMENTS,
    CASH_IN,
    CASH_OUT_PREFIX,
    COST_PREFIX,
    REFUNDS,
    REVENUE,
)


@dataclass(frozen=True, slots=True)
class Books:
    """Sums over a span from the ledger, in fen, each as people speak of it: costs positive."""

    revenue_fen: int = 0
    """Net: bills less refunds, with corrections; VAT excluded."""
    market_cost_fen: int = 0
    network_line_cost_fen: int = 0
    other_cost_fen: int = 0
    unclassified_cost_fen: int = 0
    cash_in_fen: int = 0
    cash_out_fen: int = 0
    """Pay left out: payroll says it."""

    @property
    def centre_margin_fen(self) -> int:
        """Revenue less market and network line cost (营服毛利)."""
        return self.revenue_fen - self.market_cost_fen - self.network_line_cost_fen


def books(accounts: Iterable[tuple[str, int]]) -> Books:
    """Sum accounts (debit positive) of one centre or of many."""
    sums = dict.fromkeys(("revenue", "cash_in", "cash_out"), 0)
    costs = dict.fromkeys(CostClass, 0)
    for account, amount in accounts:
        if account in {REVENUE, REFUNDS, ADJUSTMENTS}:
            sums["revenue"] -= amount
        elif account == CASH_IN:
            sums["cash_in"] += amount
        elif account.startswith(CASH_OUT_PREFIX):
            if account != CASH_OUT_PREFIX + OWN_STAFF_PAY:
                sums["cash_out"] -= amount
        elif (kind := class_of(account)) is not None:
            costs[kind] += amount
    return Books(
        revenue_fen=sums["revenue"],
        market_cost_fen=costs[CostClass.MARKET],
        network_line_cost_fen=costs[CostClass.NETWORK_LINE],
        other_cost_fen=costs[CostClass.OTHER],
        unclassified_cost_fen=costs[CostClass.UNCLASSIFIED],
        cash_in_fen=sums["cash_in"],
        cash_out_fen=sums["cash_out"],
    )


def class_of(measure: str) -> CostClass | None:
    """Return the class of a cost account; None for what is no cost."""
    if not measure.startswith(COST_PREFIX):
        return None
    return cost_class(measure.removeprefix(COST_PREFIX))
