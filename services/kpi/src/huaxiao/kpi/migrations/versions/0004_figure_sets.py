"""A county adds figures of its own: formulas, drafted and put in force from a month on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('decisions',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', name=op.f('decisions_pkey')),
    schema='kpi'
    )
    op.create_table('figure_sets',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('given', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('drafted_by', sa.Text(), nullable=False),
    sa.Column('drafted_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'version', name=op.f('figure_sets_pkey')),
    schema='kpi'
    )
    op.create_table('figure_sets_in_force',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('from_period', sa.Integer(), nullable=False),
    sa.Column('put_in_force_by', sa.Text(), nullable=False),
    sa.Column('put_in_force_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'version'], ['kpi.figure_sets.branch_id', 'kpi.figure_sets.version'], name=op.f('figure_sets_in_force_branch_id_version_figure_sets_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'version', name=op.f('figure_sets_in_force_pkey')),
    sa.UniqueConstraint('branch_id', 'from_period', name=op.f('figure_sets_in_force_branch_id_from_period_key')),
    schema='kpi'
    )


def downgrade() -> None:
    op.drop_table('figure_sets_in_force', schema='kpi')
    op.drop_table('figure_sets', schema='kpi')
    op.drop_table('decisions', schema='kpi')
