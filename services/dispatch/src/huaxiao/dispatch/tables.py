"""The tables of the dispatch service; every key begins with the branch."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from huaxiao.shared.database import branch_column, service_metadata
from huaxiao.shared.feed import Feed, positions_table
from huaxiao.shared.unit_of_work import idempotency_table

metadata = service_metadata("dispatch")
feed = Feed(metadata, service="dispatch")
idempotency_keys = idempotency_table(metadata)
positions = positions_table(metadata)


branches = Table("branches", metadata, branch_column(), Column("name_zh", Text, nullable=False))
centres = Table(
    "centres",
    metadata,
    branch_column(),
    Column("centre_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
)
people = Table(
    "people",
    metadata,
    branch_column(),
    Column("person_id", Text, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("skills", JSONB, nullable=False),
    Column("left_on", Date),
    Column("engagement", Text),
)
territories = Table(
    "territories",
    metadata,
    branch_column(),
    Column("field_id", Text, primary_key=True),
    Column("prefix", Text, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("term_from", Integer, nullable=False),
    Column("term_to", Integer, nullable=False),
)
fee_contracts = Table(
    "fee_contracts",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("term_from", Integer, nullable=False),
    Column("term_to", Integer, nullable=False),
)
fee_terms = Table(
    "fee_terms",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("from_period", Integer, nullable=False),
    Column("fees", JSONB, nullable=False),
    info={"append_only": True},
)
order_workers = Table(
    "order_workers",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("person_id", Text, primary_key=True),
    Column("parts", Integer, nullable=False),
    Column("engagement", Text),
    info={"append_only": True},
)
service_levels = Table(
    "service_levels",
    metadata,
    branch_column(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("given", JSONB, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
)
service_levels_in_force = Table(
    "service_levels_in_force",
    metadata,
    branch_column(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("from_day", Date, nullable=False),
    Column("put_in_force_by", Text, nullable=False),
    Column("put_in_force_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "version"],
        ["dispatch.service_levels.branch_id", "dispatch.service_levels.version"],
    ),
    # One table at each moment: no two begin on one day.
    UniqueConstraint("branch_id", "from_day"),
    info={"append_only": True},
)
order_clocks = Table(
    "order_clocks",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("target_seconds", BigInteger, nullable=False),
    Column("limit_seconds", BigInteger, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("first_contact_due_at", DateTime(timezone=True)),
    Column("next_at", DateTime(timezone=True)),
    Column("late_because_of_centre_id", Text),
    Index(None, "branch_id", "next_at"),
)
order_stops = Table(
    "order_stops",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("cause", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True)),
    Column("stops_clock", Boolean, nullable=False),
    Column("responsible_centre_id", Text),
)
order_warnings = Table(
    "order_warnings",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("percent", Integer, primary_key=True, autoincrement=False),
    Column("reached_at", DateTime(timezone=True), nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
    Column("centre_id", Text),
    Column("engineer_id", Text),
    Column("escalated_to", Text, nullable=False),
    info={"append_only": True},
)
assets = Table(
    "assets",
    metadata,
    branch_column(),
    Column("asset_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("grade", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("standard_address", Text, nullable=False),
    Column("centre_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("cycle", JSONB(none_as_null=True)),
    Column("from_day", Date, nullable=False),
    Column("retired_on", Date),
    Column("next_round_on", Date),
    Index(None, "branch_id", "next_round_on"),
)
rounds = Table(
    "rounds",
    metadata,
    branch_column(),
    Column("asset_id", Text, primary_key=True),
    Column("starts_on", Date, primary_key=True),
    Column("ends_on", Date, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("limit_at", DateTime(timezone=True), nullable=False),
    Column("order_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_late", Boolean, nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "asset_id"], ["dispatch.assets.branch_id", "dispatch.assets.asset_id"]
    ),
    Index(None, "branch_id", "ends_on"),
    info={"append_only": True},
)
orders = Table(
    "orders",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("customer_class", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("subscription_id", Text),
    Column("asset_id", Text),
    Column("line", Text, nullable=False, server_default="ordinary"),
    Column("build_needed", Boolean, nullable=False, server_default=false()),
    Column("standard_address", Text, nullable=False),
    Column("requester_centre_id", Text),
    Column("performer_centre_id", Text),
    Column("rural", Boolean, nullable=False),
    Column("engineer_id", Text),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("dispatched_at", DateTime(timezone=True)),
    Column("due_at", DateTime(timezone=True)),
    Column("suspended_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("last_step_at", DateTime(timezone=True), nullable=False),
    Column("steps", Integer, nullable=False),
    Column("rejections", Integer, nullable=False),
    Column("flags", JSONB, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Index(None, "branch_id", "performer_centre_id", "finished_at"),
    Index(None, "branch_id", "engineer_id", "state"),
)
shifts = Table(
    "shifts",
    metadata,
    branch_column(),
    Column("person_id", Text, primary_key=True),
    Column("begins_at", DateTime(timezone=True), primary_key=True),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Index(None, "branch_id", "begins_at"),
)
leaves = Table(
    "leaves",
    metadata,
    branch_column(),
    Column("person_id", Text, primary_key=True),
    Column("leave_id", Text, primary_key=True),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
    Column("reason", Text, nullable=False),
    Column("cancelled", Boolean, nullable=False, server_default=false()),
)
appointment_rules = Table(
    "appointment_rules",
    metadata,
    branch_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("given", JSONB, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", DateTime(timezone=True), nullable=False),
    info={"append_only": True},
)
appointments = Table(
    "appointments",
    metadata,
    branch_column(),
    Column("appointment_id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("centre_id", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("skill", Text, nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("visit_from", DateTime(timezone=True), nullable=False),
    Column("visit_to", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("held_until", DateTime(timezone=True)),
    Column("moves", Integer, nullable=False, server_default="0"),
    Column("reason", Text),
    # An order has one appointment at a time.
    Index(
        None,
        "branch_id",
        "order_id",
        unique=True,
        postgresql_where=text("state IN ('held', 'booked')"),
    ),
    Index(None, "branch_id", "starts_at"),
)
visit_quarters = Table(
    "visit_quarters",
    metadata,
    branch_column(),
    # The key is what keeps anybody from being promised to two customers at once.
    Column("person_id", Text, primary_key=True),
    Column("starts_at", DateTime(timezone=True), primary_key=True),
    Column("appointment_id", Text, nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "appointment_id"],
        ["dispatch.appointments.branch_id", "dispatch.appointments.appointment_id"],
    ),
    Index(None, "branch_id", "appointment_id"),
)
order_steps = Table(
    "order_steps",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("step", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", Text, nullable=False),
    Column("engineer_id", Text),
    Column("reason", Text),
    Column("cause", Text),
    Column("evidence", JSONB, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    info={"append_only": True},
)
appraisals = Table(
    "appraisals",
    metadata,
    branch_column(),
    Column("appraisal_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("period", Integer, nullable=False),
    Column("rater_centre_id", Text, nullable=False),
    Column("ratee_centre_id", Text, nullable=False),
    Column("person_id", Text),
    Column("score_hundredths", BigInteger),
    Column("grade", Text),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("confirmed_at", DateTime(timezone=True)),
    Column("given", JSONB, nullable=False),
    Column("explanation", JSONB, nullable=False),
    UniqueConstraint(
        "branch_id",
        "kind",
        "period",
        "rater_centre_id",
        "ratee_centre_id",
        "person_id",
        postgresql_nulls_not_distinct=True,
    ),
)
