"""Resources and facts of the attribution service: whose every fen is, and why."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import (
    Count,
    Digest,
    Fact,
    Given,
    Moment,
    Name,
    PeriodNumber,
    Ratio,
    Resource,
    SumFen,
)
from huaxiao.shared.wire.contracts import ChannelKind, FieldKind, FieldScopeIn
from huaxiao.shared.wire.personal import ShownBody, ShownMembers
from huaxiao.shared.wire.products import Product

BALANCES_CHANGED = "attribution.balances.changed"
WORK_REQUESTED = "attribution.work.requested"
PERIOD_CLOSED = "attribution.period.closed"
DISPUTE_RAISED = "attribution.dispute.raised"
DISPUTE_ENDED = "attribution.dispute.ended"

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


Reason = Annotated[
    str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")
]
"""Why somebody decides, in their own words."""


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
    """One for each event that was not booked just now, by index; of a stream, the first thousand."""
    outcomes_omitted: Count = 0
    """How many more there were."""
    complete: bool = True
    """False when a stream broke off: all that was whole has been taken."""
    stopped: str | None = None
    """Why the stream broke off."""


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


class Completeness(Resource):
    """A sender's day: received = booked + duplicates + parked + refused + conflicts."""

    day: date
    """Business day of receipt, Asia/Shanghai."""
    source: str
    """Empty for events that did not say who sent them."""
    received: Count
    booked: Count
    duplicates: Count
    parked: Count
    refused: Count
    conflicts: Count
    held_now: Count
    """Of the last three, how many are still in quarantine."""
    oldest_held_at: Moment | None
    parked_now: Count
    """Of those, how many wait for another event."""
    oldest_parked_at: Moment | None
    dismissed_now: Count
    """Of the same three, how many lie dismissed; they are not among those held."""

    @property
    def day_key(self) -> str:
        """The day as a list's order has it."""
        return self.day.isoformat()


class MissingNumbers(Resource):
    """Numbers that have not come, both ends included."""

    first: int
    last: int


class NumberRun(Resource):
    """Numbers that belong together; both ends have come."""

    first: int
    last: int
    came: Count
    """How many of them have come."""


class SenderSequence(Resource):
    """How far a sender's running numbers have come."""

    source: str
    first: int
    last: int
    missing_count: int
    """Within its runs."""
    missing: list[MissingNumbers]
    """The first hundred gaps of at most a million numbers each."""
    runs: list[NumberRun]
    """Parted where more than a million numbers are missing at once; the first hundred.

    More than one says that a number is wrong, that numbering began anew, or that a great deal is lost.
    """


class HeldState(StrEnum):
    """Where an event in quarantine stands."""

    HELD = "held"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"
    """Somebody has said, with a reason, that nothing is to be waited for; it stays as it came."""


class DismissalIn(Given):
    """Why a held event is not to be waited for any longer; name nobody in it."""

    reason: Reason


class Dismissal(Resource):
    """Who has taken a held event out of what waits, when and why."""

    reason: str
    dismissed_by: str
    dismissed_at: Moment


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
    waiting_for: str | None
    """What a parked event waits for: ``subscription:S-1``, ``bill_item:BI-1``, ``bill_item_raised:BI-1``."""
    posted_by: str
    """Whose token or signature it came with."""
    state: HeldState
    received_at: Moment
    resolved_at: Moment | None
    """When it left quarantine for the books; null of a dismissed one."""
    dismissal: Dismissal | None
    """The last one, also of an event that has been tried again with success since."""
    body: ShownBody
    """The event as it came, with personal data masked; empty once it has been erased; bytes that are not UTF-8 are shown as replacement characters."""


class ReplayIn(Given):
    """A held event to try again: mended, or as it came when ``event`` is absent."""

    event: dict[str, Any] | None = None


class ListedLine(StrEnum):
    """How a line stands to a locked list: there before the term, or on it at all."""

    STOCK = "stock"  # 存量
    ANY = "any"


