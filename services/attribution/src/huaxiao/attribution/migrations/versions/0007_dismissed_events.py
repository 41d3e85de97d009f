"""Held events that somebody has taken out of what waits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.create_table('dismissals',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('time', sa.Integer(), autoincrement=False, nullable=False, comment='1 the first time; an event that was tried again with success may be dismissed again'),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'number'], ['attribution.held_events.branch_id', 'attribution.held_events.number'], name=op.f('dismissals_branch_id_number_held_events_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'number', 'time', name=op.f('dismissals_pkey')),
    schema='attribution',
    comment='Held events that somebody has taken out of what waits, and why',
    info={'append_only': True}
    )
    op.add_column('held_events', sa.Column('dismissed', sa.Boolean(), server_default=sa.text('false'), nullable=False), schema='attribution')
    op.alter_column('held_events', 'resolved_at',
               existing_type=postgresql.TIMESTAMP(timezone=True),
               comment='when it left quarantine: into the books, or dismissed',
               existing_nullable=True,
               schema='attribution')
    op.create_index('held_events_dismissed_index', 'held_events', ['branch_id', 'received_at'], unique=False, schema='attribution', postgresql_where=sa.text('dismissed'))


def downgrade() -> None:
    # Who does not know of dismissals would take them for booked; of the same bytes one may be held.
    op.execute(
        "WITH held AS (UPDATE attribution.held_events one SET resolved_at = NULL WHERE dismissed"
        " AND NOT EXISTS (SELECT FROM attribution.held_events other"
        " WHERE other.branch_id = one.branch_id AND other.digest = one.digest"
        " AND (other.resolved_at IS NULL OR other.dismissed AND other.number > one.number))"
        " RETURNING branch_id)"
        " UPDATE attribution.intakes SET resolved = resolved - again.events"
        " FROM (SELECT branch_id, count(*) AS events FROM held GROUP BY branch_id) again"
        " WHERE intakes.branch_id = again.branch_id"
    )
    op.drop_index('held_events_dismissed_index', table_name='held_events', schema='attribution', postgresql_where=sa.text('dismissed'))
    op.alter_column('held_events', 'resolved_at',
               existing_type=postgresql.TIMESTAMP(timezone=True),
               comment=None,
               existing_comment='when it left quarantine: into the books, or dismissed',
               existing_nullable=True,
               schema='attribution')
    op.drop_column('held_events', 'dismissed', schema='attribution')
    op.drop_table('dismissals', schema='attribution')
