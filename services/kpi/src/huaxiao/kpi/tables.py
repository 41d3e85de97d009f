"""The tables of the KPI service; every key begins with the branch."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from huaxiao.shared.database import branch_column, service_metadata
from huaxiao.shared.feed import Feed, positions_table
from huaxiao.shared.unit_of_work import idempotency_table

metadata = service_metadata("kpi")
idempotency_keys = idempotency_table(metadata)
positions = positions_table(metadata)


branches = Table(
    "branches",
    metadata,
    branch_column(),
    Column("name_zh", Text, nullable=False),
    Column("default_centre_id", Text, nullable=False),
)
centres = Table(
    "centres",
    metadata,
    branch_column(),
    Column("centre_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
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
)
places = Table(
    "places",
    metadata,
    branch_column(),
    Column("person_id", Text, primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("own_staff", Boolean, nullable=False),
)
contracts = Table(
    "contracts",
    metadata,
    branch_column(),
    Column("contract_id", Text, primary_key=True),
    Column("centre_id", Text),
    Column("term_from", Integer, nullable=False),
    Column("term_to", Integer, nullable=False),
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
)
closed_periods = Table(
    "closed_periods",
    metadata,
    branch_column(),
    Column("period", Integer, primary_key=True, autoincrement=False),
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
)