class OwnerSource(StrEnum):
    """Where a rule looks for the owner."""

    RULING = "ruling"
    LEAD_CENTRE = "lead_centre"
    LIST_FIELD = "list_field"
    CAMPUS_FIELD = "campus_field"
    BUNDLE_ANCHOR = "bundle_anchor"
    LEFT_BUNDLE_ANCHOR = "left_bundle_anchor"
    MAIN_CARD = "main_card"
    STANDARD_ADDRESS = "standard_address"
    RESOURCE_ADDRESS = "resource_address"
    CHANNEL_FIELD = "channel_field"
    CHANNEL_CENTRE = "channel_centre"
    DEVELOPER_CENTRE = "developer_centre"
    BASELINE = "baseline"
    ENTERPRISE_DEVELOPER = "enterprise_developer"
    ENTERPRISE_ACCOUNT_MANAGER = "enterprise_account_manager"
    DEFAULT_CENTRE = "default_centre"


class WhenIn(Given):
    """The conditions of a rule; all that are given must hold, none given always does."""

    listed: ListedLine | None = None
    products: list[str] | None = Field(default=None, min_length=1, max_length=20)
    products_except: list[str] | None = Field(default=None, min_length=1, max_length=20)
    customer_kinds_except: list[str] | None = Field(default=None, min_length=1, max_length=20)
    channel_kinds: list[ChannelKind] | None = Field(default=None, min_length=1, max_length=20)
    in_campus: bool = False
    in_bundle: bool = False
    left_bundle: bool = False
    secondary: bool = False
    ruled: bool = False
    lead: bool = False
    baseline: bool = False


class RuleIn(Given):
    """A rule: it takes a line when its conditions hold and an owner source yields a place."""

    code: Identifier
    title: Name
    title_zh: Name
    when: WhenIn
    owner: list[OwnerSource] = Field(min_length=1, max_length=20)
    """Asked in this order."""
    flag: Identifier | None = None
    """Set on every line that the rule takes."""


SHADOW_MONTHS = 12
"""How long shadow credit lasts where a rule set does not say it, in accounting months."""

ShadowMonths = Annotated[int, Field(strict=True, ge=0, le=120)]


class RuleSetIn(Given):
    """A rule set as a county drafts it; rules are asked in this order."""

    title: Name
    title_zh: Name
    rules: list[RuleIn] = Field(min_length=1, max_length=200)
    shadow_months: ShadowMonths = SHADOW_MONTHS
    """How long who helped is credited, of lines opened while these rules decide; 0 credits nobody."""


class RuleSetState(StrEnum):
    """Whether a rule set may still be rewritten, and whether it could be active."""

    DRAFT = "draft"  # 草稿：尚有问题
    VALIDATED = "validated"  # 已校验，可启用
    ACTIVE = "active"  # 已启用


class RuleSetFault(Resource):
    """What keeps a draft from being active."""

    pointer: str
    """JSON Pointer (RFC 6901) into the rule set."""
    code: str
    message: str
    message_zh: str


class RuleSet(Resource):
    """A rule set of a branch, or the default one."""

    name: Identifier
    title: Name
    title_zh: Name
    rules: list[RuleIn]
    shadow_months: ShadowMonths
    state: RuleSetState
    active_from: PeriodNumber | None
    """From which period it decides; null for a draft, and for the default set."""
    digest: str
    """SHA-256 of the canonical rules, in hex: what is activated."""
    faults: list[RuleSetFault]
    """What is still wrong with a draft; empty for any other."""
    drafted_by: str | None
    """Who wrote it as it is; null for the default set, as below."""
    activated_by: str | None


class ActivationIn(Given):
    """From which period a draft is to decide; the period must be open."""

    from_period: PeriodNumber
    digest: Digest
    """Of the draft as it was read, so that nobody activates what was rewritten since."""


AmendmentId = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:\-]{0,63}(/[1-9][0-9]{0,8})?$",
        examples=["CT-2017-11-G1/1"],
        description="合同编号/补充协议序号",
    ),
]
"""A contract's supplement (补充协议) that both sides have signed, as ``CONTRACT/NUMBER``.

Rulings drafted before supplements were followed may name something else, without a stroke.
"""


class RulingIn(Given):
    """Whose subscriptions are to be, whatever their evidence says; both ends belong to the term."""

    subscription_ids: list[Identifier] = Field(min_length=1, max_length=500)
    centre_id: Identifier
    field_id: Identifier | None = None
    from_period: PeriodNumber
    to_period: PeriodNumber | None = None
    """With a field, at most the end of the field's own term."""
    reason: Reason
    amendment_id: AmendmentId | None = None
    """The contract amendment, where the ruling takes a customer off a locked list."""
    restate: bool = False
    """Correct closed months of the term too, by entries in the first open one; they stay sealed."""


