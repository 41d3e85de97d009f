"""Who saw events in full, whose were erased, and senders that sign."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('erasures',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('erasure_id', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('erased', sa.Integer(), nullable=False),
    sa.Column('waiting', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'erasure_id', name=op.f('erasures_pkey')),
    schema='attribution',
    info={'append_only': True}
    )
    op.create_table('full_views',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('full_view_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'full_view_id', name=op.f('full_views_pkey')),
    schema='attribution',
    info={'append_only': True}
    )
    op.create_table('signed_messages',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('answer', sa.LargeBinary(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'source_id', 'message_id', name=op.f('signed_messages_pkey')),
    schema='attribution',
    comment='Signed messages that were taken, for as long as they may come again'
    )
    op.create_index(op.f('signed_messages_branch_id_received_at_index'), 'signed_messages', ['branch_id', 'received_at'], unique=False, schema='attribution')
    op.create_table('signed_secrets',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('secret', sa.Text(), nullable=False),
    sa.Column('made_by', sa.Text(), nullable=False),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('valid_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'source_id', 'number', name=op.f('signed_secrets_pkey')),
    schema='attribution'
    )
    op.create_table('signed_sources',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('source_id', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False, comment='of all its events'),
    sa.Column('registered_by', sa.Text(), nullable=False),
    sa.Column('registered_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'source_id', name=op.f('signed_sources_pkey')),
    schema='attribution',
    comment='Senders that sign what they post instead of bearing a token'
    )
    op.create_index('held_events_kept_index', 'held_events', ['branch_id', 'received_at'], unique=False, schema='attribution', postgresql_where=sa.text('octet_length(body) > 0'))


def downgrade() -> None:
    op.drop_index('held_events_kept_index', table_name='held_events', schema='attribution', postgresql_where=sa.text('octet_length(body) > 0'))
    op.drop_table('signed_sources', schema='attribution')
    op.drop_table('signed_secrets', schema='attribution')
    op.drop_index(op.f('signed_messages_branch_id_received_at_index'), table_name='signed_messages', schema='attribution')
    op.drop_table('signed_messages', schema='attribution')
    op.drop_table('full_views', schema='attribution')
    op.drop_table('erasures', schema='attribution')
