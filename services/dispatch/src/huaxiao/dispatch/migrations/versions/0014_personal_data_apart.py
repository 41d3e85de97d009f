"""Who saw contacts of customers in full, whose were erased, and which are still kept."""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'


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
    schema='dispatch',
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
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_index('orders_personal_index', 'orders', ['branch_id', 'last_step_at'], unique=False, schema='dispatch', postgresql_where=sa.text('contact_note IS NOT NULL OR latitude IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('orders_personal_index', table_name='orders', schema='dispatch', postgresql_where=sa.text('contact_note IS NOT NULL OR latitude IS NOT NULL'))
    op.drop_table('full_views', schema='dispatch')
    op.drop_table('erasures', schema='dispatch')