class Ruling(Resource):
    """A ruling: proposed by one person, in force once another has approved it."""

    ruling_id: Identifier
    subscription_ids: list[Identifier]
    centre_id: Identifier
    field_id: Identifier | None
    from_period: PeriodNumber
    to_period: PeriodNumber | None
    reason: str
    amendment_id: AmendmentId | None
    restate: bool
    dispute_id: Identifier | None
    """The dispute that it decides; its confirmation there puts it in force."""
    drafted_by: str
    drafted_at: Moment
    approved_by: str | None
    approved_at: Moment | None


class PreviewedMove(Resource):
    """A line's month that would have another owner."""

    subscription_id: Identifier
    period: PeriodNumber
    booked_in: PeriodNumber
    """Where the plus and minus entries are booked: the first open month for a closed one."""
    from_centre_id: Identifier
    from_field_id: Identifier | None
    to_centre_id: Identifier
    to_field_id: Identifier | None
    revenue_fen: SumFen
    """Net revenue of the month's charges; cash and cost go with it."""


class CentreEffect(Resource):
    """What a centre would gain (plus) or lose (minus) in a month's books."""

    centre_id: Identifier
    period: PeriodNumber
    revenue_fen: SumFen


class RulingPreview(Resource):
    """What approving a ruling would move by the books as they are now; nothing was changed."""

    ruling_id: Identifier
    moved: Count
    centres: list[CentreEffect]
    moves: list[PreviewedMove]
    """Those with the most revenue first, at most 500."""


class DisputeState(StrEnum):
    """Where a dispute stands; it is open until it is decided, and again under appeal."""

    RAISED = "raised"  # 待答辩
    REPLIED = "replied"  # 待裁决
    PROPOSED = "proposed"  # 待确认
    DECIDED = "decided"  # 已裁决，可申诉
    APPEALED = "appealed"  # 申诉中
    FINAL_PROPOSED = "final_proposed"  # 终裁待确认
    FINAL = "final"  # 终局
    WITHDRAWN = "withdrawn"  # 已撤回
    UNDECIDED = "undecided"  # 逾期未决


class DisputeStepName(StrEnum):
    """What may be done about a dispute."""

    RAISE = "raise"
    REPLY = "reply"
    PROPOSE = "propose"
    CONFIRM = "confirm"
    APPEAL = "appeal"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"


class DocumentReference(Given):
    """A document kept elsewhere: the digest says which it was, whatever becomes of the address."""

    name: Name
    sha256: Digest
    url: Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s\x00]+$")]


Documents = Annotated[list[DocumentReference], Field(max_length=20)]


class DisputeIn(Given):
    """A centre contests whose a subscription is; both ends belong to the contested term."""

    subscription_id: Identifier
    from_period: PeriodNumber
    to_period: PeriodNumber | None = None
    entry_number: Count | None = None
    """The entry that shows it, of the subscription and the term; its whole month is contested."""
    claimant_centre_id: Identifier
    centre_id: Identifier
    """Whose it should be; either this centre or the present owner is the claimant."""
    field_id: Identifier | None = None
    text: Reason
    documents: Documents = Field(default_factory=list)


class PleaIn(Given):
    """What a party says to a dispute."""

    text: Reason
    documents: Documents = Field(default_factory=list)


class DisputeDecisionIn(Given):
    """Whose the contested subscription is to be: a ruling (rule 010), once another confirms it."""

    centre_id: Identifier
    field_id: Identifier | None = None
    to_period: PeriodNumber | None = None
    """Within the contested term; its end when absent."""
    reason: Reason
    amendment_id: AmendmentId | None = None
    """The contract amendment, where the decision takes a customer off a locked list."""


Days = Annotated[int, Field(strict=True, ge=1, le=60, description="自然日")]


class DisputeLimits(Given):
    """How long each step of a dispute may take, in natural days after the day it counts from."""

    raise_days: Days = 5
    """After the month is closed, or after the decision that made the present owner, if later."""
    reply_days: Days = 3
    decide_days: Days = 5
    """After the reply, or after the time for it has passed."""
    appeal_days: Days = 5
    final_days: Days = 5


class DisputeStep(Resource):
    """Something that was done about a dispute."""

    number: Count
    step: DisputeStepName
    by: str
    at: Moment
    text: str | None
    documents: list[DocumentReference]
    ruling_id: Identifier | None
    """Of a decision: the ruling it proposes or puts in force."""


