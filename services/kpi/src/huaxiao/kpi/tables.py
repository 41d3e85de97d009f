"""The tables of the KPI service; every key begins with the branch."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text

from huaxiao.shared.database import service_metadata
from huaxiao.shared.feed import positions_table
from huaxiao.shared.unit_of_work import idempotency_table

metadata = service_metadata("kpi")
idempotency_keys = idempotency_table(metadata)
positions = positions_table(metadata)


def _branch() -> Column[int]:
    return Column("branch_id", Integer, primary_key=True, autoincrement=False)


branches = Table(
    "branches",
    metadata,
    _branch(),
    Column("name_zh", Text, nullable=False),
    Column("default_centre_id", Text, nullable=False),
)
centres = Table(
    "centres",
    metadata,
    _branch(),
    Column("centre_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
)
places = Table(
    "places",
    metadata,
    _branch(),
    Column("person_id", Text, primary_key=True),
    Column("from_day", Date, primary_key=True),
    Column("centre_id", Text, nullable=False),
    Column("own_staff", Boolean, nullable=False),
)
contracts = Table(
    "contracts",
    metadata,
    _branch(),
    Column("contract_id", Text, primary_key=True),
    Column("centre_id", Text),
    Column("term_from", Integer, nullable=False),
    Column("term_to", Integer, nullable=False),
)
base_months = Table(
    "base_months",
    metadata,
    _branch(),
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
    _branch(),
    Column("period", Integer, primary_key=True, autoincrement=False),
)
measures = Table(
    "measures",
    metadata,
    _branch(),
    Column("centre_id", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("measure", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Index(None, "branch_id", "period", "centre_id"),
)
