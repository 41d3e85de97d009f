"""The register of leads (R16)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.create_table('leads',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=True),
    sa.Column('customer_name', sa.Text(), nullable=False),
    sa.Column('about_zh', sa.Text(), nullable=False),
    sa.Column('expected_amount_fen', sa.BigInteger(), nullable=True),
    sa.Column('brought_on', sa.Date(), nullable=False),
    sa.Column('brought_by', sa.Text(), nullable=False),
    sa.Column('brought_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id'], ['contracts.branches.branch_id'], name=op.f('leads_branch_id_branches_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'number', name=op.f('leads_pkey')),
    schema='contracts',
    info={'append_only': True}
    )
    op.create_index(op.f('leads_branch_id_customer_id_index'), 'leads', ['branch_id', 'customer_id'], unique=False, schema='contracts')
    op.create_table('lead_decisions',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('lead', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('approved', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('decided_on', sa.Date(), nullable=False),
    sa.Column('owner_centre_id', sa.Text(), nullable=True),
    sa.Column('rate_basis_points', sa.Integer(), nullable=True),
    sa.Column('months', sa.Integer(), nullable=True),
    sa.Column('decided_by', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('approved = (owner_centre_id IS NOT NULL)', name=op.f('lead_decisions_owner_check')),
    sa.ForeignKeyConstraint(['branch_id', 'lead'], ['contracts.leads.branch_id', 'contracts.leads.number'], name=op.f('lead_decisions_branch_id_lead_leads_fkey')),
    sa.ForeignKeyConstraint(['branch_id', 'owner_centre_id'], ['contracts.centres.branch_id', 'contracts.centres.centre_id'], name=op.f('lead_decisions_branch_id_owner_centre_id_centres_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'lead', name=op.f('lead_decisions_pkey')),
    schema='contracts',
    info={'append_only': True}
    )
    op.create_table('lead_people',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('lead', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('person_id', sa.Text(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('share_basis_points', sa.Integer(), nullable=False),
    sa.Column('centre_id', sa.Text(), nullable=False),
    sa.CheckConstraint('share_basis_points BETWEEN 1 AND 10000', name=op.f('lead_people_share_basis_points_check')),
    sa.ForeignKeyConstraint(['branch_id', 'centre_id'], ['contracts.centres.branch_id', 'contracts.centres.centre_id'], name=op.f('lead_people_branch_id_centre_id_centres_fkey')),
    sa.ForeignKeyConstraint(['branch_id', 'lead'], ['contracts.leads.branch_id', 'contracts.leads.number'], name=op.f('lead_people_branch_id_lead_leads_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'lead', 'person_id', name=op.f('lead_people_pkey')),
    sa.UniqueConstraint('branch_id', 'lead', 'place', name=op.f('lead_people_branch_id_lead_place_key')),
    schema='contracts',
    info={'append_only': True}
    )
    op.create_table('lead_conversions',
    sa.Column('branch_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('lead', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('subscription_ids', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('project_id', sa.Text(), nullable=True),
    sa.Column('converted_by', sa.Text(), nullable=False),
    sa.Column('converted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['branch_id', 'lead'], ['contracts.lead_decisions.branch_id', 'contracts.lead_decisions.lead'], name=op.f('lead_conversions_branch_id_lead_lead_decisions_fkey')),
    sa.PrimaryKeyConstraint('branch_id', 'lead', name=op.f('lead_conversions_pkey')),
    schema='contracts',
    info={'append_only': True}
    )


def downgrade() -> None:
    op.drop_table('lead_conversions', schema='contracts')
    op.drop_table('lead_people', schema='contracts')
    op.drop_table('lead_decisions', schema='contracts')
    op.drop_index(op.f('leads_branch_id_customer_id_index'), table_name='leads', schema='contracts')
    op.drop_table('leads', schema='contracts')