class DisputeDecision(Resource):
    """Whose the contested months are to be, by a ruling."""

    ruling_id: Identifier
    centre_id: Identifier
    field_id: Identifier | None
    from_period: PeriodNumber
    to_period: PeriodNumber | None
    reason: str


class Dispute(Resource):
    """A dispute about whose a subscription is."""

    dispute_id: Identifier
    subscription_id: Identifier
    from_period: PeriodNumber
    """An appeal is about the months alone in which the decision still stands."""
    to_period: PeriodNumber | None
    raised_from_period: PeriodNumber | None
    """The first month it was raised about, where an appeal is about fewer; else null."""
    raised_to_period: PeriodNumber | None
    """The last one, likewise."""
    entry_number: Count | None
    claimant_centre_id: Identifier
    respondent_centre_id: Identifier
    owner_centre_id: Identifier
    """Whose it was when the dispute was raised."""
    owner_field_id: Identifier | None
    centre_id: Identifier
    """Whose it should be, by the claim."""
    field_id: Identifier | None
    state: DisputeState
    open: bool
    """It waits for a decision."""
    frozen: bool
    """What is heard of the line meanwhile is kept, and moves nothing before the dispute ends.

    So it is while the dispute is open, unless the owner itself says that the line is another's.
    """
    due_at: Moment | None
    """Until when the next step is due, this moment no longer included."""
    overdue: bool
    """Nobody has decided in time: the line stays with its present owner until somebody does."""
    raised_at: Moment
    age_days: Count
    """Natural days since it was raised, until it ended."""
    revenue_fen: SumFen
    """Net revenue at stake: the line's charges of the contested term, as booked by now."""
    decision: DisputeDecision | None
    """The decision in force."""
    proposal: DisputeDecision | None
    """A decision that waits to be confirmed."""
    steps: list[DisputeStep]


class DraftField(Given):
    """A field that is not sealed, to try."""

    field_id: Identifier
    kind: FieldKind
    centre_id: Identifier
    scope: FieldScopeIn


class WhatIfIn(Given):
    """A question: how past months would have been divided by other rules or fields."""

    period: PeriodNumber
    to_period: PeriodNumber | None = None
    """The last month asked for; the first one alone when absent."""
    rules: RuleSetIn | None = None
    """The rules to try; the branch's own when absent."""
    fields: list[DraftField] = Field(default_factory=list, max_length=1000)
    """Fields to try in place of the sealed ones of the same code, or beside them."""
    moves_shown: int = Field(default=500, ge=0, le=100_000)
    """How many of the moves to name."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_period is not None and self.to_period < self.period:
            raise ValueError("to_period lies before period")
        return self


class CentreChange(Resource):
    """What a centre would gain or lose."""

    centre_id: Identifier
    before_fen: SumFen
    after_fen: SumFen
    subscriptions_in: Count
    subscriptions_out: Count


class MovedSubscription(Resource):
    """A subscription that would belong to another centre or field in billed months."""

    subscription_id: Identifier
    from_period: PeriodNumber
    to_period: PeriodNumber
    from_centre_id: Identifier
    from_field_id: Identifier | None
    from_rule: str
    to_centre_id: Identifier
    to_field_id: Identifier | None
    to_rule: str
    revenue_fen: SumFen


class WhatIf(Resource):
    """The difference that other rules or fields would make; nothing was changed."""

    period: PeriodNumber
    to_period: PeriodNumber
    subscriptions: Count
    """How many were decided again."""
    moved: Count
    """How many would be another's in any of the months."""
    centres: list[CentreChange]
    moves: list[MovedSubscription]
    """Those with the most revenue first."""
    moves_omitted: Count
    """How many more there are than were asked for."""


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
    reason_zh: str
    to_period: PeriodNumber
    """The last month of it."""


class RulingMark(Resource):
    """The ruling that a decision rests on."""

    ruling_id: Identifier
    reason: str
    approved_at: Moment
    restate: bool


class ClosedAs(Resource):
    """What was decided on a month when it was closed, and sealed so."""

    owner: Owner
    decided_at: Moment
    closed_at: Moment


