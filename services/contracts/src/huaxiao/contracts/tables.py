"""The tables of the contracts service; every key begins with the branch.

What is sealed or signed is kept twice over: the draft tables hold what was last put, and the
append-only tables hold what was sealed, which the service's own role can neither change nor remove.
A draft row that has a seal is held by a trigger of the migration, so that the two cannot differ.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import INT4RANGE, INT8RANGE, JSONB, ExcludeConstraint

from huaxiao.shared.audit.log import AuditLog
from huaxiao.shared.audit.marks import DERIVED
from huaxiao.shared.database import branch_column, service_metadata
from huaxiao.shared.feed import Feed
from huaxiao.shared.personal import erasures_done_table, erasures_table, full_views_table
from huaxiao.shared.rows import own_centre, whole_branch
from huaxiao.shared.unit_of_work import idempotency_table

metadata = service_metadata("contracts")
feed = Feed(metadata, service="contracts")
idempotency_keys = idempotency_table(metadata)
full_views = full_views_table(metadata)
erasures = erasures_table(metadata)
erasures_done = erasures_done_table(metadata)
audit_log = AuditLog(metadata, service="contracts")
_APPEND_ONLY = {"append_only": True}


def _of_a_branch() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["branch_id"], ["contracts.branches.branch_id"])


def _of_a_centre() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["branch_id", "centre_id"], ["contracts.centres.branch_id", "contracts.centres.centre_id"]
    )


def _of_a_sealed_field() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["branch_id", "field_id"],
        ["contracts.sealed_fields.branch_id", "contracts.sealed_fields.field_id"],
    )


def _of_one_field(table: str, covered: str) -> ExcludeConstraint:
    """Let what a row covers be under one field in a term; ``covered`` is a range made of its key.

    Made by the database of the row's own columns: no row can name one thing and cover another.
    """
    return ExcludeConstraint(
        (text(covered), "&&"),
        (text("int4range(term_from, term_to, '[]')"), "&&"),
        using="gist",
        name=f"{table}_covered_term_excl",
    )


def _exactly(column: str) -> str:
    # PostgreSQL's own GiST compares ranges and no text: a point range of the text's 64-bit digest.
    hashed = f"hashtextextended({column}, branch_id)"
    return f"int8range({hashed}, {hashed}, '[]')"


def _beginning_with(column: str) -> str:
    """Cover every identifier (64 characters at most) that begins with this one, as a number."""
    branch = "'0x' || lpad(to_hex(branch_id), 8, '0')"
    digits = f"encode({column}::bytea, 'hex')"
    lower, upper = (
        f"({branch} || rpad({digits}, 128, '{filler}'))::numeric" for filler in ("0", "f")
    )
    return f"numrange({lower}, {upper}, '[]')"


branches = Table(
    "branches",
    metadata,
    branch_column(),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("default_centre_id", Text, nullable=False),
    info=whole_branch("The county itself; the pool's centre is known to everybody."),
)
divisions = Table(
    "divisions",
    metadata,
    branch_column(),
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("parent_code", Text),
    _of_a_branch(),
    info=_APPEND_ONLY,
)
address_units = Table(
    "address_units",
    metadata,
    branch_column(),
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("parent_code", Text, nullable=False),
    _of_a_branch(),
    info=_APPEND_ONLY,
)
centres = Table(
    "centres",
    metadata,
    branch_column(),
    Column("centre_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    # As registered: what it is called later is in its changes. Null is: as long as the branch.
    Column("from_day", Date),
    _of_a_branch(),
    info=_APPEND_ONLY | whole_branch("The register, which everybody looks up."),
)
centre_changes = Table(
    "centre_changes",
    metadata,
    branch_column(),
    Column("centre_id", Text, primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    # False on the day from which the centre is closed; the names are those it had last.
    Column("open", Boolean, nullable=False),
    Column("reason", Text),
    _of_a_centre(),
    info=_APPEND_ONLY | whole_branch("The register, which everybody looks up."),
)
placements = Table(
    "placements",
    metadata,
    branch_column(),
    Column("person_id", Text, primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("engagement", Text, nullable=False),
    Column("skills", JSONB, nullable=False),
    Column("centre_id", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("concurrent", JSONB, nullable=False),
    # False on the day from which the person works here no more; the rest is where they were.
    Column("here", Boolean, nullable=False, server_default=true()),
    Column("reason", Text),
    Column("recorded_at", DateTime(timezone=True), comment="null of what was always known"),
    _of_a_centre(),
    info=_APPEND_ONLY
    | whole_branch("The register: whose a person is decides what they may do elsewhere."),
)
channels = Table(
    "channels",
    metadata,
    branch_column(),
    Column("channel_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("centre_id", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    _of_a_centre(),
    info=_APPEND_ONLY | whole_branch("The register, which everybody looks up."),
)
channel_moves = Table(
    "channel_moves",
    metadata,
    branch_column(),
    Column("channel_id", Text, primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("centre_id", Text, nullable=False),
    # False on the day from which the channel is closed; the centre is the one it had last.
    Column("open", Boolean, nullable=False),
    Column("reason", Text),
    ForeignKeyConstraint(
        ["branch_id", "channel_id"],
        ["contracts.channels.branch_id", "contracts.channels.channel_id"],
    ),
    _of_a_centre(),
    info=_APPEND_ONLY | whole_branch("The register, which everybody looks up."),
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
    # The contract in whose review the field is held; its seal comes after, and stays.
    Column("review_of", Text),
    _of_a_centre(),
    Index(None, "branch_id", "kind", "term_from"),
    info=whole_branch("No two fields may cover the same, so each is held against all."),
)
contracts = Table(
    "contracts",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("level", Text, nullable=False),
    Column("centre_id", Text),
    Column("term_from", Integer, nullable=False),
    Column("term_to", Integer, nullable=False),
    Column("field_ids", JSONB, nullable=False),
    Column("parties", JSONB, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("base", JSONB, nullable=False),
    # The round of review that holds the contract; null while it may be rewritten.
    Column("review", Integer),
    _of_a_branch(),
    _of_a_centre(),
    info=whole_branch("A centre's contract rests on the county's, which names no centre."),
)
signatures = Table(
    "signatures",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
    Column("signed_by", Text, nullable=False),
    # Of the county's own contract: how all fields covered the county when it was signed (R8).
    Column("coverage", JSONB),
    ForeignKeyConstraint(
        ["branch_id", "contract_id"],
        ["contracts.contracts.branch_id", "contracts.contracts.contract_id"],
    ),
    info=_APPEND_ONLY,
)
coverage_declarations = Table(
    "coverage_declarations",
    metadata,
    branch_column(),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("coverage", JSONB, nullable=False),
    Column("declared_by", Text, nullable=False),
    Column("declared_at", DateTime(timezone=True), nullable=False),
    _of_a_branch(),
    info=_APPEND_ONLY,
)
sealed_fields = Table(
    "sealed_fields",
    metadata,
    branch_column(),
    Column("field_id", Text, primary_key=True),
    Column("contract_id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("sealed_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "field_id"], ["contracts.fields.branch_id", "contracts.fields.field_id"]
    ),
    info=_APPEND_ONLY,
)
sealed_scopes = Table(
    "sealed_scopes",
    metadata,
    branch_column(),
    Column("field_id", Text, primary_key=True),
    Column("prefix", Text, primary_key=True),
    Column("scope", INT8RANGE, nullable=False),
    Column("term", INT4RANGE, nullable=False),
    _of_a_sealed_field(),
    # Codes begin with the county's own, so that ranges of two branches never meet.
    ExcludeConstraint(
        ("scope", "&&"), ("term", "&&"), using="gist", name="sealed_scopes_scope_term_excl"
    ),
    info=_APPEND_ONLY | DERIVED,
)
sealed_customers = Table(
    "sealed_customers",
    metadata,
    branch_column(),
    Column("customer_id", Text, primary_key=True),
    Column("term_from", Integer, primary_key=True, autoincrement=False),
    Column("term_to", Integer, nullable=False),
    Column("field_id", Text, nullable=False),
    Column("segment", Text, nullable=False),
    _of_a_sealed_field(),
    _of_one_field("sealed_customers", _exactly("customer_id")),
    info=_APPEND_ONLY | DERIVED,
)
sealed_channels = Table(
    "sealed_channels",
    metadata,
    branch_column(),
    Column("channel_id", Text, primary_key=True),
    Column("term_from", Integer, primary_key=True, autoincrement=False),
    Column("term_to", Integer, nullable=False),
    Column("field_id", Text, nullable=False),
    _of_a_sealed_field(),
    _of_one_field("sealed_channels", _exactly("channel_id")),
    info=_APPEND_ONLY | DERIVED,
)
sealed_resources = Table(
    "sealed_resources",
    metadata,
    branch_column(),
    Column("prefix", Text, primary_key=True),
    Column("term_from", Integer, primary_key=True, autoincrement=False),
    Column("term_to", Integer, nullable=False),
    Column("field_id", Text, nullable=False),
    _of_a_sealed_field(),
    _of_one_field("sealed_resources", _beginning_with("prefix")),
    info=_APPEND_ONLY | DERIVED,
)
refused_changes = Table(
    "refused_changes",
    metadata,
    branch_column(),
    # Numbered without gaps, so that a missing record shows.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("centre_id", Text),
    Column("code", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("asked", JSONB, nullable=False),
    _of_a_branch(),
    info=_APPEND_ONLY | whole_branch("Numbered through the branch by whatever was refused."),
)
payroll = Table(
    "payroll",
    metadata,
    branch_column(),
    Column("person_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("centre_id", Text, nullable=False),
    Column("pay_fen", BigInteger, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    _of_a_centre(),
    Index(None, "branch_id", "centre_id", "period"),
    info=_APPEND_ONLY | own_centre("centre_id"),
)


def _of_a_contract() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["branch_id", "contract_id"],
        ["contracts.contracts.branch_id", "contracts.contracts.contract_id"],
    )


def _of_a_statement() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["branch_id", "contract_id", "period"],
        [
            "contracts.statements.branch_id",
            "contracts.statements.contract_id",
            "contracts.statements.period",
        ],
    )


def _of_a_round() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["branch_id", "contract_id", "round"],
        [
            "contracts.reviews.branch_id",
            "contracts.reviews.contract_id",
            "contracts.reviews.round",
        ],
    )


reviews = Table(
    "reviews",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("field_digests", JSONB, nullable=False),
    Column("submitted_by", Text, nullable=False),
    Column("submitted_at", DateTime(timezone=True), nullable=False),
    _of_a_contract(),
    info=_APPEND_ONLY,
)
review_signatures = Table(
    "review_signatures",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("side", Text, primary_key=True),
    Column("signed_by", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
    _of_a_round(),
    info=_APPEND_ONLY,
)
withdrawals = Table(
    "withdrawals",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("withdrawn_by", Text, nullable=False),
    Column("withdrawn_at", DateTime(timezone=True), nullable=False),
    _of_a_round(),
    info=_APPEND_ONLY,
)
suspension_steps = Table(
    "suspension_steps",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    # The first suspended period of a proposal, the last one of a proposed end.
    Column("period", Integer),
    Column("reason", Text),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    _of_a_contract(),
    info=_APPEND_ONLY,
)
statements = Table(
    "statements",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("centre_id", Text),
    Column("revision", Integer, nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    _of_a_contract(),
    Index(None, "branch_id", "period", "contract_id"),
    info=own_centre("centre_id"),
)
statement_revisions = Table(
    "statement_revisions",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    Column("known_at", DateTime(timezone=True), nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("question", JSONB, nullable=False),
    Column("answer", JSONB, nullable=False),
    # Which agreed corrections have been counted so far, and the deposit's last movement.
    Column("counted", JSONB, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    _of_a_statement(),
    info=_APPEND_ONLY,
)
confirmations = Table(
    "confirmations",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("side", Text, primary_key=True),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    _of_a_statement(),
    info=_APPEND_ONLY,
)
objections = Table(
    "objections",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    Column("side", Text),
    Column("text", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    _of_a_statement(),
    info=_APPEND_ONLY,
)
answers = Table(
    "answers",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "contract_id", "period", "number"],
        [
            "contracts.objections.branch_id",
            "contracts.objections.contract_id",
            "contracts.objections.period",
            "contracts.objections.number",
        ],
    ),
    info=_APPEND_ONLY,
)
corrections = Table(
    "corrections",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("of_period", Integer, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "contract_id", "of_period"],
        [
            "contracts.statements.branch_id",
            "contracts.statements.contract_id",
            "contracts.statements.period",
        ],
    ),
    info=_APPEND_ONLY,
)
correction_approvals = Table(
    "correction_approvals",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "contract_id", "number"],
        [
            "contracts.corrections.branch_id",
            "contracts.corrections.contract_id",
            "contracts.corrections.number",
        ],
    ),
    info=_APPEND_ONLY,
)
deposit_movements = Table(
    "deposit_movements",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("document", Text, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    _of_a_contract(),
    info=_APPEND_ONLY,
)
negative_lists = Table(
    "negative_lists",
    metadata,
    branch_column(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("given", JSONB, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    _of_a_branch(),
)
negative_list_activations = Table(
    "negative_list_activations",
    metadata,
    branch_column(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("from_day", Date, nullable=False),
    Column("activated_by", Text, nullable=False),
    Column("activated_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "version"],
        ["contracts.negative_lists.branch_id", "contracts.negative_lists.version"],
    ),
    # One list at each moment: no two begin on one day.
    UniqueConstraint("branch_id", "from_day"),
    info=_APPEND_ONLY,
)
inquiries = Table(
    "inquiries",
    metadata,
    branch_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("centre_id", Text, nullable=False),
    Column("answer", JSONB, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    _of_a_centre(),
    info=_APPEND_ONLY | own_centre("centre_id"),
)
violations = Table(
    "violations",
    metadata,
    branch_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("entry", Text, nullable=False),
    Column("list_version", Integer, nullable=False),
    Column("severity", Text, nullable=False),
    Column("centre_id", Text, nullable=False),
    Column("person_ids", JSONB, nullable=False),
    Column("day", Date, nullable=False),
    Column("period", Integer, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("references", JSONB, nullable=False),
    Column("asked_recover_fen", BigInteger, nullable=False),
    Column("reported_by", Text, nullable=False),
    Column("reported_at", DateTime(timezone=True), nullable=False),
    _of_a_centre(),
    Index(None, "branch_id", "centre_id", "period"),
    info=_APPEND_ONLY | own_centre("centre_id"),
)
violation_steps = Table(
    "violation_steps",
    metadata,
    branch_column(),
    Column("violation", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("step", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("text", Text, nullable=False),
    Column("upheld", Boolean),
    Column("points", Integer),
    Column("recover_fen", BigInteger),
    Column("counted_as", Text),
    ForeignKeyConstraint(
        ["branch_id", "violation"],
        ["contracts.violations.branch_id", "contracts.violations.number"],
    ),
    info=_APPEND_ONLY,
)
companies = Table(
    "companies",
    metadata,
    branch_column(),
    Column("name_zh", Text, nullable=False),
    Column("credit_code", Text, nullable=False),
    Column("authorised_shares", BigInteger, nullable=False),
    _of_a_branch(),
)
share_movements = Table(
    "share_movements",
    metadata,
    branch_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("from_person", Text),
    Column("to_person", Text),
    Column("shares", BigInteger, nullable=False),
    Column("price_fen", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("corrects", Integer),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(["branch_id"], ["contracts.companies.branch_id"]),
    # A movement is mirrored once.
    UniqueConstraint("branch_id", "corrects"),
    CheckConstraint("shares > 0", name="shares"),
    CheckConstraint("from_person IS DISTINCT FROM to_person", name="sides"),
    info=_APPEND_ONLY,
)
reorganisations = Table(
    "reorganisations",
    metadata,
    branch_column(),
    Column("plan_id", Text, primary_key=True),
    Column("given", JSONB, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    _of_a_branch(),
)
applied_reorganisations = Table(
    "applied_reorganisations",
    metadata,
    branch_column(),
    Column("plan_id", Text, primary_key=True),
    Column("made", JSONB, nullable=False),
    Column("applied_by", Text, nullable=False),
    Column("applied_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "plan_id"],
        ["contracts.reorganisations.branch_id", "contracts.reorganisations.plan_id"],
    ),
    info=_APPEND_ONLY,
)
supplements = Table(
    "supplements",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("effective_from", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("terms", JSONB(none_as_null=True)),
    Column("parties", JSONB(none_as_null=True)),
    Column("digest", Text, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    _of_a_contract(),
    info=_APPEND_ONLY,
)
supplement_signatures = Table(
    "supplement_signatures",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("side", Text, primary_key=True),
    Column("signed_by", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "contract_id", "number"],
        [
            "contracts.supplements.branch_id",
            "contracts.supplements.contract_id",
            "contracts.supplements.number",
        ],
    ),
    info=_APPEND_ONLY,
)
exits = Table(
    "exits",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("ground", Text, nullable=False),
    Column("noticed_on", Date, nullable=False),
    Column("last_period", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("violation", Integer),
    Column("quarters", JSONB, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    _of_a_contract(),
)
exit_approvals = Table(
    "exit_approvals",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "contract_id"],
        ["contracts.exits.branch_id", "contracts.exits.contract_id"],
    ),
    info=_APPEND_ONLY,
)
uploads = Table(
    "uploads",
    metadata,
    branch_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("taken", Boolean, nullable=False),
    Column("bad", Integer, nullable=False),
    Column("bad_rows", JSONB, nullable=False),
    Column("uploaded_by", Text, nullable=False),
    Column("uploaded_at", DateTime(timezone=True), nullable=False),
    _of_a_branch(),
    info=_APPEND_ONLY,
)


def _of_a_lead() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["branch_id", "lead"], ["contracts.leads.branch_id", "contracts.leads.number"]
    )


leads = Table(
    "leads",
    metadata,
    branch_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("customer_id", Text),
    Column("about_zh", Text, nullable=False),
    Column("expected_amount_fen", BigInteger),
    Column("brought_on", Date, nullable=False),
    Column("brought_by", Text, nullable=False),
    Column("brought_at", DateTime(timezone=True), nullable=False),
    _of_a_branch(),
    Index(None, "branch_id", "customer_id"),
    info=_APPEND_ONLY,
)
# The name is kept apart from what nothing can change, so that it can be erased; null is erased.
lead_customers = Table(
    "lead_customers",
    metadata,
    branch_column(),
    Column("lead", Integer, primary_key=True, autoincrement=False),
    Column("customer_name", Text),
    _of_a_lead(),
    Index(
        "lead_customers_kept_index",
        "branch_id",
        "lead",
        postgresql_where=text("customer_name IS NOT NULL"),
    ),
)
lead_people = Table(
    "lead_people",
    metadata,
    branch_column(),
    Column("lead", Integer, primary_key=True, autoincrement=False),
    Column("person_id", Text, primary_key=True),
    # In the order they were named: the first is who brought it.
    Column("place", Integer, nullable=False),
    Column("share_basis_points", Integer, nullable=False),
    # Where they worked on the day the lead was brought.
    Column("centre_id", Text, nullable=False),
    _of_a_lead(),
    _of_a_centre(),
    UniqueConstraint("branch_id", "lead", "place"),
    CheckConstraint("share_basis_points BETWEEN 1 AND 10000", name="share_basis_points"),
    info=_APPEND_ONLY | whole_branch("A lead is shown with all its people, of whatever centre."),
)
# A lead is decided once and converted once: the keys say so.
lead_decisions = Table(
    "lead_decisions",
    metadata,
    branch_column(),
    Column("lead", Integer, primary_key=True, autoincrement=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_on", Date, nullable=False),
    Column("owner_centre_id", Text),
    Column("rate_basis_points", Integer),
    Column("months", Integer),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    _of_a_lead(),
    ForeignKeyConstraint(
        ["branch_id", "owner_centre_id"],
        ["contracts.centres.branch_id", "contracts.centres.centre_id"],
    ),
    CheckConstraint("approved = (owner_centre_id IS NOT NULL)", name="owner"),
    info=_APPEND_ONLY | whole_branch("A lead concerns the centres of its people and of its owner."),
)
lead_conversions = Table(
    "lead_conversions",
    metadata,
    branch_column(),
    Column("lead", Integer, primary_key=True, autoincrement=False),
    Column("subscription_ids", JSONB, nullable=False),
    Column("project_id", Text),
    Column("converted_by", Text, nullable=False),
    Column("converted_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "lead"],
        ["contracts.lead_decisions.branch_id", "contracts.lead_decisions.lead"],
    ),
    info=_APPEND_ONLY,
)
