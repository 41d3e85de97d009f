"""Plans of days, what they are made by, and where orders go in them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.create_table('address_places',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('standard_address', sa.Text(), nullable=False),
    sa.Column('latitude', sa.Numeric(precision=9, scale=6), nullable=False),
    sa.Column('longitude', sa.Numeric(precision=9, scale=6), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'standard_address', name=op.f('address_places_pkey')),
    schema='dispatch'
    )
    op.create_table('day_routes',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('plan_id', sa.Text(), nullable=True),
    sa.Column('stops', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'day', 'holder', name=op.f('day_routes_pkey')),
    schema='dispatch'
    )
    op.create_table('plan_rules',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('given', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('set_by', sa.Text(), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'number', name=op.f('plan_rules_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('plans',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('plan_id', sa.Text(), nullable=False),
    sa.Column('round_id', sa.Text(), nullable=True),
    sa.Column('based_on', sa.Text(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('centre_ids', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('seed', sa.BigInteger(), nullable=False),
    sa.Column('seconds', sa.Integer(), nullable=True),
    sa.Column('iterations', sa.Integer(), nullable=True),
    sa.Column('asked_by', sa.Text(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('now', sa.DateTime(timezone=True), nullable=False),
    sa.Column('problem', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('before', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('missing', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('result', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('travel_source', sa.Text(), nullable=True),
    sa.Column('share', sa.Double(), server_default='0', nullable=False),
    sa.Column('searched', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('cost', sa.BigInteger(), nullable=True),
    sa.Column('stop_asked', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failure', sa.Text(), nullable=True),
    sa.Column('applied_by', sa.Text(), nullable=True),
    sa.Column('applied_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'plan_id', name=op.f('plans_pkey')),
    schema='dispatch'
    )
    op.create_index(op.f('plans_branch_id_day_index'), 'plans', ['branch_id', 'day'], unique=False, schema='dispatch')
    op.create_index('plans_waiting', 'plans', ['asked_at'], unique=False, schema='dispatch', postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.create_table('start_places',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('of', sa.Text(), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('latitude', sa.Numeric(precision=9, scale=6), nullable=False),
    sa.Column('longitude', sa.Numeric(precision=9, scale=6), nullable=False),
    sa.Column('standard_address', sa.Text(), nullable=True),
    sa.Column('returns', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'of', 'id', name=op.f('start_places_pkey')),
    schema='dispatch'
    )
    op.create_table('travel_times',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('from_area', sa.Text(), nullable=False),
    sa.Column('to_area', sa.Text(), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'from_area', 'to_area', name=op.f('travel_times_pkey')),
    schema='dispatch'
    )
    op.create_table('order_placements',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('given', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'order_id'], ['dispatch.orders.branch_id', 'dispatch.orders.order_id'], name=op.f('order_placements_branch_id_order_id_orders_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', 'number', name=op.f('order_placements_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('order_wishes',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('pinned_to', sa.Text(), nullable=True),
    sa.Column('forbidden', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'order_id'], ['dispatch.orders.branch_id', 'dispatch.orders.order_id'], name=op.f('order_wishes_branch_id_order_id_orders_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', 'number', name=op.f('order_wishes_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.add_column('crews', sa.Column('order_id', sa.Text(), nullable=True), schema='dispatch')
    op.add_column('orders', sa.Column('people_needed', sa.Integer(), server_default='1', nullable=False), schema='dispatch')


def downgrade() -> None:
    op.drop_column('orders', 'people_needed', schema='dispatch')
    op.drop_column('crews', 'order_id', schema='dispatch')
    op.drop_table('order_wishes', schema='dispatch')
    op.drop_table('order_placements', schema='dispatch')
    op.drop_table('travel_times', schema='dispatch')
    op.drop_table('start_places', schema='dispatch')
    op.drop_index('plans_waiting', table_name='plans', schema='dispatch', postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.drop_index(op.f('plans_branch_id_day_index'), table_name='plans', schema='dispatch')
    op.drop_table('plans', schema='dispatch')
    op.drop_table('plan_rules', schema='dispatch')
    op.drop_table('day_routes', schema='dispatch')
    op.drop_table('address_places', schema='dispatch')
