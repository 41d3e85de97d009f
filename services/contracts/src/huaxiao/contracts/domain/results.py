"""From what the other services told to the months that a settlement is computed from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from decimal import Decimal

from huaxiao.contracts.domain.settlement import (
    FinishedOrders,
    LinesInCare,
    Month,
    StandingViolation,
)
from huaxiao.shared.books import Books, books
from huaxiao.shared.periods import Period, year_before
from huaxiao.shared.wire.attribution import REVENUE
from huaxiao.shared.wire.contracts import BaseMonth
from huaxiao.shared.wire.products import Product
from huaxiao.shared.wire.terms import ContractTerms

Accounts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Told:
    """What attribution and dispatch told of a branch's months, as known at one moment."""

    accounts: Mapping[tuple[Period, str, str | None], Accounts]
    """Of a month, a centre, and a field or none: its accounts in fen, debit positive."""
    orders: Mapping[tuple[Period, str], tuple[FinishedOrders, ...]]
    scores: Mapping[tuple[Period, str], Decimal]
    closed_through: Period | None = None
    """The last month whose books are closed; those before it are as well, with bookings or without."""
    reverse_scores: Mapping[tuple[Period, str], Decimal] = field(default_factory=dict)
    lines: Mapping[tuple[Period, str, str | None], Sequence[LinesInCare]] = field(
        default_factory=dict
    )
    """Of a month, a centre, and a field or none: the lines that were billed."""

    def books(self, period: Period, scope: "Scope") -> Books:
        """Sum a month's accounts within a scope."""
        return books(
            account
            for (month, centre_id, field_id), accounts in self.accounts.items()
            if month == period and scope.holds(centre_id, field_id)
            for account in accounts.items()
        )

    def lines_of(self, period: Period, scope: "Scope") -> tuple[LinesInCare, ...]:
        """Count a month's lines within a scope, by product."""
        counts = Counter[Product]()
        for (month, centre_id, field_id), given in self.lines.items():
            if month == period and scope.holds(centre_id, field_id):
                for one in given:
                    counts[one.product] += one.count
        return tuple(LinesInCare(product, count) for product, count in sorted(counts.items()))

    def redrawn(self, gained: Mapping[tuple[Period, str], int]) -> "Told":
        """Return what would have been told had centres gained this revenue by month, in fen."""
        # Revenue is on the credit side; it is of no field, so that no choice of fields leaves it out.
        accounts = dict(self.accounts)
        for (period, centre_id), gain_fen in gained.items():
            key = (period, centre_id, None)
            held = accounts.get(key, {})
            accounts[key] = {**held, REVENUE: held.get(REVENUE, 0) - gain_fen}
        return replace(self, accounts=accounts)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose results are settled: the county's, a centre's, or those of chosen fields."""

    centre_id: str | None
    """None for the county's contract: every centre's."""
    field_ids: AbstractSet[str] | None = None
    """Only these fields, whoever held them, and what the centre has outside any field."""

    def holds(self, centre_id: str, field_id: str | None) -> bool:
        """Say whether an account of this centre and field belongs to the scope."""
        if self.centre_id is None:
            return True
        if self.field_ids is None or field_id is None:
            return centre_id == self.centre_id
        return field_id in self.field_ids


def months_of(
    told: Told,
    scope: Scope,
    periods: Sequence[Period],
    terms: Mapping[Period, ContractTerms],
    base: Sequence[BaseMonth],
    violations: Mapping[Period, tuple[StandingViolation, ...]],
    suspended: AbstractSet[Period] = frozenset(),
) -> tuple[Month, ...]:
    """Put the months of a contract together.

    Orders, lines and scores are a centre's: the county's contract pays no fees and is rated by
    nobody here.
    """
    base_of = {Period(one.period): one for one in base}
    made: list[Month] = []
    for period in periods:
        held = told.books(period, scope)
        before = base_of[year_before(period)]
        centre = (period, scope.centre_id or "")
        made.append(
            Month(
                period=period,
                terms=terms[period],
                revenue_fen=held.revenue_fen,
                market_cost_fen=held.market_cost_fen,
                base_revenue_fen=before.revenue_fen,
                base_market_cost_fen=before.market_cost_fen,
                orders=told.orders.get(centre, ()),
                lines=() if scope.centre_id is None else told.lines_of(period, scope),
                score=told.scores.get(centre),
                reverse_score=told.reverse_scores.get(centre),
                violations=violations.get(period, ()),
                suspended=period in suspended,
            )
        )
    return tuple(made)
