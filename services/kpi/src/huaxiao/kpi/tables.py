"""The tables of the KPI service; every key begins with the branch."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text

from huaxiao.shared.database import branch_column, service_metadata
from huaxiao.shared.feed import positions_table
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
