"""Targets of units that are goals of figures; alerts of figures and of units' targets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'

_ONE_OF_BOTH = (
    'num_nonnulls(measure, figure) = 1 AND num_nonnulls(measure, goal) = 1'
    ' AND num_nonnulls(figure, value) = 1'
)


def upgrade() -> None:
    op.add_column('unit_targets', sa.Column('figure', sa.Text(), nullable=True), schema='kpi')
    op.add_column('unit_targets', sa.Column('goal', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True), schema='kpi')
    op.alter_column('unit_targets', 'measure', nullable=True, schema='kpi')
    op.alter_column('unit_targets', 'value', nullable=True, schema='kpi')
    op.create_check_constraint(op.f('unit_targets_measure_or_figure_check'), 'unit_targets', _ONE_OF_BOTH, schema='kpi')
    op.add_column('alerts', sa.Column('figure', sa.Text(), nullable=True), schema='kpi')
    op.add_column('alerts', sa.Column('target_id', sa.Text(), nullable=True), schema='kpi')


def downgrade() -> None:
    op.drop_column('alerts', 'target_id', schema='kpi')
    op.drop_column('alerts', 'figure', schema='kpi')
    # A goal of a figure has no place in what was before.
    for table in ('unit_target_withdrawals', 'unit_target_confirmations', 'unit_targets'):
        op.execute(
            f'DELETE FROM kpi.{table} WHERE (branch_id, target_id) IN'
            ' (SELECT branch_id, target_id FROM kpi.unit_targets WHERE figure IS NOT NULL)'
        )
    op.drop_constraint(op.f('unit_targets_measure_or_figure_check'), 'unit_targets', schema='kpi', type_='check')
    op.alter_column('unit_targets', 'value', nullable=False, schema='kpi')
    op.alter_column('unit_targets', 'measure', nullable=False, schema='kpi')
    op.drop_column('unit_targets', 'goal', schema='kpi')
    op.drop_column('unit_targets', 'figure', schema='kpi')
