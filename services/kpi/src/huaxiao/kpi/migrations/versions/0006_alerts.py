"""Alerts: their rules, states and transitions, webhooks; the feed; how targets stand now."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('alert_clocks',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('mark', sa.Text(), nullable=True),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', name=op.f('alert_clocks_pkey')),
    schema='kpi'
    )
    op.create_table('alert_rules',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('rule_id', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('rule', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('changed_by', sa.Text(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'rule_id', 'version', name=op.f('alert_rules_pkey')),
    schema='kpi',
    info={'append_only': True}
    )
    op.create_table('alert_transitions',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('alert_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by', sa.Text(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('value', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'alert_id', 'number', name=op.f('alert_transitions_pkey')),
    schema='kpi',
    info={'append_only': True}
    )
    op.create_table('alerts',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('rule_id', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=True),
    sa.Column('target', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('period', sa.Integer(), nullable=True),
    sa.Column('value', sa.Text(), nullable=True),
    sa.Column('alert_id', sa.Text(), nullable=True),
    sa.Column('fired_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('acknowledged_by', sa.Text(), nullable=True),
    sa.Column('acknowledged_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'rule_id', 'subject', name=op.f('alerts_pkey')),
    schema='kpi'
    )
    op.create_index(op.f('alerts_branch_id_alert_id_index'), 'alerts', ['branch_id', 'alert_id'], unique=False, schema='kpi')
    op.create_table('feed_entries',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('traceparent', sa.Text(), nullable=True),
    sa.Column('data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'position', name=op.f('feed_entries_pkey')),
    schema='kpi',
    info={'append_only': True}
    )
    op.create_table('feed_heads',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', name=op.f('feed_heads_pkey')),
    schema='kpi'
    )
    op.create_table('standings',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('span', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('period', sa.Integer(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('value', sa.Double(), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'centre_id', 'span', 'target', name=op.f('standings_pkey')),
    schema='kpi'
    )
    op.create_table('webhook_deliveries',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('webhook_id', sa.Text(), nullable=False),
    sa.Column('delivery_id', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failure', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'webhook_id', 'delivery_id', name=op.f('webhook_deliveries_pkey')),
    schema='kpi'
    )
    op.create_index(op.f('webhook_deliveries_next_at_index'), 'webhook_deliveries', ['next_at'], unique=False, schema='kpi', postgresql_where=sa.text('next_at IS NOT NULL'))
    op.create_table('webhooks',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('webhook_id', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('secret', sa.Text(), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('changed_by', sa.Text(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'webhook_id', name=op.f('webhooks_pkey')),
    schema='kpi'
    )


def downgrade() -> None:
    op.drop_table('webhooks', schema='kpi')
    op.drop_index(op.f('webhook_deliveries_next_at_index'), table_name='webhook_deliveries', schema='kpi', postgresql_where=sa.text('next_at IS NOT NULL'))
    op.drop_table('webhook_deliveries', schema='kpi')
    op.drop_table('standings', schema='kpi')
    op.drop_table('feed_heads', schema='kpi')
    op.drop_table('feed_entries', schema='kpi')
    op.drop_index(op.f('alerts_branch_id_alert_id_index'), table_name='alerts', schema='kpi')
    op.drop_table('alerts', schema='kpi')
    op.drop_table('alert_transitions', schema='kpi')
    op.drop_table('alert_rules', schema='kpi')
    op.drop_table('alert_clocks', schema='kpi')
