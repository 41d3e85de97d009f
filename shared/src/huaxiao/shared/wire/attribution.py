"""Facts of the attribution service: what each booking changed, and work that was asked for."""

from pydantic import Field

from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import AmountFen, Fact, Moment, PeriodNumber

BALANCES_CHANGED = "attribution.balances.changed"
WORK_REQUESTED = "attribution.work.requested"
PERIOD_CLOSED = "attribution.period.closed"

REVENUE = "revenue"
REFUNDS = "refunds"
ADJUSTMENTS = "adjustments"
BAD_DEBT = "bad_debt"
TAX = "tax"
RECEIVABLE = "receivable"
CASH_IN = "cash.in"
CASH_OUT_PREFIX = "cash.out."
"""Cash accounts are ``cash.in``, and ``cash.out.<cost kind>`` or ``cash.out.refund``."""
PAYABLE = "payable"
COST_PREFIX = "cost."
"""Cost accounts are ``cost.<kind>``, such as ``cost.commission``."""


class BalanceChange(Fact):
    """What one booking transaction changed on one account: debit positive, credit negative."""

    centre_id: Identifier
    field_id: Identifier | None
    account: str
    period: PeriodNumber
    amount_fen: AmountFen


class BalancesChanged(Fact):
    """Everything one booking transaction changed; the changes sum to zero."""

    changes: list[BalanceChange] = Field(min_length=1)


class WorkRequestedFact(Fact):
    """A BSS order that needs an engineer, as it came in."""

    order_id: Identifier
    kind: str
    customer_class: str
    customer_id: Identifier
    standard_address: AddressCode
    requested_at: Moment
    subscription_id: Identifier | None = None


class PeriodClosed(Fact):
    """A period takes no more entries."""

    period: PeriodNumber
