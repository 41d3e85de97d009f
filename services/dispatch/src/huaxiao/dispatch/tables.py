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
    func,
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
orders = Table(
    "orders",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("customer_class", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("subscription_id", Text),
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
    # Those who rate in the reverse appraisal are many, and not named.
    Column("rater_centre_id", Text),
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
listed_customers = Table(
    "listed_customers",
    metadata,
    branch_column(),
    Column("customer_id", Text, primary_key=True),
    Column("field_id", Text, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("term_from", Integer, nullable=False),
    Column("term_to", Integer, nullable=False),
)
ticket_category_sets = Table(
    "ticket_category_sets",
    metadata,
    branch_column(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("given", JSONB, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
)
ticket_category_activations = Table(
    "ticket_category_activations",
    metadata,
    branch_column(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("from_day", Date, nullable=False),
    Column("activated_by", Text, nullable=False),
    Column("activated_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "version"],
        ["dispatch.ticket_category_sets.branch_id", "dispatch.ticket_category_sets.version"],
    ),
    # One set at each moment: no two begin on one day.
    UniqueConstraint("branch_id", "from_day"),
    info={"append_only": True},
)
tickets = Table(
    "tickets",
    metadata,
    branch_column(),
    Column("ticket_id", Text, primary_key=True),
    Column("category", Text, nullable=False),
    Column("category_version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("about", JSONB, nullable=False),
    Column("raiser_centre_id", Text, nullable=False),
    Column("raised_by", Text, nullable=False),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("owner_kind", Text, nullable=False),
    Column("owner_centre_id", Text),
    Column("owner_found", Boolean, nullable=False),
    Column("boundary", Text),
    Column("boundary_decided_by", Text),
    Column("boundary_decided_at", DateTime(timezone=True)),
    Column("first_reply_at", DateTime(timezone=True)),
    Column("answered_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_how", Text),
    Column("due_at", DateTime(timezone=True)),
    Column("supervisor", Text),
    Column("supervised_at", DateTime(timezone=True)),
    # When something next happens to it by itself, and by which calendar that was worked out.
    Column("next_at", DateTime(timezone=True)),
    Column("calendar", Text, nullable=False),
    Column("steps", Integer, nullable=False),
    Index(None, "next_at"),
    Index(None, "branch_id", "owner_centre_id"),
    Index(None, "branch_id", "raiser_centre_id"),
)
ticket_steps = Table(
    "ticket_steps",
    metadata,
    branch_column(),
    Column("ticket_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("step", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text),
    Column("text", Text),
    Column("owner_kind", Text, nullable=False),
    Column("owner_centre_id", Text),
    Column("boundary", Text),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "ticket_id"], ["dispatch.tickets.branch_id", "dispatch.tickets.ticket_id"]
    ),
    info={"append_only": True},
)
ticket_marks = Table(
    "ticket_marks",
    metadata,
    branch_column(),
    Column("ticket_id", Text, primary_key=True),
    Column("timer", Text, primary_key=True),
    Column("percent", Integer, primary_key=True, autoincrement=False),
    # The step from which the clock counts: 1 but for the raiser's, which begins anew.
    Column("since", Integer, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("owner_kind", Text, nullable=False),
    Column("owner_centre_id", Text),
    Column("supervisor", Text),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "ticket_id"], ["dispatch.tickets.branch_id", "dispatch.tickets.ticket_id"]
    ),
    info={"append_only": True},
)
concurrent_posts = Table(
    "concurrent_posts",
    metadata,
    branch_column(),
    Column("person_id", Text, primary_key=True),
    Column("centre_id", Text, primary_key=True),
)
reverse_votes = Table(
    "reverse_votes",
    metadata,
    branch_column(),
    Column("ratee_centre_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("centre_id", Text, primary_key=True),
    Column("seat", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("stars", JSONB, nullable=False),
    Column("reasons", JSONB, nullable=False),
    Column("cast_by", Text, nullable=False),
    Column("cast_at", DateTime(timezone=True), nullable=False),
    # Nobody votes twice, neither for two centres nor on two seats.
    UniqueConstraint("branch_id", "ratee_centre_id", "period", "person_id"),
    info={"append_only": True},
)
reverse_answers = Table(
    "reverse_answers",
    metadata,
    branch_column(),
    Column("ratee_centre_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("agrees", Boolean, nullable=False),
    Column("reason", Text),
    Column("answered_by", Text, nullable=False),
    Column("answered_at", DateTime(timezone=True), nullable=False),
    info={"append_only": True},
)
reverse_decisions = Table(
    "reverse_decisions",
    metadata,
    branch_column(),
    Column("ratee_centre_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("appraisal_id", Text),
    Column("card", JSONB, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    info={"append_only": True},
)
