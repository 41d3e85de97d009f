"""Service levels as data of a county, and the clocks they set."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('order_clocks',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('unit', sa.Text(), nullable=False),
    sa.Column('target_seconds', sa.BigInteger(), nullable=False),
    sa.Column('limit_seconds', sa.BigInteger(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('first_contact_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('late_because_of_centre_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', name=op.f('order_clocks_pkey')),
    schema='dispatch'
    )
    op.create_index(op.f('order_clocks_branch_id_next_at_index'), 'order_clocks', ['branch_id', 'next_at'], unique=False, schema='dispatch')
    op.create_table('order_stops',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('cause', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('stops_clock', sa.Boolean(), nullable=False),
    sa.Column('responsible_centre_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', 'number', name=op.f('order_stops_pkey')),
    schema='dispatch'
    )
    op.create_table('order_warnings',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('percent', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('reached_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=True),
    sa.Column('engineer_id', sa.Text(), nullable=True),
    sa.Column('escalated_to', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', 'percent', name=op.f('order_warnings_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('service_levels',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('given', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('drafted_by', sa.Text(), nullable=False),
    sa.Column('drafted_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'version', name=op.f('service_levels_pkey')),
    schema='dispatch'
    )
    op.create_table('service_levels_in_force',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('from_day', sa.Date(), nullable=False),
    sa.Column('put_in_force_by', sa.Text(), nullable=False),
    sa.Column('put_in_force_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'version'], ['dispatch.service_levels.branch_id', 'dispatch.service_levels.version'], name=op.f('service_levels_in_force_branch_id_version_service_levels_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'version', name=op.f('service_levels_in_force_pkey')),
    sa.UniqueConstraint('branch_id', 'from_day', name=op.f('service_levels_in_force_branch_id_from_day_key')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.add_column('orders', sa.Column('line', sa.Text(), server_default='ordinary', nullable=False), schema='dispatch')
    op.add_column('orders', sa.Column('build_needed', sa.Boolean(), server_default=sa.text('false'), nullable=False), schema='dispatch')
    # Work that is under way, or may come back as rework, was judged by the suite's own table, in natural hours. Its target is what
    # is left of its time when the pauses are taken out; of a hard limit nothing was kept, so it is
    # twice that.
    op.execute("""
        INSERT INTO dispatch.order_stops
        SELECT branch_id, order_id,
               row_number() OVER (PARTITION BY branch_id, order_id ORDER BY number),
               CASE step WHEN 'finish' THEN 'acceptance' ELSE coalesce(cause, 'customer') END,
               coalesce(CASE step WHEN 'finish' THEN next_reason ELSE reason END, ''), at, ended_at,
               step = 'finish' OR cause IS DISTINCT FROM 'resource', NULL
        FROM (SELECT *, lead(at) OVER in_order AS ended_at, lead(step) OVER in_order AS next_step,
                     lead(reason) OVER in_order AS next_reason
              FROM dispatch.order_steps
              WINDOW in_order AS (PARTITION BY branch_id, order_id ORDER BY number)) AS steps
        WHERE step = 'suspend' OR (step = 'finish' AND next_step = 'rework')
    """)
    op.execute("""
        INSERT INTO dispatch.order_clocks
            (branch_id, order_id, version, unit, target_seconds, limit_seconds, started_at, next_at)
        SELECT branch_id, order_id, 0, 'hours', target, 2 * target, dispatched_at,
               CASE WHEN state <> 'done' THEN dispatched_at END
        FROM (SELECT *, extract(epoch FROM due_at - dispatched_at)::bigint - coalesce(
                  (SELECT sum(extract(epoch FROM until - since))::bigint FROM dispatch.order_stops
                   WHERE order_stops.branch_id = orders.branch_id
                     AND order_stops.order_id = orders.order_id AND stops_clock), 0) AS target
              FROM dispatch.orders
              WHERE due_at IS NOT NULL AND state NOT IN ('confirmed', 'cancelled')) AS judged
        WHERE target > 0
    """)


def downgrade() -> None:
    op.drop_column('orders', 'build_needed', schema='dispatch')
    op.drop_column('orders', 'line', schema='dispatch')
    op.drop_table('service_levels_in_force', schema='dispatch')
    op.drop_table('service_levels', schema='dispatch')
    op.drop_table('order_warnings', schema='dispatch')
    op.drop_table('order_stops', schema='dispatch')
    op.drop_index(op.f('order_clocks_branch_id_next_at_index'), table_name='order_clocks', schema='dispatch')
    op.drop_table('order_clocks', schema='dispatch')