class DisputeMark(Resource):
    """A dispute about the explained month, the newest one."""

    dispute_id: Identifier
    state: DisputeState
    open: bool
    frozen: bool
    claimant_centre_id: Identifier
    centre_id: Identifier
    """Whose it should be, by the claim."""
    due_at: Moment | None
    overdue: bool


class Explanation(Resource):
    """Why a subscription's revenue of a period belongs where it does (R22-R24)."""

    subscription_id: Identifier
    period: PeriodNumber
    version: Count
    """The how-manieth decision on the subscription it is; earlier ones had less evidence."""
    since: PeriodNumber
    """The decision stands from this period on; nothing it looks at has changed since."""
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
    evidence: ShownMembers
    """What the decision was made from, as it was then."""
    decided_at: Moment
    ruling: RulingMark | None
    """The ruling that stands behind it, on the line itself or on its main card."""
    closed_as: ClosedAs | None
    """Of a closed month whose owner has been restated since: what it was closed with."""
    dispute: DisputeMark | None
    reproduced: bool
    """The rules were run again on the evidence just now and came to the same owner."""
    revenue_fen: SumFen
    """Net revenue of the period's charges, whenever it was booked: what follows this owner."""
    story: list[str]
    """All of it in sentences, the first of which says whose the revenue is."""
    story_zh: list[str]
    """The same in Chinese, sentence by sentence."""


class Balance(Resource):
    """An account of a centre and field in a period: debit positive, credit negative."""

    centre_id: Identifier
    field_id: Identifier | None
    account: str
    period: PeriodNumber
    amount_fen: SumFen

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
    amount_fen: SumFen
    subscription_id: Identifier | None
    source: str
    event_id: str
    booked_at: Moment


class UnresolvedLine(Resource):
    """A line in the pool, or one with a flag: somebody should look into it."""

    subscription_id: Identifier
    centre_id: Identifier
    field_id: Identifier | None
    unit_rule: str
    flags: list[str]
    since: Moment
    """When it was decided that it is unresolved in this month, and never otherwise since."""
    age_days: Count
    """Natural days since then."""
    overdue: bool
    """It is older than the branch's ``overdue_days``."""
    revenue_fen: SumFen
    """Net revenue of the month's charges."""
    assignee_id: Identifier | None
    """The person who is to work it off; null is nobody."""
    drafted_ruling_id: Identifier | None
    """The newest ruling on this month that waits for its approval; for those who read rulings."""
    dispute_id: Identifier | None
    """The open dispute about this month."""


class UnresolvedAssignmentIn(Given):
    """Who is to work off an unresolved line."""

    person_id: Identifier | None
    """A person of the branch; null is nobody."""


class UnresolvedAssignment(Resource):
    """Who was to work off an unresolved line from then on; the highest number stands."""

    number: Count
    subscription_id: Identifier
    person_id: Identifier | None
    assigned_by: str
    assigned_at: Moment


class Shortfall(Resource):
    """A payment of which less reached the bank than was taken (negative list, NL-05)."""

    payment_id: Identifier
    subscription_id: Identifier
    centre_id: Identifier
    """Whose subscription it paid for; the channel says who took the money."""
    channel_id: Identifier | None
    period: PeriodNumber
    amount_fen: SumFen
    remitted_fen: SumFen
    missing_fen: SumFen


class CentreRevenue(Resource):
    """A centre's net revenue of a period."""

    centre_id: Identifier
    amount_fen: SumFen


class PeriodBooks(Resource):
    """A period's balances against the documents that were taken in."""

    period: PeriodNumber
    closed: bool
    billed_fen: SumFen
    """Charges and corrections less refunds by the documents themselves, VAT excluded."""
    booked_fen: SumFen
    """The same by the balances."""
    difference_fen: SumFen
    """Billed less booked: zero."""
    attributed_fen: SumFen
    """What belongs to a contracting centre; with what lies in the pool it is all that is booked."""
    unresolved_fen: SumFen
    """What lies in the pool."""
    ledger_sum_fen: SumFen
    """Debits and credits of all accounts together: zero."""


RateBasisPoints = Annotated[int, Field(strict=True, ge=0, le=10_000, examples=[200])]
"""Hundredths of a percent."""
CommissionMonths = Annotated[int, Field(strict=True, ge=1, le=60, examples=[12])]


