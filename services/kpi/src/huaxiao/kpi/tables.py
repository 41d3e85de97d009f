"""The tables of the KPI service; every key begins with the branch.

What the feeds told is kept by the entry that told it and the moment its service knew it, so that
any figure can be asked as it was known then. ``measures`` and ``field_measures`` hold the sums of
``measure_changes`` as they stand now; all of it can be made again from the feeds.
"""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from huaxiao.shared.audit.log import AuditLog
from huaxiao.shared.audit.marks import DERIVED
from huaxiao.shared.database import branch_column, service_metadata
from huaxiao.shared.feed import Feed, positions_table
from huaxiao.shared.rows import COPIED, own_centre, whole_branch
from huaxiao.shared.unit_of_work import idempotency_table

metadata = service_metadata("kpi")
idempotency_keys = idempotency_table(metadata)
audit_log = AuditLog(metadata, service="kpi")
positions = positions_table(metadata)
_APPEND_ONLY = {"append_only": True}


def _position(*, in_key: bool = True) -> Column[int]:
    """Return the column of the feed entry's place; a later entry about the same thing prevails."""
    return Column("position", BigInteger, primary_key=in_key, autoincrement=False, nullable=False)


def _known_at() -> Column[datetime]:
    """Return the column of the moment the fact was known where it came from."""
    return Column("known_at", DateTime(timezone=True), nullable=False)


