"""Answers that are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.create_index('idempotency_keys_answers_index', 'idempotency_keys', ['branch_id', 'answered_at'], unique=False, schema='kpi', postgresql_where=sa.text('octet_length(body) > 0'))


def downgrade() -> None:
    op.drop_index('idempotency_keys_answers_index', table_name='idempotency_keys', schema='kpi', postgresql_where=sa.text('octet_length(body) > 0'))