class UnresolvedLimits(Given):
    """How much of a month's net revenue may lie in the pool, and for how long a line may."""

    warn_above_basis_points: RateBasisPoints = 100
    """More than this is warned of."""
    block_above_basis_points: RateBasisPoints = 300
    """More than this is closed only with the general manager's approval."""
    overdue_days: Annotated[int, Field(strict=True, ge=1, le=365, description="自然日")] = 30
    """A line that is unresolved for more natural days is overdue."""

    @model_validator(mode="after")
    def _warns_before_it_blocks(self) -> Self:
        if self.warn_above_basis_points > self.block_above_basis_points:
            raise ValueError("warn_above_basis_points is more than block_above_basis_points")
        return self


class UnresolvedStanding(StrEnum):
    """What a month's unresolved share means for its closing."""

    WITHIN = "within"  # 正常
    WARNING = "warning"  # 预警
    BLOCKED = "blocked"  # 禁止关账
    APPROVED = "approved"  # 已批准关账


class UnresolvedApprovalIn(Given):
    """Why a month may be closed though much of it is unresolved."""

    reason: Reason


class UnresolvedApproval(Resource):
    """The general manager's approval to close a month with the share it had at that moment."""

    approved_by: str
    approved_at: Moment
    reason: str
    unresolved_fen: SumFen
    net_revenue_fen: SumFen
    share: Ratio | None


class UnresolvedShare(Resource):
    """How much of a month's net revenue lies in the pool, and whether it may be closed with it."""

    unresolved_fen: SumFen
    """Net revenue that lies in the pool; may be negative."""
    net_revenue_fen: SumFen
    """Net revenue of the branch."""
    share: Ratio | None
    """The first over the second, both without their sign, to six places; null is something of nothing."""
    warn_above_basis_points: RateBasisPoints
    block_above_basis_points: RateBasisPoints
    standing: UnresolvedStanding
    approval: UnresolvedApproval | None = None
    """Of an open month: the newest. Of a closed one: the one that it was closed with."""


class CommissionTermsIn(Given):
    """What leads earn that are approved from a period on and say nothing of it themselves (R16)."""

    from_period: PeriodNumber
    rate_basis_points: RateBasisPoints
    """Of every payment on the line."""
    months: CommissionMonths
    """Accounting months that earn; the one the line was opened in is the first."""
    reason: Reason


class CommissionTerms(Resource):
    """Terms of commissions: proposed by one person, in force once another has approved them."""

    terms_id: Identifier
    from_period: PeriodNumber
    rate_basis_points: RateBasisPoints
    months: CommissionMonths
    reason: str
    drafted_by: str
    drafted_at: Moment
    approved_by: str | None
    approved_at: Moment | None


class Commission(Resource):
    """What an event changed of a person's commission (R16)."""

    number: Count
    """Its place among the branch's commissions."""
    person_id: Identifier
    lead_id: Identifier
    project_id: Identifier | None
    """The project that the lead became, where it names one."""
    subscription_id: Identifier
    centre_id: Identifier
    """Whose the line is in the event's month; its books bear the commission."""
    period: PeriodNumber
    """The month it is booked in."""
    origin_period: PeriodNumber
    """The month of the event; differs from ``period`` when that one was closed."""
    source: str
    event_id: str
    """The payment or refund, as its sender named it."""
    collected_fen: SumFen
    """What was paid; negative for what was given back."""
    amount_fen: SumFen
    """The person's part; negative for what is taken back."""
    booked_at: Moment


class CommissionTotal(Resource):
    """A person's commissions of a month."""

    person_id: Identifier
    period: PeriodNumber
    commissions: Count
    """How many changes it is the sum of."""
    amount_fen: SumFen


class Reconciliation(PeriodBooks):
    """The books of one period against the events they came from."""

    entered_fen: SumFen
    """What is billed, by the ledger's lines that events made, counted one by one."""
    revenue_by_centre: list[CentreRevenue]
    held: dict[str, int]
    """Events in quarantine now, by code (of the whole branch)."""


