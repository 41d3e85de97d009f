"""Centres open, are renamed and close, channels move and close, each from a day on."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('centre_changes',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('from_day', sa.Date(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_zh', sa.Text(), nullable=False),
    sa.Column('open', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['branch_id', 'centre_id'], ['contracts.centres.branch_id', 'contracts.centres.centre_id'], name=op.f('centre_changes_branch_id_centre_id_centres_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'centre_id', 'from_day', name=op.f('centre_changes_pkey')),
    schema='contracts',
    info={'append_only': True}
    )
    op.create_table('channel_moves',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('from_day', sa.Date(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('open', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['branch_id', 'centre_id'], ['contracts.centres.branch_id', 'contracts.centres.centre_id'], name=op.f('channel_moves_branch_id_centre_id_centres_fkey')),
    sa.ForeignKeyConstraint(['branch_id', 'channel_id'], ['contracts.channels.branch_id', 'contracts.channels.channel_id'], name=op.f('channel_moves_branch_id_channel_id_channels_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'channel_id', 'from_day', name=op.f('channel_moves_pkey')),
    schema='contracts',
    info={'append_only': True}
    )
    op.add_column('centres', sa.Column('from_day', sa.Date(), nullable=True), schema='contracts')


def downgrade() -> None:
    op.drop_column('centres', 'from_day', schema='contracts')
    op.drop_table('channel_moves', schema='contracts')
    op.drop_table('centre_changes', schema='contracts')