branches = Table(
    "branches",
    metadata,
    branch_column(),
    Column("name_zh", Text, nullable=False),
    Column("default_centre_id", Text, nullable=False),
    _position(),
    _known_at(),
    info=_APPEND_ONLY
    | DERIVED
    | whole_branch("The county itself; the pool's centre is known to everybody."),
)
centres = Table(
    "centres",
    metadata,
    branch_column(),
    Column("centre_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    _position(),
    _known_at(),
    info=_APPEND_ONLY | DERIVED | whole_branch("The register, by which figures are told apart."),
)
centre_changes = Table(
    "centre_changes",
    metadata,
    branch_column(),
    Column("centre_id", Text, primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    _position(),
    _known_at(),
    info=_APPEND_ONLY | DERIVED | whole_branch("The register, by which figures are told apart."),
)
places = Table(
    "places",
    metadata,
    branch_column(),
    Column("person_id", Text, primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("own_staff", Boolean, nullable=False),
    _position(),
    _known_at(),
    info=_APPEND_ONLY | DERIVED | whole_branch("The register, by which figures are told apart."),
)
contracts = Table(
    "contracts",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("centre_id", Text),
    Column("term_from", Integer, nullable=False),
    Column("term_to", Integer, nullable=False),
    _position(in_key=False),
    _known_at(),
    info=_APPEND_ONLY
    | DERIVED
    | whole_branch("A centre's goals rest on the county's contract, which names no centre."),
)
base_months = Table(
    "base_months",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("revenue_fen", BigInteger, nullable=False),
    Column("market_cost_fen", BigInteger, nullable=False),
    Column("cash_in_fen", BigInteger, nullable=False),
    Column("cash_out_fen", BigInteger, nullable=False),
    Column("pay_fen", BigInteger, nullable=False),
    Column("headcount", BigInteger, nullable=False),
    _position(in_key=False),
    _known_at(),
    info=_APPEND_ONLY | DERIVED,
)
reorganisations = Table(
    "reorganisations",
    metadata,
    branch_column(),
    Column("plan_id", Text, primary_key=True),
    Column("from_day", Date, nullable=False),
    _position(in_key=False),
    _known_at(),
    info=_APPEND_ONLY | DERIVED,
)
closed_periods = Table(
    "closed_periods",
    metadata,
    branch_column(),
    Column("period", Integer, primary_key=True, autoincrement=False),
    _position(in_key=False),
    _known_at(),
    info=_APPEND_ONLY | DERIVED,
)
uncounted_periods = Table(
    "uncounted_periods",
    metadata,
    branch_column(),
    # Some of its revenue was told without the charges that it is the sum of.
    Column("period", Integer, primary_key=True, autoincrement=False),
    _position(in_key=False),
    _known_at(),
    info=_APPEND_ONLY,
)
measures = Table(
    "measures",
    metadata,
    branch_column(),
    Column("centre_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("measure", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Index(None, "branch_id", "period", "centre_id"),
    info=DERIVED | own_centre("centre_id"),
)
field_measures = Table(
    "field_measures",
    metadata,
    branch_column(),
    Column("field_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("centre_id", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Index(None, "branch_id", "period", "centre_id"),
    info=DERIVED | own_centre("centre_id"),
)
measure_changes = Table(
    "measure_changes",
    metadata,
    branch_column(),
    Column("source", Text, primary_key=True),
    _position(),
    # Its place within the entry: the key refuses an entry that is applied a second time.
    Column("line", Integer, primary_key=True, autoincrement=False),
    _known_at(),
    Column("centre_id", Text, nullable=False),
    Column("field_id", Text),
    Column("period", Integer, nullable=False),
    Column("measure", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Index(None, "branch_id", "period"),
    info=_APPEND_ONLY | DERIVED | own_centre("centre_id") | COPIED,
)


# What people decided; no feed tells it again.
decisions = Table(
    "decisions",
    metadata,
    branch_column(),
    # Moved by every decision, which so come one after another.
    Column("count", BigInteger, nullable=False),
    info=DERIVED,
)
figure_sets = Table(
    "figure_sets",
    metadata,
    branch_column(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("given", JSONB, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
)
figure_sets_in_force = Table(
    "figure_sets_in_force",
    metadata,
    branch_column(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("from_period", Integer, nullable=False),
    Column("put_in_force_by", Text, nullable=False),
    Column("put_in_force_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "version"], ["kpi.figure_sets.branch_id", "kpi.figure_sets.version"]
    ),
    # One set in each month: no two begin in one.
    UniqueConstraint("branch_id", "from_period"),
    info=_APPEND_ONLY,
)
unit_targets = Table(
    "unit_targets",
    metadata,
    branch_column(),
    Column("target_id", Text, primary_key=True),
    Column("measure", Text),
    Column("centre_id", Text),
    Column("from_period", Integer, nullable=False),
    Column("to_period", Integer, nullable=False),
    Column("value", BigInteger),
    Column("direction", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    Column("figure", Text),
    # As it was given: a boundary is a decimal text, exact.
    Column("goal", JSONB(none_as_null=True)),
    CheckConstraint(
        "num_nonnulls(measure, figure) = 1 AND num_nonnulls(measure, goal) = 1"
        " AND num_nonnulls(figure, value) = 1",
        name="measure_or_figure",
    ),
    info=own_centre("centre_id"),
)
unit_target_confirmations = Table(
    "unit_target_confirmations",
    metadata,
    branch_column(),
    Column("target_id", Text, primary_key=True),
    Column("confirmed_by", Text, nullable=False),
    Column("confirmed_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "target_id"], ["kpi.unit_targets.branch_id", "kpi.unit_targets.target_id"]
    ),
    info=_APPEND_ONLY,
)
unit_target_withdrawals = Table(
    "unit_target_withdrawals",
    metadata,
    branch_column(),
    Column("target_id", Text, primary_key=True),
    Column("withdrawn_by", Text, nullable=False),
    Column("withdrawn_at", DateTime(timezone=True), nullable=False),
    Column("withdrawn_because", Text, nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "target_id"], ["kpi.unit_targets.branch_id", "kpi.unit_targets.target_id"]
    ),
    info=_APPEND_ONLY,
)


feed = Feed(metadata, service="kpi")
standings = Table(
    "standings",
    metadata,
    branch_column(),
    # Empty for the county.
    Column("centre_id", Text, primary_key=True),
    Column("span", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("period", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("value", Double),
    info=DERIVED | whole_branch("Looked at for all units of a branch together."),
)
alert_rules = Table(
    "alert_rules",
    metadata,
    branch_column(),
    Column("rule_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("rule", JSONB, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    info={"append_only": True},
)
alert_clocks = Table(
    "alert_clocks",
    metadata,
    branch_column(),
    # What was known when the branch was looked at last; null before the first time.
    Column("mark", Text),
    Column("looked_at", DateTime(timezone=True)),
    Column("next_at", DateTime(timezone=True)),
    info=DERIVED,
)
alerts = Table(
    "alerts",
    metadata,
    branch_column(),
    Column("rule_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("centre_id", Text),
    Column("target", Text),
    Column("figure", Text),
    Column("target_id", Text),
    Column("state", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("period", Integer),
    Column("value", Text),
    Column("alert_id", Text),
    Column("fired_at", DateTime(timezone=True)),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", DateTime(timezone=True)),
    Column("note", Text),
    Index(None, "branch_id", "alert_id"),
    info=own_centre("centre_id"),
)
alert_transitions = Table(
    "alert_transitions",
    metadata,
    branch_column(),
    Column("alert_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("event", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", Text),
    Column("note", Text),
    Column("value", Text),
    info={"append_only": True},
)
webhooks = Table(
    "webhooks",
    metadata,
    branch_column(),
    Column("webhook_id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    branch_column(),
    Column("webhook_id", Text, primary_key=True),
    Column("delivery_id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("next_at", DateTime(timezone=True)),
    Column("failure", Text),
    Index(None, "next_at", postgresql_where=text("next_at IS NOT NULL")),
    info=DERIVED,
)
