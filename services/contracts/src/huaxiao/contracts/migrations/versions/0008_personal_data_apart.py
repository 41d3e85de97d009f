"""Names of customers apart from what nothing can change; who saw them, and whose were erased."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'


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
    schema='contracts',
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
    schema='contracts',
    info={'append_only': True}
    )
    op.create_table('lead_customers',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('lead', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('customer_name', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['branch_id', 'lead'], ['contracts.leads.branch_id', 'contracts.leads.number'], name=op.f('lead_customers_branch_id_lead_leads_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'lead', name=op.f('lead_customers_pkey')),
    schema='contracts'
    )
    op.execute(
        'INSERT INTO contracts.lead_customers (branch_id, lead, customer_name)'
        ' SELECT branch_id, number, customer_name FROM contracts.leads'
    )
    op.drop_column('leads', 'customer_name', schema='contracts')


def downgrade() -> None:
    op.add_column('leads', sa.Column('customer_name', sa.Text(), nullable=True), schema='contracts')
    op.execute(
        "UPDATE contracts.leads SET customer_name = coalesce(c.customer_name, '***')"
        ' FROM contracts.lead_customers c WHERE c.branch_id = leads.branch_id AND c.lead = leads.number'
    )
    op.alter_column('leads', 'customer_name', nullable=False, schema='contracts')
    op.drop_table('lead_customers', schema='contracts')
    op.drop_table('full_views', schema='contracts')
    op.drop_table('erasures', schema='contracts')
