"""Assets, and the rounds that their cycles ask for (R17)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.create_table('assets',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('asset_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('grade', sa.Text(), nullable=False),
    sa.Column('name_zh', sa.Text(), nullable=False),
    sa.Column('standard_address', sa.Text(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=True),
    sa.Column('cycle', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('from_day', sa.Date(), nullable=False),
    sa.Column('retired_on', sa.Date(), nullable=True),
    sa.Column('next_round_on', sa.Date(), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'asset_id', name=op.f('assets_pkey')),
    schema='dispatch'
    )
    op.create_index(op.f('assets_branch_id_next_round_on_index'), 'assets', ['branch_id', 'next_round_on'], unique=False, schema='dispatch')
    op.create_table('rounds',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('asset_id', sa.Text(), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('limit_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_late', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'asset_id'], ['dispatch.assets.branch_id', 'dispatch.assets.asset_id'], name=op.f('rounds_branch_id_asset_id_assets_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'asset_id', 'starts_on', name=op.f('rounds_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_index(op.f('rounds_branch_id_ends_on_index'), 'rounds', ['branch_id', 'ends_on'], unique=False, schema='dispatch')
    op.add_column('orders', sa.Column('asset_id', sa.Text(), nullable=True), schema='dispatch')


def downgrade() -> None:
    op.drop_column('orders', 'asset_id', schema='dispatch')
    op.drop_index(op.f('rounds_branch_id_ends_on_index'), table_name='rounds', schema='dispatch')
    op.drop_table('rounds', schema='dispatch')
    op.drop_index(op.f('assets_branch_id_next_round_on_index'), table_name='assets', schema='dispatch')
    op.drop_table('assets', schema='dispatch')
