"""Supplements that both sides have signed, and appeals about fewer months than the dispute."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('agreement_positions',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', name=op.f('agreement_positions_pkey')),
    schema='attribution',
    comment='Up to which entry of the contracts feed no contract and no supplement is missing',
    info={'audit': 'derived'}
    )
    op.create_table('contract_fields',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('contract_id', sa.Text(), nullable=False),
    sa.Column('field_id', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'contract_id', 'field_id', name=op.f('contract_fields_pkey')),
    schema='attribution',
    comment='Which fields a signed contract has',
    info={'audit': 'derived'}
    )
    op.create_table('supplements',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('contract_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('effective_from', sa.Integer(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'contract_id', 'number', name=op.f('supplements_pkey')),
    schema='attribution',
    comment='Supplements (补充协议) of contracts that both sides have signed',
    info={'audit': 'derived'}
    )
    op.add_column('disputes', sa.Column('raised_from_period', sa.Integer(), nullable=True, comment='null unless an appeal is about fewer months'), schema='attribution')
    op.add_column('disputes', sa.Column('raised_to_period', sa.Integer(), nullable=True), schema='attribution')


def downgrade() -> None:
    op.drop_column('disputes', 'raised_to_period', schema='attribution')
    op.drop_column('disputes', 'raised_from_period', schema='attribution')
    op.drop_table('supplements', schema='attribution')
    op.drop_table('contract_fields', schema='attribution')
    op.drop_table('agreement_positions', schema='attribution')
