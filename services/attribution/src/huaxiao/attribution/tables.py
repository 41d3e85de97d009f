"""The tables of the attribution service; every key begins with the branch."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from huaxiao.shared.audit.log import AuditLog
from huaxiao.shared.audit.marks import DERIVED, PAY
from huaxiao.shared.database import branch_column, service_metadata
from huaxiao.shared.feed import Feed, positions_table
from huaxiao.shared.personal import erasures_done_table, erasures_table, full_views_table
from huaxiao.shared.rows import COPIED, own_centre, whole_branch
from huaxiao.shared.unit_of_work import idempotency_table

metadata = service_metadata("attribution")
feed = Feed(metadata, service="attribution")
idempotency_keys = idempotency_table(metadata)
full_views = full_views_table(metadata)
erasures = erasures_table(metadata)
erasures_done = erasures_done_table(metadata)
audit_log = AuditLog(metadata, service="attribution")
positions = positions_table(metadata)

UNPLACED = 0
"""The branch of quarantined events that name no branch of ours, or one their sender may not enter."""

_APPEND_ONLY = {"append_only": True}


# --- the county, as followed from contracts -----------------------------------------------------

branches = Table(
    "branches",
    metadata,
    branch_column(),
    Column("name_zh", Text, nullable=False),
    Column("default_centre_id", Text, nullable=False),
    info=DERIVED | whole_branch("The county itself; the pool's centre is known to everybody."),
)
centres = Table(
    "centres",
    metadata,
    branch_column(),
    Column("centre_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    info=DERIVED | whole_branch("The register, by which lines find their owner."),
)
centre_names = Table(
    "centre_names",
    metadata,
    branch_column(),
    Column("centre_id", Text, primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    info=DERIVED | whole_branch("The register, by which lines find their owner."),
)
people = Table(
    "people",
    metadata,
    branch_column(),
    Column("person_id", Text, primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("centre_id", Text, nullable=False),
    info=DERIVED | whole_branch("The register, by which lines find their owner."),
)
channels = Table(
    "channels",
    metadata,
    branch_column(),
    Column("channel_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("centre_id", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    info=DERIVED | whole_branch("The register, by which lines find their owner."),
)
channel_moves = Table(
    "channel_moves",
    metadata,
    branch_column(),
    Column("channel_id", Text, primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    info=DERIVED | whole_branch("The register, by which lines find their owner."),
)
fields = Table(
    "fields",
    metadata,
    branch_column(),
    Column("field_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("centre_id", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("term_from", Integer, nullable=False),
    Column("term_to", Integer, nullable=False),
    Column("scope", JSONB, nullable=False),
    Column("digest", Text, nullable=False),
    info=DERIVED | whole_branch("The register, by which lines find their owner."),
)
contract_fields = Table(
    "contract_fields",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("field_id", Text, primary_key=True),
    info=DERIVED,
    comment="Which fields a signed contract has",
)
supplements = Table(
    "supplements",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("effective_from", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    info=DERIVED,
    comment="Supplements (补充协议) of contracts that both sides have signed",
)
agreement_positions = Table(
    "agreement_positions",
    metadata,
    branch_column(),
    Column("position", BigInteger, nullable=False),
    info=DERIVED,
    comment="Up to which entry of the contracts feed no contract and no supplement is missing",
)

# --- what came in -------------------------------------------------------------------------------

intakes = Table(
    "intakes",
    metadata,
    branch_column(),
    Column("entries", BigInteger, nullable=False, server_default=text("0")),
    Column("held", BigInteger, nullable=False, server_default=text("0")),
    Column("resolved", BigInteger, nullable=False, server_default=text("0")),
    Column("commissions", BigInteger, nullable=False, server_default=text("0")),
    Column("closed_through", Integer),
    Column(
        "decided_mark",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="another one with every transaction that decides: what was read before it is old",
    ),
    Column(
        "settled_until",
        DateTime(timezone=True),
        comment="nothing more is booked before it; never goes back",
    ),
    info=DERIVED,
    comment="One row a branch: its counters, and the lock that makes its bookings one after another",
)
received_events = Table(
    "received_events",
    metadata,
    branch_column(),
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    info=_APPEND_ONLY | DERIVED | COPIED,
)
held_events = Table(
    "held_events",
    metadata,
    branch_column(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("source", Text),
    Column("event_id", Text),
    Column("type", Text),
    Column("outcome", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("message_zh", Text, nullable=False),
    Column("waiting_for", Text, comment="what a parked event waits for, such as subscription:S-1"),
    Column("body", LargeBinary, nullable=False),
    Column("posted_by", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column(
        "resolved_at",
        DateTime(timezone=True),
        comment="when it left quarantine: into the books, or dismissed",
    ),
    Column("dismissed", Boolean, nullable=False, server_default=text("false")),
    Index(
        "held_events_dismissed_index",
        "branch_id",
        "received_at",
        postgresql_where=text("dismissed"),
    ),
    Index(
        "held_events_digest_index",
        "branch_id",
        "digest",
        unique=True,
        postgresql_where=text("resolved_at IS NULL"),
    ),
    Index(
        "held_events_waiting_index",
        "branch_id",
        "waiting_for",
        postgresql_where=text("resolved_at IS NULL"),
    ),
    Index(
        "held_events_kept_index",
        "branch_id",
        "received_at",
        postgresql_where=text("octet_length(body) > 0"),
    ),
    Index("held_events_event_index", "branch_id", "source", "event_id"),
    Index("held_events_code_index", "branch_id", "code", "number"),
    Index("held_events_poster_index", "branch_id", "posted_by", "number"),
    info=COPIED,
)
dismissals = Table(
    "dismissals",
    metadata,
    branch_column(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "time",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="1 the first time; an event that was tried again with success may be dismissed again",
    ),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "number"],
        ["attribution.held_events.branch_id", "attribution.held_events.number"],
    ),
    info=_APPEND_ONLY,
    comment="Held events that somebody has taken out of what waits, and why",
)
signed_sources = Table(
    "signed_sources",
    metadata,
    branch_column(),
    Column("source_id", Text, primary_key=True),
    Column("source", Text, nullable=False, comment="of all its events"),
    Column("registered_by", Text, nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
    comment="Senders that sign what they post instead of bearing a token",
)
signed_secrets = Table(
    "signed_secrets",
    metadata,
    branch_column(),
    Column("source_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("secret", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_until", DateTime(timezone=True)),
)
signed_messages = Table(
    "signed_messages",
    metadata,
    branch_column(),
    Column("source_id", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Index(None, "branch_id", "received_at"),
    info=DERIVED,
    comment="Signed messages that were taken, for as long as they may come again",
)
intake_counts = Table(
    "intake_counts",
    metadata,
    branch_column(),
    Column("day", Date, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("events", BigInteger, nullable=False),
    info=DERIVED,
    comment="What became of events when they came, by business day and sender",
)
unplaced_counts = Table(
    "unplaced_counts",
    metadata,
    branch_column(),
    Column("posted_by", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("events", BigInteger, nullable=False),
    info=DERIVED,
    comment="The same of events that belong to no branch, each by who posted them",
)
intake_sequences = Table(
    "intake_sequences",
    metadata,
    branch_column(),
    Column("source", Text, primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    info=DERIVED,
    comment="Which of its running numbers a sender's events have carried, as ranges",
)
subscriptions = Table(
    "subscriptions",
    metadata,
    branch_column(),
    Column("subscription_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("customer_kind", Text, nullable=False),
    Column("standard_address", Text),
    Column("resource_address", Text),
    Column("main_subscription_id", Text),
    Column("channel_id", Text),
    Column("developer_id", Text),
    Column("account_manager_id", Text),
    Column("campus_id", Text),
    Index(None, "branch_id", "main_subscription_id"),
    info=_APPEND_ONLY | DERIVED | COPIED,
)
subscription_changes = Table(
    "subscription_changes",
    metadata,
    branch_column(),
    Column("subscription_id", Text, primary_key=True),
    Column("event", Text, primary_key=True, comment="source and id of the event, as one text"),
    Column("effective_on", Date, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("customer_id", Text),
    Column("customer_kind", Text, comment="of the new customer; null is that of the one before"),
    Column("standard_address", Text),
    Column("resource_address", Text),
    info=_APPEND_ONLY | DERIVED | COPIED,
)
bundle_statements = Table(
    "bundle_statements",
    metadata,
    branch_column(),
    Column("bundle_id", Text, primary_key=True),
    Column("event", Text, primary_key=True),
    Column("effective_on", Date, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("members", ARRAY(Text), nullable=False),
    Column("joins", Boolean, nullable=False),
    info=_APPEND_ONLY | DERIVED | COPIED,
)
bundle_members = Table(
    "bundle_members",
    metadata,
    branch_column(),
    Column("subscription_id", Text, primary_key=True),
    Column("bundle_id", Text, primary_key=True),
    info=_APPEND_ONLY | DERIVED,
    comment="Which bundles ever named a subscription",
)
leads = Table(
    "leads",
    metadata,
    branch_column(),
    Column("subscription_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("approved_on", Date, nullable=False),
    Column("owner_centre_id", Text, nullable=False),
    Column("originator_id", Text),
    Column("project_id", Text),
    Column("person_ids", ARRAY(Text), nullable=False),
    Column("shares", ARRAY(Integer), nullable=False, comment="of each person, in basis points"),
    Column("rate_basis_points", Integer, comment="of what is collected; null is by the terms"),
    Column("months", Integer, comment="that earn; null is by the terms"),
    info=_APPEND_ONLY | DERIVED | whole_branch("Evidence that decides between centres.") | COPIED,
)
baselines = Table(
    "baselines",
    metadata,
    branch_column(),
    Column("subscription_id", Text, primary_key=True),
    Column("event", Text, primary_key=True),
    Column("period", Integer, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("centre_id", Text, nullable=False),
    Column("field_id", Text),
    info=_APPEND_ONLY | DERIVED | whole_branch("Evidence that decides between centres.") | COPIED,
    comment="Whose lines were when a contract began, for those that no other evidence places",
)
documents = Table(
    "documents",
    metadata,
    branch_column(),
    Column("kind", Text, primary_key=True),
    Column("document_id", Text, primary_key=True),
    Column("subscription_id", Text),
    Column("period", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("channel_id", Text),
    Column("remitted_fen", BigInteger, comment="of a payment: what reached the bank"),
    Index(
        "documents_short_index",
        "branch_id",
        "period",
        "document_id",
        postgresql_where=text("remitted_fen < amount_fen"),
    ),
    info=_APPEND_ONLY | DERIVED | COPIED,
    comment="Bill items, payments, refunds, costs by their own numbers: none is booked twice",
)
settled_items = Table(
    "settled_items",
    metadata,
    branch_column(),
    Column("bill_item_id", Text, primary_key=True),
    Column("amount_fen", BigInteger, nullable=False),
    info=DERIVED,
    comment="What has been refunded, written off or taken back of a charge so far",
)

# --- by which rules -----------------------------------------------------------------------------

rule_sets = Table(
    "rule_sets",
    metadata,
    branch_column(),
    Column("name", Text, primary_key=True),
    Column("given", JSONB, nullable=False),
    Column("digest", Text, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
)
rule_activations = Table(
    "rule_activations",
    metadata,
    branch_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("from_period", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("activated_by", Text, nullable=False),
    Column("activated_at", DateTime(timezone=True), nullable=False),
    info=_APPEND_ONLY,
    comment="Which rule set decides from which period; of two from one period the later stands",
)

rulings = Table(
    "rulings",
    metadata,
    branch_column(),
    Column("ruling_id", Text, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("field_id", Text),
    Column("from_period", Integer, nullable=False),
    Column("to_period", Integer),
    Column("reason", Text, nullable=False),
    Column("amendment_id", Text),
    Column("restate", Boolean, nullable=False, comment="its closed months are corrected as well"),
    Column("dispute_id", Text, comment="the dispute it decides"),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    info=_APPEND_ONLY | whole_branch("A ruling moves lines from one centre to another."),
)
ruled_subscriptions = Table(
    "ruled_subscriptions",
    metadata,
    branch_column(),
    Column("subscription_id", Text, primary_key=True),
    Column("ruling_id", Text, primary_key=True),
    Column("position", Integer, nullable=False, comment="its place in the ruling, from 0"),
    Index(None, "branch_id", "ruling_id"),
    info=_APPEND_ONLY,
    comment="Which subscriptions a ruling names",
)
ruling_approvals = Table(
    "ruling_approvals",
    metadata,
    branch_column(),
    Column("ruling_id", Text, primary_key=True),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", DateTime(timezone=True), nullable=False),
    info=_APPEND_ONLY,
)

disputes = Table(
    "disputes",
    metadata,
    branch_column(),
    Column("dispute_id", Text, primary_key=True),
    Column("subscription_id", Text, nullable=False),
    Column("from_period", Integer, nullable=False),
    Column("to_period", Integer),
    Column("entry_number", BigInteger),
    Column("claimant_centre_id", Text, nullable=False),
    Column("respondent_centre_id", Text, nullable=False),
    Column("owner_centre_id", Text, nullable=False),
    Column("owner_field_id", Text),
    Column("centre_id", Text, nullable=False, comment="whose it should be, by the claim"),
    Column("field_id", Text),
    Column("state", Text, nullable=False),
    Column("frozen", Boolean, nullable=False, comment="the line's decisions wait for its end"),
    Column("reply_due", DateTime(timezone=True), nullable=False),
    Column("decide_due", DateTime(timezone=True), nullable=False),
    Column("appeal_due", DateTime(timezone=True)),
    Column("final_due", DateTime(timezone=True)),
    Column("proposed_by", Text),
    Column("advocates", ARRAY(Text), nullable=False),
    Column("deciders", ARRAY(Text), nullable=False),
    Column("ruling_id", Text, comment="the decision in force"),
    Column("proposal_id", Text, comment="the decision that waits to be confirmed"),
    Column("raised_from_period", Integer, comment="null unless an appeal is about fewer months"),
    Column("raised_to_period", Integer),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True), comment="null while it waits for a decision"),
    Index(None, "branch_id", "subscription_id"),
    Index(
        "disputes_frozen_index",
        "branch_id",
        "subscription_id",
        unique=True,
        postgresql_where=text("frozen"),
    ),
    info=whole_branch("Whether a line is contested is asked by whoever has it or wants it."),
)
dispute_steps = Table(
    "dispute_steps",
    metadata,
    branch_column(),
    Column("dispute_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("step", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("text", Text),
    Column("documents", JSONB, nullable=False),
    Column("ruling_id", Text),
    info=_APPEND_ONLY,
)
dispute_limits = Table(
    "dispute_limits",
    metadata,
    branch_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("raise_days", Integer, nullable=False),
    Column("reply_days", Integer, nullable=False),
    Column("decide_days", Integer, nullable=False),
    Column("appeal_days", Integer, nullable=False),
    Column("final_days", Integer, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", DateTime(timezone=True), nullable=False),
    info=_APPEND_ONLY,
    comment="How long the steps of a dispute may take; the last row holds",
)
commission_terms = Table(
    "commission_terms",
    metadata,
    branch_column(),
    Column("terms_id", Text, primary_key=True),
    Column("from_period", Integer, nullable=False),
    Column("rate_basis_points", Integer, nullable=False),
    Column("months", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    info=_APPEND_ONLY,
    comment="What leads earn that say nothing of it themselves",
)
commission_terms_approvals = Table(
    "commission_terms_approvals",
    metadata,
    branch_column(),
    Column("terms_id", Text, primary_key=True),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", DateTime(timezone=True), nullable=False),
    info=_APPEND_ONLY,
)

# --- what was decided and booked ----------------------------------------------------------------

decisions = Table(
    "decisions",
    metadata,
    branch_column(),
    Column("subscription_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("from_period", Integer, primary_key=True, autoincrement=False),
    Column("centre_id", Text, nullable=False),
    Column("field_id", Text),
    Column("unit_rule", Text, nullable=False),
    Column("field_rule", Text),
    Column("flags", ARRAY(Text), nullable=False),
    Column("rule_set", Text, nullable=False),
    Column("evidence", JSON, nullable=False, comment="kept as it was written; never searched"),
    Column("evidence_digest", LargeBinary, nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    info=_APPEND_ONLY
    | PAY
    | whole_branch("People have commissions from lines of any centre, found through the owner.")
    | COPIED,
    comment="Stands until the next from_period of its version; a higher version lies over lower ones"
    " from its first from_period on",
)
deferred_decisions = Table(
    "deferred_decisions",
    metadata,
    branch_column(),
    Column("subscription_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("from_period", Integer, primary_key=True, autoincrement=False),
    Column("centre_id", Text, nullable=False),
    Column("field_id", Text),
    Column("unit_rule", Text, nullable=False),
    Column("field_rule", Text),
    Column("flags", ARRAY(Text), nullable=False),
    Column("rule_set", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("evidence_digest", LargeBinary, nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    info=DERIVED | whole_branch("What a dispute holds back, between two centres.") | COPIED,
    comment="What would have been decided on a line that is frozen; it goes when the dispute ends",
)
entries = Table(
    "entries",
    metadata,
    branch_column(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("period", Integer, nullable=False),
    Column("origin_period", Integer, nullable=False),
    Column("owner_period", Integer, nullable=False),
    Column("centre_id", Text, nullable=False),
    Column("field_id", Text),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("subscription_id", Text),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("booked_at", DateTime(timezone=True), nullable=False),
    Index(None, "branch_id", "subscription_id"),
    info=_APPEND_ONLY | PAY | own_centre("centre_id") | COPIED,
)
commissions = Table(
    "commissions",
    metadata,
    branch_column(),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("person_id", Text, nullable=False),
    Column("lead_id", Text, nullable=False),
    Column("subscription_id", Text, nullable=False),
    Column("period", Integer, nullable=False),
    Column("origin_period", Integer, nullable=False),
    Column("owner_period", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("collected_fen", BigInteger, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("booked_at", DateTime(timezone=True), nullable=False),
    Index(None, "branch_id", "period", "person_id", "number"),
    Index(None, "branch_id", "subscription_id"),
    info=_APPEND_ONLY | PAY | COPIED,
    comment="Who has what of the ledger's lead commissions; what was wrong is made good by a minus",
)
balances = Table(
    "balances",
    metadata,
    branch_column(),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("centre_id", Text, primary_key=True),
    Column("field_id", Text, primary_key=True, comment="empty for what lies in no field"),
    Column("account", Text, primary_key=True),
    Column("amount_fen", BigInteger, nullable=False),
    info=DERIVED | own_centre("centre_id"),
)
period_totals = Table(
    "period_totals",
    metadata,
    branch_column(),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("first_entry", BigInteger, nullable=False),
    Column("last_entry", BigInteger, nullable=False),
    Column("billed_fen", BigInteger, nullable=False, comment="net revenue by the documents"),
    info=DERIVED,
    comment="Between which of its branch's entries a period's lie, and what is billed in it",
)
period_closings = Table(
    "period_closings",
    metadata,
    branch_column(),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("begun_at", DateTime(timezone=True), nullable=False),
    Column("begun_by", Text, nullable=False),
    info=_APPEND_ONLY,
    comment="Periods whose closing one person has begun; another one closes them",
)
unresolved_limits = Table(
    "unresolved_limits",
    metadata,
    branch_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("warn_above_basis_points", Integer, nullable=False),
    Column("block_above_basis_points", Integer, nullable=False),
    Column("overdue_days", Integer, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", DateTime(timezone=True), nullable=False),
    info=_APPEND_ONLY,
    comment="How much may be unresolved, and for how long; the last row holds",
)
unresolved_assignments = Table(
    "unresolved_assignments",
    metadata,
    branch_column(),
    Column("subscription_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("person_id", Text, comment="null is nobody"),
    Column("assigned_by", Text, nullable=False),
    Column("assigned_at", DateTime(timezone=True), nullable=False),
    info=_APPEND_ONLY,
    comment="Who is to work off an unresolved line; the last row holds",
)
unresolved_approvals = Table(
    "unresolved_approvals",
    metadata,
    branch_column(),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", DateTime(timezone=True), nullable=False),
    Column("reason", Text, nullable=False),
    Column("unresolved_fen", BigInteger, nullable=False),
    Column("net_revenue_fen", BigInteger, nullable=False),
    info=_APPEND_ONLY,
    comment="Who approved that a period is closed with what was unresolved then; the last row holds",
)
periods = Table(
    "periods",
    metadata,
    branch_column(),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("closed_at", DateTime(timezone=True), nullable=False),
    Column("closed_by", Text, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("entries_digest", Text, nullable=False),
    Column("unresolved_fen", BigInteger, nullable=False),
    Column("net_revenue_fen", BigInteger, nullable=False),
    Column("warn_above_basis_points", Integer, nullable=False),
    Column("block_above_basis_points", Integer, nullable=False),
    Column("approval", Integer, comment="the number of the approval it was closed with"),
    Column("seal", Text, nullable=False, comment="SHA-256 over all of the closing but itself"),
    Column("seal_before", Text, nullable=False),
    Column("feed_position", BigInteger, nullable=False, comment="where it was published"),
    info=_APPEND_ONLY,
)
