"""The tables of the dispatch service; every key begins with the branch."""

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
    Numeric,
    Table,
    Text,
    UniqueConstraint,
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
_DEGREES = Numeric(9, 6)


def _of_order(column: str = "order_id") -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["branch_id", column], ["dispatch.orders.branch_id", "dispatch.orders.order_id"]
    )


branches = Table("branches", metadata, branch_column(), Column("name_zh", Text, nullable=False))
centres = Table(
    "centres",
    metadata,
    branch_column(),
    Column("centre_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("closed_from", Date),
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
    Column("customer_id", Text),
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
    Column("source", Text, nullable=False, server_default="attribution"),
    Column("reference", Text),
    Column("request_digest", Text),
    Column("priority", Integer, nullable=False, server_default="3"),
    Column("needed_skills", JSONB, nullable=False, server_default="[]"),
    Column("unmet_skills", JSONB, nullable=False, server_default="[]"),
    Column("wished_from", DateTime(timezone=True)),
    Column("wished_to", DateTime(timezone=True)),
    Column("appointed_from", DateTime(timezone=True)),
    Column("appointed_to", DateTime(timezone=True)),
    Column("latitude", _DEGREES),
    Column("longitude", _DEGREES),
    Column("contact_note", Text),
    Column("crew_id", Text),
    Column("suspended_in", Text),
    Column("visits", Integer, nullable=False, server_default="0"),
    Column("reworks", Integer, nullable=False, server_default="0"),
    Column("handovers", Integer, nullable=False, server_default="0"),
    Column("held", Boolean, nullable=False, server_default="false"),
    Column("photo_needed", Boolean, nullable=False, server_default="false"),
    Column("shown_by", Text),
    Index(None, "branch_id", "performer_centre_id", "finished_at"),
    Index(None, "branch_id", "engineer_id", "state"),
    Index(None, "branch_id", "crew_id", "state"),
    UniqueConstraint("branch_id", "source", "reference"),
)
"""``reference`` names an order in its source; ``held`` ones are given out by people only."""
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
    Column("crew_id", Text),
    Column("centre_id", Text),
    Column("opens_at", DateTime(timezone=True)),
    Column("closes_at", DateTime(timezone=True)),
    Column("latitude", _DEGREES),
    Column("longitude", _DEGREES),
    Index(None, "branch_id", "step", "at"),
    info={"append_only": True},
)
order_tasks = Table(
    "order_tasks",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("task_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("needed_skill", Text),
    Column("required", Boolean, nullable=False),
    Column("done_by", Text),
    Column("done_at", DateTime(timezone=True)),
    Column("recorded_by", Text),
    _of_order(),
)
order_predecessors = Table(
    "order_predecessors",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("predecessor_id", Text, primary_key=True),
    _of_order(),
    _of_order("predecessor_id"),
    CheckConstraint("order_id <> predecessor_id", name="another"),
)
order_materials = Table(
    "order_materials",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("material_id", Text, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("planned", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    _of_order(),
    CheckConstraint("planned >= 0 AND used >= 0", name="quantities"),
)
order_serials = Table(
    "order_serials",
    metadata,
    branch_column(),
    Column("serial_number", Text, primary_key=True),
    Column("order_id", Text, primary_key=True),
    Column("use", Text, nullable=False),
    Column("material_id", Text),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("holds", Boolean, nullable=False),
    _of_order(),
    Index(
        "order_serials_held_by_one",
        "branch_id",
        "serial_number",
        unique=True,
        postgresql_where=text("holds"),
    ),
)
"""A device is held by the one order that plans or uses it, until it is returned or not needed."""
order_notes = Table(
    "order_notes",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    _of_order(),
    info={"append_only": True},
)
order_attachments = Table(
    "order_attachments",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    _of_order(),
    info={"append_only": True},
)
crews = Table(
    "crews",
    metadata,
    branch_column(),
    Column("crew_id", Text, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("members", JSONB, nullable=False),
    Column("vehicle", Text),
    Column("company", Text),
    Column("skills", JSONB, nullable=False),
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
