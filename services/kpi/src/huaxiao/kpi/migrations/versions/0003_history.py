"""Everything that feeds told is kept with the entry it came from and the moment it was known.

What was kept without them is told again: the tables are emptied and the feeds followed from their
beginning, which takes a minute or so for a million entries.
"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'

_KEYED = {
    'branches': ['branch_id'],
    'centres': ['branch_id', 'centre_id'],
    'centre_changes': ['branch_id', 'centre_id', 'from_day'],
    'places': ['branch_id', 'person_id', 'from_day'],
}
_ONCE = ('contracts', 'base_months', 'closed_periods')


def _follow_again() -> None:
    names = ', '.join(f'kpi.{name}' for name in (*_KEYED, *_ONCE, 'measures'))
    op.execute(f'TRUNCATE {names}')
    # Not deleted: whoever is about to apply entries behind an old position must find it moved.
    op.execute('UPDATE kpi.feed_positions SET position = 0')


def upgrade() -> None:
    _follow_again()
    for name in (*_KEYED, *_ONCE):
        op.add_column(name, sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False), schema='kpi')
        op.add_column(name, sa.Column('known_at', sa.DateTime(timezone=True), nullable=False), schema='kpi')
    for name, columns in _KEYED.items():
        op.drop_constraint(op.f(f'{name}_pkey'), name, schema='kpi', type_='primary')
        op.create_primary_key(op.f(f'{name}_pkey'), name, [*columns, 'position'], schema='kpi')
    op.create_table('reorganisations',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('plan_id', sa.Text(), nullable=False),
    sa.Column('from_day', sa.Date(), nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('known_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'plan_id', name=op.f('reorganisations_pkey')),
    schema='kpi'
    )
    op.create_table('field_measures',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('field_id', sa.Text(), nullable=False),
    sa.Column('period', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('measure', sa.Text(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'field_id', 'period', 'centre_id', 'measure', name=op.f('field_measures_pkey')),
    schema='kpi'
    )
    op.create_index(op.f('field_measures_branch_id_period_centre_id_index'), 'field_measures', ['branch_id', 'period', 'centre_id'], unique=False, schema='kpi')
    op.create_table('measure_changes',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('line', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('known_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('field_id', sa.Text(), nullable=True),
    sa.Column('period', sa.Integer(), nullable=False),
    sa.Column('measure', sa.Text(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'source', 'position', 'line', name=op.f('measure_changes_pkey')),
    schema='kpi'
    )
    op.create_index(op.f('measure_changes_branch_id_period_index'), 'measure_changes', ['branch_id', 'period'], unique=False, schema='kpi')


def downgrade() -> None:
    _follow_again()
    op.drop_table('measure_changes', schema='kpi')
    op.drop_table('field_measures', schema='kpi')
    op.drop_table('reorganisations', schema='kpi')
    for name, columns in _KEYED.items():
        op.drop_constraint(op.f(f'{name}_pkey'), name, schema='kpi', type_='primary')
        op.create_primary_key(op.f(f'{name}_pkey'), name, columns, schema='kpi')
    for name in (*_KEYED, *_ONCE):
        op.drop_column(name, 'known_at', schema='kpi')
        op.drop_column(name, 'position', schema='kpi')
        op.execute(f'GRANT UPDATE, DELETE ON kpi.{name} TO kpi')
