"""Resources and facts of the attribution service: whose every fen is, and why."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import AmountFen, Count, Fact, Given, Moment, PeriodNumber, Resource

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


# --- what callers get back ----------------------------------------------------------------------


class Outcome(StrEnum):
    """What became of one event."""

    BOOKED = "booked"
    DUPLICATE = "duplicate"
    PARKED = "parked"
    REFUSED = "refused"
    CONFLICT = "conflict"


class EventOutcome(Resource):
    """What became of one event that was not simply booked."""

    index: Count
    """Its place in the batch, from 0."""
    event_id: str | None
    outcome: Outcome
    code: str
    """Stable; see the problem list of the service."""
    message: str
    message_zh: str


class IntakeReport(Resource):
    """What became of a batch: received = booked + duplicates + parked + refused + conflicts."""

    received: Count
    booked: Count
    duplicates: Count
    parked: Count
    refused: Count
    conflicts: Count
    outcomes: list[EventOutcome]
    """One for each event that was not booked just now, by index."""


class Standing(Resource):
    """What the service has learned of a branch from the contracts feed so far."""

    contracts_position: Count
    """The place in the contracts feed up to which it has followed."""
    centres: Count
    people: Count
    channels: Count
    fields: Count
    """Sealed fields: the only ones that attribute."""
    first_open_period: PeriodNumber | None
    """The period after the last closed one; null while none is closed."""


class HeldState(StrEnum):
    """Where an event in quarantine stands."""

    HELD = "held"
    RESOLVED = "resolved"


class HeldEvent(Resource):
    """An event that could not be booked, kept as it came."""

    held_id: Identifier
    number: Count
    """Its place in the branch's quarantine."""
    source: str | None
    event_id: str | None
    type: str | None
    outcome: Outcome
    """Why it is here: parked, refused, or conflict."""
    code: str
    message: str
    message_zh: str
    state: HeldState
    received_at: Moment
    resolved_at: Moment | None
    body: str
    """The event as it came; bytes that are not UTF-8 are shown as replacement characters."""


class ReplayIn(Given):
    """A held event to try again: mended, or as it came when ``event`` is absent."""

    event: dict[str, Any] | None = None


class Owner(Resource):
    """A unit, the field inside it if there is one, and the rule that led there."""

    centre_id: Identifier
    field_id: Identifier | None
    unit_rule: str
    field_rule: str | None


class RejectedCandidate(Resource):
    """A rule that was tried before the one that decided, and why it did not."""

    rule: str
    title: str
    title_zh: str
    reason: str
    reason_zh: str


class ShadowCredit(Resource):
    """A memo for a unit that helped; it is in no sum."""

    centre_id: Identifier
    reason: str


class Explanation(Resource):
    """Why a subscription's revenue of a period belongs where it does (R22-R24)."""

    subscription_id: Identifier
    period: PeriodNumber
    version: Count
    """The how-manieth decision on this period it is; earlier ones had less evidence."""
    owner: Owner
    landing_centre_id: Identifier | None
    """Where the line physically lands."""
    development_centre_id: Identifier | None
    """Who developed it."""
    rule_title: str
    rule_title_zh: str
    rule_set: str
    flags: list[str]
    shadow_credits: list[ShadowCredit]
    rejected: list[RejectedCandidate]
    evidence: dict[str, Any]
    """What the decision was made from, as it was then."""
    decided_at: Moment
    reproduced: bool
    """The rules were run again on the evidence just now and came to the same owner."""
    revenue_fen: AmountFen
    """Net revenue booked to the subscription in the period."""


class Balance(Resource):
    """An account of a centre and field in a period: debit positive, credit negative."""

    centre_id: Identifier
    field_id: Identifier | None
    account: str
    period: PeriodNumber
    amount_fen: AmountFen

    @property
    def field_key(self) -> str:
        """The field as a list's order has it: what lies in none comes first."""
        return self.field_id or ""


class Entry(Resource):
    """A line of the ledger: ``amount_fen`` moves from the credit to the debit account."""

    number: Count
    """Its place in the branch's ledger: 1, 2, 3 …"""
    period: PeriodNumber
    origin_period: PeriodNumber
    """The period it belongs to by its event; differs from ``period`` when that one was closed."""
    centre_id: Identifier
    field_id: Identifier | None
    debit: str
    credit: str
    amount_fen: AmountFen
    subscription_id: Identifier | None
    source: str
    event_id: str
    booked_at: Moment


class CentreRevenue(Resource):
    """A centre's net revenue of a period."""

    centre_id: Identifier
    amount_fen: AmountFen


class Reconciliation(Resource):
    """The books against the events they came from (R23)."""

    period: PeriodNumber
    closed: bool
    billed_fen: AmountFen
    """Charges, corrections and refunds by the events themselves, VAT excluded."""
    booked_fen: AmountFen
    """The same by the ledger."""
    difference_fen: AmountFen
    ledger_sum_fen: AmountFen
    """Debits and credits of all accounts together: zero."""
    revenue_by_centre: list[CentreRevenue]
    held: dict[str, int]
    """Events in quarantine now, by code (of the whole branch)."""


class Period(Resource):
    """An accounting period of the branch."""

    period: PeriodNumber
    closed: bool
    closed_at: Moment | None


# --- facts of the feed --------------------------------------------------------------------------


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
