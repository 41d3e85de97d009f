"""Alembic's entry: this service's tables, run the suite's one way."""

from huaxiao.kpi.tables import metadata
from huaxiao.shared.migrations import run_migrations

run_migrations("kpi", metadata)
