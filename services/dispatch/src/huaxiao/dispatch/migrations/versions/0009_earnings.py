"""What contracts agree for orders, and who did the work (R14)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.create_table('fee_contracts',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('contract_id', sa.Text(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.Column('term_from', sa.Integer(), nullable=False),
    sa.Column('term_to', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'contract_id', name=op.f('fee_contracts_pkey')),
    schema='dispatch'
    )
    op.create_table('fee_terms',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('contract_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('from_period', sa.Integer(), nullable=False),
    sa.Column('fees', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('branch_id', 'contract_id', 'number', name=op.f('fee_terms_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.create_table('order_workers',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.Text(), nullable=False),
    sa.Column('parts', sa.Integer(), nullable=False),
    sa.Column('engagement', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('branch_id', 'order_id', 'number', 'person_id', name=op.f('order_workers_pkey')),
    schema='dispatch',
    info={'append_only': True}
    )
    op.add_column('people', sa.Column('engagement', sa.Text(), nullable=True), schema='dispatch')
    # Work finished so far was done by the engineer who finished it; how they were engaged then was
    # not kept.
    op.execute("""
        INSERT INTO dispatch.order_workers (branch_id, order_id, number, person_id, parts)
        SELECT branch_id, order_id, number, engineer_id, 1 FROM dispatch.order_steps
        WHERE step = 'finish' AND engineer_id IS NOT NULL AND crew_id IS NULL
    """)
    # Of a crew's work each member has a part; who was in it then was not kept, either.
    op.execute("""
        INSERT INTO dispatch.order_workers (branch_id, order_id, number, person_id, parts)
        SELECT steps.branch_id, steps.order_id, steps.number, members.person_id, 1
        FROM dispatch.order_steps AS steps
        JOIN dispatch.crews AS crews USING (branch_id, crew_id)
        CROSS JOIN jsonb_array_elements_text(crews.members) AS members (person_id)
        WHERE steps.step = 'finish'
    """)


def downgrade() -> None:
    op.drop_column('people', 'engagement', schema='dispatch')
    op.drop_table('order_workers', schema='dispatch')
    op.drop_table('fee_terms', schema='dispatch')
    op.drop_table('fee_contracts', schema='dispatch')
