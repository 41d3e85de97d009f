"""Months some of whose revenue was told without the charges that it is the sum of."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    op.create_table('uncounted_periods',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('period', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('known_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'period', name=op.f('uncounted_periods_pkey')),
    schema='kpi',
    info={'append_only': True}
    )
    # What was followed until now named no charges.
    op.execute(
        'INSERT INTO kpi.uncounted_periods (branch_id, period, position, known_at)'
        ' SELECT DISTINCT ON (branch_id, period) branch_id, period, position, known_at'
        " FROM kpi.measure_changes WHERE source = '/attribution' AND measure = 'revenue'"
        ' ORDER BY branch_id, period, position'
    )


def downgrade() -> None:
    op.drop_table('uncounted_periods', schema='kpi')
    for table in ('measure_changes', 'measures', 'field_measures'):
        op.execute(f"DELETE FROM kpi.{table} WHERE measure = 'lines.billed'")
