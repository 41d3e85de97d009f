"""Targets of the county and its centres as data: drafted, confirmed, withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.create_table('unit_targets',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('target_id', sa.Text(), nullable=False),
    sa.Column('measure', sa.Text(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=True),
    sa.Column('from_period', sa.Integer(), nullable=False),
    sa.Column('to_period', sa.Integer(), nullable=False),
    sa.Column('value', sa.BigInteger(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('drafted_by', sa.Text(), nullable=False),
    sa.Column('drafted_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'target_id', name=op.f('unit_targets_pkey')),
    schema='kpi'
    )
    op.create_table('unit_target_confirmations',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('target_id', sa.Text(), nullable=False),
    sa.Column('confirmed_by', sa.Text(), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'target_id'], ['kpi.unit_targets.branch_id', 'kpi.unit_targets.target_id'], name=op.f('unit_target_confirmations_branch_id_target_id_unit_targets_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'target_id', name=op.f('unit_target_confirmations_pkey')),
    schema='kpi'
    )
    op.create_table('unit_target_withdrawals',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('target_id', sa.Text(), nullable=False),
    sa.Column('withdrawn_by', sa.Text(), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_because', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'target_id'], ['kpi.unit_targets.branch_id', 'kpi.unit_targets.target_id'], name=op.f('unit_target_withdrawals_branch_id_target_id_unit_targets_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'target_id', name=op.f('unit_target_withdrawals_pkey')),
    schema='kpi'
    )


def downgrade() -> None:
    op.drop_table('unit_target_withdrawals', schema='kpi')
    op.drop_table('unit_target_confirmations', schema='kpi')
    op.drop_table('unit_targets', schema='kpi')
