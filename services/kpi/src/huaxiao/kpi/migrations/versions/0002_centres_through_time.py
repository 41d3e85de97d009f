"""Centres are renamed and close, each from a day on."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    op.create_table('centre_changes',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('from_day', sa.Date(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_zh', sa.Text(), nullable=False),
    sa.Column('open', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'centre_id', 'from_day', name=op.f('centre_changes_pkey')),
    schema='kpi'
    )


def downgrade() -> None:
    op.drop_table('centre_changes', schema='kpi')