class PeriodState(StrEnum):
    """Where an accounting period stands."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Period(Resource):
    """An accounting period of the branch."""

    period: PeriodNumber
    state: PeriodState
    begun_at: Moment | None = None
    begun_by: str | None = None
    """Who has begun to close it; somebody else closes it."""
    closed_at: Moment | None = None
    closed_by: str | None = None
    closed_with: PeriodNumber | None = None
    """Of a closed period: itself, or the later one that was closed while nothing was booked here."""
    entries: Count | None = None
    """Of a closed period: how many entries are sealed."""
    seal: str | None = None
    """SHA-256, in hex, over the closing: branch, period, entries, people, moments, what of it is
    unresolved and who approved that, seal before."""
    unresolved: UnresolvedShare | None = None
    """For those who read the whole branch; null of a month that was closed with a later one."""


class Verification(Resource):
    """A closed period held against its seal, and its balances against its entries."""

    period: PeriodNumber
    holds: bool
    findings: list[str]
    """What does not hold, first things first; empty when everything does."""


class StatementLine(Resource):
    """An account of a centre and field in a statement: debit positive, credit negative."""

    field_id: Identifier | None
    account: str
    amount_fen: SumFen


class Statement(Resource):
    """A centre's period as it was known at a moment: the same bytes for ever."""

    centre_id: Identifier
    period: PeriodNumber
    known_at: Moment
    entries: Count
    lines: list[StatementLine]
    net_revenue_fen: SumFen
    digest: str
    """SHA-256, in hex, over the entries the statement sums."""


class LinesOfField(Resource):
    """How many lines of a product earned a field, or a centre outside any, something in a month.

    A line counts whose charges of the month, less what was taken back of them, come to more than
    nothing: with the centre they belong to.
    """

    period: PeriodNumber
    centre_id: Identifier
    field_id: Identifier | None
    product: Product
    lines: Count


class BilledLines(Resource):
    """The billed lines (出账用户) of some months as they were known at a moment."""

    known_at: Moment
    lines: list[LinesOfField]


# --- facts of the feed --------------------------------------------------------------------------


class BalanceChange(Fact):
    """What one booking transaction changed on one account: debit positive, credit negative."""

    centre_id: Identifier
    field_id: Identifier | None
    account: str
    period: PeriodNumber
    amount_fen: SumFen


class LinesBilled(Fact):
    """By how many charges what is billed to a centre and field in a period changed."""

    centre_id: Identifier
    field_id: Identifier | None
    period: PeriodNumber
    lines: int
    """Below zero where charges went to another centre or field, by a decision made anew."""


class BalancesChanged(Fact):
    """Everything one booking transaction changed; the changes sum to zero."""

    changes: list[BalanceChange]
    """Empty where charges of equal amounts changed places."""
    billed: list[LinesBilled] | None = None
    """Charges, one by one; null in entries from before they were told."""


class WorkRequestedFact(Fact):
    """A BSS order that needs an engineer, as it came in."""

    order_id: Identifier
    kind: str
    customer_class: str
    customer_id: Identifier
    standard_address: AddressCode
    requested_at: Moment
    subscription_id: Identifier | None = None
    circuit_grade: str | None = None
    """``aaa``, ``aa`` or ``standard`` where the work is on a leased circuit."""
    build_needed: bool = False
    """The circuit's resources are still to be built."""


class PeriodClosed(Fact):
    """A period takes no more entries; whoever keeps this can tell whether its seal still holds."""

    period: PeriodNumber
    entries: Count
    entries_digest: str
    begun_by: str
    begun_at: Moment
    closed_by: str
    closed_at: Moment
    unresolved_fen: SumFen
    net_revenue_fen: SumFen
    warn_above_basis_points: RateBasisPoints
    block_above_basis_points: RateBasisPoints
    """The branch's limits of what may be unresolved, as they were."""
    approved_by: str | None
    """Who approved that more is unresolved; null where nobody had to."""
    approved_at: Moment | None
    approved_reason: str | None
    approved_unresolved_fen: SumFen | None
    approved_net_revenue_fen: SumFen | None
    seal_before: str
    """The seal of the period closed before; empty for the first."""
    seal: str
    """SHA-256, in hex, over the branch and all of the above."""


class DisputeRaised(Fact):
    """A centre contests whose a subscription is; another's is frozen until the dispute ends."""

    dispute_id: Identifier
    subscription_id: Identifier
    claimant_centre_id: Identifier
    respondent_centre_id: Identifier
    from_period: PeriodNumber
    to_period: PeriodNumber | None = None


class DisputeEnded(Fact):
    """A dispute is open no longer: decided, final, withdrawn or undecided."""

    dispute_id: Identifier
    subscription_id: Identifier
    state: DisputeState
    ruling_id: Identifier | None = None
    """Of a decision: the ruling it has put in force."""
