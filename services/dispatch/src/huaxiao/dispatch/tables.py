"""The tables of the dispatch service; every key begins with the branch."""

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
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from huaxiao.shared.audit.log import AuditLog
from huaxiao.shared.audit.marks import DERIVED, PAY, erasable
from huaxiao.shared.database import branch_column, service_metadata
from huaxiao.shared.feed import Feed, positions_table
from huaxiao.shared.personal import erasures_done_table, erasures_table, full_views_table
from huaxiao.shared.rows import own_centre, whole_branch
from huaxiao.shared.unit_of_work import idempotency_table

metadata = service_metadata("dispatch")
feed = Feed(metadata, service="dispatch")
idempotency_keys = idempotency_table(metadata)
full_views = full_views_table(metadata)
erasures = erasures_table(metadata)
erasures_done = erasures_done_table(metadata)
audit_log = AuditLog(metadata, service="dispatch")
positions = positions_table(metadata)
_DEGREES = Numeric(9, 6)


def _of_order(column: str = "order_id") -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["branch_id", column], ["dispatch.orders.branch_id", "dispatch.orders.order_id"]
    )


branches = Table(
    "branches",
    metadata,
    branch_column(),
    Column("name_zh", Text, nullable=False),
    # From when on dispatch has known of it: the calendar of appraisals begins with that month.
    Column("known_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    info=DERIVED,
)
centres = Table(
    "centres",
    metadata,
    branch_column(),
    Column("centre_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("closed_from", Date),
    info=DERIVED | whole_branch("The register, by which work finds its centre."),
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
    info=DERIVED | whole_branch("The register, by which work finds its engineer."),
)
places_to_come = Table(
    "places_to_come",
    metadata,
    branch_column(),
    Column("person_id", Text, primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("centre_id", Text, primary_key=True),
    Column("is_primary", Boolean, nullable=False),
    Column("skills", JSONB, nullable=False),
    Column("engagement", Text, nullable=False),
    Column("left_on", Date),
    info=DERIVED | whole_branch("The register, by which work finds its engineer."),
)
"""Where people work from a day to come on; ``people`` has where they work now."""
territories = Table(
    "territories",
    metadata,
    branch_column(),
    Column("field_id", Text, primary_key=True),
    Column("prefix", Text, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("term_from", Integer, nullable=False),
    Column("term_to", Integer, nullable=False),
    info=DERIVED | whole_branch("The register, by which work finds its centre."),
)
fee_contracts = Table(
    "fee_contracts",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("term_from", Integer, nullable=False),
    Column("term_to", Integer, nullable=False),
    info=PAY | whole_branch("People earn at every centre they have worked for."),
)
fee_terms = Table(
    "fee_terms",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("from_period", Integer, nullable=False),
    Column("fees", JSONB, nullable=False),
    info={"append_only": True} | PAY,
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
    info={"append_only": True} | PAY,
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
    info=whole_branch("Follows the order."),
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
    info=whole_branch("Follows the order."),
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
    info={"append_only": True} | whole_branch("Follows the order."),
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
    info=whole_branch("Looked after by whoever the order of the day falls to."),
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
    Column("customer_id", Text),
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
    Column("people_needed", Integer, nullable=False, server_default="1"),
    Index(None, "branch_id", "performer_centre_id", "finished_at"),
    Index(None, "branch_id", "engineer_id", "state"),
    Index(None, "branch_id", "crew_id", "state"),
    Index(
        "orders_kept_index",
        "branch_id",
        "last_step_at",
        postgresql_where=text(
            "contact_note IS NOT NULL OR latitude IS NOT NULL"
            " OR customer_id IS NOT NULL AND length(standard_address) > 12"
        ),
    ),
    Index(None, "branch_id", "customer_id"),
    UniqueConstraint("branch_id", "source", "reference"),
    info=whole_branch(
        "Work is asked for by one centre and done by others' people and crews, who see their own."
    ),
)
"""``reference`` names an order in its source; ``held`` ones are given out by people only."""
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
    info=whole_branch("A slot is free when nobody's visit stands in it, whichever centre's."),
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
    info=DERIVED,
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
    Column("crew_id", Text),
    Column("centre_id", Text),
    Column("opens_at", DateTime(timezone=True)),
    Column("closes_at", DateTime(timezone=True)),
    Column("latitude", _DEGREES),
    Column("longitude", _DEGREES),
    Column(
        "due_at",
        DateTime(timezone=True),
        comment="when the work was due, as was known with the step; null of older steps, too",
    ),
    Index(None, "branch_id", "step", "at"),
    Index(
        "order_steps_places_index",
        "branch_id",
        "at",
        postgresql_where=text("latitude IS NOT NULL"),
    ),
    info={"append_only": True}
    | erasable("latitude", "longitude")
    | whole_branch("Follows the order."),
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
    Index("order_notes_kept_index", "branch_id", "at", postgresql_where=text("text <> '***'")),
    _of_order(),
    info={"append_only": True} | erasable("text"),
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
    Index(None, "branch_id", "sha256"),
    info={"append_only": True},
)
attachments_erased = Table(
    "attachments_erased",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("erased_at", DateTime(timezone=True), nullable=False),
    # Null until it has been seen to that the content lies in the store no more.
    Column("removed_at", DateTime(timezone=True)),
    ForeignKeyConstraint(
        ["branch_id", "order_id", "name"],
        [
            "dispatch.order_attachments.branch_id",
            "dispatch.order_attachments.order_id",
            "dispatch.order_attachments.name",
        ],
        name="attachments_erased_attachment_fkey",
    ),
    Index(
        "attachments_erased_waiting_index",
        "branch_id",
        postgresql_where=text("removed_at IS NULL"),
    ),
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
    # Several engineers who are sent together to this one order, and are no crew otherwise.
    Column("order_id", Text),
    info=whole_branch("A crew may be of people of several centres."),
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
    Column("scorecard_version", Integer, nullable=False, server_default="0"),
    Column("revision", Integer, nullable=False, server_default="1"),
    # Nobody submitted it: what was measured stands alone.
    Column("evidence_only", Boolean, nullable=False, server_default=false()),
    Column("published_at", DateTime(timezone=True)),
    Column(
        "told_at",
        DateTime(timezone=True),
        comment="when everybody was told that it is published; null of older cards, too",
    ),
    Column("coefficient_kind", Text),
    Column("coefficient", Text),
    UniqueConstraint(
        "branch_id",
        "kind",
        "period",
        "rater_centre_id",
        "ratee_centre_id",
        "person_id",
        postgresql_nulls_not_distinct=True,
    ),
    info=PAY | own_centre("rater_centre_id", "ratee_centre_id", person="person_id"),
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
    info=DERIVED | whole_branch("The register, by which work finds its centre."),
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
    info=own_centre("raiser_centre_id", "owner_centre_id") | erasable("title", "text"),
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
    info={"append_only": True} | erasable("text") | whole_branch("Follows the ticket."),
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
    info={"append_only": True} | whole_branch("Follows the ticket."),
)
concurrent_posts = Table(
    "concurrent_posts",
    metadata,
    branch_column(),
    Column("person_id", Text, primary_key=True),
    Column("centre_id", Text, primary_key=True),
    info=DERIVED | whole_branch("The register, by which work finds its engineer."),
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
    info={"append_only": True} | whole_branch("Counted over the voters of all centres."),
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
    info={"append_only": True} | whole_branch("Counted over the voters of all centres."),
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
    info={"append_only": True} | PAY | whole_branch("Counted over the voters of all centres."),
)
plan_rules = Table(
    "plan_rules",
    metadata,
    branch_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("given", JSONB, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", DateTime(timezone=True), nullable=False),
    info={"append_only": True},
)
start_places = Table(
    "start_places",
    metadata,
    branch_column(),
    Column("of", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("latitude", _DEGREES, nullable=False),
    Column("longitude", _DEGREES, nullable=False),
    Column("standard_address", Text),
    Column("returns", Boolean, nullable=False),
)
address_places = Table(
    "address_places",
    metadata,
    branch_column(),
    Column("standard_address", Text, primary_key=True),
    Column("latitude", _DEGREES, nullable=False),
    Column("longitude", _DEGREES, nullable=False),
)
travel_times = Table(
    "travel_times",
    metadata,
    branch_column(),
    Column("from_area", Text, primary_key=True),
    Column("to_area", Text, primary_key=True),
    Column("minutes", Integer, nullable=False),
)
order_wishes = Table(
    "order_wishes",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("pinned_to", Text),
    Column("forbidden", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    _of_order(),
    info={"append_only": True},
)
order_placements = Table(
    "order_placements",
    metadata,
    branch_column(),
    Column("order_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("given", JSONB, nullable=False),
    _of_order(),
    info={"append_only": True},
)
"""Why an order that arrived was put where it was, as it was found then."""
plans = Table(
    "plans",
    metadata,
    branch_column(),
    Column("plan_id", Text, primary_key=True),
    Column("round_id", Text),
    Column("based_on", Text),
    Column("kind", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("centre_ids", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("seconds", Integer),
    Column("iterations", Integer),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("now", DateTime(timezone=True), nullable=False),
    Column("problem", JSONB(none_as_null=True)),
    Column("before", JSONB(none_as_null=True)),
    Column("missing", JSONB, nullable=False),
    Column("result", JSONB(none_as_null=True)),
    Column("travel_source", Text),
    Column("share", Double, nullable=False, server_default="0"),
    Column("searched", BigInteger, nullable=False, server_default="0"),
    Column("cost", BigInteger),
    Column("stop_asked", Boolean, nullable=False, server_default=false()),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_until", DateTime(timezone=True)),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("failure", Text),
    Column("applied_by", Text),
    Column("applied_at", DateTime(timezone=True)),
    Index(None, "branch_id", "day"),
    # Workers look for what waits, of whichever branch.
    Index(
        "plans_waiting",
        "asked_at",
        postgresql_where=text("state IN ('queued', 'running')"),
    ),
    info=whole_branch("A plan of a day may be for several centres."),
)
day_routes = Table(
    "day_routes",
    metadata,
    branch_column(),
    Column("day", Date, primary_key=True),
    # A person's id, or ``crew/`` and a crew's.
    Column("holder", Text, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("plan_id", Text),
    Column("stops", JSONB, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    info=DERIVED | whole_branch("Follows the people, who are lent between centres."),
)
"""Who visits whom on a day, in order, as it was planned last."""
scorecards = Table(
    "scorecards",
    metadata,
    branch_column(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("given", JSONB, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
)
scorecards_in_force = Table(
    "scorecards_in_force",
    metadata,
    branch_column(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("from_day", Date, nullable=False),
    Column("put_in_force_by", Text, nullable=False),
    Column("put_in_force_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "version"], ["dispatch.scorecards.branch_id", "dispatch.scorecards.version"]
    ),
    # One set at each moment: no two begin with one month.
    UniqueConstraint("branch_id", "from_day"),
    info={"append_only": True},
)
appraisal_months = Table(
    "appraisal_months",
    metadata,
    branch_column(),
    Column("period", Integer, primary_key=True, autoincrement=False),
    # frozen, submission_over, published, closed: each happens once.
    Column("event", Text, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    # Of what was frozen: by which scorecards, how many orders, and their digest.
    Column("scorecard_version", Integer),
    Column("orders", Integer),
    Column("digest", Text),
    info={"append_only": True} | PAY,
)
appraisal_evidence = Table(
    "appraisal_evidence",
    metadata,
    branch_column(),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("order_id", Text, primary_key=True),
    Column("record", JSONB, nullable=False),
    info={"append_only": True} | PAY,
)
appraisal_drafts = Table(
    "appraisal_drafts",
    metadata,
    branch_column(),
    Column("kind", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("rater_centre_id", Text, primary_key=True),
    # The centre of a horizontal card, the person of a final one.
    Column("ratee", Text, primary_key=True),
    Column("given", JSONB, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    info=own_centre("rater_centre_id"),
)
appraisal_revisions = Table(
    "appraisal_revisions",
    metadata,
    branch_column(),
    Column("appraisal_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("cause", Text, nullable=False),
    Column("score_hundredths", BigInteger),
    Column("exact_score", Text),
    Column("grade", Text),
    Column("explanation", JSONB, nullable=False),
    # The month in which a closed month's card was corrected.
    Column("corrected_in", Integer),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "appraisal_id"],
        ["dispatch.appraisals.branch_id", "dispatch.appraisals.appraisal_id"],
    ),
    info={"append_only": True} | PAY,
)
appraisal_appeals = Table(
    "appraisal_appeals",
    metadata,
    branch_column(),
    Column("appraisal_id", Text, primary_key=True),
    # Once per item.
    Column("item", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("references", JSONB, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "appraisal_id"],
        ["dispatch.appraisals.branch_id", "dispatch.appraisals.appraisal_id"],
    ),
    info={"append_only": True},
)
appraisal_appeal_answers = Table(
    "appraisal_appeal_answers",
    metadata,
    branch_column(),
    Column("appraisal_id", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "appraisal_id", "item"],
        [
            "dispatch.appraisal_appeals.branch_id",
            "dispatch.appraisal_appeals.appraisal_id",
            "dispatch.appraisal_appeals.item",
        ],
        name="appraisal_appeal_answers_appeal_fkey",
    ),
    info={"append_only": True},
)
appraisal_appeal_decisions = Table(
    "appraisal_appeal_decisions",
    metadata,
    branch_column(),
    Column("appraisal_id", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("upheld", Boolean, nullable=False),
    Column("value", Text),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    # The unit that decided; none for the county's manager.
    Column("centre_id", Text),
    Column("at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "appraisal_id", "item"],
        [
            "dispatch.appraisal_appeals.branch_id",
            "dispatch.appraisal_appeals.appraisal_id",
            "dispatch.appraisal_appeals.item",
        ],
        name="appraisal_appeal_decisions_appeal_fkey",
    ),
    info={"append_only": True}
    | PAY
    | whole_branch("Follows the card, and is decided by neither of its centres."),
)
appraisal_corrections = Table(
    "appraisal_corrections",
    metadata,
    branch_column(),
    Column("appraisal_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("item", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("dated_in", Integer, nullable=False),
    ForeignKeyConstraint(
        ["branch_id", "appraisal_id"],
        ["dispatch.appraisals.branch_id", "dispatch.appraisals.appraisal_id"],
    ),
    info={"append_only": True} | PAY,
)
late_raters = Table(
    "late_raters",
    metadata,
    branch_column(),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("centre_id", Text, primary_key=True),
    Column("points", Integer, nullable=False),
    Column("cards", JSONB, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    info={"append_only": True}
    | PAY
    | whole_branch("Months are published for all centres together."),
)
violations = Table(
    "violations",
    metadata,
    branch_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("entry", Text, nullable=False),
    Column("person_ids", JSONB, nullable=False),
    Column("period", Integer, nullable=False),
    Column("upheld", Boolean, nullable=False),
    Column("points", Integer, nullable=False),
    info=PAY,
)
